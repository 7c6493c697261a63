//! A declaration in which fields are the shallow tower's: what was typed stays, with its comments.
//!
//! In: the text, and the fields that act as a bias. Out: the new text, valid, and its difference in lines.

use spec::Spec;
use toml_edit::{Array, DocumentMut, InlineTable, Item, TableLike, Value, value};

use crate::failure::Usage;

/// A field to move.
pub(super) struct Move {
    pub(super) field: String,
    /// How it is declared where the text does not name it: its side and its ids.
    pub(super) declare: Option<(&'static str, Vec<String>)>,
}

/// The declaration `text` of the file `file`, with `moves` read by the shallow tower alone; `objective`: whose group gets one where
/// there is none yet.
///
/// A field that says `use = "both"` stays so. It is `use = "bias"` otherwise: what acts as a bias is not to be in the main tower,
/// which would keep a part of the effect in what is served.
pub(super) fn applied(file: &str, text: &str, moves: &[Move], objective: &str) -> anyhow::Result<String> {
    let refuse = |why: String| Usage(format!("`{file}`: {why}"));
    let spec = Spec::parse(file, text)?;
    let mut document: DocumentMut = text.parse()?;
    for Move { field, declare } in moves {
        let fields =
            table(&mut document, "fields").ok_or_else(|| refuse("it has no `[fields]`".to_owned()))?;
        match (fields.get_mut(field).and_then(Item::as_table_like_mut), declare) {
            (Some(declared), _) => {
                if declared.get("use").and_then(Item::as_str) != Some("both") {
                    set_use(declared);
                }
            }
            (None, Some((side, values))) => {
                fields.insert(field, value(declaration(side, values)));
            }
            (None, None) => {
                return Err(refuse(format!(
                    "it declares no field `{field}`; name the declaration that the run was trained with"
                ))
                .into());
            }
        }
    }
    let group = || -> anyhow::Result<String> {
        let at = spec
            .objective(objective)
            .ok_or_else(|| refuse(format!("it declares no objective `{objective}`")))?;
        Ok(spec.objectives[at].group.clone())
    };
    if document.get("bias").is_none() {
        let mut bias = toml_edit::Table::new();
        bias.insert("fields", value(Array::from_iter(["position"])));
        bias.insert("groups", value(Array::from_iter([group()?])));
        document.insert("bias", Item::Table(bias));
    }
    let crossed = table(&mut document, "bias")
        .and_then(|bias| bias.get_mut("fields"))
        .and_then(Item::as_array_mut)
        .ok_or_else(|| refuse("`[bias] fields` is no list".to_owned()))?;
    for Move { field, .. } in moves {
        if crossed.iter().all(|name| name.as_str() != Some(field)) {
            crossed.push(field.as_str());
        }
    }
    let new = document.to_string();
    // A cross that is too large, a kind that the tower does not read: the declaration's own words for it.
    Spec::parse(&format!("{file}, as it would be"), &new)?;
    Ok(new)
}

fn table<'d>(document: &'d mut DocumentMut, name: &str) -> Option<&'d mut dyn TableLike> {
    document.get_mut(name).and_then(Item::as_table_like_mut)
}

/// Sets `use = "bias"`; behind the last key where it is new, with the spaces that were there.
fn set_use(declared: &mut dyn TableLike) {
    if let Some(old) = declared.get_mut("use").and_then(Item::as_value_mut) {
        let decor = old.decor().clone();
        *old = Value::from("bias");
        *old.decor_mut() = decor;
        return;
    }
    let last = declared.iter().last().map(|(key, _)| key.to_owned());
    let mut new = Value::from("bias");
    let last = last
        .and_then(|key| declared.get_mut(&key))
        .and_then(Item::as_value_mut);
    if let Some(suffix) = last.and_then(|last| {
        let suffix = last.decor().suffix()?.as_str()?.to_owned();
        last.decor_mut().set_suffix("");
        Some(suffix)
    }) {
        new.decor_mut().set_suffix(suffix);
        new.decor_mut().set_prefix(" ");
    }
    declared.insert("use", Item::Value(new));
}

fn declaration(side: &str, values: &[String]) -> InlineTable {
    let mut table = InlineTable::new();
    table.insert("side", side.into());
    table.insert("kind", "id".into());
    table.insert("values", Value::Array(Array::from_iter(values)));
    table.insert("use", "bias".into());
    table
}

/// The lines that differ, `-` as they were and `+` as they are, each run of them with its first line's number.
pub(super) fn difference(old: &str, new: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    // Length of the longest common subsequence of what follows.
    let mut common = vec![vec![0usize; new.len() + 1]; old.len() + 1];
    for a in (0..old.len()).rev() {
        for b in (0..new.len()).rev() {
            common[a][b] = if old[a] == new[b] {
                common[a + 1][b + 1] + 1
            } else {
                common[a + 1][b].max(common[a][b + 1])
            };
        }
    }
    let (mut a, mut b, mut out, mut within) = (0, 0, String::new(), false);
    while a < old.len() || b < new.len() {
        if a < old.len() && b < new.len() && old[a] == new[b] {
            (a, b, within) = (a + 1, b + 1, false);
            continue;
        }
        if !within {
            out += &format!("@@ line {}\n", a + 1);
            within = true;
        }
        if a < old.len() && (b == new.len() || common[a + 1][b] >= common[a][b + 1]) {
            out += &format!("-{}\n", old[a]);
            a += 1;
        } else {
            out += &format!("+{}\n", new[b]);
            b += 1;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const TEXT: &str = r#"# What we rank.
[fields]
user = { side = "user", kind = "id", dim = 4, buckets = 64 }   # the person
thumbnail = { side = "item", kind = "id", dim = 2, values = ["s", "l"] } # drawn for each impression
place = { side = "context", kind = "id", dim = 2, values = ["a", "b"], use = "both" }

[fields.hour]
side = "context"  # local
kind = "id"
dim = 4
buckets = 24

[objectives]
click = { group = "engagement", loss = "binary", absent = 0 }

[model]
architecture = "shared-bottom"

[bias]
fields = ["position", "place"] # crossed
groups = ["engagement"]

[score]
click = 1.0
"#;

    fn moved(text: &str, fields: &[&str]) -> anyhow::Result<String> {
        let moves: Vec<Move> = fields
            .iter()
            .map(|field| Move {
                field: (*field).to_owned(),
                declare: None,
            })
            .collect();
        applied("ranker.toml", text, &moves, "click")
    }

    #[test]
    fn a_field_is_moved_where_it_stands_and_nothing_else_changes() {
        let new = moved(TEXT, &["thumbnail", "hour"]).unwrap();
        assert_eq!(
            difference(TEXT, &new),
            "@@ line 4\n\
             -thumbnail = { side = \"item\", kind = \"id\", dim = 2, values = [\"s\", \"l\"] } # drawn for each impression\n\
             +thumbnail = { side = \"item\", kind = \"id\", dim = 2, values = [\"s\", \"l\"], use = \"bias\" } # drawn for each impression\n\
             @@ line 12\n\
             +use = \"bias\"\n\
             @@ line 20\n\
             -fields = [\"position\", \"place\"] # crossed\n\
             +fields = [\"position\", \"place\", \"thumbnail\", \"hour\"] # crossed\n"
        );
        // Done once, it is done.
        assert_eq!(moved(&new, &["thumbnail", "hour"]).unwrap(), new);
    }

    #[test]
    fn what_both_towers_read_stays_with_both() {
        assert_eq!(moved(TEXT, &["place"]).unwrap(), TEXT);
    }

    #[test]
    fn a_declaration_without_a_shallow_tower_gets_one() {
        let text = TEXT
            .replace(
                "\n[bias]\nfields = [\"position\", \"place\"] # crossed\ngroups = [\"engagement\"]\n",
                "",
            )
            .replace(", use = \"both\"", "");
        let spec = Spec::parse("new", &moved(&text, &["hour"]).unwrap()).unwrap();
        let bias = spec.bias.unwrap();
        assert_eq!((bias.fields, bias.objectives), (vec![3], vec![0]));
    }

    #[test]
    fn a_column_that_was_not_declared_is() {
        let moves = [Move {
            field: "size".to_owned(),
            declare: Some(("item", vec!["s".to_owned(), "l".to_owned()])),
        }];
        let new = applied("ranker.toml", TEXT, &moves, "click").unwrap();
        let line = "size = { side = \"item\", kind = \"id\", values = [\"s\", \"l\"], use = \"bias\" }";
        assert!(new.contains(line), "{new}");
    }

    #[test]
    fn what_cannot_be_is_refused_with_the_reason() {
        let says = |text: &str, field: &str| {
            let error = moved(text, &[field]).unwrap_err();
            format!("{error:#}")
        };
        let wide = TEXT.replace("buckets = 24", "buckets = 2400");
        assert!(
            says(&wide, "hour").contains("at most 64 `buckets`"),
            "{}",
            says(&wide, "hour")
        );
        let values: Vec<String> = (0..9000).map(|value| format!("\"v{value}\"")).collect();
        let large = TEXT.replace(
            "values = [\"s\", \"l\"]",
            &format!("values = [{}]", values.join(", ")),
        );
        assert!(
            says(&large, "thumbnail").contains("cells"),
            "{}",
            says(&large, "thumbnail")
        );
        assert!(
            says(TEXT, "size").contains("declares no field `size`"),
            "{}",
            says(TEXT, "size")
        );
    }
}
