//! Checkpoints: everything a trainer needs to go on as if it had never stopped.
//!
//! A sealed folder: the files of an artifact, `optimizer.safetensors` and `place.json`. Draws are keyed by seed, pass and
//! example, so the random state is the pass. [`Trainer`] writes and reads one without a copy of it in memory; a [`Checkpoint`] is
//! such a copy.

use std::path::Path;

use model::sealed::{self, Contents, Files, Stored, Verified};
use model::{ModelError, Ranker, artifact};

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

/// The files of a checkpoint of `trainer`, to be written from where they lie.
pub(crate) fn contents(trainer: &Trainer) -> Result<Contents<'_>, TrainError> {
    let mut files = artifact::contents(&trainer.ranker)?;
    files.insert(OPTIMIZER.to_owned(), trainer.optimizer.tensors().into());
    let place = Place {
        step: trainer.optimizer.step,
        pass: trainer.pass,
        examples: trainer.examples,
    };
    let place = serde_json::to_vec(&place).map_err(|error| ModelError::Mismatch(error.to_string()))?;
    files.insert(PLACE.to_owned(), place.into());
    Ok(files)
}

/// Writes such files as the folder `path`, whole or not at all.
pub(crate) fn write(path: &Path, files: &Contents) -> Result<u64, TrainError> {
    Ok(sealed::write(path, KIND, serde_json::Value::Null, files)?)
}

/// The ranker of the checkpoint in the folder `path`.
pub(crate) fn ranker(path: &Path) -> Result<Ranker, TrainError> {
    Ok(artifact::from_verified(path, &Verified::open(path, KIND)?)?)
}

/// The trainer of the files of a verified folder, which goes on from there; `path` names it in errors.
pub(crate) fn resume(path: &Path, folder: &Verified) -> Result<Trainer, TrainError> {
    trainer(path, artifact::from_verified(path, folder)?, |name| {
        folder.stored(name)
    })
}

fn trainer<'f>(
    path: &Path,
    mut ranker: Ranker,
    file: impl Fn(&str) -> Option<Stored<'f>>,
) -> Result<Trainer, TrainError> {
    let damaged = |name: &str, message: String| ModelError::Damaged {
        path: path.join(name),
        message,
    };
    let file =
        |name: &str| file(name).ok_or_else(|| damaged(name, "the manifest does not list it".to_owned()));
    let place = file(PLACE)?.bytes(&path.join(PLACE))?;
    let place: Place = serde_json::from_slice(&place).map_err(|error| damaged(PLACE, error.to_string()))?;
    let mut optimizer = Optimizer::new(&mut ranker);
    let optimizer_path = path.join(OPTIMIZER);
    let tensors = file(OPTIMIZER)?.tensors(&optimizer_path)?;
    optimizer.fill(&optimizer_path, &tensors, place.step)?;
    Ok(Trainer::resume(ranker, optimizer, place.pass, place.examples))
}

impl Trainer {
    /// Writes a checkpoint as the folder `path`, whole or not at all. Returns the bytes of its files.
    ///
    /// # Errors
    /// What the file system refused.
    pub fn write(&self, path: &Path) -> Result<u64, TrainError> {
        write(path, &contents(self)?)
    }

    /// The trainer that goes on from the checkpoint in the folder `path`, whose every byte is verified.
    ///
    /// # Errors
    /// Which file is missing, damaged or does not fit.
    pub fn read(path: &Path) -> Result<Trainer, TrainError> {
        resume(path, &Verified::open(path, KIND)?)
    }
}

/// Files of a stopped trainer.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkpoint {
    files: Files,
}

impl Checkpoint {
    /// Takes the state of `trainer`.
    ///
    /// # Errors
    /// When it cannot be serialised.
    pub fn of(trainer: &Trainer) -> Result<Checkpoint, TrainError> {
        let files = sealed::collect(&contents(trainer)?)?;
        Ok(Checkpoint { files })
    }

    /// Writes it as the folder `path`, whole or not at all.
    ///
    /// # Errors
    /// What the file system refused.
    pub fn write(&self, path: &Path) -> Result<(), TrainError> {
        let files = self.files.iter();
        write(
            path,
            &files.map(|(name, bytes)| (name.clone(), bytes.into())).collect(),
        )?;
        Ok(())
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
        let ranker = artifact::from_files(path, &self.files)?;
        trainer(path, ranker, |name| {
            self.files.get(name).map(|bytes| Stored::Bytes(bytes))
        })
    }
}
