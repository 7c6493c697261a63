//! The known name that a mistyped or otherwise written one most likely means.

use spec::edit_distance;

/// The name of `known` that is nearest to `name`, where one is near: at most a third of its letters differ, or the words of
/// one are among those of the other (`user` and `user_id`), or it begins or ends with the other (`time` and `timestamp`).
pub(super) fn nearest<'k>(name: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let name = name.to_lowercase();
    let near = known.into_iter().filter_map(|other| {
        let lower = other.to_lowercase();
        let distance = edit_distance(&name, &lower);
        let rank = if distance <= (name.chars().count() / 3).max(1) {
            0
        } else if among(&name, &lower) || among(&lower, &name) {
            1
        } else if extends(&name, &lower) || extends(&lower, &name) {
            2
        } else {
            return None;
        };
        Some((rank, distance, other))
    });
    near.min().map(|(_, _, other)| other)
}

/// Whether the words of `part` are all among those of `whole`.
fn among(part: &str, whole: &str) -> bool {
    let words = |text: &'_ str| -> Vec<String> {
        let words = text.split(|c: char| !c.is_alphanumeric());
        words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
    };
    let (part, whole) = (words(part), words(whole));
    !part.is_empty() && part.iter().all(|word| whole.contains(word))
}

/// Whether `whole` begins or ends with `part`, of some length.
fn extends(part: &str, whole: &str) -> bool {
    part.chars().count() >= 4 && (whole.starts_with(part) || whole.ends_with(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_differs_in_few_letters_or_there_is_none() {
        let known = ["video_id", "duration_ms", "user"];
        assert_eq!(nearest("vidoe_id", known), Some("video_id"));
        assert_eq!(nearest("Duration_MS", known), Some("duration_ms"));
        assert_eq!(nearest("users", known), Some("user"));
        assert_eq!(nearest("clicks", known), None);
    }

    #[test]
    fn a_name_of_more_or_fewer_words_is_near_and_a_chance_likeness_is_not() {
        assert_eq!(nearest("user", ["item_id", "user_id"]), Some("user_id"));
        assert_eq!(nearest("click", ["is_click", "clicked_at"]), Some("is_click"));
        assert_eq!(nearest("item_id", ["id", "query_item_id"]), Some("id"));
        assert_eq!(nearest("time", ["timestamp", "age"]), Some("timestamp"));
        assert_eq!(nearest("item", ["itemId"]), Some("itemId"));
        assert_eq!(nearest("age", ["page", "message"]), Some("page"));
        assert_eq!(nearest("age", ["message", "stage"]), None);
        assert_eq!(nearest("", ["message"]), None);
    }
}
