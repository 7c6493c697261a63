//! How a service is started, and what can keep it from starting.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use events::Clock;
use spec::Spec;

/// Options of a service.
#[derive(Clone)]
pub struct ServeOptions {
    /// The store's folder; made if missing.
    pub store: PathBuf,
    /// Where to listen; loopback only.
    pub address: SocketAddr,
    /// The declaration by which posted slates are read while no model is live yet, and whose `[explore]` and `[log]` hold instead
    /// of the live model's.
    pub spec: Option<Arc<Spec>>,
    /// Where time comes from.
    pub clock: Arc<dyn Clock>,
    /// Whether `PUT /v1/clock` and the times that events carry move the clock.
    pub event_time: bool,
    /// Makes the ids of slates unique between runs of the service.
    pub nonce: u64,
}

/// Why a service did not start, or ended.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Not a loopback address.
    #[error(
        "refusing to listen on {0}: there are no access tokens yet, so only loopback addresses are served; use 127.0.0.1:PORT"
    )]
    NotLoopback(SocketAddr),
    /// The address cannot be had.
    #[error("cannot listen on {address}: {source}; name another port with `--listen`")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The store.
    #[error(transparent)]
    Events(#[from] events::EventsError),
    /// The live model's artifact.
    #[error(transparent)]
    Model(#[from] model::ModelError),
    /// The network failed while serving.
    #[error("serving ended: {0}")]
    Io(#[from] std::io::Error),
}
