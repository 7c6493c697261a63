//! The crates are fences: which may import which is part of the design.

use std::collections::BTreeSet;

/// Each crate and what of the workspace it may import.
const ALLOWED: [(&str, &[&str]); 11] = [
    ("spec", &[]),
    ("nn", &[]),
    ("measure", &[]),
    ("draw", &[]),
    ("events", &["spec"]),
    ("propose", &["spec", "measure", "events"]),
    ("model", &["spec", "nn", "events"]),
    ("train", &["spec", "nn", "measure", "draw", "events", "model"]),
    ("serve", &["spec", "measure", "draw", "events", "model"]),
    ("world", &["events"]),
    (
        "watchnext",
        &[
            "spec", "nn", "measure", "draw", "events", "model", "train", "serve", "world", "propose",
        ],
    ),
];

#[test]
fn every_crate_imports_only_what_the_design_allows() {
    let crates = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let listed: BTreeSet<String> = std::fs::read_dir(crates)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let known: BTreeSet<String> = ALLOWED.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(
        listed, known,
        "a room was added or removed without a place in the design"
    );

    for (name, allowed) in ALLOWED {
        let manifest: toml_edit::DocumentMut = std::fs::read_to_string(crates.join(name).join("Cargo.toml"))
            .unwrap()
            .parse()
            .unwrap();
        let dependencies = manifest["dependencies"].as_table().into_iter().flatten();
        for (dependency, _) in dependencies.filter(|(dependency, _)| known.contains(*dependency)) {
            assert!(
                allowed.contains(&dependency),
                "`{name}` imports `{dependency}`, which the design forbids"
            );
        }
    }
}
