//! The artifact: a ranker as a sealed folder that carries its whole declaration.
//!
//! `weights.safetensors` (every tensor by name, and how often training met each row of a table), `scalers.json`
//! (what was fitted), `ranker.toml`, `manifest.json` (checksums, fingerprints). Train writes it, serve reads it; they share nothing else.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use spec::Spec;

use crate::sealed::{self, Files};
use crate::{Encoder, Fitted, ModelError, Ranker, Weights, scaler};

const KIND: &str = "ranker";
const WEIGHTS: &str = "weights.safetensors";
const SCALERS: &str = "scalers.json";
const SPEC: &str = "ranker.toml";

/// Writes `ranker` as the folder `path`, whole or not at all. `about` goes into the manifest.
///
/// # Errors
/// What the file system refused.
pub fn write(path: &Path, ranker: &Ranker, about: &serde_json::Value) -> Result<(), ModelError> {
    let about = serde_json::json!({
        "encoding": ranker.spec().encoding_fingerprint(),
        "objectives": ranker.spec().objectives_fingerprint(),
        "about": about,
    });
    sealed::write(path, KIND, about, &to_files(ranker)?)
}

/// Reads a ranker, verifying every byte.
///
/// # Errors
/// Which file is missing or damaged, or what does not fit the artifact's own declaration.
pub fn read(path: &Path) -> Result<Ranker, ModelError> {
    let (about, files) = sealed::read(path, KIND)?;
    let ranker = from_files(path, &files)?;
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

/// The files of a ranker by name: what an artifact and a checkpoint have in common.
///
/// # Errors
/// When a tensor cannot be serialised.
pub fn to_files(ranker: &Ranker) -> Result<Files, ModelError> {
    let spec = ranker.spec();
    let mut tensors = TensorFile::default();
    for tensor in ranker.weights.tensors(spec) {
        tensors.add_f32(tensor.name, tensor.shape, tensor.values);
    }
    for (declared, table) in spec.tables.iter().zip(&ranker.weights.tables) {
        tensors.add_u8(format!("sightings.{}", declared.name), table.sightings.clone());
    }
    let scalers = serde_json::to_vec(ranker.encoder.fitted())
        .map_err(|error| ModelError::Mismatch(error.to_string()))?;
    Ok(Files::from([
        (WEIGHTS.to_owned(), tensors.to_bytes()?),
        (SCALERS.to_owned(), scalers),
        (SPEC.to_owned(), spec.text.clone().into_bytes()),
    ]))
}

/// The ranker of such files; `path` names them in errors.
///
/// # Errors
/// Which file is missing, or which tensor does not fit the declaration.
pub fn from_files(path: &Path, files: &Files) -> Result<Ranker, ModelError> {
    let file = |name: &str| {
        files
            .get(name)
            .ok_or_else(|| ModelError::damaged(&path.join(name), "the manifest does not list it"))
    };
    let spec_path = path.join(SPEC);
    let text = std::str::from_utf8(file(SPEC)?)
        .map_err(|error| ModelError::damaged(&spec_path, error.to_string()))?;
    let spec = Arc::new(Spec::parse(&spec_path.display().to_string(), text)?);
    let scalers_path = path.join(SCALERS);
    let fitted: Fitted = serde_json::from_slice(file(SCALERS)?)
        .map_err(|error| ModelError::damaged(&scalers_path, error.to_string()))?;
    if let Some(problem) = scaler::misfit(&spec, &fitted) {
        return Err(ModelError::damaged(&scalers_path, problem));
    }
    let weights_path = path.join(WEIGHTS);
    let tensors = TensorFile::from_bytes(&weights_path, file(WEIGHTS)?)?;

    let mut weights = Weights::new(&spec, 0);
    let declared: Vec<_> = weights
        .tensors(&spec)
        .into_iter()
        .map(|tensor| (tensor.name, tensor.shape))
        .collect();
    for ((name, shape), values) in declared.iter().zip(weights.values_mut()) {
        tensors.check_shape(&weights_path, name, shape)?;
        tensors.fill_f32(&weights_path, name, values)?;
    }
    for (declared, table) in spec.tables.iter().zip(&mut weights.tables) {
        let sightings = tensors.u8(
            &weights_path,
            &format!("sightings.{}", declared.name),
            table.sightings.len(),
        )?;
        table.sightings = sightings.to_vec();
    }
    Ok(Ranker {
        encoder: Encoder::new(spec, fitted),
        weights,
    })
}

/// Named tensors as one safetensors file.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct TensorFile {
    tensors: BTreeMap<String, (Dtype, Vec<usize>, Vec<u8>)>,
}

impl TensorFile {
    /// Adds a float tensor.
    pub fn add_f32(&mut self, name: String, shape: Vec<usize>, values: &[f32]) {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.tensors.insert(name, (Dtype::F32, shape, bytes));
    }

    /// Adds a flat byte tensor.
    pub fn add_u8(&mut self, name: String, values: Vec<u8>) {
        self.tensors.insert(name, (Dtype::U8, vec![values.len()], values));
    }

    /// The file's bytes.
    ///
    /// # Errors
    /// When a shape and its values disagree.
    pub fn to_bytes(&self) -> Result<Vec<u8>, ModelError> {
        let views: Result<Vec<_>, _> = self
            .tensors
            .iter()
            .map(|(name, (dtype, shape, bytes))| Ok((name, TensorView::new(*dtype, shape.clone(), bytes)?)))
            .collect();
        views
            .and_then(|views| safetensors::serialize(views, None))
            .map_err(|error: safetensors::SafeTensorError| ModelError::Mismatch(error.to_string()))
    }

    /// Reads a file's bytes; `path` names it in errors.
    ///
    /// # Errors
    /// When it is not a safetensors file.
    pub fn from_bytes(path: &Path, bytes: &[u8]) -> Result<TensorFile, ModelError> {
        let file =
            SafeTensors::deserialize(bytes).map_err(|error| ModelError::damaged(path, error.to_string()))?;
        let tensors = file
            .tensors()
            .into_iter()
            .map(|(name, view)| (name, (view.dtype(), view.shape().to_vec(), view.data().to_vec())))
            .collect();
        Ok(TensorFile { tensors })
    }

    /// Fills `values` from a float tensor of as many values.
    ///
    /// # Errors
    /// When it is missing or of another size.
    pub fn fill_f32(&self, path: &Path, name: &str, values: &mut [f32]) -> Result<(), ModelError> {
        let bytes = self.bytes(path, name, Dtype::F32, values.len() * 4)?;
        for (value, bytes) in values.iter_mut().zip(bytes.as_chunks::<4>().0) {
            *value = f32::from_le_bytes(*bytes);
        }
        Ok(())
    }

    /// The `len` bytes of a byte tensor.
    ///
    /// # Errors
    /// When it is missing or of another size.
    pub fn u8(&self, path: &Path, name: &str, len: usize) -> Result<&[u8], ModelError> {
        self.bytes(path, name, Dtype::U8, len)
    }

    /// Checks that tensor `name` has this shape.
    fn check_shape(&self, path: &Path, name: &str, expected: &[usize]) -> Result<(), ModelError> {
        match self.tensors.get(name) {
            Some((_, found, _)) if found != expected => Err(ModelError::damaged(
                path,
                format!("tensor `{name}` is {found:?}; the declaration asks for {expected:?}"),
            )),
            _ => Ok(()),
        }
    }

    fn bytes(&self, path: &Path, name: &str, dtype: Dtype, len: usize) -> Result<&[u8], ModelError> {
        match self.tensors.get(name) {
            Some((found, _, bytes)) if *found == dtype && bytes.len() == len => Ok(bytes),
            Some((found, shape, _)) => Err(ModelError::damaged(
                path,
                format!(
                    "tensor `{name}` is {found:?} {shape:?}; the declaration asks for {len} bytes of {dtype:?}"
                ),
            )),
            None => Err(ModelError::damaged(path, format!("tensor `{name}` is missing"))),
        }
    }
}

#[cfg(test)]
mod tests;
