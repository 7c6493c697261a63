//! A straight line in the logarithm of the position, by logistic regression beside a known offset, and how far to trust it.
//!
//! In: labels with their positions and the logits of everything else. Out: a [`Line`] with the variance of its slope, and the share of
//! it in a mixture with another estimate.

/// Fewer rows give no line.
const FEWEST: usize = 20;
/// Steps of Newton's method, and halvings of one of them.
const STEPS: usize = 50;
/// A slope beyond this is no estimate: the labels of a position are all alike.
const STEEPEST: f64 = 20.0;
/// What slopes that are learned jointly with everything else err by where positions tell little of relevance, as a standard
/// deviation.
const PRIOR: f64 = 0.1;
/// The 99.9 % point of a standard normal distribution.
const NORMAL_999: f64 = 3.090_232_3;
/// Steps that gain less log likelihood than this are the last.
const GAIN: f64 = 1e-10;

/// One label at one position.
#[derive(Debug, Clone, Copy)]
pub(super) struct Labelled {
    /// Logarithm of the position.
    pub(super) x: f64,
    /// The logit without the position.
    pub(super) offset: f64,
    /// From 0 to 1.
    pub(super) label: f64,
}

/// `offset + level + slope x`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Line {
    pub(super) level: f64,
    pub(super) slope: f64,
    /// Variance of the slope: its entry in the inverse of the information at the maximum.
    pub(super) variance: f64,
}

impl Line {
    /// Maximises the likelihood of the labels, `sum(label z - ln(1 + e^z))` with `z = offset + level + slope x`, by Newton's method
    /// whose steps are halved until the likelihood rises. `None` where the rows are too few, of one position or one class, or where
    /// the maximum is at infinity.
    pub(super) fn fit(rows: &[Labelled]) -> Option<Line> {
        if rows.len() < FEWEST {
            return None;
        }
        let mean = |of: fn(&Labelled) -> f64| rows.iter().map(of).sum::<f64>() / rows.len() as f64;
        let rate = mean(|row| row.label);
        if !(rate > 0.0 && rate < 1.0) {
            return None;
        }
        let (mut level, mut slope) = ((rate / (1.0 - rate)).ln() - mean(|row| row.offset), 0.0);
        let mut likelihood = log_likelihood(rows, level, slope);
        for _ in 0..STEPS {
            let ([of_level, of_slope], information) = derivatives(rows, level, slope);
            let [of_levels, between, of_slopes] = information;
            let determinant = of_levels * of_slopes - between * between;
            if determinant.is_nan() || determinant <= 1e-9 * of_levels * of_slopes {
                return None;
            }
            let mut step = [
                (of_slopes * of_level - between * of_slope) / determinant,
                (of_levels * of_slope - between * of_level) / determinant,
            ];
            if step[0] * of_level + step[1] * of_slope < GAIN {
                let variance = of_levels / determinant;
                return (slope.abs() < STEEPEST).then_some(Line {
                    level,
                    slope,
                    variance,
                });
            }
            let mut next = log_likelihood(rows, level + step[0], slope + step[1]);
            for _ in 0..STEPS {
                if next >= likelihood {
                    break;
                }
                step = step.map(|step| step / 2.0);
                next = log_likelihood(rows, level + step[0], slope + step[1]);
            }
            (level, slope, likelihood) = (level + step[0], slope + step[1], next);
        }
        None
    }
}

fn log_likelihood(rows: &[Labelled], level: f64, slope: f64) -> f64 {
    let of_row = |row: &Labelled| {
        let z = row.offset + level + slope * row.x;
        // ln(1 + e^z) without overflow.
        row.label * z - (z.max(0.0) + (-z.abs()).exp().ln_1p())
    };
    rows.iter().map(of_row).sum()
}

/// Gradient of the log likelihood by level and slope, and the information: level-level, level-slope, slope-slope.
fn derivatives(rows: &[Labelled], level: f64, slope: f64) -> ([f64; 2], [f64; 3]) {
    let (mut gradient, mut information) = ([0.0; 2], [0.0; 3]);
    for row in rows {
        let p = 1.0 / (1.0 + (-(row.offset + level + slope * row.x)).exp());
        let (residual, weight) = (row.label - p, p * (1.0 - p));
        gradient[0] += residual;
        gradient[1] += residual * row.x;
        information[0] += weight;
        information[1] += weight * row.x;
        information[2] += weight * row.x * row.x;
    }
    (gradient, information)
}

/// Least-squares slope of `(x, y, weight)`; `None` where all `x` are one.
pub(super) fn slope_of(points: &[(f64, f64, f64)]) -> Option<f64> {
    let total: f64 = points.iter().map(|(_, _, weight)| weight).sum();
    let mean =
        |of: fn(&(f64, f64, f64)) -> f64| points.iter().map(|point| point.2 * of(point)).sum::<f64>() / total;
    let (x, y) = (mean(|point| point.0), mean(|point| point.1));
    let (mut above, mut below) = (0.0, 0.0);
    for point in points {
        above += point.2 * (point.0 - x) * (point.1 - y);
        below += point.2 * (point.0 - x).powi(2);
    }
    (below > 0.0).then(|| above / below)
}

/// The share of each shuffled line in the mixture with the jointly learned curve: `t / (t + v)`, with `v` the variance of the
/// line's slope and `t` that of the joint slope's error, which all cells share. `cells` are pairs of the difference of the two slopes
/// and `v`.
///
/// `t` is [`PRIOR`]² unless the differences say more: where `sum(d² / v)` is above the 99.9 % point of chi square with as many degrees
/// of freedom as cells, the joint slopes err by more than the lines' noise, and `t` solves `sum(d² / (v + t))` = cells (the
/// estimator of Paule and Mandel, 1982, about a mean of 0), if that is more. So few slates leave the joint curve nearly as it is, unless
/// they plainly speak against it.
pub(super) fn weights(cells: &[(f64, f64)]) -> Vec<f64> {
    let spread = |t: f64| -> f64 { cells.iter().map(|(d, v)| d * d / (v + t)).sum() };
    let count = cells.len() as f64;
    let mut t = PRIOR * PRIOR;
    // Chi square's quantile as Wilson and Hilferty have it.
    let share = 2.0 / (9.0 * count);
    let limit = count * (1.0 - share + NORMAL_999 * share.sqrt()).powi(3);
    if spread(0.0) > limit && spread(t) > count {
        let (mut low, mut high) = (t, 2.0 * t);
        while spread(high) > count {
            high *= 2.0;
        }
        for _ in 0..100 {
            t = (low + high) / 2.0;
            if spread(t) > count {
                low = t;
            } else {
                high = t;
            }
        }
    }
    cells.iter().map(|(_, v)| t / (t + v)).collect()
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    /// Shuffled slates of ten in a cell whose true slope is `slope`.
    fn slates(rng: &mut ChaCha8Rng, count: usize, slope: f64) -> Vec<Labelled> {
        let normal = |rng: &mut ChaCha8Rng| {
            let sum: f64 = (0..12).map(|_| rng.random::<f64>()).sum();
            sum - 6.0
        };
        let mut rows = Vec::new();
        for _ in 0..count {
            for position in 1..=10 {
                let (x, offset) = (f64::from(position).ln(), normal(rng) - 1.1);
                // What no feature shows, as in any log.
                let z = offset + 0.5 * normal(rng) + 0.2 + slope * x;
                let label = f64::from(u8::from(rng.random::<f64>() < 1.0 / (1.0 + (-z).exp())));
                rows.push(Labelled { x, offset, label });
            }
        }
        rows
    }

    #[test]
    fn the_slope_of_many_slates_is_the_true_one_within_its_error() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let line = Line::fit(&slates(&mut rng, 20_000, -0.8)).unwrap();
        assert!((line.slope + 0.8).abs() < 0.05, "{line:?}");
        // Over many draws the slopes spread as their variance says.
        let slopes: Vec<Line> = (0..200)
            .map(|_| Line::fit(&slates(&mut rng, 100, -0.8)).unwrap())
            .collect();
        let mean = slopes.iter().map(|line| line.slope).sum::<f64>() / 200.0;
        let spread = slopes.iter().map(|line| (line.slope - mean).powi(2)).sum::<f64>() / 199.0;
        let said = slopes.iter().map(|line| line.variance).sum::<f64>() / 200.0;
        assert!((0.7..1.4).contains(&(spread / said)), "{spread} {said}");
    }

    #[test]
    fn at_the_maximum_the_gradient_is_zero_wherever_the_offsets_are() {
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        for shift in [0.0, -8.0, 30.0] {
            let mut rows = slates(&mut rng, 50, -0.5);
            rows.iter_mut().for_each(|row| row.offset += shift);
            let line = Line::fit(&rows).unwrap();
            let ([of_level, of_slope], _) = derivatives(&rows, line.level, line.slope);
            assert!(
                of_level.abs() < 1e-3 && of_slope.abs() < 1e-3,
                "{shift}: {of_level} {of_slope}"
            );
        }
    }

    #[test]
    fn rows_that_tell_nothing_give_no_line() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let rows = slates(&mut rng, 10, -0.5);
        assert_eq!(Line::fit(&rows[..FEWEST - 1]), None, "few");
        let with = |change: fn(&mut Labelled)| {
            let mut rows = rows.clone();
            rows.iter_mut().for_each(change);
            Line::fit(&rows)
        };
        assert_eq!(with(|row| row.x = 0.0), None, "one position");
        assert_eq!(with(|row| row.label = 0.0), None, "one class");
        assert_eq!(
            with(|row| row.label = f64::from(u8::from(row.x < 1.0))),
            None,
            "separated"
        );
    }

    /// Mean error of curves at positions 1 to 10, relative to the first: of the joint one, the line alone, the mixture.
    fn errors(slates_in_all: usize, joint_error: impl Fn(&mut ChaCha8Rng) -> f64) -> [f64; 3] {
        let cells = [(-0.8, 0.6), (-0.5, 0.25), (-1.2, 0.15)];
        let mut rng = ChaCha8Rng::seed_from_u64(4);
        let mut errors = [0.0; 3];
        for _ in 0..200 {
            let mut found = Vec::new();
            for (truth, share) in cells {
                let rows = slates(&mut rng, (slates_in_all as f64 * share) as usize, truth);
                let joint = truth + joint_error(&mut rng);
                found.extend(Line::fit(&rows).map(|line| (truth, joint, line)));
            }
            let pairs: Vec<(f64, f64)> = found
                .iter()
                .map(|(_, joint, line)| (line.slope - joint, line.variance))
                .collect();
            for ((truth, joint, line), weight) in found.iter().zip(weights(&pairs)) {
                let mixed = weight * line.slope + (1.0 - weight) * joint;
                for (sum, slope) in errors.iter_mut().zip([*joint, line.slope, mixed]) {
                    *sum += (slope - truth).abs();
                }
            }
        }
        errors
    }

    #[test]
    fn few_slates_leave_a_good_joint_curve_as_good_and_mend_a_bad_one() {
        let good = |rng: &mut ChaCha8Rng| 0.2 * rng.random::<f64>() - 0.1;
        for slates in [50, 100, 250, 450] {
            let [joint, line, mixed] = errors(slates, good);
            assert!(mixed <= 1.05 * joint, "{slates}: {joint} {line} {mixed}");
            assert!(
                slates > 300 || line > 1.5 * joint,
                "{slates}: the line alone is worse: {line} {joint}"
            );
        }
        let bad = |_: &mut ChaCha8Rng| -0.6;
        for slates in [250, 450] {
            let [joint, line, mixed] = errors(slates, bad);
            assert!(mixed < 0.4 * joint, "{slates}: {joint} {line} {mixed}");
        }
        let [joint, line, mixed] = errors(2_000, good);
        assert!(
            mixed < joint && mixed < 1.1 * line,
            "many slates: {joint} {line} {mixed}"
        );
    }
}
