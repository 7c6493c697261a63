//! `watchnext debias choose`: form, drop-out, tower on or off, by how well each orders shuffled lists.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use clap::Parser;
use events::FlatLog;
use measure::Interval;
use spec::{Bias, BiasForm, Spec};
use toml_edit::Value;

use train::{Choice, ChoiceArm, ChoiceLog, Parts, choose_debias};

use crate::commands::files::LogFiles;
use crate::commands::train::all_threads;
use crate::commands::{demand_store, read_spec};
use crate::declaration::{self, Setting};
use crate::failure::Usage;
use crate::terminal::{Bar, Interrupt, table};

/// Choose what to do about positions by lists that were shown in random order
#[derive(Parser)]
#[command(
    after_help = "Examples:\n  watchnext debias choose ranker.toml --data 'days/*.parquet'\n  \
    watchnext debias choose ranker.toml --store store --seeds 3 --apply\n\n\
    Trains the declaration with the tower off, with other drop-out settings and in the other form, and judges each by its AUC\n\
    within shuffled slates that it did not learn from (of files, those of the validation and the test part): `[explore] shuffle = 0.03`\n\
    serves them, or a column marks them. With one seed the intervals hold the slates' noise alone, not that of training. Logged\n\
    positions cannot make this choice: they favour whatever repeats the order of the logger."
)]
pub(crate) struct Args {
    /// The declaration, with `[bias]`
    ranker: PathBuf,
    #[command(flatten)]
    files: Option<LogFiles>,
    /// A service's store in place of files
    #[arg(long, conflicts_with = "data", required_unless_present = "data")]
    store: Option<PathBuf>,
    /// Train each setting with so many seeds
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=100))]
    seeds: u64,
    /// Keep the trained arms in this folder, which must not exist; default: a temporary one
    #[arg(long)]
    out: Option<PathBuf>,
    /// Write what is chosen into the declaration, where it is better than what stands there beyond doubt
    #[arg(long)]
    apply: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What an arm sets in `[bias]`.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Tried {
    form: BiasForm,
    position_dropout: f32,
    output_dropout: f32,
}

impl Tried {
    fn of(bias: &Bias) -> Tried {
        Tried {
            form: bias.form,
            position_dropout: bias.position_dropout,
            output_dropout: bias.output_dropout,
        }
    }

    fn settings(self) -> Vec<Setting<'static>> {
        let number = |value: f32| Some(Value::from((f64::from(value) * 1e6).round() / 1e6));
        vec![
            ("bias", "form", Some(self.form.word().into())),
            ("bias", "position_dropout", number(self.position_dropout)),
            ("bias", "output_dropout", number(self.output_dropout)),
        ]
    }

    fn name(self) -> String {
        match self.form {
            BiasForm::None => "no tower".to_owned(),
            form if self.output_dropout > 0.0 => format!(
                "{}, drop-out {} of positions, {} of its output",
                form.word(),
                self.position_dropout,
                self.output_dropout
            ),
            form => format!("{}, drop-out {} of positions", form.word(), self.position_dropout),
        }
    }
}

pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let spec = read_spec(&args.ranker)?;
    let Some(bias) = &spec.bias else {
        return Err(Usage(format!(
            "{} has no `[bias]`, so there is nothing to choose: add `[bias]` with `fields = [\"position\"]` and `groups`",
            args.ranker.display()
        ))
        .into());
    };
    if args.out.as_ref().is_some_and(|out| out.exists()) {
        return Err(Usage("the folder of `--out` exists; name another".to_owned()).into());
    }
    let tried = tried(&spec, bias);
    let declared = tried
        .iter()
        .position(|tried| *tried == Tried::of(bias))
        .unwrap_or(0);
    let arms = tried
        .iter()
        .map(|&tried| arm(&spec, tried, args.seeds))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let log = log(args, &spec)?;
    let temporary = tempfile::tempdir()?;
    let out = args.out.clone().unwrap_or_else(|| temporary.path().join("arms"));
    std::fs::create_dir_all(&out).with_context(|| format!("creating {}", out.display()))?;
    let mut bar = Bar::new(args.json).stopped_by(&Interrupt::listen());
    let choice = choose_debias(&arms, declared, &log, &out, all_threads(), &mut bar)?;
    drop(bar);
    let applied = args.apply && choice.beyond_doubt;
    if applied {
        let text = declaration::edited(&spec.text, &tried[choice.chosen].settings())?;
        if std::fs::read_to_string(&args.ranker).ok().as_deref() != Some(&spec.text) {
            return Err(Usage(format!(
                "{} was changed meanwhile and is left as it is; chosen was: {}",
                args.ranker.display(),
                choice.arms[choice.chosen].name
            ))
            .into());
        }
        std::fs::write(&args.ranker, text).with_context(|| format!("writing {}", args.ranker.display()))?;
    }
    if args.json {
        println!(
            "{}",
            serde_json::to_string_pretty(&serde_json::json!({ "choice": choice, "applied": applied }))?
        );
    } else {
        print(&choice, applied);
    }
    Ok(())
}

/// What is declared, and the settings that are worth a try beside it.
fn tried(spec: &Spec, bias: &Bias) -> Vec<Tried> {
    let tried = |form, position_dropout, output_dropout| Tried {
        form,
        position_dropout,
        output_dropout,
    };
    let form = if bias.form == BiasForm::Product {
        BiasForm::Product
    } else {
        BiasForm::Additive
    };
    let other = if form == BiasForm::Product {
        BiasForm::Additive
    } else {
        BiasForm::Product
    };
    let mut all = vec![
        Tried::of(bias),
        tried(BiasForm::None, 0.1, 0.0),
        tried(form, 0.0, 0.0),
        tried(form, 0.1, 0.0),
        tried(form, 0.3, 0.0),
        tried(form, 0.1, 0.5),
        tried(other, 0.1, 0.0),
    ];
    let mut seen: Vec<Tried> = Vec::new();
    // A form that this declaration cannot have, such as a product of objectives that are not binary, is not tried.
    all.retain(|one| {
        let new = !seen.contains(one);
        seen.push(*one);
        new && declaration::with(spec, "an arm", &one.settings()).is_ok()
    });
    all
}

fn arm(spec: &Spec, tried: Tried, seeds: u64) -> anyhow::Result<ChoiceArm> {
    let of_seed = |seed: u64| -> anyhow::Result<Arc<Spec>> {
        let mut settings = tried.settings();
        let seed = i64::try_from(spec.train.seed.wrapping_add(seed) & 0x7fff_ffff)?;
        settings.push(("train", "seed", Some(seed.into())));
        declaration::with(spec, "an arm's declaration", &settings)
    };
    Ok(ChoiceArm {
        name: tried.name(),
        specs: (0..seeds).map(of_seed).collect::<anyhow::Result<_>>()?,
    })
}

fn log(args: &Args, spec: &Arc<Spec>) -> anyhow::Result<ChoiceLog> {
    if let Some(store) = &args.store {
        demand_store(store)?;
        let examples = train::closed_examples(store, spec)?.ok_or_else(|| {
            Usage(format!(
                "nothing has closed in the log of {} yet",
                store.display()
            ))
        })?;
        return Ok(ChoiceLog::Store(examples));
    }
    let files = args.files.as_ref().context("neither files nor a store")?;
    let log = FlatLog::open(spec, files.options()?)?;
    Ok(ChoiceLog::Flat(Box::new(Parts::of(spec, &log)?)))
}

fn print(choice: &Choice, applied: bool) {
    let interval = |value: &Interval| {
        let half = value.high - value.mean;
        if half.is_finite() {
            format!("{:+.4} ± {half:.4}", value.mean)
        } else {
            format!("{:+.4}", value.mean)
        }
    };
    let rows: Vec<Vec<String>> = choice
        .arms
        .iter()
        .enumerate()
        .map(|(at, arm)| {
            let mark = match at {
                at if at == choice.chosen && at == choice.declared => " (declared, best)",
                at if at == choice.chosen => " (best)",
                at if at == choice.declared => " (declared)",
                _ => "",
            };
            let difference = if at == choice.declared {
                "-".to_owned()
            } else {
                interval(&arm.difference)
            };
            vec![
                format!("{}{mark}", arm.name),
                format!("{:.4}", arm.list_auc.mean),
                difference,
            ]
        })
        .collect();
    println!("judged on {} shuffled slates:\n", choice.slates);
    println!("{}\n", table(&["arm", "list AUC", "less the declared"], &rows));
    let best = &choice.arms[choice.chosen].name;
    if choice.chosen == choice.declared {
        println!("what is declared is best: {best}");
    } else if choice.beyond_doubt {
        println!(
            "better than what is declared: {best}{}",
            if applied {
                "; written into the declaration"
            } else {
                ""
            }
        );
    } else {
        println!("best, but not beyond doubt: {best}; what is declared may stay");
    }
    if let Some(too_small) = &choice.too_small {
        println!("the slice is small: {too_small}");
    }
}
