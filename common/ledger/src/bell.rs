//! Wakes the writer's thread once so many more records are queued, instead of for each of them.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, Thread};
use std::time::Duration;

/// Rung by those who queue; the writer sleeps on it.
#[derive(Default)]
pub(crate) struct Bell {
    /// So many more are to come before the writer is woken; 0: it does not sleep here.
    wanted: AtomicUsize,
    sleeper: OnceLock<Thread>,
}

impl Bell {
    /// Says that something was queued.
    pub(crate) fn ring(&self) {
        // Relaxed: what is queued is handed over by the queue; a ring that is missed costs no more than the patience of the sleeper.
        let wanted = self.wanted.load(Ordering::Relaxed);
        if wanted == 0 {
            return;
        }
        let left = self
            .wanted
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        if left == Ok(1)
            && let Some(sleeper) = self.sleeper.get()
        {
            sleeper.unpark();
        }
    }

    /// Sleeps until so many more are queued, or for as long as patience lasts. The writer's thread alone calls it.
    pub(crate) fn sleep(&self, wanted: usize, patience: Duration) {
        self.sleeper.get_or_init(thread::current);
        self.wanted.store(wanted, Ordering::Relaxed);
        thread::park_timeout(patience);
        self.wanted.store(0, Ordering::Relaxed);
    }
}
