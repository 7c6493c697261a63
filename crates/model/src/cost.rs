//! What a declared network costs: shapes, parameters, multiplications per scored candidate, memory.

use spec::{Architecture, Kind, Rows, Source, Spec, Table, TableOptimizer};

use crate::{KeyMap, Plan};

/// One line of the drawing.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Layer {
    /// Name of the layer.
    pub name: String,
    /// Its shape in words, as `8 x [256 -> 128 -> 64]`.
    pub shape: String,
    /// Weights and biases.
    pub parameters: u64,
    /// Multiplications per candidate.
    pub multiplications: u64,
}

/// The cost of a whole ranker.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Cost {
    /// From the input to the score.
    pub layers: Vec<Layer>,
    /// Columns of the network's input.
    pub input_width: usize,
    /// Sum over the layers.
    pub parameters: u64,
    /// Sum over the layers.
    pub multiplications: u64,
    /// Bytes of a ranker that serves: weights, and how often training met each row or the key of each. Tables with a `capacity`
    /// count as full; they are mapped, so that only what requests read stays in memory.
    pub serving_bytes: u64,
    /// Bytes of a ranker that learns: what serves, the optimizers' state, gradients, and about the examples of two
    /// `shuffle_window`s: one is learned from while the next is filled. Not what holds them beside: data that is read, the logistic
    /// regression, a checkpoint.
    pub training_bytes: u64,
    /// About the bytes of an encoded example.
    pub example_bytes: u64,
    /// Most bytes of encoded examples that are kept between epochs; 0 where there is one epoch.
    pub cache_bytes: u64,
    /// About the bytes of the two windows that `training_bytes` has.
    #[serde(skip)]
    window_bytes: u64,
}

/// Bytes of a weight, a row number, a gradient.
const WORD: u64 = 4;
/// Ids or n-grams that an example is taken to have in a field of several whose number is not declared.
const IDS_A_FIELD: u64 = 16;

impl Cost {
    /// Counts the network of `spec`. Look-ups and activations are not multiplications; mixing experts is.
    pub fn of(spec: &Spec) -> Cost {
        let plan = Plan::of(spec);
        let mut layers = Vec::new();
        for table in spec.tables.iter().filter(|table| table.dim > 0) {
            let rows = table.len() as u64 + 1;
            let most = if table.is_keyed() { "up to " } else { "" };
            let shape = format!("{most}{} rows + new, x {}", table.len(), table.dim);
            layers.push(Layer {
                name: format!("table {}", table.name),
                shape,
                parameters: rows * table.dim as u64,
                multiplications: 0,
            });
        }
        let objectives = spec.objectives.len() as u64;
        let mut width = add_chains(&mut layers, "shared", 1, plan.width(), &spec.model.shared);
        if let (Architecture::Mmoe, Some(experts)) = (spec.model.architecture, &spec.model.experts) {
            let count = experts.count as u64;
            let hidden = width as u64;
            width = add_chains(&mut layers, "experts", count, width, &experts.widths);
            let gates = hidden * count * objectives;
            layers.push(Layer {
                name: "gates".to_owned(),
                shape: format!("{objectives} x [{hidden} -> {count}] softmax"),
                parameters: gates,
                multiplications: gates,
            });
            layers.push(Layer {
                name: "mix".to_owned(),
                shape: format!("{objectives} x [{count}] x [{count}, {width}]"),
                parameters: 0,
                multiplications: objectives * count * width as u64,
            });
        }
        let towers: Vec<usize> = spec.model.towers.iter().copied().chain([1]).collect();
        add_chains(&mut layers, "towers", objectives, width, &towers);
        if let Some(bias) = &spec.bias {
            let tower = crate::ShallowTower::new(spec, bias);
            layers.push(Layer {
                name: "shallow tower".to_owned(),
                shape: format!(
                    "{} objectives x {} cells x {} positions",
                    bias.objectives.len(),
                    tower.cells,
                    tower.positions + 1
                ),
                parameters: tower.weight.iter().map(|weight| weight.len() as u64).sum(),
                multiplications: 0,
            });
        }
        let parameters: u64 = layers.iter().map(|layer| layer.parameters).sum();
        let weights = parameters * WORD;
        let example_bytes = example_bytes(spec, &plan);
        let window_bytes = 2 * spec.train.shuffle_window as u64 * example_bytes;
        Cost {
            input_width: plan.width(),
            serving_bytes: weights + spec.tables.iter().map(id_bytes_served).sum::<u64>(),
            training_bytes: weights
                + spec.tables.iter().map(id_bytes_learned).sum::<u64>()
                + learning_bytes(spec, &plan, parameters)
                + window_bytes,
            example_bytes,
            cache_bytes: if spec.train.epochs > 1 {
                spec.train.cache
            } else {
                0
            },
            window_bytes,
            parameters: layers.iter().map(|layer| layer.parameters).sum(),
            multiplications: layers.iter().map(|layer| layer.multiplications).sum(),
            layers,
        }
    }

    /// Whether a training part of `rows` examples is kept in memory between epochs.
    pub fn keeps(&self, rows: u64) -> bool {
        rows * self.example_bytes <= self.cache_bytes
    }

    /// As `training_bytes`, where the training part has `rows` examples: all of them, if they are kept between epochs, else those of
    /// two windows.
    pub fn training_bytes_of(&self, rows: u64) -> u64 {
        let all = rows * self.example_bytes;
        let examples = if self.keeps(rows) {
            all
        } else {
            all.min(self.window_bytes)
        };
        self.training_bytes - self.window_bytes + examples
    }
}

/// Bytes by which a table that serves tells its ids: a row's sightings in a byte, or the key of each row.
fn id_bytes_served(table: &Table) -> u64 {
    match table.rows {
        Rows::Keyed { capacity, .. } => 8 * u64::from(capacity),
        _ => table.len() as u64 + 1,
    }
}

/// The same of a table that learns: with the map from keys to rows, ids that wait, and when each row was met.
fn id_bytes_learned(table: &Table) -> u64 {
    match table.rows {
        Rows::Keyed {
            capacity,
            forget_after_ms,
        } => KeyMap::bytes(capacity, table.admit_after, forget_after_ms.is_some()),
        _ => table.len() as u64 + 1,
    }
}

/// Rows of all tables.
fn rows(spec: &Spec) -> u64 {
    spec.tables.iter().map(|table| table.len() as u64 + 1).sum()
}

/// What learning takes beside the ranker.
fn learning_bytes(spec: &Spec, plan: &Plan, parameters: u64) -> u64 {
    let of_tables: u64 = (spec.tables.iter())
        .map(|table| (table.len() as u64 + 1) * table.dim as u64)
        .sum();
    let dense = parameters - of_tables;
    let table_state = match spec.train.table_optimizer {
        TableOptimizer::Adagrad => rows(spec),
        TableOptimizer::Adam => 2 * of_tables,
    };
    // A gradient of a table has a slot for each row, and the rows that a batch touches.
    let batch = spec.train.batch as u64;
    let touched: u64 = (plan.ids.iter())
        .map(|input| {
            let rows = spec.tables[input.table].len() as u64 + 1;
            rows.min(batch * ids(spec, input.field)) * input.dim as u64
        })
        .sum();
    let words = 2 * dense + table_state + dense + rows(spec) + touched;
    words * WORD
}

/// Ids of an example in an embedded field.
fn ids(spec: &Spec, field: usize) -> u64 {
    let declared = &spec.fields[field];
    match (&declared.kind, &declared.source) {
        (Kind::Ids { .. }, Source::History { last, .. }) => *last as u64,
        (Kind::Ids { .. } | Kind::Text { .. }, _) => IDS_A_FIELD,
        _ => 1,
    }
}

/// About the bytes of an encoded example.
fn example_bytes(spec: &Spec, plan: &Plan) -> u64 {
    let ids: u64 = (plan.ids.iter())
        .map(|input| {
            let weighted = matches!(spec.fields[input.field].kind, Kind::Ids { weights: Some(_), .. });
            // A key is two words.
            let keyed = spec.tables[input.table].is_keyed();
            1 + ids(spec, input.field) * (1 + u64::from(keyed) + u64::from(weighted))
        })
        .sum();
    let durations = spec
        .objectives
        .iter()
        .filter(|objective| objective.loss.needs_duration());
    let labels = (spec.objectives.len() + durations.count()) as u64;
    // Cell, position and weight; key, person, slate and time.
    WORD * (plan.dense_width as u64 + ids + labels + 3) + 8 * 4
}

/// Adds `count` equal chains of dense layers; returns the width of one's output.
fn add_chains(layers: &mut Vec<Layer>, name: &str, count: u64, inputs: usize, widths: &[usize]) -> usize {
    let Some(&last) = widths.last() else { return inputs };
    let sizes: Vec<u64> = [inputs].iter().chain(widths).map(|&width| width as u64).collect();
    let multiplications: u64 = sizes.windows(2).map(|pair| pair[0] * pair[1]).sum();
    let biases: u64 = sizes[1..].iter().sum();
    let arrows = sizes.iter().map(u64::to_string).collect::<Vec<_>>().join(" -> ");
    layers.push(Layer {
        name: name.to_owned(),
        shape: if count == 1 {
            format!("[{arrows}]")
        } else {
            format!("{count} x [{arrows}]")
        },
        parameters: count * (multiplications + biases),
        multiplications: count * multiplications,
    });
    last
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Network;
    use crate::testing::{BOTTOMS, MIXTURES, parsed, ranker_of, spec_with};

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

    /// One multiplication for each weight of a product, and those of the mixture.
    fn executed(network: &Network) -> u64 {
        let products = network
            .tensors()
            .into_iter()
            .filter(|tensor| tensor.shape.len() == 2);
        let products: usize = products
            .map(|tensor| tensor.shape.iter().product::<usize>())
            .sum();
        let mix = match network {
            Network::SharedBottom(_) => 0,
            Network::Mmoe(mmoe) => mmoe.towers.len() * mmoe.experts.count * mmoe.experts.output_width(),
        };
        (products + mix) as u64
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
        let taken =
            bytes(batch.dense.len() + ids.sum::<usize>() + floats.sum::<usize>() + 3 * 1000) + 32 * 1000;
        // The random batch has 1.5 ids a field of several, the estimate 16.
        let fewer = (16.0 - 1.5) * 4.0 * (2.0 + 2.0 + 1.0);
        let estimate = example_bytes(&spec, ranker.encoder.plan()) as f64 - fewer;
        assert!(
            (estimate - taken as f64 / 1000.0).abs() < 3.0,
            "{estimate}, {taken}"
        );
    }

    #[test]
    fn it_counts_the_multiplications_that_are_executed_and_the_parameters_that_exist() {
        let specs = MIXTURES.iter().chain(&BOTTOMS).map(|model| spec_with(model));
        for spec in specs.chain([crate::testing::spec_of_times()]) {
            let model = &spec.text;
            let (cost, weights) = (Cost::of(&spec), ranker_of(&spec, 1).weights);
            assert_eq!(cost.multiplications, executed(&weights.network), "{model}");
            let parameters: usize = weights
                .tensors(&spec)
                .iter()
                .map(|tensor| tensor.values.len())
                .sum();
            assert_eq!(cost.parameters, parameters as u64, "{model}");
        }
    }
}
