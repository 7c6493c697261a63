//! Planted context: fields that are logged beside every impression, of which some act on clicks and others only look so.
//!
//! Comes in: a user, a video, a visit, a position. Goes out: each field's level, and what the real ones do to a click. All of
//! it is drawn by key, and only where the constants ask for it.

use rand::RngExt;
use rand_distr::StandardNormal;

use crate::World;
use crate::chance::{Kind, generator, sigmoid};
use crate::constants::TOPICS;
use crate::visit::Visit;

/// What a logged field is to clicks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// It changes clicks and is independent of what is shown: a bias.
    Real,
    /// It has nothing to do with clicks beyond what the video and the user say anyhow.
    Null,
    /// It goes with what people want to click, and so looks like a cause of clicks.
    Decoy,
}

/// A planted field. Its values are its levels, `"0"`, `"1"` and so on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PlantedField {
    /// Size of the thumbnail, drawn for each video of a visit. Real: adds to the click's logit by level.
    Thumbnail,
    /// A badge on the video, drawn for each video of a visit, for popular ones more often. Real: adds to the logit, by device. A
    /// ranker that does not know of it takes its effect for one of popularity.
    Badge,
    /// Height of the visit's viewport. Real: multiplies the slope of the position's effect.
    Viewport,
    /// Whether the slot plays by itself, drawn for each position of a visit. Real: adds to the logit.
    Autoplay,
    /// The person's local hour, drawn for each visit. Null.
    LocalHour,
    /// The person's local weekday, drawn for each visit. Null.
    LocalWeekday,
    /// The video's topic. Null.
    Topic,
    /// The video's duration by quarters of its distribution. Null.
    DurationBucket,
    /// A user's group in some experiment. Null.
    UserGroup,
    /// A candidate source that is none: drawn for each video of a visit. Null.
    FakeSource,
    /// Tier of the video's channel. Decoy: goes with its true quality.
    ChannelTier,
    /// How well the video matches the true taste. Decoy.
    TasteBucket,
    /// Where the candidate truly came from. Decoy.
    Source,
    /// A user's membership. Decoy: goes with how concentrated their taste is, and so with how much attracts them.
    Membership,
}

impl PlantedField {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::Thumbnail,
        Self::Badge,
        Self::Viewport,
        Self::Autoplay,
        Self::LocalHour,
        Self::LocalWeekday,
        Self::Topic,
        Self::DurationBucket,
        Self::UserGroup,
        Self::FakeSource,
        Self::ChannelTier,
        Self::TasteBucket,
        Self::Source,
        Self::Membership,
    ];

    /// Its name on the wire, and how many levels it has.
    const fn described(self) -> (&'static str, u32) {
        match self {
            Self::Thumbnail => ("thumbnail", 3),
            Self::Badge => ("badge", 2),
            Self::Viewport => ("viewport", 3),
            Self::Autoplay => ("autoplay", 2),
            Self::LocalHour => ("local_hour", 24),
            Self::LocalWeekday => ("local_weekday", 7),
            Self::Topic => ("topic", TOPICS as u32),
            Self::DurationBucket => ("duration_bucket", 4),
            Self::UserGroup => ("user_group", 4),
            Self::FakeSource => ("fake_source", 3),
            Self::ChannelTier => ("channel_tier", 4),
            Self::TasteBucket => ("taste_bucket", 5),
            Self::Source => ("source", 3),
            Self::Membership => ("membership", 3),
        }
    }

    /// Its name on the wire.
    pub const fn name(self) -> &'static str {
        self.described().0
    }

    /// How many levels it has.
    pub const fn levels(self) -> u32 {
        self.described().1
    }

    /// What it is to clicks. `position` and `device`, which every log has, are real too.
    pub const fn role(self) -> Role {
        match self {
            Self::Thumbnail | Self::Badge | Self::Viewport | Self::Autoplay => Role::Real,
            Self::LocalHour
            | Self::LocalWeekday
            | Self::Topic
            | Self::DurationBucket
            | Self::UserGroup
            | Self::FakeSource => Role::Null,
            Self::ChannelTier | Self::TasteBucket | Self::Source | Self::Membership => Role::Decoy,
        }
    }
}

/// A field and its level.
pub(crate) type Level = (PlantedField, u32);

impl World {
    pub(crate) fn planted_of_user(&self, user: u32) -> [Level; 2] {
        let mut rng = generator(self.seed, 0, user, Kind::PlantedUser);
        let group = rng.random_range(0..PlantedField::UserGroup.levels());
        let noise: f64 = rng.sample(StandardNormal);
        // A taste has length 1: its share-weighted mean is one over the sum.
        let taste = &self.population.users[user as usize].taste;
        let concentration = 1.0 / taste.iter().sum::<f64>();
        let seen = concentration + self.constants.planted.membership_noise * noise;
        [
            (PlantedField::UserGroup, group),
            (PlantedField::Membership, bucket(seen, &[0.6, 0.75])),
        ]
    }

    pub(crate) fn planted_of_video(&self, video: u32) -> [Level; 3] {
        let mut rng = generator(self.seed, 0, video, Kind::PlantedVideo);
        let noise: f64 = rng.sample(StandardNormal);
        let constants = &self.constants;
        let v = &self.population.videos[video as usize];
        let seen = v.quality + constants.planted.tier_noise * noise;
        let longer = (v.minutes / constants.median_minutes).ln() / constants.sd_log_duration;
        [
            (PlantedField::Topic, v.topic as u32),
            (
                PlantedField::DurationBucket,
                bucket(longer, &[-0.674, 0.0, 0.674]),
            ),
            (PlantedField::ChannelTier, bucket(seen, &[-0.8, 0.0, 0.8])),
        ]
    }

    pub(crate) fn planted_of_visit(&self, visit: &Visit) -> [Level; 3] {
        let mut rng = generator(self.seed, visit.number, 0, Kind::PlantedVisit);
        [
            PlantedField::Viewport,
            PlantedField::LocalHour,
            PlantedField::LocalWeekday,
        ]
        .map(|field| (field, rng.random_range(0..field.levels())))
    }

    pub(crate) fn planted_of_impression(&self, visit: &Visit, video: u32, position: u32) -> [Level; 6] {
        let planted = &self.constants.planted;
        let mut rng = generator(self.seed, visit.number, video, Kind::PlantedImpression);
        let thumbnail = rng.random_range(0..PlantedField::Thumbnail.levels());
        let badge = rng.random::<f64>() < self.badge_share(video);
        let fake_source = rng.random_range(0..PlantedField::FakeSource.levels());
        let mut slot = generator(self.seed, visit.number, position, Kind::PlantedSlot);
        let autoplay = slot.random::<f64>() < planted.autoplay_share;
        let matched = self.taste_match(visit, &self.population.videos[video as usize]);
        let source = visit
            .candidates
            .iter()
            .position(|&candidate| candidate == video)
            .map_or(crate::Source::Anywhere, |index| visit.sources[index]);
        [
            (PlantedField::Thumbnail, thumbnail),
            (PlantedField::Badge, u32::from(badge)),
            (PlantedField::Autoplay, u32::from(autoplay)),
            (PlantedField::FakeSource, fake_source),
            (
                PlantedField::TasteBucket,
                bucket(matched, &[-1.0, -0.3, 0.4, 1.1]),
            ),
            (PlantedField::Source, source as u32),
        ]
    }

    /// The chance that a video has a badge.
    fn badge_share(&self, video: u32) -> f64 {
        let planted = &self.constants.planted;
        let share = planted.badge_share.clamp(1e-9, 1.0 - 1e-9);
        sigmoid((share / (1.0 - share)).ln() + planted.badge_popularity * self.popularity(video))
    }

    /// What the planted fields add to a click's logit.
    pub(crate) fn planted_logit(&self, visit: &Visit, video: u32, position: u32) -> f64 {
        let planted = &self.constants.planted;
        if !planted.enabled {
            return 0.0;
        }
        self.planted_of_impression(visit, video, position)
            .into_iter()
            .map(|(field, level)| {
                let strength = match field {
                    PlantedField::Thumbnail => planted.thumbnail,
                    PlantedField::Badge => planted.badge[visit.device as usize],
                    PlantedField::Autoplay => planted.autoplay,
                    _ => 0.0,
                };
                strength * f64::from(level)
            })
            .sum()
    }

    /// What a visit's viewport multiplies the position's effect by.
    pub(crate) fn planted_slope(&self, visit: &Visit) -> f64 {
        if !self.constants.planted.enabled {
            return 1.0;
        }
        let [(_, viewport), ..] = self.planted_of_visit(visit);
        self.constants.planted.viewport[viewport as usize]
    }
}

/// How many of the rising `edges` are at most `value`.
fn bucket(value: f64, edges: &[f64]) -> u32 {
    edges.iter().filter(|edge| **edge <= value).count() as u32
}
