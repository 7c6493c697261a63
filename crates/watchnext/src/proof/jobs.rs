//! Many independent pieces of work, on all cores, kept as they come: what was stopped goes on where it stopped.
//!
//! In: named jobs, a folder. Out: their results in the order of the jobs. A result is a file of the folder, written whole; a job
//! whose file is there is not done again.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use anyhow::Context;
use serde::Serialize;
use serde::de::DeserializeOwned;
use train::{Progress, TrainError};

/// How often to look whether the user wants to stop, while the workers are busy.
const LOOK: Duration = Duration::from_millis(100);

/// Whether a job is to end early, as the user asked.
pub(crate) type Stopped<'a> = &'a (dyn Fn() -> bool + Sync);

/// Does `jobs` on so many threads. `name` names a job's file; `work` does it.
pub(super) fn all<J: Sync, R: Serialize + DeserializeOwned + Send>(
    stage: &str,
    jobs: &[J],
    folder: &Path,
    threads: usize,
    progress: &mut dyn Progress,
    name: impl Fn(&J) -> String + Sync,
    work: impl Fn(&J, Stopped) -> anyhow::Result<R> + Sync,
) -> anyhow::Result<Vec<R>> {
    std::fs::create_dir_all(folder).with_context(|| format!("creating {}", folder.display()))?;
    progress.begin(stage, jobs.len() as u64);
    let mut results: Vec<Option<R>> = jobs.iter().map(|_| None).collect();
    let (next, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
    let stopped = || stop.load(Ordering::Relaxed);
    let one = |at: usize| -> anyhow::Result<R> {
        let file = folder.join(format!("{}.json", name(&jobs[at])));
        if let Ok(text) = std::fs::read(&file) {
            return serde_json::from_slice(&text)
                .with_context(|| format!("{}: not a result of this build; remove it", file.display()));
        }
        let result = work(&jobs[at], &stopped).with_context(|| name(&jobs[at]))?;
        let unfinished = file.with_extension("unfinished");
        model::sealed::write_durably(&unfinished, &serde_json::to_vec(&result)?)?;
        std::fs::rename(&unfinished, &file).with_context(|| format!("naming {}", file.display()))?;
        Ok(result)
    };
    let mut failure = None;
    std::thread::scope(|scope| {
        let (sender, receiver) = channel();
        for _ in 0..threads.clamp(1, jobs.len().max(1)) {
            let (sender, next, one, stopped) = (sender.clone(), &next, &one, &stopped);
            scope.spawn(move || {
                while !stopped() {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    if at >= jobs.len() || sender.send((at, one(at))).is_err() {
                        break;
                    }
                }
            });
        }
        drop(sender);
        loop {
            match receiver.recv_timeout(LOOK) {
                Ok((at, Ok(result))) => {
                    results[at] = Some(result);
                    progress.advance(1);
                }
                Ok((_, Err(error))) => {
                    failure.get_or_insert(error);
                    stop.store(true, Ordering::Relaxed);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if progress.stopped() {
                stop.store(true, Ordering::Relaxed);
            }
        }
    });
    if progress.stopped() {
        return Err(TrainError::Stopped.into());
    }
    if let Some(error) = failure {
        return Err(error);
    }
    results
        .into_iter()
        .map(|result| result.context("a piece of the work left no result"))
        .collect()
}
