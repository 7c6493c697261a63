//! What to read of the files of a flat log: which column holds what a declaration asks for.

use std::collections::BTreeSet;

use spec::TimePart;

use super::column::Column;

/// The identifying columns of a log, and the weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LogColumn {
    Time,
    User,
    Item,
    Slate,
    Position,
    Query,
    Weight,
    Propensity,
    Shuffled,
}

/// Where a value is read.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Place {
    /// A column of the log.
    Log(Column),
    /// The field is an identifying column.
    Key(LogColumn),
    /// A wanted column of the users table, at the row's user.
    Users(usize),
    /// A wanted column of the items table, at the row's item.
    Items(usize),
    /// A wanted column of the items table, at the row's query.
    Query(usize),
}

/// How a field gets its values.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Read {
    /// They are there.
    Value(Place),
    /// Hours since the time there.
    Since(Place),
    /// A part of the time there, or of the time of the impression.
    Part(TimePart, Option<Place>),
}

/// What to read of one file of the log.
#[derive(Debug)]
pub(super) struct Plan {
    /// Columns to read, ascending.
    pub(super) roots: Vec<usize>,
    /// The identifying columns, by [`LogColumn`].
    pub(super) keys: [Option<usize>; 9],
    /// For each declared field but pairs.
    pub(super) fields: Vec<Option<Read>>,
    /// For each name in labels.
    pub(super) inputs: Vec<Place>,
}

impl Plan {
    /// The column of the file that holds `column`.
    pub(super) fn root(&self, column: LogColumn) -> Option<usize> {
        self.keys[column as usize]
    }

    /// The columns of the log that it names, ascending.
    pub(super) fn columns(&self) -> Vec<usize> {
        let fields = self.fields.iter().flatten().filter_map(|read| match read {
            Read::Value(place) | Read::Since(place) | Read::Part(_, Some(place)) => Some(place),
            Read::Part(_, None) => None,
        });
        let columns = fields.chain(&self.inputs).filter_map(|place| match place {
            Place::Log(column) => Some(column),
            _ => None,
        });
        let roots = columns.flat_map(|column| [Some(column.root), column.weights]);
        let roots: BTreeSet<usize> = roots.chain(self.keys).flatten().collect();
        roots.into_iter().collect()
    }
}

/// Columns of the tables that are to be loaded.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    pub(super) users: Vec<Column>,
    pub(super) items: Vec<Column>,
}
