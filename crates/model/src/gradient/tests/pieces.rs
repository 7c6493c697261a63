//! A batch that is cut into several pieces a shard gives what its parts give.

use super::*;

/// Dense gradients, then those of tables, spread out.
fn flat(ranker: &Ranker, gradients: &Gradients) -> Vec<f32> {
    let network = gradients.network.tensors().into_iter();
    let mut all: Vec<f32> = network.flat_map(|tensor| tensor.values.to_vec()).collect();
    let shallow = gradients.shallow.iter().flat_map(|shallow| &shallow.weight);
    all.extend(shallow.flatten());
    for (table, gradient) in ranker.weights.tables.iter().zip(&gradients.tables) {
        all.extend(spread(gradient, table.embedding.rows));
    }
    all
}

#[test]
fn the_gradient_of_a_large_batch_is_the_mean_of_its_parts() {
    for model in [MIXTURES[1], BOTTOMS[0]] {
        let mut ranker = lively(model);
        see_everything(&mut ranker);
        let half = SHARDS * PIECE.0 - 1;
        let (len, rows): (usize, Vec<u32>) = (2 * half, (0..2 * half as u32).collect());
        let batch = random_batch(&ranker, len, 1);
        let mut of = |rows: &[u32]| {
            let (mut work, mut gradients) =
                (TrainWorkspace::new(&ranker, rows.len()), Gradients::new(&ranker));
            let losses = ranker.gradient_of_rows(&batch, rows, KEYS, &mut work, &mut gradients);
            let losses = losses.to_vec();
            (losses, work.logits(), flat(&ranker, &gradients))
        };
        let (losses, logits, whole) = of(&rows);
        let (first_losses, first_logits, first) = of(&rows[..half]);
        let (second_losses, second_logits, second) = of(&rows[half..]);
        for (at, logits) in logits.iter().enumerate() {
            assert_eq!(
                *logits,
                [first_logits[at].clone(), second_logits[at].clone()].concat()
            );
            let parts = first_losses[at] + second_losses[at];
            assert!(
                (losses[at] - parts).abs() < 1e-9 * parts.abs(),
                "{} {parts}",
                losses[at]
            );
        }
        let largest = whole.iter().fold(0.0f32, |most, value| most.max(value.abs()));
        for ((whole, first), second) in whole.iter().zip(first).zip(second) {
            let mean = (first + second) / 2.0;
            assert!(
                (whole - mean).abs() < 1e-5 * largest,
                "{whole} {mean} of {largest}"
            );
        }
    }
}
