//! Fields of times: ages, and the parts of a day and a week.

use super::columns::{Judge, reads_alike};
use super::{Field, Fields};
use crate::kinds::Kind;
use crate::names;
use crate::times::{How, Reading};
use crate::write::quoted;

impl Fields {
    /// A time that is not that of the impression: an age where it is when something began, else nothing.
    pub(super) fn time(&mut self, judge: &Judge<'_>, column: usize, times: &Reading) {
        let profile = &judge.profiles[column];
        let readable = judge.keys.time.is_some()
            && judge
                .keys
                .reading
                .as_ref()
                .is_some_and(|key| reads_alike(&times.how, &key.how));
        if !names::is_birth(&profile.name) || !readable {
            let reason = match (times.days_only, judge.keys.time) {
                (_, Some(key)) if names::is_birth(&profile.name) => format!(
                    "a time that reads otherwise than `{}`: written alike, it gives an age",
                    judge.profiles[key].name
                ),
                (true, Some(_)) => "names days that do not come again".to_owned(),
                (_, Some(_)) => "another time, and no moment comes again".to_owned(),
                (_, None) => "a time: no moment comes again".to_owned(),
            };
            return self.leave(&profile.name, reason);
        }
        let (side, _) = judge.sides.side(&profile.name, &judge.data.values(column).codes);
        let side = if side == "user" { "user" } else { "item" };
        let kind = Kind {
            body: format!(
                "kind = \"number\", since = {}, scale = \"quantile\", powers = true",
                quoted(&format!("{side}.{}", profile.name))
            ),
            note: format!("hours since `{}`", profile.name),
            choice: None,
            numeric: true,
        };
        let mut field = self.field(profile, kind, side, "");
        field.body = field
            .body
            .replace(&format!("column = {}, ", quoted(&profile.name)), "");
        field.name = self.unused(format!("{}_age", field.name));
        self.declared.push(field);
    }

    /// Parts of the time of the impression that people live by.
    pub(super) fn moment(&mut self, judge: &Judge<'_>) {
        let Some(times) = judge.keys.reading.as_ref().filter(|_| judge.keys.time.is_some()) else {
            return;
        };
        let has = |words: &[&str]| {
            judge.profiles.iter().any(|profile| {
                names::words(&profile.name)
                    .iter()
                    .any(|word| words.contains(&word.as_str()))
            })
        };
        let mut add = |part: &str, count: usize| {
            let name = self.unused(part.to_owned());
            self.declared.push(Field {
                name,
                side: "context",
                body: format!("kind = \"id\", part = \"{part}\", dim = 4"),
                note: format!("of the time, {count} values, in UTC: see `[keys] utc_offset`"),
                above: Vec::new(),
            });
        };
        if matches!(times.how, How::Count) || times.days < 3.0 {
            return;
        }
        if !times.days_only && !has(&["hour", "hourmin"]) {
            add("hour", 24);
        }
        if times.days >= 28.0 && !has(&["weekday", "dow"]) {
            add("weekday", 7);
        }
    }
}
