//! The real binary, a small generated log, and a service of its own per test.

mod text;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;
use serde_json::Value;

pub(crate) use text::{chance, numbers, objects, rows, texts, whole, write_csv, write_jsonl};

/// Long beside anything that is waited for.
pub(crate) const LIMIT: Duration = Duration::from_secs(120);

/// A declaration that fits [`write_log`].
pub(crate) const RANKER: &str = r#"
[fields]
user = { side = "user", kind = "id", dim = 4, buckets = 64, id_dropout = 0.1 }
device = { side = "context", kind = "id", values = ["phone", "tv"], use = "bias" }
item = { side = "item", kind = "id", dim = 4, buckets = 64, id_dropout = 0.1 }
appeal = { side = "item", kind = "number" }
minutes = { side = "item", kind = "number", scale = "quantile", powers = true }

[objectives]
click = { group = "engagement", loss = "binary", absent = 0, window = "1s" }
watch = { group = "engagement", loss = "squared", label = "played / minutes", clip = [0, 1], given = "click", window = "1s" }

[model]
architecture = "mmoe"
shared = [8]
experts = { count = 2, widths = [8] }
towers = [4]

[bias]
fields = ["position", "device"]
groups = ["engagement"]
max_position = 5

[score]
click = 1.0
watch = 0.5

[train]
batch = 64
epochs = 3
learning_rate = 0.01

[join]
mark_every = "1s"
"#;

/// The built `watchnext`.
pub(crate) fn watchnext() -> Command {
    Command::new(env!("CARGO_BIN_EXE_watchnext"))
}

/// Runs it to its end.
pub(crate) fn run(arguments: &[&str]) -> Output {
    watchnext().args(arguments).output().unwrap()
}

/// Runs it, demands success, returns what it printed.
pub(crate) fn run_well(arguments: &[&str]) -> String {
    let output = run(arguments);
    assert!(
        output.status.success(),
        "{arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// Begins a run with checkpoints and kills it once it has one.
pub(crate) fn unfinished(train: &[&str]) {
    let mut child = watchnext()
        .args(train)
        .args(["--checkpoint-every", "64"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut notes = BufReader::new(child.stderr.take().unwrap()).lines();
    let first = notes
        .by_ref()
        .map(Result::unwrap)
        .find(|note| note.starts_with("checkpoint"));
    assert!(first.is_some(), "{train:?} wrote no checkpoint");
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Demands an exit code and returns what was printed to standard output and standard error.
pub(crate) fn ended(output: Output, code: i32) -> [String; 2] {
    let [stdout, stderr] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
    assert_eq!(output.status.code(), Some(code), "{stdout}{stderr}");
    [stdout, stderr]
}

/// Every file below `folder`, by its path from there.
pub(crate) fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            let below = files(&path).into_iter();
            found.extend(below.map(|(file, bytes)| (format!("{name}/{file}"), bytes)));
        } else {
            found.insert(name, std::fs::read(path).unwrap());
        }
    }
    found
}

/// A folder of a test with a declaration and a log in it.
pub(crate) struct Feed {
    pub dir: Arc<tempfile::TempDir>,
}

impl Feed {
    pub(crate) fn new() -> Feed {
        let feed = Feed {
            dir: Arc::new(tempfile::tempdir().unwrap()),
        };
        std::fs::write(feed.path("ranker.toml"), RANKER).unwrap();
        write_log(&feed.path("log.parquet"), &log(2_000));
        feed
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn text(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    /// Trains on the log into `run`, with further arguments.
    pub(crate) fn train(&self, run: &str, more: &[&str]) -> Output {
        let (ranker, log, out) = (self.text("ranker.toml"), self.text("log.parquet"), self.text(run));
        let mut arguments = vec!["train", &ranker, "--data", &log, "--out", &out];
        arguments.extend(more);
        self::run(&arguments)
    }

    /// Writes a file and returns its name.
    pub(crate) fn write(&self, name: &str, text: &str) -> String {
        std::fs::write(self.path(name), text).unwrap();
        self.text(name)
    }

    /// What `train` reports in the folder `run`.
    pub(crate) fn metrics(&self, run: &str) -> Value {
        let file = self.path(run).join("metrics.json");
        serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
    }

    /// Trains and serves the result.
    pub(crate) fn serve(&self, more: &[&str]) -> Serving {
        if !self.path("run").exists() {
            let trained = self.train("run", &[]);
            assert!(
                trained.status.success(),
                "{}",
                String::from_utf8_lossy(&trained.stderr)
            );
        }
        let (store, model) = (self.text("store"), self.text("run"));
        let mut arguments = vec!["serve", "--store", &store, "--listen", "127.0.0.1:0"];
        if !self.path("store").exists() {
            arguments.extend(["--model", &model]);
        }
        arguments.extend(more);
        let mut serving = Serving::start(&arguments);
        serving.dir = Some(self.dir.clone());
        serving
    }
}

/// Columns of a flat log.
pub(crate) type Columns = Vec<(&'static str, ArrayRef)>;

/// `rows` impressions in slates of five: appealing items are clicked more, first positions too.
pub(crate) fn log(rows: usize) -> Columns {
    let mut uniform = chance(12_345);
    let position = |row: usize| (row % 5 + 1) as i64;
    let items: Vec<usize> = (0..rows).map(|_| (uniform() * 40.0) as usize).collect();
    let appeal = |item: usize| (item % 7) as f64 - 3.0;
    let minutes = |item: usize| (item % 11 + 1) as f64;
    let clicks: Vec<i64> = (0..rows)
        .map(|row| {
            let logit = 0.8 * appeal(items[row]) - 0.5 * position(row) as f64;
            i64::from(uniform() < 1.0 / (1.0 + (-logit).exp()))
        })
        .collect();
    let played: Vec<Option<f64>> = (0..rows)
        .map(|row| (clicks[row] == 1).then(|| minutes(items[row]) * uniform()))
        .collect();
    vec![
        (
            "time",
            Arc::new(Int64Array::from_iter_values(
                (0..rows).map(|row| 1_000 * (row / 5) as i64),
            )) as ArrayRef,
        ),
        (
            "user",
            Arc::new(StringArray::from_iter_values(
                (0..rows).map(|row| format!("u{}", row / 5 % 30)),
            )),
        ),
        (
            "item",
            Arc::new(StringArray::from_iter_values(
                items.iter().map(|item| format!("v{item}")),
            )),
        ),
        (
            "slate",
            Arc::new(StringArray::from_iter_values(
                (0..rows).map(|row| format!("s{}", row / 5)),
            )),
        ),
        (
            "position",
            Arc::new(Int64Array::from_iter_values((0..rows).map(position))),
        ),
        (
            "device",
            Arc::new(StringArray::from_iter_values(
                (0..rows).map(|row| ["phone", "tv"][row / 5 % 2]),
            )),
        ),
        (
            "appeal",
            Arc::new(Float64Array::from_iter_values(
                items.iter().map(|&item| appeal(item)),
            )),
        ),
        (
            "minutes",
            Arc::new(Float64Array::from_iter_values(
                items.iter().map(|&item| minutes(item)),
            )),
        ),
        ("click", Arc::new(Int64Array::from(clicks))),
        ("played", Arc::new(Float64Array::from(played))),
    ]
}

/// Writes columns as several Parquet files of up to `rows` rows, one after the other; returns their names.
pub(crate) fn write_parts(folder: &Path, columns: &Columns, rows: usize) -> Vec<String> {
    let total = columns[0].1.len();
    let parts = (0..total).step_by(rows).map(|from| {
        let slice = |array: &ArrayRef| array.slice(from, rows.min(total - from));
        let part = columns.iter().map(|(name, array)| (*name, slice(array)));
        let path = folder.join(format!("part-{from:06}.parquet"));
        write_log(&path, &part.collect());
        path.display().to_string()
    });
    parts.collect()
}

/// The fixture's declaration with one place changed.
pub(crate) fn edited(from: &str, to: &str) -> String {
    assert_eq!(RANKER.matches(from).count(), 1, "`{from}`");
    RANKER.replacen(from, to, 1)
}

/// Writes columns as Parquet.
pub(crate) fn write_log(path: &Path, columns: &Columns) {
    let batch = RecordBatch::try_from_iter_with_nullable(
        columns.iter().map(|(name, array)| (*name, array.clone(), true)),
    )
    .unwrap();
    let mut writer =
        ArrowWriter::try_new(std::fs::File::create(path).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

/// A running service of a test; killed when the test ends.
pub(crate) struct Serving {
    child: Child,
    pub base: String,
    agent: ureq::Agent,
    /// Where its store lies: kept at least as long as the service.
    dir: Option<Arc<tempfile::TempDir>>,
}

impl Serving {
    /// Starts `watchnext` with these arguments and waits until it says where it listens.
    pub(crate) fn start(arguments: &[&str]) -> Serving {
        let mut child = watchnext()
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let base = lines
            .by_ref()
            .map(Result::unwrap)
            .find_map(|line| line.strip_prefix("listening on ").map(str::to_owned))
            .expect("the service says where it listens");
        Serving {
            child,
            base,
            agent: agent(),
            dir: None,
        }
    }

    pub(crate) fn get(&self, path: &str) -> (u16, Value) {
        read(self.agent.get(format!("{}{path}", self.base)).call().unwrap())
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        read(
            self.agent
                .post(format!("{}{path}", self.base))
                .send_json(body)
                .unwrap(),
        )
    }

    pub(crate) fn put(&self, path: &str, body: &Value) -> (u16, Value) {
        read(
            self.agent
                .put(format!("{}{path}", self.base))
                .send_json(body)
                .unwrap(),
        )
    }

    /// A client of its own, for another thread.
    pub(crate) fn client(&self) -> Client {
        Client {
            base: self.base.clone(),
            agent: agent(),
        }
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// A client of a service that may be gone.
pub(crate) struct Client {
    base: String,
    agent: ureq::Agent,
}

impl Client {
    /// Status and JSON of the answer; null where its body was cut off, `None` where there was none.
    pub(crate) fn try_send(&self, method: &str, path: &str, body: &Value) -> Option<(u16, Value)> {
        let url = format!("{}{path}", self.base);
        let request = if method == "PUT" {
            self.agent.put(url)
        } else {
            self.agent.post(url)
        };
        let mut response = request.send_json(body).ok()?;
        let status = response.status().as_u16();
        let text = response.body_mut().read_to_string().unwrap_or_default();
        Some((status, serde_json::from_str(&text).unwrap_or_default()))
    }
}

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .build()
        .into()
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read(mut response: ureq::http::Response<ureq::Body>) -> (u16, Value) {
    let status = response.status().as_u16();
    let text = response.body_mut().read_to_string().unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}
