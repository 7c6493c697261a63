//! Checkpoints: everything a trainer needs to go on as if it had never stopped.
//!
//! A sealed folder: the files of an artifact, `optimizer.safetensors` and `place.json`. Draws are keyed by seed, pass and
//! example, so the random state is the pass.

use std::path::Path;

use model::{ModelError, artifact, sealed};

use crate::{Optimizer, TrainError, Trainer};

const KIND: &str = "checkpoint";
const OPTIMIZER: &str = "optimizer.safetensors";
const PLACE: &str = "place.json";

#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
struct Place {
    step: u64,
    pass: u64,
    examples: u64,
}

/// Files of a stopped trainer.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkpoint {
    files: sealed::Files,
}

impl Checkpoint {
    /// Takes the state of `trainer`.
    ///
    /// # Errors
    /// When it cannot be serialised.
    pub fn of(trainer: &Trainer) -> Result<Checkpoint, TrainError> {
        let mut files = artifact::to_files(&trainer.ranker)?;
        files.insert(OPTIMIZER.to_owned(), trainer.optimizer.to_bytes()?);
        let place = Place {
            step: trainer.optimizer.step,
            pass: trainer.pass,
            examples: trainer.examples,
        };
        let place = serde_json::to_vec(&place).map_err(|error| ModelError::Mismatch(error.to_string()))?;
        files.insert(PLACE.to_owned(), place);
        Ok(Checkpoint { files })
    }

    /// A checkpoint of files that were kept elsewhere.
    pub(crate) fn of_files(files: sealed::Files) -> Checkpoint {
        Checkpoint { files }
    }

    /// Its files by name.
    pub(crate) fn files(&self) -> &sealed::Files {
        &self.files
    }

    /// The same, taken out.
    pub(crate) fn into_files(self) -> sealed::Files {
        self.files
    }

    /// Writes it as the folder `path`, whole or not at all.
    ///
    /// # Errors
    /// What the file system refused.
    pub fn write(&self, path: &Path) -> Result<(), TrainError> {
        Ok(sealed::write(path, KIND, serde_json::Value::Null, &self.files)?)
    }

    /// Reads a folder, verifying every byte.
    ///
    /// # Errors
    /// Which file is missing or damaged.
    pub fn read(path: &Path) -> Result<Checkpoint, TrainError> {
        let (_, files) = sealed::read(path, KIND)?;
        Ok(Checkpoint { files })
    }

    /// The trainer that goes on from here; `path` names the checkpoint in errors.
    ///
    /// # Errors
    /// What does not fit.
    pub fn resume(&self, path: &Path) -> Result<Trainer, TrainError> {
        let mut ranker = artifact::from_files(path, &self.files)?;
        let file = |name: &str| {
            let missing = || ModelError::Damaged {
                path: path.join(name),
                message: "the manifest does not list it".to_owned(),
            };
            self.files.get(name).ok_or_else(missing)
        };
        let place: Place = serde_json::from_slice(file(PLACE)?).map_err(|error| ModelError::Damaged {
            path: path.join(PLACE),
            message: error.to_string(),
        })?;
        let mut optimizer = Optimizer::new(&mut ranker);
        optimizer.fill(&path.join(OPTIMIZER), file(OPTIMIZER)?, place.step)?;
        Ok(Trainer::resume(ranker, optimizer, place.pass, place.examples))
    }
}
