use super::*;
use crate::testing::{every_network, parsed, ranker_of, spec_with};

/// 20 id fields of 16 values, `dense` fields as given, 4 objectives.
fn small(dense: &str) -> String {
    let ids: String = (0..20)
        .map(|at| format!("f{at} = {{ side = \"item\", kind = \"id\", dim = 16, buckets = 100 }}\n"))
        .collect();
    let objectives: String = (0..4)
        .map(|at| format!("o{at} = {{ group = \"g\", loss = \"binary\", absent = 0 }}\n"))
        .collect();
    format!(
        "[fields]\n{ids}{dense}\n[objectives]\n{objectives}[model]\narchitecture = \"mmoe\"\nshared = [256]\n\
         experts = {{ count = 8, widths = [128, 64] }}\ntowers = [32]\n[score]\no0 = 1.0\n"
    )
}

#[test]
fn a_known_network_costs_what_a_count_by_hand_gives() {
    let cost = Cost::of(&parsed(&small(
        "v = { side = \"item\", kind = \"vector\", width = 8 }",
    )));
    let by_layer: Vec<_> = cost
        .layers
        .iter()
        .filter(|layer| layer.multiplications > 0)
        .map(|layer| layer.multiplications)
        .collect();
    // 328 -> 256; 8 x (256 -> 128 -> 64); 4 x (256 -> 8); 4 x 8 x 64; 4 x (64 -> 32 -> 1).
    assert_eq!(
        by_layer,
        [83_968, 8 * (32_768 + 8_192), 8_192, 2_048, 4 * (2_048 + 32)]
    );
    assert_eq!((cost.input_width, cost.multiplications), (328, 430_208));

    // A number has a column more than a vector's element: the one that says that it is missing.
    let numbers: String = (0..8)
        .map(|at| format!("n{at} = {{ side = \"item\", kind = \"number\" }}\n"))
        .collect();
    let cost = Cost::of(&parsed(&small(&numbers)));
    assert_eq!((cost.input_width, cost.multiplications), (336, 430_208 + 8 * 256));
}

#[test]
fn memory_is_that_of_the_weights_the_optimizers_the_gradients_and_the_step() {
    // A table of 100 + 1 rows of 16, a network 16 -> 1 with a bias.
    let text = "[fields]\nf = { side = \"item\", kind = \"id\", dim = 16, buckets = 100 }\n[objectives]\n\
         o = { group = \"g\", loss = \"binary\", absent = 0 }\n[model]\narchitecture = \"shared-bottom\"\n\
         [score]\no = 1.0\n[train]\nbatch = 50\n";
    let learning = |text: &str, threads| {
        let spec = parsed(text);
        Cost::of(&spec).learning(&spec, threads)
    };
    let (dense, rows) = (17, 101);
    // Offset and row, one label, cell, position and weight; four words of 8 bytes.
    let example = 4 * (2 + 1 + 3) + 32;
    let one = learning(text, 1);
    // Of 13 examples a piece: the input, the logit and its gradient.
    let piece = 13 * (16 + 2);
    assert_eq!(
        one,
        LearningCost {
            ranker: 4 * (rows * 16 + dense) + rows,
            optimizer: 4 * (2 * dense + rows),
            gradients: 4 * (5 * dense + rows + 50 * 17),
            step: 4 * (piece + 50 * (16 + 1) + 2 * dense) + 50 * example,
        }
    );
    assert_eq!(Cost::of(&parsed(text)).serving_bytes, one.ranker);
    let four = learning(text, 4);
    assert_eq!(four.step - one.step, 4 * 3 * piece);
    assert_eq!(four.step, learning(text, 9).step, "a thread has a shard");
    let adam = learning(&format!("{text}table_optimizer = \"adam\"\n"), 1);
    assert_eq!(adam.optimizer, 4 * (2 * dense + 2 * rows * 16));
}

#[test]
fn a_table_by_id_counts_as_full_with_its_map() {
    let of = |rows: &str| {
        let spec = parsed(&format!(
            "[fields]\nf = {{ side = \"item\", kind = \"id\", dim = 16, {rows} }}\n[objectives]\n\
             o = {{ group = \"g\", loss = \"binary\", absent = 0 }}\n[model]\narchitecture = \"shared-bottom\"\n\
             [score]\no = 1.0\n"
        ));
        let cost = Cost::of(&spec);
        (cost.learning(&spec, 1), cost)
    };
    let ((hashed_learning, hashed), (keyed_learning, keyed)) =
        (of("buckets = 1000"), of("capacity = 1000, forget_after = \"9d\""));
    assert_eq!(keyed.layers[0].shape, "up to 1000 rows + new, x 16");
    assert_eq!(keyed.parameters, hashed.parameters);
    assert_eq!(keyed.serving_bytes, hashed.serving_bytes - 1001 + 8 * 1000);
    // A key is two words.
    assert_eq!(keyed.example_bytes, hashed.example_bytes + 4);
    let map = KeyMap::bytes(1000, 1, true);
    assert_eq!(keyed_learning.ranker, hashed_learning.ranker - 1001 + map);
}

#[test]
fn the_window_takes_about_what_encoded_examples_take() {
    let spec = crate::testing::spec_of_times();
    let ranker = ranker_of(&spec, 1);
    let batch = crate::testing::random_batch(&ranker, 1000, 1);
    let bytes = |words: usize| 4 * words as u64;
    let ids = batch
        .ids
        .iter()
        .map(|ids| ids.offsets.len() + ids.rows.len() + ids.weights.len());
    let floats = batch.labels.iter().chain(&batch.durations).map(Vec::len);
    let taken = bytes(batch.dense.len() + ids.sum::<usize>() + floats.sum::<usize>() + 3 * 1000) + 32 * 1000;
    // The random batch has 1.5 ids a field of several, the estimate 16.
    let fewer = (16.0 - 1.5) * 4.0 * (2.0 + 2.0 + 1.0);
    let estimate = example_bytes(&spec, ranker.encoder.plan()) as f64 - fewer;
    assert!(
        (estimate - taken as f64 / 1000.0).abs() < 3.0,
        "{estimate}, {taken}"
    );
}

#[test]
fn it_counts_the_multiplications_and_bytes_that_are_executed_and_the_parameters_that_exist() {
    let specs = every_network().map(spec_with);
    for spec in specs.chain([crate::testing::spec_of_times()]) {
        let (model, rows) = (&spec.text, 37);
        let (cost, ranker) = (Cost::of(&spec), ranker_of(&spec, 1));
        let batch = crate::testing::random_batch(&ranker, rows, 1);
        let before = nn::Executed::here();
        ranker.main_logits(&batch);
        let executed = nn::Executed::here().since(before);
        assert_eq!(
            rows as u64 * cost.multiplications,
            executed.multiplications,
            "{model}"
        );
        let is_network = |layer: &&Layer| layer.multiplications > 0;
        let bytes: u64 = cost
            .layers
            .iter()
            .filter(is_network)
            .map(|layer| layer.bytes)
            .sum();
        assert_eq!(rows as u64 * bytes, executed.values * WORD, "{model}");
        let parameters: usize = ranker
            .weights
            .tensors(&spec)
            .iter()
            .map(|tensor| tensor.values.len())
            .sum();
        assert_eq!(cost.parameters, parameters as u64, "{model}");
    }
}

#[test]
fn a_table_s_bytes_are_the_rows_that_are_read_and_the_columns_that_are_written() {
    // One id of 16, and a history of 5 of the same table.
    let text = "[fields]\nf = { side = \"item\", kind = \"id\", dim = 16, buckets = 100 }\n\
         past = { side = \"user\", kind = \"ids\", shares = \"f\", from = \"feedback.o\", last = 5 }\n[objectives]\n\
         o = { group = \"g\", loss = \"binary\", absent = 0 }\n[model]\narchitecture = \"shared-bottom\"\n[score]\no = 1.0\n";
    let cost = Cost::of(&parsed(text));
    assert_eq!(cost.layers[0].bytes, 4 * 16 * (1 + 5 + 2));
}
