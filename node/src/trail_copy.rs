//! The copies of this node's audit trail at the hubs: sent along while a link is up, in the background. No answer waits for it.

use std::sync::Arc;
use std::time::Duration;

use ccpor_certs::RecordKeyTrust;
use ccpor_daemon::audit::{NotCopied, Recorder, Sender};
use ccpor_ledger::{ReceiptBook, VerifyingKey};
use tokio_util::sync::CancellationToken;

use crate::hubs::Hubs;
use crate::uplink::Link;

/// How often it is looked for what a copy lacks.
const EVERY: Duration = Duration::from_secs(2);
/// How long a hub may take to make some records durable.
const WITHIN: Duration = Duration::from_secs(30);

/// Sends the trail to every hub until `stop`.
pub(crate) fn start(hubs: &Hubs, trust: &RecordKeyTrust, recorder: &Arc<Recorder>, stop: &CancellationToken) {
    if hubs.links().is_empty() {
        return;
    }
    let book = match Sender::book(recorder.trail()) {
        Ok(book) => book,
        Err(error) => return tracing::error!(%error, "the audit trail is not copied to the hub"),
    };
    for link in hubs.links() {
        let copying = Copying {
            link: link.clone(),
            trust: trust.clone(),
            recorder: Arc::clone(recorder),
            book: Arc::clone(&book),
        };
        tokio::spawn(copying.follow(stop.clone()));
    }
}

/// The copy at one hub.
struct Copying {
    link: Link,
    trust: RecordKeyTrust,
    recorder: Arc<Recorder>,
    book: Arc<ReceiptBook>,
}

/// The hub that is connected, and what it was sent.
struct Hub {
    name: String,
    key: VerifyingKey,
    sender: Sender,
}

impl Copying {
    async fn follow(self, stop: CancellationToken) {
        let (mut ticks, mut hub, mut told) = (tokio::time::interval(EVERY), None, String::new());
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                () = stop.cancelled() => return,
            }
            let Some(Hub { name, key, sender }) = self.connected(&mut hub).await else {
                continue;
            };
            let ask = |question: Vec<u8>| {
                let link = self.link.clone();
                async move { link.ask(question, WITHIN).await }
            };
            let sent = sender.send(*key, ask).await;
            self.recorder
                .copy_contradicts(name, matches!(sent, Err(NotCopied::Contradicted)));
            let trouble = sent.err().map(|error| error.to_string()).unwrap_or_default();
            // Once for each kind of trouble, not for each attempt.
            if !trouble.is_empty() && trouble != told {
                tracing::error!(hub = name, trouble, "the audit trail is not copied to the hub");
            }
            told = trouble;
        }
    }

    /// The hub that is connected now. Its key is asked for once; another hub behind the same address has a copy of its own.
    async fn connected<'a>(&self, known: &'a mut Option<Hub>) -> Option<&'a mut Hub> {
        let name = self.link.hub()?;
        if known.as_ref().is_none_or(|hub| hub.name != name) {
            let key = self.link.hub_key(&self.trust, &name).await;
            *known = key.map(|key| Hub {
                name,
                key,
                sender: Sender::new(Arc::clone(self.recorder.trail()), Arc::clone(&self.book)),
            });
        }
        known.as_mut()
    }
}
