//! Building examples row by row, from raw values.

use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::builder::{
    BooleanBuilder, FixedSizeListBuilder, Float32Builder, Int64Builder, ListBuilder, StringBuilder,
    UInt32Builder, UInt64Builder,
};
use spec::{Keys, Kind, Side, Spec};

use super::value::{Typed, typed};
use super::{Columns, Examples, has_weights};
use crate::{EventsError, Fields, Value};

/// One example before it is columns.
#[derive(Debug, Clone, Copy)]
pub struct ExampleRow<'a> {
    /// What keyed drop-out draws by.
    pub key: u64,
    /// Time of the impression, ms since 1970.
    pub time: i64,
    /// The person.
    pub user: &'a str,
    /// The shown item.
    pub item: &'a str,
    /// The slate.
    pub slate: Option<&'a str>,
    /// Position from 1.
    pub position: Option<u32>,
    /// Whether the item's place in its slate was drawn at random.
    pub shuffled: bool,
    /// The watched item.
    pub query: Option<&'a str>,
    /// Raw values of the user-, context- and query-side fields, by field name.
    pub shared: &'a Fields,
    /// Raw values of the item-side fields, by field name.
    pub fields: &'a Fields,
    /// A label for each objective, in the declared order; `None` = not observed.
    pub labels: &'a [Option<f32>],
}

/// Collects rows into [`Examples`].
#[derive(Debug)]
pub struct ExampleBuilder {
    columns: Columns,
    keys: UInt64Builder,
    times: Int64Builder,
    users: StringBuilder,
    items: StringBuilder,
    slates: StringBuilder,
    positions: UInt32Builder,
    weights: Float32Builder,
    propensities: Float32Builder,
    shuffled: BooleanBuilder,
    fields: Vec<FieldBuilder>,
    labels: Vec<Float32Builder>,
    rows: usize,
}

/// A field that has a column.
#[derive(Debug)]
struct FieldBuilder {
    name: String,
    kind: Kind,
    from: From,
    values: Values,
}

/// Where a row carries the value.
#[derive(Debug, Clone, Copy)]
enum From {
    User,
    Item,
    Query,
    Shared,
    Fields,
}

#[derive(Debug)]
enum Values {
    Id(StringBuilder),
    Ids(ListBuilder<StringBuilder>),
    Weighted(ListBuilder<StringBuilder>, ListBuilder<Float32Builder>),
    Number(Float32Builder),
    Vector(FixedSizeListBuilder<Float32Builder>),
}

impl ExampleBuilder {
    /// For examples of `spec`.
    pub fn new(spec: &Spec) -> ExampleBuilder {
        let fields = spec.fields.iter().filter(|field| field.side != Side::Pair);
        ExampleBuilder {
            columns: Columns::of(spec),
            keys: UInt64Builder::new(),
            times: Int64Builder::new(),
            users: StringBuilder::new(),
            items: StringBuilder::new(),
            slates: StringBuilder::new(),
            positions: UInt32Builder::new(),
            weights: Float32Builder::new(),
            propensities: Float32Builder::new(),
            shuffled: BooleanBuilder::new(),
            fields: fields.map(|field| FieldBuilder::new(&spec.keys, field)).collect(),
            labels: spec.objectives.iter().map(|_| Float32Builder::new()).collect(),
            rows: 0,
        }
    }

    /// Adds a row. A field takes the value of its name in `shared` or `fields`, by its side; one named as the user, item
    /// or query key takes that id. On an error nothing is added.
    ///
    /// # Errors
    /// [`EventsError::Value`] for a value of the wrong kind or width, or one that is not finite.
    pub fn push(&mut self, row: &ExampleRow) -> Result<(), EventsError> {
        self.push_shown(row, None)
    }

    /// As [`ExampleBuilder::push`], of an impression that was logged with this propensity.
    ///
    /// # Errors
    /// As [`ExampleBuilder::push`].
    pub fn push_shown(&mut self, row: &ExampleRow, propensity: Option<f32>) -> Result<(), EventsError> {
        assert_eq!(
            row.labels.len(),
            self.labels.len(),
            "one label for each objective"
        );
        let values = self
            .fields
            .iter()
            .map(|field| field.value(row))
            .collect::<Result<Vec<_>, _>>()?;
        for (field, value) in self.fields.iter_mut().zip(values) {
            field.values.append(value);
        }
        self.keys.append_value(row.key);
        self.times.append_value(row.time);
        self.users.append_value(row.user);
        self.items.append_value(row.item);
        self.slates.append_option(row.slate);
        self.positions.append_option(row.position);
        // The service's log has no example weights.
        self.weights.append_null();
        self.propensities.append_option(propensity);
        self.shuffled.append_value(row.shuffled);
        for (labels, label) in self.labels.iter_mut().zip(row.labels) {
            labels.append_option(*label);
        }
        self.rows += 1;
        Ok(())
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// The rows so far as examples; the builder starts anew.
    pub fn finish(&mut self) -> Examples {
        let mut arrays: Vec<ArrayRef> = vec![
            Arc::new(self.keys.finish()),
            Arc::new(self.times.finish()),
            Arc::new(self.users.finish()),
            Arc::new(self.items.finish()),
            Arc::new(self.slates.finish()),
            Arc::new(self.positions.finish()),
            Arc::new(self.weights.finish()),
            Arc::new(self.propensities.finish()),
            Arc::new(self.shuffled.finish()),
        ];
        for field in &mut self.fields {
            field.values.finish(&mut arrays);
        }
        arrays.extend(
            self.labels
                .iter_mut()
                .map(|labels| -> ArrayRef { Arc::new(labels.finish()) }),
        );
        self.rows = 0;
        Examples::of(&self.columns, arrays)
    }
}

impl FieldBuilder {
    fn new(keys: &Keys, field: &spec::Field) -> FieldBuilder {
        let from = match field.side {
            _ if field.name == keys.user => From::User,
            _ if field.name == keys.item => From::Item,
            _ if field.name == keys.query => From::Query,
            Side::Item => From::Fields,
            Side::User | Side::Context | Side::Query | Side::Pair => From::Shared,
        };
        let values = match &field.kind {
            Kind::Id { .. } | Kind::Text { .. } => Values::Id(StringBuilder::new()),
            kind if has_weights(kind) => Values::Weighted(
                ListBuilder::new(StringBuilder::new()),
                ListBuilder::new(Float32Builder::new()),
            ),
            Kind::Ids { .. } => Values::Ids(ListBuilder::new(StringBuilder::new())),
            Kind::Number { .. } | Kind::Buckets { .. } => Values::Number(Float32Builder::new()),
            Kind::Vector { width, .. } => {
                let width = i32::try_from(*width).unwrap_or(i32::MAX);
                Values::Vector(FixedSizeListBuilder::new(Float32Builder::new(), width))
            }
        };
        FieldBuilder {
            name: field.name.clone(),
            kind: field.kind.clone(),
            from,
            values,
        }
    }

    fn value<'r>(&self, row: &ExampleRow<'r>) -> Result<Option<Typed<'r>>, EventsError> {
        let value: Option<&'r Value> = match self.from {
            From::User => return Ok(Some(Typed::Id(row.user.into()))),
            From::Item => return Ok(Some(Typed::Id(row.item.into()))),
            From::Query => return Ok(row.query.map(|query| Typed::Id(query.into()))),
            From::Shared => row.shared.get(&self.name),
            From::Fields => row.fields.get(&self.name),
        };
        value
            .map(|value| typed(&self.name, &self.kind, value))
            .transpose()
    }
}

impl Values {
    fn append(&mut self, value: Option<Typed>) {
        match (self, value) {
            (Values::Id(ids), Some(Typed::Id(id))) => ids.append_value(id),
            (Values::Id(ids), None) => ids.append_null(),
            (Values::Ids(lists), Some(Typed::Ids(ids))) => {
                lists.append_value(ids.iter().map(|id| Some(id.as_ref())))
            }
            (Values::Ids(lists), None) => lists.append_null(),
            (Values::Weighted(ids, weights), Some(Typed::Weighted(pairs))) => {
                ids.append_value(pairs.keys().map(Some));
                weights.append_value(pairs.values().map(|weight| Some(*weight)));
            }
            (Values::Weighted(ids, weights), None) => {
                ids.append_null();
                weights.append_null();
            }
            (Values::Number(numbers), Some(Typed::Number(number))) => numbers.append_value(number),
            (Values::Number(numbers), None) => numbers.append_null(),
            (Values::Vector(vectors), Some(Typed::Vector(elements))) => {
                vectors.values().append_slice(elements);
                vectors.append(true);
            }
            (Values::Vector(vectors), None) => {
                let width = usize::try_from(vectors.value_length()).unwrap_or_default();
                vectors.values().append_nulls(width);
                vectors.append(false);
            }
            (_, Some(value)) => unreachable!("{value:?} is not of the field's kind"),
        }
    }

    /// Adds its column, and that of its weights.
    fn finish(&mut self, arrays: &mut Vec<ArrayRef>) {
        arrays.push(match self {
            Values::Id(ids) => Arc::new(ids.finish()),
            Values::Ids(lists) | Values::Weighted(lists, _) => Arc::new(lists.finish()),
            Values::Number(numbers) => Arc::new(numbers.finish()),
            Values::Vector(vectors) => Arc::new(vectors.finish()),
        });
        if let Values::Weighted(_, weights) = self {
            arrays.push(Arc::new(weights.finish()));
        }
    }
}
