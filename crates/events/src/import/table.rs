//! Tables of attributes, by the id of a user or item, in memory.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, UInt32Array};

use super::cast::{self, Target};
use super::file::DataFile;
use crate::EventsError;
use crate::example::sound;

/// Rows read at once.
const ROWS: usize = 65_536;

/// The tables of a flat log.
#[derive(Debug)]
pub(super) struct Tables {
    pub(super) users: Option<Table>,
    pub(super) items: Option<Table>,
}

/// One row an id.
#[derive(Debug)]
pub(super) struct Table {
    rows: HashMap<String, u32>,
    /// The wanted columns, one row for each id.
    columns: Vec<ArrayRef>,
}

impl Table {
    /// Reads the key column and the columns `wanted` (root index and type).
    pub(super) fn load(file: DataFile, key: &str, wanted: &[(usize, Target)]) -> Result<Table, EventsError> {
        let Some(key) = file.root(key) else {
            unreachable!("the planner demanded the key column")
        };
        let mut roots: Vec<usize> = wanted.iter().map(|(root, _)| *root).chain([key]).collect();
        roots.sort_unstable();
        roots.dedup();
        let at = |root: usize| roots.partition_point(|other| *other < root);

        let mut rows = HashMap::new();
        let mut parts: Vec<Vec<ArrayRef>> = vec![Vec::new(); wanted.len()];
        let mut first = 0;
        for batch in file.read(&roots, 0..file.rows(), ROWS)? {
            let batch = batch?;
            let cast = |root: usize, target: &Target| {
                cast::cast(batch.column(at(root)), target)
                    .map_err(|bad| bad.at(&file.path, first, file.name(root)))
            };
            for (row, id) in (first..).zip(cast(key, &Target::Key)?.as_string::<i32>().iter().flatten()) {
                match rows.entry(id.to_owned()) {
                    Entry::Vacant(entry) => entry.insert(u32::try_from(row).unwrap_or(u32::MAX)),
                    Entry::Occupied(entry) => {
                        return Err(EventsError::DuplicateKey {
                            path: file.path.clone(),
                            row: row + 1,
                            first: u64::from(*entry.get()) + 1,
                            column: file.name(key).to_owned(),
                            key: id.to_owned(),
                        });
                    }
                };
            }
            for (part, (root, target)) in parts.iter_mut().zip(wanted) {
                part.push(cast(*root, target)?);
            }
            first += batch.num_rows() as u64;
        }
        let join = |(parts, (_, target)): (Vec<ArrayRef>, &(usize, Target))| {
            let parts: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
            if parts.is_empty() {
                target.nulls(0)
            } else {
                sound(arrow_select::concat::concat(&parts))
            }
        };
        Ok(Table {
            rows,
            columns: parts.into_iter().zip(wanted).map(join).collect(),
        })
    }

    /// The rows of `ids`; null where there is none.
    pub(super) fn find(&self, ids: &ArrayRef) -> UInt32Array {
        ids.as_string::<i32>()
            .iter()
            .map(|id| self.rows.get(id?).copied())
            .collect()
    }
}

/// The wanted column `column` of `table` at `rows`.
pub(super) fn pick(table: Option<&Table>, rows: Option<&UInt32Array>, column: usize) -> ArrayRef {
    let (Some(table), Some(rows)) = (table, rows) else {
        unreachable!("a place in a table that is not there")
    };
    sound(arrow_select::take::take(&table.columns[column], rows, None))
}
