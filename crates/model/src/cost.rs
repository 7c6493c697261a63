//! What a declared network costs: shapes, parameters, multiplications per scored candidate, memory.

mod budget;
mod network;

use spec::{BiasForm, Kind, Rows, Source, Spec, Table, TableOptimizer};

pub use budget::at_budget;

use crate::{KeyMap, Plan, SHARDS};

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
    /// Bytes moved per candidate: what it reads of its input or of its table's rows, and what it writes. The weights of a network,
    /// which are read once for all candidates of a request, are not among them. Of a field of several ids about 16 rows.
    pub bytes: u64,
    /// Values that it gives for a candidate.
    #[serde(skip)]
    outputs: u64,
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
    /// Sum over the layers.
    pub bytes: u64,
    /// Bytes of a ranker that serves: weights, and how often training met each row or the key of each. Tables with a `capacity`
    /// count as full; they are mapped, so that only what requests read stays in memory.
    pub serving_bytes: u64,
    /// About the bytes of an encoded example.
    pub example_bytes: u64,
    /// Values that all layers give for a candidate.
    #[serde(skip)]
    outputs: u64,
}

/// What learning takes of memory beside the examples, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct LearningCost {
    /// Weights, and what tells which row an id has. Tables with a `capacity` count as full.
    pub ranker: u64,
    /// State of the optimizers.
    pub optimizer: u64,
    /// Gradients: of each shard and their sum, and of the rows that a batch touches.
    pub gradients: u64,
    /// What a step works on: its examples, activations, the gradient of its input, packed weights.
    pub step: u64,
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
        for (at, table) in spec.tables.iter().enumerate().filter(|(_, table)| table.dim > 0) {
            // A row of each id, and the field's columns of the input.
            let fields = plan.ids.iter().filter(|input| input.table == at);
            let values: u64 = fields
                .map(|input| (ids(spec, input.field) + 1) * input.dim as u64)
                .sum();
            let rows = table.len() as u64 + 1;
            let most = if table.is_keyed() { "up to " } else { "" };
            let shape = format!("{most}{} rows + new, x {}", table.len(), table.dim);
            layers.push(Layer {
                name: format!("table {}", table.name),
                shape,
                parameters: rows * table.dim as u64,
                multiplications: 0,
                bytes: values * WORD,
                outputs: 0,
            });
        }
        network::add(&mut layers, spec, plan.width());
        if let Some(tower) = crate::ShallowTower::of(spec) {
            layers.push(Layer {
                name: "shallow tower".to_owned(),
                shape: format!(
                    "{} objectives x {} cells x {} positions",
                    tower.objectives.len(),
                    tower.cells,
                    tower.positions + 1
                ),
                parameters: tower.weight.iter().map(|weight| weight.len() as u64).sum(),
                multiplications: 0,
                bytes: tower.objectives.len() as u64 * WORD,
                outputs: 0,
            });
        }
        let parameters: u64 = layers.iter().map(|layer| layer.parameters).sum();
        let weights = parameters * WORD;
        Cost {
            input_width: plan.width(),
            serving_bytes: weights + spec.tables.iter().map(id_bytes_served).sum::<u64>(),
            example_bytes: example_bytes(spec, &plan),
            parameters: layers.iter().map(|layer| layer.parameters).sum(),
            multiplications: layers.iter().map(|layer| layer.multiplications).sum(),
            bytes: layers.iter().map(|layer| layer.bytes).sum(),
            outputs: layers.iter().map(|layer| layer.outputs).sum(),
            layers,
        }
    }

    /// Bytes of the network's weights, which are read once for all candidates of a request.
    pub fn network_bytes(&self) -> u64 {
        let network = self.layers.iter().filter(|layer| layer.multiplications > 0);
        network.map(|layer| layer.parameters * WORD).sum()
    }

    /// What it takes to learn on `threads`.
    pub fn learning(&self, spec: &Spec, threads: usize) -> LearningCost {
        let plan = Plan::of(spec);
        let of_tables: u64 = (spec.tables.iter())
            .map(|table| (table.len() as u64 + 1) * table.dim as u64)
            .sum();
        let dense = self.parameters - of_tables;
        let rows = rows(spec);
        let table_state = match spec.train.table_optimizer {
            TableOptimizer::Adagrad => rows,
            TableOptimizer::Adam => 2 * of_tables,
        };
        // A gradient of a table has a slot for each row, and the rows that a batch touches.
        let (batch, shards) = (spec.train.batch as u64, SHARDS as u64);
        let touched = plan.ids.iter().map(|input| {
            let rows = spec.tables[input.table].len() as u64 + 1;
            rows.min(batch * ids(spec, input.field)) * (input.dim as u64 + 1)
        });
        // Outputs and their gradients, and the input, of a piece; every thread has its own.
        let workers = threads.clamp(1, SHARDS) as u64;
        let piece = crate::gradient::piece_rows(spec.train.batch, dense as usize) as u64;
        let activations = workers * piece * (2 * self.outputs + plan.width() as u64);
        let read: u64 = plan.ids.iter().map(|input| ids(spec, input.field)).sum();
        // A weight is packed as it is and turned.
        let packed = 2 * dense;
        LearningCost {
            ranker: WORD * self.parameters + spec.tables.iter().map(id_bytes_learned).sum::<u64>(),
            optimizer: WORD * (2 * dense + table_state),
            gradients: WORD * ((shards + 1) * dense + rows + touched.sum::<u64>()),
            step: WORD * (activations + batch * (plan.width() as u64 + read) + packed)
                + batch * self.example_bytes,
        }
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
    let propensity = u64::from(spec.bias.as_ref().is_some_and(|bias| bias.form == BiasForm::Ips));
    // Cell, position and weight; key, person, slate and time.
    WORD * (plan.dense_width as u64 + ids + labels + 3 + propensity) + 8 * 4
}

#[cfg(test)]
mod tests;
