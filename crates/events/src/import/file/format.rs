//! Which format a file has: by its name, else by its first bytes; and what separates the cells of a CSV file.

use std::io::Read;
use std::path::Path;

use super::identity::open;
use crate::EventsError;

/// Bytes of the beginning that are looked at.
const LOOK: u64 = 65_536;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Parquet,
    Csv,
    Jsonl,
}

impl Format {
    /// By the extension, in either case: `parquet`, `pq`; `csv`, `tsv`, `txt`; `jsonl`, `ndjson`, `json`. Under any other
    /// name by the content: Parquet's mark, an object or array, else CSV.
    pub(super) fn of(path: &Path) -> Result<Format, EventsError> {
        let extension = path
            .extension()
            .map(|extension| extension.to_string_lossy().to_lowercase());
        let unreadable = |problem: &str| {
            Err(EventsError::Unreadable {
                path: path.to_owned(),
                problem: problem.to_owned(),
            })
        };
        let packed =
            "is compressed, which is not read: unpack it first (a Parquet file may be compressed inside)";
        let sheet = "is a spreadsheet or an archive, which is not read: save its table as CSV";
        match extension.as_deref() {
            Some("gz" | "bz2" | "xz" | "zst" | "lz4") => return unreadable(packed),
            Some("zip" | "xlsx" | "xls" | "ods") => return unreadable(sheet),
            _ => {}
        }
        let head = head(path)?;
        let named_parquet = matches!(extension.as_deref(), Some("parquet" | "pq"));
        match head.as_slice() {
            [] if named_parquet => return unreadable("is not a whole Parquet file: it is empty"),
            [] => return unreadable("is empty, expected column names or an object a line"),
            [0x1f, 0x8b, ..] => return unreadable(packed),
            [b'P', b'K', 3, 4, ..] => return unreadable(sheet),
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => {
                return unreadable("is UTF-16, which is not read: save it as UTF-8");
            }
            [b'P', b'A', b'R', b'1', ..] if extension.is_some() && !named_parquet => {
                return unreadable("is a Parquet file: name it `.parquet`");
            }
            _ => {}
        }
        if matches!(extension.as_deref(), Some("csv" | "tsv")) && without_mark(&head).starts_with(b"{\"") {
            return unreadable("is JSON: name it `.jsonl`");
        }
        let text = || match without_mark(&head).trim_ascii_start() {
            [b'{' | b'[', ..] => Format::Jsonl,
            _ => Format::Csv,
        };
        if named_parquet && is_text(&head) {
            return unreadable(match text() {
                Format::Jsonl => "is not a whole Parquet file: it is JSON: name it `.jsonl`",
                _ => "is not a whole Parquet file: it is text: where it is CSV, name it `.csv`",
            });
        }
        Ok(match extension.as_deref() {
            _ if named_parquet => Format::Parquet,
            Some("csv" | "tsv" | "txt") => Format::Csv,
            Some("jsonl" | "ndjson" | "json") => Format::Jsonl,
            _ if head.starts_with(b"PAR1") => Format::Parquet,
            _ => text(),
        })
    }
}

/// The separator of cells that the line of column names has most often: of `,`, tab, `;`, `|`.
pub(super) fn delimiter(path: &Path) -> Result<u8, EventsError> {
    let head = head(path)?;
    let (mut counts, mut quoted) = ([0_usize; 4], false);
    let candidates = [b',', b'\t', b';', b'|'];
    let names = without_mark(&head).trim_ascii_start();
    for byte in names {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' | b'\r' if !quoted => break,
            _ if quoted => {}
            _ => {
                if let Some(at) = candidates.iter().position(|candidate| candidate == byte) {
                    counts[at] += 1;
                }
            }
        }
    }
    let most = counts.iter().max().copied().unwrap_or(0);
    let at = counts.iter().position(|count| *count == most).unwrap_or(0);
    Ok(candidates[at])
}

/// Bytes of the byte order mark that `path` begins with: 3 or 0.
pub(super) fn mark_bytes(path: &Path) -> Result<u64, EventsError> {
    let head = head(path)?;
    Ok((head.len() - without_mark(&head).len()) as u64)
}

fn without_mark(head: &[u8]) -> &[u8] {
    head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head)
}

/// Whether a beginning is text and not Parquet's mark.
fn is_text(head: &[u8]) -> bool {
    let control = |byte: &u8| *byte < b' ' && !byte.is_ascii_whitespace();
    !head.starts_with(b"PAR1") && !head.iter().any(control)
}

fn head(path: &Path) -> Result<Vec<u8>, EventsError> {
    let mut head = Vec::new();
    open(path)?
        .take(LOOK)
        .read_to_end(&mut head)
        .map_err(EventsError::io(path))?;
    Ok(head)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str, content: &[u8]) -> Result<Format, String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(name);
        std::fs::write(&path, content).unwrap();
        Format::of(&path).map_err(|error| {
            error
                .to_string()
                .replace(&format!("{}/", dir.path().display()), "")
        })
    }

    #[test]
    fn the_name_decides_the_format_and_without_a_known_name_the_content_does() {
        for (name, content, format) in [
            ("a.PQ", "PAR1", Format::Parquet),
            ("a.parquet", "\0\u{1}", Format::Parquet),
            ("a.tsv", "{}", Format::Csv),
            ("a.json", "a,b", Format::Jsonl),
            ("a", "PAR1", Format::Parquet),
            ("a.log", "\u{feff} \n{\"a\":1}", Format::Jsonl),
            ("a.dat", "time|user\n", Format::Csv),
        ] {
            assert_eq!(of(name, content.as_bytes()), Ok(format), "{name}");
        }
    }

    #[test]
    fn what_is_not_read_is_refused_with_what_to_do() {
        for (name, content, says) in [
            (
                "a.csv.gz",
                &b"x"[..],
                "`a.csv.gz` is compressed, which is not read: unpack it first",
            ),
            ("a.csv", b"\x1f\x8b\x08", "is compressed"),
            ("a.xlsx", b"x", "save its table as CSV"),
            ("a.csv", b"", "`a.csv` is empty, expected column names"),
            ("a.jsonl", b"", "is empty"),
            ("a.txt", b"\xff\xfea\0", "is UTF-16"),
            ("a.parquet", b"", "is not a whole Parquet file: it is empty"),
            ("a.pq", b"\x1f\x8b\x08", "is compressed"),
            (
                "a.pq",
                b"time,user\n",
                "it is text: where it is CSV, name it `.csv`",
            ),
            ("a.pq", b" {\"a\":1}\n", "it is JSON: name it `.jsonl`"),
            ("a.csv", b"{\"a\":1}\n", "`a.csv` is JSON: name it `.jsonl`"),
            ("a.csv", b"PAR1\x15\0", "is a Parquet file: name it `.parquet`"),
        ] {
            let error = of(name, content).unwrap_err();
            assert!(error.contains(says), "{error}");
        }
    }

    #[test]
    fn the_separator_is_the_one_that_the_names_are_separated_by() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.csv");
        for (names, expected) in [
            ("a,b;c,d\n;;;;;", b','),
            ("a\tb,c\td", b'\t'),
            ("\u{feff}a;b\r\n,,,", b';'),
            ("\"x,y,z\"|b\n", b'|'),
            ("alone\n", b','),
        ] {
            std::fs::write(&path, names).unwrap();
            assert_eq!(delimiter(&path).unwrap(), expected, "{names}");
        }
    }
}
