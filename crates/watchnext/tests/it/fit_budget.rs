//! `watchnext fit-budget`: declarations of every architecture at one budget.

use std::path::Path;

use serde_json::Value;

use crate::fixture::{run, run_well};

const KUAIRAND: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/kuairand/ranker.toml");

fn cost_of(declaration: &Path) -> Value {
    let report = run_well(&["check", &declaration.display().to_string(), "--json"]);
    serde_json::from_str::<Value>(&report).unwrap()["cost"].clone()
}

#[test]
fn every_declaration_that_it_writes_costs_the_budget_and_is_otherwise_as_declared() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("fitted").display().to_string();
    let arguments = [
        "fit-budget",
        KUAIRAND,
        "--multiplications",
        "3.7M",
        "--out",
        &out,
        "--json",
    ];
    let report: Value = serde_json::from_str(&run_well(&arguments)).unwrap();
    let networks = report["networks"].as_array().unwrap();
    assert_eq!(networks.len(), 7);
    let declared = spec::Spec::parse("ranker.toml", &std::fs::read_to_string(KUAIRAND).unwrap()).unwrap();
    for network in networks {
        let path = Path::new(&out).join(format!("{}.toml", network["architecture"].as_str().unwrap()));
        let cost = cost_of(&path);
        assert_eq!(cost, network["cost"], "{}", path.display());
        let multiplications = cost["multiplications"].as_f64().unwrap();
        assert!(
            (multiplications / 3.7e6 - 1.0).abs() <= 0.01,
            "{}",
            path.display()
        );
        let written = spec::Spec::parse("ranker.toml", &std::fs::read_to_string(&path).unwrap()).unwrap();
        assert_eq!(written.model.architecture.word(), network["architecture"]);
        assert_eq!(
            (written.fields, written.objectives, written.bias, written.train),
            (
                declared.fields.clone(),
                declared.objectives.clone(),
                declared.bias.clone(),
                declared.train.clone()
            )
        );
    }
}

#[test]
fn a_declaration_that_is_there_and_an_unknown_architecture_or_budget_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().display().to_string();
    let fit = |arguments: &[&str]| run(&[&["fit-budget", KUAIRAND, "--out", &out], arguments].concat());
    let good = ["--multiplications", "500k", "--architecture", "ple"];
    assert!(fit(&good).status.success());
    let before = std::fs::read(folder.path().join("ple.toml")).unwrap();
    let again = fit(&["--multiplications", "900k", "--architecture", "ple"]);
    assert_eq!(again.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&again.stderr).contains("--overwrite"));
    assert_eq!(std::fs::read(folder.path().join("ple.toml")).unwrap(), before);
    assert!(fit(&[&good[..], &["--overwrite"]].concat()).status.success());
    for (arguments, said) in [
        (
            ["--multiplications", "many", "--architecture", "ple"],
            "as 430000, 430k, 3.7M or 1G",
        ),
        (
            ["--multiplications", "1M", "--architecture", "snr"],
            "snr-trans, snr-aver",
        ),
    ] {
        let refused = fit(&arguments);
        assert_eq!(refused.status.code(), Some(2));
        assert!(
            String::from_utf8_lossy(&refused.stderr).contains(said),
            "{refused:?}"
        );
    }
}
