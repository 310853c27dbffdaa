//! What a court has left to do with its own orders in force: which are not served, which end soon, and which lack something. A book
//! in memory follows the court's own ledger, so that a page of it costs what is new in the ledger and what is shown.

use std::sync::PoisonError;

use ccpor_domain::{OrderId, Status, UtcMillis, WarningCode, check, standing};
use ccpor_ledger::{Body, ReadError};

use crate::freshness::{Answer, now};
use crate::overdue::RUN;
use crate::registry::Registry;
use crate::sight::{Seeing, Sight};
use crate::story::{NoStory, Story};
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
    /// Own orders that cannot be read here: what is left to do with them is not known.
    pub unreadable: usize,
    /// Whether a record of the own ledger is damaged, so that what it and later ones say is missing.
    pub damaged: bool,
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
        let mut unreadable;
        let damaged;
        let leaves: Vec<(OrderId, Leaf)> = {
            let mut book = self.work.lock().unwrap_or_else(PoisonError::into_inner);
            self.follow_own(&mut book)?;
            unreadable = book.unreadable.clone();
            damaged = book.damaged;
            book.open.iter().map(|(order, leaf)| (*order, *leaf)).collect()
        };
        let at = now();
        let soon = UtcMillis(at.0.saturating_add(SOON_MS));
        let mut work = LeftToDo {
            damaged,
            ..LeftToDo::default()
        };
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
            let mut shown =
                found
                    .into_iter()
                    .filter_map(|(order, leaf)| match self.open_to(sight, *order, leaf, at) {
                        Ok(story) => {
                            let in_part = story.as_ref().filter(|story| !story.unreadable.is_empty());
                            unreadable.extend(in_part.map(|story| story.order));
                            story
                        }
                        Err(NoStory::Unknown(_)) => None,
                        Err(NoStory::NotReadable { order, .. }) => {
                            unreadable.insert(order);
                            None
                        }
                    });
            list.extend(shown.by_ref().take(MOST));
            work.more |= shown.next().is_some();
        }
        work.unreadable = unreadable.len();
        // Service that another court recorded stands in that court's ledger.
        work.unserved
            .retain(|story| !standing(&story.state, at, self.calendars()).served);
        Ok(work)
    }

    /// The order as the reader sees it, while it is in force.
    fn open_to(
        &self,
        sight: &dyn Sight,
        order: OrderId,
        leaf: &Leaf,
        at: UtcMillis,
    ) -> Result<Option<Story>, NoStory> {
        if leaf.ends.is_some_and(|ends| ends <= at) {
            return Ok(None);
        }
        let story = self.told(order, None)?;
        if !in_force(standing(&story.state, at, self.calendars()).status) {
            return Ok(None);
        }
        Ok(match self.seen(sight, story, false) {
            Seeing::Shown(story) => Some(*story),
            Seeing::Withheld | Seeing::Hidden | Seeing::NotClear => None,
        })
    }

    /// Brings the book up to what lookups know of the own ledger.
    fn follow_own(&self, book: &mut WorkBook) -> Result<(), ReadError> {
        let Some((own, ledger)) = self.own().and_then(|own| Some((own, self.shelf.get(own)?))) else {
            return Ok(());
        };
        let applied = self.view().meta().applied(own).map(|head| head.position);
        let mut touched = std::mem::take(&mut book.unreadable);
        book.damaged = false;
        'ledger: loop {
            let run = match ledger.run(book.read, RUN) {
                Ok(run) if !run.is_empty() => run,
                Ok(_) => break,
                Err(ReadError::Damaged(_)) => {
                    book.damaged = true;
                    break;
                }
                Err(error) => return Err(error),
            };
            for record in &run {
                let Ok(outline) = record.outline() else {
                    book.damaged = true;
                    break 'ledger;
                };
                if applied < Some(outline.position) {
                    break 'ledger;
                }
                book.read = Some(outline.position);
                let Ok(record) = record.decode() else {
                    book.passed_over = true;
                    continue;
                };
                if let Body::Event(bytes) = &record.body {
                    match ccpor_domain::decode(bytes) {
                        Ok(event) => {
                            touched.insert(event.order_id());
                        }
                        Err(_not_understood) => book.passed_over = true,
                    }
                }
            }
        }
        book.damaged |= book.passed_over;
        for order in touched {
            let told = self.told(order, None);
            let not_whole = match &told {
                Ok(story) => !story.unreadable.is_empty(),
                // What was known of it before stands no longer.
                Err(NoStory::NotReadable { .. }) => true,
                Err(NoStory::Unknown(_)) => false,
            };
            if not_whole {
                book.unreadable.insert(order);
            }
            let story = told.ok().filter(|story| story.origin.court() == own.court());
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
