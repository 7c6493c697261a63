//! One file a command: its arguments and what it does.

pub(crate) mod bench;
pub(crate) mod check;
pub(crate) mod debias;
pub(crate) mod demo;
pub(crate) mod evaluate;
pub(crate) mod expect;
pub(crate) mod files;
pub(crate) mod fit_budget;
pub(crate) mod init;
pub(crate) mod learn;
pub(crate) mod policy;
pub(crate) mod schema;
pub(crate) mod score;
pub(crate) mod send;
pub(crate) mod serve;
pub(crate) mod train;
pub(crate) mod verify;

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use spec::Spec;

use crate::failure::Usage;

/// Reads and checks a declaration.
pub(crate) fn read_spec(path: &Path) -> anyhow::Result<Arc<Spec>> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Usage(format!("the declaration `{}`: {error}", path.display())))?;
    let spec = Spec::parse(&path.display().to_string(), &text)
        .with_context(|| format!("{} is no valid declaration", path.display()))?;
    Ok(Arc::new(spec))
}

/// Demands that `store` is the folder of a store: commands that read one must not make one where a name is mistyped.
pub(crate) fn demand_store(store: &Path) -> anyhow::Result<()> {
    if store.join("state.sqlite").is_file() {
        return Ok(());
    }
    let store = store.display();
    Err(Usage(format!(
        "`{store}` is no store: it has no `state.sqlite`; name the folder that `watchnext serve --store` made"
    ))
    .into())
}

/// The machine's time, where a command hands it on.
pub(crate) fn now_ms() -> i64 {
    use events::Clock;
    events::SystemClock.now_ms()
}
