//! What goes on inside a trained network: which experts each objective uses, which units are dead, how full tables are, how
//! well predictions are calibrated.
//!
//! In: a ranker, what was counted while it predicted, its outcomes. Out: an [`Anatomy`], for the report and `metrics.json`.

use measure::CalibrationBin;
use model::{Activity, KeyMap, Ranker};

use crate::Outcomes;

/// Points of a calibration curve.
const BINS: usize = 10;

/// Numbers of the report's figures.
#[derive(Debug, Clone, PartialEq, Default, serde::Serialize, serde::Deserialize)]
pub struct Anatomy {
    /// Per objective: mean share of each expert in its mixture; empty for networks without gates.
    pub gates: Vec<Vec<f64>>,
    /// Per objective: share of examples on which one expert has more than 0.95 of the mixture.
    pub polarised: Vec<f64>,
    /// Layers with their units.
    pub layers: Vec<LayerUnits>,
    /// Embedding tables.
    pub tables: Vec<TableFill>,
    /// Per objective, in rising order of predictions.
    pub calibration: Vec<Vec<Bin>>,
}

/// Units of a layer of ReLUs.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct LayerUnits {
    /// The layer.
    pub name: String,
    /// All units.
    pub units: usize,
    /// Those that no example made active.
    pub dead: usize,
    /// Mean share of examples that a unit is active on.
    pub active: f64,
}

/// How full a table is.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct TableFill {
    /// The field that declares it.
    pub name: String,
    /// Rows without `new`.
    pub rows: usize,
    /// Rows that training admitted.
    pub admitted: usize,
    /// Rows that training met, too rarely to admit them; ids, where rows are given to ids.
    pub waiting: usize,
    /// Sightings that would have given an id a row, had one been free.
    #[serde(default)]
    pub refused: u64,
}

/// One bin of a calibration curve.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Bin {
    /// Mean prediction.
    pub predicted: f64,
    /// Mean label.
    pub observed: f64,
    /// Examples.
    pub examples: usize,
}

impl Anatomy {
    /// Collects it.
    pub(crate) fn of(ranker: &Ranker, outcomes: &Outcomes, activity: Option<&Activity>) -> Anatomy {
        let spec = ranker.spec();
        let count = |activity: &Activity| activity.examples.max(1) as f64;
        let gates = activity.map_or_else(Vec::new, |activity| {
            let share = |gates: &Vec<f64>| gates.iter().map(|sum| sum / count(activity)).collect();
            activity.gates.iter().map(share).collect()
        });
        let polarised = activity.map_or_else(Vec::new, |activity| {
            let share = |examples: &u64| *examples as f64 / count(activity);
            activity.polarised.iter().map(share).collect()
        });
        let layers = activity.map_or_else(Vec::new, |activity| {
            let layer = |layer: &model::LayerActivity| LayerUnits {
                name: layer.name.clone(),
                units: layer.active.len(),
                dead: layer.active.iter().filter(|active| **active == 0).count(),
                active: layer.active.iter().sum::<u64>() as f64
                    / count(activity)
                    / layer.active.len().max(1) as f64,
            };
            activity.layers.iter().map(layer).collect()
        });
        let tables = spec.tables.iter().zip(&ranker.weights.tables);
        Anatomy {
            gates,
            polarised,
            layers,
            tables: tables
                .map(|(declared, table)| {
                    let admitted = table.rows_in_use();
                    // `new` is met as often as it takes.
                    let met = table.sightings.iter().filter(|met| **met > 0).count();
                    TableFill {
                        name: declared.name.clone(),
                        rows: declared.len(),
                        admitted,
                        waiting: match table.map() {
                            Some(map) => map.waiting(),
                            None => met.saturating_sub(admitted + 1),
                        },
                        refused: table.map().map_or(0, KeyMap::refused),
                    }
                })
                .collect(),
            calibration: (0..spec.objectives.len())
                .map(|at| {
                    let bins = outcomes.calibration_bins(at, BINS);
                    bins.iter().map(Bin::of).collect()
                })
                .collect(),
        }
    }
}

impl Bin {
    fn of(bin: &CalibrationBin) -> Bin {
        Bin {
            predicted: bin.mean_prediction,
            observed: bin.mean_label,
            examples: bin.count,
        }
    }
}
