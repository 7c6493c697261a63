//! Scalers of numbers: fitted on training data, frozen in the artifact.

use std::collections::BTreeSet;

use spec::{Kind, Scale, Spec};

use crate::watch::{self, Watch, WatchFit};

/// Most knots that a quantile scaler keeps; with more distinct values it keeps evenly spaced ones.
const MAX_KNOTS: usize = 4096;
/// Most distinct values that a fit looks at.
const MAX_DISTINCT: usize = 1 << 20;

/// One number's scaling.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scaler {
    /// As it is.
    None,
    /// (x - mean) / deviation.
    Standard {
        /// Mean of the training values.
        mean: f32,
        /// Their standard deviation; 1 where they do not vary.
        deviation: f32,
    },
    /// (sign(x) ln(1 + |x|) - mean) / deviation.
    Log {
        /// Mean of the logarithms of the training values.
        mean: f32,
        /// Their standard deviation; 1 where they do not vary.
        deviation: f32,
    },
    /// Mid-rank among distinct training values, linear between knots, in `[0, 1]`.
    Quantile {
        /// Distinct values, rising.
        values: Vec<f32>,
        /// Rank of each, in `(0, 1)`.
        ranks: Vec<f32>,
    },
}

impl Scaler {
    /// The scaled value of a finite `x`.
    pub fn apply(&self, x: f32) -> f32 {
        match self {
            Scaler::None => x,
            Scaler::Standard { mean, deviation } => (x - mean) / deviation,
            Scaler::Log { mean, deviation } => (logarithm(x) - mean) / deviation,
            Scaler::Quantile { values, ranks } => {
                let above = values.partition_point(|&value| value < x);
                match (above.checked_sub(1), values.get(above)) {
                    (None, _) => ranks.first().copied().unwrap_or(0.5),
                    (Some(_), None) => ranks.last().copied().unwrap_or(0.5),
                    (Some(_), Some(&value)) if value == x => ranks[above],
                    (Some(below), Some(&value)) => {
                        // In f64: the difference of two floats may be larger than any.
                        let (x, from, to) = (f64::from(x), f64::from(values[below]), f64::from(value));
                        ranks[below] + ((x - from) / (to - from)) as f32 * (ranks[above] - ranks[below])
                    }
                }
            }
        }
    }
}

/// One scaler per declared field; `None` for fields that are no numbers.
pub type Scalers = Vec<Option<Scaler>>;

/// What is fitted on training data and frozen in the artifact.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fitted {
    /// Per field.
    #[serde(rename = "fields")]
    pub scalers: Scalers,
    /// Per objective; `None` where it is no watch time.
    pub watch: Vec<Option<Watch>>,
}

/// sign(x) ln(1 + |x|).
fn logarithm(x: f32) -> f32 {
    x.abs().ln_1p().copysign(x)
}

/// What makes this none of `spec`'s; `None` where it fits.
pub(crate) fn misfit(spec: &Spec, fitted: &Fitted) -> Option<String> {
    scalers_misfit(spec, &fitted.scalers).or_else(|| watch::misfit(&spec.objectives, &fitted.watch))
}

fn scalers_misfit(spec: &Spec, scalers: &Scalers) -> Option<String> {
    if scalers.len() != spec.fields.len() {
        return Some(format!(
            "{} scalers; the declaration has {} fields",
            scalers.len(),
            spec.fields.len()
        ));
    }
    spec.fields.iter().zip(scalers).find_map(|(field, scaler)| {
        let fits = match (&field.kind, scaler) {
            (
                Kind::Number {
                    scale: Scale::None, ..
                },
                Some(Scaler::None),
            ) => true,
            (
                Kind::Number {
                    scale: Scale::Standard,
                    ..
                },
                Some(Scaler::Standard { .. }),
            ) => true,
            (
                Kind::Number {
                    scale: Scale::Log, ..
                },
                Some(Scaler::Log { .. }),
            ) => true,
            (
                Kind::Number {
                    scale: Scale::Quantile,
                    ..
                },
                Some(Scaler::Quantile { values, ranks }),
            ) => values.len() == ranks.len(),
            (Kind::Number { .. }, _) => false,
            (_, scaler) => scaler.is_none(),
        };
        (!fits).then(|| format!("the scaler of `{}` is not of the declared kind", field.name))
    })
}

/// Collects what scalers and watch-time objectives need from a stream of training values.
#[derive(Debug, Clone)]
pub struct ScalerFit {
    fields: Vec<Option<FieldFit>>,
    watch: Vec<Option<WatchFit>>,
}

#[derive(Debug, Clone)]
struct FieldFit {
    scale: Scale,
    count: f64,
    mean: f64,
    squares: f64,
    /// Ordered bits of the distinct values.
    distinct: BTreeSet<u32>,
}

impl ScalerFit {
    /// Nothing seen yet.
    pub fn new(spec: &Spec) -> ScalerFit {
        let fields = spec
            .fields
            .iter()
            .map(|field| match field.kind {
                Kind::Number { scale, .. } => Some(FieldFit {
                    scale,
                    count: 0.0,
                    mean: 0.0,
                    squares: 0.0,
                    distinct: BTreeSet::new(),
                }),
                _ => None,
            })
            .collect();
        ScalerFit {
            fields,
            watch: spec.objectives.iter().map(WatchFit::new).collect(),
        }
    }

    /// Adds one finite value of number field `field`.
    pub fn add(&mut self, field: usize, value: f32) {
        if let Some(fit) = &mut self.fields[field] {
            fit.add(value);
        }
    }

    /// Adds an observed watch time of `objective`, of the example `key`; `duration` above 0 where its loss needs it.
    pub(crate) fn add_watch_time(&mut self, objective: usize, key: u64, duration: f32, watched: f32) {
        if let Some(fit) = &mut self.watch[objective] {
            fit.add(key, duration, watched);
        }
    }

    /// What was fitted.
    pub fn finish(self) -> Fitted {
        let fields = self.fields.into_iter();
        let watch = self.watch.into_iter();
        Fitted {
            scalers: fields.map(|fit| fit.map(FieldFit::finish)).collect(),
            watch: watch.map(|fit| fit.map(WatchFit::finish)).collect(),
        }
    }
}

impl FieldFit {
    fn add(&mut self, value: f32) {
        match self.scale {
            Scale::None => {}
            Scale::Standard => self.add_to_mean(value),
            Scale::Log => self.add_to_mean(logarithm(value)),
            Scale::Quantile => {
                // The first ones, so that memory is bounded and the fit depends on the order of the data alone.
                if self.distinct.len() < MAX_DISTINCT {
                    self.distinct.insert(ordered_bits(value));
                }
            }
        }
    }

    /// Welford's update: one pass, no cancellation.
    fn add_to_mean(&mut self, value: f32) {
        self.count += 1.0;
        let before = f64::from(value) - self.mean;
        self.mean += before / self.count;
        self.squares += before * (f64::from(value) - self.mean);
    }

    fn finish(self) -> Scaler {
        let mean = self.mean as f32;
        let deviation = (self.squares / self.count.max(1.0)).sqrt() as f32;
        let deviation = if deviation > 1e-12 { deviation } else { 1.0 };
        match self.scale {
            Scale::None => Scaler::None,
            Scale::Standard => Scaler::Standard { mean, deviation },
            Scale::Log => Scaler::Log { mean, deviation },
            Scale::Quantile => {
                let distinct: Vec<f32> = self.distinct.into_iter().map(from_ordered_bits).collect();
                let count = distinct.len();
                let kept = count.min(MAX_KNOTS);
                let pick = |knot: usize| {
                    if kept < 2 {
                        0
                    } else {
                        knot * (count - 1) / (kept - 1)
                    }
                };
                let values = (0..kept).map(|knot| distinct[pick(knot)]).collect();
                let ranks = (0..kept)
                    .map(|knot| ((pick(knot) as f64 + 0.5) / count as f64) as f32)
                    .collect();
                Scaler::Quantile { values, ranks }
            }
        }
    }
}

/// Bits whose unsigned order is the order of finite floats; -0 counts as 0.
fn ordered_bits(value: f32) -> u32 {
    let bits = (value + 0.0).to_bits();
    if bits >> 31 == 1 { !bits } else { bits | 1 << 31 }
}

fn from_ordered_bits(ordered: u32) -> f32 {
    f32::from_bits(if ordered >> 31 == 1 {
        ordered & !(1 << 31)
    } else {
        !ordered
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quantile(values: &[f32]) -> Scaler {
        let mut fit = FieldFit {
            scale: Scale::Quantile,
            count: 0.0,
            mean: 0.0,
            squares: 0.0,
            distinct: BTreeSet::new(),
        };
        fit.distinct
            .extend(values.iter().map(|&value| ordered_bits(value)));
        fit.finish()
    }

    #[test]
    fn quantile_ranks_distinct_values_so_that_many_zeros_count_once() {
        let scaler = quantile(&[0.0, 0.0, 0.0, 0.0, -5.0, 10.0, 100.0]);
        assert_eq!(
            [-5.0, 0.0, 10.0, 100.0].map(|x| scaler.apply(x)),
            [0.125, 0.375, 0.625, 0.875]
        );
        assert_eq!(scaler.apply(5.0), 0.5, "linear between knots");
        assert_eq!(
            [scaler.apply(-99.0), scaler.apply(1e9)],
            [0.125, 0.875],
            "clamped outside"
        );
    }

    #[test]
    fn quantile_of_nothing_and_of_one_value_is_the_middle() {
        assert_eq!(quantile(&[]).apply(3.0), 0.5);
        assert_eq!(quantile(&[7.0]).apply(7.0), 0.5);
    }

    #[test]
    fn quantile_of_many_values_keeps_bounded_knots_and_stays_monotone() {
        let scaler = quantile(&(0..20_000).map(|x| x as f32).collect::<Vec<_>>());
        let Scaler::Quantile { values, .. } = &scaler else {
            panic!("a quantile")
        };
        assert_eq!(values.len(), MAX_KNOTS);
        assert!((scaler.apply(10_000.0) - 0.5).abs() < 1e-3);
        assert!((0..19_999).all(|x| scaler.apply(x as f32) <= scaler.apply(x as f32 + 1.0)));
    }

    #[test]
    fn quantile_spans_the_whole_range_of_floats() {
        let scaler = quantile(&[f32::MIN, f32::MAX]);
        assert_eq!(
            [f32::MIN, 0.0, f32::MAX].map(|x| scaler.apply(x)),
            [0.25, 0.5, 0.75]
        );
    }

    #[test]
    fn log_is_standard_on_a_logarithm_that_keeps_signs() {
        let mut fit = FieldFit {
            scale: Scale::Log,
            count: 0.0,
            mean: 0.0,
            squares: 0.0,
            distinct: BTreeSet::new(),
        };
        let e = std::f32::consts::E;
        // Logarithms 1, -1, 1, -1 after ln(1 + |x|): mean 0, deviation 1.
        [e - 1.0, 1.0 - e, e - 1.0, 1.0 - e]
            .into_iter()
            .for_each(|value| fit.add(value));
        let scaler = fit.finish();
        let found = [0.0, e * e - 1.0, 1.0 - e * e].map(|x| scaler.apply(x));
        for (found, expected) in found.iter().zip([0.0, 2.0, -2.0]) {
            assert!((found - expected).abs() < 1e-6, "{found}, expected {expected}");
        }
        assert!(scaler.apply(f32::MAX) < 100.0 && scaler.apply(f32::MIN) > -100.0);
    }

    #[test]
    fn standard_is_the_distance_from_the_mean_in_deviations_and_of_a_constant_zero() {
        let fitted = |values: &[f32]| {
            let mut fit = FieldFit {
                scale: Scale::Standard,
                count: 0.0,
                mean: 0.0,
                squares: 0.0,
                distinct: BTreeSet::new(),
            };
            values.iter().for_each(|&value| fit.add(value));
            fit.finish()
        };
        let scaler = fitted(&[2.0, 6.0, 6.0, 2.0]);
        assert_eq!([4.0, 6.0, 0.0].map(|x| scaler.apply(x)), [0.0, 1.0, -2.0]);
        assert_eq!(
            fitted(&[9.0, 9.0]),
            Scaler::Standard {
                mean: 9.0,
                deviation: 1.0
            }
        );
        assert_eq!(
            fitted(&[]),
            Scaler::Standard {
                mean: 0.0,
                deviation: 1.0
            }
        );
    }

    #[test]
    fn ordered_bits_keep_the_order_of_floats() {
        let values = [-3.5f32, -1e-9, 0.0, 1e-9, 2.0, 3e8];
        assert!(
            values
                .windows(2)
                .all(|pair| ordered_bits(pair[0]) < ordered_bits(pair[1]))
        );
        assert!(
            values
                .iter()
                .all(|&value| from_ordered_bits(ordered_bits(value)) == value)
        );
        assert_eq!(ordered_bits(-0.0), ordered_bits(0.0));
    }
}
