//! The people and the videos.
//!
//! Comes in: a seed and [`Constants`]. Goes out: [`Population`], true traits beside what a ranker may observe of them.

use rand::RngExt;
use rand_distr::{Distribution, Exp1, Gamma, StandardNormal};

use crate::chance::{Kind, generator, standardise, weighted};
use crate::constants::{Constants, TOPICS};

/// A person.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct User {
    /// True taste, length 1 (L2).
    pub taste: [f64; TOPICS],
    /// Taste as a ranker sees it: each number with noise.
    pub taste_observed: [f64; TOPICS],
}

/// A video.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Video {
    /// Its own topic.
    pub topic: usize,
    /// Topic vector, length 1 (L2); a ranker sees it as it is.
    pub topics: [f64; TOPICS],
    /// True quality, standard normal.
    pub quality: f64,
    /// True clickbait; 0 for most.
    pub clickbait: f64,
    /// Days since upload.
    pub age_days: f64,
    /// `exp(-age / 10 d)`, in `(0, 1]`.
    pub fresh: f64,
    /// Duration in minutes.
    pub minutes: f64,
    /// Appeal that no feature shows.
    pub hidden: f64,
    /// Standardised over the catalogue.
    pub popularity: f64,
    /// Quality as a ranker sees it.
    pub quality_observed: f64,
    /// Clickbait as a ranker sees it.
    pub clickbait_observed: f64,
}

/// Everybody and everything.
#[derive(Debug, Clone)]
pub(crate) struct Population {
    pub users: Vec<User>,
    pub videos: Vec<Video>,
    /// Per topic: its videos, each with the running sum of weights up to and including it.
    shelves: Vec<Vec<(u32, f64)>>,
}

impl Population {
    /// Draws users and videos, each from their own key: a larger world begins with the people of a smaller one.
    pub fn new(seed: u64, constants: &Constants) -> Self {
        let users = (0..constants.users)
            .map(|index| user(seed, index, constants))
            .collect();
        let (mut videos, raw): (Vec<Video>, Vec<f64>) = (0..constants.videos)
            .map(|index| video(seed, index, constants))
            .unzip();
        for (video, popularity) in videos.iter_mut().zip(standardise(&raw)) {
            video.popularity = popularity;
        }
        let shelves = shelves(&videos, constants);
        Self {
            users,
            videos,
            shelves,
        }
    }

    /// Gives the videos another popularity, standardised here; what is drawn by popularity follows.
    pub fn set_popularity(&mut self, popularity: &[f64], constants: &Constants) {
        for (video, popularity) in self.videos.iter_mut().zip(standardise(popularity)) {
            video.popularity = popularity;
        }
        self.shelves = shelves(&self.videos, constants);
    }

    /// A video of `topic`, drawn with weight `exp(popularity_pull * popularity)`; of any topic where that one is empty.
    pub fn popular<R: rand::Rng>(&self, rng: &mut R, topic: usize) -> u32 {
        let at = rng.random::<f64>();
        let shelf = &self.shelves[topic];
        let Some(&(last, total)) = shelf.last() else {
            return self.any(rng);
        };
        let index = shelf.partition_point(|&(_, sum)| sum <= at * total);
        shelf.get(index).map_or(last, |&(video, _)| video)
    }

    /// A topic, drawn in proportion to a user's taste.
    pub fn liked_topic<R: rand::Rng>(&self, rng: &mut R, user: u32) -> usize {
        weighted(rng, &self.users[user as usize].taste)
    }

    /// Any video, uniformly.
    pub fn any<R: rand::Rng>(&self, rng: &mut R) -> u32 {
        rng.random_range(0..self.videos.len() as u32)
    }
}

fn user(seed: u64, index: u32, constants: &Constants) -> User {
    let mut rng = generator(seed, 0, index, Kind::User);
    let taste = unit(dirichlet(&mut rng, constants.taste_concentration));
    let taste_observed = taste.map(|x| x + constants.taste_noise * normal(&mut rng));
    User {
        taste,
        taste_observed,
    }
}

/// A video, popularity left at 0, and the popularity that is still to be standardised.
fn video(seed: u64, index: u32, constants: &Constants) -> (Video, f64) {
    let mut rng = generator(seed, 0, index, Kind::Video);
    let sizes: [f64; TOPICS] = std::array::from_fn(|j| ((j + 1) as f64).powf(constants.topic_size_exponent));
    let topic = weighted(&mut rng, &sizes);
    let mut topics =
        dirichlet(&mut rng, constants.topics_concentration).map(|share| constants.other_topics * share);
    topics[topic] += constants.own_topic;
    let quality = normal(&mut rng);
    let has_clickbait = rng.random::<f64>() < constants.clickbait_share;
    let [low, high] = constants.clickbait_range;
    let amount = low + (high - low) * rng.random::<f64>();
    let clickbait = if has_clickbait { amount } else { 0.0 };
    let age_days = constants.mean_age_days * rng.sample::<f64, _>(Exp1);
    let minutes = constants.median_minutes * (constants.sd_log_duration * normal(&mut rng)).exp();
    let hidden = constants.sd_hidden * normal(&mut rng);
    let weights = constants.popularity;
    let popularity = weights.quality * quality
        + weights.clickbait * clickbait
        + weights.hidden * hidden
        + weights.noise * normal(&mut rng);
    let video = Video {
        topic,
        topics: unit(topics),
        quality,
        clickbait,
        age_days,
        fresh: (-age_days / constants.fresh_days).exp(),
        minutes,
        hidden,
        popularity: 0.0,
        quality_observed: quality + constants.quality_noise * normal(&mut rng),
        clickbait_observed: clickbait + constants.clickbait_noise * normal(&mut rng),
    };
    (video, popularity)
}

fn shelves(videos: &[Video], constants: &Constants) -> Vec<Vec<(u32, f64)>> {
    let mut shelves = vec![Vec::new(); TOPICS];
    let mut sums = [0.0; TOPICS];
    for (index, video) in videos.iter().enumerate() {
        sums[video.topic] += (constants.popularity_pull * video.popularity).exp();
        shelves[video.topic].push((index as u32, sums[video.topic]));
    }
    shelves
}

fn normal<R: rand::Rng>(rng: &mut R) -> f64 {
    rng.sample(StandardNormal)
}

/// A draw from the symmetric Dirichlet distribution: gamma draws, divided by their sum.
fn dirichlet<R: rand::Rng>(rng: &mut R, concentration: f64) -> [f64; TOPICS] {
    // A concentration that is not positive has no distribution; equal shares are its only sensible reading.
    let Ok(gamma) = Gamma::new(concentration, 1.0) else {
        return [1.0 / TOPICS as f64; TOPICS];
    };
    let parts: [f64; TOPICS] = std::array::from_fn(|_| gamma.sample(rng));
    let sum = parts.iter().sum::<f64>().max(f64::MIN_POSITIVE);
    parts.map(|part| part / sum)
}

/// The vector at length 1 (L2).
fn unit(vector: [f64; TOPICS]) -> [f64; TOPICS] {
    let length = dot(&vector, &vector).sqrt().max(f64::MIN_POSITIVE);
    vector.map(|x| x / length)
}

/// The inner product.
pub(crate) fn dot(a: &[f64; TOPICS], b: &[f64; TOPICS]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moments(values: impl Iterator<Item = f64>) -> (f64, f64) {
        let values: Vec<f64> = values.collect();
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / values.len() as f64;
        (mean, variance.sqrt())
    }

    #[test]
    fn traits_follow_their_distributions() {
        let population = Population::new(1, &Constants::full());
        let videos = &population.videos;
        let (mean, sd) = moments(videos.iter().map(|v| v.quality));
        assert!(mean.abs() < 0.06 && (sd - 1.0).abs() < 0.05, "{mean} {sd}");
        let (mean, sd) = moments(videos.iter().map(|v| v.popularity));
        assert!(mean.abs() < 1e-9 && (sd - 1.0).abs() < 1e-9, "{mean} {sd}");
        let (mean, _) = moments(videos.iter().map(|v| v.age_days));
        assert!((mean - 30.0).abs() < 2.0, "{mean}");
        let (mean, sd) = moments(videos.iter().map(|v| v.minutes.ln()));
        assert!((mean - 6_f64.ln()).abs() < 0.04 && (sd - 0.6).abs() < 0.03);
        let (_, sd) = moments(videos.iter().map(|v| v.hidden));
        assert!((sd - 0.5).abs() < 0.03, "{sd}");
        let clickbait: Vec<f64> = videos.iter().map(|v| v.clickbait).filter(|c| *c > 0.0).collect();
        let share = clickbait.len() as f64 / videos.len() as f64;
        assert!((share - 0.25).abs() < 0.03, "{share}");
        assert!(clickbait.iter().all(|c| (0.5..=1.5).contains(c)));
    }

    #[test]
    fn vectors_have_length_one_and_topic_sizes_fall_as_the_inverse_root() {
        let population = Population::new(2, &Constants::full());
        for video in &population.videos {
            assert!((dot(&video.topics, &video.topics) - 1.0).abs() < 1e-9);
        }
        for user in &population.users {
            assert!((dot(&user.taste, &user.taste) - 1.0).abs() < 1e-9);
        }
        let count = |topic| population.videos.iter().filter(|v| v.topic == topic).count() as f64;
        let ratio = count(0) / count(3);
        assert!((1.6..2.5).contains(&ratio), "{ratio}");
    }

    #[test]
    fn a_larger_world_begins_with_the_people_of_a_smaller_one() {
        let small = Population::new(3, &Constants::default());
        let large = Population::new(3, &Constants::full());
        assert_eq!(small.users[..], large.users[..small.users.len()]);
        assert_eq!(small.videos[7].quality, large.videos[7].quality);
    }
}
