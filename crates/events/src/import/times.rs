//! Columns of times. In: timestamps, dates, whole numbers in a unit, texts in a form. Out: milliseconds since 1970.

use std::fmt::Write;
use std::sync::Arc;

use arrow_array::builder::Int64Builder;
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{Array, ArrayRef, new_null_array};
use arrow_schema::{DataType, TimeUnit as ArrowUnit};
use chrono::DateTime;
use chrono::format::{Item, Parsed, StrftimeItems, parse};
use spec::{Keys, TimeUnit};

use super::cast::{BadCell, arrow, is_text, shown, value_type};
use crate::example::decimal;
use crate::moment;

/// 2024-05-31 14:00:00 UTC, for examples in messages.
const EXAMPLE_S: i64 = 1_717_164_000;

/// How whole numbers and texts are read as times.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Times {
    unit: TimeUnit,
    /// In `strftime` notation; `None`: ISO 8601.
    format: Option<String>,
}

/// The form of texts, ready to read many.
enum Form<'t> {
    Iso,
    Declared {
        format: &'t str,
        items: Vec<Item<'static>>,
        example: String,
    },
}

impl Times {
    pub(super) fn of(keys: &Keys) -> Times {
        Times {
            unit: keys.time_unit,
            format: keys.time_format.clone(),
        }
    }

    /// What is wrong with the declared form, where something is.
    pub(super) fn problem(&self) -> Option<String> {
        let format = self.format.as_ref()?;
        let read = StrftimeItems::new(format).parse_to_owned();
        read.is_err().then(|| {
            format!("`[keys] time_format` is `{format}`: expected `strftime` notation, as `%d/%m/%Y %H:%M`")
        })
    }

    pub(super) fn reads(&self, found: &DataType) -> bool {
        let found = value_type(found);
        let dated = matches!(
            found,
            DataType::Timestamp(..) | DataType::Date32 | DataType::Date64 | DataType::Null
        );
        dated || is_text(found) || found.is_integer() || found.is_floating()
    }

    pub(super) fn cast(&self, array: &ArrayRef) -> Result<ArrayRef, BadCell> {
        let kind = value_type(array.data_type()).clone();
        let array = if kind == *array.data_type() {
            Arc::clone(array)
        } else {
            arrow(array, &kind, "a time")?
        };
        match kind {
            DataType::Null => Ok(new_null_array(&DataType::Int64, array.len())),
            DataType::Date32 => scaled(&arrow(&array, &DataType::Int32, "a date")?, (86_400_000, 1)),
            DataType::Date64 | DataType::Timestamp(ArrowUnit::Millisecond, _) => scaled(&array, (1, 1)),
            DataType::Timestamp(ArrowUnit::Second, _) => scaled(&array, (1_000, 1)),
            DataType::Timestamp(ArrowUnit::Microsecond, _) => scaled(&array, (1, 1_000)),
            DataType::Timestamp(ArrowUnit::Nanosecond, _) => scaled(&array, (1, 1_000_000)),
            kind if is_text(&kind) => self.texts(&array),
            _ => self.numbers(&array),
        }
    }

    fn texts(&self, array: &ArrayRef) -> Result<ArrayRef, BadCell> {
        let form = self.form();
        let texts = arrow(array, &DataType::Utf8, "a time")?;
        let mut builder = Int64Builder::with_capacity(array.len());
        for (row, text) in texts.as_string::<i32>().iter().enumerate() {
            let text = text.map(str::trim).filter(|text| !text.is_empty());
            let read = |text: &str| form.read(text).ok_or_else(|| form.bad(row, text));
            builder.append_option(text.map(read).transpose()?);
        }
        Ok(Arc::new(builder.finish()))
    }

    /// Whole numbers, also of a column that has fractions; in the declared form where that is all digits, as `20240531`.
    fn numbers(&self, array: &ArrayRef) -> Result<ArrayRef, BadCell> {
        let whole = if array.data_type().is_floating() {
            whole(array)?
        } else {
            arrow(array, &DataType::Int64, "a time")?
        };
        let form = self.form();
        let Some(width) = form.digits() else {
            return scaled(
                &whole,
                match self.unit {
                    TimeUnit::Seconds => (1_000, 1),
                    TimeUnit::Milliseconds => (1, 1),
                    TimeUnit::Microseconds => (1, 1_000),
                },
            );
        };
        let mut builder = Int64Builder::with_capacity(array.len());
        for (row, number) in whole.as_primitive::<Int64Type>().iter().enumerate() {
            let text = number.map(|number| format!("{number:0width$}"));
            let read = |text: String| form.read(&text).ok_or_else(|| form.bad(row, &text));
            builder.append_option(text.map(read).transpose()?);
        }
        Ok(Arc::new(builder.finish()))
    }

    fn form(&self) -> Form<'_> {
        let items = |format: &String| StrftimeItems::new(format).parse_to_owned().ok();
        match &self.format {
            Some(format) => {
                // The planner has refused a form that cannot be read.
                let items = items(format).unwrap_or_default();
                let mut example = String::new();
                if let Some(time) = DateTime::from_timestamp(EXAMPLE_S, 0) {
                    // What cannot be written is left out of the message.
                    let _ = write!(example, "{}", time.format_with_items(items.iter()));
                }
                Form::Declared {
                    format,
                    items,
                    example,
                }
            }
            None => Form::Iso,
        }
    }
}

impl Form<'_> {
    fn read(&self, text: &str) -> Option<i64> {
        let Form::Declared { items, .. } = self else {
            return moment::parse_time(text);
        };
        let mut parsed = Parsed::new();
        parse(&mut parsed, text, items.iter()).ok()?;
        if parsed.hour_mod_12().is_some() && parsed.minute().is_none() {
            parsed.set_minute(0).ok()?;
        }
        let offset = parsed.offset().unwrap_or(0);
        let local = match parsed.to_naive_datetime_with_offset(offset) {
            Ok(local) => local,
            Err(_) if parsed.hour_mod_12().is_none() => parsed.to_naive_date().ok()?.and_hms_opt(0, 0, 0)?,
            Err(_) => return None,
        };
        Some(local.and_utc().timestamp_millis() - i64::from(offset) * 1_000)
    }

    /// Digits of a text in this form, where it has nothing else.
    fn digits(&self) -> Option<usize> {
        match self {
            Form::Declared { example, .. } if example.bytes().all(|byte| byte.is_ascii_digit()) => {
                Some(example.len())
            }
            _ => None,
        }
    }

    fn bad(&self, row: usize, text: &str) -> BadCell {
        let expected = match self {
            Form::Iso => "a time as `2024-05-31T14:00:00Z`, `2024-05-31 14:00:00` or `2024-05-31` (declare another form \
                          in `[keys] time_format`, as `%d/%m/%Y %H:%M`)"
                .to_owned(),
            Form::Declared { format, example, .. } => {
                format!("a time in the form `{format}` of `[keys] time_format`, as `{example}`")
            }
        };
        BadCell {
            row,
            found: format!("`{}`", text.chars().take(40).collect::<String>()),
            expected,
        }
    }
}

/// Floating numbers without fractions.
fn whole(array: &ArrayRef) -> Result<ArrayRef, BadCell> {
    let numbers = arrow(array, &DataType::Float64, "a time")?;
    let mut builder = Int64Builder::with_capacity(array.len());
    for (row, number) in numbers.as_primitive::<Float64Type>().iter().enumerate() {
        if let Some(number) = number.filter(|number| decimal(*number).is_none()) {
            return Err(BadCell {
                row,
                found: shown(number),
                expected: "a time: a whole number of at most 53 bits (see `[keys] time_unit`)".to_owned(),
            });
        }
        builder.append_option(number.map(|number| number as i64));
    }
    Ok(Arc::new(builder.finish()))
}

/// Milliseconds of whole numbers: times `scale.0`, by `scale.1` rounded down.
fn scaled(array: &ArrayRef, scale: (i64, i64)) -> Result<ArrayRef, BadCell> {
    let whole = arrow(array, &DataType::Int64, "a time")?;
    let mut builder = Int64Builder::with_capacity(array.len());
    for (row, time) in whole.as_primitive::<Int64Type>().iter().enumerate() {
        let ms = time.map(|time| {
            let ms = time.checked_mul(scale.0).map(|time| time.div_euclid(scale.1));
            ms.ok_or_else(|| BadCell {
                row,
                found: time.to_string(),
                expected: "a time whose milliseconds fit 64 bits: see `time_unit`".to_owned(),
            })
        });
        builder.append_option(ms.transpose()?);
    }
    Ok(Arc::new(builder.finish()))
}
