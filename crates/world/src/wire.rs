//! The wire: all that leaves the world, in the types of `events`.
//!
//! Comes in: users, videos, visits and actions. Goes out: ids, attributes, context and feedback as a real service would see
//! them: observed features with their noise, clicks, played time, likes and dismissals, and the planted context where the
//! world has some. Hidden appeal, true attraction and satisfaction stay behind.

use events::{Entity, Feedback, Fields, Value};

use crate::World;
use crate::behaviour::Action;
use crate::constants::TOPICS;
use crate::planted::Level;
use crate::visit::Visit;

/// Time between a visit and what is done at position 1, and from one position to the next.
const STEP_MS: i64 = 2_000;

/// A user's id: `u12`.
pub fn user_id(user: u32) -> String {
    format!("u{user}")
}

/// A video's id: `v34`.
pub fn video_id(video: u32) -> String {
    format!("v{video}")
}

impl World {
    /// The video of an id such as `v34`; `None` when this world has no such video.
    pub fn video_of(&self, id: &str) -> Option<u32> {
        let video = id.strip_prefix('v')?.parse().ok()?;
        (video < self.constants.videos && video_id(video) == id).then_some(video)
    }

    /// What a catalogue may hold of a user (from 0): `taste` (8 numbers, noisy); planted: `user_group`, `membership`.
    pub fn user_entity(&self, user: u32) -> Entity {
        let taste = &self.population.users[user as usize].taste_observed;
        let planted = self.planted(|| self.planted_of_user(user));
        entity(user_id(user), [("taste", numbers(taste))], planted)
    }

    /// What a catalogue may hold of a video (from 0): `topics` (8 numbers), `quality` and `clickbait` (noisy), `fresh`
    /// `(0, 1]`, `popularity` (standardised), `log_duration` (ln minutes), `duration_ms`, `age_days`; planted: `topic`,
    /// `duration_bucket`, `channel_tier`.
    pub fn item_entity(&self, video: u32) -> Entity {
        let v = &self.population.videos[video as usize];
        entity(
            video_id(video),
            [
                ("topics", numbers(&v.topics)),
                ("quality", Value::Number(v.quality_observed)),
                ("clickbait", Value::Number(v.clickbait_observed)),
                ("fresh", Value::Number(v.fresh)),
                ("popularity", Value::Number(v.popularity)),
                ("log_duration", Value::Number(v.minutes.ln())),
                ("duration_ms", Value::Number(self.duration_ms(video))),
                ("age_days", Value::Number(v.age_days)),
            ],
            self.planted(|| self.planted_of_video(video)),
        )
    }

    /// The context of a visit: `device`; planted: `viewport`, `local_hour`, `local_weekday`.
    pub fn context(&self, visit: &Visit) -> Fields {
        let device = Value::Text(visit.device.name().to_string());
        let mut fields = self.planted(|| self.planted_of_visit(visit));
        fields.insert("device".to_string(), device);
        fields
    }

    /// What a log may hold of one impression of a visit beside its user, video and context; only planted: `thumbnail`, `badge`,
    /// `autoplay`, `fake_source`, `taste_bucket`, `source`.
    pub fn impression(&self, visit: &Visit, video: u32, position: u32) -> Fields {
        self.planted(|| self.planted_of_impression(visit, video, position))
    }

    /// Levels as fields; none where the world has no planted context.
    fn planted<const N: usize>(&self, levels: impl FnOnce() -> [Level; N]) -> Fields {
        if !self.constants.planted.enabled {
            return Fields::new();
        }
        levels()
            .into_iter()
            .map(|(field, level)| (field.name().to_string(), Value::Text(level.to_string())))
            .collect()
    }

    /// Feedback on a slate, by position and then in the order `click`, `play_ms` (the played time in ms), `like`, `dismiss`.
    /// Ids come from seed, visit, item and kind alone. All of it lies within the next `2 s x (position + 1)`: a simulated
    /// person need not sit through a video, and a label's window must not depend on its length.
    pub fn feedback(&self, visit: &Visit, slate_id: &str, actions: &[Action]) -> Vec<Feedback> {
        self.feedback_of(visit, slate_id, actions, false)
    }

    /// The same, as of a service that sees where people look: `viewed` comes first for each video that was examined. The
    /// additive form knows no examination, and has none.
    pub fn feedback_with_views(&self, visit: &Visit, slate_id: &str, actions: &[Action]) -> Vec<Feedback> {
        self.feedback_of(visit, slate_id, actions, true)
    }

    fn feedback_of(&self, visit: &Visit, slate_id: &str, actions: &[Action], views: bool) -> Vec<Feedback> {
        let mut all = Vec::new();
        for action in actions {
            let item = video_id(action.video);
            let mut push = |kind: &str, value, after_ms| {
                all.push(Feedback {
                    id: format!("{}-{}-{item}-{kind}", self.seed, visit.number),
                    slate: slate_id.to_string(),
                    item: item.clone(),
                    kind: kind.to_string(),
                    value,
                    time: visit.time_ms + STEP_MS * i64::from(action.position) + after_ms,
                });
            };
            if views && action.viewed == Some(true) {
                push("viewed", None, -250);
            }
            if action.click {
                push("click", None, 0);
            }
            if let Some(watch) = action.watch {
                let played = (watch * self.duration_ms(action.video)).round();
                push("play_ms", Some(played), 500);
            }
            if action.like {
                push("like", None, 1_000);
            }
            if action.dismiss {
                push("dismiss", None, 1_500);
            }
        }
        all
    }

    /// Whole milliseconds.
    fn duration_ms(&self, video: u32) -> f64 {
        (self.minutes(video) * 60_000.0).round()
    }
}

fn entity<const N: usize>(id: String, attributes: [(&str, Value); N], planted: Fields) -> Entity {
    let mut fields = planted;
    fields.extend(
        attributes
            .into_iter()
            .map(|(name, value)| (name.to_string(), value)),
    );
    Entity { id, fields }
}

fn numbers(vector: &[f64; TOPICS]) -> Value {
    Value::Numbers(vector.iter().map(|&x| x as f32).collect())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::{Constants, Examination, Logger, PlantedField, START_MS};

    fn names(entity: &Entity) -> Vec<&str> {
        entity.fields.keys().map(String::as_str).collect()
    }

    #[test]
    fn the_catalogue_holds_exactly_what_a_ranker_may_know() {
        let world = World::new(1, &Constants::default());
        let item = world.item_entity(34);
        assert_eq!(item.id, "v34");
        assert_eq!(
            names(&item),
            [
                "age_days",
                "clickbait",
                "duration_ms",
                "fresh",
                "log_duration",
                "popularity",
                "quality",
                "topics"
            ]
        );
        let user = world.user_entity(12);
        assert_eq!((user.id.as_str(), names(&user)), ("u12", vec!["taste"]));
        let visit = world.visit(0, START_MS);
        let context = world.context(&visit);
        assert_eq!(context.keys().collect::<Vec<_>>(), ["device"]);
    }

    #[test]
    fn planted_fields_are_on_the_wire_where_the_world_has_them_and_nowhere_else() {
        let of = |world: &World| {
            let visit = world.visit(0, START_MS);
            let mut all = world.user_entity(visit.user).fields;
            all.extend(world.item_entity(visit.candidates[0]).fields);
            all.extend(world.context(&visit));
            all.extend(world.impression(&visit, visit.candidates[0], 3));
            all
        };
        let mut constants = Constants::default();
        let without = of(&World::new(1, &constants));
        constants.planted.enabled = true;
        let with = of(&World::new(1, &constants));
        for field in PlantedField::ALL {
            assert!(!without.contains_key(field.name()));
            let Value::Text(level) = &with[field.name()] else {
                panic!("{field:?} is no text");
            };
            assert!(level.parse::<u32>().unwrap() < field.levels(), "{field:?}");
        }
        assert_eq!(with.len(), without.len() + PlantedField::ALL.len());
        assert!(without.iter().all(|(name, value)| with[name] == *value));
    }

    #[test]
    fn views_are_told_where_asked_and_come_before_what_follows_from_them() {
        for (examination, known) in [
            (Examination::Additive, false),
            (Examination::Product, true),
            (Examination::Cascade, true),
        ] {
            let constants = Constants {
                examination,
                ..Constants::default()
            };
            let world = World::new(9, &constants);
            let mut views = 0;
            for number in 0..100 {
                let visit = world.visit_of_ten(number, START_MS);
                let actions = world.act(&visit, &visit.candidates);
                let mut all = world.feedback_with_views(&visit, "s", &actions);
                assert!(all.windows(2).all(|pair| pair[0].time < pair[1].time));
                for action in actions.iter().filter(|action| action.click) {
                    assert_ne!(action.viewed, Some(false));
                }
                let seen = actions.iter().filter(|action| action.viewed == Some(true));
                let of = |f: &Feedback| f.kind == "viewed";
                assert_eq!(all.iter().filter(|f| of(f)).count(), seen.count());
                views += all.iter().filter(|f| of(f)).count();
                all.retain(|f| !of(f));
                assert_eq!(all, world.feedback(&visit, "s", &actions));
            }
            assert_eq!(views > 0, known, "{examination:?}");
        }
    }

    #[test]
    fn worlds_that_differ_only_in_what_is_hidden_look_the_same() {
        let mut plain = Constants::default();
        plain.popularity.hidden = 0.0;
        plain.planted.enabled = true;
        let mut other = plain.clone();
        other.sd_hidden = 3.0;
        other.satisfied.base = -4.0;
        other.attraction.base = 1.0;
        let (plain, other) = (World::new(5, &plain), World::new(5, &other));
        for video in 0..1_000 {
            assert_ne!(
                plain.population.videos[video as usize].hidden,
                other.population.videos[video as usize].hidden
            );
            assert_eq!(plain.item_entity(video), other.item_entity(video));
        }
        for user in 0..3_000 {
            assert_eq!(plain.user_entity(user), other.user_entity(user));
        }
        for number in 0..100 {
            let visit = plain.visit(number, START_MS);
            assert_eq!(plain.context(&visit), other.context(&visit));
            for (position, &video) in (1..).zip(&visit.candidates) {
                assert_eq!(
                    plain.impression(&visit, video, position),
                    other.impression(&visit, video, position)
                );
            }
        }
    }

    #[test]
    fn traits_that_are_seen_with_noise_are_never_seen_as_they_are() {
        let world = World::new(6, &Constants::default());
        for (index, video) in world.population.videos.iter().enumerate() {
            let fields = world.item_entity(index as u32).fields;
            for truth in [video.quality, video.clickbait, video.hidden] {
                assert!(!fields.values().any(|v| *v == Value::Number(truth)));
            }
        }
        for (index, user) in world.population.users.iter().enumerate() {
            let fields = world.user_entity(index as u32).fields;
            assert_ne!(fields["taste"], numbers(&user.taste));
        }
    }

    #[test]
    fn satisfaction_never_shows_in_the_feedback() {
        let world = World::new(7, &Constants::default());
        let mut kinds = BTreeSet::new();
        for number in 0..300 {
            let visit = world.visit(number, START_MS);
            let mut actions = world.act(&visit, &visit.candidates);
            let feedback = world.feedback(&visit, "s", &actions);
            kinds.extend(feedback.iter().map(|f| f.kind.clone()));
            for action in &mut actions {
                action.satisfied = !action.satisfied;
            }
            assert_eq!(feedback, world.feedback(&visit, "s", &actions));
        }
        assert!(kinds.iter().eq(["click", "dismiss", "like", "play_ms"]));
    }

    #[test]
    fn feedback_has_its_own_ids_and_follows_the_visit_within_half_a_minute() {
        let world = World::new(8, &Constants::default());
        let mut ids = BTreeSet::new();
        for number in 0..300 {
            let visit = world.visit(number, START_MS);
            let slate = &Logger::Wrong.order(&world, &visit)[..10];
            let feedback = world.feedback(&visit, "s", &world.act(&visit, slate));
            assert!(feedback.windows(2).all(|pair| pair[0].time < pair[1].time));
            for one in feedback {
                assert!((1..30_000).contains(&(one.time - START_MS)));
                if one.kind == "play_ms" {
                    let duration = world.duration_ms(world.video_of(&one.item).unwrap());
                    assert!((0.0..=duration).contains(&one.value.unwrap()));
                }
                assert!(ids.insert(one.id));
            }
        }
        assert!(ids.len() > 500);
    }

    #[test]
    fn a_played_time_comes_only_after_its_click() {
        let world = World::new(9, &Constants::default());
        for number in 0..100 {
            let visit = world.visit(number, START_MS);
            let feedback = world.feedback(&visit, "s", &world.act(&visit, &visit.candidates));
            for one in feedback
                .iter()
                .filter(|f| f.kind == "play_ms" || f.kind == "like")
            {
                assert!(
                    feedback
                        .iter()
                        .any(|f| f.item == one.item && f.kind == "click" && f.time < one.time)
                );
            }
        }
    }

    #[test]
    fn ids_lead_back_to_their_videos_and_foreign_ids_to_none() {
        let world = World::new(10, &Constants::default());
        assert_eq!(world.video_of(&video_id(999)), Some(999));
        for foreign in ["v1000", "v01", "v+1", "u1", "v", "", "v4294967296"] {
            assert_eq!(world.video_of(foreign), None, "{foreign}");
        }
    }
}
