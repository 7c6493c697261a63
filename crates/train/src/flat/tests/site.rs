//! A log with ids of every sort, and who listens to training on it.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use events::{FlatLog, FlatOptions};
use spec::Spec;

use crate::{Parts, Progress, Silent, TrainError, TrainOptions, TrainReport, train};

pub(super) type Files = BTreeMap<String, Vec<u8>>;

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
pub(super) struct Site {
    pub(super) dir: tempfile::TempDir,
    spec: Arc<Spec>,
}

impl Site {
    pub(super) fn new(train: &str) -> Site {
        Site::of(&format!("{DECLARATION}{train}\n"))
    }

    /// With a shallow tower of this learning rate, relative to the main one's.
    pub(super) fn with_scale(scale: &str) -> Site {
        Site::of(&DECLARATION.replace("[bias]", &format!("[bias]\nlearning_rate_scale = {scale}")))
    }

    /// With a click that alone is biased, in a form that is to be chosen.
    pub(super) fn auto() -> Site {
        Site::named("auto")
    }

    /// The same in this form.
    pub(super) fn named(form: &str) -> Site {
        let text = DECLARATION.replace("like = { group = \"engagement\"", "like = { group = \"liking\"");
        Site::of(&text.replace("[bias]", &format!("[bias]\nform = \"{form}\"")))
    }

    fn of(text: &str) -> Site {
        let dir = tempfile::tempdir().unwrap();
        write_log(&dir.path().join("log.jsonl"));
        let spec = Spec::parse("ranker.toml", text).unwrap_or_else(|mistakes| panic!("{mistakes}"));
        Site {
            dir,
            spec: Arc::new(spec),
        }
    }

    pub(super) fn options(&self, out: &str) -> TrainOptions {
        TrainOptions {
            out: self.dir.path().join(out),
            overwrite: false,
            baseline: true,
            threads: 1,
            checkpoint_every: None,
            resume: false,
        }
    }

    pub(super) fn train(
        &self,
        options: &TrainOptions,
        progress: &mut dyn Progress,
    ) -> Result<TrainReport, TrainError> {
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
    pub(super) fn unbroken(&self) -> Files {
        let options = self.options("unbroken");
        self.train(&options, &mut Silent).unwrap();
        files(&options.out)
    }

    pub(super) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.dir.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

/// Every file below `folder` by its path from there.
pub(super) fn files(folder: &Path) -> Files {
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
pub(super) struct Listener {
    asked: Cell<u64>,
    stop_after: u64,
    examples: u64,
    notes: Vec<String>,
}

impl Listener {
    pub(super) fn stopping_after(stop_after: u64) -> Listener {
        Listener {
            asked: Cell::new(0),
            stop_after,
            examples: 0,
            notes: Vec::new(),
        }
    }

    pub(super) fn notes(&self) -> &[String] {
        &self.notes
    }

    pub(super) fn checkpoints(&self) -> usize {
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
