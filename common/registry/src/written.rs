//! Own records that became durable together, and those who wait until lookups find them.

use std::sync::{Arc, Condvar, Mutex, PoisonError};

use ccpor_ledger::{AppendError, Appended};

use crate::apply::Fact;

/// Own records that became durable together, until the last of them is there.
#[derive(Default)]
pub(crate) struct Written {
    pub(crate) facts: Vec<Fact>,
    pub(crate) waiting: Vec<(Waiting, Appended)>,
}

/// Somebody who waits for an answer, and gets one even if nobody gives it.
pub(crate) struct Waiting(pub(crate) Arc<Pending>);

impl Waiting {
    pub(crate) fn answer(self, answer: Result<Appended, AppendError>) {
        self.0.answer(answer);
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.answer(Err(AppendError::Closed));
    }
}

/// The answer that somebody waits for: the first one counts.
#[derive(Default)]
pub(crate) struct Pending {
    answer: Mutex<Option<Result<Appended, AppendError>>>,
    answered: Condvar,
}

impl Pending {
    fn answer(&self, answer: Result<Appended, AppendError>) {
        let mut first = self.answer.lock().unwrap_or_else(PoisonError::into_inner);
        if first.is_none() {
            *first = Some(answer);
            drop(first);
            self.answered.notify_one();
        }
    }

    pub(crate) fn wait(&self) -> Result<Appended, AppendError> {
        let mut answer = self.answer.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(answer) = &*answer {
                return answer.clone();
            }
            answer = self.answered.wait(answer).unwrap_or_else(PoisonError::into_inner);
        }
    }
}
