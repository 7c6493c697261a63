//! Each layer and loss by itself: forward and every gradient.

use nn::{
    Bags, Dense, Dropout, ExpertsActivations, GateDropout, Gates, InputGradient, Mat, MatMut, Pool,
    Precision, SparseGrad,
};

use crate::vectors::{BAGS, Golden, compare_experts, experts_of, spread, table_of};

fn flat(mat: Mat) -> Vec<f32> {
    (0..mat.rows()).flat_map(|i| mat.row(i).to_vec()).collect()
}

#[test]
fn dense_is_pytorch_s() {
    let golden = golden!("dense");
    let dense = Dense {
        weight: golden.get("weight"),
        bias: golden.get("bias"),
        inputs: 7,
        outputs: 3,
        packed: nn::Packed::default(),
        fresh: false,
    };
    let (input, d_output) = (golden.get("input"), golden.get("d_output"));
    let input = Mat::new(&input, 5, 7);
    let mut output = [0.0; 15];
    dense.forward(input, MatMut::new(&mut output, 5, 3));
    golden.compare("output", &output);

    let (mut d_input, mut grad) = ([0.0; 35], dense.zeros_like());
    let d_input_view = InputGradient::Whole(MatMut::new(&mut d_input, 5, 7));
    dense.backward(
        Precision::F32,
        input,
        Mat::new(&d_output, 5, 3),
        d_input_view,
        &mut grad,
    );
    golden.compare("d_input", &d_input);
    golden.compare("d_weight", &grad.weight);
    golden.compare("d_bias", &grad.bias);
}

#[test]
fn experts_of_one_two_and_three_layers_are_pytorch_s() {
    let cases: [(Golden, &[usize]); 3] = [
        (golden!("experts_1"), &[4]),
        (golden!("experts_2"), &[4, 3]),
        (golden!("experts_3"), &[4, 3, 5]),
    ];
    for (golden, widths) in cases {
        let experts = experts_of(&golden, 5, 3, widths, &[]);
        let cols = 3 * experts.output_width();
        let (input, d_output) = (golden.get("input"), golden.get("d_output"));
        let input = Mat::new(&input, 6, 5);
        let mut acts = ExpertsActivations::new(&experts, 8, nn::Precision::F32);
        experts.forward(input, &mut acts);
        golden.compare("output", &flat(acts.output(6)));

        let (mut d_input, mut grad) = ([0.0; 30], experts.zeros_like());
        let d_input_view = InputGradient::Whole(MatMut::new(&mut d_input, 6, 5));
        let (of_experts, mut of_acts) = acts.d_output(6);
        for (row, d) in d_output.chunks(cols).enumerate() {
            of_acts.row_mut(row).copy_from_slice(d);
        }
        nn::relu_backward(of_experts, of_acts);
        experts.backward(input, &mut acts, d_input_view, &mut grad);
        golden.compare("d_input", &d_input);
        compare_experts(&golden, &grad);
    }
}

#[test]
fn gates_with_and_without_drop_out_are_pytorch_s() {
    let dropout = GateDropout {
        probability: 0.45,
        seed: 77,
        layer: 4,
        examples: &[3, 1_000_000_000_000, 7, 8, (1 << 63) + 5, 11],
    };
    for (golden, dropout) in [
        (golden!("gates"), None),
        (golden!("gates_dropout"), Some(&dropout)),
    ] {
        let (gates, weight) = (Gates { choices: 3 }, golden.get("weight"));
        let dense = Dense {
            weight,
            bias: Vec::new(),
            inputs: 5,
            outputs: 6,
            packed: nn::Packed::default(),
            fresh: false,
        };
        let (input, d_output) = (golden.get("input"), golden.get("d_output"));
        let input = Mat::new(&input, 6, 5);
        let (mut logits, mut soft, mut output) = ([0.0; 36], [0.0; 36], [0.0; 36]);
        dense.forward(input, MatMut::new(&mut logits, 6, 6));
        let logits = Mat::new(&logits, 6, 6);
        gates.forward(logits, None, MatMut::new(&mut soft, 6, 6));
        golden.compare("soft", &soft);
        gates.forward(logits, dropout, MatMut::new(&mut output, 6, 6));
        golden.compare("output", &output);

        let mut d_logits = [0.0; 36];
        gates.backward(
            Mat::new(&output, 6, 6),
            Mat::new(&d_output, 6, 6),
            MatMut::new(&mut d_logits, 6, 6),
        );
        let (mut d_input, mut grad) = ([0.0; 30], dense.zeros_like());
        let d_input_view = InputGradient::Whole(MatMut::new(&mut d_input, 6, 5));
        dense.backward(
            Precision::F32,
            input,
            Mat::new(&d_logits, 6, 6),
            d_input_view,
            &mut grad,
        );
        golden.compare("d_input", &d_input);
        golden.compare("d_weight", &grad.weight);
    }
}

#[test]
fn the_mixture_is_pytorch_s() {
    let golden = golden!("mix");
    let values = ["gates", "experts", "d_output"].map(|name| golden.get(name));
    let (gates, experts) = (Mat::new(&values[0], 4, 6), Mat::new(&values[1], 4, 15));
    let mut output = [0.0; 40];
    nn::mix(gates, experts, MatMut::new(&mut output, 4, 10), 3);
    golden.compare("output", &output);

    let (mut d_gates, mut d_experts) = ([0.0; 24], [0.0; 60]);
    nn::mix_backward(
        gates,
        experts,
        Mat::new(&values[2], 4, 10),
        MatMut::new(&mut d_gates, 4, 6),
        MatMut::new(&mut d_experts, 4, 15),
        3,
    );
    golden.compare("d_gates", &d_gates);
    golden.compare("d_below", &d_experts);
}

#[test]
fn pooled_embeddings_are_pytorch_s() {
    for (golden, pool) in [
        (golden!("embedding_mean"), Pool::Mean),
        (golden!("embedding_sum"), Pool::Sum),
    ] {
        let table = table_of(golden.get("weight"), 8);
        let (mut output, d_output) = ([0.0; 15], golden.get("d_output"));
        table.forward(BAGS, pool, MatMut::new(&mut output, 5, 3));
        golden.compare("output", &output);

        let mut grad = SparseGrad::new(8, 3);
        table.backward(BAGS, pool, Mat::new(&d_output, 5, 3), &mut grad);
        golden.compare("d_weight", &spread(&grad, 8));
    }
}

#[test]
fn losses_are_pytorch_s() {
    let golden = golden!("losses");
    let (logits, labels) = (golden.get("logits"), golden.get("labels"));
    let compare = |name: &str, loss: f64, d: &[f32]| {
        let expected = golden.number(name);
        assert!(
            (loss - expected).abs() <= 1e-6 * expected,
            "`{name}`: {loss}, PyTorch {expected}"
        );
        golden.compare(&format!("d_{name}"), d);
    };
    let mut d = [0.0; 7];
    compare("binary", nn::binary_loss(&logits, &labels, &[], 1.0, &mut d), &d);
    let loss = nn::squared_loss(&logits, &labels, &[], None, 1.0, &mut d);
    compare("squared", loss, &d);
    let range = Some((-1.0, 4.0));
    let loss = nn::squared_loss(&logits, &labels, &[], range, 1.0, &mut d);
    compare("ranged", loss, &d);
}

#[test]
fn weighted_rows_are_pytorch_s() {
    let golden = golden!("weighted_embedding");
    let weights = golden.get("weights");
    let bags = Bags {
        weights: &weights,
        ..BAGS
    };
    let (table, d_output) = (table_of(golden.get("weight"), 8), golden.get("d_output"));
    for (name, pool) in [("mean", Pool::Mean), ("sum", Pool::Sum)] {
        let mut output = [0.0; 15];
        table.forward(bags, pool, MatMut::new(&mut output, 5, 3));
        golden.compare(name, &output);
        let mut grad = SparseGrad::new(8, 3);
        table.backward(bags, pool, Mat::new(&d_output, 5, 3), &mut grad);
        golden.compare(&format!("d_weight_{name}"), &spread(&grad, 8));
    }
}

#[test]
fn losses_of_weighted_examples_and_of_times_are_pytorch_s() {
    let golden = golden!("weighted_losses");
    let [logits, labels, times, weights] =
        ["logits", "labels", "times", "weights"].map(|name| golden.get(name));
    let compare = |name: &str, loss: f64, d: &[f32]| {
        let expected = golden.number(name);
        assert!(
            (loss - expected).abs() <= 1e-6 * expected,
            "`{name}`: {loss}, PyTorch {expected}"
        );
        golden.compare(&format!("d_{name}"), d);
    };
    let mut d = [0.0; 7];
    compare(
        "binary",
        nn::binary_loss(&logits, &labels, &weights, 1.0, &mut d),
        &d,
    );
    let loss = nn::squared_loss(&logits, &labels, &weights, Some((0.0, 1.0)), 1.0, &mut d);
    compare("squared", loss, &d);
    let loss = nn::weighted_logistic_loss(&logits, &times, &[], 1.0, &mut d);
    compare("logistic", loss, &d);
    let loss = nn::weighted_logistic_loss(&logits, &times, &weights, 1.0, &mut d);
    compare("weighted_logistic", loss, &d);
}

#[test]
fn drop_out_is_pytorch_s_under_the_same_draws() {
    let golden = golden!("dropout");
    let dropout = Dropout {
        probability: 0.3,
        seed: 5,
        layer: 6,
        examples: &[1, 2, 1 << 40],
    };
    let mut x = golden.get("input");
    dropout.apply(MatMut::new(&mut x, 3, 9));
    golden.compare("output", &x);
    let mut d = golden.get("d_output");
    dropout.backward(MatMut::new(&mut d, 3, 9));
    golden.compare("d_input", &d);

    let mut draws = Vec::new();
    for seed in [0, 1, u64::MAX] {
        for example in [0, u64::MAX] {
            for layer in [0, u32::MAX] {
                let draw = |element| nn::draw(seed, example, layer, element);
                draws.extend([0, 1, 1000, u32::MAX].map(draw));
            }
        }
    }
    assert_eq!(draws, golden.get("draws"));
}
