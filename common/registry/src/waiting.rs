//! Records of the own ledger that no hub has confirmed for long. It sends nothing.

use std::collections::BTreeSet;

use ccpor_domain::{OrderId, UtcMillis};
use ccpor_ledger::{Body, ReadError};

use crate::overdue::{RUN, moment};
use crate::registry::Registry;

/// An order with a record that waits for a hub's receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The order.
    pub order: OrderId,
    /// When the first such record was made.
    pub recorded: UtcMillis,
}

impl Registry {
    /// The orders of which something was recorded here before a moment that no hub has confirmed, the longest waiting first, and whether
    /// there may be more: no more than a thousand records are looked at. None where no ledger is written.
    ///
    /// # Errors
    /// [`ReadError`] when the own ledger cannot be read.
    pub fn waiting(&self, before: UtcMillis) -> Result<(Vec<Waiting>, bool), ReadError> {
        let Some((own, ledger)) = self.own().and_then(|own| Some((own, self.shelf.get(own)?))) else {
            return Ok((Vec::new(), false));
        };
        let receipt = self.newest_receipt().filter(|receipt| receipt.origin == *own);
        let confirmed = receipt.map(|receipt| receipt.head.position);
        let run = ledger.run(confirmed, RUN)?;
        let (mut found, mut known) = (Vec::new(), BTreeSet::new());
        for signed in &run {
            let Ok(record) = signed.decode() else { continue };
            let recorded = moment(record.hlc);
            if recorded >= before {
                return Ok((found, false));
            }
            let Body::Event(bytes) = &record.body else {
                continue;
            };
            let Ok(event) = ccpor_domain::decode(bytes) else {
                continue;
            };
            let order = event.order_id();
            if known.insert(order) {
                found.push(Waiting { order, recorded });
            }
        }
        let last = run.last().and_then(|last| last.outline().ok());
        let looked_at = last.map(|last| last.position).or(confirmed);
        let more = ledger.head().map(|head| head.position) > looked_at;
        Ok((found, more))
    }
}
