//! Colours: of series, of a scale, of what is written.

use plotters::style::RGBColor;

/// Eight colours that stay apart with any colour vision: Okabe and Ito, Color Universal Design (2008), black last and yellow
/// darkened, which white paper swallows.
pub(crate) const COLOURS: [RGBColor; 8] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
    RGBColor(160, 140, 0),
    RGBColor(0, 0, 0),
];

/// Axes, their numbers, intervals of bars.
pub(crate) const INK: RGBColor = RGBColor(60, 60, 60);
/// Lines of the grid.
pub(crate) const GRID: RGBColor = RGBColor(225, 225, 225);
/// A line to compare with.
pub(crate) const REFERENCE: RGBColor = RGBColor(130, 130, 130);

/// Colour of the series at `index`; they repeat after eight.
pub(crate) fn colour(index: usize) -> RGBColor {
    COLOURS[index % COLOURS.len()]
}

/// As [`colour`], half as strong from the ninth on, so that areas stay apart a little longer.
pub(crate) fn area_colour(index: usize) -> RGBColor {
    let RGBColor(red, green, blue) = colour(index);
    if index < COLOURS.len() {
        return RGBColor(red, green, blue);
    }
    let half = |part: u8| part / 2 + 127;
    RGBColor(half(red), half(green), half(blue))
}

/// A colour of one hue, light at 0 and dark at 1; equal steps look equal: the lightness of Oklab (Ottosson, 2020) is linear.
pub(crate) fn scale(share: f64) -> RGBColor {
    const BLUE: f64 = 250.0;
    let share = share.clamp(0.0, 1.0);
    // The strongest blue that a screen shows lies halfway; both ends are paler.
    let chroma = 0.015 + 0.06 * share + 0.28 * share * (1.0 - share);
    oklch(0.97 - 0.67 * share, chroma, BLUE)
}

/// White on dark colours, black on light ones: where the contrast of WCAG 2 is the greater.
pub(crate) fn text_on(colour: RGBColor) -> RGBColor {
    if luminance(colour) < 0.179 {
        RGBColor(255, 255, 255)
    } else {
        RGBColor(0, 0, 0)
    }
}

/// Relative luminance as WCAG 2 defines it, 0 to 1.
fn luminance(RGBColor(red, green, blue): RGBColor) -> f64 {
    let linear = |part: u8| {
        let part = f64::from(part) / 255.0;
        if part <= 0.04045 {
            part / 12.92
        } else {
            ((part + 0.055) / 1.055).powf(2.4)
        }
    };
    0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
}

/// Lightness 0 to 1, chroma, hue in degrees, to sRGB: the matrices of Oklab (Ottosson, 2020).
fn oklch(lightness: f64, chroma: f64, hue: f64) -> RGBColor {
    let (sin, cos) = hue.to_radians().sin_cos();
    let (a, b) = (chroma * cos, chroma * sin);
    let long = (lightness + 0.396_337_777_4 * a + 0.215_803_757_3 * b).powi(3);
    let medium = (lightness - 0.105_561_345_8 * a - 0.063_854_172_8 * b).powi(3);
    let short = (lightness - 0.089_484_177_5 * a - 1.291_485_548 * b).powi(3);
    RGBColor(
        channel(4.076_741_662_1 * long - 3.307_711_591_3 * medium + 0.230_969_929_2 * short),
        channel(-1.268_438_004_6 * long + 2.609_757_401_1 * medium - 0.341_319_396_5 * short),
        channel(-0.004_196_086_3 * long - 0.703_418_614_7 * medium + 1.707_614_701 * short),
    )
}

fn channel(linear: f64) -> u8 {
    let linear = linear.clamp(0.0, 1.0);
    let part = if linear <= 0.003_130_8 {
        linear * 12.92
    } else {
        1.055 * linear.powf(1.0 / 2.4) - 0.055
    };
    (part * 255.0).round() as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_darkens_all_the_way() {
        let steps: Vec<f64> = (0..=50)
            .map(|step| luminance(scale(f64::from(step) / 50.0)))
            .collect();
        assert!(steps.is_sorted_by(|light, dark| light > dark), "{steps:?}");
        assert!(steps[0] > 0.85 && steps[50] < 0.06, "{steps:?}");
        assert_eq!(scale(-1.0), scale(0.0));
        assert_eq!(scale(2.0), scale(1.0));
    }

    #[test]
    fn text_is_readable_on_every_colour_of_the_scale() {
        for step in 0..=100 {
            let ground = scale(f64::from(step) / 100.0);
            let (a, b) = (luminance(ground) + 0.05, luminance(text_on(ground)) + 0.05);
            assert!(a.max(b) / a.min(b) >= 4.5, "{ground:?}");
        }
    }
}
