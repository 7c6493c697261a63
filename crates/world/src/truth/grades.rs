//! Grades of relevance, for the judge.
//!
//! Comes in: visits. Goes out: [`Grades`], which cut the true attraction of their candidates into grades 0 to 4.

use crate::World;
use crate::visit::Visit;

/// The shares of candidates below grades 1, 2, 3 and 4.
const SHARES: [f64; 4] = [0.50, 0.75, 0.90, 0.97];

/// Cuts of the true attraction between grades 0, 1, 2, 3 and 4. Uses truth: for whoever judges an order, and for nobody else.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Grades {
    cuts: [f64; 4],
}

impl Grades {
    /// Cuts at the 50, 75, 90 and 97 % quantiles of the attraction of all candidates of `visits`, the test set. Without any
    /// candidate every grade is 0. Uses truth.
    pub fn fit(world: &World, visits: &[Visit]) -> Self {
        let mut all: Vec<f64> = visits
            .iter()
            .flat_map(|visit| {
                visit
                    .candidates
                    .iter()
                    .map(|&video| world.attraction(visit, video))
            })
            .collect();
        all.sort_unstable_by(f64::total_cmp);
        let at = |share: f64| all.get((share * all.len() as f64) as usize).copied();
        Self {
            cuts: SHARES.map(|share| at(share).unwrap_or(f64::INFINITY)),
        }
    }

    /// The grade of an attraction, 0 to 4. Uses truth.
    pub fn of(&self, attraction: f64) -> u8 {
        self.cuts.iter().map(|cut| u8::from(attraction >= *cut)).sum()
    }
}

impl World {
    /// The grades of a visit's candidates, in their order. Uses truth.
    pub fn grades(&self, visit: &Visit, grades: &Grades) -> Vec<u8> {
        visit
            .candidates
            .iter()
            .map(|&video| grades.of(self.attraction(visit, video)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Constants, START_MS};

    #[test]
    fn grades_have_their_shares_and_rise_with_the_attraction() {
        let world = World::new(1, &Constants::default());
        let visits: Vec<Visit> = (0..400).map(|number| world.visit(number, START_MS)).collect();
        let grades = Grades::fit(&world, &visits);
        let mut counts = [0; 5];
        for visit in &visits {
            let of = world.grades(visit, &grades);
            for (video, grade) in visit.candidates.iter().zip(&of) {
                counts[usize::from(*grade)] += 1;
                assert_eq!(grades.of(world.attraction(visit, *video)), *grade);
            }
            let by_attraction: Vec<u8> = world
                .by_attraction(visit)
                .iter()
                .map(|video| of[visit.candidates.binary_search(video).unwrap()])
                .collect();
            assert!(by_attraction.windows(2).all(|pair| pair[0] >= pair[1]));
        }
        assert_eq!(counts, [10_000, 5_000, 3_000, 1_400, 600]);
    }

    #[test]
    fn without_visits_every_grade_is_zero() {
        let world = World::new(1, &Constants::default());
        assert_eq!(Grades::fit(&world, &[]).of(1e9), 0);
    }
}
