//! One holder for each role: a lock file that the operating system releases when its holder dies.

use std::fs::{File, TryLockError};
use std::path::Path;

use crate::EventsError;

/// A role (recorder, learner) held in a directory, until it is dropped or the program ends in any way.
#[derive(Debug)]
pub struct RoleLock {
    _file: File,
}

impl RoleLock {
    /// Takes `role` in `dir`, by locking `dir/ROLE.lock`; the directory is made where it is not there.
    ///
    /// # Errors
    /// [`EventsError::Locked`] where somebody else holds it.
    pub fn take(dir: &Path, role: &str) -> Result<RoleLock, EventsError> {
        std::fs::create_dir_all(dir).map_err(EventsError::io(dir))?;
        let path = dir.join(format!("{role}.lock"));
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(EventsError::io(&path))?;
        match file.try_lock() {
            Ok(()) => Ok(RoleLock { _file: file }),
            Err(TryLockError::WouldBlock) => Err(EventsError::Locked {
                role: role.to_owned(),
                path,
            }),
            Err(TryLockError::Error(error)) => Err(EventsError::io(path)(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_has_one_holder_and_can_be_taken_again_after_it() {
        let dir = tempfile::tempdir().unwrap();
        let first = RoleLock::take(dir.path(), "learner").unwrap();
        let error = RoleLock::take(dir.path(), "learner").unwrap_err();
        assert!(matches!(error, EventsError::Locked { .. }));
        assert!(
            error.to_string().contains("another learner is at work here"),
            "{error}"
        );
        assert!(!error.is_bad_input());
        RoleLock::take(dir.path(), "recorder").unwrap();
        drop(first);
        RoleLock::take(dir.path(), "learner").unwrap();
    }
}
