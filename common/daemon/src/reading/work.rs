//! What a court has left to do with its orders, as an answer.

use ccpor_api::message::{WorkAnswer, WorkEntry};
use ccpor_api::{Code, Problem};
use ccpor_domain::{Language, UtcMillis, WarningCode, check};
use ccpor_registry::{Registry, Story, now};

use super::freshness;
use super::law::brief;
use crate::sight::CallersSight;

pub(super) fn list(registry: &Registry, sight: &CallersSight) -> Result<WorkAnswer, Problem> {
    if registry.own().is_none() {
        return Err(Problem::new(
            Code::NotOffered,
            "this machine is not a court's node; ask the node of your court",
        ));
    }
    let (work, fresh) = registry.left_to_do(sight).into_parts();
    let work = work.map_err(|error| {
        tracing::error!(%error, "the ledger cannot be read");
        Problem::new(
            Code::IntegrityFailure,
            "the ledger cannot be read on this machine",
        )
    })?;
    let at = now();
    let entries = |stories: &[Story]| stories.iter().map(|story| entry(registry, story, at)).collect();
    Ok(WorkAnswer {
        unserved: entries(&work.unserved),
        expiring: entries(&work.expiring),
        incomplete: entries(&work.incomplete),
        more: work.more,
        unreadable_orders: u32::try_from(work.unreadable).unwrap_or(u32::MAX),
        damaged: work.damaged,
        freshness: Some(freshness(&fresh)),
    })
}

fn entry(registry: &Registry, story: &Story, at: UtcMillis) -> WorkEntry {
    let order = &story.state.order;
    let missing = check(order)
        .into_iter()
        .filter(|warning| warning.code == WarningCode::Missing);
    let mut brief = brief(story, at, registry.calendars(), Language::English);
    // A list is no place to read a notice from.
    brief.notice_script.clear();
    WorkEntry {
        restrained_name: order.restrained.name.last_first(),
        missing: missing.map(|warning| warning.field.into_owned()).collect(),
        has_image: !story.state.images.is_empty(),
        order: Some(brief),
    }
}
