//! A client of the service's HTTP interface, for the demo and for sending logs.

use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::Value;
use ureq::Agent;

/// Entities in one `PUT`.
const BATCH: usize = 500;

/// Talks to one service.
pub(crate) struct Client {
    agent: Agent,
    base: String,
}

impl Client {
    /// `base` as `http://127.0.0.1:8080`.
    pub(crate) fn new(base: &str) -> Client {
        let config = Agent::config_builder()
            .timeout_global(Some(Duration::from_secs(60)))
            .http_status_as_error(false);
        Client {
            agent: config.build().into(),
            base: base.trim_end_matches('/').to_owned(),
        }
    }

    pub(crate) fn get(&self, path: &str) -> anyhow::Result<Value> {
        let url = format!("{}{path}", self.base);
        read(&url, self.agent.get(&url).call())
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let url = format!("{}{path}", self.base);
        read(&url, self.agent.post(&url).send_json(body))
    }

    pub(crate) fn put(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let url = format!("{}{path}", self.base);
        read(&url, self.agent.put(&url).send_json(body))
    }

    /// Upserts entities in batches.
    pub(crate) fn put_entities(&self, path: &str, entities: &[events::Entity]) -> anyhow::Result<()> {
        for batch in entities.chunks(BATCH) {
            self.put(path, &serde_json::to_value(batch)?)?;
        }
        Ok(())
    }
}

/// The JSON of a success; anything else is an error that says what the service answered.
fn read(url: &str, response: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> anyhow::Result<Value> {
    let mut response =
        response.with_context(|| format!("{url} cannot be reached; is the service running?"))?;
    let status = response.status();
    let text = response
        .body_mut()
        .read_to_string()
        .with_context(|| url.to_owned())?;
    if !status.is_success() {
        let problem: Value = serde_json::from_str(&text).unwrap_or_default();
        bail!(
            "{url} answered {status}: {}",
            problem["detail"].as_str().unwrap_or(&text)
        );
    }
    serde_json::from_str(&text).with_context(|| format!("{url} answered no JSON"))
}
