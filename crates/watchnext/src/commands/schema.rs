//! `watchnext schema`: what a declaration may say, for editors and for people.

use clap::Parser;

/// Print the JSON Schema of a declaration, for editors, or its reference, for people
#[derive(Parser)]
#[command(
    after_help = "Examples:\n  watchnext schema > ranker.schema.json\n  watchnext schema --reference > declaration.md\n\n\
    An editor with the TOML language server Taplo takes the schema from a first line as\n  \
    #:schema ./ranker.schema.json"
)]
pub(crate) struct Args {
    /// The reference in Markdown
    #[arg(long)]
    reference: bool,
}

pub(crate) fn run(args: Args) -> anyhow::Result<()> {
    if args.reference {
        print!("{}", spec::reference());
    } else {
        print!("{}", spec::json_schema());
    }
    Ok(())
}
