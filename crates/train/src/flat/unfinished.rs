//! The folder `OUT.unfinished` of a run that writes checkpoints: from its begin until its result is there.
//!
//! In it: a lock, and the sealed folder `checkpoint`, which is replaced in one step, so that one is there whenever a run dies; where
//! two forms of bias are tried, one such folder for each that has begun.

use std::fs;
use std::path::{Path, PathBuf};

use events::RoleLock;
use model::sealed::{self, Contents, Verified};

use super::folder::{Fresh, io};
use super::state::Saved;
use crate::TrainError;

const KIND: &str = "unfinished run";
/// The last checkpoint of each turn: of a run that tries several forms of bias, one turn is a form.
const CHECKPOINTS: [&str; 2] = ["checkpoint", "checkpoint-2"];
const ROLE: &str = "trainer";
/// All that is ever in it: nothing else is deleted.
const CONTENTS: [&str; 7] = [
    ".checkpoint.new",
    ".checkpoint.old",
    CHECKPOINTS[0],
    ".checkpoint-2.new",
    ".checkpoint-2.old",
    CHECKPOINTS[1],
    RESULT,
];
/// Where the result grows until it gets its name.
const RESULT: &str = "result";
/// There from just before the result gets its name: where there is no [`RESULT`] then, it has it.
const NAMED: &str = "named";

/// The folder, held by this process. Where no checkpoint came into it, it is gone with this value.
pub(super) struct Unfinished {
    path: PathBuf,
    _lock: RoleLock,
}

impl Unfinished {
    /// The folder's name beside `out`.
    pub(super) fn beside(out: &Path) -> PathBuf {
        let name = out.file_name().unwrap_or_default().to_string_lossy();
        out.with_file_name(format!("{name}.unfinished"))
    }

    /// The folder for a new run; what an unfinished run left there is deleted if `overwrite`.
    ///
    /// # Errors
    /// An unfinished run, where it is not to be overwritten; one that is at work; a folder that no run made.
    pub(super) fn begin(out: &Path, overwrite: bool) -> Result<Unfinished, TrainError> {
        let path = Unfinished::beside(out);
        let foreign = fs::read_dir(&path).is_ok_and(|mut entries| entries.next().is_some())
            && !path.join(format!("{ROLE}.lock")).exists();
        if foreign {
            return Err(TrainError::Data(format!(
                "`{}` is where this run's checkpoints would be, but holds something else: move it, or choose another `--out`",
                path.display()
            )));
        }
        let (unfinished, _) = Unfinished::held(path)?;
        if unfinished.has_checkpoint(0) && !overwrite {
            let name = unfinished.path.display();
            return Err(TrainError::Data(format!(
                "`{name}` is a run that was not finished: go on with it by `--resume`, or begin anew by `--overwrite`, which \
                 deletes it"
            )));
        }
        unfinished.clear()?;
        Ok(unfinished)
    }

    /// The folder of an unfinished run.
    ///
    /// # Errors
    /// Where there is none, or one that is at work.
    pub(super) fn again(out: &Path) -> Result<Unfinished, TrainError> {
        let path = Unfinished::beside(out);
        let none = |path: &Path| {
            TrainError::Data(format!(
                "there is no checkpoint in `{}` to resume from: leave `--resume` out; with `--checkpoint-every` a run writes them",
                path.display()
            ))
        };
        if !path.is_dir() {
            return Err(none(&path));
        }
        let (unfinished, finished) = Unfinished::held(path)?;
        if finished {
            let (name, out) = (unfinished.path.display(), out.display());
            return Err(TrainError::Data(format!(
                "nothing is left to resume: the run of `{name}` is finished, its result is `{out}`"
            )));
        }
        if unfinished.has_checkpoint(0) {
            Ok(unfinished)
        } else {
            Err(none(&unfinished.path))
        }
    }

    /// The folder, held; and whether its run was finished, and died before it deleted it: then what is in it is deleted now.
    fn held(path: PathBuf) -> Result<(Unfinished, bool), TrainError> {
        let lock = RoleLock::take(&path, ROLE)?;
        for checkpoint in CHECKPOINTS {
            sealed::recover(&path.join(checkpoint))?;
        }
        let unfinished = Unfinished { path, _lock: lock };
        let finished = unfinished.path.join(NAMED).exists() && !unfinished.result().exists();
        if finished {
            unfinished.clear()?;
        } else {
            unfinished.remove_mark()?;
        }
        Ok((unfinished, finished))
    }

    /// The result is whole: it gets its name next.
    ///
    /// # Errors
    /// What the file system refused.
    pub(super) fn mark(&self) -> Result<(), TrainError> {
        Ok(sealed::write_durably(&self.path.join(NAMED), b"")?)
    }

    fn remove_mark(&self) -> Result<(), TrainError> {
        let mark = self.path.join(NAMED);
        match fs::remove_file(&mark) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(io(&mark)(error).into()),
            _ => Ok(()),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Where the result may grow.
    pub(super) fn result(&self) -> PathBuf {
        self.path.join(RESULT)
    }

    /// Where the best epoch's checkpoint of a turn stands meanwhile.
    pub(super) fn best(&self, turn: usize) -> PathBuf {
        Fresh::checkpoint_in(&self.result(), turn)
    }

    /// Whether turn number `turn`, from 0, has begun.
    pub(super) fn has_checkpoint(&self, turn: usize) -> bool {
        self.path.join(CHECKPOINTS[turn]).is_dir()
    }

    /// The last checkpoint of a turn: what it says of the run, and its files.
    ///
    /// # Errors
    /// Which file is missing or damaged.
    pub(super) fn read(&self, turn: usize) -> Result<(Saved, Verified), TrainError> {
        let path = self.path.join(CHECKPOINTS[turn]);
        let mut folder = Verified::open(&path, KIND)?;
        let saved = serde_json::from_value(folder.about.take()).map_err(|error| {
            TrainError::Data(format!(
                "`{}` was written by another version of watchnext ({error}): begin anew by `--overwrite`",
                path.display()
            ))
        })?;
        Ok((saved, folder))
    }

    /// Replaces the last checkpoint of a turn; files that it has already are not written again. Returns the bytes of all.
    ///
    /// # Errors
    /// What the file system refused; the last checkpoint is then still there.
    pub(super) fn write(&self, turn: usize, saved: &Saved, files: &Contents) -> Result<u64, TrainError> {
        let path = self.path.join(CHECKPOINTS[turn]);
        let about = serde_json::to_value(saved)
            .map_err(std::io::Error::from)
            .map_err(io(&path))?;
        Ok(sealed::write_after(Some(&path), &path, KIND, about, files)?)
    }

    /// The run is finished, or no longer wanted.
    ///
    /// # Errors
    /// What the file system refused.
    pub(super) fn finish(self) -> Result<(), TrainError> {
        self.clear()
        // Without a checkpoint it is gone with `self`.
    }

    fn clear(&self) -> Result<(), TrainError> {
        for name in CONTENTS {
            let path = self.path.join(name);
            match fs::remove_dir_all(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(io(&path)(error).into());
                }
                _ => {}
            }
        }
        // Last: as long as a checkpoint is there, it tells that the run was finished.
        self.remove_mark()
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if !self.has_checkpoint(0) {
            // Where something else is in it, it stays.
            let _ = fs::remove_file(self.path.join(format!("{ROLE}.lock")));
            let _ = fs::remove_dir(&self.path);
        }
    }
}
