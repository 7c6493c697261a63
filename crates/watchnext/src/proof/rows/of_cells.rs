//! Rows 1 to 12, 16 and 17: what the arms of the cells came to.

use world::Examination::{self, Additive, Product};

use super::{Claim, Gate, Row};
use crate::proof::arm::Arm;
use crate::proof::cell::{Outcome, Rater, examination_name};
use crate::proof::truth::{CurveError, Judged};

/// The results of all cells.
#[derive(Clone, Copy)]
pub(super) struct Cells<'a>(pub &'a [Outcome]);

impl<'a> Cells<'a> {
    /// The cells of one kind, by seed.
    fn of(self, examination: Examination, logger: Rater, eta: f64) -> impl Iterator<Item = &'a Outcome> {
        self.0.iter().filter(move |outcome| {
            let cell = outcome.cell;
            cell.examination == examination && cell.logger == logger && cell.eta == eta
        })
    }

    /// A quantity of an arm, per seed.
    fn values(
        self,
        (examination, logger): (Examination, Rater),
        arm: Arm,
        of: impl Fn(&Judged) -> Option<f64>,
    ) -> Vec<f64> {
        self.of(examination, logger, 1.0)
            .filter_map(|outcome| of(outcome.arm(arm)?))
            .collect()
    }

    fn ndcg(self, world: (Examination, Rater), arm: Arm) -> Vec<f64> {
        self.values(world, arm, |judged| Some(judged.ndcg))
    }

    /// nDCG of `arm` less that of `other`, per seed.
    fn gain(self, world: (Examination, Rater), arm: Arm, other: Arm) -> Vec<f64> {
        minus(&self.ndcg(world, arm), &self.ndcg(world, other))
    }

    fn curve(
        self,
        world: (Examination, Rater),
        arm: Arm,
        of: impl Fn(&CurveError) -> Option<f64>,
    ) -> Vec<f64> {
        self.values(world, arm, |judged| judged.curve.as_ref().and_then(&of))
    }

    fn gain_claim(self, world: (Examination, Rater), arm: Arm, other: Arm, gate: Gate) -> Claim {
        let what = format!("{}, nDCG: {} - {}", named(world), arm.name(), other.name());
        Claim::new(what, self.gain(world, arm, other), gate)
    }
}

fn named((examination, logger): (Examination, Rater)) -> String {
    format!(
        "{} world, {} logger",
        examination_name(examination),
        logger.name()
    )
}

fn minus(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}

fn over(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a / b).collect()
}

/// All rows that the cells decide.
pub(super) fn rows(outcomes: &[Outcome]) -> Vec<Row> {
    let cells = Cells(outcomes);
    vec![
        recovers(
            cells,
            1,
            "Under a wrong logger the tower recovers order (additive world)",
            Additive,
            0.012,
            0.004,
        ),
        recovers(
            cells,
            2,
            "Under a wrong logger the tower recovers order (product world)",
            Product,
            0.030,
            0.0,
        ),
        gap_closed(cells),
        near_full_information(cells),
        dropout(cells),
        beats_position_input(cells),
        harmless_when_random(cells),
        curve(
            cells,
            8,
            "The curve is right under a random logger",
            Rater::Random,
            0.18,
            (0.85, 1.08),
        ),
        curve(
            cells,
            9,
            "The curve is right under a wrong logger",
            Rater::Wrong,
            0.22,
            (0.90, 1.20),
        ),
        product_form(cells),
        honest_loss(cells),
        no_bias(cells),
        slice_chooses(cells),
        permuted(cells),
    ]
}

fn recovers(
    cells: Cells,
    number: u32,
    title: &'static str,
    examination: Examination,
    mean: f64,
    every: f64,
) -> Row {
    let world = (examination, Rater::Wrong);
    let claim = |gate| cells.gain_claim(world, Arm::Tower, Arm::None, gate);
    Row::new(
        number,
        title,
        vec![claim(Gate::MeanAtLeast(mean)), claim(Gate::EveryAbove(every))],
    )
}

fn gap_closed(cells: Cells) -> Row {
    let claim = |examination, least| {
        let world = (examination, Rater::Wrong);
        let gain = cells.gain(world, Arm::Tower, Arm::None);
        let gap = cells.gain(world, Arm::Full, Arm::None);
        // A ratio of means: single seeds may have a small gap.
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let share = if gain.is_empty() {
            Vec::new()
        } else {
            vec![mean(&gain) / mean(&gap)]
        };
        Claim::new(
            format!("{}, share of the gap", named(world)),
            share,
            Gate::MeanAtLeast(least),
        )
    };
    let title = "How much of the gap to full information the tower closes";
    Row::new(3, title, vec![claim(Additive, 0.45), claim(Product, 0.50)])
}

fn near_full_information(cells: Cells) -> Row {
    let claim = |examination, least| {
        let world = (examination, Rater::Wrong);
        let ratio = over(&cells.ndcg(world, Arm::Tower), &cells.ndcg(world, Arm::Full));
        Claim::new(
            format!("{}, nDCG: tower / full information", named(world)),
            ratio,
            Gate::MeanAtLeast(least),
        )
    };
    Row::new(
        4,
        "The tower's order beside that of full information",
        vec![claim(Additive, 0.975), claim(Product, 0.960)],
    )
}

fn dropout(cells: Cells) -> Row {
    let claim = cells.gain_claim(
        (Additive, Rater::Wrong),
        Arm::Tower,
        Arm::Tower0,
        Gate::MeanAtLeast(-0.002),
    );
    Row::new(5, "Drop-out of positions does no harm", vec![claim])
}

fn beats_position_input(cells: Cells) -> Row {
    let claim = |examination, bound| {
        cells.gain_claim(
            (examination, Rater::Wrong),
            Arm::Tower,
            Arm::Input,
            Gate::MeanAbove(bound),
        )
    };
    Row::new(
        6,
        "The tower beats the position as an input",
        vec![claim(Additive, 0.0), claim(Product, 0.005)],
    )
}

fn harmless_when_random(cells: Cells) -> Row {
    let claim = |examination| {
        cells.gain_claim(
            (examination, Rater::Random),
            Arm::Tower,
            Arm::None,
            Gate::MeanAtLeast(-0.002),
        )
    };
    Row::new(
        7,
        "Under a random logger the tower does no harm",
        vec![claim(Additive), claim(Product)],
    )
}

fn curve(cells: Cells, number: u32, title: &'static str, logger: Rater, most: f64, slope: (f64, f64)) -> Row {
    let world = (Additive, logger);
    let error = cells.curve(world, Arm::Tower, |curve| Some(curve.error));
    let slopes = cells.curve(world, Arm::Tower, |curve| curve.slope);
    Row::new(
        number,
        title,
        vec![
            Claim::new(
                format!("{}, error of the curve", named(world)),
                error,
                Gate::MeanAtMost(most),
            ),
            Claim::new(
                format!("{}, slope / true slope", named(world)),
                slopes,
                Gate::MeanWithin(slope.0, slope.1),
            ),
        ],
    )
}

fn product_form(cells: Cells) -> Row {
    let world = (Product, Rater::Random);
    let error = cells.curve(world, Arm::Product, |curve| Some(curve.error));
    Row::new(
        10,
        "The product form is right in a product world",
        vec![
            Claim::new(
                format!("{}, error of the curve", named(world)),
                error,
                Gate::MeanAtMost(0.20),
            ),
            cells.gain_claim(world, Arm::Product, Arm::Tower, Gate::MeanAbove(0.0)),
        ],
    )
}

/// Under a logger that knows the truth the tower loses, and the check must say that it cannot tell.
fn honest_loss(cells: Cells) -> Row {
    let strong = |examination| (examination, Rater::Strong);
    let warns = |examination| {
        let cannot_tell = cells
            .of(examination, Rater::Strong, 1.0)
            .map(|outcome| if outcome.cannot_tell() { 1.0 } else { 0.0 });
        Claim::new(
            format!("{}, the check says `cannot tell`", named(strong(examination))),
            cannot_tell.collect(),
            Gate::EveryEqual(1.0),
        )
    };
    let loss = |examination, least| {
        cells.gain_claim(
            strong(examination),
            Arm::Tower,
            Arm::None,
            Gate::MeanAtLeast(least),
        )
    };
    Row::new(
        11,
        "Under a logger that knows the truth the tower loses, a little, and the check warns",
        vec![
            loss(Additive, -0.020),
            loss(Product, -0.028),
            warns(Additive),
            warns(Product),
        ],
    )
}

fn no_bias(cells: Cells) -> Row {
    let outcomes: Vec<_> = cells.of(Additive, Rater::Weak, 0.0).collect();
    let ndcg = |outcome: &Outcome, arm| outcome.arm(arm).map(|judged| judged.ndcg);
    let gains = outcomes
        .iter()
        .filter_map(|outcome| Some(ndcg(outcome, Arm::Tower)? - ndcg(outcome, Arm::None)?));
    let tells = outcomes
        .iter()
        .map(|outcome| if outcome.cannot_tell() { 0.0 } else { 1.0 });
    let what = "world without position bias, weak logger";
    Row::new(
        12,
        "Where there is no bias the tower does no harm, and the check does not cry wolf",
        vec![
            Claim::new(
                format!("{what}, nDCG: tower - no position"),
                gains.collect(),
                Gate::MeanAtLeast(-0.004),
            ),
            Claim::new(
                format!("{what}, the check says `ok` or `caution`"),
                tells.collect(),
                Gate::EveryEqual(1.0),
            ),
        ],
    )
}

fn slice_chooses(cells: Cells) -> Row {
    let claim = |examination, logger| {
        let regrets = cells.of(examination, logger, 1.0).filter_map(|outcome| {
            let choices = Arm::CHOICES.iter().filter_map(|&arm| outcome.arm(arm));
            let best = choices
                .map(|judged| judged.ndcg)
                .fold(f64::NEG_INFINITY, f64::max);
            Some(best - outcome.arm(outcome.chosen)?.ndcg)
        });
        let what = format!("{}, nDCG lost by the chosen arm", named((examination, logger)));
        Claim::new(what, regrets.collect(), Gate::MeanAtMost(0.008))
    };
    let loggers = [Rater::Weak, Rater::Strong, Rater::Wrong];
    let claims = [Additive, Product]
        .into_iter()
        .flat_map(|examination| loggers.map(|logger| claim(examination, logger)));
    Row::new(16, "A small shuffled slice chooses the arm", claims.collect())
}

fn permuted(cells: Cells) -> Row {
    let changed = |outcome: &Outcome| outcome.arms.iter().map(|judged| judged.permuted).sum::<usize>() as f64;
    let values = cells.0.iter().map(changed).collect();
    let claim = Claim::new(
        "scores that changed, of all arms, in each cell",
        values,
        Gate::EveryEqual(0.0),
    );
    Row::new(
        17,
        "No score changes when positions are permuted at serving",
        vec![claim],
    )
}
