//! `watchnext debias discover`: which logged fields act as a bias; with `--apply`, the declaration that takes them out.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use clap::Parser;
use events::{FlatLog, FlatOptions};
use spec::Spec;
use toml_edit::{DocumentMut, InlineTable, Item, value};
use train::{DebiasSource, DiscoverOptions, Discovery, FieldFinding};

use super::Log;
use super::apply::{Move, applied, difference};
use crate::failure::Usage;
use crate::terminal::{Bar, Interrupt, number, table};

/// Find the logged fields that act as a bias: they move the label and say nothing of what an item is worth
#[derive(Parser)]
#[command(
    after_help = "Examples:\n  watchnext debias discover run --data log.parquet\n  \
    watchnext debias discover run --data log.parquet --apply ranker.toml\n  \
    watchnext debias discover --store store --json\n\n\
    gain is the log-likelihood on held-out slates, in nats a thousand examples, that an offset for each value of a field adds to the\n\
    main tower's logit; z is over its standard error. given item and given user are what is left of the field's entropy where the\n\
    item or the user is known: 0 where it is an attribute of theirs. relevance is the share of it that goes with the fifth of the\n\
    main logit. A field acts as a bias where z is above 5, both given above 0.5 and relevance below 0.12.\n\
    A field that the main tower reads explains itself there, so the tower predicts without it; a run that was trained without it\n\
    is surer."
)]
pub(crate) struct Args {
    #[command(flatten)]
    log: Log,
    /// The objective, a binary one; default: the first biased one
    #[arg(long)]
    objective: Option<String>,
    /// A column of the flat files that the declaration does not name: ids, or numbers
    #[arg(long, value_name = "COLUMN", conflicts_with = "store")]
    also: Vec<String>,
    /// The declaration to rewrite: the fields that act as a bias get `use = \"bias\"` and stand in `[bias] fields`
    #[arg(long, value_name = "FILE")]
    apply: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: Args) -> anyhow::Result<()> {
    let declaration = args.apply.as_deref().map(read).transpose()?;
    let (source, spec) = open(&args)?;
    let mut bar = Bar::new(args.json).stopped_by(&Interrupt::listen());
    let options = DiscoverOptions {
        objective: args.objective.clone(),
        spec,
    };
    let discovery = train::discover_biases(&source, &options, &mut bar)?;
    drop(bar);
    let declared = |name: &str| source.ranker.spec().field(name).is_some();
    let change = match args.apply.as_deref().zip(declaration) {
        Some((file, text)) => Some(apply(file, &text, &discovery, &declared)?),
        None => None,
    };
    if args.json {
        println!("{}", serde_json::to_string_pretty(&discovery)?);
    } else {
        print(&discovery);
        if let Some(change) = change {
            print!("\n{change}");
        }
    }
    Ok(())
}

/// The log, opened for the run's declaration and the columns beside it.
fn open(args: &Args) -> anyhow::Result<(DebiasSource, Option<Arc<Spec>>)> {
    if args.also.is_empty() {
        return Ok((args.log.open()?, None));
    }
    let run = args.log.run()?;
    let files = args.log.files().options()?;
    // Ids where the column can be read so, else numbers.
    let mut kinds = Vec::new();
    for column in &args.also {
        let alone = with_columns(run.ranker.spec(), std::slice::from_ref(column), &["id"])?;
        kinds.push(if reads(&alone, &files) { "id" } else { "number" });
    }
    let spec = Arc::new(with_columns(run.ranker.spec(), &args.also, &kinds)?);
    let log = FlatLog::open(&spec, files)?;
    Ok((DebiasSource::flat(run.ranker, log), Some(spec)))
}

/// Whether the first rows are what `spec` says.
fn reads(spec: &Spec, files: &FlatOptions) -> bool {
    let log = FlatLog::open(spec, files.clone());
    log.is_ok_and(|log| log.read(0..log.rows()).next().is_some_and(|batch| batch.is_ok()))
}

/// The declaration with further fields behind its own.
fn with_columns(spec: &Spec, columns: &[String], kinds: &[&str]) -> anyhow::Result<Spec> {
    let mut document: DocumentMut = spec.text.parse()?;
    let fields = document
        .get_mut("fields")
        .and_then(Item::as_table_like_mut)
        .context("the run's declaration has no `[fields]`")?;
    for (column, kind) in columns.iter().zip(kinds) {
        if spec.field(column).is_some() {
            return Err(Usage(format!("`--also {column}`: the declaration names it already")).into());
        }
        let mut declared = InlineTable::new();
        declared.insert("side", "item".into());
        declared.insert("kind", (*kind).into());
        if *kind == "id" {
            declared.insert("dim", 1.into());
            declared.insert("buckets", 1.into());
        }
        fields.insert(column, value(declared));
    }
    Ok(Spec::parse(
        "the declaration with `--also`",
        &document.to_string(),
    )?)
}

/// The declaration's text, read before time is spent.
fn read(file: &Path) -> anyhow::Result<String> {
    let name = file.display();
    std::fs::read_to_string(file).map_err(|error| Usage(format!("the declaration `{name}`: {error}")).into())
}

/// Rewrites the declaration in `file` and returns what there is to say of it.
fn apply(
    file: &Path,
    text: &str,
    discovery: &Discovery,
    declared: &dyn Fn(&str) -> bool,
) -> anyhow::Result<String> {
    let name = file.display();
    let moves: Vec<Move> = discovery
        .fields
        .iter()
        .filter(|field| field.acts && !field.in_bias && field.is_id)
        .map(|field| Move {
            field: field.field.clone(),
            declare: (!declared(&field.field)).then(|| (side(field), field.values.clone())),
        })
        .collect();
    if moves.is_empty() {
        return Ok(format!(
            "`{name}` stays as it is: no field acts as a bias that is not in `[bias]` already\n"
        ));
    }
    let new = applied(&name.to_string(), text, &moves, &discovery.objective)?;
    if new == text {
        return Ok(format!("`{name}` stays as it is\n"));
    }
    std::fs::write(file, &new).with_context(|| format!("`{name}`"))?;
    Ok(format!(
        "{}wrote {name}; train again to use it\n",
        difference(text, &new)
    ))
}

/// The side of a column that no declaration names.
fn side(field: &FieldFinding) -> &'static str {
    if field.of_slates { "context" } else { "item" }
}

fn print(discovery: &Discovery) {
    let Discovery {
        objective,
        rows,
        held,
        shuffled,
        ..
    } = discovery;
    let random = if *shuffled > 0 {
        format!(", {shuffled} in random order")
    } else {
        String::new()
    };
    println!("`{objective}` on {rows} examples, {held} of them held out{random}:\n");
    let rows: Vec<Vec<String>> = discovery
        .fields
        .iter()
        .map(|field| {
            vec![
                field.field.clone(),
                field.levels.to_string(),
                number(field.gain, 2),
                number(field.z, 1),
                number(field.given_item, 2),
                number(field.given_user, 2),
                number(field.shared, 3),
                match (field.in_bias, field.left_out) {
                    (true, false) => "bias",
                    (true, true) => "both",
                    (false, true) => "main",
                    (false, false) => "-",
                }
                .to_owned(),
            ]
        })
        .collect();
    let header = [
        "field",
        "values",
        "gain",
        "z",
        "given item",
        "given user",
        "relevance",
        "use",
    ];
    let table = table(&header, &rows);
    let verdicts = discovery.fields.iter().map(|field| field.verdict.as_str());
    for (line, verdict) in table.lines().zip(std::iter::once("verdict").chain(verdicts)) {
        println!("{line}  {verdict}");
    }
}
