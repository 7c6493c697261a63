//! The best order of a visit's candidates, an upper bound for comparison.
//!
//! Comes in: a visit. Goes out: all its candidates, the most valuable slate first.

use crate::World;
use crate::constants::Examination;
use crate::logger::best_first;
use crate::visit::Visit;

/// A video of the cascade: what it gives once reached, and how likely the list goes on below it.
#[derive(Clone, Copy)]
struct Stop {
    video: u32,
    gain: f64,
    on: f64,
}

impl World {
    /// All candidates, best first, of which the first `slate_length` are the slate. Uses truth. The best order in the product
    /// form, where value and position factor, and in the cascade; in the additive form by falling value at position 1, close
    /// to the very best, which would solve an assignment of videos to positions. Planted context is taken as at position 1.
    pub fn oracle_order(&self, visit: &Visit) -> Vec<u32> {
        let gain = |&video: &u32| self.click_once_examined(visit, video, 1) * self.worth(visit, video);
        let by_gain = best_first(&visit.candidates, visit.candidates.iter().map(gain));
        if self.constants.examination != Examination::Cascade {
            return by_gain;
        }
        let stops = by_gain
            .iter()
            .map(|video| {
                let click = self.click_once_examined(visit, *video, 1);
                let [none, clicked] = [false, true].map(|clicked| self.goes_on(visit, clicked));
                Stop {
                    video: *video,
                    gain: gain(video),
                    on: none + click * (clicked - none),
                }
            })
            .collect();
        let mut order = best_walk(stops, self.constants.slate_length as usize);
        let rest: Vec<u32> = by_gain
            .into_iter()
            .filter(|video| !order.contains(video))
            .collect();
        order.extend(rest);
        order
    }
}

/// The `length` stops of the most valuable list, in its order. Of two neighbours, a before b is worth `gain_a + on_a gain_b`:
/// so any list is best by falling `gain / (1 - on)`, and which stops are in it is a choice one after the other.
fn best_walk(mut stops: Vec<Stop>, length: usize) -> Vec<u32> {
    let index = |stop: &Stop| stop.gain / (1.0 - stop.on).max(1e-12);
    stops.sort_by(|a, b| index(b).total_cmp(&index(a)).then(a.video.cmp(&b.video)));
    let length = length.min(stops.len());
    // worth[i][n]: of n stops from the i-th on; NEG_INFINITY where there are too few.
    let mut worth = vec![vec![f64::NEG_INFINITY; length + 1]; stops.len() + 1];
    worth[stops.len()][0] = 0.0;
    for (i, stop) in stops.iter().enumerate().rev() {
        worth[i][0] = 0.0;
        for n in 1..=length {
            worth[i][n] = worth[i + 1][n].max(stop.gain + stop.on * worth[i + 1][n - 1]);
        }
    }
    let mut left = length;
    let mut chosen = Vec::with_capacity(length);
    for (i, stop) in stops.iter().enumerate() {
        if left > 0 && worth[i][left] > worth[i + 1][left] {
            chosen.push(stop.video);
            left -= 1;
        }
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Constants, START_MS};

    /// Every list of `length` of a few candidates, by trying them all.
    fn best_by_trying(world: &World, visit: &Visit, slate: &mut Vec<u32>, length: usize) -> f64 {
        if slate.len() == length {
            return world.value(visit, slate);
        }
        let mut best = 0.0_f64;
        for &video in &visit.candidates {
            if !slate.contains(&video) {
                slate.push(video);
                best = best.max(best_by_trying(world, visit, slate, length));
                slate.pop();
            }
        }
        best
    }

    #[test]
    fn no_other_slate_is_worth_more_in_product_form_and_cascade() {
        for (examination, eta) in [
            (Examination::Product, 1.0),
            (Examination::Cascade, 1.0),
            (Examination::Cascade, 0.0),
            (Examination::Cascade, 3.0),
        ] {
            let constants = Constants {
                examination,
                eta,
                candidates: 7,
                slate_length: 4,
                ..Constants::default()
            };
            let world = World::new(1, &constants);
            for number in 0..40 {
                let visit = world.visit(number, START_MS);
                let order = world.oracle_order(&visit);
                let mut sorted = order.clone();
                sorted.sort_unstable();
                assert_eq!(sorted, visit.candidates);
                let best = best_by_trying(&world, &visit, &mut Vec::new(), 4);
                let found = world.value(&visit, &order[..4]);
                assert!(
                    (found - best).abs() < 1e-9,
                    "{examination:?} {eta}: {found} {best}"
                );
            }
        }
    }
}
