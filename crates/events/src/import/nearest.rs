//! The known name that a mistyped one most likely means.

/// The name of `known` that is nearest to `name`, where one is near: at most a third of its letters differ.
pub(super) fn nearest<'k>(name: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let distances = known
        .into_iter()
        .map(|other| (distance(&name.to_lowercase(), &other.to_lowercase()), other));
    distances
        .filter(|(distance, _)| *distance <= (name.chars().count() / 3).max(1))
        .min()
        .map(|(_, other)| other)
}

/// Levenshtein's distance: insertions, deletions and replacements of letters.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
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
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
