//! Threads that share the work of a step. In: parts that do not overlap. Out: the parts, done; which thread did which changes
//! no bit, as long as a part is computed by itself.

use rayon::prelude::*;

/// Values that one task updates at a time.
const CHUNK: usize = 16 * 1024;

/// Some threads, pinned to a core each, or the caller's own.
#[derive(Debug, Default)]
pub struct Threads {
    pool: Option<rayon::ThreadPool>,
}

impl Threads {
    /// The caller's thread alone.
    pub fn one() -> Threads {
        Threads::default()
    }

    /// `threads` of them. Where the system refuses threads, the caller's own; where it refuses to pin them, they move.
    pub fn new(threads: usize) -> Threads {
        if threads < 2 {
            return Threads::one();
        }
        let cores = core_affinity::get_core_ids().unwrap_or_default();
        let pin = move |thread: usize| {
            if let Some(core) = cores.get(thread) {
                core_affinity::set_for_current(*core);
            }
        };
        let named = rayon::ThreadPoolBuilder::new().thread_name(|thread| format!("step {thread}"));
        Threads {
            pool: named.num_threads(threads).start_handler(pin).build().ok(),
        }
    }

    /// Number of threads.
    pub fn count(&self) -> usize {
        self.pool
            .as_ref()
            .map_or(1, rayon::ThreadPool::current_num_threads)
    }

    /// Runs `job` on one of the threads: what it shares out then begins without a change of threads.
    pub fn run<R: Send>(&self, job: impl FnOnce() -> R + Send) -> R {
        match &self.pool {
            None => job(),
            Some(threads) => threads.install(job),
        }
    }

    /// Calls `job` with each item and its number.
    pub fn each<T: Send>(&self, items: &mut [T], job: impl Fn(usize, &mut T) + Send + Sync) {
        match &self.pool {
            None => items.iter_mut().enumerate().for_each(|(at, item)| job(at, item)),
            Some(threads) => threads.install(|| {
                let items = items.par_iter_mut().with_max_len(1).enumerate();
                items.for_each(|(at, item)| job(at, item));
            }),
        }
    }

    /// Calls `job` with each pair of items that stand at the same place of two slices.
    pub fn each_pair<A: Send, B: Send>(
        &self,
        a: &mut [A],
        b: &mut [B],
        job: impl Fn(&mut A, &mut B) + Send + Sync,
    ) {
        match &self.pool {
            None => a.iter_mut().zip(b).for_each(|(a, b)| job(a, b)),
            Some(threads) => threads.install(|| {
                let pairs = a.par_iter_mut().zip(b).with_max_len(1);
                pairs.for_each(|(a, b)| job(a, b));
            }),
        }
    }

    /// Calls both jobs.
    pub fn both(&self, first: impl FnOnce() + Send, second: impl FnOnce() + Send) {
        match &self.pool {
            None => {
                first();
                second();
            }
            Some(threads) => {
                threads.join(first, second);
            }
        }
    }

    /// Calls `job` with the start of each chunk of `values`, and the chunk.
    pub fn chunks(&self, values: &mut [f32], job: impl Fn(usize, &mut [f32]) + Send + Sync) {
        match &self.pool {
            Some(threads) if values.len() > CHUNK => threads.install(|| {
                let chunks = values.par_chunks_mut(CHUNK).enumerate();
                chunks.for_each(|(at, chunk)| job(at * CHUNK, chunk));
            }),
            _ => job(0, values),
        }
    }

    /// Calls `job` with the chunks of three slices of one length, and where they start.
    pub fn chunks_of_three(
        &self,
        [a, b, c]: [&mut [f32]; 3],
        job: impl Fn(usize, [&mut [f32]; 3]) + Send + Sync,
    ) {
        match &self.pool {
            Some(threads) if a.len() > CHUNK => threads.install(|| {
                let chunks = a
                    .par_chunks_mut(CHUNK)
                    .zip(b.par_chunks_mut(CHUNK))
                    .zip(c.par_chunks_mut(CHUNK));
                chunks
                    .enumerate()
                    .for_each(|(at, ((a, b), c))| job(at * CHUNK, [a, b, c]));
            }),
            _ => job(0, [a, b, c]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_is_done_once_whatever_the_number_of_threads() {
        for threads in [1, 2, 5] {
            let pool = Threads::new(threads);
            assert_eq!(pool.count(), threads);
            let mut items = vec![0; 37];
            pool.run(|| pool.each(&mut items, |at, item| *item += at));
            assert!(items.iter().enumerate().all(|(at, item)| at == *item));
            let mut values = vec![1.0; 5 * CHUNK / 2];
            pool.chunks(&mut values, |from, chunk| {
                for (at, value) in chunk.iter_mut().enumerate() {
                    *value += (from + at) as f32;
                }
            });
            assert!(
                values
                    .iter()
                    .enumerate()
                    .all(|(at, value)| at as f32 + 1.0 == *value)
            );
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
