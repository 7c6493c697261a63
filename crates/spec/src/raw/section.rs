//! One table of the declaration: typed access to its keys.
//!
//! In: a TOML table and what is known of its keys. Out: values with their places; what is of another type, unknown or not carried out goes
//! to the report.

use toml_edit::{Item, Key, TableLike, Value};

use super::{List, Scalar};
use crate::reference::{Accepted, Table};
use crate::report::{At, Place, Report};
use crate::suggestion;

/// A value of TOML that a key may have.
pub(super) trait Typed: Sized {
    /// What is expected, for help.
    const EXPECTED: &'static str;
    /// The value, if it is of this type.
    fn of(value: &Value) -> Option<Self>;
}

impl Typed for String {
    const EXPECTED: &'static str = "a string";
    fn of(value: &Value) -> Option<Self> {
        value.as_str().map(str::to_owned)
    }
}

impl Typed for i64 {
    const EXPECTED: &'static str = "a whole number";
    fn of(value: &Value) -> Option<Self> {
        value.as_integer()
    }
}

impl Typed for f64 {
    const EXPECTED: &'static str = "a number";
    fn of(value: &Value) -> Option<Self> {
        value
            .as_float()
            .or_else(|| value.as_integer().map(|whole| whole as f64))
    }
}

impl Typed for bool {
    const EXPECTED: &'static str = "`true` or `false`";
    fn of(value: &Value) -> Option<Self> {
        value.as_bool()
    }
}

impl Typed for Scalar {
    const EXPECTED: &'static str = "a string or a number";
    fn of(value: &Value) -> Option<Self> {
        String::of(value)
            .map(Scalar::Text)
            .or_else(|| f64::of(value).map(Scalar::Number))
    }
}

/// A table, or an absent one, which has no keys.
pub(super) struct Section<'t, 'r> {
    table: Option<&'t dyn TableLike>,
    pub(super) place: Place,
    report: &'r Report<'r>,
}

impl<'t, 'r> Section<'t, 'r> {
    /// Opens a table and reports keys that `known` lacks; where that is `None`, keys are names.
    pub(super) fn open(
        table: Option<&'t dyn TableLike>,
        place: Place,
        known: Option<&'static Table>,
        report: &'r Report<'r>,
    ) -> Section<'t, 'r> {
        let section = Section { table, place, report };
        if let Some(known) = known {
            for (place, item) in section.items() {
                section.vet(&place, item, known);
            }
        }
        section
    }

    fn vet(&self, place: &Place, item: &Item, known: &Table) {
        let key = self.key_of(place);
        if known.key(key).is_some() {
            return;
        }
        let Some(later) = known.later.iter().find(|later| later.key == key) else {
            let known: Vec<&str> = known.keys.iter().map(|key| key.name).collect();
            let help = suggestion::choose("known keys", key, &known);
            self.report.add(place, format!("unknown key `{key}`"), help);
            if let Some(meant) = suggestion::nearest(key, &known) {
                self.report.excuse(self.place.path_of(meant));
            }
            return;
        };
        for key in later.excuses {
            self.report.excuse(self.place.path_of(key));
        }
        let value = item.as_value();
        let message = match later.accepted {
            None => format!("`{key}` is not carried out yet"),
            Some(Accepted::Number(default)) if value.and_then(f64::of) == Some(default) => return,
            Some(Accepted::Text(default)) if value.and_then(Value::as_str) == Some(default) => return,
            Some(Accepted::Number(default)) => format!("`{key}` other than {default} is not carried out yet"),
            Some(Accepted::Text(default)) => {
                format!("`{key}` other than `\"{default}\"` is not carried out yet")
            }
        };
        self.report.add(place, message, later.help);
    }

    /// Its own name.
    pub(super) fn name(&self) -> &str {
        // Not `Place::key`: a quoted name may hold a dot.
        self.place
            .path
            .split_once('.')
            .map_or(&self.place.path, |(_, name)| name)
    }

    /// Whether nothing was typed in it.
    pub(super) fn is_empty(&self) -> bool {
        self.table.is_none_or(|table| table.is_empty())
    }

    /// The places of all its keys.
    pub(super) fn typed(&self) -> Vec<Place> {
        self.items().map(|(place, _)| place).collect()
    }

    /// The value of `key`.
    pub(super) fn get<T: Typed>(&self, key: &str) -> Option<At<T>> {
        let (place, item) = self.item(key)?;
        self.read(place, item)
    }

    /// The list at `key`; `None` too where an element is of another type.
    pub(super) fn list<T: Typed>(&self, key: &str) -> Option<At<List<T>>> {
        let (place, item) = self.item(key)?;
        let Some(array) = item.as_array() else {
            self.wrong(
                &place,
                key,
                item,
                &format!("a list, each element {}", T::EXPECTED),
            );
            return None;
        };
        let elements: Vec<Option<At<T>>> = array
            .iter()
            .map(|element| {
                let offset = element.span().map_or(place.offset, |span| span.start);
                let place = Place {
                    offset,
                    path: place.path.clone(),
                };
                let value = T::of(element);
                if value.is_none() {
                    let message = format!("an element of `{key}` is {}", describe(element));
                    self.report
                        .add(&place, message, format!("expected {}", T::EXPECTED));
                }
                value.map(|value| At { value, place })
            })
            .collect();
        let value = elements.into_iter().collect::<Option<List<T>>>()?;
        Some(At { value, place })
    }

    /// All values of a table that maps names to one type.
    pub(super) fn values<T: Typed>(&self) -> Vec<At<T>> {
        self.items()
            .filter_map(|(place, item)| self.read(place, item))
            .collect()
    }

    /// The table at `name`.
    pub(super) fn section(&self, name: &str, known: Option<&'static Table>) -> Option<Section<'t, 'r>> {
        let (place, item) = self.item(name)?;
        self.open_item(place, item, known)
    }

    /// The table at `name`; an empty one where it is absent.
    pub(super) fn section_or_empty(&self, name: &str, known: Option<&'static Table>) -> Section<'t, 'r> {
        self.section(name, known).unwrap_or_else(|| Section {
            table: None,
            place: self.place.missing(name),
            report: self.report,
        })
    }

    /// All tables of a table that maps names to tables.
    pub(super) fn entries(&self, known: &'static Table) -> impl Iterator<Item = Section<'t, 'r>> {
        self.items()
            .filter_map(|(place, item)| self.open_item(place, item, Some(known)))
    }

    fn open_item(
        &self,
        place: Place,
        item: &'t Item,
        known: Option<&'static Table>,
    ) -> Option<Section<'t, 'r>> {
        let Some(table) = item.as_table_like() else {
            let key = self.key_of(&place);
            self.wrong(
                &place,
                key,
                item,
                "a table, as `{ key = value }` or below a `[header]`",
            );
            self.report.excuse(place.path);
            return None;
        };
        Some(Section::open(Some(table), place, known, self.report))
    }

    fn read<T: Typed>(&self, place: Place, item: &Item) -> Option<At<T>> {
        let value = item.as_value().and_then(T::of);
        if value.is_none() {
            let key = self.key_of(&place);
            self.wrong(&place, key, item, T::EXPECTED);
        }
        value.map(|value| At { value, place })
    }

    fn wrong(&self, place: &Place, key: &str, item: &Item, expected: &str) {
        let found = item.as_value().map_or_else(|| "a table".to_owned(), describe);
        self.report.add(
            place,
            format!("`{key}` is {found}"),
            format!("expected {expected}"),
        );
    }

    fn items(&self) -> impl Iterator<Item = (Place, &'t Item)> {
        let table = self.table;
        table.into_iter().flat_map(move |table| {
            table
                .iter()
                .map(move |(key, item)| (self.place_of(table.key(key), key, item), item))
        })
    }

    fn item(&self, key: &str) -> Option<(Place, &'t Item)> {
        let (typed, item) = self.table?.get_key_value(key)?;
        Some((self.place_of(Some(typed), key, item), item))
    }

    fn place_of(&self, typed: Option<&Key>, key: &str, item: &Item) -> Place {
        let span = typed.and_then(Key::span).or_else(|| item.span());
        Place {
            offset: span.map_or(self.place.offset, |span| span.start),
            path: self.place.path_of(key),
        }
    }

    /// The key at `place`, a child of this table.
    fn key_of<'p>(&self, place: &'p Place) -> &'p str {
        let above = self.place.path.len();
        let key = &place.path[above..];
        key.strip_prefix('.').filter(|_| above > 0).unwrap_or(key)
    }
}

/// What a value is, for messages.
fn describe(value: &Value) -> String {
    match value {
        Value::String(string) => format!("the string `{}`", string.value()),
        Value::Integer(number) => format!("the number {}", number.value()),
        Value::Float(number) => format!("the number {:?}", number.value()),
        Value::Boolean(boolean) => format!("the boolean `{}`", boolean.value()),
        Value::Datetime(_) => "a date".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::InlineTable(_) => "a table".to_owned(),
    }
}
