//! Dates with names of months, as `5 Mar 2024` and `March 5, 2024 14:00`. In: texts. Out: milliseconds, and their one form.

use super::civil;

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// The form of all `texts` in `strftime` notation, and the milliseconds of each.
pub(super) fn read(texts: &[String]) -> Option<(String, Vec<f64>)> {
    let read: Vec<(String, f64)> = texts.iter().map(|text| one(text.trim())).collect::<Option<_>>()?;
    // `%B` reads both `Mar` and `March`, and `May` is both.
    let short: Vec<String> = read.iter().map(|(form, _)| form.replace("%B", "%b")).collect();
    let form = short.first()?;
    if short.iter().any(|other| other != form) {
        return None;
    }
    let long = read.iter().any(|(form, _)| form.contains("%B"));
    let form = if long {
        form.replace("%b", "%B")
    } else {
        form.clone()
    };
    Some((form, read.into_iter().map(|(_, time)| time).collect()))
}

fn one(text: &str) -> Option<(String, f64)> {
    let (mut form, mut rest) = (String::new(), text);
    let (mut day, mut month, mut year) = (None, None, None);
    let mut clock: Vec<u32> = Vec::new();
    while let Some(first) = rest.chars().next() {
        let same = |character: char| {
            character.is_ascii_digit() && first.is_ascii_digit()
                || character.is_ascii_alphabetic() && first.is_ascii_alphabetic()
        };
        let end = rest.find(|character| !same(character)).unwrap_or(rest.len());
        let (run, after) = rest.split_at(end.max(first.len_utf8()));
        rest = after;
        if first.is_ascii_alphabetic() {
            let lower = run.to_ascii_lowercase();
            let named = |name: &str| name == lower || (lower.len() == 3 && name.starts_with(&lower));
            let found = MONTHS.iter().position(|name| named(name));
            month = found.filter(|_| month.is_none()).map(|at| at as u32 + 1);
            month?;
            form += if lower.len() == 3 { "%b" } else { "%B" };
        } else if first.is_ascii_digit() {
            let number = run.parse::<u32>().ok().filter(|_| run.len() <= 4)?;
            match run.len() {
                1 | 2 if after.starts_with(':') || form.ends_with(':') => {
                    form += ["%H", "%M", "%S"].get(clock.len())?;
                    clock.push(number);
                }
                1 | 2 if day.is_none() => {
                    form += "%d";
                    day = Some(number);
                }
                4 if year.is_none() => {
                    form += "%Y";
                    year = Some(number);
                }
                2 if year.is_none() => {
                    form += "%y";
                    year = Some(2000 + number);
                }
                _ => return None,
            }
        } else {
            [' ', ',', '-', '/', '.', ':']
                .contains(&first)
                .then(|| form.push(first))?;
        }
    }
    let of = |at: usize| clock.get(at).copied().unwrap_or(0);
    let seconds = (of(0) * 60 + of(1)) * 60 + of(2);
    let sane = clock.len() != 1 && of(0) < 24 && of(1) < 60 && of(2) < 61;
    let date = civil(year?, month?, day?)?;
    sane.then_some((form, date + f64::from(seconds) * 1e3))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(texts: &[&str], expected: Option<&str>) {
        let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
        assert_eq!(
            read(&texts).map(|(form, _)| form).as_deref(),
            expected,
            "{texts:?}"
        );
    }

    #[test]
    fn dates_with_names_of_months_have_one_form() {
        check(&["5 Mar 2024", "15 may 2024"], Some("%d %b %Y"));
        check(
            &["March 5, 2024 14:05", "May 5, 2024 9:10"],
            Some("%B %d, %Y %H:%M"),
        );
        check(&["05-Mar-24"], Some("%d-%b-%y"));
        check(&["5 Mar 2024", "Mar 5 2024"], None);
        check(&["31 Feb 2024 25:00"], None);
        check(&["5 Mar"], None);
        check(&["marble 5 2024"], None);
        check(&["5 Mar 2024 Apr"], None);
        check(&["20240305"], None);
    }

    #[test]
    fn they_are_in_the_order_of_time() {
        let texts = ["28 Feb 2024 23:59", "1 Mar 2024 00:00"].map(str::to_owned);
        let (_, times) = read(&texts).unwrap();
        assert_eq!(times[1] - times[0], 86_400_000.0 + 60_000.0);
    }
}
