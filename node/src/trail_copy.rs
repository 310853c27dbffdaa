//! The copy of this node's audit trail at the hub: sent along while the link is up, in the background. No answer waits for it.

use std::sync::Arc;
use std::time::Duration;

use ccpor_certs::RecordKeyTrust;
use ccpor_daemon::audit::{NotCopied, Recorder, Sender};
use ccpor_ledger::VerifyingKey;
use tokio_util::sync::CancellationToken;

use crate::uplink::Link;

/// How often it is looked for what the copy lacks.
const EVERY: Duration = Duration::from_secs(2);
/// How long the hub may take to make some records durable.
const WITHIN: Duration = Duration::from_secs(30);

/// Sends the trail along until `stop`.
pub(crate) async fn follow(
    link: Link,
    trust: RecordKeyTrust,
    recorder: Arc<Recorder>,
    stop: CancellationToken,
) {
    let mut sender = match Sender::new(Arc::clone(recorder.trail())) {
        Ok(sender) => sender,
        Err(error) => return tracing::error!(%error, "the audit trail is not copied to the hub"),
    };
    let (mut ticks, mut key, mut told) = (tokio::time::interval(EVERY), None, String::new());
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = stop.cancelled() => return,
        }
        let Some(hub) = link.hub() else { continue };
        let Some(key) = key_of(&link, &trust, &hub, &mut key).await else {
            continue;
        };
        let ask = |question: Vec<u8>| {
            let link = link.clone();
            async move { link.ask(question, WITHIN).await }
        };
        let sent = sender.send(key, ask).await;
        recorder.copy_contradicts(matches!(sent, Err(NotCopied::Contradicted)));
        let trouble = sent.err().map(|error| error.to_string()).unwrap_or_default();
        // Once for each kind of trouble, not for each attempt.
        if !trouble.is_empty() && trouble != told {
            tracing::error!(trouble, "the audit trail is not copied to the hub");
        }
        told = trouble;
    }
}

/// The hub's key, asked for once for each hub.
async fn key_of(
    link: &Link,
    trust: &RecordKeyTrust,
    hub: &str,
    known: &mut Option<(String, VerifyingKey)>,
) -> Option<VerifyingKey> {
    if known.as_ref().is_none_or(|(name, _)| name != hub) {
        *known = link.hub_key(trust, hub).await.map(|key| (hub.to_owned(), key));
    }
    known.as_ref().map(|(_, key)| *key)
}
