//! `bench train`: how fast a training step is on this machine, on nets that peers can be timed on too.
//!
//! In: a net, a precision, a batch size. Out: examples a second, arithmetic a second beside what the registers alone could do in
//! the same run, and the time of each part of a step. Ids and labels are random: the bare step, no data is read.

mod checkpoint;
mod encode;

use std::sync::Arc;
use std::time::{Duration, Instant};

use model::{Cost, Encoded, EncodedIds, Encoder, Plan, Ranker, ScalerFit, Weights};
use nn::{Path, Threads, register_peak};
use rand::{Rng, RngExt};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use spec::Spec;

use crate::trainer::factors;
use crate::{TrainError, Trainer};

pub use checkpoint::{CheckpointReport, bench_checkpoint};
pub use encode::{EncodeReport, bench_encode};

/// Batches that are learned from in turn.
const BATCHES: usize = 8;
/// Positions, and devices besides `new`.
const POSITIONS: u32 = 15;
const DEVICES: u32 = 3;

/// A net to be timed: fields of ids, 16 values each, and 8 numbers go into a mixture of experts for 4 objectives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Net {
    /// Fields of ids.
    pub fields: usize,
    /// Ids of an example in each field.
    pub ids: u32,
    /// Rows of each field's table.
    pub rows: u32,
    /// Width of the shared layer.
    pub shared: usize,
    /// Experts.
    pub experts: usize,
    /// Widths of an expert's two layers.
    pub widths: [usize; 2],
    /// Width of each tower.
    pub tower: usize,
}

impl Net {
    /// 328 -> 256, experts 128 -> 64, towers 32: 430,208 multiplications an example.
    pub const SMALL: Net = Net {
        fields: 20,
        ids: 1,
        rows: 100_000,
        shared: 256,
        experts: 8,
        widths: [128, 64],
        tower: 32,
    };
    /// 328 -> 1024, experts 512 -> 256, towers 64: 5,685,504 multiplications an example.
    pub const PAPER: Net = Net {
        shared: 1024,
        widths: [512, 256],
        tower: 64,
        ..Net::SMALL
    };
}

/// What is timed.
#[derive(Debug, Clone)]
pub struct BenchOptions {
    /// The net.
    pub net: Net,
    /// How products read their factors.
    pub precision: spec::Precision,
    /// Examples of a step.
    pub batch: usize,
    /// Threads that share a step.
    pub threads: usize,
    /// For how long steps are timed, after as much that is not.
    pub time: Duration,
    /// Of weights, ids and labels.
    pub seed: u64,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct BenchReport {
    /// The instructions that were used.
    pub path: &'static str,
    /// Threads.
    pub threads: usize,
    /// Steps that were timed.
    pub steps: usize,
    /// Multiplications of dense layers and mixtures in one example's forward pass.
    pub multiplications: u64,
    /// Median time of a step, ms.
    pub step_ms: f64,
    /// The fastest step, ms.
    pub fastest_ms: f64,
    /// Examples a second at the median.
    pub examples_per_second: f64,
    /// Billions of operations a second at the median: six for each multiplication, forward and back.
    pub gflops: f64,
    /// Billions of operations a second of the registers alone, all threads at once; `None` where it cannot be measured.
    pub peak_gflops: Option<f64>,
    /// `gflops / peak_gflops`.
    pub share_of_peak: Option<f64>,
    /// Mean time of each part of a step, ms: name, time.
    pub parts_ms: Vec<(&'static str, f64)>,
}

/// Times steps.
///
/// # Errors
/// A loss that stops being finite.
pub fn bench(options: &BenchOptions) -> Result<BenchReport, TrainError> {
    let (trainer, examples) = begin(options)?;
    let rows: Vec<u32> = (0..examples.len as u32).collect();
    let mut trainer = trainer.on(Threads::new(options.threads));

    let before = peak(options);
    steps(&mut trainer, &examples, &rows, options)?;
    trainer.take_times();
    let mut times = steps(&mut trainer, &examples, &rows, options)?;
    let parts = trainer.take_times();
    let peak = before.zip(peak(options)).map(|(before, after)| before.max(after));

    times.sort_by(f64::total_cmp);
    let (count, median) = (times.len(), times[times.len() / 2]);
    let multiplications = Cost::of(trainer.ranker.spec()).multiplications;
    let gflops = 6.0 * multiplications as f64 * options.batch as f64 / median / 1e9;
    Ok(BenchReport {
        path: Path::best().name(),
        threads: options.threads,
        steps: count,
        multiplications,
        step_ms: 1e3 * median,
        fastest_ms: 1e3 * times[0],
        examples_per_second: options.batch as f64 / median,
        gflops,
        peak_gflops: peak,
        share_of_peak: peak.map(|peak| gflops / peak),
        parts_ms: parts
            .map(|(name, time)| (name, 1e3 * time.as_secs_f64() / count as f64))
            .to_vec(),
    })
}

/// A trainer that has taken no step, and what it learns from.
fn begin(options: &BenchOptions) -> Result<(Trainer, Encoded), TrainError> {
    let spec = Spec::parse("the net", &declaration(options)).map_err(model::ModelError::from)?;
    let spec = Arc::new(spec);
    let ranker = Ranker {
        encoder: Encoder::new(spec.clone(), ScalerFit::new(&spec).finish()),
        weights: Weights::new(&spec, options.seed),
    };
    let mut rng = ChaCha8Rng::seed_from_u64(options.seed);
    let len = BATCHES * options.batch;
    let examples = random_examples(&spec, ranker.encoder.plan(), options.net, len, &mut rng);
    Ok((Trainer::new(ranker), examples))
}

/// Steps for the asked time, at least one pass over the batches: seconds of each.
fn steps(
    trainer: &mut Trainer,
    examples: &Encoded,
    rows: &[u32],
    options: &BenchOptions,
) -> Result<Vec<f64>, TrainError> {
    let (begin, mut times) = (Instant::now(), Vec::new());
    while times.is_empty() || begin.elapsed() < options.time {
        for rows in rows.chunks(options.batch) {
            let step = Instant::now();
            trainer.learn_rows(examples, rows, true)?;
            times.push(step.elapsed().as_secs_f64());
        }
    }
    Ok(times)
}

/// The register peaks of all threads at once, summed.
fn peak(options: &BenchOptions) -> Option<f64> {
    let precision = factors(options.precision);
    let mut peaks = vec![None; options.threads];
    Threads::new(options.threads).each(&mut peaks, |_, of_thread| {
        *of_thread = register_peak(Path::best(), precision, Duration::from_millis(300));
    });
    peaks.into_iter().sum()
}

fn declaration(options: &BenchOptions) -> String {
    let Net {
        rows,
        shared,
        experts,
        widths: [first, second],
        tower,
        ..
    } = options.net;
    let kind = if options.net.ids == 1 { "id" } else { "ids" };
    let fields: String = (0..options.net.fields)
        .map(|field| {
            format!(
                "f{field} = {{ side = \"item\", kind = \"{kind}\", dim = 16, buckets = {rows}, admit_after = 1, id_dropout = 0 }}\n"
            )
        })
        .collect();
    let precision = match options.precision {
        spec::Precision::F32 => "f32",
        spec::Precision::Bf16 => "bf16",
    };
    format!(
        r#"
[fields]
{fields}
numbers = {{ side = "item", kind = "vector", width = 8 }}
device = {{ side = "context", kind = "id", values = ["phone", "desktop", "tv"], use = "bias" }}

[objectives]
click = {{ group = "engagement", loss = "binary" }}
watch = {{ group = "engagement", loss = "squared", clip = [0, 1] }}
like = {{ group = "satisfaction", loss = "binary" }}
share = {{ group = "satisfaction", loss = "binary" }}

[model]
architecture = "mmoe"
shared = [{shared}]
experts = {{ count = {experts}, widths = [{first}, {second}] }}
towers = [{tower}]

[bias]
fields = ["position", "device"]
groups = ["engagement"]
max_position = {POSITIONS}
position_dropout = 0

[train]
batch = {}
precision = "{precision}"

[score]
click = 1.0
"#,
        options.batch
    )
}

/// Ids that crowd at the low rows, as ids do; labels that are yes for one in ten.
fn random_examples(spec: &Spec, plan: &Plan, net: Net, len: usize, rng: &mut impl Rng) -> Encoded {
    let mut ids = |_| EncodedIds {
        offsets: (0..=len as u32).map(|at| at * net.ids).collect(),
        rows: (0..len * net.ids as usize)
            .map(|_| (f64::from(net.rows) * rng.random::<f64>().powi(3)) as u32)
            .collect(),
        weights: Vec::new(),
        keys: Vec::new(),
    };
    let ids = plan.ids.iter().map(&mut ids).collect();
    let objectives = spec.objectives.len();
    let labels = |rng: &mut dyn FnMut() -> f32| (0..len).map(|_| rng()).collect();
    Encoded {
        len,
        dense: (0..len * plan.dense_width)
            .map(|_| rng.random::<f32>() - 0.5)
            .collect(),
        ids,
        cells: (0..len).map(|_| rng.random_range(0..=DEVICES)).collect(),
        positions: (0..len).map(|_| rng.random_range(0..=POSITIONS)).collect(),
        labels: (0..objectives)
            .map(|_| labels(&mut || f32::from(rng.random::<f32>() < 0.1)))
            .collect(),
        durations: vec![Vec::new(); objectives],
        weights: vec![1.0; len],
        propensities: Vec::new(),
        keys: (0..len as u64).collect(),
        users: vec![0; len],
        slates: vec![0; len],
        shuffled: vec![false; len],
        times: vec![0; len],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nets_have_the_multiplications_that_they_are_known_by() {
        for (net, multiplications) in [(Net::SMALL, 430_208), (Net::PAPER, 5_685_504)] {
            let options = BenchOptions {
                net,
                precision: spec::Precision::F32,
                batch: 8,
                threads: 1,
                time: Duration::ZERO,
                seed: 1,
            };
            let spec = Spec::parse("the net", &declaration(&options)).unwrap();
            assert_eq!(Cost::of(&spec).multiplications, multiplications);
            assert_eq!(Plan::of(&spec).width(), 328);
        }
    }
}
