//! The bytes of a file, read into memory or mapped into it: a mapped table costs the pages that requests read.

use std::fs::File;
use std::io;
use std::path::Path;

use memmap2::Mmap;

/// Bytes of a file that does not change.
#[derive(Debug)]
pub enum FileBytes {
    /// A copy in memory.
    Read(Vec<u8>),
    /// The file's own pages.
    Mapped(Mmap),
}

impl FileBytes {
    /// Maps the file `path`, of a sealed folder.
    ///
    /// # Errors
    /// What the file system refused.
    pub(crate) fn map(path: &Path) -> io::Result<FileBytes> {
        let file = File::open(path)?;
        // SAFETY: the bytes must not change while they are mapped. Files of a sealed folder are written once, under a hidden
        // name, and never again: a version is replaced by renaming and removed by unlinking, which leave the pages of a mapped
        // file as they are. Nobody else may write into a store, as nobody may write into a database's files.
        #[allow(unsafe_code)]
        let bytes = unsafe { Mmap::map(&file) }?;
        Ok(FileBytes::Mapped(bytes))
    }

    /// A copy in memory.
    pub(crate) fn into_vec(self) -> Vec<u8> {
        match self {
            FileBytes::Read(bytes) => bytes,
            FileBytes::Mapped(bytes) => bytes.to_vec(),
        }
    }

    /// All bytes.
    pub fn as_slice(&self) -> &[u8] {
        match self {
            FileBytes::Read(bytes) => bytes,
            FileBytes::Mapped(bytes) => bytes,
        }
    }
}
