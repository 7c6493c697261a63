use nn::{GradientMismatch, check_gradient, relu_backward};

use super::*;
use crate::faults::assert_check_bites;
use crate::testing::{Draws, START, TOLERANCE, added, away_from_kinks, generator, weighted_sum};

const BATCH: usize = 3;
const INPUTS: usize = 4;

fn layers(tower: &mut Tower) -> Vec<&mut Dense> {
    tower.hidden.layers.iter_mut().chain([&mut tower.logit]).collect()
}

fn calm(mut tower: Tower) -> Tower {
    for layer in layers(&mut tower) {
        away_from_kinks(&mut layer.weight, &mut layer.bias);
    }
    tower
}

/// Checks the gradients of every layer and of the input; `backward` adds to a gradient that starts at [`START`] and
/// returns that of the input, `loss` is what they are gradients of.
fn compare(
    tower: &Tower,
    input: &[f32],
    backward: impl Fn(&Tower, &[f32], &mut Tower) -> Vec<f32>,
    loss: impl Fn(&Tower, &[f32]) -> f64,
) -> Result<(), GradientMismatch> {
    let mut grad = tower.zeros_like();
    for layer in layers(&mut grad) {
        layer.weight.fill(START);
        layer.bias.fill(START);
    }
    let d_input = backward(tower, input, &mut grad);
    for at in 0..layers(&mut grad).len() {
        let gradient = layers(&mut grad)[at].clone();
        let (mut probe, mut values) = (tower.clone(), layers(&mut tower.clone())[at].clone());
        let by_weight = |weight: &[f32]| {
            layers(&mut probe)[at].weight.copy_from_slice(weight);
            loss(&probe, input)
        };
        check_gradient(
            &format!("weight {at}"),
            &mut values.weight,
            &added(&gradient.weight),
            by_weight,
            TOLERANCE,
        )?;
        let mut probe = tower.clone();
        let by_bias = |bias: &[f32]| {
            layers(&mut probe)[at].bias.copy_from_slice(bias);
            loss(&probe, input)
        };
        check_gradient(
            &format!("bias {at}"),
            &mut values.bias,
            &added(&gradient.bias),
            by_bias,
            TOLERANCE,
        )?;
    }
    check_gradient(
        "input",
        &mut input.to_vec(),
        &d_input,
        |input| loss(tower, input),
        TOLERANCE,
    )
}

/// The stack of `tower`, whose logit is left out: its gradient stays at the start.
fn check_stack(widths: &[usize]) -> Result<(), GradientMismatch> {
    let tower = calm(Tower::new(INPUTS, widths, &mut generator(1)));
    let stack = |tower: &Tower| tower.hidden.clone();
    let cols = tower.hidden.output_width(INPUTS);
    let (input, d_output) = (
        Draws::new(2).values(BATCH * INPUTS),
        Draws::new(3).values(BATCH * cols),
    );
    let run = |tower: &Tower, input: &[f32]| {
        let (stack, input) = (stack(tower), Mat::new(input, BATCH, INPUTS));
        let mut acts = stack.activations(BATCH, Precision::F32);
        stack.forward(input, &mut acts);
        let output = stack.output(input, &acts);
        (0..BATCH)
            .flat_map(|row| output.row(row).to_vec())
            .collect::<Vec<f32>>()
    };
    let backward = |tower: &Tower, input: &[f32], grad: &mut Tower| {
        let (stack, input) = (stack(tower), Mat::new(input, BATCH, INPUTS));
        let mut acts = stack.activations(BATCH + 2, Precision::F32);
        let mut d_input = vec![START; BATCH * INPUTS];
        let start = grad.hidden.clone();
        // The second backward through the same buffers is the one that counts.
        for _ in 0..2 {
            d_input.fill(START);
            grad.hidden = start.clone();
            stack.forward(input, &mut acts);
            let (output, d_last) = stack.output_and_gradient(input, &mut acts);
            let mut d_last = d_last.unwrap();
            for (row, d) in d_output.chunks(cols).enumerate() {
                d_last.row_mut(row).copy_from_slice(d);
            }
            relu_backward(output, d_last);
            let d_input = InputGradient::Whole(MatMut::new(&mut d_input, BATCH, INPUTS));
            stack.backward(input, &mut acts, d_input, &mut grad.hidden);
        }
        d_input
    };
    compare(&tower, &input, backward, |tower, input| {
        weighted_sum(&d_output, &run(tower, input))
    })
}

fn check_tower(widths: &[usize]) -> Result<(), GradientMismatch> {
    let tower = calm(Tower::new(INPUTS, widths, &mut generator(1)));
    let (input, d_logits) = (Draws::new(2).values(BATCH * INPUTS), Draws::new(3).values(BATCH));
    let run = |tower: &Tower, input: &[f32]| {
        let mut logits = vec![0.0; BATCH];
        tower.forward(
            Mat::new(input, BATCH, INPUTS),
            &mut tower.activations(BATCH, Precision::F32),
            &mut logits,
        );
        logits
    };
    let backward = |tower: &Tower, input: &[f32], grad: &mut Tower| {
        let input = Mat::new(input, BATCH, INPUTS);
        let (mut acts, mut logits) = (tower.activations(BATCH + 2, Precision::F32), [0.0; BATCH]);
        let mut d_input = vec![START; BATCH * INPUTS];
        let start = grad.clone();
        for _ in 0..2 {
            d_input.fill(START);
            *grad = start.clone();
            tower.forward(input, &mut acts, &mut logits);
            tower.backward(
                input,
                &mut acts,
                &d_logits,
                InputGradient::Whole(MatMut::new(&mut d_input, BATCH, INPUTS)),
                grad,
            );
        }
        d_input
    };
    compare(&tower, &input, backward, |tower, input| {
        weighted_sum(&d_logits, &run(tower, input))
    })
}

#[test]
fn the_gradients_of_a_stack_are_the_slopes_and_the_check_notices_planted_faults() {
    let faults = [
        "stack: no d_input",
        "stack: no ReLU between layers",
        "stack: the weights learn nothing",
    ];
    let depths: [&[usize]; 3] = [&[3], &[3, 5], &[3, 5, 2]];
    assert_check_bites("stack", &faults, || {
        depths.iter().try_for_each(|widths| check_stack(widths))
    });
}

#[test]
fn the_gradients_of_a_tower_are_the_slopes_and_the_check_notices_planted_faults() {
    let faults = [
        "tower: the logit gives nothing back",
        "tower: no ReLU below the logit",
        "tower: no d_input",
    ];
    let depths: [&[usize]; 3] = [&[], &[3], &[3, 5]];
    assert_check_bites("tower", &faults, || {
        depths.iter().try_for_each(|widths| check_tower(widths))
    });
}

#[test]
fn a_stack_without_layers_gives_its_input() {
    let stack = Stack::new(2, &[], &mut generator(1));
    let input = Mat::new(&[1.0, -2.0], 1, 2);
    assert_eq!(
        (
            stack.output_width(2),
            stack.output(input, &stack.activations(1, Precision::F32)).row(0)
        ),
        (2, &[1.0, -2.0][..])
    );
}
