//! The task that keeps a machine's certificate from ending: waits until it is due, renews it, and after a failure tries again, each
//! time later. Nothing else waits for it.

use std::sync::Arc;
use std::time::Duration;

use ccpor_certs::renewal::{Keys, due, pause, renew_here};
use ccpor_certs::{Authority, IdentityDir, enrolment};
use tokio_util::sync::CancellationToken;

use crate::identity::as_on_disk;
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

/// Renews whenever it is due, until `stop`. `hand_over` is called with a directory that has a new record-signing key.
pub async fn keep(
    identity: IdentityDir,
    renewer: Renewer,
    hand_over: impl AsyncFn(&IdentityDir) + Send,
    stop: CancellationToken,
) {
    let mut failures = 0_u32;
    loop {
        let now = as_on_disk(&identity);
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
        let wait = if missing > 0 {
            failures = 0;
            Duration::from_secs(missing.unsigned_abs()).min(LOOK_AGAIN)
        } else {
            match attempt(&now, &renewer, keys).await {
                Ok(renewed) => {
                    failures = 0;
                    tracing::info!(
                        until = %renewed.peer().not_after, "the certificate was renewed; the next handshake presents it"
                    );
                    continue;
                }
                Err(reason) => {
                    failures = failures.saturating_add(1);
                    let wait = pause(failures, rand::random());
                    tell(&now, failures, wait, &reason);
                    wait
                }
            }
        };
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = stop.cancelled() => return,
        }
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
