//! Threads that share the work of a step. In: parts that do not overlap. Out: the parts, done; which thread did which changes
//! no bit, as long as a part is computed by itself.

use std::array::from_fn;
use std::mem::take;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::kernels::Crew;

for_each_path! {
    /// `sum = (a + b) + (c + d)`, all `[N]`.
    pub fn sum_of_four(sum: &mut [f32], parts: [&[f32]; 4]) {
        let [a, b, c, d] = parts;
        for ((((sum, a), b), c), d) in sum.iter_mut().zip(a).zip(b).zip(c).zip(d) {
            *sum = (a + b) + (c + d);
        }
    }
}

/// Fewest values that are worth waking a thread for.
const FEWEST_VALUES: usize = 16 * 1024;
/// Values of a cache line: parts begin on one where the whole does.
const LINE: usize = 16;
/// Most threads, and most parts of a whole.
const MOST: usize = 64;

/// Parts of a whole, each handed out once.
type Parts<P> = [Mutex<Option<P>>; MOST];

/// Some threads, pinned to a core each but for the caller's own, or the caller's alone.
#[derive(Debug, Default)]
pub struct Threads {
    crew: Option<Crew>,
}

impl Threads {
    /// The caller's thread alone.
    pub fn one() -> Threads {
        Threads::default()
    }

    /// `threads` of them, at most 64, the caller's among them. Where the system refuses threads, fewer; where it refuses to pin
    /// them, they move.
    pub fn new(threads: usize) -> Threads {
        if threads < 2 {
            return Threads::one();
        }
        let cores = core_affinity::get_core_ids().unwrap_or_default();
        let begin = move |thread: usize| {
            if let Some(core) = cores.get(thread) {
                core_affinity::set_for_current(*core);
            }
            crate::product::take_room();
        };
        Threads {
            crew: Some(Crew::new(threads.min(MOST) - 1, begin)),
        }
    }

    /// Number of threads.
    pub fn count(&self) -> usize {
        self.crew.as_ref().map_or(1, Crew::members)
    }

    /// Calls `job` with each item and its number; a thread owns as many neighbours as any other, the same ones each time.
    pub fn each<T: Send>(&self, items: &mut [T], job: impl Fn(usize, &mut T) + Sync) {
        let Some(crew) = &self.crew else {
            return items.iter_mut().enumerate().for_each(|(at, item)| job(at, item));
        };
        let (len, count) = (items.len(), crew.members());
        let mut rest = items;
        let parts: Parts<(usize, &mut [T])> = from_fn(|member| {
            let (from, to) = (
                member.min(count) * len / count,
                (member + 1).min(count) * len / count,
            );
            Mutex::new(Some((from, split(&mut rest, to - from))))
        });
        crew.share(&|member| {
            if let Some((from, items)) = part(&parts, member) {
                items
                    .iter_mut()
                    .enumerate()
                    .for_each(|(at, item)| job(from + at, item));
            }
        });
    }

    /// Calls `job` with each item and its number, of which some may be much more work than others: whoever is free takes the
    /// next.
    pub fn each_claimed<T: Send>(&self, items: &mut [T], job: impl Fn(usize, &mut T) + Sync) {
        // Units take no room.
        let mut units = vec![(); items.len()];
        self.each_pair(items, &mut units, |at, item, ()| job(at, item));
    }

    /// Calls `job` with the number and the items of each place of two slices of one length; as [`Threads::each_claimed`].
    pub fn each_pair<A: Send, B: Send>(
        &self,
        a: &mut [A],
        b: &mut [B],
        job: impl Fn(usize, &mut A, &mut B) + Sync,
    ) {
        assert_eq!(a.len(), b.len(), "items of both slices");
        let run = |from: usize, a: &mut [A], b: &mut [B]| {
            for (at, (a, b)) in a.iter_mut().zip(b).enumerate() {
                job(from + at, a, b);
            }
        };
        let Some(crew) = &self.crew else {
            return run(0, a, b);
        };
        let len = a.len();
        let (mut rest_a, mut rest_b) = (a, b);
        let parts: Parts<(usize, &mut [A], &mut [B])> = from_fn(|at| {
            let (from, to) = (at * len / MOST, (at + 1) * len / MOST);
            let (a, b) = (split(&mut rest_a, to - from), split(&mut rest_b, to - from));
            Mutex::new((to > from).then_some((from, a, b)))
        });
        let next = AtomicUsize::new(0);
        crew.share(&|_| {
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                if at >= MOST {
                    break;
                }
                if let Some((from, a, b)) = part(&parts, at) {
                    run(from, a, b);
                }
            }
        });
    }

    /// Calls `job` with parts of `values`, each of whole runs of `run` values, and the number of its first run.
    pub fn runs<T: Send>(&self, values: &mut [T], run: usize, job: impl Fn(usize, &mut [T]) + Sync) {
        let Some(crew) = self.crew.as_ref().filter(|_| values.len() >= FEWEST_VALUES) else {
            return job(0, values);
        };
        let run = run.max(1);
        let (runs, count) = (values.len() / run, crew.members());
        let mut rest = values;
        let parts: Parts<(usize, &mut [T])> = from_fn(|member| {
            let [from, to] = [member, member + 1].map(|member| member.min(count) * runs / count);
            Mutex::new((to > from).then(|| (from, split(&mut rest, (to - from) * run))))
        });
        crew.share(&|member| {
            if let Some((first, some)) = part(&parts, member) {
                job(first, some);
            }
        });
    }

    /// Calls `job` with the start of each part of `values`, and the part.
    pub fn chunks(&self, values: &mut [f32], job: impl Fn(usize, &mut [f32]) + Sync) {
        self.chunks_of_three([values, &mut [], &mut []], |from, [values, _, _]| {
            job(from, values)
        });
    }

    /// Calls `job` with the parts of three slices, of one length or empty after the first, and where they start.
    pub fn chunks_of_three(&self, slices: [&mut [f32]; 3], job: impl Fn(usize, [&mut [f32]; 3]) + Sync) {
        let len = slices[0].len();
        let Some(crew) = self.crew.as_ref().filter(|_| len >= FEWEST_VALUES) else {
            return job(0, slices);
        };
        let size = len.div_ceil(crew.members()).next_multiple_of(LINE);
        let mut rest = slices;
        let parts: Parts<(usize, [&mut [f32]; 3])> = from_fn(|member| {
            let part = rest.each_mut().map(|rest| {
                let size = size.min(rest.len());
                split(rest, size)
            });
            Mutex::new((!part[0].is_empty()).then_some((member * size, part)))
        });
        crew.share(&|member| {
            if let Some((from, part)) = part(&parts, member) {
                job(from, part);
            }
        });
    }
}

/// Takes the first `len` items of `rest`.
fn split<'a, T>(rest: &mut &'a mut [T], len: usize) -> &'a mut [T] {
    let (part, tail) = take(rest).split_at_mut(len);
    *rest = tail;
    part
}

fn part<P>(parts: &Parts<P>, at: usize) -> Option<P> {
    parts[at].lock().unwrap_or_else(PoisonError::into_inner).take()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_is_done_once_whatever_the_number_of_threads() {
        for threads in [1, 2, 5] {
            let pool = Threads::new(threads);
            assert_eq!(pool.count(), threads);
            for len in [0, 1, 4, 37, 300] {
                let mut items = vec![0; len];
                pool.each(&mut items, |at, item| *item += at);
                assert!(items.iter().enumerate().all(|(at, item)| at == *item));
                let mut others = vec![1; len];
                pool.each_pair(&mut items, &mut others, |at, a, b| *b += *a + at);
                assert!(others.iter().enumerate().all(|(at, other)| 2 * at + 1 == *other));
            }
            for len in [0, 100, FEWEST_VALUES, 5 * FEWEST_VALUES / 2 + 3] {
                let mut values = vec![1.0; len];
                pool.chunks(&mut values, |from, chunk| {
                    for (at, value) in chunk.iter_mut().enumerate() {
                        *value += (from + at) as f32;
                    }
                });
                assert!((values.iter().enumerate()).all(|(at, value)| at as f32 + 1.0 == *value));
                let (mut a, mut b) = (values.clone(), values.clone());
                pool.chunks_of_three([&mut values, &mut a, &mut b], |from, [x, a, b]| {
                    for (at, ((x, a), b)) in x.iter_mut().zip(a).zip(b).enumerate() {
                        *x += *a + *b - 3.0 * (from + at) as f32;
                    }
                });
                assert!(values.iter().all(|value| *value == 3.0));
            }
        }
    }

    #[test]
    fn a_step_may_share_out_work_within_work() {
        let pool = Threads::new(3);
        let mut rows = vec![vec![0; 10]; 4];
        pool.each(&mut rows, |row, items| {
            pool.each(items, |at, item| *item = row * 10 + at)
        });
        let all: Vec<usize> = rows.concat();
        assert!(all.iter().enumerate().all(|(at, item)| at == *item));
    }
}
