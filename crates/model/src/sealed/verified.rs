//! A sealed folder whose every byte was verified, read file by file as it is asked for: tables need not be in memory twice.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{demand, digest_file, manifest};
use crate::ModelError;
use crate::artifact::TensorFile;

/// The folder.
#[derive(Debug)]
pub struct Verified {
    /// What its manifest says beside.
    pub about: Value,
    /// Paths by name.
    pub files: BTreeMap<String, PathBuf>,
}

/// A file's bytes, or where they lie.
#[derive(Debug, Clone, Copy)]
pub enum Stored<'a> {
    /// In memory.
    Bytes(&'a [u8]),
    /// In this file.
    File(&'a Path),
}

impl Verified {
    /// Verifies the folder `path` of the given `kind`.
    ///
    /// # Errors
    /// Which file is missing, damaged or of another kind.
    pub fn open(path: &Path, kind: &str) -> Result<Verified, ModelError> {
        let (path, manifest) = manifest(path, kind)?;
        let mut files = BTreeMap::new();
        for (name, expected) in manifest.files {
            let file = path.join(&name);
            demand(&file, &digest_file(&file)?, &expected)?;
            files.insert(name, file);
        }
        Ok(Verified {
            about: manifest.about,
            files,
        })
    }

    /// The file of that name, if there is one.
    pub fn stored(&self, name: &str) -> Option<Stored<'_>> {
        self.files.get(name).map(|path| Stored::File(path))
    }
}

impl<'a> Stored<'a> {
    /// Its bytes; `path` names it in errors.
    ///
    /// # Errors
    /// What the file system refused.
    pub fn bytes(self, path: &Path) -> Result<Cow<'a, [u8]>, ModelError> {
        match self {
            Stored::Bytes(bytes) => Ok(Cow::Borrowed(bytes)),
            Stored::File(file) => fs::read(file)
                .map(Cow::Owned)
                .map_err(|error| ModelError::io(path, error)),
        }
    }

    /// Its tensors; `path` names it in errors.
    ///
    /// # Errors
    /// When it is not a safetensors file, or the file system refused it.
    pub fn tensors(self, path: &Path) -> Result<TensorFile<'a>, ModelError> {
        match self {
            Stored::Bytes(bytes) => TensorFile::from_bytes(path, bytes),
            Stored::File(file) => TensorFile::open(file),
        }
    }
}
