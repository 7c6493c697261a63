//! Which of two texts is the positive one. In: the two. Out: its place, where words say so.

/// Positive and negative, in lower case without signs.
const PAIRS: [(&str, &str); 26] = [
    ("yes", "no"),
    ("y", "n"),
    ("true", "false"),
    ("t", "f"),
    ("1", "0"),
    ("on", "off"),
    ("positive", "negative"),
    ("pos", "neg"),
    ("success", "failure"),
    ("success", "fail"),
    ("pass", "fail"),
    ("passed", "failed"),
    ("win", "loss"),
    ("won", "lost"),
    ("good", "bad"),
    ("like", "dislike"),
    ("liked", "disliked"),
    ("up", "down"),
    ("accepted", "rejected"),
    ("accepted", "declined"),
    ("approved", "rejected"),
    ("converted", "lost"),
    ("click", "skip"),
    ("clicked", "skipped"),
    ("是", "否"),
    ("有", "无"),
];

/// What makes the opposite of a word.
const NEGATIONS: [&str; 10] = ["no", "not", "non", "un", "didnot", "未", "不", "无", "没有", "非"];

/// The place of the positive one of two texts; none where no word tells.
pub(super) fn positive(texts: [&str; 2]) -> Option<usize> {
    let [first, second] = texts.map(|text| {
        let kept = text.chars().filter(|character| character.is_alphanumeric());
        kept.flat_map(char::to_lowercase).collect::<String>()
    });
    let against = |yes: &str, no: &str| {
        let negates = |negation: &str| no.strip_prefix(negation) == Some(yes);
        !yes.is_empty() && (PAIRS.contains(&(yes, no)) || NEGATIONS.iter().any(|negation| negates(negation)))
    };
    match (against(&first, &second), against(&second, &first)) {
        (true, false) => Some(0),
        (false, true) => Some(1),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_positive_one_of_two_texts_is_told_by_words() {
        for (texts, expected) in [
            (["no", "yes"], Some(1)),
            (["Y", "N"], Some(0)),
            (["False", "TRUE"], Some(1)),
            (["not clicked", "clicked"], Some(1)),
            (["buyer", "non-buyer"], Some(0)),
            (["否", "是"], Some(1)),
            (["已点击", "未点击"], None),
            (["点击", "未点击"], Some(0)),
            (["- 50000.", "50000+."], None),
            (["Female", "Male"], None),
            (["", "no"], None),
        ] {
            assert_eq!(positive(texts), expected, "{texts:?}");
        }
    }
}
