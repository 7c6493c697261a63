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
fn memory_is_that_of_the_weights_the_optimizers_the_gradients_and_the_window() {
    // A table of 100 + 1 rows of 16, a network 16 -> 1 with a bias.
    let text = "[fields]\nf = { side = \"item\", kind = \"id\", dim = 16, buckets = 100 }\n[objectives]\n\
         o = { group = \"g\", loss = \"binary\", absent = 0 }\n[model]\narchitecture = \"shared-bottom\"\n\
         [score]\no = 1.0\n[train]\nbatch = 50\nshuffle_window = 1000\n";
    let cost = Cost::of(&parsed(text));
    assert_eq!(cost.serving_bytes, 4 * (101 * 16 + 17) + 101);
    // Offset and row, one label, cell, position and weight; four words of 8 bytes.
    let window = 2 * 1000 * (4 * (2 + 1 + 3) + 32);
    let gradients = 4 * (17 + 101 + 50 * 16);
    let moments = 4 * 2 * 17;
    assert_eq!(
        cost.training_bytes - cost.serving_bytes,
        window + gradients + moments + 4 * 101
    );
    let adam = Cost::of(&parsed(&format!("{text}table_optimizer = \"adam\"\n")));
    assert_eq!(
        adam.training_bytes - adam.serving_bytes,
        window + gradients + moments + 4 * 2 * 101 * 16
    );
}

#[test]
fn a_table_by_id_counts_as_full_with_its_map() {
    let cost = |rows: &str| {
        Cost::of(&parsed(&format!(
            "[fields]\nf = {{ side = \"item\", kind = \"id\", dim = 16, {rows} }}\n[objectives]\n\
             o = {{ group = \"g\", loss = \"binary\", absent = 0 }}\n[model]\narchitecture = \"shared-bottom\"\n\
             [score]\no = 1.0\n"
        )))
    };
    let (hashed, keyed) = (
        cost("buckets = 1000"),
        cost("capacity = 1000, forget_after = \"9d\""),
    );
    assert_eq!(keyed.layers[0].shape, "up to 1000 rows + new, x 16");
    assert_eq!(keyed.parameters, hashed.parameters);
    assert_eq!(keyed.serving_bytes, hashed.serving_bytes - 1001 + 8 * 1000);
    // The window's keys are two words each.
    let window = 2 * parsed(&small("")).train.shuffle_window as u64 * 4;
    let map = KeyMap::bytes(1000, 1, true);
    assert_eq!(keyed.training_bytes, hashed.training_bytes - 1001 + map + window);
}

#[test]
fn a_training_part_counts_whole_where_it_is_kept_between_epochs_and_as_two_windows_where_not() {
    let of = |train: &str| {
        Cost::of(&parsed(&format!(
            "{}[train]\nshuffle_window = 1000\n{train}",
            small("")
        )))
    };
    let cost = of("cache = \"1MB\"");
    let bare = cost.training_bytes - 2 * 1000 * cost.example_bytes;
    let fit = 1_000_000 / cost.example_bytes;
    assert!(fit > 2000, "{fit}");
    assert!(cost.keeps(fit) && !cost.keeps(fit + 1));
    assert_eq!(cost.training_bytes_of(fit), bare + fit * cost.example_bytes);
    assert_eq!(cost.training_bytes_of(fit + 1), cost.training_bytes);
    assert_eq!(cost.training_bytes_of(10), bare + 10 * cost.example_bytes);
    assert_eq!(of("cache = \"1MB\"\nepochs = 1").cache_bytes, 0);
    assert_eq!(of("").cache_bytes, 1 << 30);
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
