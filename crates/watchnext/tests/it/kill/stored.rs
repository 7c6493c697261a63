//! What a store holds after `kill -9`, and what of it must be there.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use events::{
    Catalogue, DerivedRules, Entity, Event, Feedback, Fields, Replay, Slate, State, verify_derived,
};
use rusqlite::Connection;
use serde_json::json;
use spec::Spec;

use super::sent::{Asked, Sent};
use super::{RANKER, copy, id, shown};

/// What a store holds, after `kill -9`.
pub(super) struct Stored {
    pub(super) slates: BTreeMap<String, Slate>,
    pub(super) feedback: BTreeMap<String, Feedback>,
    catalogue: Catalogue,
}

impl Stored {
    /// Reads a copy, so that the next service finds what the kill left. The files are sound, sequences have no gaps, no id
    /// is there twice, no feedback is an orphan, and the derived fields of slates are those of the log before them.
    pub(super) fn read(store: &Path) -> Stored {
        let dir = tempfile::tempdir().unwrap();
        copy(store, dir.path());
        let dir = dir.path();
        assert_sound(&dir.join("state.sqlite"));
        assert_ids_are_unique(&dir.join("log"));
        let (mut slates, mut feedback) = (BTreeMap::new(), BTreeMap::new());
        for (seq, event) in (1..).zip(Replay::open(dir, 1, None).unwrap()) {
            let event = event.unwrap();
            assert_eq!(event.seq(), seq, "sequences have no gaps");
            match event {
                Event::Slate { slate, .. } => drop(slates.insert(slate.id.clone(), slate)),
                Event::Feedback {
                    feedback: one, user, ..
                } => {
                    let slate: &Slate = slates
                        .get(&one.slate)
                        .unwrap_or_else(|| panic!("an orphan: {one:?}"));
                    assert_eq!(user.as_ref(), Some(&slate.user), "{one:?}");
                    feedback.insert(one.id.clone(), one);
                }
                Event::Mark { .. } => {}
            }
        }
        let spec = Spec::parse("ranker.toml", RANKER).unwrap();
        let derived = verify_derived(Replay::open(dir, 1, None).unwrap(), &DerivedRules::of(&spec)).unwrap();
        assert_eq!((derived.slates, derived.unverifiable), (slates.len(), 0));
        assert_eq!(derived.mismatches, []);
        Stored {
            slates,
            feedback,
            catalogue: State::open(dir).unwrap().load_catalogue().unwrap(),
        }
    }

    /// All that was acknowledged is there as it was sent; of what was not, whole requests are there or nothing.
    pub(super) fn holds(&self, sent: &[Sent]) {
        for sent in sent {
            for Asked { what, answer } in &sent.posted {
                let slate = self.slates.get(id(what));
                assert!(slate.is_some() || answer.is_none(), "lost: {what}");
                if let Some(slate) = slate {
                    assert_eq!(
                        (json!(slate.user), items_of(slate)),
                        (what["user"].clone(), shown(what))
                    );
                }
            }
            for answer in sent.ranked.iter().filter_map(|asked| asked.answer.as_ref()) {
                // An answer of `rank` is no acknowledgement; but if it is there, then as it was answered.
                if let Some(slate) = self.slates.get(answer["slate"].as_str().unwrap()) {
                    assert_eq!(items_of(slate), shown(answer));
                }
            }
            for Asked { what, answer } in &sent.feedback {
                let there: Vec<_> = what.iter().filter_map(|one| self.feedback.get(&one.id)).collect();
                let whole = there.len() == what.len() || there.is_empty() && answer.is_none();
                assert!(
                    whole,
                    "only {} of the {} that begin with {:?}",
                    there.len(),
                    what.len(),
                    what.first()
                );
                assert!(there.is_empty() || there.into_iter().eq(what));
            }
            holds_writes(&sent.items, |item| self.catalogue.item(item));
            holds_writes(&sent.users, |user| self.catalogue.user(user));
        }
    }
}

/// Each entity is as its last acknowledged write made it, or as one after that did; a write is there whole or not at all.
fn holds_writes<'s>(writes: &[Asked<Vec<Entity>>], stored: impl Fn(&str) -> Option<&'s Fields>) {
    let written = |entity: &Entity| {
        stored(&entity.id).is_some_and(|stored| {
            entity
                .fields
                .iter()
                .all(|(name, value)| stored.get(name) == Some(value))
        })
    };
    let mut last: BTreeMap<&str, Vec<&Entity>> = BTreeMap::new();
    for Asked { what, answer } in writes {
        for entity in what {
            let last = last.entry(&entity.id).or_default();
            if answer.is_some() {
                last.clear();
            }
            last.push(entity);
        }
        let whole: BTreeSet<bool> = what.iter().map(written).collect();
        assert!(
            answer.is_some() || whole.len() == 1,
            "half of a write is there: {what:?}"
        );
    }
    let acknowledged: BTreeSet<&str> = writes
        .iter()
        .filter(|write| write.answer.is_some())
        .flat_map(|write| &write.what)
        .map(|entity| &*entity.id)
        .collect();
    for (id, last) in last {
        assert!(
            !acknowledged.contains(id) || last.into_iter().any(written),
            "lost: a write of `{id}`"
        );
    }
}

pub(super) fn items_of(slate: &Slate) -> Vec<&str> {
    slate
        .impressions
        .iter()
        .map(|impression| impression.item.as_str())
        .collect()
}

fn assert_sound(file: &Path) -> Connection {
    let connection = Connection::open(file).unwrap();
    let verdict: String = connection
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(verdict, "ok", "{}", file.display());
    connection
}

/// Over all days.
fn assert_ids_are_unique(log: &Path) {
    let mut counts = BTreeMap::<(&str, String), i64>::new();
    let files = fs::read_dir(log).unwrap().map(|entry| entry.unwrap().path());
    for file in files.filter(|file| file.extension().is_some_and(|extension| extension == "sqlite")) {
        let connection = assert_sound(&file);
        for table in ["slates", "feedback"] {
            let mut ids = connection
                .prepare(&format!("SELECT id, count(*) FROM {table} GROUP BY id"))
                .unwrap();
            for row in ids
                .query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?)))
                .unwrap()
            {
                let (id, count) = row.unwrap();
                *counts.entry((table, id)).or_default() += count;
            }
        }
    }
    let twice: Vec<_> = counts.iter().filter(|(_, count)| **count != 1).collect();
    assert!(twice.is_empty(), "there more than once: {twice:?}");
}
