//! What the README says is true: its declaration parses, its two commands are the ones that are checked.

use spec::Spec;

const README: &str = include_str!("../../../../README.md");
const CHECK: &str = include_str!("../../../../.ci/run");

/// The README's indented block that begins with `first`, without its indent.
fn block(first: &str) -> String {
    let from = README.find(&format!("    {first}")).unwrap();
    let lines = README[from..].lines();
    lines
        .take_while(|line| line.is_empty() || line.starts_with("    "))
        .map(|line| line.strip_prefix("    ").unwrap_or(line))
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn the_declaration_in_the_readme_is_valid() {
    let spec = Spec::parse("README.md", &block("[keys]")).unwrap();
    let objectives: Vec<_> = spec
        .objectives
        .iter()
        .map(|objective| objective.name.as_str())
        .collect();
    assert_eq!(objectives, ["click", "watch", "like"]);
}

#[test]
fn the_commands_of_the_readme_are_the_ones_that_the_projects_check_runs() {
    for command in [
        "cargo run --release -- demo --once",
        "cargo test --workspace --release",
    ] {
        assert!(README.contains(command) && CHECK.contains(command), "{command}");
    }
}
