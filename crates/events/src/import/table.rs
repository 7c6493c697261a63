//! Tables of attributes, by the id of a user or item, in memory.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, UInt32Array};

use super::cast::Target;
use super::column::Column;
use super::file::DataFile;
use crate::EventsError;
use crate::example::sound;

/// Rows read at once.
const ROWS: usize = 65_536;
/// Letters of an id that a message shows.
const SHOWN: usize = 60;

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
    /// Reads the key column and the columns `wanted`.
    pub(super) fn load(file: DataFile, key: &str, wanted: &[Column]) -> Result<Table, EventsError> {
        let Some(key) = file.root(key) else {
            unreachable!("the planner demanded the key column")
        };
        let key = Column::new(key, Target::Key);
        let columns = wanted.iter().chain([&key]);
        let roots: BTreeSet<usize> = columns
            .flat_map(|column| [Some(column.root), column.weights])
            .flatten()
            .collect();
        let roots: Vec<usize> = roots.into_iter().collect();

        let mut rows = HashMap::new();
        let mut parts: Vec<Vec<ArrayRef>> = vec![Vec::new(); wanted.len()];
        let mut first = 0;
        for batch in file.read(&roots, 0..file.rows(), ROWS)? {
            let batch = batch?;
            let ids = key.read(&file, &roots, first, &batch)?;
            for (row, id) in (first..).zip(ids.as_string::<i32>().iter().flatten()) {
                match rows.entry(id.to_owned()) {
                    Entry::Vacant(entry) => entry.insert(u32::try_from(row).unwrap_or(u32::MAX)),
                    Entry::Occupied(entry) => {
                        return Err(EventsError::DuplicateKey {
                            path: file.path.clone(),
                            place: file.place(row),
                            before: file.place(u64::from(*entry.get())).into(),
                            column: file.name(key.root).to_owned(),
                            key: match id.char_indices().nth(SHOWN) {
                                Some((end, _)) => format!("{}...", &id[..end]).into(),
                                None => id.into(),
                            },
                        });
                    }
                };
            }
            for (part, column) in parts.iter_mut().zip(wanted) {
                part.push(column.read(&file, &roots, first, &batch)?);
            }
            first += batch.num_rows() as u64;
        }
        let join = |(parts, column): (Vec<ArrayRef>, &Column)| {
            let parts: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
            if parts.is_empty() {
                column.target.nulls(0)
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
