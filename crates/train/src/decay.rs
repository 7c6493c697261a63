//! Adagrad's accumulators halve with event time: a ranker that learns for months would stop learning, did they only grow.
//!
//! In: the newest time of each batch. Out: the scale that all accumulators are kept in ([`nn::RowAdagrad::scale`]). One number decays
//! for all rows; when it is small it is folded into them, by a power of two, which changes no accumulator's value.

/// Half-lives after which the scale is folded into the accumulators.
const FOLDED: i64 = 16;

/// The clock of the accumulators: it never goes back, so a pass over what was learned before halves nothing.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Decay {
    half_life_ms: i64,
    /// When the scale was 1, and the newest time of all batches; ms since 1970. `None` before the first batch.
    clock: Option<(i64, i64)>,
}

impl Decay {
    /// Accumulators count half after `half_life_ms` of event time, from 1.
    pub(crate) fn new(half_life_ms: i64) -> Decay {
        Decay {
            half_life_ms,
            clock: None,
        }
    }

    /// The scale of a step whose batch is as new as `newest_ms`, and the factor that all accumulators are to be multiplied by
    /// before it, if the scale was folded.
    pub(crate) fn step(&mut self, newest_ms: i64) -> (f32, Option<f64>) {
        let (since, now) = self.clock.unwrap_or((newest_ms, newest_ms));
        let now = now.max(newest_ms);
        let elapsed = now.saturating_sub(since);
        let whole = elapsed / self.half_life_ms;
        let folded = if whole < FOLDED { 0 } else { whole };
        let since = since + folded * self.half_life_ms;
        self.clock = Some((since, now));
        (self.scale(), (folded > 0).then(|| power_of_half(folded)))
    }

    /// The scale since the last step; 1 before the first one.
    pub(crate) fn scale(&self) -> f32 {
        let of = |(since, now): (i64, i64)| half_to_the(now.saturating_sub(since), self.half_life_ms);
        self.clock.map_or(1.0, of) as f32
    }

    /// For a checkpoint.
    pub(crate) fn clock(&self) -> Option<[i64; 2]> {
        self.clock.map(|(since, now)| [since, now])
    }

    /// Goes on from there; `false` where no clock has such times.
    pub(crate) fn resume(&mut self, [since, now]: [i64; 2]) -> bool {
        self.clock = Some((since, now));
        since <= now
    }
}

/// `0.5^halves`, exact; 0 where no float is so small.
fn power_of_half(halves: i64) -> f64 {
    let biased = u64::try_from(1023 - halves.clamp(0, 1023)).unwrap_or(0);
    f64::from_bits(biased << 52)
}

/// `0.5^(time / half_life)`: roots of 1/2 for the bits of the fraction. A root is rounded the same on every machine, which no library's
/// power is.
fn half_to_the(time: i64, half_life: i64) -> f64 {
    let (mut power, mut root) = (power_of_half(time / half_life), 0.5f64);
    let (mut left, half_life) = (i128::from(time % half_life), i128::from(half_life));
    for _ in 0..f64::MANTISSA_DIGITS {
        root = root.sqrt();
        left *= 2;
        if left >= half_life {
            left -= half_life;
            power *= root;
        }
    }
    power
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_power_is_that_of_the_library_to_a_float_s_precision() {
        for half_life in [1, 7, 1000, 86_400_000, 3650 * 86_400_000] {
            for part in 0..=400i64 {
                let time = half_life * part / 25;
                let expected = 0.5f64.powf(time as f64 / half_life as f64);
                let found = half_to_the(time, half_life);
                assert!(
                    (found / expected - 1.0).abs() < 1e-14,
                    "{time} of {half_life}: {found}, {expected}"
                );
            }
        }
    }

    /// What accumulators that began as 1 count after batches at `times`, in half-lives of 100 ms.
    fn counts(times: &[i64]) -> f64 {
        let mut decay = Decay::new(100);
        let (mut kept, mut counts) = (1.0, 1.0);
        for time in times {
            let (scale, factor) = decay.step(*time);
            kept *= factor.unwrap_or(1.0);
            counts = kept * f64::from(scale);
        }
        counts
    }

    #[test]
    fn time_halves_and_a_batch_that_is_older_halves_nothing() {
        assert_eq!(counts(&[1000]), 1.0);
        assert_eq!(counts(&[1000, 1100]), 0.5);
        assert_eq!(counts(&[1000, 1100, 900, 1000, 1100]), 0.5);
        assert_eq!(counts(&[1000, 900, 1200]), 0.25);
        // Folded on the way, or in one go.
        assert_eq!(counts(&[0, 1500, 1600, 1700, 3300, 5000]), 0.5f64.powi(50));
        assert_eq!(counts(&[0, 5000]), 0.5f64.powi(50));
        assert_eq!(counts(&[0, 5050]), counts(&[0, 1650, 3300, 5050]));
        assert_eq!(counts(&[0, i64::MAX]), 0.0);
        assert_eq!(counts(&[i64::MIN, 0]), 0.0);
    }
}
