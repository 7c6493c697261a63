//! What training is fed with: the windows of the training part that are shuffled, decoded and encoded ahead on threads of their own.
//!
//! In: a [`Part`] and an encoder. Out, pass after pass: encoded windows in the order of the log, the same each time. Between passes
//! they are kept in memory where all of them fit `[train] cache`.

use std::sync::Arc;
use std::sync::mpsc::{SyncSender, TrySendError};

use events::{EventsError, Examples};
use model::{Encoded, Encoder};

use crate::ahead::Ahead;
use crate::{Part, Progress, TrainError};

/// Decoded batches that may wait.
pub(crate) const BATCHES: usize = 2;

/// The windows of a part, for as many passes as are asked for.
pub(super) struct Feed {
    part: Part,
    encoder: Arc<Encoder>,
    /// Examples that fill a window.
    window: usize,
    cache: Cache,
}

/// Where a pass begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub(super) struct Start {
    /// Its first window, from 0.
    pub(super) window: u64,
    /// The log's row that this window begins with; of no account for the first window.
    pub(super) row: u64,
}

/// One pass.
pub(super) struct Pass<'f> {
    feed: &'f mut Feed,
    from: Start,
    /// The next window, from 0.
    next: u64,
    /// Where windows are not in the cache.
    source: Option<Source>,
}

type Source = Ahead<Result<Fed, TrainError>>;

/// What the feeding thread says.
enum Fed {
    /// It fills a window: time to see whether training is to stop.
    Filling,
    Window(Arc<Encoded>),
}

impl Feed {
    pub(super) fn new(part: &Part, encoder: &Encoder) -> Feed {
        let train = &encoder.spec().train;
        Feed {
            part: part.clone(),
            encoder: Arc::new(encoder.clone()),
            window: train.shuffle_window,
            cache: Cache::new(if train.epochs > 1 { train.cache } else { 0 }, part.len()),
        }
    }

    /// Begins a pass.
    pub(super) fn pass(&mut self, from: Start) -> Result<Pass<'_>, TrainError> {
        let mut pass = Pass {
            next: from.window,
            from,
            source: None,
            feed: self,
        };
        if !pass.feed.cache.is_whole() {
            pass.feed.cache.begin();
            if pass.feed.cache.keeps() {
                pass.next = 0;
            }
            pass.read()?;
        }
        Ok(pass)
    }
}

impl Pass<'_> {
    /// Starts reading at the window `next`.
    fn read(&mut self) -> Result<(), TrainError> {
        let part = &self.feed.part;
        let row = if self.next == 0 {
            part.first_row()
        } else {
            self.from.row
        };
        let examples = Ahead::of("decode", BATCHES, part.read_from(row))?;
        let (encoder, window) = (self.feed.encoder.clone(), self.feed.window);
        let left = part.len().saturating_sub(row.saturating_sub(part.first_row()));
        let work = move |to: &SyncSender<_>| {
            if let Err(error) = gather(examples, &encoder, window, left, to) {
                // Who receives no more has ended already.
                let _ = to.send(Err(error));
            }
        };
        self.source = Some(Ahead::start("encode", 0, work)?);
        Ok(())
    }

    /// Examples before the window that it begins with.
    pub(super) fn before(&self) -> u64 {
        match self.from.window {
            0 => 0,
            _ => self.from.row.saturating_sub(self.feed.part.first_row()),
        }
    }

    /// The next window; `None`: the pass is over. The one before must be dropped by now: at most two exist, this one and the one
    /// that is being filled.
    ///
    /// # Errors
    /// A file that cannot be read; [`TrainError::Stopped`].
    pub(super) fn next(&mut self, progress: &dyn Progress) -> Result<Option<Arc<Encoded>>, TrainError> {
        if self.source.is_none() {
            let window = self.feed.cache.windows.get(self.next as usize).cloned();
            self.next += 1;
            return Ok(window);
        }
        loop {
            if self.next < self.from.window && !self.feed.cache.keeps() {
                // No more reason to read what was learned from already.
                self.source = None;
                self.next = self.from.window;
                self.read()?;
            }
            let Some(window) = self.receive(progress)? else {
                return Ok(None);
            };
            self.feed.cache.offer(&window);
            self.next += 1;
            if self.next > self.from.window {
                return Ok(Some(window));
            }
        }
    }

    fn receive(&mut self, progress: &dyn Progress) -> Result<Option<Arc<Encoded>>, TrainError> {
        while let Some(source) = &mut self.source {
            if progress.stopped() {
                return Err(TrainError::Stopped);
            }
            match source.next()?.transpose()? {
                Some(Fed::Filling) => {}
                Some(Fed::Window(window)) => return Ok(Some(window)),
                None => break,
            }
        }
        Ok(None)
    }
}

/// Encodes `left` examples and sends windows: each ends with the batch that fills it.
fn gather(
    mut examples: Ahead<Result<Examples, EventsError>>,
    encoder: &Encoder,
    size: usize,
    mut left: u64,
    to: &SyncSender<Result<Fed, TrainError>>,
) -> Result<(), TrainError> {
    let mut window = Encoded::default();
    while let Some(batch) = examples.next()? {
        let batch = encoder.encode(&batch?);
        if batch.len == 0 {
            continue;
        }
        if window.len == 0 {
            let rows = size.div_ceil(batch.len) * batch.len;
            window.reserve_like(
                &batch,
                rows.min(usize::try_from(left).unwrap_or(rows)).max(batch.len),
            );
        }
        window.append(&batch);
        left = left.saturating_sub(batch.len as u64);
        let sent = if window.len >= size {
            to.send(Ok(Fed::Window(Arc::new(std::mem::take(&mut window)))))
                .is_ok()
        } else {
            // Heard where it is waited for.
            !matches!(to.try_send(Ok(Fed::Filling)), Err(TrySendError::Disconnected(_)))
        };
        if !sent {
            return Ok(());
        }
    }
    if window.len > 0 {
        let _ = to.send(Ok(Fed::Window(Arc::new(window))));
    }
    Ok(())
}

/// All windows of the part, or none.
struct Cache {
    budget: u64,
    /// Examples of the part.
    rows: u64,
    windows: Vec<Arc<Encoded>>,
    /// Of the windows, with their bytes.
    kept: u64,
    bytes: u64,
    /// The part does not fit.
    too_large: bool,
}

impl Cache {
    fn new(budget: u64, rows: u64) -> Cache {
        Cache {
            budget,
            rows,
            windows: Vec::new(),
            kept: 0,
            bytes: 0,
            too_large: budget == 0,
        }
    }

    /// A pass begins that reads from the files.
    fn begin(&mut self) {
        self.windows.clear();
        (self.kept, self.bytes) = (0, 0);
    }

    fn keeps(&self) -> bool {
        !self.too_large
    }

    fn is_whole(&self) -> bool {
        self.keeps() && self.kept == self.rows
    }

    /// Keeps the next window, unless all of them, if the others are as large, do not fit.
    fn offer(&mut self, window: &Arc<Encoded>) {
        if self.too_large {
            return;
        }
        self.kept += window.len as u64;
        self.bytes += window.bytes();
        let all = u128::from(self.bytes) * u128::from(self.rows) / u128::from(self.kept.max(1));
        if all > u128::from(self.budget) {
            self.too_large = true;
            self.begin();
        } else {
            self.windows.push(window.clone());
        }
    }
}

#[cfg(test)]
mod tests;
