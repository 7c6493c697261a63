//! One level of [`super::Ple`]: each objective's own experts and the shared ones, in groups, and the gates that mix them (CGC).
//!
//! Group k < K is objective k's, group K the shared one. Each group has an input, experts over it, and a gate over its own and
//! the shared experts; the shared group's gate, which the top level lacks, is over all.

use nn::{
    Dense, Experts, ExpertsActivations, GateDropout, Gates, InputGradient, Mat, MatMut, Precision, mix_add,
    mix_add_backward, relu_backward,
};
use rand_chacha::ChaCha8Rng;

use super::add;
use super::mixture::{experts_denses, experts_denses_mut, experts_names};
use crate::Activity;
use crate::tensors::LayerName;

/// Weights of a level; a gradient has the same type.
#[derive(Debug, Clone, PartialEq)]
pub struct Level {
    /// Of each objective, then the shared ones; each with the weights of its gate, if it has one.
    pub groups: Vec<Experts>,
    objectives: Vec<String>,
    /// Which level it is, from 0: its gates draw by it.
    number: usize,
}

/// Buffers of a [`Level`].
#[derive(Debug, Clone)]
pub struct LevelActivations {
    groups: Vec<ExpertsActivations>,
    /// By gate, `[batch, its choices]`.
    shares: Vec<Vec<f32>>,
    d_shares: Vec<Vec<f32>>,
    /// `[batch, gates * width]`.
    mixed: Vec<f32>,
    d_mixed: Vec<f32>,
    mixed_cols: usize,
    /// `[batch, inputs]`: what one group gives its input back.
    d_group: Vec<f32>,
}

impl Level {
    /// Random weights of level `number` over inputs of so many columns.
    pub fn new(
        objectives: &[&str],
        experts: &spec::Experts,
        number: usize,
        inputs: usize,
        rng: &mut ChaCha8Rng,
    ) -> Level {
        let (own, common) = (experts.count, experts.shared);
        let top = number + 1 == experts.levels;
        let mut group = |count, gate| Experts::new(inputs, count, &experts.widths, gate, rng);
        let mut groups: Vec<Experts> = objectives.iter().map(|_| group(own, own + common)).collect();
        let of_shared = if top { 0 } else { objectives.len() * own + common };
        groups.push(group(common, of_shared));
        Level {
            groups,
            objectives: objectives.iter().map(|&name| name.to_owned()).collect(),
            number,
        }
    }

    /// The same shapes, all zeros.
    pub fn zeros_like(&self) -> Level {
        Level {
            groups: self.groups.iter().map(Experts::zeros_like).collect(),
            objectives: self.objectives.clone(),
            number: self.number,
        }
    }

    /// W, columns of what a gate mixes.
    pub fn width(&self) -> usize {
        self.groups[0].output_width()
    }

    /// How many gates: the objectives', and the shared group's if it has one.
    fn gates(&self) -> usize {
        self.groups.iter().filter(|group| group.gate_columns > 0).count()
    }

    /// The groups that gate `gate` mixes, each with its first share.
    fn sources(&self, gate: usize) -> impl Iterator<Item = (usize, usize)> + use<> {
        let (shared, own) = (self.objectives.len(), self.groups[0].count);
        let of_gate = move |group: usize| gate == shared || group == gate || group == shared;
        let groups = (0..=shared).filter(move |&group| of_gate(group));
        groups
            .enumerate()
            .map(move |(before, group)| (group, before * own))
    }

    /// What group `group` reads: `input` itself for the first level, else its block of what the level below mixed.
    fn block(&self, input_cols: usize, group: usize) -> (usize, usize) {
        let inputs = self.groups[group].first.inputs;
        let of_group = if input_cols > inputs { group } else { 0 };
        (of_group * inputs, inputs)
    }

    /// Buffers for up to `batch` examples, and how products read their factors.
    pub fn activations(&self, batch: usize, precision: Precision) -> LevelActivations {
        let gates = self.groups.iter().take(self.gates());
        let shares: Vec<Vec<f32>> = gates.map(|group| vec![0.0; batch * group.gate_columns]).collect();
        let mixed_cols = self.gates() * self.width();
        let groups = self.groups.iter();
        LevelActivations {
            groups: groups
                .map(|group| ExpertsActivations::new(group, batch, precision))
                .collect(),
            d_shares: shares.clone(),
            shares,
            mixed: vec![0.0; batch * mixed_cols],
            d_mixed: vec![0.0; batch * mixed_cols],
            mixed_cols,
            d_group: vec![0.0; batch * self.groups[0].first.inputs],
        }
    }

    /// Mixes; `input` is `[batch, inputs]` for all groups, or `[batch, groups * inputs]`.
    pub fn forward(&self, input: Mat, dropout: Option<&GateDropout>, acts: &mut LevelActivations) {
        let (batch, width) = (input.rows(), self.width());
        for (at, (group, acts)) in self.groups.iter().zip(&mut acts.groups).enumerate() {
            let (from, inputs) = self.block(input.cols(), at);
            group.forward(input.columns(from, inputs), acts);
        }
        for gate in 0..self.gates() {
            let choices = self.groups[gate].gate_columns;
            let dropout = dropout.map(|dropout| GateDropout {
                layer: dropout.layer + self.draws_of(gate),
                ..*dropout
            });
            let logits = acts.groups[gate].gate_logits(batch);
            let shares = MatMut::new(&mut acts.shares[gate], batch, choices);
            Gates { choices }.forward(logits, dropout.as_ref(), shares);
            let shares = Mat::new(&acts.shares[gate], batch, choices);
            let mut mixed = MatMut::new(&mut acts.mixed, batch, acts.mixed_cols);
            let mut mixed = mixed.columns_mut(gate * width, width);
            mixed.fill(0.0);
            for (group, from) in self.sources(gate) {
                let (count, of_group) = (self.groups[group].count, &acts.groups[group]);
                let shares = shares.columns(from, count);
                mix_add(shares, of_group.output(batch), mixed.reborrow(), count);
            }
        }
    }

    /// What tells the draws of gate `gate` from those of the other gates, in the upper half of a layer number.
    fn draws_of(&self, gate: usize) -> u32 {
        ((self.number * self.groups.len() + gate) as u32) << 16
    }

    /// **Adds** to `grad` and **writes** `d_input`, of the shape of `input`; `acts` are those of the forward of `input`, after the
    /// gradient of what it mixed was written to them.
    pub fn backward(&self, input: Mat, acts: &mut LevelActivations, mut d_input: MatMut, grad: &mut Level) {
        self.backward_to_experts(input.rows(), acts);
        let whole = input.cols() == self.groups[0].first.inputs;
        if whole {
            d_input.fill(0.0);
        }
        for (at, group) in self.groups.iter().enumerate() {
            let (from, inputs) = self.block(input.cols(), at);
            let grad = &mut grad.groups[planted!(at, "ple: the first group learns for all of its shape" => {
                if at + 1 < self.groups.len() { 0 } else { at }
            })];
            let read = input.columns(from, inputs);
            if whole {
                let mut d_group = MatMut::new(&mut acts.d_group, input.rows(), inputs);
                let of_group = InputGradient::Whole(d_group.reborrow());
                group.backward(read, &mut acts.groups[at], of_group, grad);
                planted!(
                    add(d_group.as_mat(), &mut d_input),
                    "ple: the shared group gives nothing back" => if at + 1 < self.groups.len() {
                        add(d_group.as_mat(), &mut d_input);
                    },
                );
            } else {
                let of_group = InputGradient::Whole(d_input.columns_mut(from, inputs));
                group.backward(read, &mut acts.groups[at], of_group, grad);
            }
        }
    }

    /// From what the gates mixed to the experts' last layers and the gates' logits.
    fn backward_to_experts(&self, batch: usize, acts: &mut LevelActivations) {
        let width = self.width();
        let d_mixed = Mat::new(&acts.d_mixed, batch, acts.mixed_cols);
        for of_group in &mut acts.groups {
            planted!(of_group.d_output(batch).1.fill(0.0), "ple: d_experts not cleared" => ());
        }
        for gate in 0..self.gates() {
            let choices = self.groups[gate].gate_columns;
            let shares = Mat::new(&acts.shares[gate], batch, choices);
            let mut d_shares = MatMut::new(&mut acts.d_shares[gate], batch, choices);
            let d_mixed = d_mixed.columns(gate * width, width);
            for (group, from) in self.sources(gate) {
                let count = self.groups[group].count;
                let (output, d_output) = acts.groups[group].d_output(batch);
                let d_shares = d_shares.columns_mut(from, count);
                mix_add_backward(
                    shares.columns(from, count),
                    output,
                    d_mixed,
                    d_shares,
                    d_output,
                    count,
                );
            }
            let d_logits = acts.groups[gate].d_gate_logits(batch);
            planted!(
                Gates { choices }.backward(shares, d_shares.as_mat(), d_logits),
                "ple: gates give nothing back" => { let mut d = d_logits; d.fill(0.0) },
            );
        }
        for of_group in &mut acts.groups {
            let (output, d_output) = of_group.d_output(batch);
            planted!(relu_backward(output, d_output), "ple: no ReLU below the mixture" => ());
        }
    }

    /// What the group is called: an objective, or `shared`.
    fn called(&self, group: usize) -> &str {
        self.objectives.get(group).map_or("shared", |name| name)
    }

    /// Counts the active units of the last forward over `batch` rows; those of a level below the top are of no expert that the
    /// gates are counted for.
    pub(crate) fn count_units(
        &self,
        below_top: Option<usize>,
        batch: usize,
        acts: &LevelActivations,
        activity: &mut Activity,
    ) {
        let mut number = 0;
        for (at, (group, acts)) in self.groups.iter().zip(&acts.groups).enumerate() {
            for (layer, width) in group.widths.iter().enumerate() {
                let outputs = acts.layer(layer, batch);
                for expert in 0..group.count {
                    let name = format!(
                        "expert {} ({}) layer {}",
                        number + expert + 1,
                        self.called(at),
                        layer + 1
                    );
                    let output = outputs.columns(expert * width, *width);
                    match below_top {
                        None => activity.add_expert_layer(name, number + expert, output),
                        Some(level) => activity.add_layer(format!("level {level} {name}"), None, output),
                    }
                }
            }
            number += group.count;
        }
    }

    /// Counts the objectives' shares of the last forward over `batch` rows, `[batch, objectives * experts]`.
    pub(crate) fn count_gates(&self, batch: usize, acts: &LevelActivations, activity: &mut Activity) {
        let own = self.groups[0].count;
        let experts: usize = self.groups.iter().map(|group| group.count).sum();
        let cols = self.objectives.len() * experts;
        let mut all = vec![0.0; batch * cols];
        let mut all = MatMut::new(&mut all, batch, cols);
        for gate in 0..self.objectives.len() {
            let shares = Mat::new(&acts.shares[gate], batch, self.groups[gate].gate_columns);
            for (group, from) in self.sources(gate) {
                let (count, to) = (self.groups[group].count, gate * experts + group * own);
                for row in 0..batch {
                    all.row_mut(row)[to..to + count].copy_from_slice(&shares.row(row)[from..from + count]);
                }
            }
        }
        activity.add_gates(all.as_mat(), experts);
    }

    /// Its dense layers in the order of their names.
    pub(crate) fn denses(&self) -> impl Iterator<Item = &Dense> {
        self.groups.iter().flat_map(experts_denses)
    }

    /// The same, to change.
    pub(crate) fn denses_mut(&mut self) -> impl Iterator<Item = &mut Dense> {
        self.groups.iter_mut().flat_map(experts_denses_mut)
    }

    /// Names its layers, as of level `level`, in order.
    pub(crate) fn names(&self, level: usize, out: &mut Vec<LayerName>) {
        for (at, group) in self.groups.iter().enumerate() {
            let name = match self.objectives.get(at) {
                Some(objective) => format!("levels.{level}.own.{objective}"),
                None => format!("levels.{level}.shared"),
            };
            experts_names(group, &name, out);
        }
    }
}

impl LevelActivations {
    /// What the gates mixed of the last forward over `batch` rows, `[batch, gates * W]`.
    pub fn mixed(&self, batch: usize) -> Mat<'_> {
        Mat::new(&self.mixed, batch, self.mixed_cols)
    }

    /// The same, and where its gradient is to be written before [`Level::backward`].
    pub fn mixed_and_gradient(&mut self, batch: usize) -> (Mat<'_>, MatMut<'_>) {
        (
            Mat::new(&self.mixed, batch, self.mixed_cols),
            MatMut::new(&mut self.d_mixed, batch, self.mixed_cols),
        )
    }
}
