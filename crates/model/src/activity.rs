//! What the units and gates of a network do on examples: which units are dead, which gates have fallen to one expert.
//!
//! In: encoded examples. Out: counts and sums that are added up over batches.

use nn::Mat;

use crate::{Encoded, Positions, Ranker};

/// A gate is polarised on an example where one expert has more than this share.
const POLARISED: f32 = 0.95;

/// Counts of one layer with ReLU.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct LayerActivity {
    /// As `shared layer 1`, `expert 2 layer 1`, `tower click layer 1`.
    pub name: String,
    /// The objective whose tower it is in; `None` for shared layers and experts.
    pub objective: Option<usize>,
    /// The expert that it is in; `None` for shared layers and towers.
    pub expert: Option<usize>,
    /// Per unit: examples on which it was above 0.
    pub active: Vec<u64>,
}

/// Counts of a network, without drop-out.
#[derive(Debug, Clone, PartialEq, Default, serde::Serialize)]
pub struct Activity {
    /// From the input to the towers.
    pub layers: Vec<LayerActivity>,
    /// Per objective x expert: sum over the examples of the gate's share; without objectives where there are no gates.
    pub gates: Vec<Vec<f64>>,
    /// Per objective: examples on which its gate gave more than 0.95 to one expert; none where there are no gates.
    pub polarised: Vec<u64>,
    /// Examples that were counted.
    pub examples: u64,
}

impl Activity {
    /// Adds what the same network did on other examples; nothing was counted yet in the default.
    pub fn add(&mut self, other: &Activity) {
        if self.examples == 0 {
            *self = other.clone();
            return;
        }
        self.examples += other.examples;
        for (layer, other) in self.layers.iter_mut().zip(&other.layers) {
            add_all(&mut layer.active, &other.active);
        }
        for (gate, other) in self.gates.iter_mut().zip(&other.gates) {
            add_all(gate, other);
        }
        add_all(&mut self.polarised, &other.polarised);
    }

    /// Mean share per objective x expert; `None` where there are no gates or no examples.
    pub fn gate_shares(&self) -> Option<Vec<Vec<f32>>> {
        if self.gates.is_empty() || self.examples == 0 {
            return None;
        }
        let mean = |sum: &f64| (sum / self.examples as f64) as f32;
        Some(
            (self.gates.iter())
                .map(|gate| gate.iter().map(mean).collect())
                .collect(),
        )
    }

    /// Share of examples x gates that are polarised; `None` where there are no gates or no examples.
    pub fn polarised_share(&self) -> Option<f64> {
        let all = self.examples * self.polarised.len() as u64;
        (all > 0).then(|| self.polarised.iter().sum::<u64>() as f64 / all as f64)
    }

    /// Counts the units of a layer that were above 0 in `output` `[batch, units]`.
    pub(crate) fn add_layer(&mut self, name: String, objective: Option<usize>, output: Mat) {
        let mut active = vec![0; output.cols()];
        for row in 0..output.rows() {
            for (count, value) in active.iter_mut().zip(output.row(row)) {
                *count += u64::from(*value > 0.0);
            }
        }
        self.layers.push(LayerActivity {
            name,
            objective,
            expert: None,
            active,
        });
    }

    /// As [`Activity::add_layer`], for a layer of an expert.
    pub(crate) fn add_expert_layer(&mut self, name: String, expert: usize, output: Mat) {
        self.add_layer(name, None, output);
        if let Some(layer) = self.layers.last_mut() {
            layer.expert = Some(expert);
        }
    }

    /// Sums the shares `[batch, objectives * experts]` of the gates.
    pub(crate) fn add_gates(&mut self, shares: Mat, experts: usize) {
        self.gates = vec![vec![0.0; experts]; shares.cols() / experts];
        self.polarised = vec![0; self.gates.len()];
        for row in 0..shares.rows() {
            let of_objectives = shares.row(row).chunks_exact(experts);
            for ((shares, sums), polarised) in of_objectives.zip(&mut self.gates).zip(&mut self.polarised) {
                for (sum, &share) in sums.iter_mut().zip(shares) {
                    *sum += f64::from(share);
                }
                *polarised += u64::from(shares.iter().any(|&share| share > POLARISED));
            }
        }
    }

    /// All of so many objectives read what the one gate mixes.
    pub(crate) fn share_gate(&mut self, objectives: usize) {
        self.gates = self
            .gates
            .first()
            .map_or_else(Vec::new, |gate| vec![gate.clone(); objectives]);
        let polarised = self.polarised.first().copied();
        self.polarised = polarised.map_or_else(Vec::new, |count| vec![count; objectives]);
    }
}

fn add_all<T: Copy + std::ops::AddAssign>(to: &mut [T], from: &[T]) {
    for (to, &from) in to.iter_mut().zip(from) {
        *to += from;
    }
}

impl Ranker {
    /// What units and gates do on `batch`.
    pub fn unit_activity(&self, batch: &Encoded) -> Activity {
        let mut sum = Activity::default();
        let positions = Positions::Served.read(self.spec(), &batch.positions);
        self.forward(batch, positions.as_deref(), |examples, acts, _| {
            let mut activity = Activity {
                examples: examples as u64,
                ..Activity::default()
            };
            self.weights.network.count(examples, acts, &mut activity);
            sum.add(&activity);
        });
        sum
    }

    /// Mean share of each expert over `batch`, per objective x expert; `None` for a network without gates, and without examples.
    pub fn gate_shares(&self, batch: &Encoded) -> Option<Vec<Vec<f32>>> {
        self.unit_activity(batch).gate_shares()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Network;
    use crate::testing::{BOTTOMS, MIXTURES, every_network, random_batch, ranker_of, spec_with};

    #[test]
    fn units_and_gates_are_counted_the_same_however_the_examples_are_batched() {
        for model in every_network() {
            let ranker = ranker_of(&spec_with(model), 1);
            let batch = random_batch(&ranker, 1100, 1);
            let whole = ranker.unit_activity(&batch);
            assert_eq!(whole.examples, 1100);
            let mut parts = Activity::default();
            for rows in (0..1100).collect::<Vec<u32>>().chunks(270) {
                parts.add(&ranker.unit_activity(&batch.select(rows)));
            }
            assert_eq!(whole.layers, parts.layers);
            assert_eq!(whole.polarised, parts.polarised);
            for (whole, parts) in whole.gates.iter().flatten().zip(parts.gates.iter().flatten()) {
                assert!((whole - parts).abs() < 1e-3, "{whole}, {parts}");
            }
        }
    }

    #[test]
    fn every_layer_is_named_with_as_many_units_as_it_has() {
        let named = |model| {
            let ranker = ranker_of(&spec_with(model), 1);
            let layers = ranker.unit_activity(&random_batch(&ranker, 3, 1)).layers;
            layers
                .into_iter()
                .map(|layer| (layer.name, layer.objective, layer.active.len()))
                .collect::<Vec<_>>()
        };
        let named_as = |rows: &[(&str, Option<usize>, usize)]| {
            let rows = rows.iter();
            rows.map(|(name, objective, units)| ((*name).to_owned(), *objective, *units))
                .collect::<Vec<_>>()
        };
        assert_eq!(
            named(MIXTURES[1]),
            named_as(&[
                ("shared layer 1", None, 5),
                ("expert 1 layer 1", None, 4),
                ("expert 2 layer 1", None, 4),
                ("expert 1 layer 2", None, 3),
                ("expert 2 layer 2", None, 3),
                ("tower click layer 1", Some(0), 3),
                ("tower watch layer 1", Some(1), 3),
                ("tower like layer 1", Some(2), 3),
            ])
        );
        assert_eq!(
            named(BOTTOMS[3])[..3],
            named_as(&[
                ("shared layer 1", None, 5),
                ("shared layer 2", None, 4),
                ("tower click layer 1", Some(0), 3)
            ])
        );
        assert!(named(BOTTOMS[0]).is_empty());
    }

    #[test]
    fn a_unit_that_cannot_be_above_0_is_dead_and_one_that_must_be_is_always_active() {
        let mut ranker = ranker_of(&spec_with(MIXTURES[1]), 1);
        if let Network::Mmoe(network) = &mut ranker.weights.network {
            network.mixture.experts.first.bias[1] = -1e6;
            network.mixture.experts.first.bias[4] = 1e6;
        }
        let activity = ranker.unit_activity(&random_batch(&ranker, 50, 1));
        assert_eq!(activity.layers[1].active[1], 0);
        assert_eq!(activity.layers[2].active[0], 50);
    }

    #[test]
    fn gates_that_fell_to_one_expert_are_polarised_and_shares_sum_to_one() {
        let mut ranker = ranker_of(&spec_with(MIXTURES[1]), 1);
        let batch = random_batch(&ranker, 50, 1);
        let mut even = ranker.clone();
        if let Network::Mmoe(network) = &mut even.weights.network {
            let own = network.mixture.experts.first_width();
            for row in network.mixture.experts.first.weight.chunks_exact_mut(own + 6) {
                row[own..].fill(0.0);
            }
        }
        assert_eq!(even.gate_shares(&batch).unwrap(), vec![vec![0.5; 2]; 3]);
        assert_eq!(even.unit_activity(&batch).polarised_share(), Some(0.0));
        for shares in ranker.gate_shares(&batch).unwrap() {
            assert!((shares.iter().sum::<f32>() - 1.0).abs() < 1e-5, "{shares:?}");
        }
        // The shared layer always gives something; the second objective's second expert takes it all.
        if let Network::Mmoe(network) = &mut ranker.weights.network {
            network.shared.layers[0].bias.fill(1.0);
            let own = network.mixture.experts.first_width();
            for row in network.mixture.experts.first.weight.chunks_exact_mut(own + 6) {
                row[own + 3] = 1e3;
            }
        }
        let activity = ranker.unit_activity(&batch);
        assert_eq!(activity.polarised[1], 50);
        assert!(activity.gate_shares().unwrap()[1][1] > 0.95);
        let bottom = ranker_of(&spec_with(BOTTOMS[1]), 1);
        assert_eq!(bottom.gate_shares(&batch), None);
        assert_eq!(bottom.unit_activity(&batch).polarised_share(), None);
    }
}
