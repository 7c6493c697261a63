//! Visits: simulated requests.
//!
//! Comes in: a visit's number and time. Goes out: a [`Visit`], the same whatever was shown in any other visit.

use rand::RngExt;

use crate::World;
use crate::chance::{Kind, generator, weighted};

/// 2024-01-01T00:00:00Z, when every simulated history begins, in ms since 1970.
pub const START_MS: i64 = 1_704_067_200_000;

const DAY_MS: i64 = 24 * 3_600_000;
/// Visits fill the first 20 hours of a day; learning has the other four.
const OPEN_MS: i64 = 20 * 3_600_000;

/// What a person watches on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Device {
    /// A phone.
    Phone,
    /// A desktop.
    Desktop,
    /// A television.
    Tv,
}

impl Device {
    /// All devices, in the order of the constants' arrays.
    pub const ALL: [Self; 3] = [Self::Phone, Self::Desktop, Self::Tv];

    /// The value of the context field `device`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Phone => "phone",
            Self::Desktop => "desktop",
            Self::Tv => "tv",
        }
    }
}

/// Why a video is a candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// It is of the query video's topic.
    Query,
    /// It is of one of the user's topics.
    User,
    /// It was drawn from anywhere.
    Anywhere,
}

/// One simulated request: who asks, where, watching what, and what could be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visit {
    /// Its number; with the seed it decides everything else but the time.
    pub number: u64,
    /// When, ms since 1970.
    pub time_ms: i64,
    /// The person, from 0.
    pub user: u32,
    /// The device.
    pub device: Device,
    /// The video being watched, from 0.
    pub query: u32,
    /// What could be shown: distinct, ascending, without the query video. The order says nothing of where they came from.
    pub candidates: Vec<u32>,
    /// Where each of `candidates` came from.
    pub sources: Vec<Source>,
}

impl World {
    /// The visit of a number: user uniform, device by its shares, query video popular in one of the user's topics, and
    /// candidates 40 % from the query's topic, 30 % from the user's topics, 30 % from anywhere.
    pub fn visit(&self, number: u64, time_ms: i64) -> Visit {
        let constants = &self.constants;
        let population = &self.population;
        let mut rng = generator(self.seed, number, 0, Kind::Visit);
        let user = rng.random_range(0..constants.users);
        let device = Device::ALL[weighted(&mut rng, &constants.device_shares)];
        let query_topic = population.liked_topic(&mut rng, user);
        let query = population.popular(&mut rng, query_topic);
        let (candidates, sources) = self.candidates(&mut rng, user, query).into_iter().unzip();
        Visit {
            number,
            time_ms,
            user,
            device,
            query,
            candidates,
            sources,
        }
    }

    /// The visit of a number, of whose candidates only `slate_length` drawn ones are left: whoever orders them decides where
    /// they stand, and nothing of which are shown.
    pub fn visit_of_ten(&self, number: u64, time_ms: i64) -> Visit {
        let mut visit = self.visit(number, time_ms);
        let mut rng = generator(self.seed, number, 0, Kind::Ten);
        let mut left = self.constants.slate_length as usize;
        let mut unseen = visit.candidates.len();
        // Each subset is equally likely: a candidate stays with the share that is left of those not yet looked at.
        let mut stay = |unseen: usize, left: &mut usize| {
            let stays = rng.random::<f64>() * (unseen as f64) < *left as f64;
            *left -= usize::from(stays);
            stays
        };
        let (candidates, sources) = std::mem::take(&mut visit.candidates)
            .into_iter()
            .zip(std::mem::take(&mut visit.sources))
            .filter(|_| {
                let stays = stay(unseen, &mut left);
                unseen -= 1;
                stays
            })
            .unzip();
        Visit {
            candidates,
            sources,
            ..visit
        }
    }

    /// Distinct videos by rising number, each with its source.
    fn candidates<R: rand::Rng>(&self, rng: &mut R, user: u32, query: u32) -> Vec<(u32, Source)> {
        let constants = &self.constants;
        let population = &self.population;
        let topic = population.videos[query as usize].topic;
        let count = constants.candidates.min(constants.videos - 1) as usize;
        let [same, liked, _] = constants.candidate_shares;
        let from_query = (same * count as f64).round() as usize;
        let from_user = ((same + liked) * count as f64).round() as usize;
        let mut chosen: Vec<(u32, Source)> = Vec::with_capacity(count);
        let mut refused = 0;
        while chosen.len() < count {
            // A topic can hold fewer new videos than its share asks for: after many refusals the draw is from anywhere.
            let (video, source) = if refused < 100 && chosen.len() < from_query {
                (population.popular(rng, topic), Source::Query)
            } else if refused < 100 && chosen.len() < from_user {
                let topic = population.liked_topic(rng, user);
                (population.popular(rng, topic), Source::User)
            } else {
                (population.any(rng), Source::Anywhere)
            };
            if video == query || chosen.iter().any(|&(known, _)| known == video) {
                refused += 1;
            } else {
                chosen.push((video, source));
                refused = 0;
            }
        }
        chosen.sort_unstable();
        chosen
    }
}

/// Time of visit `index` (from 0) of `visits` on `day` (from 0), ms since 1970: visits are spread evenly over the first
/// 20 hours.
pub fn visit_time_ms(day: u32, index: u32, visits: u32) -> i64 {
    let within = i64::from(index) * OPEN_MS / i64::from(visits.max(1));
    START_MS + i64::from(day) * DAY_MS + within
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Constants;

    #[test]
    fn candidates_are_fifty_distinct_videos_without_the_query() {
        let world = World::new(1, &Constants::default());
        for number in 0..200 {
            let visit = world.visit(number, START_MS);
            assert_eq!(visit.candidates.len(), 50);
            assert!(visit.candidates.windows(2).all(|pair| pair[0] < pair[1]));
            assert!(!visit.candidates.contains(&visit.query));
            assert!(visit.candidates.iter().all(|&video| video < 1_000));
        }
    }

    #[test]
    fn a_visit_of_ten_keeps_ten_of_the_candidates_each_as_likely_as_any() {
        let world = World::new(1, &Constants::default());
        let mut kept = [0; 50];
        for number in 0..2_000 {
            let whole = world.visit(number, START_MS);
            let ten = world.visit_of_ten(number, START_MS);
            assert_eq!(ten.candidates.len(), 10);
            let mut sources = Vec::new();
            for video in &ten.candidates {
                let index = whole.candidates.binary_search(video).unwrap();
                kept[index] += 1;
                sources.push(whole.sources[index]);
            }
            assert_eq!(ten.sources, sources);
            assert_eq!(
                (ten.user, ten.device, ten.query),
                (whole.user, whole.device, whole.query)
            );
        }
        assert!(kept.iter().all(|count| (320..480).contains(count)), "{kept:?}");
    }

    #[test]
    fn candidates_come_from_their_sources_in_their_shares() {
        let world = World::new(1, &Constants::default());
        let visit = world.visit(5, START_MS);
        let count = |source| visit.sources.iter().filter(|s| **s == source).count();
        assert_eq!(
            [Source::Query, Source::User, Source::Anywhere].map(count),
            [20, 15, 15]
        );
        let topic = |video: u32| world.population.videos[video as usize].topic;
        for (video, source) in visit.candidates.iter().zip(&visit.sources) {
            assert!(*source != Source::Query || topic(*video) == topic(visit.query));
        }
    }

    #[test]
    fn a_visit_depends_on_seed_and_number_only() {
        let world = World::new(1, &Constants::default());
        let late = world.visit(77, 5);
        for number in 0..20 {
            let visit = world.visit(number, START_MS);
            world.act(&visit, &visit.candidates);
        }
        let again = World::new(1, &Constants::default()).visit(77, 9);
        assert_eq!(Visit { time_ms: 9, ..late }, again);
        assert_ne!(
            World::new(2, &Constants::default()).visit(77, 9).candidates,
            again.candidates
        );
    }

    #[test]
    fn a_tiny_catalogue_still_gives_visits() {
        let constants = Constants {
            users: 0,
            videos: 0,
            ..Constants::default()
        };
        let visit = World::new(1, &constants).visit(0, START_MS);
        assert_eq!(visit.user, 0);
        assert_eq!(visit.candidates, vec![1 - visit.query]);
    }

    #[test]
    fn devices_come_in_their_shares() {
        let world = World::new(4, &Constants::default());
        let phones = (0..4_000)
            .filter(|&number| world.visit(number, START_MS).device == Device::Phone)
            .count();
        assert!((2_280..2_520).contains(&phones), "{phones}");
    }

    #[test]
    fn a_day_s_visits_fall_in_its_first_twenty_hours() {
        assert_eq!(visit_time_ms(0, 0, 600), START_MS);
        let last = visit_time_ms(3, 599, 600);
        assert!(last > visit_time_ms(3, 598, 600));
        assert!(last < START_MS + 3 * DAY_MS + OPEN_MS);
    }
}
