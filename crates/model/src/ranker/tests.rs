use super::*;
use crate::testing::{every_network, parsed, random_batch, ranker_of, see_everything, spec_with};

/// Networks from tiny to the size of a first run.
fn rankers() -> Vec<Ranker> {
    let wide = [
        "architecture = \"mmoe\"\nshared = [64]\nexperts = { count = 8, widths = [48, 32] }\ntowers = [16]",
        "architecture = \"shared-bottom\"\nshared = [129, 33]\ntowers = [17]",
    ];
    let models = every_network().chain(wide);
    models
        .map(|model| {
            let mut ranker = ranker_of(&spec_with(model), 4);
            see_everything(&mut ranker);
            // Some rows stay unseen: they read as `new`.
            ranker.weights.tables[0].sightings[1] = 0;
            ranker
                .weights
                .shallow
                .iter_mut()
                .flat_map(|s| &mut s.weight)
                .flatten()
                .enumerate()
                .for_each(|(at, w)| {
                    *w = (at % 7) as f32 * 0.1;
                });
            ranker
        })
        .collect()
}

fn bits(predictions: &Predictions, row: usize) -> Vec<(u32, u32)> {
    let of = |objective: usize| {
        (
            predictions.logits[objective][row],
            predictions.values[objective][row],
        )
    };
    (0..predictions.values.len())
        .map(of)
        .map(|(logit, value)| (logit.to_bits(), value.to_bits()))
        .collect()
}

#[test]
fn the_order_of_candidates_changes_no_bit_of_their_predictions() {
    for ranker in rankers() {
        let all = random_batch(&ranker, 200, 1);
        for len in (1..=33).chain([47, 64, 65, 96, 97, 128, 129, 160, 191, 200]) {
            let batch = all.select(&(0..len).collect::<Vec<_>>());
            for positions in [Positions::Missing, Positions::Logged] {
                let first = ranker.predict(&batch, positions);
                let orders: [&dyn Fn(u32) -> u32; 3] =
                    [&|row| len - 1 - row, &|row| (row + 1) % len, &|row| {
                        (row + len / 2) % len
                    }];
                for order in orders {
                    let rows: Vec<u32> = (0..len).map(order).collect();
                    let moved = ranker.predict(&batch.select(&rows), positions);
                    for (to, &from) in rows.iter().enumerate() {
                        assert_eq!(
                            bits(&moved, to),
                            bits(&first, from as usize),
                            "row {from} of {len}"
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn a_candidate_alone_is_predicted_as_among_others() {
    for ranker in rankers() {
        for len in [2, 3, 17, 200, 1100] {
            let batch = random_batch(&ranker, len, 2);
            let together = ranker.predict(&batch, Positions::Logged);
            assert_eq!(together.len(), len);
            for row in (0..len).step_by(1 + len / 40) {
                let alone = ranker.predict(&batch.select(&[row as u32]), Positions::Logged);
                let objectives = &ranker.spec().objectives;
                for ((alone, together), objective) in
                    alone.row(0).iter().zip(together.row(row)).zip(objectives)
                {
                    // A prediction without bounds is a sum whose terms may cancel: it is judged by their size.
                    let bounded = objective.clip.is_some() || objective.loss == spec::Loss::Binary;
                    let size = if bounded { together.abs() } else { 1.0 };
                    assert!(
                        (alone - together).abs() <= 1e-6 * size,
                        "{alone} alone, {together} among {len}"
                    );
                }
            }
        }
    }
}

#[test]
fn a_batch_of_many_chunks_is_its_chunks_one_after_the_other() {
    let ranker = &rankers()[1];
    let batch = random_batch(ranker, 2 * CHUNK + 3, 1);
    let whole = ranker.predict(&batch, Positions::Logged);
    for from in [0, CHUNK, 2 * CHUNK] {
        let rows: Vec<u32> = (from..batch.len.min(from + CHUNK))
            .map(|row| row as u32)
            .collect();
        let part = ranker.predict(&batch.select(&rows), Positions::Logged);
        for (at, row) in rows.iter().enumerate() {
            assert_eq!(bits(&part, at), bits(&whole, *row as usize));
        }
    }
}

#[test]
fn no_candidates_give_no_predictions() {
    for ranker in rankers() {
        let predictions = ranker.predict(&random_batch(&ranker, 0, 1), Positions::Missing);
        assert!(predictions.is_empty());
        assert_eq!(predictions.values.len(), ranker.spec().objectives.len());
    }
}

#[test]
fn served_predictions_do_not_depend_on_positions() {
    for ranker in rankers() {
        let mut batch = random_batch(&ranker, 20, 1);
        let served = ranker.predict(&batch, Positions::Missing);
        batch.positions.reverse();
        assert_eq!(ranker.predict(&batch, Positions::Missing), served);
        batch.positions.fill(0);
        assert_eq!(
            ranker.predict(&batch, Positions::Logged),
            served,
            "position 0 is the missing one"
        );
    }
}

#[test]
fn an_objective_without_a_shallow_logit_ignores_logged_positions() {
    let ranker = &rankers()[1];
    let batch = random_batch(ranker, 20, 1);
    let (served, logged) = (
        ranker.predict(&batch, Positions::Missing),
        ranker.predict(&batch, Positions::Logged),
    );
    assert_eq!(served.values[2], logged.values[2]);
    assert_ne!(served.values[0], logged.values[0]);
}

#[test]
fn a_declaration_of_ids_alone_or_of_numbers_alone_predicts() {
    let rest = "[objectives]\nclick = { group = \"e\", loss = \"binary\", absent = 0 }\n[model]\narchitecture = \"shared-bottom\"\n[score]\nclick = 1.0";
    for field in [
        "{ side = \"item\", kind = \"number\" }",
        "{ side = \"item\", kind = \"id\", dim = 2, buckets = 3 }",
    ] {
        let ranker = ranker_of(&parsed(&format!("[fields]\nonly = {field}\n{rest}")), 1);
        let predictions = ranker.predict(&random_batch(&ranker, 5, 1), Positions::Missing);
        assert!(predictions.values[0].iter().all(|p| (0.0..=1.0).contains(p)));
    }
}
