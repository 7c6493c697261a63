//! The exponential function as a loop over vectors can compute it: no branch, no call.

/// Below this `e^x` is 0: smaller than the smallest normal number.
const LOWEST: f32 = -87.0;
/// `1.5 * 2^23`: a number to which this is added is rounded to an integer, which the lowest bits hold.
const ROUNDER: f32 = 12_582_912.0;
/// ln 2 in two parts: products of the first with small integers are exact.
const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];
/// `1 / n!` from the 7th down to the 2nd: the series of e^r, whose rest for |r| <= ln 2 / 2 is below a tenth of the last place.
const SERIES: [f32; 6] = [1.0 / 5040.0, 1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5];

/// `e^x` for `x <= 0`, within 2 units in the last place; 0 below -87. What is no number stays none.
#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    let rounded = x * std::f32::consts::LOG2_E + ROUNDER;
    let n = rounded - ROUNDER;
    let r = (x - n * LN_2[0]) - n * LN_2[1];
    let mut sum = SERIES[0];
    for term in &SERIES[1..] {
        sum = sum * r + term;
    }
    let value = (sum * r * r + r) + 1.0;
    // 2^n: n goes from the lowest bits to the exponent's.
    let power = f32::from_bits((rounded.to_bits() << 23).wrapping_add(1.0f32.to_bits()));
    if x < LOWEST { 0.0 } else { value * power }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_within_two_units_in_the_last_place() {
        let mut most = 0.0f64;
        for at in 0..=870_000 {
            let x = -(at as f32) * 1e-4;
            let exact = f64::from(x).exp();
            let unit = f64::from(f32::from_bits((exact as f32).to_bits() + 1) - exact as f32);
            most = most.max((f64::from(exp(x)) - exact).abs() / unit);
        }
        assert!(most < 2.0, "{most} units in the last place");
        assert_eq!(exp(0.0), 1.0);
    }

    #[test]
    fn what_is_very_small_is_zero_and_what_is_no_number_stays_none() {
        assert_eq!([exp(-87.1), exp(-1e30), exp(f32::NEG_INFINITY)], [0.0; 3]);
        assert!(exp(f32::NAN).is_nan());
    }
}
