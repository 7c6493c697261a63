//! The products against naive loops, on every path that the machine has.

use super::*;
use proptest::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::init::normal;

/// A buffer for `rows` x `cols` with `gap` unused values after each row.
fn buffer(rows: usize, cols: usize, gap: usize, seed: u64) -> Vec<f32> {
    normal(rows * (cols + gap), 1.0, &mut ChaCha8Rng::seed_from_u64(seed))
}

fn view(data: &[f32], rows: usize, cols: usize, gap: usize) -> Mat<'_> {
    Mat::strided(data, rows, cols, cols + gap)
}

fn transposed(mat: Mat) -> Vec<f32> {
    let values = (0..mat.cols()).flat_map(|j| (0..mat.rows()).map(move |i| mat.row(i)[j]));
    values.collect()
}

/// What a product reads of `value`.
fn read(precision: Precision, value: f32) -> f64 {
    match precision {
        Precision::F32 => f64::from(value),
        Precision::Bf16 => {
            let bits = value.to_bits();
            f64::from(f32::from_bits((bits + 0x7fff + ((bits >> 16) & 1)) & 0xffff_0000))
        }
    }
}

/// A product with all that can follow it, against the naive loop; gaps must stay untouched.
fn check_job(a: Mat, b: Mat, factors: (Factor, Factor), job: Job, gap: usize) {
    let (m, n) = (a.rows(), b.cols());
    let start = buffer(m, n, gap, 3);
    let mut out = start.clone();
    multiply(
        factors.0,
        factors.1,
        MatMut::strided(&mut out, m, n, n + gap),
        job,
    );
    for i in 0..m {
        for j in 0..n + gap {
            let at = i * (n + gap) + j;
            if j >= n {
                assert_eq!(out[at], start[at], "gap written");
                continue;
            }
            let terms =
                (0..a.cols()).map(|k| read(job.precision, a.row(i)[k]) * read(job.precision, b.row(k)[j]));
            let before = if job.add { f64::from(start[at]) } else { 0.0 };
            let bias = job.bias.get(j).copied().map_or(0.0, f64::from);
            let rounding = 1e-6 * (terms.clone().map(f64::abs).sum::<f64>() + before.abs() + bias.abs());
            let mut expected = before + terms.sum::<f64>() + bias;
            if j < job.relu {
                expected = expected.max(0.0);
            }
            if job.open.is_some_and(|open| open.row(i)[j] <= 0.0) {
                expected = 0.0;
            }
            let difference = (f64::from(out[at]) - expected).abs();
            let (path, precision) = (job.path.name(), job.precision);
            assert!(
                difference <= rounding,
                "{path} {precision:?} {m}x{}x{n} at ({i}, {j}): {} for {expected}",
                a.cols(),
                out[at]
            );
        }
    }
}

/// Every path that this machine has, in both precisions, with the factors stored in every way.
fn check(m: usize, n: usize, k: usize, gap: usize) {
    let (a, b) = (buffer(m, k, gap, 1), buffer(k, n, gap, 2));
    let (a, b) = (view(&a, m, k, gap), view(&b, k, n, gap));
    let (at, bt) = (transposed(a), transposed(b));
    let lefts = [Factor::plain(a), Factor::transposed(Mat::new(&at, k, m))];
    let rights = [Factor::plain(b), Factor::transposed(Mat::new(&bt, n, k))];
    let (bias, open) = (buffer(1, n, 0, 8), buffer(m, n, gap, 9));
    for path in Path::ALL.into_iter().filter(|path| path.is_present()) {
        for precision in [Precision::F32, Precision::Bf16] {
            for (which, (left, right)) in lefts
                .iter()
                .flat_map(|l| rights.iter().map(move |r| (*l, *r)))
                .enumerate()
            {
                let plain = Job {
                    path,
                    precision,
                    add: which % 2 == 1,
                    ..Job::default()
                };
                check_job(a, b, (left, right), plain, gap);
                let all = Job {
                    bias: &bias,
                    relu: n / 2,
                    open: Some(view(&open, m, n, gap)),
                    ..plain
                };
                check_job(a, b, (left, right), all, gap);
            }
        }
    }
}

#[test]
fn the_public_products_read_their_factors_as_they_say() {
    let (a, b) = ([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [1.0, 0.0, -1.0, 2.0, 0.5, 1.0]);
    let (wide, high) = (|data| Mat::new(data, 2, 3), |data| Mat::new(data, 3, 2));
    for precision in [Precision::F32, Precision::Bf16] {
        // All of these numbers are bfloat16's too.
        let mut out = [f32::NAN; 4];
        product(precision, wide(&a), high(&b), MatMut::new(&mut out, 2, 2));
        assert_eq!(out, [0.5, 7.0, 2.0, 16.0]);
        product_left_transposed(precision, high(&a), high(&b), MatMut::new(&mut out, 2, 2));
        assert_eq!(out, [0.5, 11.0, 1.0, 14.0]);
        product_right_transposed(precision, wide(&a), wide(&b), MatMut::new(&mut out, 2, 2));
        assert_eq!(out, [-2.0, 6.0, -2.0, 16.5]);
    }
}

proptest! {
    #[test]
    fn every_product_equals_the_naive_loop(m in 0usize..40, n in 0usize..40, k in 0usize..70, gap in 0usize..5) {
        check(m, n, k, gap);
    }
}

#[test]
fn every_product_equals_the_naive_loop_at_the_edges_of_its_blocks() {
    for (m, n, k) in [
        (1, 1, 1),
        (1, 1, 300),
        (300, 1, 7),
        (1, 300, 7),
        (257, 65, 513),
        (64, 17, 1100),
        (5, 1, 1100),
        (33, 129, 2),
    ] {
        for gap in [0, 3] {
            check(m, n, k, gap);
        }
    }
}

/// The products whose rows are examples.
fn by_rows(right: Mat, right_t: Mat, input: Mat, gap: usize) -> [Vec<f32>; 3] {
    let (m, n) = (input.rows(), right.cols());
    let add = |add: bool| Job {
        add,
        ..Job::default()
    };
    let cases = [
        (Factor::plain(right), add(false)),
        (Factor::plain(right), add(true)),
        (Factor::transposed(right_t), add(true)),
    ];
    cases.map(|(right, job)| {
        let mut out = vec![0.25; m * (n + gap)];
        multiply(
            Factor::plain(input),
            right,
            MatMut::strided(&mut out, m, n, n + gap),
            job,
        );
        out
    })
}

/// Rows rotated by a few, reversed, and among strangers give the same bits as where they stood first.
fn check_rows_alone_decide(m: usize, n: usize, k: usize, gap: usize) {
    let b = buffer(k, n, 0, 5);
    let b = Mat::new(&b, k, n);
    let bt = transposed(b);
    let bt = Mat::new(&bt, n, k);
    let a = buffer(m, k, gap, 6);
    let first = by_rows(b, bt, view(&a, m, k, gap), gap);
    let orders: [&dyn Fn(usize) -> usize; 3] = [&|i| (i + 1) % m, &|i| (i + m / 2) % m, &|i| m - 1 - i];
    for order in orders {
        for strangers in [false, true] {
            let mut moved = buffer(m, k, gap, 7);
            let stays = |i: usize| !strangers || i.is_multiple_of(3);
            for i in (0..m).filter(|i| stays(*i)) {
                let (from, to) = (i * (k + gap), order(i) * (k + gap));
                moved[to..][..k].copy_from_slice(&a[from..][..k]);
            }
            let second = by_rows(b, bt, view(&moved, m, k, gap), gap);
            for (which, (first, second)) in first.iter().zip(&second).enumerate() {
                for i in (0..m).filter(|i| stays(*i)) {
                    let here = &first[i * (n + gap)..][..n];
                    let there = &second[order(i) * (n + gap)..][..n];
                    let same = here.iter().zip(there).all(|(x, y)| x.to_bits() == y.to_bits());
                    assert!(
                        same,
                        "product {which} of {m}x{k}x{n}, gap {gap}: row {i} moved to {}",
                        order(i)
                    );
                }
            }
        }
    }
}

proptest! {
    #[test]
    fn a_row_s_product_does_not_depend_on_its_place_or_its_neighbours(
        m in 1usize..70, n in 1usize..40, k in 1usize..70, gap in 0usize..3,
    ) {
        check_rows_alone_decide(m, n, k, gap);
    }
}

#[test]
fn a_row_s_product_does_not_depend_on_its_place_in_large_or_thin_shapes() {
    for m in [2, 3, 5, 7, 15, 17, 31, 33, 47, 63, 65, 97, 129, 255, 256, 257] {
        for (n, k) in [
            (1, 64),
            (1, 513),
            (2, 33),
            (7, 129),
            (64, 128),
            (100, 1),
            (100, 2),
            (129, 700),
            (520, 65),
        ] {
            for gap in [0, 1] {
                check_rows_alone_decide(m, n, k, gap);
            }
        }
    }
}
