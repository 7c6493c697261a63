//! All weights of a ranker, and how they begin.

use nn::Embedding;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use spec::{Loss, Spec};

use crate::predictions::recalibration;
use crate::{IdTable, KeyMap, Network, Plan, ShallowTower, Tensor};

/// Deviation of an embedding's first values.
const EMBEDDING_DEVIATION: f32 = 0.05;
/// Base rates are kept this far from 0 and 1.
const RATE_FLOOR: f64 = 1e-4;

/// Tables, main tower and shallow tower.
#[derive(Debug, Clone, PartialEq)]
pub struct Weights {
    /// One per `Spec::tables`; those that only the shallow tower reads have dim 0.
    pub tables: Vec<IdTable>,
    /// The main tower.
    pub network: Network,
    /// The shallow tower, where the spec declares one.
    pub shallow: Option<ShallowTower>,
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
        let shallow = spec.bias.as_ref().map(|bias| ShallowTower::new(spec, bias));
        Weights {
            tables,
            network,
            shallow,
        }
    }

    /// Sets each tower's output bias so that first predictions lie near the mean label; `None` leaves it at 0. `mean_labels`
    /// per objective. Watch times begin at their middle: half the duration, the mean watch time, the median of the duration.
    pub fn set_base_rates(&mut self, spec: &Spec, mean_labels: &[Option<f64>]) {
        for ((objective, mean), tower) in spec
            .objectives
            .iter()
            .zip(mean_labels)
            .zip(self.network.towers_mut())
        {
            let Some(mean) = mean else { continue };
            let share = match (objective.loss, objective.clip) {
                (Loss::Squared, None) => {
                    tower.logit.bias[0] = *mean as f32;
                    continue;
                }
                (Loss::Squared, Some((lo, hi))) => (mean - f64::from(lo)) / f64::from(hi - lo),
                (Loss::Binary, _) => *mean,
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
        out.extend(
            self.shallow
                .iter_mut()
                .flat_map(|shallow| shallow.weight.iter_mut().map(Vec::as_mut_slice)),
        );
        out
    }

    /// Whether every weight is finite.
    pub fn is_finite(&self, spec: &Spec) -> bool {
        self.tensors(spec)
            .iter()
            .all(|tensor| tensor.values.iter().all(|value| value.is_finite()))
    }
}
