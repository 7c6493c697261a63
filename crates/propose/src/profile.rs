//! A column's statistics. In: its values in the sample. Out: what decides whether it is a key, a label or a field, and how its
//! table is sized.

use std::collections::BTreeMap;

use crate::data::{Class, Data, MISSING, Values};
use crate::names;
use crate::times::{self, Reading};

/// Most different values that are kept as text.
pub(crate) const FEW: usize = 50;

/// What the sample says of a column.
#[derive(Debug, Clone)]
pub(crate) struct Profile {
    pub(crate) name: String,
    pub(crate) class: Class,
    pub(crate) plain: String,
    pub(crate) rows: usize,
    /// Rows without a value.
    pub(crate) missing: usize,
    /// Different values (of lists: elements) in the sample.
    pub(crate) distinct: usize,
    /// Different values that all rows of the files may have.
    pub(crate) estimate: u64,
    /// Values that the second half of the sample brought up.
    pub(crate) late: usize,
    /// Where there are few: the values, in order.
    pub(crate) values: Vec<String>,
    pub(crate) min: f64,
    pub(crate) max: f64,
    /// Whether all numbers are whole.
    pub(crate) whole: bool,
    /// A number at the edge that seems to stand for "not known", and its share.
    pub(crate) sentinel: Option<(f64, f64)>,
    /// Rows with NaN or an infinity.
    pub(crate) not_finite: usize,
    /// Words and letters of a text, on average.
    pub(crate) words: f64,
    pub(crate) letters: f64,
    /// Of lists: shortest and longest.
    pub(crate) lengths: (usize, usize),
    /// Equal for columns that are one-to-one copies of each other.
    pub(crate) signature: u64,
    /// How it reads as times.
    pub(crate) times: Option<Reading>,
}

impl Profile {
    /// Looks at the column `column` of `data`.
    pub(crate) fn of(data: &Data, column: usize) -> Profile {
        let source = &data.columns[column];
        let mut profile = Profile {
            name: source.name.clone(),
            class: source.class,
            plain: source.plain.clone(),
            rows: data.rows,
            missing: 0,
            distinct: 0,
            estimate: 0,
            late: 0,
            values: Vec::new(),
            min: f64::INFINITY,
            max: f64::NEG_INFINITY,
            whole: true,
            sentinel: None,
            not_finite: 0,
            words: 0.0,
            letters: 0.0,
            lengths: (0, 0),
            signature: 0,
            times: None,
        };
        match source.class {
            Class::Ids | Class::Numbers => {
                let lists = data.lists(column);
                profile.missing = lists.lengths.iter().filter(|length| length.is_none()).count();
                let lengths = || lists.lengths.iter().flatten().copied();
                profile.lengths = (
                    lengths().min().unwrap_or_default(),
                    lengths().max().unwrap_or_default(),
                );
                profile.values_of(&lists.elements, data);
            }
            Class::Other | Class::Nothing => profile.missing = data.rows,
            _ => {
                let values = data.values(column);
                profile.missing = values.codes.iter().filter(|code| **code == MISSING).count();
                profile.values_of(&values, data);
                profile.times = times::read(&profile, &values);
            }
        }
        profile
    }

    fn values_of(&mut self, values: &Values, data: &Data) {
        self.distinct = values.distinct();
        let half = values.codes.iter().take(values.codes.len() / 2);
        let early = half
            .filter(|code| **code != MISSING)
            .max()
            .map_or(0, |code| *code as usize + 1);
        self.late = self.distinct - early;
        let mut counts = vec![0_u32; self.distinct];
        let mut signature = 0_u64;
        for code in &values.codes {
            signature = signature.wrapping_mul(0x0000_0100_0000_01b3) ^ u64::from(*code);
            if let Some(count) = counts.get_mut(*code as usize) {
                *count += 1;
            }
        }
        self.signature = signature;
        let runs = values.codes.windows(2).filter(|pair| pair[0] != pair[1]).count();
        self.estimate = estimate(&counts, runs <= self.distinct + self.distinct / 50 + 16, data);
        for number in values.numbers.iter().filter(|number| !number.is_nan()) {
            (self.min, self.max) = (self.min.min(*number), self.max.max(*number));
            self.whole &= number.fract() == 0.0;
        }
        let missing = values.codes.iter().zip(&values.numbers);
        if self.class.is_number() {
            self.not_finite = missing
                .filter(|(code, number)| **code != MISSING && !number.is_finite())
                .count();
            self.sentinel = self.edge(values, &counts);
        }
        if self.class == Class::Text {
            let (mut words, mut letters) = (0, 0);
            for code in 0..self.distinct {
                let text = values.text(code as u32);
                words += text.split_whitespace().count();
                letters += text.chars().count();
            }
            let distinct = self.distinct.max(1) as f64;
            (self.words, self.letters) = (words as f64 / distinct, letters as f64 / distinct);
        }
        if self.distinct <= FEW {
            let mut texts: Vec<String> = (0..self.distinct).map(|code| values.text(code as u32)).collect();
            if self.class == Class::Text {
                texts.sort();
            } else {
                let number = |text: &String| text.parse::<f64>().unwrap_or(f64::INFINITY);
                texts.sort_by(|a, b| number(a).total_cmp(&number(b)).then_with(|| a.cmp(b)));
            }
            self.values = texts;
        }
    }

    /// A value at the edge that stands for "not known": 0 of lengths and ages, -1 where nothing else is below 0, nines far above
    /// all others. At least one row in twenty has it.
    fn edge(&self, values: &Values, counts: &[u32]) -> Option<(f64, f64)> {
        if self.distinct < 8 {
            return None;
        }
        let mut by_number: BTreeMap<i64, u32> = BTreeMap::new();
        let mut seen = vec![false; counts.len()];
        for (code, number) in values.codes.iter().zip(&values.numbers) {
            let Some(seen) = seen.get_mut(*code as usize).filter(|seen| !**seen) else {
                continue;
            };
            *seen = true;
            if [0.0, -1.0, -999.0, 999.0, 9_999.0, 99_999.0, 999_999.0].contains(number) {
                by_number.insert(*number as i64, counts[*code as usize]);
            }
        }
        let share = |count: u32| f64::from(count) / (self.rows - self.missing).max(1) as f64;
        let below = values.numbers.iter().filter(|number| **number < 0.0).count();
        let next = values
            .numbers
            .iter()
            .filter(|number| **number < self.max)
            .fold(f64::NEG_INFINITY, |a, b| a.max(*b));
        by_number.into_iter().find_map(|(number, count)| {
            let value = number as f64;
            let stands = match number {
                0 => self.min == 0.0 && names::is_extent(&self.name),
                -1 | -999 => self.min == value && below == count as usize,
                _ => self.max == value && next < value / 2.0,
            };
            (stands && share(count) > 0.05).then_some((value, share(count)))
        })
    }

    /// Share of the rows without a value.
    pub(crate) fn missing_share(&self) -> f64 {
        self.missing as f64 / self.rows.max(1) as f64
    }

    /// Whether its values are whole numbers or flags that are only 0 and 1.
    pub(crate) fn is_binary(&self) -> bool {
        self.class.is_number()
            && self.distinct == 2
            && self.min == 0.0
            && self.max == 1.0
            && self.not_finite == 0
    }

    /// Whether its values can be ids: no fractions.
    pub(crate) fn is_id(&self) -> bool {
        match self.class {
            Class::Text | Class::Whole => true,
            Class::Number => self.whole && self.not_finite == 0,
            _ => false,
        }
    }
}

/// How many different values all rows have: Chao's lower bound (Scandinavian Journal of Statistics 1984) from those seen once and
/// twice, at most as many more as there are rows; as many where the rows of a value follow each other.
fn estimate(counts: &[u32], together: bool, data: &Data) -> u64 {
    let distinct = counts.len() as f64;
    if data.is_whole() {
        return counts.len() as u64;
    }
    let seen = |times: u32| counts.iter().filter(|count| **count == times).count() as f64;
    let chao = distinct + seen(1).powi(2) / (2.0 * seen(2).max(1.0));
    let more = distinct * data.rows_in_files as f64 / data.rows.max(1) as f64;
    if together { more } else { chao.min(more) }.round() as u64
}
