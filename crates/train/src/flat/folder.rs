//! The folder of a run: begun hidden beside its place before time is spent, there under its name only when it is whole.

use std::fs;
use std::path::{Path, PathBuf};

use model::{ModelError, Ranker, artifact, sealed};

use super::TrainReport;
use crate::report::html;
use crate::{Logistic, TrainError};

/// The best epoch's checkpoint of each turn, of which one is kept, under the first name.
const CHECKPOINTS: [&str; 2] = ["checkpoint", "checkpoint.2"];

/// A folder that has not got its name yet; removed where it never gets it.
pub(super) struct Fresh {
    path: PathBuf,
    out: PathBuf,
    overwrite: bool,
}

impl Fresh {
    /// Begins the folder that is to be `out` in `place`, from where it can be renamed; else hidden beside `out`.
    ///
    /// # Errors
    /// When `out` exists and is not to be replaced, or nothing can be written beside it.
    pub(super) fn begin(out: &Path, overwrite: bool, place: Option<PathBuf>) -> Result<Fresh, TrainError> {
        sealed::recover(out)?;
        demand_free(out, overwrite)?;
        let name = out.file_name().unwrap_or_default().to_string_lossy();
        let path = place.unwrap_or_else(|| out.with_file_name(format!(".{name}.{}.new", std::process::id())));
        if path.exists() {
            // An earlier process of the same number left it.
            fs::remove_dir_all(&path).map_err(io(&path))?;
        }
        fs::create_dir_all(&path).map_err(io(&path))?;
        Ok(Fresh {
            path,
            out: out.to_path_buf(),
            overwrite,
        })
    }

    /// Where in the folder `result` the checkpoint of the best epoch of turn number `turn` stands, from the end of that epoch on.
    pub(super) fn checkpoint_in(result: &Path, turn: usize) -> PathBuf {
        result.join(CHECKPOINTS[turn])
    }

    /// The same in this folder.
    pub(super) fn checkpoint(&self, turn: usize) -> PathBuf {
        Fresh::checkpoint_in(&self.path, turn)
    }

    /// Gives the checkpoint of turn number `turn` the first one's name, and removes the others.
    ///
    /// # Errors
    /// What the file system refused.
    pub(super) fn choose(&self, turn: usize) -> Result<(), TrainError> {
        let kept = self.checkpoint(turn);
        for other in (0..CHECKPOINTS.len()).filter(|other| *other != turn) {
            let path = self.checkpoint(other);
            if path.exists() {
                fs::remove_dir_all(&path).map_err(io(&path))?;
            }
        }
        if turn > 0 {
            fs::rename(&kept, self.checkpoint(0)).map_err(io(&kept))?;
        }
        Ok(())
    }

    /// Writes the rest of the result, says that it is `whole`, and gives the folder its name, in the place of what was there.
    ///
    /// # Errors
    /// What the file system refused; a folder that came meanwhile and is not to be replaced.
    pub(super) fn keep(
        self,
        ranker: &Ranker,
        logistic: Option<&Logistic>,
        report: &TrainReport,
        whole: impl FnOnce() -> Result<(), TrainError>,
    ) -> Result<(), TrainError> {
        let about = serde_json::json!({ "epoch": report.best_epoch });
        artifact::write(&self.path.join("model"), ranker, &about)?;
        if let Some(logistic) = logistic {
            logistic.write(&self.path.join("baseline"), ranker.spec())?;
        }
        let file = self.path.join("metrics.json");
        let metrics = serde_json::to_vec_pretty(report)
            .map_err(std::io::Error::from)
            .map_err(io(&file))?;
        sealed::write_durably(&file, &metrics)?;
        let page = html(ranker.spec(), report);
        sealed::write_durably(&self.path.join("report.html"), page.as_bytes())?;
        demand_free(&self.out, self.overwrite)?;
        whole()?;
        Ok(sealed::replace(&self.path, &self.out)?)
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        // Gone already where it got its name; what cannot be removed here is removed by nobody.
        let _ = fs::remove_dir_all(&self.path);
    }
}

fn demand_free(out: &Path, overwrite: bool) -> Result<(), TrainError> {
    if out.exists() && !overwrite {
        let out = out.display();
        return Err(TrainError::Data(format!(
            "`{out}` exists; name another `--out` or add `--overwrite`"
        )));
    }
    Ok(())
}

pub(super) fn io(path: &Path) -> impl Fn(std::io::Error) -> ModelError {
    |source| ModelError::Io {
        path: path.to_path_buf(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_fails_leaves_nothing_and_one_that_was_hidden_by_a_crash_is_found_again() {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("run");
        drop(Fresh::begin(&out, false, None).unwrap());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);

        fs::create_dir(dir.path().join(".run.old")).unwrap();
        let refused = Fresh::begin(&out, false, None).err().unwrap().to_string();
        assert!(refused.contains("add `--overwrite`"), "{refused}");
        assert!(out.exists(), "the old run has its name again");
    }

    #[test]
    fn of_two_checkpoints_the_chosen_one_is_left_under_the_first_name() {
        for chosen in [0, 1] {
            let dir = tempfile::tempdir().unwrap();
            let fresh = Fresh::begin(&dir.path().join("run"), false, None).unwrap();
            for turn in [0, 1] {
                fs::create_dir(fresh.checkpoint(turn)).unwrap();
                fs::write(fresh.checkpoint(turn).join("turn"), turn.to_string()).unwrap();
            }
            fresh.choose(chosen).unwrap();
            let left = fs::read_to_string(fresh.path.join("checkpoint/turn")).unwrap();
            assert_eq!(left, chosen.to_string());
            assert_eq!(fs::read_dir(&fresh.path).unwrap().count(), 1);
        }
    }

    #[test]
    fn a_place_that_cannot_be_written_is_refused_before_training() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("file"), "").unwrap();
        assert!(Fresh::begin(&dir.path().join("file/run"), false, None).is_err());
    }

    #[test]
    fn what_was_trained_lies_in_the_folder_with_a_report_to_look_at() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("log.csv");
        let rows = (0..400).map(|row| format!("u{},v,{row},{},{}\n", row % 7, row % 5, row % 3 % 2));
        fs::write(
            &file,
            format!("user,item,time,age,click\n{}", rows.collect::<String>()),
        )
        .unwrap();
        let spec = crate::testing::spec();
        let files = events::FlatOptions {
            data: vec![file],
            users: None,
            items: None,
            batch_rows: 64,
        };
        let parts = crate::Parts::of(&spec, &events::FlatLog::open(&spec, files).unwrap()).unwrap();
        let options = crate::TrainOptions {
            out: dir.path().join("run"),
            overwrite: false,
            baseline: true,
            threads: 1,
            checkpoint_every: None,
            resume: false,
        };
        let report = crate::train(&spec, &parts, &options, &mut crate::Silent).unwrap();
        let mut names: Vec<_> = fs::read_dir(&options.out)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(
            names,
            ["baseline", "checkpoint", "metrics.json", "model", "report.html"]
        );
        let page = fs::read_to_string(options.out.join("report.html")).unwrap();
        assert_eq!(page, html(&spec, &report));
        assert!(page.ends_with("</html>"));
    }
}
