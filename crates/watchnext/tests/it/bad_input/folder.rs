//! Folders that are not what a command needs: damaged, no store, no run, or somebody's own.

use std::net::TcpListener;
use std::path::Path;

use super::{contents, is_refused, refuses, training_is_refused};
use crate::fixture::{Feed, Serving, run, watchnext};

#[test]
fn a_folder_that_exists_is_not_written_over_unless_asked() {
    let feed = Feed::new();
    std::fs::create_dir(feed.path("run")).unwrap();
    std::fs::write(feed.path("run/thesis.txt"), "years of work").unwrap();
    training_is_refused(&feed, &[&feed.text("run"), "exists", "`--overwrite`"]);
}

#[test]
fn overwriting_deletes_nothing_that_train_did_not_write() {
    let feed = Feed::new();
    std::fs::create_dir(feed.path("sub")).unwrap();
    std::fs::write(feed.path("thesis.txt"), "years of work").unwrap();
    std::fs::write(feed.path("sub/notes.txt"), "months of work").unwrap();
    let [ranker, log] = ["ranker.toml", "log.parquet"].map(|name| feed.text(name));
    let everything = feed.dir.path().display().to_string();
    let above = feed.text("sub/..");
    let before = contents(feed.dir.path());
    for out in [
        everything.as_str(),
        above.as_str(),
        &feed.text("thesis.txt"),
        ".",
        "..",
    ] {
        let arguments = ["train", &ranker, "--data", &log, "--overwrite", "--out", out];
        let output = watchnext()
            .args(arguments)
            .current_dir(feed.path("sub"))
            .output()
            .unwrap();
        is_refused(&output, &[&format!("`--out {out}`")]);
        assert!(contents(feed.dir.path()) == before, "{out}");
    }
    let below_a_file = feed.text("thesis.txt/run");
    refuses(
        &feed,
        &["train", &ranker, "--data", &log, "--out", &below_a_file],
        &[&below_a_file, "below a file"],
    );
}

#[test]
fn what_is_no_store_is_refused_and_not_made_into_one() {
    let feed = Feed::new();
    for command in ["learn", "verify"] {
        for folder in ["nowhere", ""] {
            let store = feed.text(folder);
            refuses(&feed, &[command, "--store", &store], &[&store, "store"]);
        }
    }
}

/// One flipped bit in the middle of a file.
fn flip(file: &Path) {
    let mut bytes = std::fs::read(file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(file, bytes).unwrap();
}

/// For each file of `folder`: flips a bit of it, runs `then` with the file's path, and flips it back.
fn each_flipped(folder: &Path, mut then: impl FnMut(&str)) {
    let files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert!(files.len() >= 4, "{files:?}");
    for file in files {
        flip(&file);
        then(&file.display().to_string());
        flip(&file);
    }
}

#[test]
fn a_flipped_bit_in_any_file_of_a_run_keeps_it_from_being_served_and_names_the_file() {
    let feed = Feed::new();
    assert!(feed.train("run", &[]).status.success());
    // An address in use: what is not refused for its damage ends too, with exit code 1.
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (model, store) = (feed.text("run"), feed.text("store"));
    for folder in ["run/model", "run/checkpoint"] {
        each_flipped(&feed.path(folder), |file| {
            let arguments = [
                "serve", "--model", &model, "--store", &store, "--listen", &address,
            ];
            refuses(
                &feed,
                &arguments,
                &[&format!("`{file}` is damaged"), "train again"],
            );
        });
    }
    assert!(!feed.path("store").exists());
}

#[test]
fn a_flipped_bit_in_any_file_of_a_stores_checkpoint_or_live_model_is_refused_and_names_the_file() {
    let feed = Feed::new();
    feed.serve(&[]).kill();
    let store = feed.text("store");
    each_flipped(&feed.path("store/checkpoints/initial"), |file| {
        is_refused(
            &run(&["learn", "--store", &store]),
            &[&format!("`{file}` is damaged")],
        );
    });
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    each_flipped(&feed.path("store/models/m-0001"), |file| {
        is_refused(
            &run(&["serve", "--store", &store, "--listen", &address]),
            &[&format!("`{file}` is damaged")],
        );
    });
    // Whole again, it serves.
    drop(taken);
    let serving = Serving::start(&["serve", "--store", &store, "--listen", "127.0.0.1:0"]);
    assert_eq!(serving.get("/v1/models").1["serving"], "m-0001");
}

#[test]
fn what_train_did_not_write_is_not_served_and_no_store_is_made() {
    let feed = Feed::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let store = feed.text("store");
    for folder in ["nowhere", ""] {
        let model = feed.text(folder);
        let arguments = [
            "serve", "--model", &model, "--store", &store, "--listen", &address,
        ];
        refuses(
            &feed,
            &arguments,
            &[&format!("`{model}` has no `model`"), "`watchnext train --out`"],
        );
    }
}
