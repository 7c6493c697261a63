//! Flat Parquet: one row an impression, labels as columns, streamed as [`Examples`]. In: files in the order of time, and
//! tables of attributes of users and items. Out: batches of examples; of a log of any size, a batch at a time is in memory.

mod cast;
mod file;
mod label;
mod list;
mod nearest;
mod plan;
mod table;

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{Array, ArrayRef, Float64Array, RecordBatch, UInt32Array, UInt64Array, cast::AsArray};
use spec::{Side, Spec};

use crate::example::raw_value;
use crate::{Columns, EventsError, Examples, Fields};
use cast::Target;
use file::{DataFile, RawBatches};
use label::LabelPlan;
use plan::{LogColumn, Place, Plan};
use table::{Table, Tables};

pub use file::{Sample, sample};

/// Which files make a flat log.
#[derive(Debug, Clone)]
pub struct FlatOptions {
    /// The log's files, in the order of time.
    pub data: Vec<PathBuf>,
    /// Attributes of users, one row for each, with a column named as the user key.
    pub users: Option<PathBuf>,
    /// Attributes of items, one row for each, with a column named as the item key.
    pub items: Option<PathBuf>,
    /// Most rows of a batch.
    pub batch_rows: usize,
}

/// A flat log whose columns fit a declaration and whose times do not go back. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct FlatLog(Arc<Log>);

#[derive(Debug)]
struct Log {
    spec: Spec,
    columns: Columns,
    files: Vec<LogFile>,
    tables: Tables,
    labels: LabelPlan,
    batch_rows: usize,
}

/// One file of the log.
#[derive(Debug)]
struct LogFile {
    file: DataFile,
    /// The log's rows before it.
    first: u64,
    plan: Plan,
}

/// One impression as raw values, for sending a log to a service.
#[derive(Debug, Clone, PartialEq)]
pub struct FlatRow {
    /// Time of the impression, ms since 1970.
    pub time: i64,
    /// The person.
    pub user: String,
    /// The shown item.
    pub item: String,
    /// The slate.
    pub slate: Option<String>,
    /// Position from 1.
    pub position: Option<u32>,
    /// The watched item.
    pub query: Option<String>,
    /// Values of the user-side fields, by field name; like the others without missing ones.
    pub user_fields: Fields,
    /// Values of the context-side fields, by field name.
    pub context_fields: Fields,
    /// Values of the query-side fields, by field name.
    pub query_fields: Fields,
    /// Values of the item-side fields, by field name.
    pub item_fields: Fields,
    /// Names in labels that are no declared fields, with their values in this row where there are any.
    pub label_inputs: Vec<(String, f64)>,
}

impl FlatLog {
    /// Opens the files, checks their columns against `spec` and reads the times once.
    ///
    /// # Errors
    /// A file that is missing or no Parquet; all columns that are missing or of the wrong type, at once; times that go
    /// back; a table with an id twice.
    pub fn open(spec: &Spec, options: FlatOptions) -> Result<FlatLog, EventsError> {
        let data = options
            .data
            .iter()
            .map(|path| DataFile::open(path))
            .collect::<Result<Vec<_>, _>>()?;
        let users = options.users.as_deref().map(DataFile::open).transpose()?;
        let items = options.items.as_deref().map(DataFile::open).transpose()?;
        let labels = LabelPlan::of(spec);

        let mut planner = plan::Planner::new(spec, &labels, users.as_ref(), items.as_ref());
        let plans: Vec<Plan> = data.iter().map(|file| planner.plan(file)).collect();
        let wanted = planner.finish(data.is_empty())?;

        let mut files = Vec::with_capacity(data.len());
        let (mut first, mut before) = (0, i64::MIN);
        for (file, plan) in data.into_iter().zip(plans) {
            before = file.check_times(spec, plan.root(LogColumn::Time), before)?;
            let rows = file.rows();
            files.push(LogFile { file, first, plan });
            first += rows;
        }
        let tables = Tables {
            users: users
                .map(|file| Table::load(file, &spec.keys.user, &wanted.users))
                .transpose()?,
            items: items
                .map(|file| Table::load(file, &spec.keys.item, &wanted.items))
                .transpose()?,
        };
        let (columns, spec) = (Columns::of(spec), spec.clone());
        Ok(FlatLog(Arc::new(Log {
            spec,
            columns,
            files,
            tables,
            labels,
            batch_rows: options.batch_rows.max(1),
        })))
    }

    /// Number of rows.
    pub fn rows(&self) -> u64 {
        self.0
            .files
            .last()
            .map_or(0, |file| file.first + file.file.rows())
    }

    /// The column layout of its examples.
    pub fn columns(&self) -> &Columns {
        &self.0.columns
    }

    /// The examples of the log's rows `rows` (from 0), in order, one for each row; their keys are the row numbers. Nothing
    /// follows an error.
    pub fn read(
        &self,
        rows: Range<u64>,
    ) -> impl Iterator<Item = Result<Examples, EventsError>> + Send + use<> {
        let log = Arc::clone(&self.0);
        Batches::new(&self.0, rows).map(move |raw| log.examples(&raw?))
    }

    /// The log's rows `rows` (from 0) as raw values, in order. Nothing follows an error but the batches after it.
    pub fn read_rows(
        &self,
        rows: Range<u64>,
    ) -> impl Iterator<Item = Result<FlatRow, EventsError>> + Send + use<> {
        let log = Arc::clone(&self.0);
        let batches = Batches::new(&self.0, rows).map(move |raw| log.rows(&raw?));
        batches.flat_map(|rows| match rows {
            Ok(rows) => rows.into_iter().map(Ok).collect::<Vec<_>>(),
            Err(error) => vec![Err(error)],
        })
    }
}

/// A batch as it is in its file.
struct Raw {
    file: usize,
    /// Row of the file that it begins with, from 0.
    first: u64,
    batch: RecordBatch,
}

/// The batches of a range of rows, over the files.
struct Batches {
    log: Arc<Log>,
    rows: Range<u64>,
    open: Option<(usize, RawBatches)>,
}

impl Batches {
    fn new(log: &Arc<Log>, rows: Range<u64>) -> Batches {
        Batches {
            log: Arc::clone(log),
            rows,
            open: None,
        }
    }

    fn raw(&mut self) -> Result<Option<Raw>, EventsError> {
        loop {
            if self.rows.is_empty() {
                return Ok(None);
            }
            let at = self
                .log
                .files
                .partition_point(|file| file.first + file.file.rows() <= self.rows.start);
            let Some(LogFile { file, first, plan }) = self.log.files.get(at) else {
                return Ok(None);
            };
            let from = self.rows.start - first;
            let batches = match &mut self.open {
                Some((open, batches)) if *open == at => batches,
                open => {
                    let to = (self.rows.end - first).min(file.rows());
                    let batches = file.read(&plan.roots, from..to, self.log.batch_rows)?;
                    &mut open.insert((at, batches)).1
                }
            };
            let batch = batches.next().ok_or_else(|| file.ends_early(from))??;
            self.rows.start += batch.num_rows() as u64;
            if batch.num_rows() > 0 {
                return Ok(Some(Raw {
                    file: at,
                    first: from,
                    batch,
                }));
            }
        }
    }
}

impl Iterator for Batches {
    type Item = Result<Raw, EventsError>;

    fn next(&mut self) -> Option<Self::Item> {
        let raw = self.raw().transpose();
        if let Some(Err(_)) = &raw {
            self.rows.end = self.rows.start;
        }
        raw
    }
}

/// A batch in the types of examples. Fields that are pairs have no array.
struct Decoded {
    time: ArrayRef,
    user: ArrayRef,
    item: ArrayRef,
    slate: ArrayRef,
    position: ArrayRef,
    query: ArrayRef,
    fields: Vec<Option<ArrayRef>>,
    /// For each name in labels.
    inputs: Vec<Float64Array>,
}

impl Log {
    fn decode(&self, raw: &Raw) -> Result<Decoded, EventsError> {
        let LogFile { file, plan, .. } = &self.files[raw.file];
        let cast = |column: usize, target: &Target| {
            let array = raw.batch.column(column);
            cast::cast(array, target)
                .map_err(|bad| bad.at(&file.path, raw.first, file.name(plan.roots[column])))
        };
        let key = |column: LogColumn, target: Target| match plan.keys[column as usize] {
            Some(at) => cast(at, &target),
            None => Ok(target.nulls(raw.batch.num_rows())),
        };
        let (user, item, query) = (
            key(LogColumn::User, Target::Key)?,
            key(LogColumn::Item, Target::Key)?,
            key(LogColumn::Query, Target::Id)?,
        );
        let by_user = self.tables.users.as_ref().map(|table| table.find(&user));
        let by_item = self.tables.items.as_ref().map(|table| table.find(&item));
        let by_query = self.tables.items.as_ref().map(|table| table.find(&query));
        let place = |place: &Place, target: &Target| match place {
            Place::Log(column) => cast(*column, target),
            Place::Key(LogColumn::User) => Ok(Arc::clone(&user)),
            Place::Key(LogColumn::Item) => Ok(Arc::clone(&item)),
            Place::Key(_) => Ok(Arc::clone(&query)),
            Place::Users(column) => Ok(table::pick(self.tables.users.as_ref(), by_user.as_ref(), *column)),
            Place::Items(column) => Ok(table::pick(self.tables.items.as_ref(), by_item.as_ref(), *column)),
            Place::Query(column) => Ok(table::pick(
                self.tables.items.as_ref(),
                by_query.as_ref(),
                *column,
            )),
        };
        let field = |(index, at): (usize, &Option<Place>)| {
            let target = Target::of(&self.spec.fields[index].kind);
            at.as_ref().map(|at| place(at, &target)).transpose()
        };
        let input = |at: &Place| Ok(place(at, &Target::Input)?.as_primitive::<Float64Type>().clone());
        Ok(Decoded {
            time: key(LogColumn::Time, Target::Time(self.spec.keys.time_unit))?,
            slate: key(LogColumn::Slate, Target::Id)?,
            position: key(LogColumn::Position, Target::Position)?,
            fields: plan
                .fields
                .iter()
                .enumerate()
                .map(field)
                .collect::<Result<_, _>>()?,
            inputs: plan
                .inputs
                .iter()
                .map(input)
                .collect::<Result<_, EventsError>>()?,
            user,
            item,
            query,
        })
    }

    fn examples(&self, raw: &Raw) -> Result<Examples, EventsError> {
        let LogFile { file, first, .. } = &self.files[raw.file];
        let decoded = self.decode(raw)?;
        let rows = raw.batch.num_rows();
        let labels = self
            .labels
            .evaluate(&decoded.inputs, rows)
            .map_err(|bad| bad.cell.at(&file.path, raw.first, &bad.column))?;
        let from = first + raw.first;
        let keys: UInt64Array = (from..from + rows as u64).collect::<Vec<_>>().into();
        let mut arrays: Vec<ArrayRef> = vec![
            Arc::new(keys),
            decoded.time,
            decoded.user,
            decoded.item,
            decoded.slate,
            decoded.position,
        ];
        arrays.extend(decoded.fields.into_iter().flatten());
        arrays.extend(labels.into_iter().map(|labels| -> ArrayRef { Arc::new(labels) }));
        Ok(Examples::of(&self.columns, arrays))
    }

    fn rows(&self, raw: &Raw) -> Result<Vec<FlatRow>, EventsError> {
        let decoded = self.decode(raw)?;
        let text = |array: &ArrayRef, row: usize| {
            (!array.is_null(row)).then(|| array.as_string::<i32>().value(row).to_owned())
        };
        let positions: &UInt32Array = decoded.position.as_primitive();
        let row = |row: usize| {
            let side = |side: Side| -> Fields {
                let fields = self
                    .spec
                    .fields
                    .iter()
                    .zip(&decoded.fields)
                    .filter(|(field, _)| field.side == side);
                let values = fields.filter_map(|(field, array)| {
                    Some((field.name.clone(), raw_value(&field.kind, array.as_ref()?, row)?))
                });
                values.collect()
            };
            let inputs = self.labels.names.iter().zip(&decoded.inputs);
            let given = inputs.filter(|(name, input)| self.spec.field(name).is_none() && !input.is_null(row));
            FlatRow {
                time: decoded.time.as_primitive::<Int64Type>().value(row),
                user: text(&decoded.user, row).unwrap_or_default(),
                item: text(&decoded.item, row).unwrap_or_default(),
                slate: text(&decoded.slate, row),
                position: (!positions.is_null(row)).then(|| positions.value(row)),
                query: text(&decoded.query, row),
                user_fields: side(Side::User),
                context_fields: side(Side::Context),
                query_fields: side(Side::Query),
                item_fields: side(Side::Item),
                label_inputs: given
                    .map(|(name, input)| (name.clone(), input.value(row)))
                    .collect(),
            }
        };
        Ok((0..raw.batch.num_rows()).map(row).collect())
    }
}
