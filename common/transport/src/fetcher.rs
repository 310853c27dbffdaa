//! Brings the images that records name and the store lacks: after connecting and whenever news may have named new ones,
//! a few at a time, each once however many peers could give it.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use ccpor_sync::OriginSet;
use quinn::Connection;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};
use tracing::{debug, warn};

use crate::images::{FetchError, fetch};
use crate::limits::{FETCH_AGAIN, FETCHES_AT_ONCE};
use crate::news::Mailbox;
use crate::platform::{Platform, blocking};
use crate::services::{Services, Wanted};

/// The images being fetched, over all connections of a program.
#[derive(Clone, Default)]
pub(crate) struct UnderWay(Arc<Mutex<BTreeSet<[u8; 32]>>>);

/// A place in [`UnderWay`], given up when dropped.
struct Claim(UnderWay, [u8; 32]);

impl UnderWay {
    fn claim(&self, blake3: [u8; 32]) -> Option<Claim> {
        let is_new = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(blake3);
        is_new.then(|| Claim(self.clone(), blake3))
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.0
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.1);
    }
}

/// Fetches from one peer until the connection ends.
pub(crate) async fn fetch_wanted(
    connection: Connection,
    services: Services,
    from: OriginSet,
    under_way: UnderWay,
    news: Arc<Mailbox>,
    platform: Arc<dyn Platform>,
) {
    // Images that this peer could not give are left alone until the next full look.
    let mut tried = BTreeSet::new();
    let mut full_look = Instant::now() + FETCH_AGAIN;
    while connection.close_reason().is_none() {
        let wanted = wanted(&services, &from, platform.as_ref()).await;
        let mut fetches = JoinSet::new();
        let mut fetched_any = false;
        let mut waiting = wanted
            .into_iter()
            .filter(|image| !tried.contains(&image.blake3))
            .collect::<Vec<_>>()
            .into_iter();
        loop {
            while fetches.len() < FETCHES_AT_ONCE
                && let Some(image) = waiting.next()
            {
                let Some(claim) = under_way.claim(image.blake3) else {
                    continue;
                };
                let (connection, services) = (connection.clone(), services.clone());
                fetches.spawn(async move {
                    let blake3 = image.blake3;
                    let outcome = fetch(&connection, &services, image).await;
                    drop(claim);
                    (blake3, outcome)
                });
            }
            match fetches.join_next().await {
                Some(Ok((blake3, outcome))) => {
                    fetched_any |= outcome.is_ok();
                    note(&mut tried, blake3, outcome);
                }
                Some(Err(_)) => {}
                None => break,
            }
        }
        if fetched_any {
            // The store names so many at a time: there may be more.
            continue;
        }
        if timeout_at(full_look, news.arrived()).await.is_err() {
            tried.clear();
            full_look = Instant::now() + FETCH_AGAIN;
        }
        news.take(false);
    }
}

async fn wanted(services: &Services, from: &OriginSet, platform: &dyn Platform) -> Vec<Wanted> {
    let images = services.images.clone();
    let mut wanted = blocking(platform, move || images.wanted())
        .await
        .unwrap_or_default();
    wanted.retain(|image| from.contains(&image.origin));
    wanted
}

fn note(tried: &mut BTreeSet<[u8; 32]>, blake3: [u8; 32], outcome: Result<(), FetchError>) {
    let name = blake3::Hash::from_bytes(blake3);
    match outcome {
        Ok(()) => debug!(image = %name, "image fetched"),
        Err(FetchError::NotThere | FetchError::Lost | FetchError::NotConnected) => {
            tried.insert(blake3);
        }
        Err(failure @ (FetchError::Wrong | FetchError::Disk(_))) => {
            warn!(image = %name, "image not fetched: {failure}");
            tried.insert(blake3);
        }
    }
}
