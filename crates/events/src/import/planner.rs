//! Finds the columns that a declaration asks for. In: the schemas of a log's files and tables. Out: a plan for each file,
//! and every column that is missing or unsuitable, at once.

use spec::{Field, Keys, Kind, Side, Source, Spec};

use super::cast::Target;
use super::column::Column;
use super::file::DataFile;
use super::label::{LabelInput, LabelPlan};
use super::nearest::nearest;
use super::plan::{LogColumn, Place, Plan, Read, Wanted};
use super::times::Times;
use super::words::plain_type;
use crate::EventsError;

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
        planner.problems.extend(Times::of(&spec.keys).problem());
        for (table, key, name) in [(users, &spec.keys.user, "user"), (items, &spec.keys.item, "item")] {
            let Some(table) = table else { continue };
            if name == "user" && spec.keys.no_user {
                let problem = "a table of users was named, and `[keys] absent` says that the log has no user: leave one \
                               of them out";
                planner.problem(problem.to_owned());
            }
            if table.root(key).is_none() {
                let problem = format!("{}: name yours in `[keys] {name}`", none(&[(table, key)]));
                planner.problem(problem);
            } else {
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
        let (spec, labels) = (self.spec, self.labels);
        let mut plan = Plan {
            roots: Vec::new(),
            keys: self.keys(file, &spec.keys),
            fields: spec.fields.iter().map(|field| self.field(file, field)).collect(),
            inputs: labels
                .inputs
                .iter()
                .filter_map(|input| self.input(file, input))
                .collect(),
        };
        plan.roots = plan.columns();
        plan
    }

    fn keys(&mut self, file: &DataFile, keys: &Keys) -> [Option<usize>; 9] {
        let time = Target::time(keys);
        [
            self.key(file, "time", &keys.time, &time, keys.no_time),
            self.key(file, "user", &keys.user, &Target::Key, keys.no_user),
            self.key(file, "item", &keys.item, &Target::Key, keys.no_item),
            self.optional(file, &keys.slate, &Target::Id, "the slate"),
            self.optional(file, &keys.position, &Target::Position, "the position"),
            self.optional(file, &keys.query, &Target::Id, "the query"),
            keys.weight.as_ref().and_then(|name| {
                if file.root(name).is_none() {
                    let help = "name yours in `[keys] weight`, or leave it out: all rows count alike";
                    self.problem(format!("{}: {help}", none(&[(file, name)])));
                    return None;
                }
                self.column(file, name, &Target::Weight, "the example weight")
            }),
            self.optional(file, &keys.propensity, &Target::Propensity, "the propensity"),
            self.optional(
                file,
                &keys.shuffled,
                &Target::Flag,
                "whether the slate was shuffled (a column of another meaning? name yours in `[keys] shuffled`)",
            ),
        ]
    }

    /// The column of an id or the time, which a log has unless the declaration says otherwise.
    fn key(
        &mut self,
        file: &DataFile,
        key: &str,
        name: &str,
        target: &Target,
        absent: bool,
    ) -> Option<usize> {
        if absent {
            return None;
        }
        if file.root(name).is_none() {
            self.problem(format!(
                "{}: name yours in `[keys] {key}`, or write `absent = [\"{key}\"]` where the log has none",
                none(&[(file, name)])
            ));
            return None;
        }
        let what = match key {
            "time" => "the time of the impression".to_owned(),
            _ => format!("the {key} key"),
        };
        self.column(file, name, target, &what)
    }

    fn field(&mut self, file: &DataFile, field: &Field) -> Option<Read> {
        let keys = &self.spec.keys;
        let key = |column| Some(Read::Value(Place::Key(column)));
        match field.side {
            Side::Pair => return None,
            // The key columns themselves were demanded already.
            _ if field.name == keys.user => return key(LogColumn::User),
            _ if field.name == keys.item => return key(LogColumn::Item),
            _ if field.name == keys.query && file.root(&keys.query).is_some() => {
                return key(LogColumn::Query);
            }
            _ => {}
        }
        let what = format!("field `{}`", field.name);
        let target = Target::of(&field.kind);
        if file.root(&field.column).is_none() {
            match &field.source {
                Source::Given => {}
                Source::History { .. } | Source::Rate { .. } => {
                    let what = format!("{what}, which is not derived from feedback in flat files");
                    self.missing(&what, &[(file, &field.column)], "");
                    return None;
                }
                Source::Since { attribute } => return self.moment(file, field, attribute).map(Read::Since),
                Source::Part { part, of: None } => {
                    self.demands_times(&what, &field.column);
                    return Some(Read::Part(*part, None));
                }
                Source::Part { part, of: Some(of) } => {
                    let place = self.moment(file, field, of)?;
                    return Some(Read::Part(*part, Some(place)));
                }
            }
        }
        let place = self.find(file, field, &field.column, &field.attribute, &target, &what);
        place.map(Read::Value)
    }

    /// The time that a field is derived from.
    fn moment(&mut self, file: &DataFile, field: &Field, attribute: &str) -> Option<Place> {
        let what = format!("the time of field `{}`", field.name);
        if let Source::Since { .. } = field.source {
            self.demands_times(&format!("field `{}`", field.name), &field.column);
        }
        let target = Target::Moment(Times::of(&self.spec.keys));
        self.find(file, field, attribute, attribute, &target, &what)
    }

    fn demands_times(&mut self, what: &str, column: &str) {
        if self.spec.keys.no_time {
            self.problem(format!(
                "{what} is derived from the time of the impression, and `[keys] absent` says that the log has none: \
                 give its values in a column `{column}`, or leave the field out"
            ));
        }
    }

    /// The column `column` of the log, else `attribute` in the table of the field's side.
    fn find(
        &mut self,
        file: &DataFile,
        field: &Field,
        column: &str,
        attribute: &str,
        target: &Target,
        what: &str,
    ) -> Option<Place> {
        if file.root(column).is_some() {
            return self.values(file, column, field, target, what).map(Place::Log);
        }
        let keys = &self.spec.keys;
        let (table, place): (_, fn(usize) -> Place) = match field.side {
            Side::User => (self.users.filter(|_| !keys.no_user), Place::Users),
            Side::Item => (self.items.filter(|_| !keys.no_item), Place::Items),
            Side::Query => (self.items, Place::Query),
            Side::Context | Side::Pair => (None, Place::Query),
        };
        let mut looked = vec![(file, column)];
        if let Some(table) = table {
            if field.side == Side::Query && file.root(&keys.query).is_none() {
                looked.push((file, &keys.query));
            } else if table.root(attribute).is_some() {
                let column = self.values(table, attribute, field, target, what)?;
                return Some(place(self.want(field.side == Side::User, column)));
            }
            looked.push((table, attribute));
        }
        self.missing(what, &looked, "");
        None
    }

    /// The column `name` of `file` with that of its weights, where the field has them.
    fn values(
        &mut self,
        file: &DataFile,
        name: &str,
        field: &Field,
        target: &Target,
        what: &str,
    ) -> Option<Column> {
        let root = self.column(file, name, target, what)?;
        let mut column = Column::new(root, target.clone());
        if let (
            Kind::Ids {
                weights: Some(weights),
                ..
            },
            Target::Weighted,
        ) = (&field.kind, target)
            && !matches!(file.data_type(root), arrow_schema::DataType::Map(..))
        {
            let what = format!("the weights of {what}");
            if file.root(weights).is_none() {
                self.missing(&what, &[(file, weights)], "");
                return None;
            }
            column.weights = Some(self.column(file, weights, &Target::Weights, &what)?);
        }
        Some(column)
    }

    /// A name in a label: the log's column, else what a field of that name reads, else an attribute of item or user.
    fn input(&mut self, file: &DataFile, input: &LabelInput) -> Option<Place> {
        let spec = self.spec;
        let name = input.name.as_str();
        let what = format!("`{name}` in a label");
        let target = input.target();
        if file.root(name).is_some() {
            let root = self.column(file, name, &target, &what)?;
            return Some(Place::Log(Column::new(root, target)));
        }
        let field = spec.field(name).map(|field| &spec.fields[field]);
        if let Some(field) = field.filter(|field| field.side != Side::Pair) {
            return self.find(file, field, &field.column, &field.attribute, &target, &what);
        }
        let mut looked = vec![(file, name)];
        let tables = [
            (self.items.filter(|_| !spec.keys.no_item), false),
            (self.users.filter(|_| !spec.keys.no_user), true),
        ];
        for (table, user) in tables {
            let Some(table) = table else { continue };
            if table.root(name).is_some() {
                let root = self.column(table, name, &target, &what)?;
                let column = self.want(user, Column::new(root, target));
                let place = if user { Place::Users } else { Place::Items };
                return Some(place(column));
            }
            looked.push((table, name));
        }
        let near = looked.iter().find_map(|(file, name)| near(file, name));
        self.missing(&what, &looked, &format!(": {}", self.labels.help(name, near)));
        None
    }

    fn want(&mut self, user: bool, column: Column) -> usize {
        let wanted = if user {
            &mut self.wanted.users
        } else {
            &mut self.wanted.items
        };
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

    /// The column `name`, which is there, if it can be read as `target`.
    fn column(&mut self, file: &DataFile, name: &str, target: &Target, what: &str) -> Option<usize> {
        let root = file.root(name)?;
        let found = file.data_type(root);
        if target.reads(found) {
            return Some(root);
        }
        let why = file.why_text(root).map_or_else(String::new, |(line, cell)| {
            let cell: String = cell.chars().take(40).collect();
            format!(" (line {line} has `{cell}`)")
        });
        let help = if *target == Target::Input {
            ": labels are computed from numbers, write them as such (1 and 0 where it happened or not)"
        } else {
            ""
        };
        self.problem(format!(
            "`{}`, column `{name}`: found {}{why}, expected {} for {what}{help}",
            file.label(),
            plain_type(found),
            target.expected()
        ));
        None
    }

    fn missing(&mut self, what: &str, looked: &[(&DataFile, &str)], help: &str) {
        self.problem(format!("{what}: {}{help}", none(looked)));
    }

    fn problem(&mut self, problem: String) {
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }
}

/// That none of the columns `looked` for is there, with the nearest that are.
fn none(looked: &[(&DataFile, &str)]) -> String {
    let place = |(file, name): &(&DataFile, &str)| {
        let near = near(file, name).map_or_else(String::new, |near| format!(" (nearest: `{near}`)"));
        format!("no column `{name}` in `{}`{near}", file.label())
    };
    looked.iter().map(place).collect::<Vec<_>>().join(", ")
}

fn near<'f>(file: &'f DataFile, name: &str) -> Option<&'f str> {
    nearest(
        name,
        file.schema().fields().iter().map(|field| field.name().as_str()),
    )
}
