//! For how long hubs that could not help are not asked the same kind of question again without need: who asked would wait for them each time.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::passed::Passes;

const PAUSE: Duration = Duration::from_secs(5);

/// Until when the hubs are left alone with a kind of question, by its word.
#[derive(Default)]
pub(super) struct Pauses(Mutex<BTreeMap<&'static [u8], Instant>>);

impl Pauses {
    pub(super) fn is_on<R: Passes>(&self) -> bool {
        let until = self.until().get(R::WORD).copied();
        until.is_some_and(|until| Instant::now() < until)
    }

    pub(super) fn begin<R: Passes>(&self) {
        self.until().insert(R::WORD, Instant::now() + PAUSE);
    }

    fn until(&self) -> MutexGuard<'_, BTreeMap<&'static [u8], Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
