//! The layers together: one training step from a table to two losses and back.

use nn::{
    Dense, ExpertsActivations, GateDropout, Gates, InputGradient, Mat, MatMut, Pool, Precision, SparseGrad,
};

use crate::vectors::{BAGS, compare_experts, experts_of, spread, table_of};

/// Table, experts, gates with drop-out, mixture, and two towers: tower k reads the mixture's columns from `k * 3`.
#[test]
fn a_whole_training_step_is_pytorch_s() {
    let golden = golden!("step");
    let (batch, inputs, count, width) = (5, 6, 4, 3);
    let table = table_of(golden.get("table"), 8);
    let experts = experts_of(&golden, inputs, count, &[5, width], &golden.get("gates"));
    let gates = Gates { choices: count };
    let towers = [0, 1].map(|k| Dense {
        weight: golden.get(&format!("tower_{k}_weight")),
        bias: golden.get(&format!("tower_{k}_bias")),
        inputs: width,
        outputs: 1,
        packed: nn::Packed::default(),
        fresh: false,
    });
    let dropout = GateDropout {
        probability: 0.3,
        seed: 1,
        layer: 9,
        examples: &[21, 22, 23, 24, 25],
    };
    let labels = golden.get("labels");

    let mut input = [0.0; 30];
    table.forward(BAGS, Pool::Mean, MatMut::new(&mut input, batch, inputs));
    let input = Mat::new(&input, batch, inputs);
    let mut acts = ExpertsActivations::new(&experts, batch, nn::Precision::F32);
    experts.forward(input, &mut acts);
    let mut shares = [0.0; 40];
    gates.forward(
        acts.gate_logits(batch),
        Some(&dropout),
        MatMut::new(&mut shares, batch, 8),
    );
    let shares = Mat::new(&shares, batch, 8);
    let mut mixture = [0.0; 30];
    let mut mixture = MatMut::new(&mut mixture, batch, 6);
    nn::mix(shares, acts.output(batch), mixture.reborrow(), count);
    let mixture = mixture.as_mat();
    let mut logits = [0.0; 10];
    for (k, tower) in towers.iter().enumerate() {
        let logit = MatMut::new(&mut logits[k * batch..], batch, 1);
        tower.forward(mixture.columns(k * width, width), logit);
    }
    golden.compare("logits", &logits);

    let mut d_logits = [0.0; 10];
    let (d_click, d_watch) = d_logits.split_at_mut(batch);
    let losses = [
        nn::binary_loss(&logits[..batch], &labels[..batch], &[], 0.2, d_click),
        nn::squared_loss(
            &logits[batch..],
            &labels[batch..],
            &[],
            Some((0.0, 1.0)),
            0.2,
            d_watch,
        ),
    ];
    golden.compare("losses", &losses.map(|loss| loss as f32));

    let mut d_mixture = [0.0; 30];
    let mut d_mixture = MatMut::new(&mut d_mixture, batch, 6);
    for (k, tower) in towers.iter().enumerate() {
        let mut grad = tower.zeros_like();
        tower.backward(
            Precision::F32,
            mixture.columns(k * width, width),
            Mat::new(&d_logits[k * batch..], batch, 1),
            InputGradient::Whole(d_mixture.columns_mut(k * width, width)),
            &mut grad,
        );
        golden.compare(&format!("d_tower_{k}_weight"), &grad.weight);
        golden.compare(&format!("d_tower_{k}_bias"), &grad.bias);
    }
    let (mut d_shares, mut d_input) = ([0.0; 40], [0.0; 30]);
    let (of_experts, d_experts) = acts.d_output(batch);
    nn::mix_backward(
        shares,
        of_experts,
        d_mixture.as_mat(),
        MatMut::new(&mut d_shares, batch, 8),
        d_experts,
        count,
    );
    gates.backward(shares, Mat::new(&d_shares, batch, 8), acts.d_gate_logits(batch));
    let mut d_input = MatMut::new(&mut d_input, batch, inputs);
    let mut d_weights = experts.zeros_like();
    let wanted = InputGradient::Whole(d_input.reborrow());
    experts.backward(input, &mut acts, wanted, &mut d_weights);
    let d_gates = compare_experts(&golden, &d_weights);
    golden.compare("d_gates", &d_gates);
    let mut d_table = SparseGrad::new(8, inputs);
    table.backward(BAGS, Pool::Mean, d_input.as_mat(), &mut d_table);
    golden.compare("d_table", &spread(&d_table, 8));
}
