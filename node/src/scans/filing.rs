//! How a scan becomes part of an order: the steps between which a crash may fall, and how they are gone on with.

use std::sync::Arc;

use ccpor_api::message::{FileOrderRequest, HandleScanRequest, ScanAnswer, WriteAnswer};
use ccpor_api::{Caller, Code, Problem};
use ccpor_daemon::reading::{blocking, named};
use ccpor_domain::{ImageDigest, OrderId};
use ccpor_registry::{Everything, NoStory};

use super::book::{Note, State};
use super::desk::{Scans, digest, failed, not_here, not_waiting};
use crate::intake::request;

impl Scans {
    pub(super) async fn attach(
        &self,
        caller: &Caller,
        scan: ImageDigest,
        asked: HandleScanRequest,
    ) -> Result<ScanAnswer, Problem> {
        let registry = Arc::clone(&self.registry);
        let order = blocking(move || named(&registry, &Everything, &asked.order_id)).await??;
        let _turn = self.turn.lock().await;
        self.reserve(scan, order).await?;
        let done = self.settle(caller, scan, order, asked.reason).await;
        if done.is_err() {
            self.give_up(scan).await?;
        }
        done?;
        let note = self.book.note(scan).ok_or_else(not_here)?;
        Ok(self.answer(scan, &note, false))
    }

    /// Files an order with a scan that waits.
    pub(crate) async fn file(
        &self,
        caller: &Caller,
        asked: FileOrderRequest,
    ) -> Result<WriteAnswer, Problem> {
        let scan = digest(&asked.scan)?;
        let own = self
            .registry
            .own()
            .ok_or_else(|| Problem::new(Code::NotOffered, "this machine is not a court's node"))?;
        let order = OrderId::derive(own.court(), &asked.idempotency_key);
        let _turn = self.turn.lock().await;
        self.reserve(scan, order).await?;
        let filed = match self.intake.file(caller, asked).await {
            Ok(filed) => filed,
            Err(problem) => {
                // It may have come to be all the same, when the answer to it was lost: then it is completed.
                self.complete_one(scan).await?;
                return Err(problem);
            }
        };
        let settled = self.settle(caller, scan, order, String::new()).await;
        settled.map_err(|problem| {
            let advice = format!(
                "Order {} is filed. This machine adds the scan to it by itself; send it again to be sure.",
                filed.registry_number
            );
            problem.action(advice)
        })?;
        Ok(filed)
    }

    /// Notes into which order a scan is going. The caller has the turn.
    pub(super) async fn reserve(&self, scan: ImageDigest, order: OrderId) -> Result<(), Problem> {
        self.complete_one(scan).await?;
        let note = self.book.note(scan).ok_or_else(not_here)?;
        match note.state {
            State::Filed if note.order == Some(order) => Ok(()),
            State::Waiting => {
                let note = Note {
                    order: Some(order),
                    ..note
                };
                self.write(scan, note).await
            }
            State::Filed | State::SetAside | State::Unreadable => Err(not_waiting(&note)),
        }
    }

    /// Records the image with its order, and takes the scan off the queue.
    async fn settle(
        &self,
        caller: &Caller,
        scan: ImageDigest,
        order: OrderId,
        reason: String,
    ) -> Result<(), Problem> {
        let note = self.book.note(scan).ok_or_else(not_here)?;
        if note.state == State::Filed {
            return Ok(());
        }
        let image = note.image.clone();
        let key: String = scan.to_string().chars().take(32).collect();
        let by = request(caller, format!("scan-{key}"), reason);
        self.intake
            .act(move |registry| registry.attach(by, order, image))
            .await?;
        let note = Note {
            state: State::Filed,
            changed: ccpor_registry::now().0,
            order: Some(order),
            ..note
        };
        self.write(scan, note).await
    }

    /// Forgets into which order a scan was going.
    async fn give_up(&self, scan: ImageDigest) -> Result<(), Problem> {
        match self.book.note(scan) {
            Some(note) if note.state == State::Waiting && note.order.is_some() => {
                self.write(scan, Note { order: None, ..note }).await
            }
            _ => Ok(()),
        }
    }

    /// Goes on where a crash, or a full disk, stopped the filing of an order with its scan; forgets old notes.
    pub(crate) async fn complete(&self) -> Result<(), Problem> {
        let open = self.book.notes(&[State::Waiting]);
        for (scan, _) in open.iter().filter(|(_, note)| note.order.is_some()) {
            let _turn = self.turn.lock().await;
            self.complete_one(*scan).await?;
        }
        let book = Arc::clone(&self.book);
        blocking(move || book.tidy(ccpor_registry::now()).map_err(|error| failed(&error))).await?
    }

    /// As [`Scans::complete`], of one scan, by whoever has the turn.
    pub(super) async fn complete_one(&self, scan: ImageDigest) -> Result<(), Problem> {
        let Some(note) = self.book.note(scan) else {
            return Ok(());
        };
        let Some(order) = note.order.filter(|_| note.state == State::Waiting) else {
            return Ok(());
        };
        let registry = Arc::clone(&self.registry);
        let (story, _) = blocking(move || registry.show(order, None).into_parts()).await?;
        match story {
            Ok(_there) => {}
            Err(NoStory::Unknown(_)) => return self.give_up(scan).await,
            Err(error @ NoStory::NotReadable { .. }) => {
                return Err(Problem::new(Code::IntegrityFailure, error.to_string()));
            }
        }
        match self.settle(&self.node_itself(), scan, order, String::new()).await {
            // The order took another turn meanwhile: a person decides what becomes of the scan.
            Err(problem) if problem.code == Code::StateConflict => {
                tracing::warn!(%scan, %order, "a scan could not be attached to its order; it was set aside");
                let reason = format!("not attached to {}: {}", order.registry_number(), problem.detail);
                let note = Note {
                    state: State::SetAside,
                    changed: ccpor_registry::now().0,
                    order: None,
                    reason,
                    ..note
                };
                self.write(scan, note).await
            }
            done => done,
        }
    }
}
