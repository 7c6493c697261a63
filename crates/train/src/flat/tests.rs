//! Runs that are stopped anywhere and go on from their last checkpoint.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use events::{FlatLog, FlatOptions};

use super::*;
use crate::{Parts, Progress, Silent};

type Files = BTreeMap<String, Vec<u8>>;

const DECLARATION: &str = r#"
[fields]
user = { side = "user", kind = "id", dim = 3, buckets = 32, id_dropout = 0.2, admit_after = 2 }
device = { side = "context", kind = "id", values = ["phone", "tv"], use = "bias" }
item = { side = "item", kind = "id", dim = 4, capacity = 12, admit_after = 2, forget_after = "100s", id_dropout = 0.1 }
topics = { side = "item", kind = "ids", dim = 2, capacity = 50, forget_after = "30s" }
liked = { side = "user", kind = "ids", shares = "item", from = "feedback.like", last = 4 }
age = { side = "item", kind = "number", scale = "quantile", powers = true }

[objectives]
click = { group = "engagement", loss = "binary", absent = 0 }
like = { group = "engagement", loss = "binary", absent = 0, given = "click" }

[model]
architecture = "mmoe"
shared = [8]
experts = { count = 2, widths = [6] }
towers = [4]

[bias]
fields = ["position", "device"]
groups = ["engagement"]
max_position = 5
position_dropout = 0.2

[score]
click = 1.0

[train]
batch = 32
epochs = 4
learning_rate = 0.01
shuffle_window = 100
"#;

const ROWS: u64 = 500;

fn write_log(path: &Path) {
    let mut state = 7u64;
    let mut draw = |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 33) % below
    };
    let rows = (0..ROWS).map(|row| {
        // Items come and go, so that some are forgotten.
        let item = row / 40 + draw(10);
        let (click, like) = (draw(4 + item % 3) / 3, draw(2));
        format!(
            "{{\"time\":{},\"user\":\"u{}\",\"item\":\"v{item}\",\"slate\":\"s{}\",\"position\":{},\"device\":\"{}\",\
             \"topics\":[\"t{}\",\"t{}\"],\"liked\":[\"v{}\"],\"age\":{}.5,\"click\":{},\"like\":{like}}}\n",
            1000 * (row / 5),
            row / 5 % 40,
            row / 5,
            row % 5 + 1,
            ["phone", "tv"][(row / 5 % 2) as usize],
            draw(30),
            row / 30,
            draw(20),
            draw(50),
            click.min(1),
        )
    });
    fs::write(path, rows.collect::<String>()).unwrap();
}

/// A folder with a log and a declaration.
struct Site {
    dir: tempfile::TempDir,
    spec: Arc<Spec>,
}

impl Site {
    fn new(train: &str) -> Site {
        let dir = tempfile::tempdir().unwrap();
        write_log(&dir.path().join("log.jsonl"));
        let text = format!("{DECLARATION}{train}\n");
        let spec = Spec::parse("ranker.toml", &text).unwrap_or_else(|mistakes| panic!("{mistakes}"));
        Site {
            dir,
            spec: Arc::new(spec),
        }
    }

    fn options(&self, out: &str) -> TrainOptions {
        TrainOptions {
            out: self.dir.path().join(out),
            overwrite: false,
            baseline: true,
            threads: 1,
            checkpoint_every: None,
            resume: false,
        }
    }

    fn train(&self, options: &TrainOptions, progress: &mut dyn Progress) -> Result<TrainReport, TrainError> {
        let files = FlatOptions {
            data: vec![self.dir.path().join("log.jsonl")],
            users: None,
            items: None,
            batch_rows: 16,
        };
        let log = FlatLog::open(&self.spec, files).unwrap();
        train(
            &self.spec,
            &Parts::of(&self.spec, &log).unwrap(),
            options,
            progress,
        )
    }

    /// Every file of a run that nothing stopped.
    fn unbroken(&self) -> Files {
        let options = self.options("unbroken");
        self.train(&options, &mut Silent).unwrap();
        files(&options.out)
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.dir.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

/// Every file below `folder` by its path from there.
fn files(folder: &Path) -> Files {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            let below = files(&path).into_iter();
            found.extend(below.map(|(file, bytes)| (format!("{name}/{file}"), bytes)));
        } else {
            found.insert(name, fs::read(path).unwrap());
        }
    }
    found
}

/// Stops a run once it has been asked so often; a second passes with each example.
struct Listener {
    asked: Cell<u64>,
    stop_after: u64,
    examples: u64,
    notes: Vec<String>,
}

impl Listener {
    fn stopping_after(stop_after: u64) -> Listener {
        Listener {
            asked: Cell::new(0),
            stop_after,
            examples: 0,
            notes: Vec::new(),
        }
    }

    fn checkpoints(&self) -> usize {
        let of = self
            .notes
            .iter()
            .filter(|note| note.starts_with("checkpoint after"));
        of.count()
    }
}

impl Progress for Listener {
    fn begin(&mut self, _: &str, _: u64) {}
    fn advance(&mut self, units: u64) {
        self.examples += units;
    }
    fn note(&mut self, line: &str) {
        self.notes.push(line.to_owned());
    }
    fn now(&self) -> Duration {
        Duration::from_secs(self.examples)
    }
    fn stopped(&self) -> bool {
        self.asked.set(self.asked.get() + 1);
        self.asked.get() > self.stop_after
    }
}

#[test]
fn a_run_stopped_again_and_again_comes_to_the_bytes_of_one_that_never_was() {
    for (cache, every) in [("1GiB", 34), ("0", 13), ("1kB", 31)] {
        let site = Site::new(&format!("cache = \"{cache}\""));
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
    options.checkpoint_every = Some(CheckpointEvery::Examples(32));
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
    site.train(&options, &mut copying).unwrap();
    assert!(
        files(&options.out) == unbroken,
        "writing checkpoints changes nothing"
    );
    let checkpoints = copying.0;
    assert!(checkpoints > 30, "{checkpoints}");
    for checkpoint in (0..checkpoints).step_by(4) {
        fs::remove_dir_all(&options.out).unwrap();
        fs::create_dir(&unfinished).unwrap();
        fs::rename(kept.join(checkpoint.to_string()), unfinished.join("checkpoint")).unwrap();
        let resumed = TrainOptions {
            resume: true,
            threads: 1 + checkpoint / 4 % 2,
            ..options.clone()
        };
        site.train(&resumed, &mut Silent).unwrap();
        assert!(files(&options.out) == unbroken, "from checkpoint {checkpoint}");
    }
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
    assert_eq!(one(rows(u64::MAX), "never, too"), 1);
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
    // A crash there leaves a folder without a checkpoint.
    fs::create_dir_all(Unfinished::beside(&options.out).join(".checkpoint.new")).unwrap();
    site.train(&options, &mut Silent).unwrap();
    assert_eq!(site.names(), ["log.jsonl", "run"]);
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
