//! The catalogue: what is known of items and people, by id, under attribute names.

use std::collections::BTreeMap;

use crate::Fields;

/// One item or person.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Entity {
    /// Its id.
    pub id: String,
    /// Raw values by attribute name.
    pub fields: Fields,
}

/// Items and people in memory.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Catalogue {
    items: BTreeMap<String, Fields>,
    users: BTreeMap<String, Fields>,
}

impl Catalogue {
    /// Adds an item, or replaces those of its attributes that `entity` has.
    pub fn upsert_item(&mut self, entity: Entity) {
        upsert(&mut self.items, entity);
    }

    /// Adds a person, or replaces those of their attributes that `entity` has.
    pub fn upsert_user(&mut self, entity: Entity) {
        upsert(&mut self.users, entity);
    }

    /// An item's attributes.
    pub fn item(&self, id: &str) -> Option<&Fields> {
        self.items.get(id)
    }

    /// A person's attributes.
    pub fn user(&self, id: &str) -> Option<&Fields> {
        self.users.get(id)
    }

    /// All items in the order of ids.
    pub fn items(&self) -> impl ExactSizeIterator<Item = (&str, &Fields)> {
        self.items.iter().map(|(id, fields)| (id.as_str(), fields))
    }

    /// All people in the order of ids.
    pub fn users(&self) -> impl ExactSizeIterator<Item = (&str, &Fields)> {
        self.users.iter().map(|(id, fields)| (id.as_str(), fields))
    }

    /// Number of items.
    pub fn item_count(&self) -> usize {
        self.items.len()
    }

    /// Number of people.
    pub fn user_count(&self) -> usize {
        self.users.len()
    }
}

fn upsert(entities: &mut BTreeMap<String, Fields>, entity: Entity) {
    entities.entry(entity.id).or_default().extend(entity.fields);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Value;

    #[test]
    fn an_upsert_replaces_the_attributes_that_it_names_and_keeps_the_others() {
        let entity = |fields: &[(&str, f64)]| Entity {
            id: "v1".to_owned(),
            fields: fields
                .iter()
                .map(|(name, number)| ((*name).to_owned(), Value::Number(*number)))
                .collect(),
        };
        let mut catalogue = Catalogue::default();
        catalogue.upsert_item(entity(&[("age", 1.0), ("length", 2.0)]));
        catalogue.upsert_item(entity(&[("age", 3.0)]));
        assert_eq!(
            catalogue.item("v1"),
            Some(&entity(&[("age", 3.0), ("length", 2.0)]).fields)
        );
        assert_eq!((catalogue.item_count(), catalogue.user_count()), (1, 0));
    }
}
