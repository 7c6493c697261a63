//! How fast the products are on this machine, shape by shape: `cargo run --release -p nn --example products`.
//!
//! In: nothing. Out: a table of GFLOP/s on one thread and the share of the register peak, with the crate `gemm` beside it.

#![allow(unsafe_code, clippy::too_many_arguments)]

use std::time::{Duration, Instant};

use nn::{Dense, Mat, MatMut, Path, Precision, register_peak};
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};

fn best(mut run: impl FnMut(), operations: usize) -> f64 {
    let begin = Instant::now();
    let mut best = 0.0f64;
    while begin.elapsed() < Duration::from_millis(300) {
        let round = Instant::now();
        run();
        best = best.max(operations as f64 / round.elapsed().as_secs_f64() / 1e9);
    }
    best
}

/// `out = a · b` by the crate `gemm`, A and B by (row stride, column stride).
fn peer(
    m: usize,
    k: usize,
    n: usize,
    a: &[f32],
    sa: (usize, usize),
    b: &[f32],
    sb: (usize, usize),
    out: &mut [f32],
) {
    assert!(a.len() >= m * k && b.len() >= k * n && out.len() >= m * n);
    // SAFETY: the buffers hold the shapes without gaps.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            out.as_mut_ptr(),
            1,
            n as isize,
            false,
            a.as_ptr(),
            sa.1 as isize,
            sa.0 as isize,
            b.as_ptr(),
            sb.1 as isize,
            sb.0 as isize,
            0.0f32,
            1.0f32,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

fn main() {
    let path = Path::best();
    let peaks = [Precision::F32, Precision::Bf16]
        .map(|precision| register_peak(path, precision, Duration::from_millis(500)).unwrap_or(f64::NAN));
    println!(
        "path {}: register peak {:.1} GFLOP/s f32, {:.1} bf16",
        path.name(),
        peaks[0],
        peaks[1]
    );
    println!(
        "{:>22} {:>8} {:>6} {:>8} {:>6} {:>8}",
        "rows x in x out", "f32", "share", "bf16", "share", "gemm f32"
    );
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    for (inputs, outputs) in [
        (328, 256),
        (256, 1056),
        (128, 64),
        (64, 32),
        (328, 1024),
        (1024, 4128),
        (512, 256),
    ] {
        for rows in [128, 1024] {
            let x = Dense::new(rows, inputs, 1.0, &mut rng).weight;
            let d = Dense::new(rows, outputs, 1.0, &mut rng).weight;
            let layer = Dense::new(inputs, outputs, 1.0, &mut rng);
            let (mut y, mut dx, mut dw) = (
                vec![0.0; rows * outputs],
                vec![0.0; rows * inputs],
                vec![0.0; inputs * outputs],
            );
            for what in ["forward", "d_input", "d_weight"] {
                let operations = 2 * rows * inputs * outputs;
                let mut speeds = [0.0; 2];
                for (speed, precision) in speeds.iter_mut().zip([Precision::F32, Precision::Bf16]) {
                    let (x, d) = (Mat::new(&x, rows, inputs), Mat::new(&d, rows, outputs));
                    *speed = best(
                        || match what {
                            "forward" => {
                                nn::product(precision, x, layer.weight(), MatMut::new(&mut y, rows, outputs))
                            }
                            "d_input" => nn::product_right_transposed(
                                precision,
                                d,
                                layer.weight(),
                                MatMut::new(&mut dx, rows, inputs),
                            ),
                            _ => nn::product_left_transposed(
                                precision,
                                x,
                                d,
                                MatMut::new(&mut dw, inputs, outputs),
                            ),
                        },
                        operations,
                    );
                }
                let peer = best(
                    || match what {
                        "forward" => peer(
                            rows,
                            inputs,
                            outputs,
                            &x,
                            (inputs, 1),
                            &layer.weight,
                            (outputs, 1),
                            &mut y,
                        ),
                        "d_input" => peer(
                            rows,
                            outputs,
                            inputs,
                            &d,
                            (outputs, 1),
                            &layer.weight,
                            (1, outputs),
                            &mut dx,
                        ),
                        _ => peer(inputs, rows, outputs, &x, (1, inputs), &d, (outputs, 1), &mut dw),
                    },
                    operations,
                );
                println!(
                    "{what:>9} {rows:>4}x{inputs:>4}x{outputs:>4} {:>8.1} {:>5.0}% {:>8.1} {:>5.0}% {peer:>8.1}",
                    speeds[0],
                    100.0 * speeds[0] / peaks[0],
                    speeds[1],
                    100.0 * speeds[1] / peaks[1]
                );
            }
        }
    }
}
