//! Every number of the simulated world in one place.
//!
//! Comes in: nothing, or a TOML that overrides some of them. Goes out: [`Constants`], the coefficients that the other files
//! put into their equations.

mod file;

use serde::{Deserialize, Serialize};

pub use file::ConstantsError;

/// Number of topics, the width of tastes and of topic vectors.
pub const TOPICS: usize = 8;

/// Coefficients of a logit that is linear in taste match `m`, quality `q` and clickbait `c`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Response {
    /// The logit at `m = q = c = 0`.
    pub base: f64,
    /// Per unit of taste match.
    pub taste: f64,
    /// Per unit of quality.
    pub quality: f64,
    /// Per unit of clickbait.
    pub clickbait: f64,
}

/// Coefficients of the attraction `u`; hidden appeal enters with coefficient 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attraction {
    /// The logit when everything else is 0.
    pub base: f64,
    /// Per unit of taste match `m`.
    pub taste: f64,
    /// Per unit of query match `s`.
    pub query: f64,
    /// Per unit of the product `m s`.
    pub taste_query: f64,
    /// Per unit of quality.
    pub quality: f64,
    /// Per unit of clickbait.
    pub clickbait: f64,
    /// Per unit of freshness.
    pub fresh: f64,
}

/// What popularity is made of, before it is standardised over the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Popularity {
    /// Weight of quality.
    pub quality: f64,
    /// Weight of clickbait.
    pub clickbait: f64,
    /// Weight of hidden appeal.
    pub hidden: f64,
    /// Standard deviation of what nothing explains.
    pub noise: f64,
}

/// What a logging policy sorts by: a weighted sum of standardised attraction, standardised popularity and normal noise.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoggerWeights {
    /// Weight of the true attraction, standardised over the candidates.
    pub attraction: f64,
    /// Weight of popularity, standardised over the candidates.
    pub popularity: f64,
    /// Weight of standard normal noise.
    pub noise: f64,
}

/// How a position keeps people from clicking. `u` is the attraction, `k` the position from 1, `beta` the strength by device
/// times `eta`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Examination {
    /// Its effect adds to the logit: `P(click) = sigmoid(u + d_dev - beta ln k)`.
    Additive,
    /// The position-based model: a position is examined with probability `k^-beta`, whatever stands there, and what is
    /// examined is clicked with `sigmoid(u)`.
    Product,
    /// People go down the list from position 1, click what they come to with `sigmoid(u)`, and go on with probability `g` by
    /// device, `after_click g` after a click. `eta` is the power of both, as it is of `k^-beta`: at 0 everything is
    /// examined.
    Cascade,
}

/// Context that is logged beside every impression, some of which acts on clicks; see [`crate::PlantedField`]. The strengths
/// are logits, but for `viewport`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Planted {
    /// Whether there is any: without it nothing of this is drawn, logged or acts.
    pub enabled: bool,
    /// Per level of the thumbnail's size (0, 1, 2).
    pub thumbnail: f64,
    /// Share of videos with a badge, at mean popularity.
    pub badge_share: f64,
    /// How much the logit of that share rises with popularity (standardised).
    pub badge_popularity: f64,
    /// A badge's effect by device (phone, desktop, tv).
    pub badge: [f64; 3],
    /// What the height of the viewport (low, middle, tall) multiplies `beta` by.
    pub viewport: [f64; 3],
    /// Share of slots that play by themselves.
    pub autoplay_share: f64,
    /// Effect of a slot that plays by itself.
    pub autoplay: f64,
    /// Noise between a video's quality and its channel's tier, standard deviation.
    pub tier_noise: f64,
    /// Noise between a user's concentration of taste (0.35 to 1) and their membership, standard deviation.
    pub membership_noise: f64,
}

impl Planted {
    /// The same fields, of which none acts on clicks.
    pub fn without_effect(self) -> Self {
        Self {
            thumbnail: 0.0,
            badge: [0.0; 3],
            viewport: [1.0; 3],
            autoplay: 0.0,
            ..self
        }
    }
}

/// The constants of a world. `Default` gives 3,000 users and 1,000 videos; [`Constants::full`] the size at which the
/// reference figures of the tests were measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Constants {
    /// People; fewer than 1 counts as 1.
    pub users: u32,
    /// Videos in the catalogue; fewer than 2 counts as 2.
    pub videos: u32,
    /// Candidates of a visit; at most `videos - 1`.
    pub candidates: u32,
    /// Videos that a slate usually shows.
    pub slate_length: u32,

    /// Topic `j` (from 1) holds a share of the videos proportional to `j` to this power.
    pub topic_size_exponent: f64,
    /// Weight of a video's own topic in its topic vector, before normalising to length 1.
    pub own_topic: f64,
    /// Weight of the Dirichlet part in a video's topic vector.
    pub other_topics: f64,
    /// Concentration of that Dirichlet distribution.
    pub topics_concentration: f64,
    /// Concentration of the Dirichlet distribution of tastes.
    pub taste_concentration: f64,
    /// Share of videos with clickbait.
    pub clickbait_share: f64,
    /// Range of clickbait where there is some (uniform).
    pub clickbait_range: [f64; 2],
    /// Mean age in days (exponential).
    pub mean_age_days: f64,
    /// Freshness is `exp(-age / fresh_days)`.
    pub fresh_days: f64,
    /// Median duration in minutes (log-normal).
    pub median_minutes: f64,
    /// Standard deviation of ln duration.
    pub sd_log_duration: f64,
    /// Standard deviation of hidden appeal.
    pub sd_hidden: f64,
    /// What popularity is made of.
    pub popularity: Popularity,
    /// Noise on each of the 8 numbers of an observed taste, standard deviation.
    pub taste_noise: f64,
    /// Noise on observed quality, standard deviation.
    pub quality_noise: f64,
    /// Noise on observed clickbait, standard deviation.
    pub clickbait_noise: f64,

    /// Shares of phone, desktop, tv.
    pub device_shares: [f64; 3],
    /// Shares of candidates from the query video's topic, from the user's topics, and from anywhere.
    pub candidate_shares: [f64; 3],
    /// A video is drawn from its topic with weight `exp(popularity_pull * popularity)`.
    pub popularity_pull: f64,

    /// How a position keeps people from clicking.
    pub examination: Examination,
    /// Logit offset of a click by device (phone, desktop, tv); additive form only.
    pub device_offset: [f64; 3],
    /// Strength of position bias by device (phone, desktop, tv).
    pub beta: [f64; 3],
    /// Multiplies every `beta`, and is the power of every `go_on`; 0 is a world without position bias.
    pub eta: f64,
    /// Probability to go on after an examined video that was not clicked, by device; cascade only.
    pub go_on: [f64; 3],
    /// Multiplies `go_on` after a click; cascade only.
    pub after_click: f64,
    /// Context that is logged with impressions, some of which acts on clicks.
    pub planted: Planted,

    /// Centre and scale of taste match: `m = (taste . topics - centre) / scale`.
    pub taste_match: [f64; 2],
    /// Centre and scale of query match: `s = (query topics . topics - centre) / scale`.
    pub query_match: [f64; 2],
    /// Attraction.
    pub attraction: Attraction,
    /// Mean watched fraction after a click.
    pub watch: Response,
    /// Sum of the two parameters of the watched fraction's Beta distribution.
    pub watch_concentration: f64,
    /// A like after a click.
    pub like: Response,
    /// Satisfaction after a click; no log ever shows it.
    pub satisfied: Response,
    /// A dismissal, once examined.
    pub dismiss: Response,

    /// A logger that knows a little of the truth.
    pub weak: LoggerWeights,
    /// A logger that is aligned with the truth.
    pub strong: LoggerWeights,
    /// A logger that is confidently wrong: it sorts by popularity, mostly.
    pub wrong: LoggerWeights,
}

impl Constants {
    /// The world at 20,000 users and 5,000 videos.
    pub fn full() -> Self {
        Self {
            users: 20_000,
            videos: 5_000,
            ..Self::default()
        }
    }
}

impl Default for Constants {
    fn default() -> Self {
        Self {
            users: 3_000,
            videos: 1_000,
            candidates: 50,
            slate_length: 10,
            topic_size_exponent: -0.5,
            own_topic: 0.7,
            other_topics: 0.3,
            topics_concentration: 0.3,
            taste_concentration: 0.35,
            clickbait_share: 0.25,
            clickbait_range: [0.5, 1.5],
            mean_age_days: 30.0,
            fresh_days: 10.0,
            median_minutes: 6.0,
            sd_log_duration: 0.6,
            sd_hidden: 0.5,
            popularity: Popularity {
                quality: 0.5,
                clickbait: 0.6,
                hidden: 0.4,
                noise: 0.7,
            },
            taste_noise: 0.15,
            quality_noise: 0.7,
            clickbait_noise: 0.3,
            device_shares: [0.60, 0.25, 0.15],
            candidate_shares: [0.4, 0.3, 0.3],
            popularity_pull: 0.5,
            examination: Examination::Additive,
            device_offset: [0.0, 0.2, -0.3],
            beta: [0.8, 0.5, 1.2],
            eta: 1.0,
            go_on: [0.85, 0.92, 0.75],
            after_click: 0.35,
            planted: Planted {
                enabled: false,
                thumbnail: 0.35,
                badge_share: 0.3,
                badge_popularity: 1.5,
                badge: [1.2, 0.8, 0.3],
                viewport: [1.5, 1.0, 0.5],
                autoplay_share: 0.2,
                autoplay: 0.7,
                tier_noise: 0.7,
                membership_noise: 0.1,
            },
            taste_match: [0.45, 0.33],
            query_match: [0.50, 0.40],
            attraction: Attraction {
                base: -2.0,
                taste: 0.8,
                query: 0.3,
                taste_query: 0.25,
                quality: 0.3,
                clickbait: 1.2,
                fresh: 0.4,
            },
            watch: response(-0.1, 0.7, 0.5, -1.6),
            watch_concentration: 6.0,
            like: response(-2.2, 0.5, 0.9, -1.2),
            satisfied: response(0.6, 0.5, 0.8, -2.0),
            dismiss: response(-3.6, -0.8, -0.2, 1.2),
            weak: weights(0.5, 0.0, 0.87),
            strong: weights(0.95, 0.0, 0.31),
            wrong: weights(0.3, 0.9, 0.3),
        }
    }
}

fn response(base: f64, taste: f64, quality: f64, clickbait: f64) -> Response {
    Response {
        base,
        taste,
        quality,
        clickbait,
    }
}

fn weights(attraction: f64, popularity: f64, noise: f64) -> LoggerWeights {
    LoggerWeights {
        attraction,
        popularity,
        noise,
    }
}
