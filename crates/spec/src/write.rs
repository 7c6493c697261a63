//! A declaration with another network: the text as it was typed, but for `[model]`.

use toml_edit::{Array, DocumentMut, InlineTable, Item, TomlError, Value};

use crate::{Model, Spec};

impl Spec {
    /// The text of this declaration with `model` for its network; what else was typed stays as it is, comments too.
    ///
    /// # Errors
    /// Where the text is no TOML: that of a spec which was parsed always is.
    pub fn text_with(&self, model: &Model) -> Result<String, TomlError> {
        let mut document: DocumentMut = self.text.parse()?;
        let section = document.entry("model").or_insert_with(toml_edit::table);
        let Some(section) = section.as_table_like_mut() else {
            return Ok(document.to_string());
        };
        let mut write = |key: &str, value: Option<Value>| match (section.get_mut(key), value) {
            (_, None) => {
                section.remove(key);
            }
            (Some(Item::Value(old)), Some(mut value)) => {
                *value.decor_mut() = old.decor().clone();
                *old = value;
            }
            (_, Some(value)) => {
                section.insert(key, Item::Value(value));
            }
        };
        write("architecture", Some(model.architecture.word().into()));
        write("shared", (!model.shared.is_empty()).then(|| list(&model.shared)));
        write("experts", model.experts.as_ref().map(experts));
        write("subnetworks", model.subnetworks.as_ref().map(subnetworks));
        write("towers", (!model.towers.is_empty()).then(|| list(&model.towers)));
        if model.experts.is_none() {
            write("gate_dropout", None);
        }
        Ok(document.to_string())
    }
}

fn list(widths: &[usize]) -> Value {
    Value::Array(widths.iter().map(|&width| width as i64).collect::<Array>())
}

fn experts(experts: &crate::Experts) -> Value {
    let mut table = InlineTable::new();
    table.insert("count", (experts.count as i64).into());
    if experts.shared > 0 {
        table.insert("shared", (experts.shared as i64).into());
    }
    if experts.levels > 1 {
        table.insert("levels", (experts.levels as i64).into());
    }
    table.insert("widths", list(&experts.widths));
    Value::InlineTable(table)
}

fn subnetworks(nets: &crate::Subnetworks) -> Value {
    let mut table = InlineTable::new();
    table.insert("count", (nets.count as i64).into());
    table.insert("widths", list(&nets.widths));
    // As short as the single number is written.
    table.insert(
        "l0",
        nets.l0.to_string().parse::<f64>().unwrap_or_default().into(),
    );
    Value::InlineTable(table)
}
