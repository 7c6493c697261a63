//! Prints the declaration proposed for a file: `propose FILE... [--users FILE] [--items FILE]`.

use std::path::PathBuf;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut options = propose::Options::default();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--users" => options.users = arguments.next().map(PathBuf::from),
            "--items" => options.items = arguments.next().map(PathBuf::from),
            file => options.data.push(PathBuf::from(file)),
        }
    }
    let proposal = propose::propose(&options)?;
    print!("{}", proposal.toml);
    for leak in &proposal.leaks {
        eprintln!("leak: {leak}");
    }
    for choice in &proposal.choices {
        eprintln!("choice: {choice}");
    }
    for note in &proposal.notes {
        eprintln!("note: {note}");
    }
    Ok(())
}
