//! The layout of examples: which column holds which field and which label.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Int64Type, UInt32Type, UInt64Type};
use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use spec::{Kind, Side, Spec};

pub(super) const KEY: usize = 0;
pub(super) const TIME: usize = 1;
pub(super) const USER: usize = 2;
pub(super) const ITEM: usize = 3;
pub(super) const SLATE: usize = 4;
pub(super) const POSITION: usize = 5;
pub(super) const WEIGHT: usize = 6;
pub(super) const PROPENSITY: usize = 7;
pub(super) const SHUFFLED: usize = 8;

/// The Arrow schema of a declaration's examples: `key`, `time`, `user`, `item`, `slate`, `position`, `weight`, `propensity`,
/// `shuffled`, then `field.NAME` for each field that is not of side pair (with `field.NAME.weights` behind it where its ids have weights), then
/// `label.NAME` for each objective. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct Columns(Arc<Layout>);

#[derive(Debug)]
struct Layout {
    schema: SchemaRef,
    /// Column of each declared field; none for pair fields.
    fields: Vec<Option<usize>>,
    /// Column of the first label.
    labels: usize,
}

impl Columns {
    /// The layout that `spec` asks for.
    pub fn of(spec: &Spec) -> Columns {
        let mut columns = vec![
            Field::new("key", DataType::UInt64, false),
            Field::new("time", DataType::Int64, false),
            Field::new("user", DataType::Utf8, false),
            Field::new("item", DataType::Utf8, false),
            Field::new("slate", DataType::Utf8, true),
            Field::new("position", DataType::UInt32, true),
            Field::new("weight", DataType::Float32, true),
            Field::new("propensity", DataType::Float32, true),
            Field::new("shuffled", DataType::Boolean, true),
        ];
        let mut fields = Vec::with_capacity(spec.fields.len());
        for field in &spec.fields {
            if field.side == Side::Pair {
                fields.push(None);
                continue;
            }
            fields.push(Some(columns.len()));
            columns.push(Field::new(
                format!("field.{}", field.name),
                data_type(&field.kind),
                true,
            ));
            if has_weights(&field.kind) {
                columns.push(Field::new(
                    format!("field.{}.weights", field.name),
                    weights_type(),
                    true,
                ));
            }
        }
        let labels = columns.len();
        for objective in &spec.objectives {
            columns.push(Field::new(
                format!("label.{}", objective.name),
                DataType::Float32,
                true,
            ));
        }
        Columns(Arc::new(Layout {
            schema: Arc::new(Schema::new(columns)),
            fields,
            labels,
        }))
    }

    /// The schema.
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.0.schema)
    }

    pub(super) fn field(&self, field: usize) -> usize {
        let column = self.0.fields[field];
        assert!(column.is_some(), "a pair field is computed, it has no column");
        column.unwrap_or_default()
    }

    /// The column of the weights of a field's ids.
    pub(super) fn weights(&self, field: usize) -> Option<usize> {
        let column = self.0.fields[field]? + 1;
        let name = self.0.schema.field(column).name();
        let ids = self.0.schema.field(column - 1).name();
        (name.strip_prefix(ids.as_str()) == Some(".weights")).then_some(column)
    }

    pub(super) fn label(&self, objective: usize) -> usize {
        self.0.labels + objective
    }
}

/// The Arrow type of a field's values.
pub(crate) fn data_type(kind: &Kind) -> DataType {
    match kind {
        Kind::Id { .. } | Kind::Text { .. } => DataType::Utf8,
        Kind::Ids { .. } => DataType::List(Arc::new(Field::new_list_field(DataType::Utf8, true))),
        Kind::Number { .. } | Kind::Buckets { .. } => DataType::Float32,
        Kind::Vector { width, .. } => {
            let element = Arc::new(Field::new_list_field(DataType::Float32, true));
            DataType::FixedSizeList(element, i32::try_from(*width).unwrap_or(i32::MAX))
        }
    }
}

/// Whether a column of weights follows the ids.
pub(crate) fn has_weights(kind: &Kind) -> bool {
    matches!(kind, Kind::Ids { weights: Some(_), .. })
}

/// The Arrow type of the weights of a row's ids.
pub(crate) fn weights_type() -> DataType {
    DataType::List(Arc::new(Field::new_list_field(DataType::Float32, true)))
}

/// Column by column: the name, then each row as 0 (null) or 1 and its value, little-endian, texts and lists with their
/// lengths.
pub(super) fn to_bytes(batch: &RecordBatch) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(batch.get_array_memory_size());
    bytes.extend((batch.num_rows() as u64).to_le_bytes());
    for (field, column) in batch.schema_ref().fields().iter().zip(batch.columns()) {
        put_text(&mut bytes, field.name());
        put_array(&mut bytes, column);
    }
    bytes
}

fn put_text(bytes: &mut Vec<u8>, text: &str) {
    bytes.extend((text.len() as u64).to_le_bytes());
    bytes.extend(text.as_bytes());
}

fn put_array(bytes: &mut Vec<u8>, array: &dyn Array) {
    for row in 0..array.len() {
        if array.is_null(row) {
            bytes.push(0);
            continue;
        }
        bytes.push(1);
        match array.data_type() {
            DataType::Boolean => bytes.push(u8::from(array.as_boolean().value(row))),
            DataType::UInt64 => bytes.extend(array.as_primitive::<UInt64Type>().value(row).to_le_bytes()),
            DataType::Int64 => bytes.extend(array.as_primitive::<Int64Type>().value(row).to_le_bytes()),
            DataType::UInt32 => bytes.extend(array.as_primitive::<UInt32Type>().value(row).to_le_bytes()),
            DataType::Float32 => bytes.extend(array.as_primitive::<Float32Type>().value(row).to_le_bytes()),
            DataType::Utf8 => put_text(bytes, array.as_string::<i32>().value(row)),
            DataType::List(_) => put_list(bytes, &array.as_list::<i32>().value(row)),
            DataType::FixedSizeList(..) => put_list(bytes, &array.as_fixed_size_list().value(row)),
            other => unreachable!("examples have no column of type {other}"),
        }
    }
}

fn put_list(bytes: &mut Vec<u8>, elements: &dyn Array) {
    bytes.extend((elements.len() as u64).to_le_bytes());
    put_array(bytes, elements);
}
