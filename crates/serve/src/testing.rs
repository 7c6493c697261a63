//! What this crate's tests share: a declaration, a store with models of it, and a service that answers on a port of its own.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::{Arc, mpsc};

use events::{EventClock, State};
use model::{Encoder, Ranker, Registry, ScalerFit, Weights};
use serde_json::{Value, json};
use spec::Spec;
use tokio::sync::oneshot;

use crate::{ServeOptions, Service, run};

const DECLARATION: &str = r#"
[fields]
user = { side = "user", kind = "id", dim = 2, buckets = 8 }
shared = { side = "user", kind = "ids", shares = "item", from = "feedback.share", last = 3 }
device = { side = "context", kind = "id", dim = 1, values = ["phone", "tv"] }
item = { side = "item", kind = "id", dim = 2, buckets = 8 }
age = { side = "item", kind = "number", since = "item.uploaded_at" }
length = { side = "item", kind = "number" }
ctr = { side = "item", kind = "number", rate = "click", window = "1h" }

[objectives]
click = { group = "engagement", loss = "binary", absent = 0 }
like = { group = "satisfaction", loss = "binary", absent = 0 }

[model]
architecture = "shared-bottom"

[score]
click = 1.0
"#;

pub(crate) fn spec() -> Spec {
    Spec::parse("ranker.toml", DECLARATION).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

/// The declaration without its rate.
pub(crate) fn spec_without_rates() -> Spec {
    let lines = DECLARATION.lines().filter(|line| !line.contains("rate = "));
    let text = lines.collect::<Vec<_>>().join("\n");
    Spec::parse("ranker.toml", &text).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

/// Puts a ranker of `spec` that has learned nothing into the store's registry.
pub(crate) fn publish(store: &Path, version: &str, spec: Spec, promote: bool) {
    let spec = Arc::new(spec);
    let ranker = Ranker {
        encoder: Encoder::new(spec.clone(), ScalerFit::new(&spec).finish()),
        weights: Weights::new(&spec, 1),
    };
    let state = Arc::new(State::open(store).unwrap());
    let registry = Registry::new(store, state.clone());
    let row = registry
        .write(version, &ranker, "promoted", Value::Null, 0)
        .unwrap();
    state.commit_run(&row, None, promote, 0).unwrap();
}

/// A running service.
pub(crate) struct Running {
    pub(crate) service: Arc<Service>,
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

/// An answer: status, headers as text, body.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Value,
}

impl Running {
    /// Serves the store on a clock of events.
    pub(crate) fn start(store: &Path) -> Running {
        let options = ServeOptions {
            store: store.to_owned(),
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            spec: None,
            clock: Arc::new(EventClock::default()),
            event_time: true,
            nonce: 1,
        };
        let service = Service::open(options).unwrap();
        let (ready, bound) = mpsc::channel();
        let (stop, stopped) = oneshot::channel();
        let serving = service.clone();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            let until = async {
                let _ = stopped.await;
            };
            runtime
                .block_on(run(serving, |address| ready.send(address).unwrap(), until))
                .unwrap();
        });
        Running {
            service,
            address: bound.recv().unwrap(),
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    /// Sends a request and reads its whole answer.
    pub(crate) fn ask(&self, method: &str, path: &str, body: &Value) -> Answer {
        let mut stream = TcpStream::connect(self.address).unwrap();
        let body = body.to_string();
        let (host, length) = (self.address, body.len());
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-length: {length}"
        );
        write!(stream, "{head}\r\n\r\n{body}").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        Answer {
            status: head.split(' ').nth(1).unwrap().parse().unwrap(),
            head: head.to_lowercase(),
            body: serde_json::from_str(body).unwrap_or(json!(body)),
        }
    }

    /// Sends a request that must be answered with this status.
    pub(crate) fn expect(&self, status: u16, method: &str, path: &str, body: Value) -> Value {
        let answer = self.ask(method, path, &body);
        assert_eq!(answer.status, status, "{}", answer.body);
        answer.body
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic has been reported by itself.
            let _ = thread.join();
        }
    }
}
