//! Words of a text and their n-grams.

use std::ops::Range;

/// Most n-grams of a text; those that begin later are left out.
const MOST: usize = 256;
/// Between the words of an n-gram; in no word.
const SEPARATOR: char = '\u{1f}';

/// The words of one text: lower-case runs of alphanumeric characters. An ideograph or a kana is a word by itself, since
/// their scripts put no spaces between words.
#[derive(Debug, Default)]
pub(super) struct Words {
    /// All words, a separator after each: an n-gram is a slice of it.
    text: String,
    words: Vec<Range<usize>>,
    longest: usize,
}

impl Words {
    /// Reads `text`, for n-grams of up to `longest` words, from 1.
    pub(super) fn read(&mut self, text: &str, longest: usize) {
        self.text.clear();
        self.words.clear();
        self.longest = longest.max(1);
        let mut start = 0;
        for character in text.chars() {
            // Each word begins an n-gram, so those beyond are in none that counts.
            if self.words.len() >= MOST + self.longest {
                return;
            }
            let alone = is_word(character);
            if alone || !character.is_alphanumeric() {
                start = self.end_word(start);
            }
            if character.is_alphanumeric() {
                self.text.extend(character.to_lowercase());
            }
            if alone {
                start = self.end_word(start);
            }
        }
        self.end_word(start);
    }

    /// Ends the word that began at byte `start`, where it has any character; returns where the next one begins.
    fn end_word(&mut self, start: usize) -> usize {
        if self.text.len() > start {
            self.words.push(start..self.text.len());
            self.text.push(SEPARATOR);
        }
        self.text.len()
    }

    /// Its n-grams by first word, then by length, words joined by U+001F; at most 256.
    pub(super) fn ngrams(&self) -> impl Iterator<Item = &str> {
        let ngrams = (0..self.words.len()).flat_map(move |first| {
            let last = self.words.len().min(first + self.longest);
            (first..last).map(move |last| &self.text[self.words[first].start..self.words[last].end])
        });
        ngrams.take(MOST)
    }
}

/// Whether a character is a word by itself: CJK ideographs, hiragana and katakana, with their extensions.
fn is_word(character: char) -> bool {
    matches!(u32::from(character),
        0x3005..=0x3007 | 0x3041..=0x3096 | 0x309d..=0x309f | 0x30a1..=0x30fa | 0x30fc..=0x30ff | 0x31f0..=0x31ff
        | 0x3400..=0x4dbf | 0x4e00..=0x9fff | 0xf900..=0xfaff | 0xff66..=0xff9d
        | 0x1aff0..=0x1b16f | 0x20000..=0x323af)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ngrams(text: &str, longest: usize) -> Vec<String> {
        let mut words = Words::default();
        words.read("what was read before", 4);
        words.read(text, longest);
        words
            .ngrams()
            .map(|ngram| ngram.replace(SEPARATOR, "_"))
            .collect()
    }

    #[test]
    fn words_are_lower_case_runs_of_letters_and_digits() {
        assert_eq!(
            ngrams("  Top-10 ÄRZTE, it's\u{1f}v2 ", 1),
            ["top", "10", "ärzte", "it", "s", "v2"]
        );
        assert!(ngrams("", 3).is_empty() && ngrams(" -- !", 3).is_empty());
    }

    #[test]
    fn ideographs_and_kana_are_words_and_other_scripts_have_runs() {
        assert_eq!(
            ngrams("新しいGame 한국어", 1),
            ["新", "し", "い", "game", "한국어"]
        );
    }

    #[test]
    fn ngrams_are_runs_of_words_that_follow_each_other() {
        assert_eq!(ngrams("a b c", 3), ["a", "a_b", "a_b_c", "b", "b_c", "c"]);
        assert_eq!(ngrams("a b", 2), ["a", "a_b", "b"]);
    }

    #[test]
    fn a_long_text_gives_its_first_256_ngrams() {
        let long: String = (0..1000).map(|word| format!("w{word} ")).collect();
        for longest in 1..=4 {
            let ngrams = ngrams(&long, longest);
            assert_eq!(ngrams.len(), MOST);
            assert_eq!(ngrams[longest], "w1");
        }
        assert_eq!(ngrams(&long, 1)[255], "w255");
    }
}
