//! A sealed folder: files with a manifest of their checksums, written whole or not at all.
//!
//! In: named contents. Out: a folder that either does not exist or is complete; reading it back verifies every byte.

mod content;
#[cfg(test)]
mod tests;
mod verified;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::ModelError;
use crate::mapped::FileBytes;

pub use content::{Content, Contents, collect};
pub use verified::{Stored, Verified};

const MANIFEST: &str = "manifest.json";
/// Version of the folder's layout.
const FORMAT: u32 = 1;

/// Files by name.
pub type Files = BTreeMap<String, Vec<u8>>;

#[derive(serde::Serialize, serde::Deserialize)]
struct Manifest {
    format: u32,
    kind: String,
    about: Value,
    /// blake3 of each file.
    files: BTreeMap<String, String>,
    /// blake3 of the manifest without this key.
    seal: String,
}

impl Manifest {
    fn digest(&self) -> String {
        let text = serde_json::json!([self.format, self.kind, self.about, self.files]).to_string();
        digest(text.as_bytes())
    }
}

/// Writes `contents` as the folder `path`, replacing what was there in one step. `kind` and `about` go into the manifest. Returns the
/// bytes of its files.
///
/// # Errors
/// What the file system refused; [`read`] then finds what it found before.
pub fn write(path: &Path, kind: &str, about: Value, contents: &Contents) -> Result<u64, ModelError> {
    write_after(None, path, kind, about, contents)
}

/// The same; a file that the sealed folder `previous`, which may be the one that is replaced, has under its name, the same to the
/// byte, is shared with it by a hard link where the file system has them.
///
/// # Errors
/// As [`write()`].
pub fn write_after(
    previous: Option<&Path>,
    path: &Path,
    kind: &str,
    about: Value,
    contents: &Contents,
) -> Result<u64, ModelError> {
    let parent = parent_of(path);
    fs::create_dir_all(parent).map_err(|error| ModelError::io(parent, error))?;
    let fresh = beside(path, "new");
    clear(&fresh)?;
    fs::create_dir(&fresh).map_err(|error| ModelError::io(&fresh, error))?;
    let (mut files, mut bytes) = (BTreeMap::new(), 0);
    for (name, content) in contents {
        let previous = previous.map(|previous| previous.join(name));
        let written = content.store(previous.as_deref(), &fresh.join(name))?;
        bytes += written.bytes;
        files.insert(name.clone(), written.digest);
    }
    let mut manifest = Manifest {
        format: FORMAT,
        kind: kind.to_owned(),
        about,
        files,
        seal: String::new(),
    };
    manifest.seal = manifest.digest();
    let manifest =
        serde_json::to_vec_pretty(&manifest).map_err(|error| ModelError::damaged(path, error.to_string()))?;
    write_durably(&fresh.join(MANIFEST), &manifest)?;
    replace(&fresh, path)?;
    Ok(bytes)
}

/// Gives the complete folder `fresh`, on the same file system, the name `path`, in the place of what was there. A crash
/// leaves the old or the new one under `path`, or the old one hidden beside it: see [`recover`].
///
/// # Errors
/// What the file system refused; what was there is then still there.
pub fn replace(fresh: &Path, path: &Path) -> Result<(), ModelError> {
    sync_folder(fresh)?;
    let old = beside(path, "old");
    // Where a crash left only the old folder it stays until the new one has its name.
    if path.exists() {
        clear(&old)?;
        fs::rename(path, &old).map_err(|error| ModelError::io(path, error))?;
    }
    if let Err(error) = fs::rename(fresh, path) {
        recover(path)?;
        return Err(ModelError::io(path, error));
    }
    sync_folder(parent_of(path))?;
    clear(&old)
}

/// Gives what [`replace`] hid beside `path` its name back, where a crash left `path` without a folder.
///
/// # Errors
/// What the file system refused.
pub fn recover(path: &Path) -> Result<(), ModelError> {
    let old = beside(path, "old");
    if !path.exists() && old.exists() {
        fs::rename(&old, path).map_err(|error| ModelError::io(path, error))?;
    }
    Ok(())
}

/// The folder that holds `path`.
fn parent_of(path: &Path) -> &Path {
    path.parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

/// Reads the folder `path` of the given `kind`, verifying every file; returns `about` and the files.
///
/// # Errors
/// Which file is missing, damaged or of another kind.
pub fn read(path: &Path, kind: &str) -> Result<(Value, Files), ModelError> {
    let (about, files) = open(path, kind, |_| false)?;
    let files = files.into_iter().map(|(name, bytes)| (name, bytes.into_vec()));
    Ok((about, files.collect()))
}

/// The same; the files whose names are `mapped` are not copied into memory.
///
/// # Errors
/// As [`read`].
pub(crate) fn open(
    path: &Path,
    kind: &str,
    mapped: impl Fn(&str) -> bool,
) -> Result<(Value, BTreeMap<String, FileBytes>), ModelError> {
    let (path, manifest) = manifest(path, kind)?;
    let mut files = BTreeMap::new();
    for (name, expected) in manifest.files {
        let file = path.join(&name);
        let bytes = if mapped(&name) {
            FileBytes::map(&file)
        } else {
            fs::read(&file).map(FileBytes::Read)
        };
        let bytes = bytes.map_err(|error| ModelError::io(&file, error))?;
        demand(&file, &digest(bytes.as_slice()), &expected)?;
        files.insert(name, bytes);
    }
    Ok((manifest.about, files))
}

/// Where the folder `path` lies, and its manifest.
fn manifest(path: &Path, kind: &str) -> Result<(PathBuf, Manifest), ModelError> {
    // A crash between the two renames of `write` leaves only the old folder: it is complete.
    let old = beside(path, "old");
    let path = if !path.exists() && old.exists() {
        old
    } else {
        path.to_owned()
    };
    let file = path.join(MANIFEST);
    let bytes = fs::read(&file).map_err(|error| ModelError::io(&file, error))?;
    let manifest: Manifest =
        serde_json::from_slice(&bytes).map_err(|error| ModelError::damaged(&file, error.to_string()))?;
    if manifest.seal != manifest.digest() {
        return Err(ModelError::damaged(&file, "its seal does not match its contents"));
    }
    if manifest.format != FORMAT || manifest.kind != kind {
        let found = format!(
            "found a {} of format {}, expected a {kind} of format {FORMAT}",
            manifest.kind, manifest.format
        );
        return Err(ModelError::damaged(&file, found));
    }
    Ok((path, manifest))
}

/// Demands that the digest of `file` is what its manifest says.
fn demand(file: &Path, found: &str, expected: &str) -> Result<(), ModelError> {
    if found == expected {
        return Ok(());
    }
    let (found, expected) = (found.get(..12), expected.get(..12).unwrap_or(expected));
    let message = format!(
        "blake3 is {}.., the manifest says {expected}..",
        found.unwrap_or_default()
    );
    Err(ModelError::damaged(file, message))
}

/// The hex digest by which files and examples are compared.
pub fn digest(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}

/// The same of a file that may be larger than memory.
///
/// # Errors
/// When it cannot be read.
pub fn digest_file(path: &Path) -> Result<String, ModelError> {
    let mut hasher = blake3::Hasher::new();
    File::open(path)
        .and_then(|file| hasher.update_reader(file).map(|_| ()))
        .map_err(|error| ModelError::io(path, error))?;
    Ok(hasher.finalize().to_hex().to_string())
}

/// `path` with a suffix, hidden, beside it.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    path.with_file_name(format!(".{name}.{suffix}"))
}

fn clear(path: &Path) -> Result<(), ModelError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(ModelError::io(path, error)),
        _ => Ok(()),
    }
}

/// Writes a file and waits until it is on the disk.
///
/// # Errors
/// What the file system refused.
pub fn write_durably(path: &Path, bytes: &[u8]) -> Result<(), ModelError> {
    let write = || {
        let mut file = File::create(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().map_err(|error| ModelError::io(path, error))
}

fn sync_folder(path: &Path) -> Result<(), ModelError> {
    File::open(path)
        .and_then(|folder| folder.sync_all())
        .map_err(|error| ModelError::io(path, error))
}
