//! Heartbeats on their way into the store: those of all connections together, a few times a second, because each by itself
//! would wake a thread of its own. It believes none of them; the store does.

use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::time::sleep_until;

use crate::news::News;
use crate::platform::{Platform, blocking};

/// Gives the ledgers some heartbeats that wait. True when more do.
pub(crate) type Ear = Box<dyn Fn() -> bool + Send>;

/// Where heartbeats are heard.
#[derive(Clone)]
pub(crate) struct Hearing(Arc<Hall>);

struct Hall {
    platform: Arc<dyn Platform>,
    news: News,
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    ears: Vec<Ear>,
    /// Whether somebody will look.
    is_called: bool,
}

impl Hearing {
    pub(crate) fn new(platform: Arc<dyn Platform>, news: News) -> Self {
        Self(Arc::new(Hall {
            platform,
            news,
            waiting: Mutex::default(),
        }))
    }

    /// Heartbeats wait for `ear`. Must be called within the runtime.
    pub(crate) fn call(&self, ear: Ear) {
        let mut waiting = self.0.waiting();
        waiting.ears.push(ear);
        if !mem::replace(&mut waiting.is_called, true) {
            drop(waiting);
            tokio::spawn(Arc::clone(&self.0).hear());
        }
    }
}

impl Hall {
    /// Each ear hears once at each moment, until nothing waits: whoever sends much waits for its own.
    async fn hear(self: Arc<Self>) {
        loop {
            sleep_until(self.news.next_moment()).await;
            let ears = mem::take(&mut self.waiting().ears);
            let work = move || ears.into_iter().filter(|hear| hear()).collect::<Vec<Ear>>();
            let more = blocking(self.platform.as_ref(), work).await.unwrap_or_default();
            let mut waiting = self.waiting();
            waiting.ears.extend(more);
            if waiting.ears.is_empty() {
                waiting.is_called = false;
                return;
            }
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
