//! `bench encode`: how fast one thread reads a log's rows and encodes them.
//!
//! In: a declaration, a log of it. Out: rows a second of reading (decoding the file, casting to examples) and of encoding.

use std::sync::Arc;
use std::time::{Duration, Instant};

use events::FlatLog;
use model::{Encoder, ScalerFit};
use spec::Spec;

use crate::TrainError;

/// What came of it, over whole passes through the log.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct EncodeReport {
    /// Rows of the log.
    pub rows: u64,
    /// Passes that were timed.
    pub passes: usize,
    /// Rows a second of reading alone, in the median pass.
    pub read_per_second: f64,
    /// Rows a second of encoding alone, in the median pass.
    pub encode_per_second: f64,
    /// Rows a second of both, one after the other, in the median pass.
    pub rows_per_second: f64,
    /// The same in the fastest pass.
    pub fastest_per_second: f64,
}

/// Times passes for at least `time`, after one that is not timed and fits the scalers.
///
/// # Errors
/// Bad data; a log without rows.
pub fn bench_encode(spec: &Arc<Spec>, log: &FlatLog, time: Duration) -> Result<EncodeReport, TrainError> {
    let mut scalers = ScalerFit::new(spec);
    for examples in log.read(0..log.rows()) {
        Encoder::fit(spec, &examples?, &mut scalers);
    }
    let encoder = Encoder::new(Arc::clone(spec), scalers.finish());

    let (begin, mut passes) = (Instant::now(), Vec::new());
    while passes.is_empty() || begin.elapsed() < time {
        passes.push(pass(&encoder, log)?);
    }
    let per_second = |seconds: fn(&(f64, f64)) -> f64| {
        let mut seconds: Vec<f64> = passes.iter().map(seconds).collect();
        seconds.sort_by(f64::total_cmp);
        let rate = |seconds: f64| log.rows() as f64 / seconds;
        (rate(seconds[seconds.len() / 2]), rate(seconds[0]))
    };
    let (rows_per_second, fastest_per_second) = per_second(|(read, encode)| read + encode);
    Ok(EncodeReport {
        rows: log.rows(),
        passes: passes.len(),
        read_per_second: per_second(|(read, _)| *read).0,
        encode_per_second: per_second(|(_, encode)| *encode).0,
        rows_per_second,
        fastest_per_second,
    })
}

/// Seconds of reading and of encoding all rows.
fn pass(encoder: &Encoder, log: &FlatLog) -> Result<(f64, f64), TrainError> {
    let (mut read, mut encode) = (0.0, 0.0);
    let mut begin = Instant::now();
    for examples in log.read(0..log.rows()) {
        let examples = examples?;
        let decoded = Instant::now();
        std::hint::black_box(encoder.encode(&examples));
        drop(examples);
        let encoded = Instant::now();
        read += (decoded - begin).as_secs_f64();
        encode += (encoded - decoded).as_secs_f64();
        begin = encoded;
    }
    Ok((read, encode))
}
