//! What a court has left to do with its own orders in force: which are not served, which end soon, and which lack something. A book
//! in memory follows the court's own ledger, so that a page of it costs what is new in the ledger and what is shown.

use std::collections::BTreeSet;
use std::sync::PoisonError;

use ccpor_domain::{OrderId, Status, UtcMillis, WarningCode, check, standing};
use ccpor_ledger::{Body, ReadError};

use crate::freshness::{Answer, now};
use crate::overdue::RUN;
use crate::registry::Registry;
use crate::sight::{Seeing, Sight};
use crate::story::Story;
use crate::workbook::{Leaf, WorkBook};

/// An order that ends within this time ends soon, in milliseconds: 90 days, the time before its end in which a renewal may be asked for
/// (Fam. Code 6345(a)).
const SOON_MS: i64 = 90 * 24 * 3_600_000;

/// The most orders of one list.
const MOST: usize = 300;

/// What is left to do, each list with the most urgent first. An order can stand in several.
#[derive(Clone, Debug, Default)]
pub struct LeftToDo {
    /// In force and not served, the oldest first.
    pub unserved: Vec<Story>,
    /// In force and ending within 90 days, the next end first.
    pub expiring: Vec<Story>,
    /// In force and lacking something that the law or the state's systems want, or an image; the newest first.
    pub incomplete: Vec<Story>,
    /// Whether a list was cut.
    pub more: bool,
}

impl Registry {
    /// What is left to do with the orders of this machine's court that the reader sees. Empty where there is no court.
    ///
    /// # Errors
    /// When the own ledger cannot be read.
    pub fn left_to_do(&self, sight: &dyn Sight) -> Answer<Result<LeftToDo, ReadError>> {
        let freshness = self.freshness(None);
        Answer::new(self.find_work(sight), freshness)
    }

    fn find_work(&self, sight: &dyn Sight) -> Result<LeftToDo, ReadError> {
        let leaves: Vec<(OrderId, Leaf)> = {
            let mut book = self.work.lock().unwrap_or_else(PoisonError::into_inner);
            self.follow_own(&mut book)?;
            book.open.iter().map(|(order, leaf)| (*order, *leaf)).collect()
        };
        let at = now();
        let soon = UtcMillis(at.0.saturating_add(SOON_MS));
        let mut work = LeftToDo::default();
        let mut unserved: Vec<_> = leaves.iter().filter(|(_, leaf)| leaf.unserved).collect();
        unserved.sort_by_key(|(order, leaf)| (leaf.issued, *order));
        let mut expiring: Vec<_> = leaves
            .iter()
            .filter(|(_, leaf)| leaf.ends.is_some_and(|ends| ends > at && ends <= soon))
            .collect();
        expiring.sort_by_key(|(order, leaf)| (leaf.ends, *order));
        let mut incomplete: Vec<_> = leaves.iter().filter(|(_, leaf)| leaf.incomplete).collect();
        incomplete.sort_by_key(|(order, leaf)| std::cmp::Reverse((leaf.issued, *order)));
        for (found, list) in [
            (unserved, &mut work.unserved),
            (expiring, &mut work.expiring),
            (incomplete, &mut work.incomplete),
        ] {
            let mut shown = found
                .into_iter()
                .filter_map(|(order, leaf)| self.open_to(sight, *order, leaf, at));
            list.extend(shown.by_ref().take(MOST));
            work.more |= shown.next().is_some();
        }
        // Service that another court recorded stands in that court's ledger.
        work.unserved
            .retain(|story| !standing(&story.state, at, self.calendars()).served);
        Ok(work)
    }

    /// The order as the reader sees it, while it is in force.
    fn open_to(&self, sight: &dyn Sight, order: OrderId, leaf: &Leaf, at: UtcMillis) -> Option<Story> {
        if leaf.ends.is_some_and(|ends| ends <= at) {
            return None;
        }
        let story = self.told(order, None).1.ok()?;
        if !in_force(standing(&story.state, at, self.calendars()).status) {
            return None;
        }
        match self.seen(sight, story, false) {
            Seeing::Shown(story) => Some(*story),
            Seeing::Withheld | Seeing::Hidden | Seeing::NotClear => None,
        }
    }

    /// Brings the book up to what lookups know of the own ledger.
    fn follow_own(&self, book: &mut WorkBook) -> Result<(), ReadError> {
        let Some((own, ledger)) = self.own().and_then(|own| Some((own, self.shelf.get(own)?))) else {
            return Ok(());
        };
        let applied = self.view().meta().applied(own).map(|head| head.position);
        let mut touched = BTreeSet::new();
        'ledger: loop {
            let run = match ledger.run(book.read, RUN) {
                Ok(run) if !run.is_empty() => run,
                Ok(_) | Err(ReadError::Damaged(_)) => break,
                Err(error) => return Err(error),
            };
            for record in &run {
                let Ok(outline) = record.outline() else {
                    break 'ledger;
                };
                if applied < Some(outline.position) {
                    break 'ledger;
                }
                book.read = Some(outline.position);
                if let Ok(record) = record.decode()
                    && let Body::Event(bytes) = &record.body
                    && let Ok(event) = ccpor_domain::decode(bytes)
                {
                    touched.insert(event.order_id());
                }
            }
        }
        for order in touched {
            let story = self.told(order, None).1.ok();
            let story = story.filter(|story| story.origin.court() == own.court());
            match story.and_then(|story| self.leaf(&story)) {
                Some(leaf) => book.open.insert(order, leaf),
                None => book.open.remove(&order),
            };
        }
        Ok(())
    }

    /// What the book keeps of an order; none of one that is over.
    fn leaf(&self, story: &Story) -> Option<Leaf> {
        let held = standing(&story.state, now(), self.calendars());
        let missing = check(&story.state.order)
            .iter()
            .any(|warning| warning.code == WarningCode::Missing);
        in_force(held.status).then(|| Leaf {
            issued: story.state.order.issued,
            ends: held.ends.moment(),
            unserved: !held.served,
            incomplete: missing || story.state.images.is_empty(),
        })
    }
}

const fn in_force(status: Status) -> bool {
    matches!(status, Status::Active | Status::NotYetEffective)
}
