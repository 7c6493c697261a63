//! `evaluate`: a run's model on other files, whole and by slices.
//!
//! In: the folder that `train` wrote, and a log. Out: a [`RunEvaluation`]: metrics beside the constant's and the logistic
//! regression's, per slice of asked fields, AUC within asked fields, and the value of another policy.

use std::path::{Path, PathBuf};

use events::{FlatLog, FlatOptions};
use model::{Ranker, artifact};
use spec::Loss;

use crate::curve::AnchoredCurve;
use crate::judge::Judge;
use crate::policy::{PolicyOptions, PolicyReport, policy};
use crate::slices::{SliceColumn, Sliced};
use crate::{Evaluation, Logistic, Outcomes, Part, Progress, TrainError, TrainReport};

/// Most slices of a field that are shown; the others are one.
const MOST_SLICES: usize = 30;

/// What to evaluate.
#[derive(Debug, Clone, Default)]
pub struct EvaluateOptions {
    /// Fields to slice by.
    pub by: Vec<String>,
    /// Fields to take AUC within.
    pub within: Vec<String>,
    /// Another policy to value.
    pub policy: Option<PolicyOptions>,
}

/// A run's folder, read.
#[derive(Debug)]
pub struct Run {
    /// Its model.
    pub ranker: Ranker,
    /// The baseline that was trained beside it.
    pub logistic: Option<Logistic>,
    /// What training came to.
    pub report: TrainReport,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct RunEvaluation {
    /// Rows of the log.
    pub rows: u64,
    /// Rows that the metrics are of: all, or a drawn share of a large log.
    pub judged: u64,
    /// The model's metrics.
    pub model: Evaluation,
    /// The logistic regression's.
    pub logistic: Option<Evaluation>,
    /// What shuffled slates say of positions by themselves.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub anchored_curves: Vec<AnchoredCurve>,
    /// By each asked field, each value.
    pub slices: Vec<Slice>,
    /// Within each asked field, each binary objective.
    pub within: Vec<Within>,
    /// The value of another policy.
    pub policy: Option<PolicyReport>,
}

/// One value of a field.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Slice {
    /// The field.
    pub field: String,
    /// Its value, or the range of a number.
    pub value: String,
    /// Examples.
    pub rows: usize,
    /// The model's metrics there.
    pub model: Evaluation,
    /// The logistic regression's.
    pub logistic: Option<Evaluation>,
}

/// AUC of one objective within the values of a field.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Within {
    /// The field.
    pub field: String,
    /// The objective.
    pub objective: String,
    /// AUC within a value, weighted by examples; `None` where no value has both classes.
    pub gauc: Option<f64>,
    /// The logistic regression's.
    pub logistic_gauc: Option<f64>,
    /// Distinct values among examples with an observed label.
    pub values: usize,
}

impl Run {
    /// Reads the folder `path` that `train` wrote.
    ///
    /// # Errors
    /// What is missing or damaged, and that `train` writes it.
    pub fn read(path: &Path) -> Result<Run, TrainError> {
        let file = path.join("metrics.json");
        let unusable = |why: String| {
            let path = path.display();
            TrainError::Data(format!("`{path}` is no folder that `train` wrote: {why}"))
        };
        let text =
            std::fs::read(&file).map_err(|error| unusable(format!("`{}`: {error}", file.display())))?;
        let report: TrainReport = serde_json::from_slice(&text)
            .map_err(|error| unusable(format!("`{}`: {error}; train again", file.display())))?;
        let ranker = artifact::read(&path.join("model"))?;
        let baseline = path.join("baseline");
        let logistic = baseline
            .exists()
            .then(|| Logistic::read(&baseline, ranker.spec()))
            .transpose()?;
        Ok(Run {
            ranker,
            logistic,
            report,
        })
    }

    /// Opens a log for it.
    ///
    /// # Errors
    /// As [`FlatLog::open`].
    pub fn open(
        &self,
        data: Vec<PathBuf>,
        users: Option<PathBuf>,
        items: Option<PathBuf>,
    ) -> Result<FlatLog, TrainError> {
        let options = FlatOptions {
            data,
            users,
            items,
            batch_rows: 8192,
        };
        Ok(FlatLog::open(self.ranker.spec(), options)?)
    }

    /// Evaluates it on `log`.
    ///
    /// # Errors
    /// A field that cannot be sliced by; a log or a policy that cannot be read; a log without rows.
    pub fn evaluate(
        &self,
        log: &FlatLog,
        options: &EvaluateOptions,
        progress: &mut dyn Progress,
    ) -> Result<RunEvaluation, TrainError> {
        let spec = self.ranker.spec();
        if log.rows() == 0 {
            return Err(TrainError::Data(
                "the log has no rows, so there is nothing to evaluate".to_owned(),
            ));
        }
        let column = |name: &String| SliceColumn::of(spec, name);
        let mut by = options.by.iter().map(column).collect::<Result<Vec<_>, _>>()?;
        let mut within = options.within.iter().map(column).collect::<Result<Vec<_>, _>>()?;
        let judge = Judge {
            ranker: &self.ranker,
            logistic: self.logistic.as_slice(),
            inside: false,
        };
        progress.begin("evaluate", log.rows());
        let judged = judge.on(
            &Part::whole(log),
            progress,
            |progress| progress.stopped(),
            &mut |examples| {
                by.iter_mut()
                    .chain(&mut within)
                    .for_each(|column| column.add(examples));
            },
        )?;
        let judged = judged.ok_or(TrainError::Stopped)?;
        let means = &self.report.means;
        let evaluate = |outcomes: &Outcomes| outcomes.evaluate(spec, means);
        let logistic = judged.logistic.first();
        let slices = by.into_iter().map(SliceColumn::finish);
        let within = within.into_iter().map(SliceColumn::finish);
        Ok(RunEvaluation {
            rows: log.rows(),
            judged: judged.examples,
            model: evaluate(&judged.outcomes),
            logistic: logistic.map(evaluate),
            anchored_curves: judged.shuffled.curves(&self.ranker),
            slices: slices
                .flat_map(|sliced| self.slices(&sliced, &judged.outcomes, logistic))
                .collect(),
            within: within
                .flat_map(|sliced| self.within(&sliced, &judged.outcomes, logistic))
                .collect(),
            policy: options
                .policy
                .as_ref()
                .map(|options| policy(&self.ranker, log, options, progress))
                .transpose()?,
        })
    }

    /// The largest slices of a field in the order of their names; the others as one.
    fn slices(&self, sliced: &Sliced, outcomes: &Outcomes, logistic: Option<&Outcomes>) -> Vec<Slice> {
        let mut sizes = vec![0usize; sliced.names.len()];
        sliced.rows.iter().for_each(|slice| sizes[*slice as usize] += 1);
        let mut order: Vec<usize> = (0..sizes.len()).filter(|slice| sizes[*slice] > 0).collect();
        order.sort_by_key(|slice| std::cmp::Reverse(sizes[*slice]));
        let rest: Vec<usize> = order.split_off(order.len().min(MOST_SLICES));
        order.sort_unstable();
        let mut groups: Vec<(String, Vec<usize>)> = order
            .into_iter()
            .map(|slice| (sliced.names[slice].clone(), vec![slice]))
            .collect();
        if !rest.is_empty() {
            groups.push((format!("({} others)", rest.len()), rest));
        }
        let spec = self.ranker.spec();
        let means = &self.report.means;
        groups
            .into_iter()
            .map(|(value, slices)| {
                let mut member = vec![false; sizes.len()];
                slices.iter().for_each(|slice| member[*slice] = true);
                let keep = |row: u32| member[sliced.rows[row as usize] as usize];
                Slice {
                    field: sliced.field.clone(),
                    value,
                    rows: slices.iter().map(|slice| sizes[*slice]).sum(),
                    model: outcomes.filter(keep).evaluate(spec, means),
                    logistic: logistic.map(|outcomes| outcomes.filter(keep).evaluate(spec, means)),
                }
            })
            .collect()
    }

    fn within(&self, sliced: &Sliced, outcomes: &Outcomes, logistic: Option<&Outcomes>) -> Vec<Within> {
        let group = |row: u32| u64::from(sliced.rows[row as usize]);
        let spec = self.ranker.spec();
        let binary = (0..spec.objectives.len()).filter(|at| spec.objectives[*at].loss == Loss::Binary);
        binary
            .map(|at| {
                let gauc = outcomes.gauc(at, group);
                Within {
                    field: sliced.field.clone(),
                    objective: spec.objectives[at].name.clone(),
                    gauc: gauc.map(|(gauc, _)| gauc),
                    logistic_gauc: logistic.and_then(|outcomes| Some(outcomes.gauc(at, group)?.0)),
                    values: gauc.map_or(0, |(_, values)| values),
                }
            })
            .collect()
    }
}
