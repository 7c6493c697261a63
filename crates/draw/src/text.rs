//! What is written in a figure: its letters, their width, their style.

use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{FontTransform, IntoFont, RGBColor, TextStyle};

/// A family every viewer has.
const FONT: &str = "sans-serif";
/// The plotting library's sizes are so many times the pixels of the SVG.
const SIZE: f64 = 1.24;

/// Text of `size`, in the plotting library's unit: 15 is 12 pixels.
pub(crate) fn style<'a>(size: u32, colour: RGBColor) -> TextStyle<'a> {
    (FONT, size).into_font().color(&colour)
}

/// As [`style`], beside its place: `across` says which end of the text stands there, the middle of its height does.
pub(crate) fn placed<'a>(size: u32, colour: RGBColor, across: HPos) -> TextStyle<'a> {
    style(size, colour).pos(Pos::new(across, VPos::Center))
}

/// As [`placed`], read from the bottom to the top, ending at its place.
pub(crate) fn upright<'a>(size: u32, colour: RGBColor) -> TextStyle<'a> {
    placed(size, colour, HPos::Right).transform(FontTransform::Rotate270)
}

/// Pixels of `text`, about: which font a viewer takes is unknown, so letters count as those of a wide one.
pub(crate) fn width(text: &str, size: u32) -> u32 {
    let em = f64::from(size) / SIZE;
    (text.chars().map(letter_width).sum::<f64>() * em).ceil() as u32
}

/// A letter's share of an em.
fn letter_width(letter: char) -> f64 {
    match letter {
        '.' | ',' => 0.33,
        'i' | 'j' | 'l' | 't' | 'f' | 'r' | ':' | ';' | '\'' | '|' | '!' | '(' | ')' | '[' | ']' | ' ' => 0.4,
        'm' | 'w' | 'M' | 'W' | '@' | '%' | '…' => 0.98,
        '0'..='9' => 0.636,
        // From Hangul on: scripts of full width.
        '\u{1100}'.. => 1.0,
        letter if letter.is_uppercase() => 0.72,
        _ => 0.63,
    }
}

/// `text` without what cannot be shown, cut to `pixels`: the last letter is an ellipsis where some were cut.
pub(crate) fn shortened(text: &str, size: u32, pixels: u32) -> String {
    let text = printable(text);
    if width(&text, size) <= pixels {
        return text;
    }
    let em = f64::from(size) / SIZE;
    let room = f64::from(pixels) / em - letter_width('…');
    let mut used = 0.0;
    let fitting = text.chars().take_while(|letter| {
        used += letter_width(*letter);
        used <= room
    });
    let mut cut: String = fitting.collect();
    cut.truncate(cut.trim_end().len());
    cut.push('…');
    cut
}

/// XML has no control characters, escaped or not.
pub(crate) fn printable(text: &str) -> String {
    let shown = |letter: char| {
        if letter.is_control() || matches!(letter, '\u{fffe}' | '\u{ffff}') {
            ' '
        } else {
            letter
        }
    };
    text.chars().map(shown).collect()
}

/// `text` as it stands in XML, between tags or between quotes.
pub(crate) fn escaped(text: &str) -> String {
    let mut xml = String::with_capacity(text.len());
    for letter in printable(text).chars() {
        match letter {
            '<' => xml.push_str("&lt;"),
            '>' => xml.push_str("&gt;"),
            '&' => xml.push_str("&amp;"),
            '"' => xml.push_str("&quot;"),
            '\'' => xml.push_str("&apos;"),
            other => xml.push(other),
        }
    }
    xml
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_ends_in_an_ellipsis() {
        assert_eq!(shortened("click", 15, 200), "click");
        for pixels in [0, 20, 40, 80] {
            for text in [
                "a rather long name of an objective",
                "非常长的目标名称非常长的目标名称",
            ] {
                let cut = shortened(text, 15, pixels);
                assert!(cut.ends_with('…') && cut.len() < text.len(), "{cut}");
                assert!(width(&cut, 15) <= pixels.max(width("…", 15)), "{cut}");
            }
        }
    }

    #[test]
    fn nothing_in_a_name_is_markup() {
        assert_eq!(
            escaped("<b>\"&'\u{0}\u{1b}点击</b>"),
            "&lt;b&gt;&quot;&amp;&apos;  点击&lt;/b&gt;"
        );
    }
}
