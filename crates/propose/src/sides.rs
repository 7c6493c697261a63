//! Whom a column describes. In: its name and values. Out: a side: by the name, else by what it is constant within.

use crate::data::{Data, MISSING};
use crate::keys::Keys;
use crate::names::{self, Described};

/// Rows that must repeat an id, for its evidence to count.
const ENOUGH: usize = 30;

/// The ids that values may be constant within.
#[derive(Debug)]
pub(crate) struct Sides {
    user: Option<Vec<u32>>,
    item: Option<Vec<u32>>,
    slate: Option<Vec<u32>>,
}

impl Sides {
    /// Of the keys of `data`.
    pub(crate) fn of(data: &Data, keys: &Keys) -> Sides {
        let codes = |column: Option<usize>| column.map(|column| data.values(column).codes);
        Sides {
            user: codes(keys.user),
            item: codes(keys.item),
            slate: codes(keys.slate),
        }
    }

    /// Whether nothing in the log says whom a column describes.
    pub(crate) fn are_unknown(&self) -> bool {
        self.user.is_none() && self.item.is_none() && self.slate.is_none()
    }

    /// The side of the column `name` with the codes `codes`, and why.
    pub(crate) fn side(&self, name: &str, codes: &[u32]) -> (&'static str, &'static str) {
        match names::described(name) {
            Some(Described::Both) => {
                return ("item", "of user and item together: it comes with each candidate");
            }
            // Also where a session is the slate and it changes within one: no candidate brings it.
            Some(Described::Moment) if names::is_of_a_users_moment(name) => {
                return ("context", "of the moment, though it is named as the user's");
            }
            Some(Described::User) => return ("user", ""),
            Some(Described::Item) => return ("item", ""),
            _ => {}
        }
        let within = |ids: &Option<Vec<u32>>| {
            ids.as_ref()
                .map(|ids| constancy(ids, codes))
                .filter(|(again, _)| *again >= ENOUGH)
        };
        if names::described(name) == Some(Described::Moment)
            && within(&self.slate).is_none_or(|(_, share)| share > 0.9)
        {
            return ("context", "");
        }
        let constant = |ids| within(ids).is_some_and(|(_, share)| share >= 0.99);
        if constant(&self.item) {
            return ("item", "the same in all rows of an item");
        }
        if constant(&self.user) {
            return ("user", "the same in all rows of a user");
        }
        match within(&self.slate) {
            Some((_, share)) if share >= 0.99 => return ("context", "the same within a slate"),
            Some(_) => return ("item", "differs within a slate"),
            None => {}
        }
        if self.are_unknown() {
            return ("item", "");
        }
        if names::is_personal(name) {
            return ("user", "");
        }
        ("context", "differs between the rows of a user and of an item")
    }
}

/// Of the rows whose id was there before: their number, and the share of them that have the value which the id had first.
pub(crate) fn constancy(ids: &[u32], values: &[u32]) -> (usize, f64) {
    let most = ids
        .iter()
        .filter(|id| **id != MISSING)
        .max()
        .map_or(0, |id| *id as usize + 1);
    let mut first = vec![None; most];
    let (mut again, mut same) = (0_usize, 0_usize);
    for (id, value) in ids.iter().zip(values) {
        match first.get_mut(*id as usize) {
            Some(Some(before)) => {
                again += 1;
                same += usize::from(before == value);
            }
            Some(first) => *first = Some(*value),
            None => {}
        }
    }
    (again, same as f64 / again.max(1) as f64)
}
