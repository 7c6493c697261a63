//! What a run that goes on must have in common with the run that began it: else its result would be neither's.
//!
//! In: a declaration, parts, options. Out: a [`RunInputs`], and of two the first thing that differs, in words.

use events::InputFile;
use model::sealed;
use spec::Spec;

use crate::{Part, Parts, Progress, TrainError};

/// What decides the bits of a run.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub(super) struct RunInputs {
    program: String,
    /// The instructions that compute: others round otherwise.
    instructions: String,
    declaration: String,
    /// Of training, validation and test part.
    rows: [u64; 3],
    batch_rows: usize,
    baseline: bool,
    files: Vec<InputDigest>,
}

/// One file.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
struct InputDigest {
    name: String,
    bytes: u64,
    rows: u64,
    /// blake3 of its bytes.
    digest: String,
}

impl RunInputs {
    /// Those of a run; reads all files.
    ///
    /// # Errors
    /// A file that cannot be read; [`TrainError::Stopped`] between two.
    pub(super) fn of(
        spec: &Spec,
        parts: &Parts,
        baseline: bool,
        progress: &mut dyn Progress,
    ) -> Result<RunInputs, TrainError> {
        let log = parts.training.log();
        let mut inputs = log.inputs().to_vec();
        if parts.test.log().inputs() != inputs {
            inputs.extend_from_slice(parts.test.log().inputs());
        }
        progress.begin("digest files", inputs.iter().map(|input| input.bytes).sum());
        let mut files = Vec::new();
        for InputFile { path, bytes, rows } in inputs {
            if progress.stopped() {
                return Err(TrainError::Stopped);
            }
            let digest = sealed::digest_file(&path)?;
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            progress.advance(bytes);
            files.push(InputDigest {
                name,
                bytes,
                rows,
                digest,
            });
        }
        Ok(RunInputs {
            program: env!("CARGO_PKG_VERSION").to_owned(),
            instructions: nn::Path::best().name().to_owned(),
            declaration: spec.text.clone(),
            rows: [&parts.training, &parts.validation, &parts.test].map(Part::len),
            batch_rows: log.batch_rows(),
            baseline,
            files,
        })
    }

    /// What of `now` differs first, in words: what it was, what it is.
    pub(super) fn difference(&self, now: &RunInputs) -> Option<String> {
        let differs = |what: &str, then: &dyn std::fmt::Display, now: &dyn std::fmt::Display| {
            let (then, now) = (then.to_string(), now.to_string());
            (then != now).then(|| format!("{what} was {then}, is {now}"))
        };
        let baseline = |run: &RunInputs| if run.baseline { "trained" } else { "left out" };
        let rows = |run: &RunInputs| run.rows.map(|rows| rows.to_string()).join(" + ");
        differs("the version of watchnext", &self.program, &now.program)
            .or_else(|| {
                let (then, now) = (&self.instructions, &now.instructions);
                differs("the kind of instructions of the processor", then, now)
            })
            .or_else(|| line_that_differs(&self.declaration, &now.declaration))
            .or_else(|| differs("the number of files", &self.files.len(), &now.files.len()))
            .or_else(|| {
                let mut files = self.files.iter().zip(&now.files);
                files.find_map(|(then, now)| {
                    let of = |what: &str| format!("{what} `{}`", then.name);
                    differs("the name of a file", &then.name, &now.name)
                        .or_else(|| differs(&of("the size of"), &then.bytes, &now.bytes))
                        .or_else(|| differs(&of("the number of rows of"), &then.rows, &now.rows))
                        .or_else(|| differs(&of("the digest of"), &then.digest, &now.digest))
                })
            })
            .or_else(|| differs("rows to train + validate + test", &rows(self), &rows(now)))
            .or_else(|| differs("the logistic regression", &baseline(self), &baseline(now)))
            .or_else(|| differs("the rows read at a time", &self.batch_rows, &now.batch_rows))
    }
}

/// The first line that two declarations do not have in common.
fn line_that_differs(then: &str, now: &str) -> Option<String> {
    if then == now {
        return None;
    }
    let [mut before, mut after] = [then, now].map(str::lines);
    for line in 1.. {
        let (then, now) = (before.next(), after.next());
        if then.is_none() && now.is_none() {
            break;
        }
        if then != now {
            let shown = |line: Option<&str>| line.map_or("no line".to_owned(), |line| format!("`{line}`"));
            let (then, now) = (shown(then), shown(now));
            return Some(format!("line {line} of the declaration was {then}, is {now}"));
        }
    }
    Some("the line breaks of the declaration are others".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    type Change = fn(&mut RunInputs);

    fn inputs() -> RunInputs {
        RunInputs {
            program: "0.1.0".to_owned(),
            instructions: "avx512".to_owned(),
            declaration: "[train]\nepochs = 3\n".to_owned(),
            rows: [70, 10, 20],
            batch_rows: 8192,
            baseline: true,
            files: vec![InputDigest {
                name: "log.csv".to_owned(),
                bytes: 100,
                rows: 100,
                digest: "ab".to_owned(),
            }],
        }
    }

    #[test]
    fn it_says_what_differs() {
        let changes: [(Change, &str); 11] = [
            (|_| {}, ""),
            (
                |now| now.program = "0.2.0".to_owned(),
                "the version of watchnext was 0.1.0, is 0.2.0",
            ),
            (
                |now| now.instructions = "avx2".to_owned(),
                "the kind of instructions of the processor was avx512, is avx2",
            ),
            (
                |now| now.declaration = "[train]\nepochs = 4\n".to_owned(),
                "line 2 of the declaration was `epochs = 3`, is `epochs = 4`",
            ),
            (
                |now| now.declaration.push_str("seed = 1"),
                "line 3 of the declaration was no line, is `seed = 1`",
            ),
            (
                |now| now.rows = [71, 9, 20],
                "rows to train + validate + test was 70 + 10 + 20, is 71 + 9 + 20",
            ),
            (
                |now| now.baseline = false,
                "the logistic regression was trained, is left out",
            ),
            (
                |now| now.files[0].name = "b.csv".to_owned(),
                "the name of a file was log.csv, is b.csv",
            ),
            (
                |now| now.files[0].rows = 99,
                "the number of rows of `log.csv` was 100, is 99",
            ),
            (
                |now| now.files[0].digest = "cd".to_owned(),
                "the digest of `log.csv` was ab, is cd",
            ),
            (|now| now.files.clear(), "the number of files was 1, is 0"),
        ];
        for (change, expected) in changes {
            let mut now = inputs();
            change(&mut now);
            assert_eq!(inputs().difference(&now).unwrap_or_default(), expected);
        }
    }
}
