//! Figures in the page.

use draw::DrawError;
use maud::{Markup, PreEscaped, html};

/// A page needs no name of what SVG is, and an address in it would look like one that is fetched.
const NAMESPACE: &str = " xmlns=\"http://www.w3.org/2000/svg\"";
/// Pixels of the page's width.
pub(super) const WIDTH: usize = 1100;

/// A figure, or why there is none.
pub fn figure(drawn: Result<String, DrawError>) -> Markup {
    match drawn {
        Ok(svg) => PreEscaped(svg.replacen(NAMESPACE, "", 1)),
        Err(error) => html! { p.warning { (error) } },
    }
}

/// `first + each * count` pixels, within what is readable and what fits.
pub(super) fn pixels(first: usize, each: usize, count: usize, range: (usize, usize)) -> u32 {
    let wanted = first.saturating_add(each.saturating_mul(count));
    u32::try_from(wanted.clamp(range.0, range.1)).unwrap_or(u32::MAX)
}

/// Parts of about equal size, of at most `most`: a figure each, as the parts of one that would be crowded. With what its title
/// says of it.
pub(super) fn parts<T>(all: &[T], most: usize) -> Vec<(String, &[T])> {
    let figures = all.len().div_ceil(most.max(1)).max(1);
    let size = all.len().div_ceil(figures).max(1);
    all.chunks(size)
        .enumerate()
        .map(|(at, part)| {
            let first = at * size + 1;
            let title = match (figures, part.len()) {
                (1, _) => String::new(),
                (_, 1) => format!(" ({first} of {})", all.len()),
                (_, count) => format!(" ({first} to {} of {})", first + count - 1, all.len()),
            };
            (title, part)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crowd_is_drawn_in_figures_of_about_equal_size() {
        let titled = |count: usize, most: usize| -> Vec<(String, usize)> {
            let all = vec![(); count];
            let parts = parts(&all, most).into_iter();
            parts.map(|(title, part)| (title, part.len())).collect()
        };
        assert_eq!(titled(7, 7), [(String::new(), 7)]);
        assert_eq!(
            titled(8, 7),
            [(" (1 to 4 of 8)".to_owned(), 4), (" (5 to 8 of 8)".to_owned(), 4)]
        );
        assert_eq!(titled(3, 1)[2], (" (3 of 3)".to_owned(), 1));
        assert!(titled(0, 7).is_empty());
    }

    #[test]
    fn a_figure_that_cannot_be_drawn_says_why_in_its_place() {
        let refused = draw::bars("Bars", "", &[], &[], 1, 1);
        assert!(figure(refused).into_string().contains("1 x 1 pixels"));
    }
}
