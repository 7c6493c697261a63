//! Examples: labelled impressions in one Arrow schema for each declaration, the only form in which import and join hand
//! them on. In: rows ([`ExampleBuilder`]) or whole columns. Out: typed columns, for a columnar encoder.

mod builder;
mod columns;
mod value;

use std::fmt::Display;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Int64Type, UInt32Type, UInt64Type};
use arrow_array::{
    Array, BooleanArray, FixedSizeListArray, Float32Array, ListArray, RecordBatch, StringArray, UInt32Array,
};
use spec::{Side, Spec};

pub use builder::{ExampleBuilder, ExampleRow};
pub use columns::Columns;
pub(crate) use columns::{data_type, has_weights, weights_type};
pub use value::check_value;
pub(crate) use value::{decimal, raw_value};

use crate::Fields;
use columns::{ITEM, KEY, POSITION, PROPENSITY, SHUFFLED, SLATE, TIME, USER, WEIGHT};

/// Examples in the schema of [`Columns`]; cloning shares the data.
#[derive(Debug, Clone)]
pub struct Examples {
    columns: Columns,
    batch: RecordBatch,
}

impl Examples {
    /// No examples.
    pub fn empty(columns: &Columns) -> Examples {
        Examples {
            columns: columns.clone(),
            batch: RecordBatch::new_empty(columns.schema()),
        }
    }

    /// Takes columns that were made in `columns`' order and types; another shape is a bug.
    pub(crate) fn of(columns: &Columns, arrays: Vec<arrow_array::ArrayRef>) -> Examples {
        let batch = sound(RecordBatch::try_new(columns.schema(), arrays));
        Examples {
            columns: columns.clone(),
            batch,
        }
    }

    /// Number of examples.
    pub fn len(&self) -> usize {
        self.batch.num_rows()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The Arrow form, `len` rows.
    pub fn batch(&self) -> &RecordBatch {
        &self.batch
    }

    /// Their column layout.
    pub fn columns(&self) -> &Columns {
        &self.columns
    }

    /// The examples' keys `[len]`: what keyed drop-out draws by.
    pub fn keys(&self) -> &[u64] {
        self.batch.column(KEY).as_primitive::<UInt64Type>().values()
    }

    /// Times of the impressions `[len]`, ms since 1970.
    pub fn times(&self) -> &[i64] {
        self.batch.column(TIME).as_primitive::<Int64Type>().values()
    }

    /// The persons `[len]`, never null.
    pub fn users(&self) -> &StringArray {
        self.batch.column(USER).as_string()
    }

    /// The shown items `[len]`, never null.
    pub fn items(&self) -> &StringArray {
        self.batch.column(ITEM).as_string()
    }

    /// The slates `[len]`; null where the log has none.
    pub fn slates(&self) -> &StringArray {
        self.batch.column(SLATE).as_string()
    }

    /// Positions from 1 `[len]`; null where unknown.
    pub fn positions(&self) -> &UInt32Array {
        self.batch.column(POSITION).as_primitive::<UInt32Type>()
    }

    /// Weights `[len]`, above 0: how much each example counts in training; null = 1.
    pub fn weights(&self) -> &Float32Array {
        self.batch.column(WEIGHT).as_primitive::<Float32Type>()
    }

    /// How likely the logging policy was to show the item there `[len]`, `(0, 1]`; null where unknown.
    pub fn propensities(&self) -> &Float32Array {
        self.batch.column(PROPENSITY).as_primitive::<Float32Type>()
    }

    /// Whether the item's place in its slate was drawn at random `[len]`; null = not.
    pub fn shuffled(&self) -> &BooleanArray {
        self.batch.column(SHUFFLED).as_boolean()
    }

    /// Values `[len]` of the id or text field `field`, an index into `Spec::fields`. Asking for a field of another kind is a
    /// bug.
    pub fn id(&self, field: usize) -> &StringArray {
        self.field(field).as_string()
    }

    /// Values `[len]` of the ids field `field`: lists of strings.
    pub fn ids(&self, field: usize) -> &ListArray {
        self.field(field).as_list()
    }

    /// Weights `[len]` of the ids of the ids field `field`: lists of finite numbers, as long as the lists of ids; `None` where
    /// the field declares none.
    pub fn id_weights(&self, field: usize) -> Option<&ListArray> {
        let column = self.columns.weights(field)?;
        Some(self.batch.column(column).as_list())
    }

    /// Values `[len]` of the number field `field`, in buckets or not, finite.
    pub fn number(&self, field: usize) -> &Float32Array {
        self.field(field).as_primitive::<Float32Type>()
    }

    /// Values `[len, width]` of the vector field `field`, finite.
    pub fn vector(&self, field: usize) -> &FixedSizeListArray {
        self.field(field).as_fixed_size_list()
    }

    /// Labels `[len]` of the objective `objective`, an index into `Spec::objectives`; null = not observed.
    pub fn label(&self, objective: usize) -> &Float32Array {
        self.batch
            .column(self.columns.label(objective))
            .as_primitive::<Float32Type>()
    }

    fn field(&self, field: usize) -> &dyn Array {
        self.batch.column(self.columns.field(field))
    }

    /// The same examples with field `field` (an index into `Spec::fields`, of no pair) missing in each.
    pub fn without(&self, field: usize) -> Examples {
        let (at, schema) = (self.columns.field(field), self.batch.schema());
        let mut columns = self.batch.columns().to_vec();
        columns[at] = arrow_array::new_null_array(schema.field(at).data_type(), self.len());
        if let Some(weights) = self.columns.weights(field) {
            columns[weights] = arrow_array::new_null_array(schema.field(weights).data_type(), self.len());
        }
        Examples::of(&self.columns, columns)
    }

    /// `len` examples from index `from`; no copy.
    pub fn slice(&self, from: usize, len: usize) -> Examples {
        Examples {
            columns: self.columns.clone(),
            batch: self.batch.slice(from, len),
        }
    }

    /// The examples at `indices`, in that order.
    pub fn take(&self, indices: &[u32]) -> Examples {
        let indices = UInt32Array::from(indices.to_vec());
        let batch = sound(arrow_select::take::take_record_batch(&self.batch, &indices));
        Examples {
            columns: self.columns.clone(),
            batch,
        }
    }

    /// All of `parts` in order; at least one, all of one declaration, with less than 2 GiB of text in a column.
    pub fn concat(parts: &[Examples]) -> Examples {
        assert!(!parts.is_empty(), "nothing to concatenate");
        if let [one] = parts {
            return one.clone();
        }
        let columns = &parts[0].columns;
        let batches = parts.iter().map(|part| &part.batch);
        let batch = sound(arrow_select::concat::concat_batches(&columns.schema(), batches));
        Examples {
            columns: columns.clone(),
            batch,
        }
    }

    /// A canonical form, for comparing replays: two sets of examples have the same bytes exactly if all their values are
    /// the same, however they were sliced or batched.
    pub fn to_bytes(&self) -> Vec<u8> {
        columns::to_bytes(&self.batch)
    }

    /// The raw values of example `row`, by field name: those of user, context and query, and those of the item. Missing
    /// values and pair fields are left out.
    pub fn to_slate_fields(&self, spec: &Spec, row: usize) -> (Fields, Fields) {
        let (mut shared, mut fields) = (Fields::new(), Fields::new());
        for (index, field) in spec.fields.iter().enumerate() {
            let side = match field.side {
                Side::Pair => continue,
                Side::Item => &mut fields,
                Side::User | Side::Context | Side::Query => &mut shared,
            };
            let weights = self.id_weights(index).map(|weights| -> &dyn Array { weights });
            if let Some(value) = raw_value(&field.kind, self.field(index), weights, row) {
                side.insert(field.name.clone(), value);
            }
        }
        (shared, fields)
    }
}

/// Unwraps what can fail only where columns do not fit the schema they were made for.
pub(crate) fn sound<T, E: Display>(result: Result<T, E>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => unreachable!("columns do not fit their schema: {error}"),
    }
}
