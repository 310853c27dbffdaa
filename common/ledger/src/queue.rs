//! What waits to be written, in the order of its coming: bounded, and gathered until it is worth an fdatasync. Whoever completes a batch
//! is told to write it; the writer's thread sees to what nobody completes in time. Writes nothing itself.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use crate::company::Company;
use crate::heartbeat::SignedHeartbeat;
use crate::request::{AppendError, Batch, Command, Reply};

/// How long nothing has to be written before the durable mark is set.
const IDLE: Duration = Duration::from_millis(100);
/// The longest that a batch waits for more of those who are likely to come.
const PATIENCE: Duration = Duration::from_millis(1);
/// A sleep that ends only when somebody calls.
const FOR_GOOD: Duration = Duration::from_secs(3_600);

/// The queue of one writer.
pub(crate) struct Queue {
    waiting: Mutex<Waiting>,
    /// The writer's thread sleeps on it.
    called: Condvar,
    /// Those sleep on it who found the queue full.
    room: Condvar,
    most: usize,
}

struct Waiting {
    commands: VecDeque<Command>,
    company: Company,
    /// Since when the first of them waits.
    since: Instant,
    /// One of them waits for nobody else.
    urgent: bool,
    /// When the writer's thread looks again by itself; past while it is awake.
    looks_at: Instant,
    /// The writer's thread sleeps, and has to be called.
    asleep: bool,
    wrote_at: Instant,
    /// Nothing was written since the durable mark was set.
    marked: bool,
    /// The thread that writes and answers just now.
    pen_held_by: Option<ThreadId>,
    closed: bool,
}

/// Who writes a batch that is complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    /// Whoever added to it last, one of several askers who come again and again.
    Asker(u64),
    /// Whoever added to it, at once.
    Itself,
    /// The writer's thread, at once.
    Another,
}

/// What the writer's thread is to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Task {
    /// Write what waits.
    Write,
    /// Set the durable mark: it is quiet.
    Mark,
    /// End: nothing waits, and nothing will.
    End,
}

impl Queue {
    pub(crate) fn new(most: usize) -> Self {
        let now = Instant::now();
        Self {
            waiting: Mutex::new(Waiting {
                commands: VecDeque::new(),
                company: Company::default(),
                since: now,
                urgent: false,
                looks_at: now,
                asleep: false,
                wrote_at: now,
                marked: false,
                pen_held_by: None,
                closed: false,
            }),
            called: Condvar::new(),
            room: Condvar::new(),
            most,
        }
    }

    /// Adds a command, and waits for room unless this is the thread that makes room. True: it completes a batch, which whoever added it
    /// is to write; for who leaves that to it the writer's thread is called at once. What cannot be added is refused to whoever asks.
    pub(crate) fn push(&self, command: Command, by: By) -> bool {
        let mut waiting = self.lock();
        while waiting.commands.len() >= self.most && !waiting.closed {
            if waiting.is_written_here() {
                drop(waiting);
                command.refuse(&AppendError::Busy);
                return false;
            }
            waiting = self.room.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
        if waiting.closed {
            drop(waiting);
            command.refuse(&AppendError::Closed);
            return false;
        }
        let now = Instant::now();
        let complete = waiting.add(command, by, now);
        if complete && by != By::Another {
            return true;
        }
        if complete || waiting.looks_at > waiting.since + PATIENCE {
            self.wake(waiting);
        }
        false
    }

    /// Calls the writer's thread: a batch is complete, but somebody else has the pen, and may have taken it by now.
    pub(crate) fn call(&self) {
        let mut waiting = self.lock();
        waiting.urgent = !waiting.commands.is_empty();
        if waiting.urgent {
            self.wake(waiting);
        }
    }

    /// Calls the writer's thread, unless it is awake: it looks again before it sleeps.
    fn wake(&self, waiting: MutexGuard<'_, Waiting>) {
        if waiting.asleep {
            drop(waiting);
            self.called.notify_one();
        }
    }

    /// Whether this very thread writes and answers just now: it is within a `done`.
    pub(crate) fn is_written_here(&self) -> bool {
        self.lock().is_written_here()
    }

    /// What is to be written now, up to a full batch, and who wants a heartbeat behind it. Until [`Queue::wrote`] this thread never waits for
    /// room.
    pub(crate) fn take(&self) -> (Batch, Vec<Reply<SignedHeartbeat>>) {
        let mut waiting = self.lock();
        let was_full = waiting.commands.len() >= self.most;
        let taken = waiting.take(Instant::now());
        waiting.pen_held_by = Some(thread::current().id());
        drop(waiting);
        if was_full {
            self.room.notify_all();
        }
        taken
    }

    /// What was taken is written and answered.
    pub(crate) fn wrote(&self) {
        let mut waiting = self.lock();
        let now = Instant::now();
        waiting.pen_held_by = None;
        (waiting.wrote_at, waiting.marked) = (now, false);
        // The durable mark is set by the thread, when it is quiet.
        if waiting.looks_at > now + IDLE {
            self.wake(waiting);
        }
    }

    /// Sleeps until there is something to do. For the writer's thread alone.
    pub(crate) fn next_task(&self) -> Task {
        let mut waiting = self.lock();
        loop {
            let now = Instant::now();
            let until = match waiting.task(now) {
                Ok(task) => {
                    waiting.looks_at = now;
                    return task;
                }
                Err(until) => until,
            };
            (waiting.looks_at, waiting.asleep) = (until, true);
            let slept = self.called.wait_timeout(waiting, until.duration_since(now));
            waiting = slept.unwrap_or_else(PoisonError::into_inner).0;
            waiting.asleep = false;
        }
    }

    /// Takes no more. What waits is still written.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.called.notify_one();
        self.room.notify_all();
    }

    /// Refuses whatever still waits: there is no thread any more.
    pub(crate) fn end(&self) {
        self.close();
        let left = std::mem::take(&mut self.lock().commands);
        drop(left);
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn is_written_here(&self) -> bool {
        self.pen_held_by == Some(thread::current().id())
    }

    /// Adds a command; true when a batch is complete with it.
    fn add(&mut self, command: Command, by: By, now: Instant) -> bool {
        if self.commands.is_empty() {
            self.since = now;
        }
        self.commands.push_back(command);
        match by {
            By::Asker(asker) => self.company.came(asker, now),
            By::Itself | By::Another => self.urgent = true,
        }
        self.is_complete(now)
    }

    fn is_complete(&self, now: Instant) -> bool {
        self.urgent || self.commands.len() >= self.company.worth_a_batch(now)
    }

    fn take(&mut self, now: Instant) -> (Batch, Vec<Reply<SignedHeartbeat>>) {
        let mut batch = Batch::default();
        let mut heartbeats = Vec::new();
        while !batch.is_full() {
            match self.commands.pop_front() {
                Some(Command::Append(body, reply)) if heartbeats.is_empty() => batch.push(body, reply),
                Some(Command::Heartbeat(reply)) => heartbeats.push(reply),
                Some(append) => {
                    self.commands.push_front(append);
                    break;
                }
                None => break,
            }
        }
        // What is left has been waiting long enough.
        self.urgent = !self.commands.is_empty();
        self.since = now;
        (batch, heartbeats)
    }

    /// What the thread is to do, or when it is to look again.
    fn task(&mut self, now: Instant) -> Result<Task, Instant> {
        if !self.commands.is_empty() {
            let overdue = self.since + PATIENCE;
            return if self.closed || now >= overdue || self.is_complete(now) {
                Ok(Task::Write)
            } else {
                Err(overdue)
            };
        }
        if self.closed {
            return Ok(Task::End);
        }
        if self.company.worth_a_batch(now) > 1 {
            // They come without calling, and some batch may stay incomplete.
            return Err(now + PATIENCE);
        }
        if self.marked {
            return Err(now + FOR_GOOD);
        }
        let quiet = self.wrote_at + IDLE;
        if now < quiet {
            return Err(quiet);
        }
        self.marked = true;
        Ok(Task::Mark)
    }
}
