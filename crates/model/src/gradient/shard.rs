//! One shard of a step: a part of the batch that one thread takes forward and back, piece after piece.

use super::Step;
use super::piece::{Buffers, Piece};
use super::rows::StepRows;
use crate::weights::bias_parts_mut;
use crate::{Adversary, Network, Ranker, ShallowTower};

/// A shard's pieces, and what it found.
#[derive(Debug)]
pub(crate) struct Shard {
    pub(crate) pieces: Vec<Piece>,
    pub(crate) sums: Sums,
}

/// Sums over the examples of a shard.
#[derive(Debug)]
pub(crate) struct Sums {
    /// Gradient of the main tower.
    pub(crate) network: Network,
    /// Gradient of the shallow tower.
    pub(crate) shallow: Option<ShallowTower>,
    /// Gradient of the adversary.
    pub(crate) adversary: Option<Adversary>,
    /// Per objective: its loss.
    pub(crate) losses: Vec<f64>,
}

impl Shard {
    /// Shard number `at`, with room for `pieces` pieces of up to `in_piece` examples.
    pub(crate) fn new(ranker: &Ranker, at: usize, pieces: usize, in_piece: usize) -> Shard {
        Shard {
            pieces: (at * pieces..(at + 1) * pieces)
                .map(|number| Piece::new(ranker, number, in_piece))
                .collect(),
            sums: Sums {
                network: ranker.weights.network.zeros_like(),
                shallow: ranker.weights.shallow.as_ref().map(ShallowTower::zeros_like),
                adversary: ranker.weights.adversary.as_ref().map(Adversary::zeros_like),
                losses: vec![0.0; ranker.spec().objectives.len()],
            },
        }
    }

    /// Computes the shard's part of the step's gradient; `rows` are what the embedded fields read.
    pub(crate) fn run(&mut self, step: Step, rows: &StepRows, buffers: &mut Buffers) {
        let examples: usize = self.pieces.iter().map(|piece| piece.batch.len).sum();
        self.sums.begin(examples);
        for piece in &mut self.pieces {
            if piece.batch.len > 0 {
                piece.run(step, rows, buffers, &mut self.sums);
            }
        }
    }
}

impl Sums {
    /// Begins the sums over so many examples.
    fn begin(&mut self, examples: usize) {
        if examples == 0 {
            self.network.clear();
        } else {
            self.network.begin_gradient();
        }
        bias_parts_mut(&mut self.shallow, &mut self.adversary).for_each(|part| part.fill(0.0));
        self.losses.fill(0.0);
    }
}
