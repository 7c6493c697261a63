//! Work on a thread of its own, ahead of whoever needs what comes of it.
//!
//! In: what makes items one after the other. Out: the items in order, through a bounded channel. A panic there is an error here;
//! who no longer asks ends the thread.

use std::any::Any;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use crate::TrainError;

/// Items that a thread makes ahead.
pub(crate) struct Ahead<T> {
    name: &'static str,
    items: Option<Receiver<T>>,
    thread: Option<JoinHandle<()>>,
}

impl<T: Send + 'static> Ahead<T> {
    /// Starts `work`, which sends what it makes, and ends where nobody receives it. Up to `room` items wait beside the one that is
    /// being made.
    ///
    /// # Errors
    /// When no thread can be started.
    pub(crate) fn start(
        name: &'static str,
        room: usize,
        work: impl FnOnce(&SyncSender<T>) + Send + 'static,
    ) -> Result<Ahead<T>, TrainError> {
        let (to, items) = sync_channel(room);
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || work(&to))
            .map_err(|error| thread_error(name, &error.to_string()))?;
        Ok(Ahead {
            name,
            items: Some(items),
            thread: Some(thread),
        })
    }

    /// The items of `items`.
    ///
    /// # Errors
    /// As [`Ahead::start`].
    pub(crate) fn of(
        name: &'static str,
        room: usize,
        mut items: impl Iterator<Item = T> + Send + 'static,
    ) -> Result<Ahead<T>, TrainError> {
        Ahead::start(name, room, move |to| {
            while items.next().is_some_and(|item| to.send(item).is_ok()) {}
        })
    }

    /// Waits for the next item; `None`: there are no more.
    ///
    /// # Errors
    /// A panic of the thread.
    pub(crate) fn next(&mut self) -> Result<Option<T>, TrainError> {
        match self.items.as_ref().map(Receiver::recv) {
            Some(Ok(item)) => Ok(Some(item)),
            _ => self.end().map(|()| None),
        }
    }
}

impl<T> Ahead<T> {
    /// Waits until the thread has ended, which it does as it can no longer send.
    fn end(&mut self) -> Result<(), TrainError> {
        self.items = None;
        match self.thread.take().map(JoinHandle::join) {
            Some(Err(panic)) => Err(thread_error(self.name, words(panic.as_ref()))),
            _ => Ok(()),
        }
    }
}

impl<T> Drop for Ahead<T> {
    fn drop(&mut self) {
        // Whoever drops it wants no more of it, errors neither.
        let _ = self.end();
    }
}

fn thread_error(name: &'static str, problem: &str) -> TrainError {
    TrainError::Thread {
        name,
        problem: problem.to_owned(),
    }
}

/// What a panic said.
fn words(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("it panicked")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn items_come_in_order_and_no_more_are_made_than_there_is_room_for() {
        let made = Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let counter = made.clone();
        let numbers = (0..100).inspect(move |_| {
            counter.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        });
        let mut ahead = Ahead::of("numbers", 2, numbers).unwrap();
        for expected in 0..100 {
            let made = made.load(std::sync::atomic::Ordering::SeqCst);
            assert!(made <= expected + 3, "{made} made, {expected} asked for");
            assert_eq!(ahead.next().unwrap(), Some(expected));
        }
        assert_eq!((ahead.next().unwrap(), ahead.next().unwrap()), (None, None));
    }

    #[test]
    fn a_panic_is_an_error_after_what_came_before_it() {
        let numbers = (0..5).inspect(|number| assert!(*number < 2, "{number} is too much"));
        let mut ahead = Ahead::of("numbers", 0, numbers).unwrap();
        assert_eq!(ahead.next().unwrap(), Some(0));
        assert_eq!(ahead.next().unwrap(), Some(1));
        let error = ahead.next().unwrap_err();
        assert!(
            matches!(error, TrainError::Thread { name: "numbers", .. }),
            "{error:?}"
        );
        assert!(error.to_string().contains("2 is too much"), "{error}");
        assert!(!error.is_bad_input());
    }

    #[test]
    fn who_no_longer_asks_ends_the_thread() {
        let alive = Arc::new(());
        let held = alive.clone();
        let mut ahead = Ahead::of("numbers", 1, (0..).inspect(move |_| drop(held.clone()))).unwrap();
        assert_eq!(ahead.next().unwrap(), Some(0));
        drop(ahead);
        assert_eq!(
            Arc::strong_count(&alive),
            1,
            "the thread is gone, and what it held"
        );
    }
}
