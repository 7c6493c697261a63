//! Writes the reference of the declaration, `docs/declaration.md` and `docs/ranker.schema.json`, into the folder given.
//!
//!     cargo run -p spec --example docs -- docs

use std::path::PathBuf;

fn main() -> std::io::Result<()> {
    let folder = std::env::args_os()
        .nth(1)
        .map_or_else(|| PathBuf::from("docs"), PathBuf::from);
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join("declaration.md"), spec::reference())?;
    std::fs::write(folder.join("ranker.schema.json"), spec::json_schema())
}
