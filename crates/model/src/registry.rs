//! The registry: published artifacts of a store, by version.
//!
//! In: a challenger. Out: `models/m-0001` beside the store's databases and the row that lists it. Listing, promotion and
//! rollback are the state's own steps; a service watches them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use events::{ModelRow, State};

use crate::{ModelError, Ranker, artifact};

/// Models of one store.
#[derive(Clone)]
pub struct Registry {
    dir: PathBuf,
    state: Arc<State>,
}

impl Registry {
    /// The registry of the store in `dir`.
    pub fn new(dir: &Path, state: Arc<State>) -> Registry {
        Registry {
            dir: dir.to_path_buf(),
            state,
        }
    }

    /// The next version's name: one past the highest.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn next_version(&self) -> Result<String, ModelError> {
        let highest = self
            .state
            .models()?
            .iter()
            .filter_map(|row| row.version.strip_prefix("m-")?.parse::<u32>().ok())
            .max();
        Ok(format!("m-{:04}", highest.unwrap_or(0) + 1))
    }

    /// Writes `ranker` as `version`, in the place of a folder that a crash left, sharing files that are the same with the version
    /// before, and returns the row by which
    /// [`State::commit_run`] lists it: the artifact is complete before its row exists.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(
        &self,
        version: &str,
        ranker: &Ranker,
        status: &str,
        verdict: serde_json::Value,
        now_ms: i64,
    ) -> Result<ModelRow, ModelError> {
        let path = format!("models/{version}");
        let rows = self.state.models()?;
        let previous = rows
            .iter()
            .rfind(|row| row.version != version)
            .map(|row| self.dir.join(&row.path));
        artifact::write_after(
            previous.as_deref(),
            &self.dir.join(&path),
            ranker,
            &serde_json::json!({ "version": version }),
        )?;
        Ok(ModelRow {
            version: version.to_owned(),
            path,
            created_ms: now_ms,
            status: status.to_owned(),
            verdict,
        })
    }

    /// Reads a version.
    ///
    /// # Errors
    /// When it is not listed, or its artifact is damaged.
    pub fn load(&self, version: &str) -> Result<Ranker, ModelError> {
        let rows = self.state.models()?;
        let row = rows.iter().find(|row| row.version == version).ok_or_else(|| {
            ModelError::Mismatch(format!(
                "no model `{version}` in {}; `GET /v1/models` lists them",
                self.dir.display()
            ))
        })?;
        artifact::read(&self.dir.join(&row.path))
    }

    /// The version in service and its ranker; `None` before the first promotion.
    ///
    /// # Errors
    /// When its artifact is damaged.
    pub fn serving(&self) -> Result<Option<(String, Ranker)>, ModelError> {
        match self.state.serving()? {
            Some(version) => {
                let ranker = self.load(&version)?;
                Ok(Some((version, ranker)))
            }
            None => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{BOTTOMS, ranker_of, spec_with};

    fn registry() -> (tempfile::TempDir, Arc<State>, Registry) {
        let dir = tempfile::tempdir().unwrap();
        let state = Arc::new(State::open(dir.path()).unwrap());
        let registry = Registry::new(dir.path(), Arc::clone(&state));
        (dir, state, registry)
    }

    #[test]
    fn a_published_model_is_loaded_by_its_version_and_serves_once_promoted() {
        let (_dir, state, registry) = registry();
        let spec = spec_with(BOTTOMS[0]);
        assert!(registry.serving().unwrap().is_none());
        for seed in [1, 2] {
            let version = registry.next_version().unwrap();
            assert_eq!(version, format!("m-000{seed}"));
            let verdict = serde_json::json!({ "passed": true });
            let row = registry
                .write(&version, &ranker_of(&spec, seed), "challenger", verdict, 1000)
                .unwrap();
            assert_eq!(
                registry.next_version().unwrap(),
                version,
                "what is written is not listed"
            );
            state.add_model(&row).unwrap();
        }
        assert!(registry.serving().unwrap().is_none(), "listing does not promote");
        assert_eq!(
            registry.load("m-0001").unwrap().weights,
            ranker_of(&spec, 1).weights
        );
        state.promote("m-0002", 2000).unwrap();
        let (version, ranker) = registry.serving().unwrap().unwrap();
        assert_eq!(
            (version.as_str(), ranker.weights),
            ("m-0002", ranker_of(&spec, 2).weights)
        );
    }

    #[test]
    fn a_version_that_was_never_published_is_named_in_the_error() {
        let (_dir, _state, registry) = registry();
        let message = registry.load("m-0007").unwrap_err().to_string();
        assert!(message.starts_with("no model `m-0007`"), "{message}");
    }
}
