//! The scan that waits, beside the form of an entry: what it is, and whether somebody else has it in hand. It changes nothing.

use ccpor_api::message::{HandleScanRequest, ListScansRequest, ScansAnswer, WaitingScan};

use crate::ask;
use crate::moment;
use crate::proofs::{self, Scan};
use crate::site::Inner;
use crate::visit::Visit;

/// See the module.
pub(crate) struct Beside {
    /// Its name in the registry.
    pub(crate) blake3: String,
    /// None when it cannot be shown.
    pub(crate) scan: Option<Scan>,
    /// Who else has it in hand, and since when.
    pub(crate) held: Option<(String, String)>,
    /// The order that it is part of by now.
    pub(crate) filed: Option<String>,
}

/// The scan of this name; none when there is no name.
pub(crate) async fn beside(site: &Inner, visit: &Visit, blake3: &str) -> Option<Beside> {
    if blake3.is_empty() {
        return None;
    }
    let found = one(site, visit, blake3).await;
    Some(Beside {
        blake3: blake3.to_owned(),
        scan: found.as_ref().and_then(proofs::waiting),
        held: found.as_ref().and_then(|scan| held(scan, visit)),
        filed: found
            .map(|scan| scan.registry_number)
            .filter(|number| !number.is_empty()),
    })
}

/// One scan in whatever state; none when the registry does not know it.
async fn one(site: &Inner, visit: &Visit, blake3: &str) -> Option<WaitingScan> {
    let caller = visit.caller().ok()?;
    let asked = ListScansRequest {
        blake3: blake3.to_owned(),
    };
    let answer = ask::read(site, site.pages.backend.list_scans(&caller, asked)).await;
    only(answer.ok()?)
}

/// The only scan of an answer.
pub(crate) fn only(answer: ScansAnswer) -> Option<WaitingScan> {
    let lists = [answer.waiting, answer.set_aside, answer.filed];
    lists.into_iter().flatten().next()
}

/// Who else has a scan in hand, and since when.
pub(crate) fn held(scan: &WaitingScan, visit: &Visit) -> Option<(String, String)> {
    let other = !scan.held_by.is_empty() && scan.held_by != visit.account();
    other.then(|| (scan.held_by.clone(), moment::whole(&scan.held_since)))
}

/// Whoever goes on with an entry keeps its scan in hand; whether that is so is shown, and stops nobody.
pub(crate) async fn keep(site: &Inner, visit: &Visit, blake3: &str) {
    let Ok(caller) = visit.caller() else { return };
    if blake3.is_empty() {
        return;
    }
    let asked = HandleScanRequest {
        blake3: blake3.to_owned(),
        act: "take".to_owned(),
        ..HandleScanRequest::default()
    };
    let _ = ask::read(site, site.pages.backend.handle_scan(&caller, asked)).await;
}
