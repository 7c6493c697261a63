//! The towers, one per objective: over one input that all of them read, or each over its own block of columns.

use nn::{Dense, InputGradient, Mat, MatMut, Precision};
use rand_chacha::ChaCha8Rng;
use spec::Spec;

use super::add;
use super::stack::{Tower, TowerActivations};
use crate::Activity;
use crate::tensors::LayerName;

/// One tower per objective, all of the same shape.
#[derive(Debug, Clone, PartialEq)]
pub struct Towers {
    /// In declared order.
    pub towers: Vec<Tower>,
    names: Vec<String>,
}

/// Buffers of [`Towers`].
#[derive(Debug, Clone)]
pub struct TowersActivations {
    towers: Vec<TowerActivations>,
    d_tower: Vec<f32>,
}

impl Towers {
    /// Random towers, each over `inputs` columns.
    pub fn new(spec: &Spec, inputs: usize, rng: &mut ChaCha8Rng) -> Towers {
        let tower = |_| Tower::new(inputs, &spec.model.towers, rng);
        let names = spec.objectives.iter().map(|objective| objective.name.clone());
        Towers {
            towers: spec.objectives.iter().map(tower).collect(),
            names: names.collect(),
        }
    }

    /// The same shapes, all zeros.
    pub fn zeros_like(&self) -> Towers {
        Towers {
            towers: self.towers.iter().map(Tower::zeros_like).collect(),
            names: self.names.clone(),
        }
    }

    /// How many.
    pub fn count(&self) -> usize {
        self.towers.len()
    }

    /// Columns that a tower reads.
    pub fn inputs(&self) -> usize {
        self.towers.first().map_or(0, Tower::inputs)
    }

    /// Buffers for up to `batch` rows, and how products read their factors.
    pub fn activations(&self, batch: usize, precision: Precision) -> TowersActivations {
        let towers = self.towers.iter();
        TowersActivations {
            towers: towers.map(|tower| tower.activations(batch, precision)).collect(),
            d_tower: vec![0.0; batch * self.inputs()],
        }
    }

    /// Writes logits per objective `[batch]`; all towers read `input` `[batch, inputs]`.
    pub fn forward_on(&self, input: Mat, acts: &mut TowersActivations, logits: &mut [Vec<f32>]) {
        for (k, tower) in self.towers.iter().enumerate() {
            tower.forward(input, &mut acts.towers[k], &mut logits[k]);
        }
    }

    /// The same, where tower k reads the columns from `k * inputs` of `[batch, objectives * inputs]`.
    pub fn forward_each(&self, inputs: Mat, acts: &mut TowersActivations, logits: &mut [Vec<f32>]) {
        let width = self.inputs();
        for (k, tower) in self.towers.iter().enumerate() {
            let input = inputs.columns(k * width, width);
            tower.forward(input, &mut acts.towers[k], &mut logits[k]);
        }
    }

    /// Of [`Towers::forward_on`]: **adds** to `grad` and **writes** `d_input`, the sum over the towers; d_logits per objective
    /// `[batch]`.
    pub fn backward_on(
        &self,
        input: Mat,
        acts: &mut TowersActivations,
        d_logits: &[Vec<f32>],
        mut d_input: MatMut,
        grad: &mut Towers,
    ) {
        let mut d_tower = MatMut::new(&mut acts.d_tower, input.rows(), input.cols());
        planted!(d_input.fill(0.0), "towers: d_input not cleared" => ());
        for (k, tower) in self.towers.iter().enumerate() {
            let d_logits = &d_logits[planted!(k, "towers: one objective for all" => 0)];
            let of_tower = InputGradient::Whole(d_tower.reborrow());
            tower.backward(
                input,
                &mut acts.towers[k],
                d_logits,
                of_tower,
                &mut grad.towers[k],
            );
            add(d_tower.as_mat(), &mut d_input);
        }
    }

    /// Of [`Towers::forward_each`]: **adds** to `grad` and **writes** `d_inputs` `[batch, objectives * inputs]`.
    pub fn backward_each(
        &self,
        inputs: Mat,
        acts: &mut TowersActivations,
        d_logits: &[Vec<f32>],
        mut d_inputs: MatMut,
        grad: &mut Towers,
    ) {
        let width = self.inputs();
        for (k, tower) in self.towers.iter().enumerate() {
            let input = inputs.columns(k * width, width);
            let to = planted!(k, "towers: all in one block" => 0) * width;
            let d_input = InputGradient::Whole(d_inputs.columns_mut(to, width));
            tower.backward(
                input,
                &mut acts.towers[k],
                &d_logits[k],
                d_input,
                &mut grad.towers[k],
            );
        }
    }

    /// Counts the active units of the last forward over `batch` rows.
    pub(crate) fn count_units(&self, batch: usize, acts: &TowersActivations, activity: &mut Activity) {
        for (k, (name, tower)) in self.names.iter().zip(&self.towers).enumerate() {
            tower.count(name, k, batch, &acts.towers[k], activity);
        }
    }

    /// Layers in the order of their names.
    pub(crate) fn denses(&self) -> impl Iterator<Item = &Dense> {
        self.towers.iter().flat_map(Tower::denses)
    }

    /// The same, to change.
    pub(crate) fn denses_mut(&mut self) -> impl Iterator<Item = &mut Dense> {
        self.towers.iter_mut().flat_map(Tower::denses_mut)
    }

    /// Names its layers, in order.
    pub(crate) fn names(&self, out: &mut Vec<LayerName>) {
        for (name, tower) in self.names.iter().zip(&self.towers) {
            tower.names(&format!("towers.{name}"), out);
        }
    }
}
