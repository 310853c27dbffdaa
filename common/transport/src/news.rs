//! Changes of the ledgers on their way to every connection: one watcher of the store; of each origin the newest head a mailbox, and
//! the newest heartbeat on a board for all, so that nothing piles up. It decides nothing about what is sent.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use ccpor_ledger::{Head, OriginId};
use ccpor_sync::{Beat, Ledgers, Moved};
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::limits::{LOOK_EVERY, LOOKS_TOGETHER};

/// Where connections subscribe.
#[derive(Clone)]
pub(crate) struct News(Arc<Post>);

struct Post {
    subscribers: Mutex<Vec<Weak<Mailbox>>>,
    board: Arc<Mutex<Board>>,
    begun: Instant,
}

/// The newest heartbeat of each origin, with its place in the order of their coming.
#[derive(Default)]
struct Board {
    last: u64,
    beats: BTreeMap<OriginId, (u64, Arc<Beat>)>,
}

/// The changes that one connection has not looked at.
#[derive(Default)]
pub(crate) struct Mailbox {
    /// Whose heartbeats are not left until the next look: those made here.
    own: Option<OriginId>,
    board: Arc<Mutex<Board>>,
    /// The last heartbeat on the board that was looked at.
    seen: AtomicU64,
    waiting: Mutex<Waiting>,
    arrived: Notify,
}

#[derive(Default)]
struct Waiting {
    heads: BTreeMap<OriginId, Head>,
    own_beat: bool,
}

impl News {
    /// Starts to watch the store.
    pub(crate) fn of(ledgers: &dyn Ledgers) -> Self {
        let post = Arc::new(Post {
            subscribers: Mutex::default(),
            board: Arc::default(),
            begun: Instant::now(),
        });
        let watching = Arc::downgrade(&post);
        ledgers.watch(Box::new(move |moved| {
            if let Some(post) = watching.upgrade() {
                post.put(moved);
            }
        }));
        Self(post)
    }

    /// All changes. Heads wake whoever waits, and so do the heartbeats of `own`; other heartbeats are found by who looks from time to
    /// time, because with many courts one comes at every moment.
    pub(crate) fn subscribe(&self, own: Option<OriginId>) -> Arc<Mailbox> {
        let seen = AtomicU64::new(lock(&self.0.board).last);
        self.add(Mailbox {
            own,
            board: Arc::clone(&self.0.board),
            seen,
            ..Mailbox::default()
        })
    }

    /// Changes of heads alone.
    pub(crate) fn subscribe_to_heads(&self) -> Arc<Mailbox> {
        self.add(Mailbox::default())
    }

    /// When a connection that looked for heartbeats at `last` looks again. All of them do so at a few moments, so that the program
    /// is woken for many at once.
    pub(crate) fn next_look(&self, last: Instant) -> Instant {
        let since = last.duration_since(self.0.begun).as_millis();
        let round = since - since % LOOKS_TOGETHER.as_millis();
        self.0.begun + Duration::from_millis(u64::try_from(round).unwrap_or(u64::MAX)) + LOOK_EVERY
    }

    /// The next of those moments.
    pub(crate) fn next_moment(&self) -> Instant {
        self.next_look(Instant::now()) + LOOKS_TOGETHER - LOOK_EVERY
    }

    fn add(&self, mailbox: Mailbox) -> Arc<Mailbox> {
        let mailbox = Arc::new(mailbox);
        lock(&self.0.subscribers).push(Arc::downgrade(&mailbox));
        mailbox
    }
}

impl Post {
    fn put(&self, moved: &Moved) {
        if let Moved::Heartbeat(beat) = moved {
            let mut board = lock(&self.board);
            board.last += 1;
            let place = (board.last, Arc::clone(beat));
            match board.beats.get_mut(&beat.said.origin) {
                Some(older) => *older = place,
                None => drop(board.beats.insert(beat.said.origin.clone(), place)),
            }
        }
        lock(&self.subscribers).retain(|subscriber| match subscriber.upgrade() {
            Some(mailbox) => {
                mailbox.put(moved);
                true
            }
            None => false,
        });
    }
}

impl Mailbox {
    fn put(&self, moved: &Moved) {
        match moved {
            Moved::Head(origin, head) => {
                let mut waiting = lock(&self.waiting);
                let newest = waiting.heads.entry(origin.clone()).or_insert(*head);
                if newest.position < head.position {
                    *newest = *head;
                }
            }
            Moved::Heartbeat(beat) if self.own.as_ref() == Some(&beat.said.origin) => {
                lock(&self.waiting).own_beat = true;
            }
            Moved::Heartbeat(_) => return,
        }
        self.arrived.notify_one();
    }

    /// Waits for a change of a head, or a heartbeat of the own ledger.
    pub(crate) async fn arrived(&self) {
        self.arrived.notified().await;
    }

    /// The heads that arrived, and with `look`, or when the own ledger's is among them, the heartbeats too.
    pub(crate) fn take(&self, look: bool) -> Vec<Moved> {
        let Waiting { heads, own_beat } = std::mem::take(&mut *lock(&self.waiting));
        let heads = heads.into_iter().map(|(origin, head)| Moved::Head(origin, head));
        let mut news: Vec<Moved> = heads.collect();
        if look || own_beat {
            let board = lock(&self.board);
            let seen = self.seen.swap(board.last, Ordering::Relaxed);
            let newer = board.beats.values().filter(|(place, _)| *place > seen);
            news.extend(newer.map(|(_, beat)| Moved::Heartbeat(Arc::clone(beat))));
        }
        news
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What these hold is replaced whole, never half changed.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_look_at_few_moments_and_each_after_the_same_time() {
        let post = Post {
            subscribers: Mutex::default(),
            board: Arc::default(),
            begun: Instant::now(),
        };
        let begun = post.begun;
        let news = News(Arc::new(post));
        for ms in [0, 1, 249, 250, 999, 12_345] {
            let last = begun + Duration::from_millis(ms);
            let next = news.next_look(last);
            let since = next.duration_since(begun).as_millis();
            assert_eq!(since % LOOKS_TOGETHER.as_millis(), 0);
            let wait = next.duration_since(last);
            assert!(
                wait <= LOOK_EVERY && wait + LOOKS_TOGETHER > LOOK_EVERY,
                "{wait:?}"
            );
            assert_eq!(news.next_look(next), next + LOOK_EVERY);
        }
    }
}
