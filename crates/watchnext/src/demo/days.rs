//! What each day was worth, as rows of a table; and whether the learned ranker beat both baselines.

use serde_json::{Value, json};
use train::LearnReport;

use super::Worth;
use crate::terminal::{number, table};

/// One simulated day and the learning at its end.
pub(crate) struct Day {
    pub day: u32,
    /// Who ranked: a model's version, or the logger of day 0.
    pub ranker: String,
    pub worth: Worth,
    pub learned: Option<LearnReport>,
}

impl Day {
    /// Names and values of the day's row, in the order of columns.
    pub(crate) fn row(&self) -> Vec<(String, Value)> {
        let per_visit = |minutes: f64| json!(minutes / f64::from(self.worth.visits.max(1)));
        let mut row = vec![
            ("day".to_owned(), json!(self.day)),
            ("ranker".to_owned(), json!(self.ranker)),
            ("shown minutes".to_owned(), per_visit(self.worth.shown)),
            ("random minutes".to_owned(), per_visit(self.worth.random)),
            ("popularity minutes".to_owned(), per_visit(self.worth.popularity)),
        ];
        let progressive = self
            .learned
            .as_ref()
            .and_then(|report| report.progressive.as_ref());
        for objective in progressive
            .into_iter()
            .flat_map(|evaluation| &evaluation.objectives)
        {
            if let Some(auc) = objective.auc {
                row.push((format!("{} AUC", objective.name), json!(auc)));
            }
            row.push((format!("{} loss", objective.name), json!(objective.loss)));
        }
        let next = self.learned.as_ref().map(|report| {
            format!(
                "{} {}",
                report.model,
                if report.promoted { "promoted" } else { "rejected" }
            )
        });
        row.push(("next".to_owned(), json!(next)));
        row
    }
}

impl Day {
    /// One line while the days go by.
    pub(crate) fn line(&self) -> String {
        let visits = f64::from(self.worth.visits.max(1));
        let learned = self.learned.as_ref().map_or(String::new(), |report| {
            format!(
                "; {} {}",
                report.model,
                if report.promoted { "promoted" } else { "rejected" }
            )
        });
        format!(
            "day {:>2}  {:<12} {:6.2} minutes a visit  (random {:.2}, popularity {:.2}){learned}",
            self.day,
            self.ranker,
            self.worth.shown / visits,
            self.worth.random / visits,
            self.worth.popularity / visits
        )
    }
}

/// All days.
#[derive(Default)]
pub(crate) struct Summary {
    days: Vec<Day>,
}

impl Summary {
    pub(crate) fn push(&mut self, day: Day) {
        self.days.push(day);
    }

    /// The table of days.
    pub(crate) fn table(&self) -> String {
        let rows: Vec<_> = self.days.iter().map(Day::row).collect();
        let Some(widest) = rows.iter().max_by_key(|row| row.len()) else {
            return String::new();
        };
        let header: Vec<&str> = widest.iter().map(|(name, _)| name.as_str()).collect();
        let cell = |row: &[(String, Value)], column: &str| {
            let value = row
                .iter()
                .find(|(name, _)| name == column)
                .map(|(_, value)| value);
            match value {
                Some(Value::String(text)) => text.clone(),
                Some(Value::Number(value)) if value.is_f64() => number(value.as_f64(), 3),
                Some(Value::Number(value)) => value.to_string(),
                _ => "-".to_owned(),
            }
        };
        let cells: Vec<Vec<String>> = rows
            .iter()
            .map(|row| header.iter().map(|column| cell(row, column)).collect())
            .collect();
        table(&header, &cells)
    }

    /// Mean true minutes per visit over the days after the first retrain: learned, random, popularity.
    pub(crate) fn means(&self) -> [f64; 3] {
        let mut sums = [0.0; 3];
        let mut visits = 0.0;
        for day in self.days.iter().filter(|day| day.day > 0) {
            visits += f64::from(day.worth.visits);
            for (sum, minutes) in
                sums.iter_mut()
                    .zip([day.worth.shown, day.worth.random, day.worth.popularity])
            {
                *sum += minutes;
            }
        }
        sums.map(|sum| if visits > 0.0 { sum / visits } else { f64::NAN })
    }

    /// Whether the learned ranker beat both.
    pub(crate) fn learned_won(&self) -> bool {
        let [learned, random, popularity] = self.means();
        learned > random && learned > popularity
    }

    /// For programs.
    pub(crate) fn to_json(&self) -> Value {
        let [learned, random, popularity] = self.means();
        let days: Vec<serde_json::Map<String, Value>> = self
            .days
            .iter()
            .map(|day| day.row().into_iter().collect())
            .collect();
        json!({
            "days": days,
            "mean": { "learned": learned, "random": random, "popularity": popularity },
            "learned_over_popularity": learned / popularity,
            "learned_won": self.learned_won(),
        })
    }
}
