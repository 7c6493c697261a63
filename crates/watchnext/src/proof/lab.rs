//! A log for the proof: what a logger shows to the world's people goes through a store and its join, as anyone's would.
//!
//! In: a world, visits, the order in which each is shown. Out: [`Examples`]. Nothing here reads the truth.

use std::sync::Arc;

use anyhow::Context;
use events::{
    Candidate, EventClock, ExampleBuilder, ExampleRow, Examples, Fields, Impression, Recorder,
    RecorderOptions, Slate, Value,
};
use spec::Spec;
use tempfile::TempDir;
use world::{Features, START_MS, Visit, World, user_id, video_id};

use super::truth::SLATE;

/// Visits that the scale of the features is taken from.
const SCALED: u64 = 500;
/// Visits between two waits for the disk.
const GROUP: usize = 256;
/// After the last visit every window has closed.
const NIGHT_MS: i64 = 2 * 3_600_000;

/// A slate to be shown.
pub(super) struct Shown {
    pub visit: Visit,
    /// Videos in the order of positions.
    pub videos: Vec<u32>,
    /// Whether that order was drawn at random.
    pub shuffled: bool,
}

/// A world, and what its rankers read.
pub(super) struct Lab {
    pub world: World,
    pub features: Features,
}

impl Lab {
    /// Of a world; the scale of the features is that of its first visits.
    pub(super) fn new(world: World) -> Lab {
        let visits: Vec<Visit> = (0..SCALED).map(|number| world.visit(number, START_MS)).collect();
        Lab {
            features: Features::fit(&world, &visits),
            world,
        }
    }

    /// Shows slates to the world's people and returns what a store's log says of it, joined.
    pub(super) fn logged(
        &self,
        spec: &Arc<Spec>,
        slates: impl Iterator<Item = Shown>,
    ) -> anyhow::Result<Examples> {
        self.log(spec, slates)?.examples(spec)
    }

    /// Shows slates to the world's people, with the fields that `spec` declares.
    pub(super) fn log(&self, spec: &Arc<Spec>, slates: impl Iterator<Item = Shown>) -> anyhow::Result<Log> {
        let store = tempfile::tempdir().context("a folder for the proof's store")?;
        let options = RecorderOptions {
            mark_every_ms: spec.join.mark_every_ms,
            queue: 4 * GROUP,
        };
        let recorder = Recorder::open(store.path(), options, Arc::new(EventClock::default()))?;
        let mut last = START_MS;
        let mut receipts = Vec::with_capacity(2 * GROUP);
        for shown in slates {
            let visit = &shown.visit;
            let slate = self.slate(spec, &shown);
            let feedback = self
                .world
                .feedback(visit, &slate.id, &self.world.act(visit, &shown.videos));
            last = last.max(visit.time_ms);
            receipts.push(recorder.record_slate(slate)?);
            receipts.push(recorder.record_feedback(feedback)?);
            if receipts.len() >= 2 * GROUP {
                receipts
                    .drain(..)
                    .try_for_each(|receipt| receipt.wait().map(drop))?;
            }
        }
        receipts
            .drain(..)
            .try_for_each(|receipt| receipt.wait().map(drop))?;
        recorder.advance(last + NIGHT_MS)?.wait()?;
        recorder.close();
        Ok(Log(store))
    }

    fn slate(&self, spec: &Spec, shown: &Shown) -> Slate {
        let visit = &shown.visit;
        let user = self.world.user_entity(visit.user).fields;
        let impressions = (1..).zip(&shown.videos).map(|(position, &video)| {
            let mut fields = self.inputs(spec, visit, video);
            fields.extend(declared(spec, self.world.impression(visit, video, position)));
            Impression {
                item: video_id(video),
                position,
                fields,
                predictions: Vec::new(),
                propensity: None,
            }
        });
        let impressions = impressions.collect();
        Slate {
            id: format!("{}-{}", self.world.seed(), visit.number),
            time: visit.time_ms,
            user: user_id(visit.user),
            query: Some(video_id(visit.query)),
            shared: declared(spec, user.into_iter().chain(self.world.context(visit)).collect()),
            impressions,
            model: None,
            score_version: None,
            as_of: 0,
            shuffled: shown.shuffled,
            candidates: None,
        }
    }

    /// A slate as a service would have logged it with its candidate set: the first ten candidates, and all of them.
    pub(super) fn with_candidates(&self, spec: &Spec, visit: &Visit) -> Slate {
        let videos: Vec<u32> = visit.candidates.iter().copied().take(SLATE as usize).collect();
        let mut slate = self.slate(
            spec,
            &Shown {
                visit: visit.clone(),
                videos,
                shuffled: false,
            },
        );
        let candidate = |&video: &u32| Candidate {
            item: video_id(video),
            fields: self.inputs(spec, visit, video),
            predictions: Vec::new(),
        };
        slate.candidates = Some(visit.candidates.iter().map(candidate).collect());
        slate
    }

    /// All candidates of fresh visits as examples without labels: what a ranker is judged on.
    pub(super) fn candidates(&self, spec: &Spec, visits: &[Visit]) -> anyhow::Result<Examples> {
        let mut builder = ExampleBuilder::new(spec);
        let labels = vec![None; spec.objectives.len()];
        for visit in visits {
            let shared = declared(spec, self.world.context(visit));
            let slate = visit.number.to_string();
            for &video in &visit.candidates {
                builder.push(&ExampleRow {
                    key: 0,
                    time: visit.time_ms,
                    user: &user_id(visit.user),
                    item: &video_id(video),
                    slate: Some(&slate),
                    position: None,
                    shuffled: false,
                    query: Some(&video_id(visit.query)),
                    shared: &shared,
                    fields: &self.inputs(spec, visit, video),
                    labels: &labels,
                })?;
            }
        }
        Ok(builder.finish())
    }

    /// The features of one video, and what else of its catalogue entry is declared.
    fn inputs(&self, spec: &Spec, visit: &Visit, video: u32) -> Fields {
        let mut fields = declared(spec, self.world.item_entity(video).fields);
        let features = self.features.of(&self.world, visit, video).to_vec();
        fields.insert("features".to_owned(), Value::Numbers(features));
        fields
    }
}

/// The fields that a declaration knows.
fn declared(spec: &Spec, mut fields: Fields) -> Fields {
    fields.retain(|name, _| spec.field(name).is_some());
    fields
}

/// A store that holds a log; it goes with this value.
pub(super) struct Log(TempDir);

impl Log {
    /// Its examples under a declaration.
    pub(super) fn examples(&self, spec: &Spec) -> anyhow::Result<Examples> {
        let closed = train::closed_examples(self.0.path(), spec)?;
        closed.context("the proof's log closed no example")
    }
}
