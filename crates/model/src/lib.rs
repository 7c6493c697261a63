//! The ranker: how examples become inputs, inputs become predictions, and predictions a score.
//!
//! [`Encoder`] is the only encoder, for training and for serving: [`events::Examples`] in, an [`Encoded`] batch out.
//! [`Ranker`] joins an encoder with [`Weights`]: embedding tables, a [`Network`] (one file per architecture in `arch/`)
//! and the [`ShallowTower`]; it predicts and gives gradients. [`ScoreWeights`] combine predictions into what is sorted by.
//! A ranker is kept as an [`artifact`] and published through a [`Registry`]. Optimizers, data and verdicts belong to
//! `train`; HTTP to `serve`.

// Planted faults, the same as in `nn`: its source, compiled here again, since they exist in tests of their own crate only.
#[macro_use]
#[path = "../../nn/src/faults.rs"]
mod faults;

mod activity;
mod adversary;
mod arch;
pub mod artifact;
mod cost;
mod encode;
mod encoded;
mod error;
mod gradient;
mod key_map;
mod mapped;
mod plan;
mod predictions;
mod published;
mod ranker;
mod registry;
mod scaler;
mod score;
pub mod sealed;
mod shallow_tower;
mod table;
mod tensors;
#[cfg(test)]
mod testing;
mod watch;
mod weights;

pub use activity::{Activity, LayerActivity};
pub use adversary::Adversary;
pub use arch::{
    Level, Mixture, Mmoe, Network, NetworkActivations, NetworkDraws, Omoe, Ple, SharedBottom, SingleTask,
    Snr, Stack, Tower, Towers,
};
pub use cost::{Cost, Layer, LearningCost, at_budget};
pub use encode::Encoder;
pub use encoded::{Encoded, EncodedIds};
pub use error::ModelError;
pub use gradient::{Gradients, SHARDS, StepKeys, TrainWorkspace};
pub use key_map::KeyMap;
pub use mapped::FileBytes;
pub use plan::{DenseSource, IdInput, Plan, PositionInput};
pub use predictions::{Positions, Predictions};
pub use published::PublishedRows;
pub use ranker::Ranker;
pub use registry::Registry;
pub use scaler::{Fitted, Scaler, ScalerFit, Scalers};
pub use score::{Ranked, ScoreWeights};
pub use shallow_tower::{ShallowTower, TowerForm, bias_cells};
pub use table::{ByKey, IdTable};
pub use tensors::{Tensor, TensorMut};
pub use watch::{DurationGroup, Watch};
pub use weights::Weights;
