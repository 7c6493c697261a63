//! What a person sees while long work goes on: a bar on a terminal, nothing elsewhere; and the signal that stops it.

use std::io::IsTerminal;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use train::Progress;

/// Ctrl-C, heard once; a second one ends the process.
#[derive(Clone, Default)]
pub(crate) struct Interrupt(Arc<(Mutex<bool>, Condvar)>);

impl Interrupt {
    /// Starts listening.
    pub(crate) fn listen() -> Interrupt {
        let interrupt = Interrupt::default();
        let heard = interrupt.clone();
        std::thread::spawn(move || {
            let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
                return;
            };
            runtime.block_on(async {
                if tokio::signal::ctrl_c().await.is_err() {
                    return;
                }
                heard.happen();
                eprintln!("stopping; what is complete is kept (press again to end at once)");
                if tokio::signal::ctrl_c().await.is_ok() {
                    std::process::exit(130);
                }
            });
        });
        interrupt
    }

    /// Whether it has happened.
    pub(crate) fn happened(&self) -> bool {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until it happens.
    pub(crate) fn wait(&self) {
        let mut happened = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        while !*happened {
            happened = self.0.1.wait(happened).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn happen(&self) {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.0.1.notify_all();
    }
}

/// A progress bar on standard error.
pub(crate) struct Bar {
    bar: ProgressBar,
    quiet: bool,
    interrupt: Interrupt,
    begin: Instant,
}

impl Bar {
    /// `quiet` drops the notes too; for `--json`.
    pub(crate) fn new(quiet: bool) -> Bar {
        let hidden = quiet || !std::io::stderr().is_terminal();
        let target = if hidden {
            ProgressDrawTarget::hidden()
        } else {
            ProgressDrawTarget::stderr()
        };
        let bar = ProgressBar::with_draw_target(None, target);
        if let Ok(style) = ProgressStyle::with_template("{msg:14} {bar:40} {pos}/{len} {eta}") {
            bar.set_style(style);
        }
        Bar {
            bar,
            quiet,
            interrupt: Interrupt::default(),
            begin: Instant::now(),
        }
    }

    /// The work that reports to it stops by `interrupt`.
    pub(crate) fn stopped_by(mut self, interrupt: &Interrupt) -> Bar {
        self.interrupt = interrupt.clone();
        self
    }
}

impl Progress for Bar {
    fn begin(&mut self, stage: &str, total: u64) {
        self.bar.reset();
        self.bar.set_length(total);
        self.bar.set_message(stage.to_owned());
    }

    fn advance(&mut self, units: u64) {
        self.bar.inc(units);
    }

    fn note(&mut self, line: &str) {
        if !self.quiet {
            self.bar.suspend(|| eprintln!("{line}"));
        }
    }

    fn now(&self) -> Duration {
        self.begin.elapsed()
    }

    fn stopped(&self) -> bool {
        self.interrupt.happened()
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// A plain table: the first column to the left, the others to the right.
pub(crate) fn table(header: &[&str], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows
            .iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count());
        cells.chain([header[column].chars().count()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..header.len()).map(width).collect();
    let line = |cells: Vec<&str>| {
        let cells = cells
            .iter()
            .zip(&widths)
            .enumerate()
            .map(|(column, (cell, &width))| {
                if column == 0 {
                    format!("{cell:<width$}")
                } else {
                    format!("{cell:>width$}")
                }
            });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let mut lines = vec![line(header.to_vec())];
    lines.extend(
        rows.iter()
            .map(|row| line(row.iter().map(String::as_str).collect())),
    );
    lines.join("\n")
}

/// A number or a dash; large ones without fraction.
pub(crate) fn number(value: Option<f64>, digits: usize) -> String {
    let digits = if value.is_some_and(|value| value.abs() >= 1e4) {
        0
    } else {
        digits
    };
    value.map_or("-".to_owned(), |value| format!("{value:.digits$}"))
}
