//! Behaviour: what a person feels about a video, and what they then do.
//!
//! Comes in: a [`Visit`] and the videos shown in it, in order. Goes out: one [`Action`] per shown video. Each draw has the
//! key (seed, visit, video, kind): the same video at the same position meets the same behaviour, whoever ranked it.

use rand::RngExt;
use rand_distr::{Beta, Distribution};

use crate::World;
use crate::chance::{Kind, generator, sigmoid};
use crate::constants::{Examination, Response};
use crate::population::{Video, dot};
use crate::visit::Visit;

/// What a person did with one shown video.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Action {
    /// The video, from 0.
    pub video: u32,
    /// Where it was shown, from 1.
    pub position: u32,
    /// Whether it was examined; `None` in the additive form, which knows no examination.
    pub viewed: Option<bool>,
    /// Whether it was clicked.
    pub click: bool,
    /// Fraction watched, in `[0, 1]`; `None` without a click.
    pub watch: Option<f64>,
    /// Whether it was liked; never without a click.
    pub like: bool,
    /// Whether it satisfied; never without a click. Part of the truth: no log shows it.
    pub satisfied: bool,
    /// Whether it was dismissed: given its examination, independently of a click.
    pub dismiss: bool,
}

impl World {
    /// Attraction `u`, the logit of a click before position, device and planted context. Uses truth.
    pub fn attraction(&self, visit: &Visit, video: u32) -> f64 {
        let a = self.constants.attraction;
        let v = self.video(video);
        let m = self.taste_match(visit, v);
        let s = self.query_match(visit, v);
        a.base
            + a.taste * m
            + a.query * s
            + a.taste_query * m * s
            + a.quality * v.quality
            + a.clickbait * v.clickbait
            + a.fresh * v.fresh
            + v.hidden
    }

    /// Mean fraction watched after a click, in `(0, 1)`. Uses truth.
    pub fn watch_mean(&self, visit: &Visit, video: u32) -> f64 {
        self.response(visit, video, self.constants.watch)
            .clamp(1e-6, 1.0 - 1e-6)
    }

    /// Probability of a like after a click. Uses truth.
    pub fn like_probability(&self, visit: &Visit, video: u32) -> f64 {
        self.response(visit, video, self.constants.like)
    }

    /// Probability that a clicked video satisfies. Uses truth.
    pub fn satisfaction_probability(&self, visit: &Visit, video: u32) -> f64 {
        self.response(visit, video, self.constants.satisfied)
    }

    /// Probability that the video is dismissed at a position (from 1): examined, with `k^-beta` in every form, and then
    /// unwanted.
    pub fn dismissal_probability(&self, visit: &Visit, video: u32, position: u32) -> f64 {
        self.examined(visit, position) * self.response(visit, video, self.constants.dismiss)
    }

    /// What the person does with the videos of `slate`, shown from position 1 on.
    pub fn act(&self, visit: &Visit, slate: &[u32]) -> Vec<Action> {
        let mut reached = true;
        (1..)
            .zip(slate)
            .map(|(position, &video)| {
                let happens = |kind, probability| self.happens(visit, video, kind, probability);
                let viewed = match self.constants.examination {
                    Examination::Additive => None,
                    Examination::Product => Some(happens(Kind::Examine, self.examined(visit, position))),
                    Examination::Cascade => Some(reached),
                };
                let action = self.act_on(visit, video, position, viewed);
                if viewed.is_some() {
                    reached = reached && happens(Kind::GoOn, self.goes_on(visit, action.click));
                }
                action
            })
            .collect()
    }

    fn act_on(&self, visit: &Visit, video: u32, position: u32, viewed: Option<bool>) -> Action {
        let happens = |kind, probability| self.happens(visit, video, kind, probability);
        let examined = viewed.unwrap_or(true);
        let click = examined && happens(Kind::Click, self.click_once_examined(visit, video, position));
        // In the product form it is the same look that finds a video worth a click or a dismissal.
        let dismiss = match self.constants.examination {
            Examination::Product => {
                examined && happens(Kind::Dismiss, self.response(visit, video, self.constants.dismiss))
            }
            _ => happens(Kind::Dismiss, self.dismissal_probability(visit, video, position)),
        };
        Action {
            video,
            position,
            viewed,
            click,
            watch: click.then(|| self.draw_watch(visit, video)),
            like: click && happens(Kind::Like, self.like_probability(visit, video)),
            satisfied: click && happens(Kind::Satisfied, self.satisfaction_probability(visit, video)),
            dismiss,
        }
    }

    fn happens(&self, visit: &Visit, video: u32, kind: Kind, probability: f64) -> bool {
        generator(self.seed, visit.number, video, kind).random::<f64>() < probability
    }

    fn draw_watch(&self, visit: &Visit, video: u32) -> f64 {
        let mean = self.watch_mean(visit, video);
        let total = self.constants.watch_concentration;
        let mut rng = generator(self.seed, visit.number, video, Kind::Watch);
        // A concentration that is not positive has no distribution; the mean stands in.
        Beta::new(total * mean, total * (1.0 - mean)).map_or(mean, |beta| beta.sample(&mut rng))
    }

    fn response(&self, visit: &Visit, video: u32, r: Response) -> f64 {
        let v = self.video(video);
        let m = self.taste_match(visit, v);
        sigmoid(r.base + r.taste * m + r.quality * v.quality + r.clickbait * v.clickbait)
    }

    pub(crate) fn taste_match(&self, visit: &Visit, video: &Video) -> f64 {
        let [centre, scale] = self.constants.taste_match;
        let taste = &self.population.users[visit.user as usize].taste;
        (dot(taste, &video.topics) - centre) / scale
    }

    pub(crate) fn query_match(&self, visit: &Visit, video: &Video) -> f64 {
        let [centre, scale] = self.constants.query_match;
        (dot(&self.video(visit.query).topics, &video.topics) - centre) / scale
    }

    fn video(&self, video: u32) -> &Video {
        &self.population.videos[video as usize]
    }
}

#[cfg(test)]
mod tests {
    use crate::{Constants, Examination, Logger, START_MS, World};

    #[test]
    fn the_same_video_at_the_same_position_meets_the_same_behaviour_whoever_ranked_it() {
        let world = World::new(1, &Constants::default());
        let mut compared = 0;
        for number in 0..300 {
            let visit = world.visit(number, START_MS);
            let a = Logger::Wrong.order(&world, &visit);
            let b = Logger::Popularity.order(&world, &visit);
            for (x, y) in world
                .act(&visit, &a[..10])
                .iter()
                .zip(world.act(&visit, &b[..10]))
            {
                if x.video == y.video {
                    assert_eq!(*x, y);
                    compared += 1;
                }
            }
        }
        assert!(compared > 100, "{compared}");
    }

    #[test]
    fn nothing_follows_a_click_that_did_not_happen() {
        let world = World::new(2, &Constants::default());
        let mut clicks = 0;
        for number in 0..200 {
            let visit = world.visit(number, START_MS);
            for action in world.act(&visit, &visit.candidates) {
                assert_eq!(action.watch.is_some(), action.click);
                assert!(action.click || (!action.like && !action.satisfied));
                assert!(action.watch.is_none_or(|w| (0.0..=1.0).contains(&w)));
                clicks += usize::from(action.click);
            }
        }
        assert!(clicks > 100, "{clicks}");
    }

    #[test]
    fn a_better_position_never_loses_a_click() {
        let product = Constants {
            examination: Examination::Product,
            ..Constants::default()
        };
        for (number, constants) in (0..100).flat_map(|n| [(n, Constants::default()), (n, product.clone())]) {
            let world = World::new(3, &constants);
            let visit = world.visit(number, START_MS);
            let mut reversed = visit.candidates.clone();
            reversed.reverse();
            let forward = world.act(&visit, &visit.candidates);
            let backward = world.act(&visit, &reversed);
            for low in &backward {
                for high in forward.iter().filter(|a| a.video == low.video) {
                    assert!(high.position > low.position || high.click || !low.click);
                }
            }
        }
    }

    #[test]
    fn what_people_do_agrees_with_what_is_expected_of_them_in_every_form() {
        for examination in [Examination::Additive, Examination::Product, Examination::Cascade] {
            let mut constants = Constants {
                examination,
                ..Constants::default()
            };
            constants.planted.enabled = true;
            agrees(&World::new(4, &constants));
        }
    }

    fn agrees(world: &World) {
        let (mut done, mut expected, mut clicks, mut expected_clicks) = (0.0, 0.0, 0.0, 0.0);
        for number in 0..6_000 {
            let visit = world.visit(number, START_MS);
            let slate = &Logger::Wrong.order(world, &visit)[..10];
            for action in world.act(&visit, slate) {
                clicks += f64::from(u8::from(action.click));
                if action.satisfied {
                    done += action.watch.unwrap_or(0.0) * world.minutes(action.video);
                }
            }
            expected += world.value(&visit, slate);
            expected_clicks += world.expected_clicks(&visit, slate);
        }
        assert!((done / expected - 1.0).abs() < 0.04, "{done} {expected}");
        assert!((clicks / expected_clicks - 1.0).abs() < 0.03);
    }
}
