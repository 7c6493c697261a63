//! Randomness by name: every draw has a key, so that no draw depends on how many came before it.
//!
//! Comes in: seed, visit, subject (a user or a video) and kind. Goes out: a generator of that key alone.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// What is being drawn. The discriminants are part of every world: changing one changes the worlds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u64)]
pub(crate) enum Kind {
    /// A user's traits.
    User = 1,
    /// A video's traits.
    Video = 2,
    /// Who comes, with which device, query and candidates.
    Visit = 3,
    /// A logging policy's noise on one candidate.
    LoggerNoise = 4,
    /// Whether a shown video is clicked.
    Click = 5,
    /// How much of it is watched.
    Watch = 6,
    /// Whether it is liked.
    Like = 7,
    /// Whether it satisfied.
    Satisfied = 8,
    /// Whether it is dismissed.
    Dismiss = 9,
    /// Whether a position is examined, in the product form.
    Examine = 10,
    /// Whether a person goes on below a video, in the cascade.
    GoOn = 11,
    /// Which ten of a visit's candidates are left to order.
    Ten = 12,
    /// Planted traits of a user.
    PlantedUser = 13,
    /// Planted traits of a video.
    PlantedVideo = 14,
    /// Planted context of a visit.
    PlantedVisit = 15,
    /// Planted context of one video in a visit.
    PlantedImpression = 16,
    /// Planted context of one position in a visit.
    PlantedSlot = 17,
}

/// The generator of one key. The four numbers fill ChaCha's 256-bit key, so different keys never share a stream.
pub(crate) fn generator(seed: u64, visit: u64, subject: u32, kind: Kind) -> ChaCha8Rng {
    let mut key = [0_u8; 32];
    key[0..8].copy_from_slice(&seed.to_le_bytes());
    key[8..16].copy_from_slice(&visit.to_le_bytes());
    key[16..24].copy_from_slice(&u64::from(subject).to_le_bytes());
    key[24..32].copy_from_slice(&(kind as u64).to_le_bytes());
    ChaCha8Rng::from_seed(key)
}

/// Index into `weights` (not all 0, none negative), drawn in proportion to them.
pub(crate) fn weighted<R: rand::Rng>(rng: &mut R, weights: &[f64]) -> usize {
    let mut left = rng.random::<f64>() * weights.iter().sum::<f64>();
    for (index, weight) in weights.iter().enumerate() {
        left -= weight;
        if left < 0.0 {
            return index;
        }
    }
    weights.len().saturating_sub(1)
}

/// Centres and scales to mean 0 and standard deviation 1; equal values become 0.
pub(crate) fn standardise(values: &[f64]) -> Vec<f64> {
    let count = values.len().max(1) as f64;
    let mean = values.iter().sum::<f64>() / count;
    let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / count;
    let scale = if variance > 0.0 {
        variance.sqrt().recip()
    } else {
        0.0
    };
    values.iter().map(|x| (x - mean) * scale).collect()
}

/// The logistic function.
pub(crate) fn sigmoid(logit: f64) -> f64 {
    1.0 / (1.0 + (-logit).exp())
}
