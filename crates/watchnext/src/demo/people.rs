//! People of the simulated world, who use the service over HTTP: visits in order, one in flight.
//!
//! In: a world and a client. Out: what each visit was truly worth under the service's slate, and under a random and a
//! popularity ranker on the same visit.

use anyhow::{Context, ensure};
use events::Feedback;
use serde_json::{Value, json};
use train::Progress;
use world::{Logger, Visit, World, user_id, video_id, visit_time_ms};

use crate::client::Client;

/// True satisfied minutes of visits, summed.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Worth {
    pub visits: u32,
    /// Under the slates that were shown.
    pub shown: f64,
    /// Under a random order of the same candidates.
    pub random: f64,
    /// Under the order by the videos' popularity.
    pub popularity: f64,
}

/// The world's people at one service.
pub(crate) struct People<'a> {
    pub world: &'a World,
    pub client: &'a Client,
    /// Visits a day.
    pub visits: u32,
}

impl People<'_> {
    /// Fills the catalogue with what a ranker may know.
    pub(crate) fn arrive(&self) -> anyhow::Result<()> {
        let constants = self.world.constants();
        let users: Vec<_> = (0..constants.users)
            .map(|user| self.world.user_entity(user))
            .collect();
        let items: Vec<_> = (0..constants.videos)
            .map(|video| self.world.item_entity(video))
            .collect();
        self.client.put_entities("/v1/users", &users)?;
        self.client.put_entities("/v1/items", &items)
    }

    /// Lives one day; on day 0 the `wrong` logger shows its own slates. `None`: stopped by the user.
    pub(crate) fn day(&self, day: u32, progress: &mut dyn Progress) -> anyhow::Result<Option<Worth>> {
        let mut worth = Worth::default();
        for index in 0..self.visits {
            if progress.stopped() {
                return Ok(None);
            }
            let number = u64::from(day) * u64::from(self.visits) + u64::from(index);
            let visit = self.world.visit(number, visit_time_ms(day, index, self.visits));
            let shown = if day == 0 {
                self.shown_elsewhere(&visit)?
            } else {
                self.ranked(&visit)?
            };
            self.react(&visit, &shown)?;
            worth.visits += 1;
            worth.shown += self.world.value(&visit, &shown.videos);
            worth.random += self
                .world
                .value(&visit, &self.first(Logger::Random.order(self.world, &visit)));
            worth.popularity += self
                .world
                .value(&visit, &self.first(Logger::Popularity.order(self.world, &visit)));
            progress.advance(1);
        }
        Ok(Some(worth))
    }

    /// Moves the service's clock past the day's last window.
    pub(crate) fn sleep(&self, day: u32) -> anyhow::Result<i64> {
        let time = visit_time_ms(day + 1, 0, self.visits) - 1;
        self.client.put("/v1/clock", &json!({ "time": time }))?;
        Ok(time)
    }

    fn first(&self, mut order: Vec<u32>) -> Vec<u32> {
        order.truncate(self.world.constants().slate_length as usize);
        order
    }

    /// The slate of a logger outside the service, posted to its log.
    fn shown_elsewhere(&self, visit: &Visit) -> anyhow::Result<Shown> {
        let videos = self.first(Logger::Wrong.order(self.world, visit));
        let slate = format!("w-{}-{}", self.world.seed(), visit.number);
        let items: Vec<Value> = videos
            .iter()
            .map(|&video| json!({ "item": video_id(video) }))
            .collect();
        let body = json!({
            "id": slate, "user": user_id(visit.user), "query": video_id(visit.query),
            "context": self.world.context(visit), "items": items, "time": visit.time_ms,
        });
        self.client.post("/v1/slates", &body)?;
        Ok(Shown { slate, videos })
    }

    /// The service's own slate.
    fn ranked(&self, visit: &Visit) -> anyhow::Result<Shown> {
        let candidates: Vec<String> = visit.candidates.iter().map(|&video| video_id(video)).collect();
        let body = json!({
            "user": user_id(visit.user), "query": video_id(visit.query), "context": self.world.context(visit),
            "candidates": candidates, "limit": self.world.constants().slate_length, "time": visit.time_ms,
            "request": format!("{}-{}", self.world.seed(), visit.number),
        });
        let answer = self.client.post("/v1/rank", &body)?;
        let slate = answer["slate"]
            .as_str()
            .context("the service's answer names no slate")?
            .to_owned();
        let items = answer["items"]
            .as_array()
            .context("the service's answer has no items")?;
        let videos = items
            .iter()
            .filter_map(|item| self.world.video_of(item["item"].as_str()?))
            .collect::<Vec<_>>();
        ensure!(
            videos.len() == items.len(),
            "the service showed an item that was no candidate"
        );
        Ok(Shown { slate, videos })
    }

    fn react(&self, visit: &Visit, shown: &Shown) -> anyhow::Result<()> {
        let actions = self.world.act(visit, &shown.videos);
        let feedback: Vec<Feedback> = self.world.feedback(visit, &shown.slate, &actions);
        if !feedback.is_empty() {
            self.client
                .post("/v1/feedback", &serde_json::to_value(feedback)?)?;
        }
        Ok(())
    }
}

/// A slate that someone saw.
struct Shown {
    slate: String,
    videos: Vec<u32>,
}
