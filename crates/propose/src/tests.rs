//! Proposals of generated files of several shapes.

mod columns;
mod files;
mod keys;
mod labels;
mod leaks;
mod times;

use std::fmt::Write;
use std::path::PathBuf;

use spec::{Absent, Kind, Loss, Scale, Side, Spec, TimeUnit};

use crate::{Options, Proposal, ProposeError, propose};

/// A folder with files that were written for a test.
struct Files(tempfile::TempDir);

impl Files {
    fn new() -> Files {
        Files(tempfile::tempdir().unwrap())
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    fn propose(&self, name: &str, text: &str) -> (Proposal, Spec) {
        let options = Options {
            data: vec![self.write(name, text)],
            ..Options::default()
        };
        let proposal = propose(&options).unwrap();
        let spec = Spec::parse("ranker.toml", &proposal.toml);
        (proposal, spec.unwrap())
    }
}

/// A number that follows from `seed` and looks like chance: below `below`.
fn chance(seed: u64, below: u64) -> u64 {
    let mut bits = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (bits ^ (bits >> 31)) % below
}

fn side(spec: &Spec, name: &str) -> Option<Side> {
    spec.field(name).map(|field| spec.fields[field].side)
}

/// A feed with what is known before, what is known afterwards, and what tells nothing.
fn feed() -> String {
    let mut text = String::new();
    for row in 0..2_000_u64 {
        let (user, item) = (chance(row / 5, 60), chance(row + 1_000, 50));
        let click = chance(row + 50_000, 4) == 0;
        let play = if click {
            2_000 + chance(row, 9_000)
        } else {
            chance(row, 40)
        };
        let _ = writeln!(
            text,
            "{{\"ts\":{},\"request\":{{\"id\":\"r{}\"}},\"user\":{{\"id\":\"u{user}\",\"country\":\"{}\"}},\"video\":{{\"id\":{item},\"duration_ms\":{},\
             \"tags\":[\"t{}\",\"t{}\"],\"embedding\":[0.5,{}.25,1.5]}},\"pos\":{},\"is_click\":{},\"play_time_ms\":{play},\
             \"result\":{}.5,\"trace\":\"x{row}\",\"device type\":\"{}\"}}",
            1_700_000_000 + row / 5 * 300,
            row / 5,
            ["de", "fr", "jp"][(user % 3) as usize],
            20_000 + item * 100,
            item % 7,
            item % 11,
            chance(item, 9),
            row % 5 + 1,
            click,
            u8::from(click),
            ["phone", "tv"][(chance(row / 5 + 3, 2)) as usize],
        );
    }
    text
}
