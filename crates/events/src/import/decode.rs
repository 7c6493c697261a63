//! A raw batch as examples, or as raw values for a service.

use std::sync::Arc;

use arrow_array::builder::{Float32Builder, StringBuilder};
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{Array, ArrayRef, Float64Array, Int64Array, StringArray, UInt32Array, UInt64Array};
use spec::{Field, Side, Source, TimePart};

use super::batches::Raw;
use super::cast::Target;
use super::column::Column;
use super::plan::{LogColumn, Place, Read};
use super::{FlatRow, Log, LogFile, list, table};
use crate::example::{has_weights, raw_value};
use crate::moment::since_hours;
use crate::{EventsError, Examples, Fields};

/// A batch in the types of examples.
struct Decoded {
    time: ArrayRef,
    user: ArrayRef,
    item: ArrayRef,
    slate: ArrayRef,
    position: ArrayRef,
    query: ArrayRef,
    weight: ArrayRef,
    propensity: ArrayRef,
    shuffled: ArrayRef,
    /// For each declared field its column, and that of its weights; none for pairs.
    fields: Vec<Option<(ArrayRef, Option<ArrayRef>)>>,
    /// For each name in labels.
    inputs: Vec<Float64Array>,
}

impl Log {
    fn decode(&self, raw: &Raw) -> Result<Decoded, EventsError> {
        let LogFile { file, plan, .. } = &self.files[raw.file];
        let rows = raw.batch.num_rows();
        let log = |column: &Column| column.read(file, &plan.roots, raw.first, &raw.batch);
        let key = |column: LogColumn, target: Target| -> Result<ArrayRef, EventsError> {
            match (plan.root(column), column) {
                (Some(root), _) => log(&Column::new(root, target)),
                (None, LogColumn::User | LogColumn::Item) => Ok(Arc::new(StringArray::from(vec![""; rows]))),
                (None, LogColumn::Time) => Ok(Arc::new(Int64Array::from(vec![0; rows]))),
                (None, _) => Ok(target.nulls(rows)),
            }
        };
        let (user, item, query) = (
            key(LogColumn::User, Target::Key)?,
            key(LogColumn::Item, Target::Key)?,
            key(LogColumn::Query, Target::Id)?,
        );
        let (users, items) = (self.tables.users.as_ref(), self.tables.items.as_ref());
        let by_user = users.map(|table| table.find(&user));
        let by_item = items.map(|table| table.find(&item));
        let by_query = items.map(|table| table.find(&query));
        let value = |place: &Place| match place {
            Place::Log(column) => log(column),
            Place::Key(LogColumn::User) => Ok(Arc::clone(&user)),
            Place::Key(LogColumn::Item) => Ok(Arc::clone(&item)),
            Place::Key(_) => Ok(Arc::clone(&query)),
            Place::Users(column) => Ok(table::pick(users, by_user.as_ref(), *column)),
            Place::Items(column) => Ok(table::pick(items, by_item.as_ref(), *column)),
            Place::Query(column) => Ok(table::pick(items, by_query.as_ref(), *column)),
        };
        let time = key(LogColumn::Time, Target::time(&self.spec.keys))?;
        let offset = self.spec.keys.utc_offset_minutes;
        let field = |(read, field): (&Option<Read>, &Field)| {
            let Some(read) = read else { return Ok(None) };
            let array = match read {
                Read::Value(place) => value(place)?,
                Read::Since(place) => hours(&value(place)?, &time),
                Read::Part(part, None) => parts(*part, &time, offset),
                Read::Part(part, Some(place)) => parts(*part, &value(place)?, offset),
            };
            Ok(Some(if has_weights(&field.kind) {
                let [ids, weights] = list::parts(&array);
                (ids, Some(weights))
            } else {
                (array, None)
            }))
        };
        let fields = plan.fields.iter().zip(&self.spec.fields).map(field);
        let inputs = plan.inputs.iter();
        Ok(Decoded {
            fields: fields.collect::<Result<_, EventsError>>()?,
            inputs: inputs
                .map(|place| Ok(value(place)?.as_primitive::<Float64Type>().clone()))
                .collect::<Result<_, EventsError>>()?,
            slate: key(LogColumn::Slate, Target::Id)?,
            position: key(LogColumn::Position, Target::Position)?,
            weight: key(LogColumn::Weight, Target::Weight)?,
            propensity: key(LogColumn::Propensity, Target::Propensity)?,
            shuffled: key(LogColumn::Shuffled, Target::Flag)?,
            time,
            user,
            item,
            query,
        })
    }

    pub(super) fn examples(&self, raw: &Raw) -> Result<Examples, EventsError> {
        let LogFile { file, first, .. } = &self.files[raw.file];
        let decoded = self.decode(raw)?;
        let rows = raw.batch.num_rows();
        let labels = self
            .labels
            .evaluate(&decoded.inputs, rows)
            .map_err(|bad| bad.cell.at(file, raw.first, &bad.column))?;
        let from = first + raw.first;
        let keys: UInt64Array = (from..from + rows as u64).collect::<Vec<_>>().into();
        let mut arrays: Vec<ArrayRef> = vec![
            Arc::new(keys),
            decoded.time,
            decoded.user,
            decoded.item,
            decoded.slate,
            decoded.position,
            decoded.weight,
            decoded.propensity,
            decoded.shuffled,
        ];
        for (values, weights) in decoded.fields.into_iter().flatten() {
            arrays.push(values);
            arrays.extend(weights);
        }
        arrays.extend(labels.into_iter().map(|labels| -> ArrayRef { Arc::new(labels) }));
        Ok(Examples::of(&self.columns, arrays))
    }

    pub(super) fn rows(&self, raw: &Raw) -> Result<Vec<FlatRow>, EventsError> {
        let decoded = self.decode(raw)?;
        Ok((0..raw.batch.num_rows())
            .map(|row| self.row(&decoded, row))
            .collect())
    }

    fn row(&self, decoded: &Decoded, row: usize) -> FlatRow {
        let text =
            |array: &ArrayRef| (!array.is_null(row)).then(|| array.as_string::<i32>().value(row).to_owned());
        let mut sides: [Fields; 4] = Default::default();
        for (field, arrays) in self.spec.fields.iter().zip(&decoded.fields) {
            let Some((values, weights)) = arrays else { continue };
            if let Some(value) = raw_value(&field.kind, values, weights.as_deref(), row) {
                sides[sent_with(field)].insert(field.name.clone(), value);
            }
        }
        let [user_fields, context_fields, query_fields, item_fields] = sides;
        let positions: &UInt32Array = decoded.position.as_primitive();
        let inputs = self.labels.inputs.iter().zip(&decoded.inputs);
        // Feedback has numbers: what is compared with a text cannot be sent.
        let given = inputs.filter(|(asked, input)| {
            asked.text.is_none() && self.spec.field(&asked.name).is_none() && !input.is_null(row)
        });
        FlatRow {
            time: decoded.time.as_primitive::<Int64Type>().value(row),
            user: text(&decoded.user).unwrap_or_default(),
            item: text(&decoded.item).unwrap_or_default(),
            slate: text(&decoded.slate),
            position: (!positions.is_null(row)).then(|| positions.value(row)),
            query: text(&decoded.query),
            user_fields,
            context_fields,
            query_fields,
            item_fields,
            label_inputs: given
                .map(|(asked, input)| (asked.name.clone(), input.value(row)))
                .collect(),
        }
    }
}

/// Which of the four sides of a [`FlatRow`] carries the field.
fn sent_with(field: &Field) -> usize {
    let of_moment = matches!(field.source, Source::Since { .. } | Source::Part { .. });
    match field.side {
        // A user's age is another at each request: it goes with the request and not into the catalogue.
        Side::User if of_moment => 1,
        Side::User => 0,
        Side::Context | Side::Pair => 1,
        Side::Query => 2,
        Side::Item => 3,
    }
}

/// Hours from each time of `then` to that of `now`.
fn hours(then: &ArrayRef, now: &ArrayRef) -> ArrayRef {
    let (then, now) = (then.as_primitive::<Int64Type>(), now.as_primitive::<Int64Type>());
    let mut hours = Float32Builder::with_capacity(now.len());
    for (then, now) in then.iter().zip(now) {
        hours.append_option(then.zip(now).and_then(|(then, now)| since_hours(then, now)));
    }
    Arc::new(hours.finish())
}

/// The part of each time.
fn parts(part: TimePart, times: &ArrayRef, utc_offset_minutes: i32) -> ArrayRef {
    let mut parts = StringBuilder::new();
    for time in times.as_primitive::<Int64Type>() {
        parts.append_option(time.map(|time| part.at(time, utc_offset_minutes)));
    }
    Arc::new(parts.finish())
}
