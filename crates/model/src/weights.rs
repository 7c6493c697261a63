//! All weights of a ranker, and how they begin.

use nn::Embedding;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use spec::{Loss, Spec};

use crate::predictions::recalibration;
use crate::{Adversary, IdTable, KeyMap, Network, Plan, ShallowTower, Tensor};

/// Deviation of an embedding's first values.
const EMBEDDING_DEVIATION: f32 = 0.05;
/// Base rates are kept this far from 0 and 1.
const RATE_FLOOR: f64 = 1e-4;
/// Most that the main tower begins at where the shallow one lets a share through: above it, its slope is next to nothing.
const MOST_OF_SHARE: f64 = 0.95;

/// Tables, main tower, and what takes the bias out.
#[derive(Debug, Clone, PartialEq)]
pub struct Weights {
    /// One per `Spec::tables`; those that only the shallow tower reads have dim 0.
    pub tables: Vec<IdTable>,
    /// The main tower.
    pub network: Network,
    /// The shallow tower, where the spec declares one.
    pub shallow: Option<ShallowTower>,
    /// The adversary that the main tower is trained against, where the spec declares one.
    pub adversary: Option<Adversary>,
}

impl Weights {
    /// Random weights from `seed`.
    pub fn new(spec: &Spec, seed: u64) -> Weights {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let tables = spec
            .tables
            .iter()
            .map(|table| {
                if let Some(map) = KeyMap::of(table) {
                    let new = Embedding::new(1, table.dim, EMBEDDING_DEVIATION, &mut rng);
                    return IdTable::keyed(new, table.admit_after, map);
                }
                let rows = Embedding::new(table.len() + 1, table.dim, EMBEDDING_DEVIATION, &mut rng);
                IdTable::new(rows, table.admit_after)
            })
            .collect();
        let network = Network::new(spec, Plan::of(spec).width(), &mut rng);
        Weights {
            tables,
            network,
            shallow: ShallowTower::of(spec),
            adversary: Adversary::of(spec, &mut rng),
        }
    }

    /// Sets each tower's output bias so that first predictions lie near the mean label; `None` leaves it at 0. `mean_labels`
    /// per objective. Watch times begin at their middle: half the duration, the mean watch time, the median of the duration. Where
    /// the shallow tower lets a share through, the main tower begins at the mean over that share.
    pub fn set_base_rates(&mut self, spec: &Spec, mean_labels: &[Option<f64>]) {
        let shallow = &self.shallow;
        let objectives = spec.objectives.iter().zip(mean_labels).enumerate();
        for ((at, (objective, mean)), tower) in objectives.zip(self.network.towers_mut()) {
            let Some(mean) = mean else { continue };
            let share = match (objective.loss, objective.clip) {
                (Loss::Squared, None) => {
                    tower.logit.bias[0] = *mean as f32;
                    continue;
                }
                (Loss::Squared, Some((lo, hi))) => (mean - f64::from(lo)) / f64::from(hi - lo),
                (Loss::Binary, _) => {
                    let let_through = shallow.as_ref().map_or(1.0, |shallow| shallow.first_share(at));
                    if let_through < 1.0 {
                        (mean / let_through).min(MOST_OF_SHARE)
                    } else {
                        *mean
                    }
                }
                (Loss::WatchFraction | Loss::WeightedLogistic | Loss::WatchQuantile, _) => {
                    tower.logit.bias[0] = 0.0;
                    continue;
                }
            };
            let share = share.clamp(RATE_FLOOR, 1.0 - RATE_FLOOR);
            let logit = (share / (1.0 - share)).ln() as f32;
            tower.logit.bias[0] = logit - recalibration(objective);
        }
    }

    /// Named tensors of all parts in a fixed order, sightings and maps of ids apart. A table that an artifact holds is empty here.
    pub fn tensors<'a>(&'a self, spec: &'a Spec) -> Vec<Tensor<'a>> {
        let mut out = Vec::new();
        for (declared, table) in spec.tables.iter().zip(&self.tables) {
            out.push(Tensor {
                name: format!("tables.{}", declared.name),
                shape: vec![table.embedding.rows, table.embedding.dim],
                values: &table.embedding.weight,
            });
        }
        out.extend(self.network.tensors());
        if let Some(shallow) = &self.shallow {
            for (&objective, values) in shallow.objectives.iter().zip(&shallow.weight) {
                out.push(Tensor {
                    name: format!("shallow.{}", spec.objectives[objective].name),
                    shape: vec![shallow.cells, shallow.positions + 1],
                    values,
                });
            }
            if !shallow.reversal.is_empty() {
                out.push(Tensor {
                    name: "shallow_reversal".to_owned(),
                    shape: vec![shallow.objectives.len(), 2],
                    values: &shallow.reversal,
                });
            }
        }
        if let Some(adversary) = &self.adversary {
            out.extend(
                Adversary::NAMES
                    .iter()
                    .zip(adversary.parts())
                    .map(|(name, values)| Tensor {
                        name: format!("adversary.{name}"),
                        shape: vec![values.len()],
                        values,
                    }),
            );
        }
        out
    }

    /// The same tensors in the same order, to be filled.
    pub(crate) fn values_mut(&mut self) -> Vec<&mut [f32]> {
        let mut out: Vec<&mut [f32]> = Vec::new();
        out.extend(
            self.tables
                .iter_mut()
                .map(|table| table.embedding.weight.as_mut_slice()),
        );
        out.extend(self.network.tensors_mut().into_iter().map(|tensor| tensor.values));
        out.extend(bias_parts_mut(&mut self.shallow, &mut self.adversary));
        out
    }

    /// The weights of what takes the bias out: of the shallow tower, then of the adversary.
    pub fn bias_parts(&self) -> impl Iterator<Item = &[f32]> {
        bias_parts(&self.shallow, &self.adversary)
    }

    /// The same, to change.
    pub fn bias_parts_mut(&mut self) -> impl Iterator<Item = &mut [f32]> {
        bias_parts_mut(&mut self.shallow, &mut self.adversary)
    }

    /// Whether every weight is finite.
    pub fn is_finite(&self, spec: &Spec) -> bool {
        self.tensors(spec)
            .iter()
            .all(|tensor| tensor.values.iter().all(|value| value.is_finite()))
    }
}

/// All weights of both, in a fixed order.
pub(crate) fn bias_parts<'w>(
    shallow: &'w Option<ShallowTower>,
    adversary: &'w Option<Adversary>,
) -> impl Iterator<Item = &'w [f32]> {
    let shallow = shallow.iter().flat_map(ShallowTower::parts);
    shallow.chain(adversary.iter().flat_map(Adversary::parts))
}

/// The same, to change.
pub(crate) fn bias_parts_mut<'w>(
    shallow: &'w mut Option<ShallowTower>,
    adversary: &'w mut Option<Adversary>,
) -> impl Iterator<Item = &'w mut [f32]> {
    let shallow = shallow.iter_mut().flat_map(ShallowTower::parts_mut);
    shallow.chain(adversary.iter_mut().flat_map(Adversary::parts_mut))
}
