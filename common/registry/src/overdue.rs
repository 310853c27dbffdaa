//! What was recorded later than the law allows, or is not transmitted yet although it should be.

use ccpor_domain::{Deadline, OrderId, UtcMillis};
use ccpor_ledger::{Body, Hlc, Ledger, OriginId, Position, ReadError, RunLimit};

use crate::freshness::{Answer, now};
use crate::registry::Registry;
use crate::story::Story;

/// How much of a ledger is read at once.
pub(crate) const RUN: RunLimit = RunLimit {
    records: 1_024,
    bytes: 1 << 20,
};

/// The most entries of one answer.
const MOST: usize = 1_000;

/// A record that came late, or that no hub has confirmed in time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overdue {
    /// The ledger it lies in.
    pub origin: OriginId,
    /// Its place there.
    pub position: Position,
    /// The order.
    pub order: OrderId,
    /// The duty, the day of the act, and the day by which it was due.
    pub deadline: Deadline,
    /// When it was recorded.
    pub recorded: UtcMillis,
    /// Whether a hub has it; always true at a hub.
    pub transmitted: bool,
}

/// The list, newest first, and whether it was cut.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OverdueList {
    /// The entries.
    pub entries: Vec<Overdue>,
    /// Whether there are more than are listed.
    pub more: bool,
}

impl Registry {
    /// Lists what was recorded since a moment and came after its deadline, and what this court recorded in time and no hub has
    /// confirmed by its deadline. It reads the ledgers from that moment on, so that its cost follows from the span, not from all
    /// that is held. Orders that are not `listed` for the reader are left out; one that cannot be read is listed.
    ///
    /// # Errors
    /// [`ReadError`] when a ledger cannot be read; damage is no such reason, what is readable is listed.
    pub fn overdue(
        &self,
        since: UtcMillis,
        listed: &dyn Fn(&Story) -> bool,
    ) -> Answer<Result<OverdueList, ReadError>> {
        let freshness = self.freshness(None);
        Answer::new(self.list_overdue(since, listed), freshness)
    }

    fn list_overdue(
        &self,
        since: UtcMillis,
        listed: &dyn Fn(&Story) -> bool,
    ) -> Result<OverdueList, ReadError> {
        let mut list = OverdueList::default();
        for (origin, ledger) in self.shelf.all() {
            let calendar = self.calendars().named(origin.court());
            let confirmed = self.confirmed(&origin);
            let mut after = before(&ledger, since)?;
            loop {
                let run = match ledger.run(after, RUN) {
                    Ok(run) => run,
                    Err(ReadError::Damaged(_)) => break,
                    Err(error) => return Err(error),
                };
                let Some(last) = run.last() else { break };
                after = last.outline().ok().map(|outline| outline.position);
                for record in &run {
                    let Ok(record) = record.decode() else { continue };
                    let recorded = moment(record.hlc);
                    let Body::Event(bytes) = &record.body else {
                        continue;
                    };
                    let Ok(event) = ccpor_domain::decode(bytes) else {
                        continue;
                    };
                    let Some(deadline) = Deadline::of(&event, calendar).filter(|_| recorded >= since) else {
                        continue;
                    };
                    let transmitted = confirmed.is_none_or(|head| record.position() <= head);
                    if deadline.is_over(recorded) || (!transmitted && deadline.is_over(now())) {
                        list.entries.push(Overdue {
                            origin: origin.clone(),
                            position: record.position(),
                            order: event.order_id(),
                            deadline,
                            recorded,
                            transmitted,
                        });
                    }
                }
            }
        }
        list.entries
            .sort_by_key(|late| std::cmp::Reverse((late.recorded, late.position)));
        list.entries
            .retain(|late| self.told(late.order, None).as_ref().map_or(true, listed));
        list.more = list.entries.len() > MOST;
        list.entries.truncate(MOST);
        Ok(list)
    }

    /// Up to where a hub has confirmed the own ledger; none for ledgers of which nothing has to be confirmed here.
    fn confirmed(&self, origin: &OriginId) -> Option<Position> {
        if self.own() != Some(origin) {
            return None;
        }
        let none = Position { epoch: 0, seq: 0 };
        let receipt = self.newest_receipt().filter(|receipt| receipt.origin == *origin);
        Some(receipt.map_or(none, |receipt| receipt.head.position))
    }
}

/// A place in a ledger before which nothing was recorded since a moment.
fn before(ledger: &Ledger, since: UtcMillis) -> Result<Option<Position>, ReadError> {
    let mut back = 256;
    while let Some(place) = ledger.followed_by(back) {
        let read = match ledger.read(place) {
            Ok(record) => record.outline().ok().map(|outline| moment(outline.hlc)),
            Err(ReadError::Damaged(_)) => None,
            Err(error) => return Err(error),
        };
        if read.is_some_and(|recorded| recorded < since) {
            return Ok(Some(place));
        }
        back = back.saturating_mul(2);
    }
    Ok(None)
}

/// When a record was made.
pub(crate) fn moment(hlc: Hlc) -> UtcMillis {
    UtcMillis(i64::try_from(hlc.millis()).unwrap_or(i64::MAX))
}
