//! The desk: the acts of this court as callers ask for them, and the registry as intake sees it. An event is made durable in the court's ledger, brought into lookups, and only
//! then acknowledged.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError};

use ccpor_domain::{
    Confidence, Ending, Event, Follows, ImageRef, Order, OrderId, Service, SheetId, UtcMillis, Violation,
};
use ccpor_ledger::{AppendError, Appended, Head, Hlc, OriginId};

use crate::apply::{Batch, Fact};
use crate::ending;
use crate::freshness::now;
use crate::index::IndexFailed;
use crate::intake::{self, Desk, Done, IntakeRefused, Request};
use crate::registry::Registry;
use crate::story::{NoStory, Story};
use crate::written::{Pending, Waiting, Written};

impl Registry {
    /// Files a new order of this court.
    ///
    /// # Errors
    /// [`IntakeRefused`]; nothing was recorded then.
    pub fn file(
        &self,
        request: Request,
        source_id: Option<String>,
        order: Order,
    ) -> Result<Done, IntakeRefused> {
        intake::file(self, &self.turns, request, source_id, order)
    }

    /// Files a new version of an order of this court. `expected` is the version that the client read.
    ///
    /// # Errors
    /// [`IntakeRefused`]; nothing was recorded then.
    pub fn amend(
        &self,
        request: Request,
        order_id: OrderId,
        expected: Option<u32>,
        order: Order,
    ) -> Result<Done, IntakeRefused> {
        intake::amend(self, &self.turns, request, order_id, expected, order)
    }

    /// Records service of an order, or an attempt.
    ///
    /// # Errors
    /// [`IntakeRefused`]; nothing was recorded then.
    pub fn serve(
        &self,
        request: Request,
        order_id: OrderId,
        service: Service,
    ) -> Result<Done, IntakeRefused> {
        intake::serve(self, &self.turns, request, order_id, service)
    }

    /// Attaches an image that was put into [`Registry::images`].
    ///
    /// # Errors
    /// [`IntakeRefused`]; nothing was recorded then.
    pub fn attach(
        &self,
        request: Request,
        order_id: OrderId,
        image: ImageRef,
    ) -> Result<Done, IntakeRefused> {
        intake::attach(self, &self.turns, request, order_id, image)
    }

    /// Ends an order before its time.
    ///
    /// # Errors
    /// [`IntakeRefused`]; nothing was recorded then.
    pub fn end(&self, request: Request, order_id: OrderId, ending: Ending) -> Result<Done, IntakeRefused> {
        ending::end(self, &self.turns, request, order_id, ending)
    }

    /// Files a new order that follows another one of this court, which ends by it.
    ///
    /// # Errors
    /// [`IntakeRefused`]; repeat the call with the same key when it is not known whether it was done.
    pub fn file_following(
        &self,
        request: Request,
        source_id: Option<String>,
        order: Order,
        follows: (OrderId, Follows),
    ) -> Result<Done, IntakeRefused> {
        ending::file_following(self, &self.turns, request, source_id, order, follows)
    }

    /// Records a violation that was reported, of an order of any court.
    ///
    /// # Errors
    /// [`IntakeRefused`]; nothing was recorded then.
    pub fn violation(
        &self,
        request: Request,
        order_id: OrderId,
        violation: Violation,
    ) -> Result<Done, IntakeRefused> {
        intake::violation(self, &self.turns, request, order_id, violation)
    }

    /// Adds confidential information to an order of this court, encrypted, or says that its key was destroyed.
    ///
    /// # Errors
    /// [`IntakeRefused`].
    pub fn confide(
        &self,
        request: Request,
        order_id: OrderId,
        sheet: SheetId,
        what: Confidence,
    ) -> Result<Done, IntakeRefused> {
        intake::confide(self, &self.turns, request, order_id, sheet, what)
    }

    /// Seals an order of this court, or unseals it.
    ///
    /// # Errors
    /// [`IntakeRefused`]; nothing was recorded then.
    pub fn seal(&self, request: Request, order_id: OrderId, sealed: bool) -> Result<Done, IntakeRefused> {
        intake::seal(self, &self.turns, request, order_id, sealed)
    }
}

impl Desk for Registry {
    fn own(&self) -> Option<&OriginId> {
        self.own.as_ref()
    }

    fn story(&self, order: OrderId) -> Result<Option<Story>, IntakeRefused> {
        // An act that the index does not show yet would be done a second time.
        if !self.follows() {
            return Err(if self.has_room() {
                IndexFailed::Behind.into()
            } else {
                AppendError::DiskFull.into()
            });
        }
        match self.told(order, None) {
            Ok(story) => match story.unreadable.first() {
                None => Ok(Some(story)),
                // The state lacks what that record says; an act judged by it could contradict an act that was acknowledged.
                Some(record) => {
                    let reason = record.reason.clone();
                    Err(NoStory::NotReadable { order, reason }.into())
                }
            },
            Err(NoStory::Unknown(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn record(&self, event: Event) -> Result<(Head, Hlc), IntakeRefused> {
        if let Some(reason) = self.halted() {
            return Err(IntakeRefused::Halted(reason));
        }
        let writer = self.writer().ok_or(IntakeRefused::NotACourt)?;
        if !self.has_room() {
            return Err(AppendError::DiskFull.into());
        }
        let body =
            ccpor_domain::encode(&event).map_err(|error| IntakeRefused::TooLarge(error.to_string()))?;
        let _act = UnderWay::of(&self.under_way);
        let answer = Arc::new(Pending::default());
        let (desk, waiting) = (self.this.clone(), Waiting(Arc::clone(&answer)));
        writer.append_here(
            body,
            Box::new(move |appended| match (appended, desk.upgrade()) {
                // This runs in the order of the ledger, so the facts are applied in it too.
                (Ok(appended), Some(desk)) => desk.own_record(appended, event, waiting),
                (Ok(_), None) => waiting.answer(Err(AppendError::Closed)),
                (Err(error), _) => waiting.answer(Err(error)),
            }),
        );
        let appended = answer.wait()?;
        Ok((appended.head, appended.hlc))
    }

    fn now(&self) -> UtcMillis {
        now()
    }
}

impl Registry {
    /// A record of the own ledger is durable. With the last of those that became durable together the peers are told, all are brought
    /// into lookups, and only then those who wait.
    fn own_record(&self, appended: Appended, event: Event, waiting: Waiting) {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        written.facts.push(Fact::Own {
            position: appended.head.position,
            hlc: appended.hlc,
            event: Box::new(event),
        });
        written.waiting.push((waiting, appended));
        let together = appended.last.then(|| std::mem::take(&mut *written));
        drop(written);
        if let Some(together) = together {
            self.own_records(appended.head, together);
        }
    }

    fn own_records(&self, head: Head, Written { facts, waiting }: Written) {
        let Some(origin) = &self.own else { return };
        self.replica.moved(origin, head);
        // The only acts of this court that are under way have nothing of its ledger before them in the queue.
        let alone = self.under_way.load(Ordering::Acquire) == facts.len();
        let batch = Batch {
            origin: origin.clone(),
            head: Some(head),
            facts,
            applied: Some(Box::new(move |applied| {
                if applied.is_err() {
                    tracing::error!(
                        "an order is recorded, but lookups here do not show it until the index is made anew"
                    );
                }
                // Recorded they are, whatever became of the index.
                for (waiting, appended) in waiting {
                    waiting.answer(Ok(appended));
                }
            })),
        };
        let queued = if alone { self.at_once(batch) } else { Some(batch) };
        if queued.is_some_and(|batch| !self.apply(batch)) {
            tracing::warn!("orders were recorded while stopping; lookups show them after the restart");
        }
    }
}

/// Counts an act for as long as it is under way.
struct UnderWay<'a>(&'a AtomicUsize);

impl<'a> UnderWay<'a> {
    fn of(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::AcqRel);
        Self(count)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}
