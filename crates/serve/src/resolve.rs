//! Raw field values of a request: what the client gave, else the catalogue, else derived from the log or the clock.
//!
//! In: a request's names and its time. Out: values by declared field name, as they are encoded and as they are logged. Values that no
//! field declares (a `position` among a candidate's fields, say) go nowhere.

use events::{Catalogue, Fields, Value, check_value, derived_from_time};
use spec::{Field, Side, Source, Spec};

use crate::Problem;

/// The request's side of a slate.
pub(crate) struct Shared<'a> {
    pub spec: &'a Spec,
    pub catalogue: &'a Catalogue,
    pub user: &'a str,
    pub query: Option<&'a str>,
    pub context: &'a Fields,
    /// The request's time, ms since 1970.
    pub now: i64,
}

impl Shared<'_> {
    /// Values of the user-, context- and query-side fields; `derived` holds the histories.
    pub(crate) fn fields(&self, derived: Fields) -> Result<Fields, Problem> {
        let mut fields = derived;
        let of_user = self.catalogue.user(self.user);
        let of_query = self.query.and_then(|query| self.catalogue.item(query));
        for (at, field) in self.spec.fields.iter().enumerate() {
            let entry = match field.side {
                Side::User => of_user,
                Side::Query => of_query,
                Side::Context => None,
                Side::Item | Side::Pair => continue,
            };
            if of_log(field) {
                continue;
            }
            let given = self.context.get(&field.name);
            if let Some(value) = value(self.spec, field, given, entry, self.now) {
                fields.insert(field.name.clone(), checked(self.spec, at, value)?);
            }
        }
        Ok(fields)
    }
}

/// Values of a candidate's item-side fields in a request at `now` (ms since 1970); `derived` holds its rates.
pub(crate) fn item_fields(
    spec: &Spec,
    catalogue: &Catalogue,
    item: &str,
    given: &Fields,
    derived: Fields,
    now: i64,
) -> Result<Fields, Problem> {
    let entry = catalogue.item(item);
    let mut fields = derived;
    for (at, field) in spec
        .fields
        .iter()
        .enumerate()
        .filter(|(_, field)| field.side == Side::Item && !of_log(field))
    {
        if let Some(value) = value(spec, field, given.get(&field.name), entry, now) {
            let value =
                checked(spec, at, value).map_err(|problem| problem.within(&format!("item `{item}`")))?;
            fields.insert(field.name.clone(), value);
        }
    }
    Ok(fields)
}

/// Whether a field's value comes from the log alone, whatever is given.
pub(crate) fn of_log(field: &Field) -> bool {
    matches!(field.source, Source::History { .. } | Source::Rate { .. })
}

/// What was given; else, of a field that is derived from a time, what follows from the catalogue entry of its side and
/// `now`; else the attribute.
fn value(
    spec: &Spec,
    field: &Field,
    given: Option<&Value>,
    entry: Option<&Fields>,
    now: i64,
) -> Option<Value> {
    given.cloned().or_else(|| match &field.source {
        Source::Since { .. } | Source::Part { .. } => {
            derived_from_time(&spec.keys, &field.source, entry, now)
        }
        _ => entry?.get(&field.attribute).cloned(),
    })
}

fn checked(spec: &Spec, field: usize, value: Value) -> Result<Value, Problem> {
    check_value(spec, field, &value).map_err(|error| Problem::unusable(error.to_string()))?;
    Ok(value)
}

#[cfg(test)]
mod tests {
    use events::Entity;

    use super::*;

    const DECLARATION: &str = r#"
[keys]
utc_offset = "+02:00"
[fields]
member = { side = "user", kind = "number", since = "user.joined" }
watched_age = { side = "query", kind = "number", since = "query.uploaded_at" }
hour = { side = "context", kind = "id", dim = 2, part = "hour" }
age = { side = "item", kind = "number", since = "item.uploaded_at" }
day = { side = "item", kind = "id", dim = 2, part = "weekday", of = "item.uploaded_at" }
[objectives]
click = { group = "engagement", loss = "binary", absent = 0 }
[model]
architecture = "shared-bottom"
shared = [8]
[score]
click = 1.0
"#;

    const HOUR: i64 = 3_600_000;

    fn fields<const N: usize>(fields: [(&str, Value); N]) -> Fields {
        fields.map(|(name, value)| (name.to_owned(), value)).into()
    }

    /// The user `u` who joined at 0:00 on the first of January 1970, and the item `v` that was uploaded at 23:00 that day.
    fn catalogue() -> Catalogue {
        let mut catalogue = Catalogue::default();
        catalogue.upsert_user(Entity {
            id: "u".to_owned(),
            fields: fields([("joined", Value::Number(0.0))]),
        });
        catalogue.upsert_item(Entity {
            id: "v".to_owned(),
            fields: fields([("uploaded_at", Value::Text("1970-01-01T23:00:00Z".to_owned()))]),
        });
        catalogue
    }

    fn shared(context: Fields, query: Option<&str>, now: i64) -> Fields {
        let spec = Spec::parse("ranker.toml", DECLARATION).unwrap();
        let shared = Shared {
            spec: &spec,
            catalogue: &catalogue(),
            user: "u",
            query,
            context: &context,
            now,
        };
        shared.fields(Fields::new()).unwrap()
    }

    fn item(item: &str, given: Fields, now: i64) -> Fields {
        let spec = Spec::parse("ranker.toml", DECLARATION).unwrap();
        item_fields(&spec, &catalogue(), item, &given, Fields::new(), now).unwrap()
    }

    fn text(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    #[test]
    fn values_derive_from_the_time_of_the_request_and_the_times_in_the_catalogue() {
        assert_eq!(
            shared(Fields::new(), Some("v"), 24 * HOUR),
            fields([
                ("member", Value::Number(24.0)),
                ("watched_age", Value::Number(1.0)),
                ("hour", text("2")),
            ])
        );
        let expected = fields([("age", Value::Number(1.5)), ("day", text("fri"))]);
        assert_eq!(item("v", Fields::new(), 24 * HOUR + HOUR / 2), expected);
    }

    #[test]
    fn a_value_is_missing_where_its_time_is_unknown_or_still_to_come() {
        assert_eq!(item("unknown", Fields::new(), 24 * HOUR), Fields::new());
        assert_eq!(item("v", Fields::new(), HOUR), fields([("day", text("fri"))]));
        let expected = fields([("member", Value::Number(1.0)), ("hour", text("3"))]);
        assert_eq!(shared(Fields::new(), None, HOUR), expected);
    }

    #[test]
    fn a_given_value_wins_over_the_derived_one() {
        let given = fields([("age", Value::Number(-3.0))]);
        let expected = fields([("age", Value::Number(-3.0)), ("day", text("fri"))]);
        assert_eq!(item("v", given, 24 * HOUR), expected);
        let given = fields([("member", Value::Number(7.0)), ("hour", text("9"))]);
        assert_eq!(shared(given.clone(), None, HOUR), given);
    }
}
