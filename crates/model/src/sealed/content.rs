//! What the files of a sealed folder are made of. In: bytes, tensors, files of other folders. Out: the file and its digest.
//!
//! Nothing is copied whole: tensors go from where they lie to the disk.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufReader, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use super::{Files, digest_file};
use crate::ModelError;
use crate::artifact::TensorFile;

/// Bytes that are compared at a time.
const CHUNK: usize = 1 << 16;

/// What one file is made of.
#[derive(Debug)]
pub enum Content<'a> {
    /// Its bytes.
    Bytes(Cow<'a, [u8]>),
    /// Tensors, written one after the other.
    Tensors(TensorFile<'a>),
    /// The bytes of another folder's file, which is never written to again: shared with it where the file system has hard links.
    Stored(PathBuf),
}

/// Contents by name.
pub type Contents<'a> = BTreeMap<String, Content<'a>>;

/// A file that was written or shared.
pub(super) struct Written {
    /// Its blake3.
    pub(super) digest: String,
    pub(super) bytes: u64,
}

/// The bytes of all `contents`.
///
/// # Errors
/// A stored file that cannot be read; a tensor that cannot be serialised.
pub fn collect(contents: &Contents) -> Result<Files, ModelError> {
    let bytes = |content: &Content| match content {
        Content::Bytes(bytes) => Ok(bytes.to_vec()),
        Content::Tensors(tensors) => tensors.to_bytes(),
        Content::Stored(path) => fs::read(path).map_err(|error| ModelError::io(path, error)),
    };
    let files = contents
        .iter()
        .map(|(name, content)| Ok((name.clone(), bytes(content)?)));
    files.collect()
}

impl<'a> From<Vec<u8>> for Content<'a> {
    fn from(bytes: Vec<u8>) -> Content<'a> {
        Content::Bytes(Cow::Owned(bytes))
    }
}

impl<'a> From<&'a Vec<u8>> for Content<'a> {
    fn from(bytes: &'a Vec<u8>) -> Content<'a> {
        Content::Bytes(Cow::Borrowed(bytes))
    }
}

impl<'a> From<TensorFile<'a>> for Content<'a> {
    fn from(tensors: TensorFile<'a>) -> Content<'a> {
        Content::Tensors(tensors)
    }
}

impl Content<'_> {
    /// Makes the file `to` of it, or a hard link to `previous` where that is the same to the byte.
    ///
    /// # Errors
    /// What the file system refused.
    pub(super) fn store(&self, previous: Option<&Path>, to: &Path) -> Result<Written, ModelError> {
        if let Content::Stored(from) = self {
            let digest = digest_file(from)?;
            let copied = fs::hard_link(from, to).or_else(|_| {
                fs::copy(from, to)?;
                File::open(to)?.sync_all()
            });
            copied.map_err(|error| ModelError::io(to, error))?;
            let bytes = fs::metadata(to).map_err(|error| ModelError::io(to, error))?.len();
            return Ok(Written { digest, bytes });
        }
        // Its bytes are compared, so that no damage is passed on. What cannot be shared is written.
        if let Some(previous) = previous
            && let Some(written) = self.same_as(previous)
            && fs::hard_link(previous, to).is_ok()
        {
            return Ok(written);
        }
        let write = || {
            let mut out = Digested::new(File::create(to)?);
            self.write_to(&mut out)?;
            out.to.sync_all()?;
            Ok(out.written())
        };
        write().map_err(|error| ModelError::io(to, error))
    }

    /// The file `path`, if it holds the same bytes.
    fn same_as(&self, path: &Path) -> Option<Written> {
        let file = File::open(path).ok()?;
        let mut out = Digested::new(Compared(BufReader::with_capacity(CHUNK, file)));
        self.write_to(&mut out).ok()?;
        let at_end = out.to.0.read(&mut [0]).ok()? == 0;
        at_end.then(|| out.written())
    }

    fn write_to(&self, out: &mut dyn Write) -> io::Result<()> {
        match self {
            Content::Bytes(bytes) => out.write_all(bytes),
            Content::Tensors(tensors) => tensors.write_to(out),
            Content::Stored(path) => io::copy(&mut File::open(path)?, out).map(|_| ()),
        }
    }
}

/// A writer that digests what goes through it.
struct Digested<W> {
    to: W,
    hasher: blake3::Hasher,
    bytes: u64,
}

impl<W> Digested<W> {
    fn new(to: W) -> Digested<W> {
        Digested {
            to,
            hasher: blake3::Hasher::new(),
            bytes: 0,
        }
    }

    fn written(&self) -> Written {
        Written {
            digest: self.hasher.finalize().to_hex().to_string(),
            bytes: self.bytes,
        }
    }
}

impl<W: Write> Write for Digested<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.to.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// A writer that takes what a reader gives, and fails at the first other byte.
struct Compared<R>(R);

impl<R: Read> Write for Compared<R> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let (mut found, len) = ([0; CHUNK], bytes.len().min(CHUNK));
        self.0.read_exact(&mut found[..len])?;
        if found[..len] == bytes[..len] {
            Ok(len)
        } else {
            Err(ErrorKind::InvalidData.into())
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
