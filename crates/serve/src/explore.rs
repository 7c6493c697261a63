//! What the service tries out and logs besides what it shows: which slates are shuffled, how, and which are logged with their
//! candidates. In: a slate's id and the service's nonce. Out: the same draw each time, however often a request is retried.

use events::SHUFFLED_PLACES;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// What a draw is for: draws for different things do not depend on each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Draw {
    /// Whether the slate is shuffled.
    Shuffle,
    /// The order of one that is.
    Order,
    /// Whether the candidates are logged.
    Candidates,
}

/// The draws of one slate.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Draws<'s> {
    pub(crate) nonce: u64,
    pub(crate) slate: &'s str,
}

impl Draws<'_> {
    /// Whether the slate is in the share `share` of all slates.
    pub(crate) fn is_in(self, share: f64, draw: Draw) -> bool {
        // 53 bits, which a double holds exactly: from 0 to below 1.
        let unit = (self.bits(draw) >> 11) as f64 / (1u64 << 53) as f64;
        unit < share
    }

    /// Puts the first [`SHUFFLED_PLACES`] of `ranked` in random order, each order as likely; the others stay. `item` gives an
    /// element's id.
    pub(crate) fn shuffle<'i, T>(self, ranked: &mut [T], item: impl Fn(&T) -> &'i str) {
        let first = ranked.len().min(SHUFFLED_PLACES as usize);
        let order = self.bits(Draw::Order);
        ranked[..first].sort_by_cached_key(|ranked| xxh3_64_with_seed(item(ranked).as_bytes(), order));
    }

    fn bits(self, draw: Draw) -> u64 {
        let seed = xxh3_64_with_seed(&[draw as u8], self.nonce);
        xxh3_64_with_seed(self.slate.as_bytes(), seed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slates() -> Vec<String> {
        (0..10_000).map(|slate| format!("r-{slate}")).collect()
    }

    #[test]
    fn a_share_of_the_slates_is_drawn_the_same_each_time_and_for_each_thing_apart() {
        let slates = slates();
        let drawn = |nonce, share, draw| -> Vec<bool> {
            let slates = slates.iter();
            slates
                .map(|slate| Draws { nonce, slate }.is_in(share, draw))
                .collect()
        };
        let count = |drawn: &[bool]| drawn.iter().filter(|drawn| **drawn).count();
        let shuffled = drawn(7, 0.2, Draw::Shuffle);
        assert_eq!(shuffled, drawn(7, 0.2, Draw::Shuffle));
        // Five standard deviations of 40.
        assert!((1_800..2_200).contains(&count(&shuffled)), "{}", count(&shuffled));
        assert_eq!(
            (
                count(&drawn(7, 0.0, Draw::Shuffle)),
                count(&drawn(7, 1.0, Draw::Candidates))
            ),
            (0, 10_000)
        );
        for other in [drawn(8, 0.2, Draw::Shuffle), drawn(7, 0.2, Draw::Candidates)] {
            let both = shuffled.iter().zip(&other).map(|(a, b)| *a && *b);
            let both = count(&both.collect::<Vec<_>>());
            assert!((300..500).contains(&both), "{both} are in both, of 400 by chance");
        }
    }

    #[test]
    fn every_order_of_the_first_ten_is_as_likely_and_the_others_stay() {
        let ranked: Vec<String> = (0..12).map(|item| format!("v{item}")).collect();
        // How often each item stood at each place.
        let mut counts = [[0u32; 10]; 10];
        let slates = slates();
        for slate in &slates {
            let mut shown: Vec<usize> = (0..12).collect();
            let draws = Draws { nonce: 3, slate };
            draws.shuffle(&mut shown, |item| &ranked[*item]);
            assert_eq!(shown[10..], [10, 11]);
            for (place, item) in shown[..10].iter().enumerate() {
                counts[*item][place] += 1;
            }
            let again = &mut (0..12).rev().collect::<Vec<usize>>();
            again[..2].reverse();
            again.rotate_left(2);
            draws.shuffle(again, |item| &ranked[*item]);
            assert_eq!(again[..10], shown[..10], "it is of the items, not of their order");
        }
        let expected = slates.len() as f64 / 10.0;
        let chi: f64 = counts
            .iter()
            .flatten()
            .map(|count| (f64::from(*count) - expected).powi(2) / expected)
            .sum();
        // 81 degrees of freedom: mean 81, and 1 of 10,000 is above 134.
        assert!(chi < 134.0, "{chi}");
    }
}
