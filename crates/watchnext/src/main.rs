//! The `watchnext` command: the whole loop, log -> examples -> training -> deployment -> serving -> log.
//!
//! One file a command in `commands/`; this file only dispatches and prints what went wrong, once.

mod client;
mod commands;
mod declaration;
mod demo;
mod failure;
mod metrics;
mod proof;
mod terminal;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::commands::{
    bench, check, debias, demo as demo_command, evaluate, expect, fit_budget, init, learn, policy, schema,
    score, send, serve, train, verify,
};

#[global_allocator]
static ALLOCATOR: nn::Aligned = nn::Aligned;

/// Turns interaction logs into a live, multi-objective, position-debiased ranker, and keeps it learning from what it served.
#[derive(Parser)]
#[command(version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Demo(demo_command::Args),
    Init(init::Args),
    Check(check::Args),
    FitBudget(fit_budget::Args),
    Train(train::Args),
    Evaluate(evaluate::Args),
    Debias(debias::Args),
    Policy(policy::Args),
    Serve(serve::Args),
    Learn(learn::Args),
    Send(send::Args),
    Verify(verify::Args),
    Expect(expect::Args),
    Schema(schema::Args),
    Score(score::Args),
    Bench(bench::Args),
}

/// Ends quietly where whoever reads the output has gone, as `| head` does: `println!` would panic.
fn end_with_the_reader() {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let message = panic.payload().downcast_ref::<String>();
        if message.is_some_and(|message| message.starts_with("failed printing to stdout")) {
            // What a shell says of a program that a closed pipe ended.
            std::process::exit(141);
        }
        report(panic);
    }));
}

fn main() -> ExitCode {
    end_with_the_reader();
    let result = match Arguments::parse().command {
        Command::Demo(args) => demo_command::run(args),
        Command::Init(args) => init::run(args),
        Command::Check(args) => check::run(args),
        Command::FitBudget(args) => fit_budget::run(args),
        Command::Train(args) => train::run(args),
        Command::Evaluate(args) => evaluate::run(args),
        Command::Debias(args) => debias::run(args),
        Command::Policy(args) => policy::run(args),
        Command::Serve(args) => serve::run(args),
        Command::Learn(args) => learn::run(args),
        Command::Send(args) => send::run(args),
        Command::Verify(args) => verify::run(args),
        Command::Expect(args) => expect::run(args),
        Command::Schema(args) => schema::run(args),
        Command::Score(args) => score::run(args),
        Command::Bench(args) => bench::run(args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}: {}", failure::word(&error), failure::message(&error));
            failure::exit_code(&error)
        }
    }
}
