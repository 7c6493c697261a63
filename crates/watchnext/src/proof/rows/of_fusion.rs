//! Row 18: score weights.

use super::{Claim, Gate, Row};
use crate::proof::cell::examination_name;
use crate::proof::fusion::Fused;

/// Row 18.
pub(super) fn rows(fusions: &[Fused]) -> Vec<Row> {
    let mut kinds: Vec<(&str, &str)> = Vec::new();
    for fused in fusions {
        let kind = kind(fused);
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    let of = |wanted: (&str, &str), value: fn(&Fused) -> f64| -> Vec<f64> {
        fusions
            .iter()
            .filter(|fused| kind(fused) == wanted)
            .map(value)
            .collect()
    };
    let claims = kinds.into_iter().flat_map(|kind| {
        let (world, logger) = kind;
        let what = |of: &str| format!("{world} world, {logger} logger, {of}");
        [
            Claim::new(
                what("true reward lost by the tuned weights"),
                of(kind, |fused| fused.regret),
                Gate::MeanAtMost(0.02),
            ),
            Claim::new(
                what("what weights that are all alike lose beyond that"),
                of(kind, |fused| fused.all_alike - fused.regret),
                Gate::MeanAbove(0.0),
            ),
        ]
    });
    vec![Row::new(
        18,
        "Weights tuned on logged candidate sets are near the best",
        claims.collect(),
    )]
}

fn kind(fused: &Fused) -> (&'static str, &'static str) {
    (
        examination_name(fused.fusion.examination),
        fused.fusion.logger.name(),
    )
}
