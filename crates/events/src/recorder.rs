//! The recorder: the one writer of the log. In: slates, feedback and ticks of the clock, from any thread. Out: a
//! [`Receipt`] for each, which answers once its command is durable.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;

use crate::derived::Rates;
use crate::store::log_dir;
use crate::store::writer::{Applied, Arrived, Command, Writer, Written};
use crate::{Candidate, Clock, Derived, EventsError, Feedback, RateRule, Replay, RoleLock, Slate, Store};

/// Most commands of one transaction.
const GROUP: usize = 512;

/// How a recorder works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecorderOptions {
    /// Milliseconds between closing marks, from 1.
    pub mark_every_ms: i64,
    /// Commands that may wait; beyond them, whoever brings one waits too.
    pub queue: usize,
}

/// What became of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct Recorded {
    /// How many were new, and are stored.
    pub stored: usize,
    /// How many have an id that is in the log already; they change nothing.
    pub duplicates: usize,
    /// How many of the stored are feedback of a slate that is not in the log: kept, never joined.
    pub orphans: usize,
    /// The log's last sequence after the command.
    pub last_seq: u64,
}

type Answer = Result<Recorded, EventsError>;

/// What a command will be answered. Dropping it takes nothing back.
#[derive(Debug)]
pub struct Receipt(Receiver<Answer>);

impl Receipt {
    /// Waits until the command is durable; blocks the thread.
    ///
    /// # Errors
    /// Where the disk refused: then nothing of the command is in the log. [`EventsError::Stopped`] where the recorder
    /// ended before it could say.
    pub fn wait(self) -> Result<Recorded, EventsError> {
        self.0.recv().unwrap_or(Err(EventsError::Stopped))
    }
}

/// The log's writer. Dropping it finishes what is queued, as [`Recorder::close`] does.
#[derive(Debug)]
pub struct Recorder {
    queue: Option<SyncSender<(Command, SyncSender<Answer>)>>,
    thread: Option<JoinHandle<()>>,
    derived: Arc<RwLock<Derived>>,
    /// Rates are added in turns.
    deriving: Mutex<()>,
    failure: Arc<Mutex<Option<EventsError>>>,
    store: Store,
}

impl Recorder {
    /// Opens the log in `dir`, takes the role `recorder` there, and rebuilds the histories from the retained feedback; rates
    /// are asked for by [`Recorder::derive_rates`]. An event clock goes on from the log's last mark.
    ///
    /// # Errors
    /// [`EventsError::Locked`] where another recorder is at work; errors of the disk.
    pub fn open(
        dir: &Path,
        options: RecorderOptions,
        clock: Arc<dyn Clock>,
    ) -> Result<Recorder, EventsError> {
        let lock = RoleLock::take(dir, "recorder")?;
        let writer = Writer::open(&log_dir(dir), options.mark_every_ms)?;
        let mut derived = Derived::default();
        writer.replay_feedback(|seq, user, feedback| derived.apply(seq, user, feedback))?;
        derived.come_to(writer.last_seq());
        let derived = Arc::new(RwLock::new(derived));
        if let Some(mark) = writer.last_mark() {
            clock.observe(mark);
        }
        let failure = Arc::default();
        let (queue, commands) = sync_channel(options.queue.max(1));
        let desk = Desk {
            last_time: writer.last_mark().unwrap_or(i64::MIN),
            writer,
            clock,
            derived: Arc::clone(&derived),
            failure: Arc::clone(&failure),
            _lock: lock,
        };
        let thread = std::thread::Builder::new()
            .name("recorder".to_owned())
            .spawn(move || desk.run(&commands))
            .map_err(EventsError::io(dir))?;
        Ok(Recorder {
            queue: Some(queue),
            thread: Some(thread),
            derived,
            deriving: Mutex::default(),
            failure,
            store: Store::open(dir)?,
        })
    }

    /// Lets the derived values hold `rates` too from here on, and for as long as this recorder is open: their past is read
    /// from the log, as far back as it counts. Returns at once where they are held already.
    ///
    /// # Errors
    /// Where the log cannot be read; then nothing changes.
    pub fn derive_rates(&self, rates: &[RateRule]) -> Result<(), EventsError> {
        let _one = self.deriving.lock().unwrap_or_else(PoisonError::into_inner);
        let now = || self.derived.read().unwrap_or_else(PoisonError::into_inner);
        let Some(mut rates) = now().with_rates(rates) else {
            return Ok(());
        };
        let dir = self.store.dir();
        let mut next = Replay::start_of(dir, rates.reach_ms())?;
        // What came while the log was read is read before the recorder and those who rank have to wait for the rest.
        for _ in 0..2 {
            let seen = now().seen();
            next = catch_up(&mut rates, dir, next, seen)?;
        }
        let mut derived = self.derived.write().unwrap_or_else(PoisonError::into_inner);
        catch_up(&mut rates, dir, next, derived.seen())?;
        derived.set_rates(rates);
        Ok(())
    }

    /// Records a slate.
    ///
    /// # Errors
    /// [`EventsError::Slate`] for a position of 0, an item shown twice or a number that is not finite.
    pub fn record_slate(&self, slate: Slate) -> Result<Receipt, EventsError> {
        self.record_slates(vec![slate])
    }

    /// Records slates, all of them or none.
    ///
    /// # Errors
    /// As [`Recorder::record_slate`], of the first bad one.
    pub fn record_slates(&self, slates: Vec<Slate>) -> Result<Receipt, EventsError> {
        slates.iter().try_for_each(check_slate)?;
        self.send(Command::Slates(slates))
    }

    /// As [`Recorder::record_slate`], but never waits for room in the queue.
    ///
    /// # Errors
    /// Its own, and [`EventsError::Behind`] where the queue is full.
    pub fn try_record_slate(&self, slate: Slate) -> Result<Receipt, EventsError> {
        check_slate(&slate)?;
        let (answer, receipt) = sync_channel(1);
        let queue = self.queue.as_ref().ok_or(EventsError::Stopped)?;
        queue
            .try_send((Command::Slates(vec![slate]), answer))
            .map_err(|error| match error {
                TrySendError::Full(_) => EventsError::Behind,
                TrySendError::Disconnected(_) => EventsError::Stopped,
            })?;
        Ok(Receipt(receipt))
    }

    /// Records feedback, all of it or nothing.
    ///
    /// # Errors
    /// [`EventsError::Feedback`] for a value that is not finite.
    pub fn record_feedback(&self, feedback: Vec<Feedback>) -> Result<Receipt, EventsError> {
        if let Some(bad) = feedback
            .iter()
            .find(|feedback| feedback.value.is_some_and(|value| !value.is_finite()))
        {
            let problem = format!(
                "found the value {}, expected a finite number",
                bad.value.unwrap_or_default()
            );
            return Err(EventsError::Feedback {
                feedback: bad.id.clone(),
                problem,
            });
        }
        self.send(Command::Feedback(feedback))
    }

    /// Logs the closing mark that is due by the clock, if one is.
    ///
    /// # Errors
    /// [`EventsError::Stopped`].
    pub fn tick(&self) -> Result<Receipt, EventsError> {
        self.send(Command::Tick(None))
    }

    /// Moves an event clock on to `time_ms`, behind all that is queued, and logs the closing mark that is due then.
    ///
    /// # Errors
    /// [`EventsError::Stopped`].
    pub fn advance(&self, time_ms: i64) -> Result<Receipt, EventsError> {
        self.send(Command::Tick(Some(time_ms)))
    }

    /// The derived values, as of the last commit.
    pub fn derived(&self) -> Arc<RwLock<Derived>> {
        Arc::clone(&self.derived)
    }

    /// The committed slate `id`.
    ///
    /// # Errors
    /// Where the log cannot be read.
    pub fn slate(&self, id: &str) -> Result<Option<Slate>, EventsError> {
        self.store.slate(id)
    }

    /// Why the newest commands could not be written; `None` once something was again.
    pub fn failure(&self) -> Option<EventsError> {
        if self.thread.as_ref().is_none_or(JoinHandle::is_finished) {
            return Some(EventsError::Stopped);
        }
        self.failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Finishes what is queued, and lets go of the role.
    pub fn close(self) {}

    fn send(&self, command: Command) -> Result<Receipt, EventsError> {
        let (answer, receipt) = sync_channel(1);
        let queue = self.queue.as_ref().ok_or(EventsError::Stopped)?;
        queue.send((command, answer)).map_err(|_| EventsError::Stopped)?;
        Ok(Receipt(receipt))
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            // A panic of the thread has been reported by itself; there is nothing to finish after it.
            let _ = thread.join();
        }
    }
}

/// What the recorder's thread works with.
struct Desk {
    writer: Writer,
    clock: Arc<dyn Clock>,
    derived: Arc<RwLock<Derived>>,
    failure: Arc<Mutex<Option<EventsError>>>,
    /// Arrival of the last command: arrivals never go back.
    last_time: i64,
    _lock: RoleLock,
}

impl Desk {
    fn run(mut self, commands: &Receiver<(Command, SyncSender<Answer>)>) {
        while let Ok(first) = commands.recv() {
            let waiting = std::iter::once(first).chain(commands.try_iter()).take(GROUP);
            let mut day = String::new();
            let (mut group, mut answers) = (Vec::new(), Vec::new());
            for (command, answer) in waiting {
                let time = self.arrival(&command);
                let its_day = self.writer.day_of(time);
                if its_day != day && !group.is_empty() {
                    self.write(&day, std::mem::take(&mut group), std::mem::take(&mut answers));
                }
                day = its_day;
                group.push(Arrived { time, command });
                answers.push(answer);
            }
            self.write(&day, group, answers);
        }
    }

    fn arrival(&mut self, command: &Command) -> i64 {
        match command {
            Command::Slates(slates) => slates.iter().for_each(|slate| self.clock.observe(slate.time)),
            Command::Feedback(feedback) => feedback
                .iter()
                .for_each(|feedback| self.clock.observe(feedback.time)),
            Command::Tick(time) => time.iter().for_each(|time| self.clock.observe(*time)),
        }
        self.last_time = self.last_time.max(self.clock.now_ms());
        self.last_time
    }

    /// Keeps a failure until something is written again: an empty transaction proves nothing about the disk.
    fn note(&self, outcome: &Result<Written<'_>, EventsError>, before: u64) {
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        match outcome {
            Err(error) => *failure = Some(error.clone()),
            Ok(_) if self.writer.last_seq() > before => *failure = None,
            Ok(_) => {}
        }
    }

    /// Commits, then shows what is new to the derived values, then answers.
    fn write(&mut self, day: &str, group: Vec<Arrived>, answers: Vec<SyncSender<Answer>>) {
        let before = self.writer.last_seq();
        let outcome = self.writer.write(day, &group);
        self.note(&outcome, before);
        if let Ok(Written { applied, .. }) = &outcome {
            let mut derived = self.derived.write().unwrap_or_else(PoisonError::into_inner);
            for (seq, applied) in applied {
                match applied {
                    Applied::Slate(slate) => derived.apply_slate(*seq, slate),
                    Applied::Feedback { user, feedback } => derived.apply(*seq, user, feedback),
                }
            }
        }
        for (at, answer) in answers.into_iter().enumerate() {
            // Whoever dropped the receipt does not want to know.
            let _ = answer.send(
                outcome
                    .as_ref()
                    .map(|written| written.recorded[at])
                    .map_err(EventsError::clone),
            );
        }
    }
}

/// Shows the log from `next` to `seen` to `rates`; what comes next then.
fn catch_up(rates: &mut Rates, dir: &Path, next: u64, seen: u64) -> Result<u64, EventsError> {
    for event in Replay::open(dir, next, Some(seen))? {
        rates.apply_event(&event?);
    }
    Ok(next.max(seen + 1))
}

fn check_slate(slate: &Slate) -> Result<(), EventsError> {
    slate_problem(slate).map_err(|problem| EventsError::Slate {
        slate: slate.id.clone(),
        problem,
    })
}

fn slate_problem(slate: &Slate) -> Result<(), String> {
    let finite = |fields: &crate::Fields| match fields.iter().find(|(_, value)| !value.is_finite()) {
        Some((name, _)) => Err(format!("field `{name}` holds a number that is not finite")),
        None => Ok(()),
    };
    finite(&slate.shared)?;
    let mut items = BTreeSet::new();
    for impression in &slate.impressions {
        let item = &impression.item;
        let within = |problem: String| format!("item `{item}`: {problem}");
        finite(&impression.fields).map_err(within)?;
        if impression.position == 0 {
            return Err(within("found position 0, expected positions from 1".to_owned()));
        }
        if !items.insert(item) {
            return Err(within("it is shown twice".to_owned()));
        }
        let numbers = impression
            .predictions
            .iter()
            .map(|prediction| f64::from(*prediction));
        if numbers
            .chain(impression.propensity)
            .any(|number| !number.is_finite())
        {
            return Err(within("a prediction or propensity is not finite".to_owned()));
        }
    }
    let mut candidates = BTreeSet::new();
    for Candidate {
        item,
        fields,
        predictions,
    } in slate.candidates.iter().flatten()
    {
        let within = |problem: String| format!("candidate `{item}`: {problem}");
        finite(fields).map_err(within)?;
        if !candidates.insert(item) {
            return Err(within("it is named twice".to_owned()));
        }
        if predictions.iter().any(|prediction| !prediction.is_finite()) {
            return Err(within("a prediction is not finite".to_owned()));
        }
    }
    if let Some(item) = items
        .iter()
        .find(|item| slate.candidates.is_some() && !candidates.contains(**item))
    {
        return Err(format!(
            "item `{item}`: it is shown, and not among the candidates"
        ));
    }
    Ok(())
}
