//! Raw field values of a request: what the client gave, else the catalogue, else derived from the log.
//!
//! In: a request's names. Out: values by declared field name, as they are encoded and as they are logged. Values that no
//! field declares (a `position` among a candidate's fields, say) go nowhere.

use events::{Catalogue, Fields, Value, check_value};
use spec::{Side, Source, Spec};

use crate::Problem;

/// The request's side of a slate.
pub(crate) struct Shared<'a> {
    pub spec: &'a Spec,
    pub catalogue: &'a Catalogue,
    pub user: &'a str,
    pub query: Option<&'a str>,
    pub context: &'a Fields,
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
            if matches!(field.source, Source::History { .. }) {
                continue;
            }
            let given = self.context.get(&field.name);
            if let Some(value) = given.or_else(|| entry?.get(&field.attribute)) {
                fields.insert(field.name.clone(), checked(self.spec, at, value)?);
            }
        }
        Ok(fields)
    }
}

/// Values of a candidate's item-side fields.
pub(crate) fn item_fields(
    spec: &Spec,
    catalogue: &Catalogue,
    item: &str,
    given: &Fields,
) -> Result<Fields, Problem> {
    let entry = catalogue.item(item);
    let mut fields = Fields::new();
    for (at, field) in spec
        .fields
        .iter()
        .enumerate()
        .filter(|(_, field)| field.side == Side::Item)
    {
        if let Some(value) = given.get(&field.name).or_else(|| entry?.get(&field.attribute)) {
            let value =
                checked(spec, at, value).map_err(|problem| problem.within(&format!("item `{item}`")))?;
            fields.insert(field.name.clone(), value);
        }
    }
    Ok(fields)
}

fn checked(spec: &Spec, field: usize, value: &Value) -> Result<Value, Problem> {
    check_value(spec, field, value).map_err(|error| Problem::unusable(error.to_string()))?;
    Ok(value.clone())
}
