//! The care of stored data as an operator sees it: the scrub and the quarantine.

use std::sync::Arc;

use ccpor_api::message::{QuarantineAnswer, Quarantined, ScrubAnswer, ScrubRequest};
use ccpor_api::{Code, Problem};
use ccpor_registry::Registry;

use super::blocking;
use crate::scrub::Scrub;

/// Says where the scrub stands, and begins a pass when asked to.
///
/// # Errors
/// A [`Problem`] when the call ends by a fault.
pub async fn scrub(
    registry: &Arc<Registry>,
    scrub: &Scrub,
    request: ScrubRequest,
) -> Result<ScrubAnswer, Problem> {
    if request.begin {
        scrub.begin().await;
    }
    let (state, registry) = (scrub.state(), Arc::clone(registry));
    blocking(move || ScrubAnswer {
        running: state.running,
        began_at: state.began.map(|at| at.to_string()).unwrap_or_default(),
        ended_at: state.ended.map(|at| at.to_string()).unwrap_or_default(),
        records: state.scrubbed.records,
        images: state.scrubbed.images,
        entries: state.scrubbed.entries,
        damaged_records: state.scrubbed.damaged_records,
        damaged_images: state.scrubbed.damaged_images,
        index_made_anew: state.scrubbed.index_made_anew,
        not_mended: registry.damaged().iter().map(ToString::to_string).collect(),
        records_held: registry.counts().records,
    })
    .await
}

/// Lists what was set aside.
///
/// # Errors
/// A [`Problem`] when a directory cannot be read.
pub async fn quarantine(registry: &Arc<Registry>) -> Result<QuarantineAnswer, Problem> {
    let registry = Arc::clone(registry);
    let listed = blocking(move || registry.quarantined()).await?;
    let listed = listed.map_err(|error| {
        Problem::new(
            Code::Unavailable,
            format!("the quarantine cannot be read: {error}"),
        )
    })?;
    let entries = listed.into_iter().map(|kept| Quarantined {
        path: kept.path,
        part: kept.part,
        bytes: kept.bytes,
        kept_at: kept.kept_at.map(|at| at.to_string()).unwrap_or_default(),
        reason: kept.reason,
    });
    Ok(QuarantineAnswer {
        entries: entries.collect(),
    })
}
