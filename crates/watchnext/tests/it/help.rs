//! `--help`: every command has examples, and each runs as it is printed.
//!
//! Nothing is said twice here: commands and examples are read from what is printed. The files that examples name are there
//! before, as a user would have them: a log with its tables, runs, a store, the folder `examples` of the sources.

mod files;

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Instant;

use serde_json::Value;

use crate::fixture::{LIMIT, run, run_well};
use files::prepared;

/// Where examples serve that name no address.
const DEFAULT: &str = "127.0.0.1:8080";

/// The commands that `watchnext --help` lists.
fn commands() -> Vec<String> {
    let help = run_well(&["--help"]);
    let (_, listed) = help.split_once("Commands:\n").unwrap();
    let (listed, _) = listed.split_once("\n\n").unwrap();
    let names = listed.lines().filter_map(|line| line.split_whitespace().next());
    let names: Vec<String> = names.filter(|name| *name != "help").map(str::to_owned).collect();
    assert!(names.len() >= 12, "{help}");
    names
}

/// The lines of a page that begin with `watchnext `, continued lines put together.
fn examples(page: &str) -> Vec<String> {
    let joined = page.replace("\\\n", " ");
    let lines = joined.lines().map(str::trim);
    lines
        .filter(|line| line.starts_with("watchnext "))
        .map(str::to_owned)
        .collect()
}

/// A line of a shell in which `watchnext` is the built one.
fn shell(folder: &Path, line: &str) -> Command {
    let built = Path::new(env!("CARGO_BIN_EXE_watchnext")).parent().unwrap();
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let paths = [built.to_owned()]
        .into_iter()
        .chain(std::env::split_paths(&paths));
    let mut shell = Command::new("sh");
    shell
        .args(["-ec", line])
        .current_dir(folder)
        .env("PATH", std::env::join_paths(paths).unwrap());
    shell
}

/// A command that does not end by itself; killed when it is no longer needed.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a command that serves and waits until it answers.
fn serving(folder: &Path, line: &str) -> Running {
    let deadline = Instant::now() + LIMIT;
    while TcpListener::bind(DEFAULT).is_err() {
        assert!(
            Instant::now() < deadline,
            "`{line}` is to serve on {DEFAULT}, where something else does"
        );
        std::thread::yield_now();
    }
    let mut running = Running(
        shell(folder, &format!("exec {line} 2>&1"))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap(),
    );
    let printed = BufReader::new(running.0.stdout.take().unwrap());
    let (said, heard) = mpsc::channel();
    // Reads on to the end, so that what is served later finds its pipe open.
    std::thread::spawn(move || {
        for text in printed.lines().map_while(Result::ok) {
            let _ = said.send(text);
        }
    });
    let mut before = Vec::new();
    loop {
        let text = heard
            .recv_timeout(deadline.saturating_duration_since(Instant::now()))
            .unwrap_or_else(|_| panic!("`{line}` never said where it serves: {before:?}"));
        if text.contains(&format!("http://{DEFAULT}")) {
            break;
        }
        before.push(text);
    }
    let answer = ureq::get(format!("http://{DEFAULT}/healthz")).call();
    assert!(answer.is_ok(), "`{line}` does not answer: {answer:?}");
    running
}

/// Whether a line serves until it is ended.
fn serves(line: &str) -> bool {
    let words: Vec<&str> = line.split_whitespace().collect();
    words[1] == "serve" || words[1] == "demo" && !words.contains(&"--once")
}

/// Removes what a line is to make: a user would not have it yet.
fn make_room(folder: &Path, line: &str) {
    let words: Vec<&str> = line.split_whitespace().collect();
    let makes = |option: &str| option == "--out" || option == "--store" && words[1] == "demo";
    for name in words
        .windows(2)
        .filter(|pair| makes(pair[0]))
        .map(|pair| folder.join(pair[1]))
    {
        if name.is_dir() {
            std::fs::remove_dir_all(name).unwrap();
        } else if name.exists() {
            std::fs::remove_file(name).unwrap();
        }
    }
}

/// Runs the examples of a page one after the other, in a folder of their own.
fn run_examples(command: &str, examples: &[String]) {
    let folder = prepared();
    let folder = folder.path();
    let mut background = Vec::new();
    for line in examples {
        make_room(folder, line);
        let foreground = line.split('#').next().unwrap_or_default().trim_end();
        if serves(foreground) {
            let (line, stays) = match foreground.strip_suffix('&') {
                Some(line) => (line, true),
                None => (foreground, false),
            };
            // One at a time has the address.
            background.clear();
            background.push(serving(folder, line));
            if !stays {
                background.clear();
            }
            continue;
        }
        let output = shell(folder, line).output().unwrap();
        assert!(
            output.status.success(),
            "`{command} --help` prints an example that fails:\n{line}\n{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

#[test]
fn every_command_has_an_example_and_every_example_runs_as_it_is_printed() {
    let mut without = Vec::new();
    for command in commands() {
        let found = examples(&run_well(&[&command, "--help"]));
        if !found
            .iter()
            .any(|line| line.starts_with(&format!("watchnext {command}")))
        {
            without.push(command.clone());
        }
        run_examples(&command, &found);
    }
    assert!(without.is_empty(), "no example of its own: {without:?}");
}

/// Makes the training rows behind each point of the position curves as many as a real log has.
fn enlarge(metrics: &Path) {
    let mut report: Value = serde_json::from_slice(&std::fs::read(metrics).unwrap()).unwrap();
    let curves = report["position_curves"].as_array_mut().unwrap().iter_mut();
    for point in curves.flat_map(|curve| curve["points"].as_array_mut().unwrap()) {
        point["rows"] = (100 * point["rows"].as_u64().unwrap()).into();
    }
    std::fs::write(metrics, report.to_string()).unwrap();
}

#[test]
fn the_bounds_that_the_help_of_expect_shows_can_be_read() {
    let page = run_well(&["expect", "--help"]);
    let from = page.find("  [click]\n").unwrap();
    let block: Vec<&str> = page[from..]
        .lines()
        .take_while(|line| line.starts_with("  "))
        .collect();
    let folder = prepared();
    let name = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(name("bounds.toml"), block.join("\n")).unwrap();
    enlarge(&folder.path().join("run/metrics.json"));
    let output = run(&[
        "expect",
        &name("bounds.toml"),
        &name("run"),
        "--against",
        &name("run"),
    ]);
    let printed = String::from_utf8(output.stdout).unwrap();
    // Whether they hold is not of interest here: a bound that cannot be read ends with 2.
    assert!(
        matches!(output.status.code(), Some(0 | 1)),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    for metric in [
        "over logistic regression",
        "over the other runs",
        "position curve",
        "click gauc",
    ] {
        assert!(printed.contains(metric), "{printed}");
    }
}
