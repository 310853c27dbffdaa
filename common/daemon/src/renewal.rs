//! The task that keeps a machine's certificate from ending: waits until it is due, renews it, and after a failure tries again, each
//! time later, or when the registry may have let the machine in again. Nothing else waits for it.

use std::sync::Arc;
use std::time::Duration;

use ccpor_certs::renewal::{Keys, due, pause, renew_here};
use ccpor_certs::{Authority, IdentityDir, Peer, Revocations, enrolment};
use tokio_util::sync::CancellationToken;

use crate::certificate::Certificate;
use crate::reading::blocking;

/// The longest sleep: a clock that was set, or files that were put in place by hand, are noticed after it.
const LOOK_AGAIN: Duration = Duration::from_secs(3600);

/// Who renews.
#[derive(Clone)]
pub enum Renewer {
    /// The authority in a directory of this machine.
    Here(Arc<Authority>),
    /// Any hub, at one of these `host:port`, or when there is none at the one that the identity directory notes.
    Hubs(Vec<String>),
}

/// Renews whenever it is due, until `stop`, and notes with the certificate what comes of it. `hand_over` is called with a directory that has a new
/// record-signing key.
pub async fn keep(
    certificate: Certificate,
    renewer: Renewer,
    hand_over: impl AsyncFn(&IdentityDir) + Send,
    stop: CancellationToken,
) {
    let mut failures = 0_u32;
    loop {
        let now = certificate.on_disk();
        // Put in place by an attempt, or by hand since the start.
        if now.old_record_key_pkcs8().is_some() {
            hand_over(&now).await;
        }
        let record_due = now.record_due().filter(|_| now.identity().is_node());
        let (clock, tls_due) = (now.clock().now(), due(now.peer()));
        let keys = match record_due {
            Some(due) if due <= clock => Keys::TlsAndRecord,
            _ => Keys::Tls,
        };
        let missing = record_due.map_or(tls_due, |due| due.min(tls_due)).since(clock);
        let let_in_again = let_in_again(certificate.identity().revocations(), now.peer());
        let wait = if missing > 0 {
            failures = 0;
            certificate.up_to_date();
            Duration::from_secs(missing.unsigned_abs()).min(LOOK_AGAIN)
        } else {
            match attempt(&now, &renewer, keys).await {
                Ok(renewed) => {
                    failures = 0;
                    certificate.up_to_date();
                    tracing::info!(
                        until = %renewed.peer().not_after, "the certificate was renewed; the next handshake presents it"
                    );
                    continue;
                }
                Err(reason) => {
                    failures = failures.saturating_add(1);
                    certificate.failed(clock, &reason);
                    let wait = pause(failures, rand::random());
                    tell(&now, failures, wait, &reason);
                    wait
                }
            }
        };
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = let_in_again => {}
            () = stop.cancelled() => return,
        }
    }
}

/// Waits for another revocation list that does not refuse this machine: whoever was refused may have been resumed, and the wait between
/// two attempts may be of hours. There are few lists, so there are few attempts for them. Begun before an attempt, it misses no list that
/// comes meanwhile.
fn let_in_again(revocations: &Revocations, peer: &Peer) -> impl Future<Output = ()> + Send + use<> {
    let (revocations, peer, mut changes) = (revocations.clone(), peer.clone(), revocations.changes());
    async move {
        while changes.changed().await.is_ok() {
            if revocations.refuses(&peer).is_none() {
                return;
            }
        }
        // Not while the list is held.
        std::future::pending().await
    }
}

async fn attempt(identity: &IdentityDir, renewer: &Renewer, keys: Keys) -> Result<IdentityDir, String> {
    match renewer {
        Renewer::Hubs(addresses) => {
            let mut chosen = addresses.iter().map(|address| Some(address.as_str()));
            let mut renewed = enrolment::renew(identity, chosen.next().flatten(), keys).await;
            while renewed.is_err()
                && let Some(next) = chosen.next()
            {
                renewed = enrolment::renew(identity, next, keys).await;
            }
            renewed.map_err(|error| error.to_string())
        }
        Renewer::Here(authority) => {
            let (identity, authority) = (identity.clone(), Arc::clone(authority));
            let renewed = blocking(move || renew_here(&identity, &authority)).await;
            match renewed {
                Ok(renewed) => renewed.map_err(|error| error.to_string()),
                Err(problem) => Err(problem.to_string()),
            }
        }
    }
}

/// The first failure and then every tenth aloud: an outage may last for weeks.
fn tell(identity: &IdentityDir, failures: u32, wait: Duration, reason: &str) {
    let (days, wait_s) = (identity.days_left(identity.clock().now()), wait.as_secs());
    if failures % 10 == 1 {
        tracing::warn!(
            days_left = days,
            failures,
            wait_s,
            reason,
            "the certificate is not renewed yet"
        );
    } else {
        tracing::info!(
            days_left = days,
            failures,
            wait_s,
            reason,
            "the certificate is not renewed yet"
        );
    }
}
