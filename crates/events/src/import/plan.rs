//! Which column of which file holds what a declaration asks for, and every column that is missing, at once.

use spec::{Field, Side, Source, Spec};

use super::cast::Target;
use super::file::DataFile;
use super::label::LabelPlan;
use super::nearest::nearest;
use crate::EventsError;

/// The identifying columns of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LogColumn {
    Time,
    User,
    Item,
    Slate,
    Position,
    Query,
}

/// Where a value is read.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Place {
    /// A column of the log: its place in [`Plan::roots`].
    Log(usize),
    /// The field is an identifying column.
    Key(LogColumn),
    /// A wanted column of the users table, at the row's user.
    Users(usize),
    /// A wanted column of the items table, at the row's item.
    Items(usize),
    /// A wanted column of the items table, at the row's query.
    Query(usize),
}

/// What to read of one file of the log.
#[derive(Debug)]
pub(super) struct Plan {
    /// Columns to read, ascending.
    pub(super) roots: Vec<usize>,
    /// The identifying columns, by [`LogColumn`]: places in `roots`.
    pub(super) keys: [Option<usize>; 6],
    /// For each declared field but pairs.
    pub(super) fields: Vec<Option<Place>>,
    /// For each name in labels.
    pub(super) inputs: Vec<Place>,
}

impl Plan {
    /// The column of the file that holds `column`.
    pub(super) fn root(&self, column: LogColumn) -> usize {
        self.keys[column as usize].map_or(0, |at| self.roots[at])
    }

    /// Until here, places in `roots` were columns of the file.
    fn compact(mut self) -> Plan {
        let fields = self.fields.iter_mut().flatten().chain(&mut self.inputs);
        let places = fields.filter_map(|place| {
            if let Place::Log(root) = place {
                Some(root)
            } else {
                None
            }
        });
        let mut places: Vec<&mut usize> = places.chain(self.keys.iter_mut().flatten()).collect();
        let mut roots: Vec<usize> = places.iter().map(|root| **root).collect();
        roots.sort_unstable();
        roots.dedup();
        for place in &mut places {
            **place = roots.partition_point(|root| *root < **place);
        }
        self.roots = roots;
        self
    }
}

/// Columns of the tables that are to be loaded: column and type.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    pub(super) users: Vec<(usize, Target)>,
    pub(super) items: Vec<(usize, Target)>,
}

/// Finds columns, and collects what is missing.
pub(super) struct Planner<'s> {
    spec: &'s Spec,
    labels: &'s LabelPlan,
    users: Option<&'s DataFile>,
    items: Option<&'s DataFile>,
    wanted: Wanted,
    problems: Vec<String>,
}

impl<'s> Planner<'s> {
    pub(super) fn new(
        spec: &'s Spec,
        labels: &'s LabelPlan,
        users: Option<&'s DataFile>,
        items: Option<&'s DataFile>,
    ) -> Planner<'s> {
        let mut planner = Planner {
            spec,
            labels,
            users,
            items,
            wanted: Wanted::default(),
            problems: Vec::new(),
        };
        for (table, key, name) in [(users, &spec.keys.user, "user"), (items, &spec.keys.item, "item")] {
            if let Some(table) = table {
                planner.column(table, key, &Target::Key, &format!("the {name} key"));
            }
        }
        planner
    }

    /// The columns that the tables must load, or all that is missing.
    pub(super) fn finish(mut self, no_data: bool) -> Result<Wanted, EventsError> {
        if no_data {
            self.problems.push("no data file was named".to_owned());
        }
        if self.problems.is_empty() {
            Ok(self.wanted)
        } else {
            Err(EventsError::Columns {
                problems: self.problems,
            })
        }
    }

    /// What to read of `file`. Where something is missing, the plan is not to be used.
    pub(super) fn plan(&mut self, file: &DataFile) -> Plan {
        let keys = &self.spec.keys;
        let time = Target::Time(keys.time_unit);
        let keys = [
            self.column(file, &keys.time, &time, "the time of the impression"),
            self.column(file, &keys.user, &Target::Key, "the user key"),
            self.column(file, &keys.item, &Target::Key, "the item key"),
            self.optional(file, &keys.slate, &Target::Id, "the slate"),
            self.optional(file, &keys.position, &Target::Position, "the position"),
            self.optional(file, &keys.query, &Target::Id, "the query"),
        ];
        let (spec, labels) = (self.spec, self.labels);
        let fields = spec.fields.iter().map(|field| self.field(file, field)).collect();
        let inputs = labels
            .names
            .iter()
            .filter_map(|name| self.input(file, name))
            .collect();
        Plan {
            roots: Vec::new(),
            keys,
            fields,
            inputs,
        }
        .compact()
    }

    fn field(&mut self, file: &DataFile, field: &Field) -> Option<Place> {
        let keys = &self.spec.keys;
        match field.side {
            Side::Pair => return None,
            // The key columns themselves were demanded already.
            _ if field.name == keys.user => return Some(Place::Key(LogColumn::User)),
            _ if field.name == keys.item => return Some(Place::Key(LogColumn::Item)),
            _ if field.name == keys.query && file.root(&keys.query).is_some() => {
                return Some(Place::Key(LogColumn::Query));
            }
            _ => {}
        }
        let what = format!("field `{}`", field.name);
        if let Source::History { .. } = field.source
            && file.root(&field.name).is_none()
        {
            let what = format!("{what}, which is not derived from feedback in flat files");
            self.missing(&what, &[(file, &field.name)]);
            return None;
        }
        self.find(file, field, &Target::of(&field.kind), &what)
    }

    /// The log's column of the field's name, else the attribute in the table of its side.
    fn find(&mut self, file: &DataFile, field: &Field, target: &Target, what: &str) -> Option<Place> {
        if file.root(&field.name).is_some() {
            return self.column(file, &field.name, target, what).map(Place::Log);
        }
        let (table, place): (_, fn(usize) -> Place) = match field.side {
            Side::User => (self.users, Place::Users),
            Side::Item => (self.items, Place::Items),
            Side::Query => (self.items, Place::Query),
            Side::Context | Side::Pair => (None, Place::Log),
        };
        let mut looked = vec![(file, field.name.as_str())];
        if let Some(table) = table {
            if field.side == Side::Query && file.root(&self.spec.keys.query).is_none() {
                looked.push((file, &self.spec.keys.query));
            } else if table.root(&field.attribute).is_some() {
                let root = self.column(table, &field.attribute, target, what)?;
                return Some(place(self.want(field.side == Side::User, root, target)));
            }
            looked.push((table, &field.attribute));
        }
        self.missing(what, &looked);
        None
    }

    /// A name in a label: the log's column, else what a field of that name reads, else an attribute of item or user.
    fn input(&mut self, file: &DataFile, name: &str) -> Option<Place> {
        let spec = self.spec;
        let what = format!("`{name}` in a label");
        if file.root(name).is_some() {
            return self.column(file, name, &Target::Input, &what).map(Place::Log);
        }
        if let Some(field) = spec
            .field(name)
            .map(|field| &spec.fields[field])
            .filter(|field| field.side != Side::Pair)
        {
            return self.find(file, field, &Target::Input, &what);
        }
        let mut looked = vec![(file, name)];
        for (table, user) in [(self.items, false), (self.users, true)] {
            let Some(table) = table else { continue };
            if table.root(name).is_some() {
                let root = self.column(table, name, &Target::Input, &what)?;
                let column = self.want(user, root, &Target::Input);
                return Some(if user {
                    Place::Users(column)
                } else {
                    Place::Items(column)
                });
            }
            looked.push((table, name));
        }
        self.missing(&what, &looked);
        None
    }

    fn want(&mut self, user: bool, root: usize, target: &Target) -> usize {
        let wanted = if user {
            &mut self.wanted.users
        } else {
            &mut self.wanted.items
        };
        let column = (root, target.clone());
        wanted
            .iter()
            .position(|other| *other == column)
            .unwrap_or_else(|| {
                wanted.push(column);
                wanted.len() - 1
            })
    }

    fn optional(&mut self, file: &DataFile, name: &str, target: &Target, what: &str) -> Option<usize> {
        file.root(name)?;
        self.column(file, name, target, what)
    }

    fn column(&mut self, file: &DataFile, name: &str, target: &Target, what: &str) -> Option<usize> {
        let Some(root) = file.root(name) else {
            self.missing(what, &[(file, name)]);
            return None;
        };
        let found = file.data_type(root);
        if !target.reads(found) {
            let problem = format!(
                "`{}`, column `{name}`: found {found}, expected {} for {what}",
                file.label(),
                target.expected()
            );
            self.problem(problem);
            return None;
        }
        Some(root)
    }

    fn missing(&mut self, what: &str, looked: &[(&DataFile, &str)]) {
        let mut places = Vec::new();
        for (file, name) in looked {
            let names = file.schema().fields().iter().map(|field| field.name().as_str());
            let near = nearest(name, names).map_or_else(String::new, |near| format!(" (nearest: `{near}`)"));
            places.push(format!("no column `{name}` in `{}`{near}", file.label()));
        }
        self.problem(format!("{what}: {}", places.join(", ")));
    }

    fn problem(&mut self, problem: String) {
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }
}
