//! The declaration of a ranker: what is known of a request (fields), what is to be predicted (objectives), how
//! (model, bias) and what is sorted by (score).
//!
//! In: the text of a `ranker.toml`. Out: a [`Spec`], or [`Mistakes`]: all of them at once, each with its line, what was
//! found, what was expected and the nearest known name. A `Spec` that came from [`Spec::parse`] is valid, so nobody
//! downstream checks again. Nothing here reads a file, a log or a network.
//!
//! Every key of the declaration stands in one set of tables, with its type, default, range and meaning. The parser knows its
//! keys from them, and so do [`reference()`] (a page for a reader) and [`json_schema`] (for an editor).
//!
//! ```
//! let text = r#"
//! [fields]
//! user  = { side = "user", kind = "id", dim = 16, buckets = 100_000 }
//! video = { side = "item", kind = "id", dim = 16, buckets = 100_000 }
//! age   = { side = "item", kind = "number", scale = "quantile" }
//!
//! [objectives]
//! click = { group = "engagement", loss = "binary", absent = 0 }
//!
//! [model]
//! architecture = "shared-bottom"
//! shared = [64, 32]
//!
//! [score]
//! click = 1.0
//! "#;
//! let spec = spec::Spec::parse("ranker.toml", text).unwrap();
//! assert_eq!(spec.fields[2].name, "age");
//!
//! let mistakes = spec::Spec::parse("ranker.toml", &text.replace("dim = 16", "dims = 16").replace("binary", "binry")).unwrap_err();
//! assert_eq!(mistakes.mistakes.len(), 3);
//! assert_eq!(mistakes.mistakes[2].line, 8);
//! assert!(mistakes.mistakes[2].help.ends_with("(did you mean `binary`?)"));
//! ```

mod architecture;
mod bias;
mod check;
mod duration;
mod error;
mod expression;
mod field;
mod fingerprint;
mod objective;
mod raw;
mod reference;
mod report;
mod rewrite;
mod settings;
mod size;
mod suggestion;
#[cfg(test)]
mod tests;
mod write;

pub use architecture::{Architecture, Experts, Model, Subnetworks};
pub use bias::{Bias, BiasForm, ServePosition};
pub use duration::milliseconds;
pub use error::{Mistake, Mistakes};
pub use expression::{Comparison, Expression, Input};
pub use field::{Field, Kind, Pool, Rows, Scale, Side, Source, Table, TimePart, Use};
pub use objective::{Absent, Loss, Objective, Space};
pub use reference::{json_schema, reference};
pub use settings::{Explore, Gates, Join, Keys, Log, Precision, TableOptimizer, TimeUnit, Train};
pub use suggestion::edit_distance;

/// A valid declaration. Indices in it (tables, objectives, fields) point into its own vectors.
#[derive(Debug, Clone, PartialEq)]
pub struct Spec {
    /// Names of a log's identifying columns, and of the fields that carry those ids.
    pub keys: Keys,
    /// Fields in declared order.
    pub fields: Vec<Field>,
    /// Embedding tables in the order of the first field that owns one; fields that share one point at the same.
    pub tables: Vec<Table>,
    /// Objectives in declared order.
    pub objectives: Vec<Objective>,
    /// The main tower.
    pub model: Model,
    /// What biases labels and how it is taken out; absent = nothing is known.
    pub bias: Option<Bias>,
    /// Score weight of each objective, in the objectives' order; 0 = not in the score.
    pub score: Vec<f64>,
    /// How it is trained.
    pub train: Train,
    /// How labels close.
    pub join: Join,
    /// What a challenger must pass.
    pub gates: Gates,
    /// What the service tries out.
    pub explore: Explore,
    /// What it logs besides what it shows.
    pub log: Log,
    /// The TOML exactly as typed; an artifact carries it.
    pub text: String,
}

impl Spec {
    /// Parses and checks `text`; `file` only names it in mistakes.
    ///
    /// # Errors
    /// Every mistake in the text, in the order of lines.
    pub fn parse(file: &str, text: &str) -> Result<Spec, Mistakes> {
        let report = report::Report::new(file, text);
        let spec = raw::read(text, &report).map(|declaration| check::check(&declaration, text, &report));
        report.finish(spec)
    }

    /// The same declaration with another form of bias, written into its text; itself where it has no `[bias]`.
    ///
    /// # Errors
    /// The mistakes that the form makes of it.
    pub fn with_form(&self, form: BiasForm) -> Result<Spec, Mistakes> {
        let Some(text) = rewrite::with_word(&self.text, "bias", "form", form.word()) else {
            return Ok(self.clone());
        };
        Spec::parse("ranker.toml", &text)
    }

    /// The index of the field called `name`.
    pub fn field(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|field| field.name == name)
    }

    /// The index of the objective called `name`.
    pub fn objective(&self, name: &str) -> Option<usize> {
        self.objectives
            .iter()
            .position(|objective| objective.name == name)
    }

    /// Hex digest of what the encoder depends on: fields, tables, hashing. Guards embedding tables and scalers.
    pub fn encoding_fingerprint(&self) -> String {
        fingerprint::encoding(self)
    }

    /// Hex digest of what the heads depend on: objectives, losses, groups, clips. Score weights and the settings of
    /// training, exploring and logging are in neither fingerprint.
    pub fn objectives_fingerprint(&self) -> String {
        fingerprint::objectives(self)
    }
}
