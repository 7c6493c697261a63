//! The nearest known name, for a name that is unknown.
//!
//! In: what was typed and the known names. Out: one line of help that lists them and, when one is close, asks for it.

/// The closest of `known` to `typed`, if it is within a third of the length typed (at least one edit). Nothing is close to an empty text.
pub(crate) fn nearest<'k>(typed: &str, known: &[&'k str]) -> Option<&'k str> {
    let limit = (typed.chars().count() / 3).max(1);
    known
        .iter()
        .map(|name| (edit_distance(typed, name), *name))
        .filter(|(edits, _)| *edits <= limit && !typed.is_empty())
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, name)| name)
}

/// "`a`, `b` and `c`".
pub(crate) fn and(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match names.split_last() {
        Some((last, before)) if !before.is_empty() => format!("{} and {last}", before.join(", ")),
        _ => names.concat(),
    }
}

/// "`what`: a, b, c (did you mean `b`?)".
pub(crate) fn choose(what: &str, typed: &str, known: &[&str]) -> String {
    if known.is_empty() {
        return format!("{what}: none");
    }
    let names: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
    let list = format!("{what}: {}", names.join(", "));
    match nearest(typed, known) {
        Some(name) => format!("{list} (did you mean `{name}`?)"),
        None => list,
    }
}

/// Edit distance: letters to insert, delete, replace or swap with their neighbour until `a` is `b`; case counts as nothing.
pub fn edit_distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().flat_map(char::to_lowercase).collect();
    let b: Vec<char> = b.chars().flat_map(char::to_lowercase).collect();
    let (mut before, mut last): (Vec<usize>, Vec<usize>) = (Vec::new(), (0..=b.len()).collect());
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = replaced.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(before[j - 2] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_counts_edits() {
        for (a, b, edits) in [
            ("", "", 0),
            ("", "ab", 2),
            ("clik", "click", 1),
            ("cilck", "click", 1),
            ("Dim", "dim", 0),
            ("user", "item", 3),
        ] {
            assert_eq!(edit_distance(a, b), edits, "{a} {b}");
            assert_eq!(edit_distance(b, a), edits, "{b} {a}");
        }
    }

    #[test]
    fn an_enumeration_ends_in_and() {
        for (names, text) in [
            (&["a"][..], "`a`"),
            (&["a", "b"], "`a` and `b`"),
            (&["a", "b", "c"], "`a`, `b` and `c`"),
        ] {
            assert_eq!(and(names), text);
        }
    }

    #[test]
    fn a_close_name_is_suggested_and_a_far_one_is_not() {
        let known = ["click", "watch", "like"];
        assert_eq!(
            choose("known", "clik", &known),
            "known: `click`, `watch`, `like` (did you mean `click`?)"
        );
        assert_eq!(
            choose("known", "purchase", &known),
            "known: `click`, `watch`, `like`"
        );
        assert_eq!(choose("known", "purchase", &[]), "known: none");
        assert_eq!(choose("known", "", &["a"]), "known: `a`");
    }
}
