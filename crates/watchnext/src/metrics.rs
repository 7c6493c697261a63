//! Metrics as tables: a row per objective, the baseline's value behind the model's.

use train::{Evaluation, ObjectiveMetrics};

use crate::terminal::{number, table};

/// A metric: its heading, its digits, where it is.
struct Column {
    name: &'static str,
    digits: usize,
    of: fn(&ObjectiveMetrics) -> Option<f64>,
    /// Whether the baseline's value stands beside it.
    beside: bool,
}

const fn column(
    name: &'static str,
    digits: usize,
    of: fn(&ObjectiveMetrics) -> Option<f64>,
    beside: bool,
) -> Column {
    Column {
        name,
        digits,
        of,
        beside,
    }
}

const ALL: [Column; 7] = [
    column("AUC", 4, |m| m.auc, true),
    column("GAUC", 4, |m| m.gauc, true),
    column("loss", 4, |m| m.loss, true),
    column("constant", 4, |m| m.constant_loss, false),
    column("NE", 4, |m| m.normalized_entropy, false),
    column("calibration", 3, |m| m.calibration, false),
    column("ECE", 4, |m| m.calibration_error, false),
];

const SLATES: [Column; 6] = [
    column("slate AUC", 4, |m| m.slate_auc, true),
    column("NDCG@10", 4, |m| m.ndcg_10, true),
    column("AUC at equal position", 4, |m| m.equal_position_auc, true),
    column("as served: AUC", 4, |m| m.missing_auc, true),
    column("at equal position", 4, |m| m.missing_equal_position_auc, true),
    column("calibration", 3, |m| m.missing_calibration, false),
];

const AMOUNTS: [Column; 2] = [
    column("XAUC", 4, |m| m.xauc, true),
    column("mean absolute error", 4, |m| m.mean_absolute_error, true),
];

/// All tables that have anything to say, one below the other. `logistic`: the baseline's, on the same examples.
pub(crate) fn tables(model: &Evaluation, logistic: Option<&Evaluation>) -> String {
    let mut out = vec![main(model, logistic)];
    for columns in [&SLATES[..], &AMOUNTS] {
        let said = |metrics: &&ObjectiveMetrics| columns.iter().any(|column| (column.of)(metrics).is_some());
        let objectives: Vec<&ObjectiveMetrics> = model.objectives.iter().filter(said).collect();
        if !objectives.is_empty() {
            out.push(grid(columns, &objectives, logistic));
        }
    }
    out.extend(shuffled(model, logistic));
    if logistic.is_some() {
        out.push("LR: a logistic regression on the same inputs".to_owned());
    }
    out.join("\n\n")
}

/// The table of shuffled slates, where there are some.
fn shuffled(model: &Evaluation, logistic: Option<&Evaluation>) -> Option<String> {
    let mut header = vec![
        "objective",
        "shuffled slates",
        "list AUC, as served",
        "95 % interval",
    ];
    header.extend(logistic.map(|_| "LR"));
    let rows: Vec<Vec<String>> = (model.objectives.iter().enumerate())
        .filter_map(|(at, metrics)| {
            let of = metrics.shuffled_list_auc?;
            let mut row = vec![
                metrics.name.clone(),
                of.slates.to_string(),
                number(Some(of.auc.mean), 4),
                format!("{:.4} to {:.4}", of.auc.low, of.auc.high),
            ];
            let beside = logistic.map(|logistic| logistic.objectives.get(at)?.shuffled_list_auc);
            row.extend(beside.map(|of| number(of.map(|of| of.auc.mean), 4)));
            Some(row)
        })
        .collect();
    (!rows.is_empty()).then(|| table(&header, &rows))
}

/// The table of every objective.
pub(crate) fn main(model: &Evaluation, logistic: Option<&Evaluation>) -> String {
    grid(&ALL, &model.objectives.iter().collect::<Vec<_>>(), logistic)
}

fn grid(columns: &[Column], objectives: &[&ObjectiveMetrics], logistic: Option<&Evaluation>) -> String {
    // A column without any value is left out.
    let columns: Vec<&Column> = columns
        .iter()
        .filter(|column| objectives.iter().any(|metrics| (column.of)(metrics).is_some()))
        .collect();
    let mut header = vec!["objective", "examples", "mean label"];
    for column in &columns {
        header.push(column.name);
        if column.beside && logistic.is_some() {
            header.push("LR");
        }
    }
    let rows: Vec<Vec<String>> = objectives
        .iter()
        .map(|metrics| {
            let other = logistic
                .into_iter()
                .flat_map(|logistic| &logistic.objectives)
                .find(|other| other.name == metrics.name);
            let mut row = vec![
                metrics.name.clone(),
                metrics.examples.to_string(),
                number(Some(metrics.mean_label), 4),
            ];
            for column in &columns {
                row.push(number((column.of)(metrics), column.digits));
                if column.beside && logistic.is_some() {
                    row.push(number(other.and_then(column.of), column.digits));
                }
            }
            row
        })
        .collect();
    table(&header, &rows)
}
