//! Whether a file is still the one that was opened: its size and the time when it was last written.

use std::fs::{File, Metadata};
use std::io::ErrorKind;
use std::path::Path;
use std::time::SystemTime;

use crate::EventsError;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) bytes: u64,
    modified: Option<SystemTime>,
}

impl Identity {
    pub(super) fn of(path: &Path) -> Result<Identity, EventsError> {
        let metadata: Metadata = std::fs::metadata(path).map_err(|error| refused(path, error))?;
        if !metadata.is_file() {
            let found = if metadata.is_dir() {
                "a directory"
            } else {
                "a pipe or a device"
            };
            return Err(EventsError::Unreadable {
                path: path.to_owned(),
                problem: format!("is {found}, expected a file"),
            });
        }
        Ok(Identity {
            bytes: metadata.len(),
            modified: metadata.modified().ok(),
        })
    }

    /// Demands that `path` is the same file still; one that is gone is not.
    pub(super) fn check(&self, path: &Path) -> Result<(), EventsError> {
        match Identity::of(path) {
            Ok(now) if now == *self => Ok(()),
            _ => Err(EventsError::Changed {
                path: path.to_owned(),
            }),
        }
    }
}

pub(super) fn open(path: &Path) -> Result<File, EventsError> {
    File::open(path).map_err(|error| refused(path, error))
}

fn refused(path: &Path, error: std::io::Error) -> EventsError {
    match error.kind() {
        // Below a file, or with a name that no file can have, there is none.
        ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::InvalidFilename => {
            EventsError::MissingFile {
                path: path.to_owned(),
            }
        }
        _ => EventsError::io(path)(error),
    }
}
