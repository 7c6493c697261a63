//! `watchnext fit-budget`: widths at which architectures cost the same, and their declarations.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Parser;
use model::{Cost, at_budget};
use spec::{Architecture, Model, Spec};
use train::report::count;

use super::read_spec;
use crate::failure::Usage;
use crate::terminal::table;

/// Find widths at which networks of each architecture cost a given number of multiplications per candidate
#[derive(Parser)]
#[command(
    after_help = "Examples:\n  watchnext fit-budget examples/kuairand/ranker.toml --multiplications 3.7M\n  \
    watchnext fit-budget examples/kuairand/ranker.toml --multiplications 430k --architecture mmoe ple --out fitted\n\n\
    The declared network is carried over to each architecture with the layers that it has; all widths are then scaled in\n\
    proportion, to multiples of 4, within 1 % of the budget. `--out` gets one declaration each, as `fitted/ple.toml`, with\n\
    everything else as it is declared."
)]
pub(crate) struct Args {
    /// The declaration
    ranker: PathBuf,
    /// Multiplications per candidate, as 430000, 430k, 3.7M or 1G
    #[arg(long, value_parser = multiplications)]
    multiplications: u64,
    /// Architectures; default all
    #[arg(long, num_args = 1.., value_parser = architecture)]
    architecture: Vec<Architecture>,
    /// A folder, made if need be, for the declarations
    #[arg(long)]
    out: Option<PathBuf>,
    /// Replace declarations that are there
    #[arg(long, requires = "out")]
    overwrite: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// A network at the budget.
#[derive(serde::Serialize)]
struct Fitted {
    architecture: &'static str,
    widths: String,
    /// Share of the budget that it costs more, negative: less.
    off: f64,
    cost: Cost,
    #[serde(skip)]
    text: String,
}

pub(crate) fn run(args: Args) -> anyhow::Result<()> {
    let spec = read_spec(&args.ranker)?;
    let wanted = if args.architecture.is_empty() {
        Architecture::ALL.to_vec()
    } else {
        args.architecture
    };
    let budget = args.multiplications;
    let fitted: Vec<Fitted> = wanted
        .into_iter()
        .map(|architecture| fit(&args.ranker, &spec, architecture, budget))
        .collect::<anyhow::Result<_>>()?;
    if let Some(out) = &args.out {
        write(out, &fitted, args.overwrite)?;
    }
    if args.json {
        let report = serde_json::json!({ "multiplications": budget, "networks": fitted });
        println!("{}", serde_json::to_string_pretty(&report)?);
        return Ok(());
    }
    let rows: Vec<Vec<String>> = fitted.iter().map(row).collect();
    let head = [
        "architecture",
        "widths",
        "multiplications",
        "off",
        "parameters",
        "bytes per candidate",
    ];
    println!("{}", table(&head, &rows));
    Ok(())
}

fn fit(path: &Path, spec: &Spec, architecture: Architecture, budget: u64) -> anyhow::Result<Fitted> {
    let model = at_budget(spec, architecture, budget);
    let text = spec.text_with(&model).context("the declaration")?;
    let fitted = Spec::parse(&path.display().to_string(), &text)
        .with_context(|| format!("the network as `{}`", architecture.word()))?;
    let cost = Cost::of(&fitted);
    Ok(Fitted {
        architecture: architecture.word(),
        widths: widths(&fitted.model),
        off: cost.multiplications as f64 / budget as f64 - 1.0,
        cost,
        text,
    })
}

fn row(fitted: &Fitted) -> Vec<String> {
    let off = if fitted.off.abs() > 0.01 {
        format!("{:+.1} %, the nearest", 100.0 * fitted.off)
    } else {
        format!("{:+.2} %", 100.0 * fitted.off)
    };
    vec![
        fitted.architecture.to_owned(),
        fitted.widths.clone(),
        count(fitted.cost.multiplications),
        off,
        count(fitted.cost.parameters),
        count(fitted.cost.bytes),
    ]
}

/// The widths in words, as `shared [512], 8 experts [256, 128], towers [64]`.
fn widths(model: &Model) -> String {
    let mut parts = Vec::new();
    if !model.shared.is_empty() {
        parts.push(format!("shared {:?}", model.shared));
    }
    if let Some(experts) = &model.experts {
        let of = if experts.shared > 0 {
            format!(" own, {} shared", experts.shared)
        } else {
            String::new()
        };
        let levels = if experts.levels > 1 {
            format!(", {} levels", experts.levels)
        } else {
            String::new()
        };
        parts.push(format!(
            "{}{of} experts {:?}{levels}",
            experts.count, experts.widths
        ));
    }
    if let Some(nets) = &model.subnetworks {
        parts.push(format!("{} sub-networks {:?}", nets.count, nets.widths));
    }
    if !model.towers.is_empty() {
        parts.push(format!("towers {:?}", model.towers));
    }
    if parts.is_empty() {
        "one layer".to_owned()
    } else {
        parts.join(", ")
    }
}

/// Writes one declaration each; looks first whether one is there already.
fn write(out: &Path, fitted: &[Fitted], overwrite: bool) -> anyhow::Result<()> {
    let paths = fitted
        .iter()
        .map(|fitted| out.join(format!("{}.toml", fitted.architecture)));
    let paths: Vec<PathBuf> = paths.collect();
    if let Some(there) = paths.iter().find(|path| path.exists() && !overwrite) {
        let there = there.display();
        return Err(Usage(format!(
            "`{there}` exists; name another `--out` or add `--overwrite`"
        ))
        .into());
    }
    std::fs::create_dir_all(out).map_err(|error| Usage(format!("`--out {}`: {error}", out.display())))?;
    for (path, fitted) in paths.iter().zip(fitted) {
        std::fs::write(path, &fitted.text).with_context(|| format!("`{}`", path.display()))?;
        eprintln!("wrote {}", path.display());
    }
    Ok(())
}

/// A whole number, or one with `k`, `M` or `G`.
fn multiplications(typed: &str) -> Result<u64, String> {
    let (number, unit) = match typed.chars().last() {
        Some('k' | 'K') => (&typed[..typed.len() - 1], 1e3),
        Some('M') => (&typed[..typed.len() - 1], 1e6),
        Some('G') => (&typed[..typed.len() - 1], 1e9),
        _ => (typed, 1.0),
    };
    match number.parse::<f64>().map(|number| (number * unit).round()) {
        Ok(count) if (1.0..=1e15).contains(&count) => Ok(count as u64),
        _ => Err("expected a number above 0, as 430000, 430k, 3.7M or 1G".to_owned()),
    }
}

fn architecture(typed: &str) -> Result<Architecture, String> {
    let found = Architecture::ALL.into_iter().find(|of| of.word() == typed);
    found.ok_or_else(|| {
        let words = Architecture::ALL.map(Architecture::word).join(", ");
        format!("expected one of: {words}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_read_with_and_without_a_unit() {
        let read = ["430000", "430k", "3.7M", "1G"].map(|typed| multiplications(typed).unwrap());
        assert_eq!(read, [430_000, 430_000, 3_700_000, 1_000_000_000]);
        for typed in ["", "M", "0", "-3k", "nan", "3.7 M", "1T", "1e30"] {
            assert!(multiplications(typed).is_err(), "{typed}");
        }
    }
}
