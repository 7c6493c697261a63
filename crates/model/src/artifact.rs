//! The artifact: a ranker as a sealed folder that carries its whole declaration.
//!
//! `weights.safetensors` (the network and the shallow tower by name), `table-N.safetensors` for each table (its rows and how often
//! training met each; where rows are given to ids, the keys in rising order, the row of each, and `new`), `scalers.json` (what was
//! fitted), `ranker.toml`, `manifest.json` (checksums, fingerprints). Train writes it, serve reads it; they share nothing else.
//! A checkpoint keeps the same ranker with all that it learns on by: see [`to_files`].

mod learner;
mod tensor_file;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use spec::Spec;

use crate::mapped::FileBytes;
use crate::sealed::{self, Content, Contents, Files, Stored, Verified};
use crate::{ByKey, Encoder, Fitted, IdTable, KeyMap, ModelError, PublishedRows, Ranker, Weights, scaler};

pub use tensor_file::TensorFile;

const KIND: &str = "ranker";
const WEIGHTS: &str = "weights.safetensors";
/// What the names of the tables' files begin with.
const TABLE: &str = "table-";
const SCALERS: &str = "scalers.json";
const SPEC: &str = "ranker.toml";

/// Writes `ranker` as the folder `path`, whole or not at all. `about` goes into the manifest.
///
/// # Errors
/// What the file system refused.
pub fn write(path: &Path, ranker: &Ranker, about: &serde_json::Value) -> Result<(), ModelError> {
    write_after(None, path, ranker, about)
}

/// The same, beside the artifact `previous`: a file that is the same to the byte is shared with it, not written again.
///
/// # Errors
/// What the file system refused.
pub fn write_after(
    previous: Option<&Path>,
    path: &Path,
    ranker: &Ranker,
    about: &serde_json::Value,
) -> Result<(), ModelError> {
    let about = serde_json::json!({
        "encoding": ranker.spec().encoding_fingerprint(),
        "objectives": ranker.spec().objectives_fingerprint(),
        "about": about,
    });
    sealed::write_after(previous, path, KIND, about, &published(ranker)?)?;
    Ok(())
}

/// Reads a ranker that predicts, verifying every byte. Tables that give rows to ids are mapped, and learn no more.
///
/// # Errors
/// Which file is missing or damaged, or what does not fit the artifact's own declaration.
pub fn read(path: &Path) -> Result<Ranker, ModelError> {
    let (about, files) = sealed::open(path, KIND, |name| name.starts_with(TABLE))?;
    let ranker = from_published(path, files)?;
    for (key, found) in [
        ("encoding", ranker.spec().encoding_fingerprint()),
        ("objectives", ranker.spec().objectives_fingerprint()),
    ] {
        if about[key].as_str() != Some(&found) {
            return Err(ModelError::Mismatch(format!(
                "`{}` has the {key} fingerprint {}, its declaration gives \"{found}\": it was written by another version; \
                 train again",
                path.display(),
                about[key]
            )));
        }
    }
    Ok(ranker)
}

/// The files of an artifact by name. Two rankers that predict the same from the same declaration have the same files, learning or
/// published.
///
/// # Errors
/// When a tensor cannot be serialised.
pub fn published_files(ranker: &Ranker) -> Result<Files, ModelError> {
    sealed::collect(&published(ranker)?)
}

fn published(ranker: &Ranker) -> Result<Contents<'_>, ModelError> {
    let spec = ranker.spec();
    let mut files = common_files(ranker)?;
    let mut dense = TensorFile::default();
    // Tables come first.
    for tensor in ranker.weights.tensors(spec).into_iter().skip(spec.tables.len()) {
        dense.add_f32(tensor.name, tensor.shape, tensor.values);
    }
    files.insert(WEIGHTS.to_owned(), dense.into());
    for (at, (declared, table)) in spec.tables.iter().zip(&ranker.weights.tables).enumerate() {
        let content = match &table.by_key {
            Some(ByKey::Learning(map)) => PublishedRows::tensors(map, &table.embedding).into(),
            Some(ByKey::Published(rows)) => Content::Bytes(rows.bytes().into()),
            None => {
                let mut file = TensorFile::default();
                add_fixed(&mut file, &declared.name, table);
                file.into()
            }
        };
        files.insert(table_file(at), content);
    }
    Ok(files)
}

fn from_published(path: &Path, mut files: BTreeMap<String, FileBytes>) -> Result<Ranker, ModelError> {
    let (spec, fitted) = declared(path, |name| {
        files.get(name).map(|bytes| Stored::Bytes(bytes.as_slice()))
    })?;
    let mut weights = Weights::new(&spec, 0);
    for (at, (declared, table)) in spec.tables.iter().zip(&mut weights.tables).enumerate() {
        let name = table_file(at);
        let path = path.join(&name);
        let bytes = files.remove(&name).ok_or_else(|| not_listed(&path))?;
        if declared.is_keyed() {
            let rows = PublishedRows::of(&path, Arc::new(bytes), declared.dim)?;
            *table = IdTable::published(rows, declared.admit_after);
        } else {
            let file = TensorFile::from_bytes(&path, bytes.as_slice())?;
            fill_fixed(&path, &file, &declared.name, table)?;
        }
    }
    let weights_path = path.join(WEIGHTS);
    let dense = files.get(WEIGHTS).ok_or_else(|| not_listed(&weights_path))?;
    let dense = TensorFile::from_bytes(&weights_path, dense.as_slice())?;
    fill_dense(&weights_path, &dense, &spec, &mut weights)?;
    Ok(Ranker {
        encoder: Encoder::new(spec, fitted),
        weights,
    })
}

/// The files of a ranker that learns by name: what a checkpoint keeps of it.
///
/// # Errors
/// When a tensor cannot be serialised.
pub fn to_files(ranker: &Ranker) -> Result<Files, ModelError> {
    sealed::collect(&contents(ranker)?)
}

/// The same, to be written from where it lies.
///
/// # Errors
/// Where the ranker learns no more.
pub fn contents(ranker: &Ranker) -> Result<Contents<'_>, ModelError> {
    let spec = ranker.spec();
    let mut files = common_files(ranker)?;
    let mut tensors = TensorFile::default();
    for tensor in ranker.weights.tensors(spec).into_iter().skip(spec.tables.len()) {
        tensors.add_f32(tensor.name, tensor.shape, tensor.values);
    }
    for (declared, table) in spec.tables.iter().zip(&ranker.weights.tables) {
        match &table.by_key {
            Some(ByKey::Published(_)) => {
                let message = format!(
                    "the table `{}` is an artifact's, which learns no more",
                    declared.name
                );
                return Err(ModelError::Mismatch(message));
            }
            Some(ByKey::Learning(map)) => learner::add(&mut tensors, &declared.name, map, &table.embedding),
            None => add_fixed(&mut tensors, &declared.name, table),
        }
    }
    files.insert(WEIGHTS.to_owned(), tensors.into());
    Ok(files)
}

/// The ranker of such files, which learns on; `path` names them in errors.
///
/// # Errors
/// Which file is missing, or which tensor does not fit the declaration.
pub fn from_files(path: &Path, files: &Files) -> Result<Ranker, ModelError> {
    learning(path, |name| files.get(name).map(|bytes| Stored::Bytes(bytes)))
}

/// The same of the files of a folder, with only their values in memory.
///
/// # Errors
/// As [`from_files`]; what the file system refused.
pub fn from_verified(path: &Path, folder: &Verified) -> Result<Ranker, ModelError> {
    learning(path, |name| folder.stored(name))
}

fn learning<'f>(path: &Path, file: impl Fn(&str) -> Option<Stored<'f>>) -> Result<Ranker, ModelError> {
    let (spec, fitted) = declared(path, &file)?;
    let weights_path = path.join(WEIGHTS);
    let stored = file(WEIGHTS).ok_or_else(|| not_listed(&weights_path))?;
    let tensors = stored.tensors(&weights_path)?;
    let mut weights = Weights::new(&spec, 0);
    for (declared, table) in spec.tables.iter().zip(&mut weights.tables) {
        match KeyMap::of(declared) {
            Some(map) => *table = learner::table(&weights_path, &tensors, declared, map)?,
            None => fill_fixed(&weights_path, &tensors, &declared.name, table)?,
        }
    }
    fill_dense(&weights_path, &tensors, &spec, &mut weights)?;
    Ok(Ranker {
        encoder: Encoder::new(spec, fitted),
        weights,
    })
}

/// What was declared and fitted.
fn common_files(ranker: &Ranker) -> Result<Contents<'_>, ModelError> {
    let scalers = serde_json::to_vec(ranker.encoder.fitted())
        .map_err(|error| ModelError::Mismatch(error.to_string()))?;
    Ok(Contents::from([
        (SCALERS.to_owned(), scalers.into()),
        (SPEC.to_owned(), ranker.spec().text.clone().into_bytes().into()),
    ]))
}

/// The same read back.
fn declared<'f>(
    path: &Path,
    file: impl Fn(&str) -> Option<Stored<'f>>,
) -> Result<(Arc<Spec>, Fitted), ModelError> {
    let bytes = |name: &str| {
        let path = path.join(name);
        file(name).ok_or_else(|| not_listed(&path))?.bytes(&path)
    };
    let spec_path = path.join(SPEC);
    let text = bytes(SPEC)?;
    let text =
        std::str::from_utf8(&text).map_err(|error| ModelError::damaged(&spec_path, error.to_string()))?;
    let spec = Arc::new(Spec::parse(&spec_path.display().to_string(), text)?);
    let scalers_path = path.join(SCALERS);
    let fitted: Fitted = serde_json::from_slice(&bytes(SCALERS)?)
        .map_err(|error| ModelError::damaged(&scalers_path, error.to_string()))?;
    match scaler::misfit(&spec, &fitted) {
        Some(problem) => Err(ModelError::damaged(&scalers_path, problem)),
        None => Ok((spec, fitted)),
    }
}

/// Adds a table whose rows are fixed, and how often each was met.
fn add_fixed<'a>(file: &mut TensorFile<'a>, name: &str, table: &'a IdTable) {
    let rows = &table.embedding;
    file.add_f32(
        format!("tables.{name}"),
        vec![rows.rows, rows.dim],
        rows.weight.as_slice(),
    );
    file.add_u8(format!("sightings.{name}"), table.sightings.as_slice());
}

/// Reads such a table.
fn fill_fixed(path: &Path, file: &TensorFile, name: &str, table: &mut IdTable) -> Result<(), ModelError> {
    let (tensor, rows) = (format!("tables.{name}"), &mut table.embedding);
    file.check_shape(path, &tensor, &[rows.rows, rows.dim])?;
    file.fill_f32(path, &tensor, &mut rows.weight)?;
    table.sightings = file.u8(path, &format!("sightings.{name}"), table.sightings.len())?;
    Ok(())
}

/// Reads all but the tables.
fn fill_dense(path: &Path, file: &TensorFile, spec: &Spec, weights: &mut Weights) -> Result<(), ModelError> {
    let tables = spec.tables.len();
    let declared: Vec<_> = weights
        .tensors(spec)
        .into_iter()
        .skip(tables)
        .map(|tensor| (tensor.name, tensor.shape))
        .collect();
    for ((name, shape), values) in declared.iter().zip(weights.values_mut().into_iter().skip(tables)) {
        file.check_shape(path, name, shape)?;
        file.fill_f32(path, name, values)?;
    }
    Ok(())
}

/// The file of table number `at`.
fn table_file(at: usize) -> String {
    format!("{TABLE}{at}.safetensors")
}

fn not_listed(path: &Path) -> ModelError {
    ModelError::damaged(path, "the manifest does not list it")
}

#[cfg(test)]
mod tests;
