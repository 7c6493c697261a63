//! Files as they come: cut short, mixed, compressed, huge, changed while they are read. Each is read, or refused in one
//! message that says where it is, what was found and what to do, and nothing is left half-written.

mod columns;
mod files;
mod machine;
mod parquet;
mod shapes;
mod values;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Output;

use crate::fixture::{Columns, RANKER, log, watchnext, write_log};

/// Columns and cells of a flat log, as text.
#[derive(Clone)]
struct Table {
    names: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// The first rows of the fixture's log.
    fn of(rows: usize) -> Table {
        let columns = log(rows);
        let texts: Vec<Vec<Option<String>>> =
            columns.iter().map(|(_, array)| events::as_texts(array)).collect();
        let cell = |column: &Vec<Option<String>>, row: usize| column[row].clone().unwrap_or_default();
        Table {
            names: columns.iter().map(|(name, _)| (*name).to_owned()).collect(),
            rows: (0..rows)
                .map(|row| texts.iter().map(|column| cell(column, row)).collect())
                .collect(),
        }
    }

    fn at(&self, column: &str) -> usize {
        self.names.iter().position(|name| name == column).unwrap()
    }

    /// With another cell in the row `row` (from 1): in CSV that is line `row` + 1, in JSONL line `row`.
    fn cell(mut self, column: &str, row: usize, cell: &str) -> Table {
        let at = self.at(column);
        cell.clone_into(&mut self.rows[row - 1][at]);
        self
    }

    /// With the same cell in every row.
    fn every(mut self, column: &str, cell: &str) -> Table {
        let at = self.at(column);
        for row in &mut self.rows {
            cell.clone_into(&mut row[at]);
        }
        self
    }

    fn renamed(mut self, column: &str, name: &str) -> Table {
        let at = self.at(column);
        name.clone_into(&mut self.names[at]);
        self
    }

    /// With one more column.
    fn with(mut self, name: &str, cell: impl Fn(usize) -> String) -> Table {
        self.names.push(name.to_owned());
        for (row, cells) in self.rows.iter_mut().enumerate() {
            cells.push(cell(row));
        }
        self
    }

    fn csv(&self) -> String {
        let lines = std::iter::once(&self.names).chain(&self.rows);
        lines.map(|cells| cells.join(",") + "\n").collect()
    }

    /// What is a number is one; an empty cell is null.
    fn jsonl(&self) -> String {
        let line = |cells: &Vec<String>| {
            let cells = self.names.iter().zip(cells).map(|(name, cell)| {
                let value = match cell.parse::<f64>() {
                    Ok(number) if number.is_finite() => cell.clone(),
                    _ if cell.is_empty() => "null".to_owned(),
                    _ => format!("{cell:?}"),
                };
                format!("{name:?}:{value}")
            });
            format!("{{{}}}\n", cells.collect::<Vec<_>>().join(","))
        };
        self.rows.iter().map(line).collect()
    }
}

/// One hostile input: a folder with a declaration and files, and a command that is run in it.
struct Case {
    name: String,
    dir: tempfile::TempDir,
    arguments: Vec<String>,
}

impl Case {
    /// `train ranker.toml --data FILE --out run`, where FILE holds `content`.
    fn of(name: &str, file: &str, content: impl AsRef<[u8]>) -> Case {
        Case::called(name, &["train", "ranker.toml", "--out", "run", "--data", file]).file(file, content)
    }

    fn called(name: &str, arguments: &[&str]) -> Case {
        let case = Case {
            name: name.to_owned(),
            dir: tempfile::tempdir().unwrap(),
            arguments: arguments.iter().map(|argument| (*argument).to_owned()).collect(),
        };
        case.file("ranker.toml", RANKER)
    }

    fn file(self, file: &str, content: impl AsRef<[u8]>) -> Case {
        std::fs::write(self.dir.path().join(file), content).unwrap();
        self
    }

    /// With one place of the declaration changed.
    fn declared(self, from: &str, to: &str) -> Case {
        let ranker = self.dir.path().join("ranker.toml");
        let text = std::fs::read_to_string(&ranker).unwrap();
        assert_eq!(text.matches(from).count(), 1, "{}: `{from}`", self.name);
        self.file("ranker.toml", text.replacen(from, to, 1))
    }

    fn and(mut self, arguments: &[&str]) -> Case {
        self.arguments
            .extend(arguments.iter().map(|argument| (*argument).to_owned()));
        self
    }

    fn output(&self) -> Output {
        watchnext()
            .args(&self.arguments)
            .current_dir(self.dir.path())
            .output()
            .unwrap()
    }

    /// Demands a refusal with exit code 2 and these words, and that no file came or went.
    #[track_caller]
    fn refused(self, says: &[&str]) {
        let before = names(self.dir.path());
        let message = self.fails(&self.output(), 2, says);
        assert_eq!(names(self.dir.path()), before, "{}: {message}", self.name);
    }

    /// Demands this exit code and one error with these words; answers it.
    #[track_caller]
    fn fails(&self, output: &Output, code: i32, says: &[&str]) -> String {
        let message = self.sound(output);
        assert_eq!(output.status.code(), Some(code), "{}: {message}", self.name);
        let errors = message.lines().filter(|line| line.starts_with("error: ")).count();
        assert_eq!(errors, 1, "{}: {message}", self.name);
        assert!(output.stdout.is_empty(), "{}: {message}", self.name);
        for words in says {
            assert!(
                message.contains(words),
                "{}: no `{words}` in: {message}",
                self.name
            );
        }
        message
    }

    /// Demands that it works, and leaves a whole run; answers what was printed.
    #[track_caller]
    fn works(self) -> String {
        let output = self.output();
        let message = self.sound(&output);
        assert_eq!(output.status.code(), Some(0), "{}: {message}", self.name);
        let hidden: Vec<String> = names(self.dir.path())
            .into_iter()
            .filter(|name| name.starts_with('.'))
            .collect();
        assert!(hidden.is_empty(), "{}: {hidden:?}", self.name);
        for part in [
            "model/manifest.json",
            "checkpoint/manifest.json",
            "metrics.json",
            "report.html",
        ] {
            assert!(
                self.dir.path().join("run").join(part).is_file(),
                "{}: {part}",
                self.name
            );
        }
        String::from_utf8(output.stdout).unwrap() + &message
    }

    /// What it says on standard error: short, and no panic.
    #[track_caller]
    fn sound(&self, output: &Output) -> String {
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!message.contains("panicked"), "{}: {message}", self.name);
        assert!(
            message.len() < 4_000,
            "{}: {} bytes said",
            self.name,
            message.len()
        );
        println!(
            "{} | {:?} | {}",
            self.name,
            output.status.code(),
            message.lines().next().unwrap_or_default()
        );
        message
    }
}

/// Names in a folder, hidden ones too.
fn names(folder: &Path) -> BTreeSet<String> {
    std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect()
}

/// A flat log as a Parquet file.
fn parquet_bytes(columns: &Columns) -> Vec<u8> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log.parquet");
    write_log(&path, columns);
    std::fs::read(path).unwrap()
}
