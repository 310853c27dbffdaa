//! Changes of the ledgers on their way to every connection: one watcher of the store, one mailbox a connection in which
//! a newer change of an origin replaces the older one, so that nothing piles up.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use ccpor_ledger::{Head, OriginId, SignedHeartbeat};
use ccpor_sync::{Ledgers, Moved};
use tokio::sync::Notify;

/// Where connections subscribe.
#[derive(Clone, Default)]
pub(crate) struct News(Arc<Mutex<Vec<Weak<Mailbox>>>>);

/// The changes that one connection has not looked at.
#[derive(Default)]
pub(crate) struct Mailbox {
    takes_heartbeats: bool,
    waiting: Mutex<Waiting>,
    arrived: Notify,
}

#[derive(Default)]
struct Waiting {
    heads: BTreeMap<OriginId, Head>,
    heartbeats: BTreeMap<OriginId, SignedHeartbeat>,
}

impl News {
    /// Starts to watch the store.
    pub(crate) fn of(ledgers: &dyn Ledgers) -> Self {
        let news = Self::default();
        let subscribers = Arc::downgrade(&news.0);
        ledgers.watch(Box::new(move |moved| {
            let Some(subscribers) = subscribers.upgrade() else {
                return;
            };
            let origin = match moved {
                Moved::Head(origin, _) => origin.clone(),
                Moved::Heartbeat(signed) => match signed.decode() {
                    Ok(heartbeat) => heartbeat.origin,
                    Err(_) => return,
                },
            };
            let mut subscribers = subscribers.lock().unwrap_or_else(PoisonError::into_inner);
            subscribers.retain(|subscriber| match subscriber.upgrade() {
                Some(mailbox) => {
                    mailbox.put(&origin, moved);
                    true
                }
                None => false,
            });
        }));
        news
    }

    /// All changes. Heads wake whoever waits; heartbeats are found by who looks from time to time, because with many courts one
    /// comes at every moment.
    pub(crate) fn subscribe(&self) -> Arc<Mailbox> {
        self.mailbox(true)
    }

    /// Changes of heads alone.
    pub(crate) fn subscribe_to_heads(&self) -> Arc<Mailbox> {
        self.mailbox(false)
    }

    fn mailbox(&self, takes_heartbeats: bool) -> Arc<Mailbox> {
        let mailbox = Arc::new(Mailbox {
            takes_heartbeats,
            ..Mailbox::default()
        });
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(Arc::downgrade(&mailbox));
        mailbox
    }
}

impl Mailbox {
    fn put(&self, origin: &OriginId, moved: &Moved) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        match moved {
            Moved::Head(_, head) => {
                let newest = waiting.heads.entry(origin.clone()).or_insert(*head);
                if newest.position < head.position {
                    *newest = *head;
                }
                drop(waiting);
                self.arrived.notify_one();
            }
            Moved::Heartbeat(signed) if self.takes_heartbeats => {
                waiting.heartbeats.insert(origin.clone(), signed.clone());
            }
            Moved::Heartbeat(_) => {}
        }
    }

    /// Waits for a change of a head.
    pub(crate) async fn arrived(&self) {
        self.arrived.notified().await;
    }

    /// Everything that arrived.
    pub(crate) fn take(&self) -> Vec<Moved> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let Waiting { heads, heartbeats } = std::mem::take(&mut *waiting);
        drop(waiting);
        let heads = heads.into_iter().map(|(origin, head)| Moved::Head(origin, head));
        heads
            .chain(heartbeats.into_values().map(Moved::Heartbeat))
            .collect()
    }
}
