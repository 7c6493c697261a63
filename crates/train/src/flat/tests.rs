//! Runs that are stopped anywhere and go on from their last checkpoint.

mod site;

use std::fs;
use std::path::Path;

use model::Ranker;
use site::{Listener, Site, files};

use super::*;
use crate::{Progress, Silent};

#[test]
fn a_run_stopped_again_and_again_comes_to_the_bytes_of_one_that_never_was() {
    for (cache, every) in [("1GiB", 34), ("0", 13), ("1kB", 31), ("auto", 70)] {
        let site = match cache {
            "auto" => Site::auto(),
            cache => Site::new(&format!("cache = \"{cache}\"")),
        };
        let unbroken = site.unbroken();
        assert!(
            unbroken.keys().any(|name| name.ends_with("metrics.json")),
            "{:?}",
            unbroken.keys()
        );
        let mut options = site.options("run");
        // Only those written where it was stopped.
        options.checkpoint_every = Some(CheckpointEvery::Examples(u64::MAX));
        let mut stops = 0;
        loop {
            // The first pass is to find the scalers: without it there is nothing to go on from.
            let enough = if options.resume { every } else { every + 30 };
            match site.train(&options, &mut Listener::stopping_after(enough)) {
                Ok(_) => break,
                Err(TrainError::Interrupted(path)) => assert_eq!(path, Unfinished::beside(&options.out)),
                Err(error) => panic!("{error}"),
            }
            stops += 1;
            assert!(stops < 1000, "it does not get on");
            options.resume = true;
        }
        assert!(stops > 0, "{every}: {stops}");
        let run = files(&options.out);
        for (name, bytes) in &unbroken {
            assert!(
                run.get(name) == Some(bytes),
                "{name} differs, cache {cache}, {every}"
            );
        }
        assert_eq!(run.len(), unbroken.len());
        assert_eq!(site.names(), ["log.jsonl", "run", "unbroken"], "nothing is left");
    }
}

#[test]
fn a_run_that_dies_goes_on_from_any_checkpoint_that_it_wrote() {
    let site = Site::new("");
    let unbroken = site.unbroken();
    let mut options = site.options("run");
    options.checkpoint_every = Some(CheckpointEvery::Examples(64));
    // What a run that was killed behind each checkpoint leaves: the folder as it was then.
    let unfinished = Unfinished::beside(&options.out);
    let kept = site.dir.path().join("kept");
    struct Copying<'a>(usize, &'a Path, &'a Path);
    impl Progress for Copying<'_> {
        fn begin(&mut self, _: &str, _: u64) {}
        fn advance(&mut self, _: u64) {}
        fn note(&mut self, line: &str) {
            if line.starts_with("checkpoint") {
                let to = self.2.join(self.0.to_string());
                fs::create_dir_all(&to).unwrap();
                for entry in fs::read_dir(self.1.join("checkpoint")).unwrap() {
                    let entry = entry.unwrap();
                    fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
                }
                self.0 += 1;
            }
        }
    }
    let mut copying = Copying(0, &unfinished, &kept);
    let report = site.train(&options, &mut copying).unwrap();
    let clicks = report
        .position_curves
        .iter()
        .filter(|curve| curve.objective == "click");
    let rows: u64 = clicks
        .flat_map(|curve| &curve.points)
        .map(|point| point.rows)
        .sum();
    assert_eq!(rows, report.rows[0], "each row's position counts once");
    assert!(
        files(&options.out) == unbroken,
        "writing checkpoints changes nothing"
    );
    let checkpoints = copying.0;
    assert!(checkpoints > 15, "{checkpoints}");
    for checkpoint in (0..checkpoints).step_by(3) {
        fs::remove_dir_all(&options.out).unwrap();
        fs::create_dir(&unfinished).unwrap();
        // Where it died between the two renames that replace a checkpoint, the last one is hidden.
        let name = ["checkpoint", ".checkpoint.old"][checkpoint / 3 % 2];
        fs::rename(kept.join(checkpoint.to_string()), unfinished.join(name)).unwrap();
        let resumed = TrainOptions {
            resume: true,
            threads: 1 + checkpoint / 3 % 2,
            checkpoint_every: Some(CheckpointEvery::Examples(u64::MAX)),
            ..options.clone()
        };
        site.train(&resumed, &mut Silent).unwrap();
        assert!(files(&options.out) == unbroken, "from checkpoint {checkpoint}");
    }
}

#[test]
fn of_two_forms_the_one_that_held_out_labels_are_likelier_under_is_kept_and_named() {
    let site = Site::auto();
    let options = site.options("run");
    let mut listener = Listener::stopping_after(u64::MAX);
    let report = site.train(&options, &mut listener).unwrap();
    let choice = report.form.clone().unwrap();
    assert!(choice.nats_per_1000 >= 0.0, "{choice:?}");
    let mut words = [choice.form.as_str(), choice.other.as_str()];
    words.sort_unstable();
    assert_eq!(words, ["additive", "product"]);
    let said = choice.to_string();
    assert!(listener.notes().contains(&said), "{:?}", listener.notes());
    // The model is the one of the declaration that names the form.
    let ranker = model::artifact::read(&options.out.join("model")).unwrap();
    let text = ranker.spec().text.clone();
    assert!(text.contains(&format!("form = \"{}\"", choice.form)), "{text}");
    demand_checkpoint_of_the_model(&options.out);
    assert_eq!(fs::read_dir(&options.out).unwrap().count(), 5, "one checkpoint");
    let page = fs::read_to_string(options.out.join("report.html")).unwrap();
    assert!(page.contains(&said));
    let curves = &report.position_curves;
    assert!(
        !curves.is_empty()
            && curves
                .iter()
                .all(|curve| curve.product == (choice.form == "product"))
    );
    let of = |form: &str| -> f64 {
        let site = Site::named(form);
        let report = site.train(&site.options("alone"), &mut Silent).unwrap();
        let best = &report.epochs[report.best_epoch - 1].validation;
        best.objectives[0].loss.unwrap()
    };
    let gain = 1000.0 * (of(&choice.other) - of(&choice.form));
    assert!((gain - choice.nats_per_1000).abs() < 1e-9, "{gain} {choice:?}");
}

#[test]
fn a_curve_that_still_moves_is_said_to() {
    let said = |scale: &str| {
        let site = Site::with_scale(scale);
        let report = site.train(&site.options("run"), &mut Silent).unwrap();
        assert!(report.epochs.iter().all(|epoch| epoch.curve_turned.is_some()));
        report
            .warnings
            .iter()
            .any(|warning| warning.contains("still moving"))
    };
    assert!(said("10"), "a few steps teach no curve");
    assert!(!said("1e-4"), "one that hardly began to move is not noticed");
}

#[test]
fn a_curve_that_turns_one_way_has_to_go_on_and_one_that_jitters_has_not() {
    let close = |turned: &[f64], expected: f64| {
        let found = to_come(turned).unwrap();
        assert!((found - expected).abs() < 1e-9, "{turned:?}: {found}");
    };
    assert_eq!(to_come(&[]), None);
    close(&[-0.3], 0.3);
    close(&[-0.3, 0.1], 0.1);
    close(&[-9.0, -0.4, -0.2, -0.1], 0.1);
    close(&[-0.1, 0.1, -0.1], 0.0);
    // Slow as it is, it does not slow down.
    close(&[0.01, 0.01, 0.01], 0.19);
    close(&[0.0, 0.0, 0.0], 0.0);
}

#[test]
fn the_model_is_the_best_epoch_s_whatever_was_learned_after_it() {
    let site = Site::new("table_learning_rate = 1.0\npatience = 3");
    let options = site.options("run");
    let report = site.train(&options, &mut Silent).unwrap();
    assert!(
        report.best_epoch < report.epochs.len(),
        "{}: the last is the best",
        report.best_epoch
    );
    demand_checkpoint_of_the_model(&options.out);
}

fn demand_checkpoint_of_the_model(out: &Path) {
    let best = checkpoint::ranker(&out.join("checkpoint")).unwrap();
    let model = model::artifact::read(&out.join("model")).unwrap();
    let files = |ranker: &Ranker| model::artifact::published_files(ranker).unwrap();
    assert!(files(&best) == files(&model));
}

#[test]
fn checkpoints_are_written_by_the_clock_or_by_examples() {
    let site = Site::new("cache = \"0\"");
    let one = |every: CheckpointEvery, out: &str| {
        let options = TrainOptions {
            checkpoint_every: Some(every),
            ..site.options(out)
        };
        let mut listener = Listener::stopping_after(u64::MAX);
        site.train(&options, &mut listener).unwrap();
        listener.checkpoints()
    };
    let (seconds, rows) = (Duration::from_secs, CheckpointEvery::Examples);
    assert_eq!(one(CheckpointEvery::Time(seconds(1 << 40)), "never"), 1);
    // The first, then three in each of four epochs of 350 examples: a batch of 32 ends each.
    assert_eq!(one(rows(100), "rows"), 1 + 4 * 3);
    // By the clock, which goes on while the validation part is judged.
    let by_time = one(CheckpointEvery::Time(seconds(100)), "time");
    assert!((1 + 4 * 3..=1 + 4 * 4).contains(&by_time), "{by_time}");
}

#[test]
fn an_unfinished_run_is_neither_lost_nor_gone_on_from_by_chance() {
    let site = Site::new("");
    let mut options = site.options("run");
    let refused = |options: &TrainOptions| {
        let error = site.train(options, &mut Silent).unwrap_err();
        assert!(error.is_bad_input(), "{error}");
        error.to_string()
    };
    options.resume = true;
    assert!(refused(&options).contains("leave `--resume` out"));
    assert_eq!(site.names(), ["log.jsonl"], "nothing is made");

    options.resume = false;
    options.checkpoint_every = Some(CheckpointEvery::Examples(64));
    let stopped = site
        .train(&options, &mut Listener::stopping_after(60))
        .unwrap_err();
    assert!(stopped.to_string().contains("go on with `--resume`"), "{stopped}");
    for every in [None, options.checkpoint_every] {
        options.checkpoint_every = every;
        let message = refused(&options);
        assert!(
            message.contains("`--resume`") && message.contains("`--overwrite`"),
            "{message}"
        );
    }
    // One that is at work is left alone.
    let held = Unfinished::again(&options.out).unwrap();
    let busy = site.train(&options, &mut Silent).unwrap_err().to_string();
    assert!(busy.contains("another trainer is at work here"), "{busy}");
    drop(held);

    let other = TrainOptions {
        baseline: false,
        resume: true,
        ..options.clone()
    };
    assert!(refused(&other).contains("the logistic regression was trained, is left out"));
    assert_eq!(site.names(), ["log.jsonl", "run.unfinished"]);

    options.overwrite = true;
    site.train(&options, &mut Silent).unwrap();
    assert_eq!(site.names(), ["log.jsonl", "run"]);
}

#[test]
fn a_run_that_died_as_its_result_had_its_name_is_finished() {
    let site = Site::new("");
    let options = TrainOptions {
        checkpoint_every: Some(CheckpointEvery::Examples(64)),
        ..site.options("run")
    };
    let unfinished = Unfinished::beside(&options.out);
    let resumed = TrainOptions {
        resume: true,
        ..options.clone()
    };
    // A checkpoint, and what the last steps leave where they are cut short: the mark, with and without the result's own folder.
    let died = |result: bool| {
        let error = site
            .train(&options, &mut Listener::stopping_after(60))
            .unwrap_err();
        assert!(matches!(error, TrainError::Interrupted(_)), "{error}");
        fs::write(unfinished.join("named"), "").unwrap();
        if result {
            fs::create_dir(unfinished.join("result")).unwrap();
        }
    };
    died(true);
    site.train(&resumed, &mut Silent).unwrap();
    let files_of_run = files(&options.out);
    assert_eq!(site.names(), ["log.jsonl", "run"]);

    let again = TrainOptions {
        overwrite: true,
        ..options.clone()
    };
    for resume in [true, false] {
        fs::remove_dir_all(&options.out).unwrap();
        died(false);
        fs::create_dir(&options.out).unwrap();
        let refused = |options: &TrainOptions| site.train(options, &mut Silent).unwrap_err().to_string();
        if resume {
            let message = refused(&resumed);
            assert!(message.contains("is finished, its result is"), "{message}");
        } else {
            let message = refused(&options);
            assert!(
                message.contains("exists; name another `--out` or add `--overwrite`"),
                "{message}"
            );
        }
        assert_eq!(site.names(), ["log.jsonl", "run"], "what was left is deleted");
        site.train(&again, &mut Silent).unwrap();
        assert!(files(&options.out) == files_of_run);
    }
}

#[test]
fn a_run_that_fails_before_its_first_checkpoint_leaves_nothing() {
    let site = Site::new("");
    let options = TrainOptions {
        checkpoint_every: Some(CheckpointEvery::Examples(64)),
        ..site.options("run")
    };
    let stopped = site
        .train(&options, &mut Listener::stopping_after(3))
        .unwrap_err();
    assert!(matches!(stopped, TrainError::Stopped), "{stopped}");
    assert_eq!(site.names(), ["log.jsonl"]);
    // A crash there leaves a folder with the lock's file and no checkpoint.
    let unfinished = Unfinished::beside(&options.out);
    fs::create_dir_all(unfinished.join(".checkpoint.new")).unwrap();
    fs::write(unfinished.join("trainer.lock"), "").unwrap();
    site.train(&options, &mut Silent).unwrap();
    assert_eq!(site.names(), ["log.jsonl", "run"]);
}

#[test]
fn a_folder_that_no_run_made_is_left_alone() {
    let site = Site::new("");
    let options = TrainOptions {
        overwrite: true,
        ..site.options("run")
    };
    let theirs = Unfinished::beside(&options.out).join("result");
    fs::create_dir_all(&theirs).unwrap();
    let refused = site.train(&options, &mut Silent).unwrap_err().to_string();
    assert!(refused.contains("holds something else"), "{refused}");
    assert!(theirs.is_dir());
}

#[test]
fn files_of_the_best_epoch_are_shared_between_checkpoints() {
    use std::os::unix::fs::MetadataExt;
    let site = Site::new("");
    let options = TrainOptions {
        checkpoint_every: Some(CheckpointEvery::Examples(64)),
        ..site.options("run")
    };
    let checkpoint = Unfinished::beside(&options.out).join("checkpoint");
    let place = |name: &str| fs::metadata(checkpoint.join(name)).unwrap().ino();
    struct Watching<'a>(&'a dyn Fn(&str) -> u64, &'a Path, Vec<(u64, u64)>);
    impl Progress for Watching<'_> {
        fn begin(&mut self, _: &str, _: u64) {}
        fn advance(&mut self, _: u64) {}
        fn note(&mut self, line: &str) {
            let best = "best-weights.safetensors";
            if line.starts_with("checkpoint") && self.1.join(best).exists() {
                self.2.push(((self.0)(best), (self.0)("weights.safetensors")));
            }
        }
    }
    let mut watching = Watching(&place, &checkpoint, Vec::new());
    site.train(&options, &mut watching).unwrap();
    let pairs = || watching.2.windows(2);
    assert!(pairs().any(|pair| pair[0].0 == pair[1].0), "{:?}", watching.2);
    assert!(pairs().all(|pair| pair[0].1 != pair[1].1), "{:?}", watching.2);
}
