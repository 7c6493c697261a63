//! A crew of threads that wait for work. In: a task that borrows what it likes. Out: the task, called once for each member.
//!
//! Between two tasks that follow each other closely members spin, for some ten microseconds; then they sleep. Nothing is
//! allocated after the crew has been called together.
#![allow(unsafe_code)]

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, TryLockError};
use std::thread::{JoinHandle, available_parallelism};

/// What a member calls with its number.
type Task<'a> = dyn Fn(usize) + Sync + 'a;

/// How often a member looks for the next task before it sleeps.
const SPINS: u32 = 3000;

/// The caller of a task, member 0, and threads that wait for it.
#[derive(Debug)]
pub(crate) struct Crew {
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<()>>,
    /// Held by who shares out a task.
    turn: Mutex<()>,
}

#[derive(Debug)]
struct Shared {
    order: Mutex<Order>,
    begin: Condvar,
    /// The order's round, to look at without its lock.
    round: AtomicU64,
    /// Workers that have not ended their call of the current task.
    working: AtomicUsize,
    ended: Mutex<()>,
    end: Condvar,
    /// Whether a worker's call has panicked.
    failed: AtomicBool,
    spins: u32,
}

struct Order {
    /// Tasks so far.
    round: u64,
    task: Option<&'static Task<'static>>,
    /// Whether there is no more to come.
    over: bool,
}

impl std::fmt::Debug for Order {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Order").field("round", &self.round).finish()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Crew {
    /// The caller and `workers` threads, each of which calls `begin` with its number, from 1, first. Fewer where the system
    /// refuses more.
    pub(crate) fn new(workers: usize, begin: impl Fn(usize) + Send + Clone + 'static) -> Crew {
        let cores = available_parallelism().map_or(1, usize::from);
        let shared = Arc::new(Shared {
            order: Mutex::new(Order {
                round: 0,
                task: None,
                over: false,
            }),
            begin: Condvar::new(),
            round: AtomicU64::new(0),
            working: AtomicUsize::new(0),
            ended: Mutex::new(()),
            end: Condvar::new(),
            failed: AtomicBool::new(false),
            // With more members than cores whoever spins keeps another from working.
            spins: if workers < cores { SPINS } else { 0 },
        });
        let spawn = |member: usize| {
            let (shared, begin) = (shared.clone(), begin.clone());
            let named = std::thread::Builder::new().name(format!("step {member}"));
            named.spawn(move || {
                begin(member);
                shared.work(member);
            })
        };
        let workers = (1..=workers).map_while(|member| spawn(member).ok()).collect();
        Crew {
            shared,
            workers,
            turn: Mutex::new(()),
        }
    }

    /// The caller and the workers.
    pub(crate) fn members(&self) -> usize {
        1 + self.workers.len()
    }

    /// Calls `task` with the number of each member, on its thread, and returns when all have ended. Within a task, or while
    /// another thread shares one out, the caller calls it for all. Panics where a call has panicked.
    pub(crate) fn share(&self, task: &Task<'_>) {
        let _turn = match self.turn.try_lock() {
            Ok(turn) => turn,
            // A task of the caller's panicked: what it guards has no state.
            Err(TryLockError::Poisoned(turn)) => turn.into_inner(),
            Err(TryLockError::WouldBlock) => return (0..self.members()).for_each(task),
        };
        // SAFETY: only the lifetime changes. `Waiting`, also when `task` panics below, lets nothing go on before every worker
        // has ended its call, and takes the order back, so no use of the reference outlives `task`.
        let lent = unsafe { std::mem::transmute::<&Task<'_>, &'static Task<'static>>(task) };
        let shared = &*self.shared;
        shared.working.store(self.workers.len(), Ordering::Relaxed);
        {
            let mut order = lock(&shared.order);
            order.task = Some(lent);
            order.round += 1;
            shared.round.store(order.round, Ordering::Release);
        }
        shared.begin.notify_all();
        let waiting = Waiting(shared);
        task(0);
        drop(waiting);
        if shared.failed.swap(false, Ordering::Relaxed) {
            resume_unwind(Box::new("a thread that shares a step panicked"));
        }
    }
}

/// Waits, when it is dropped, until every worker has ended its call.
struct Waiting<'a>(&'a Shared);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let shared = self.0;
        let done = || shared.working.load(Ordering::Acquire) == 0;
        if !shared.spin_until(done) {
            let mut ended = lock(&shared.ended);
            while !done() {
                ended = shared.end.wait(ended).unwrap_or_else(PoisonError::into_inner);
            }
        }
        lock(&shared.order).task = None;
    }
}

impl Shared {
    fn spin_until(&self, done: impl Fn() -> bool) -> bool {
        (0..self.spins).any(|_| {
            std::hint::spin_loop();
            done()
        })
    }

    /// A worker's life.
    fn work(&self, member: usize) {
        let mut seen = 0;
        while let Some((round, task)) = self.next(seen) {
            seen = round;
            if let Some(task) = task
                && catch_unwind(AssertUnwindSafe(|| task(member))).is_err()
            {
                self.failed.store(true, Ordering::Relaxed);
            }
            if self.working.fetch_sub(1, Ordering::AcqRel) == 1 {
                let _ended = lock(&self.ended);
                self.end.notify_one();
            }
        }
    }

    /// The task after round `seen`; `None` when there is no more.
    fn next(&self, seen: u64) -> Option<(u64, Option<&'static Task<'static>>)> {
        self.spin_until(|| self.round.load(Ordering::Acquire) != seen);
        let mut order = lock(&self.order);
        while !order.over && order.round == seen {
            order = self.begin.wait(order).unwrap_or_else(PoisonError::into_inner);
        }
        (!order.over).then_some((order.round, order.task))
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        lock(&self.shared.order).over = true;
        self.shared.begin.notify_all();
        for worker in self.workers.drain(..) {
            // Its panics were caught and told.
            drop(worker.join());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crew(workers: usize) -> Crew {
        Crew::new(workers, |_| ())
    }

    #[test]
    fn every_member_is_called_once_a_task_with_what_the_task_borrows() {
        for workers in [0, 1, 3, 7] {
            let crew = crew(workers);
            assert_eq!(crew.members(), workers + 1);
            for round in 0..500 {
                let calls: Vec<AtomicUsize> = (0..=workers).map(|_| AtomicUsize::new(round)).collect();
                crew.share(&|member| {
                    calls[member].fetch_add(1, Ordering::Relaxed);
                });
                assert!(
                    calls
                        .iter()
                        .all(|calls| calls.load(Ordering::Relaxed) == round + 1)
                );
            }
        }
    }

    #[test]
    fn a_task_within_a_task_is_done_by_its_caller() {
        let crew = crew(3);
        let calls = AtomicUsize::new(0);
        crew.share(&|_| {
            crew.share(&|_| {
                calls.fetch_add(1, Ordering::Relaxed);
            });
        });
        assert_eq!(calls.into_inner(), 16);
    }

    #[test]
    fn a_panic_of_any_member_reaches_the_caller_after_all_have_ended_and_the_crew_works_on() {
        let crew = crew(3);
        for guilty in 0..4 {
            let ended = AtomicUsize::new(0);
            let shared = catch_unwind(AssertUnwindSafe(|| {
                crew.share(&|member| {
                    if member == guilty {
                        resume_unwind(Box::new("told"));
                    }
                    ended.fetch_add(1, Ordering::Relaxed);
                });
            }));
            assert!(shared.is_err());
            assert_eq!(ended.into_inner(), 3);
        }
        let calls = AtomicUsize::new(0);
        crew.share(&|_| {
            calls.fetch_add(1, Ordering::Relaxed);
        });
        assert_eq!(calls.into_inner(), 4);
    }
}
