//! The registry behind the interfaces with every operation on record: the outermost layer, so that refusals of the layers below are
//! recorded as well. It adds nothing to answers and takes nothing away.

use std::sync::Arc;

use ccpor_api::message::{
    AmendOrderRequest, AttachImageAnswer, Check, CheckOrderAnswer, CheckOrderRequest, ConfideRequest,
    ConfidentialAnswer, CourtsAnswer, DestroyConfidentialRequest, EndOrderRequest, EnforceAnswer,
    EnforceRequest, FileOrderRequest, Freshness, GetOrderRequest, HandleScanRequest, ListOverdueRequest,
    ListScansRequest, ListWorkRequest, LookupAnswer, LookupRequest, OrderAnswer, OverdueAnswer,
    PersonHistoryAnswer, PersonHistoryRequest, QuarantineAnswer, ReadConfidentialRequest,
    RecordServiceRequest, RecordViolationRequest, ScanAnswer, ScansAnswer, ScrubAnswer, ScrubRequest,
    SealOrderRequest, StatusAnswer, TopologyAnswer, WorkAnswer, WriteAnswer,
};
use ccpor_api::{Backend, Caller, ImageBytes, ImageOffer, ImageOut, Knock, Problem};
use ccpor_audit::{Asked, Operation};
use ccpor_domain::{ImageDigest, OrderId};

use super::asked;
use super::recorder::{Call, Recorder, Seen};

/// A registry whose operations are recorded.
pub struct Audited<B> {
    inner: B,
    recorder: Arc<Recorder>,
}

impl<B: Backend> Audited<B> {
    /// Records what is asked of `inner`.
    pub fn new(inner: B, recorder: Arc<Recorder>) -> Self {
        Self { inner, recorder }
    }

    fn call<'a>(caller: &'a Caller, operation: Operation, asked: Vec<Asked>) -> Call<'a> {
        Call {
            caller,
            operation,
            asked,
        }
    }

    /// Carries out and records an operation that changes an order.
    async fn change(
        &self,
        caller: &Caller,
        operation: Operation,
        asked: Vec<Asked>,
        work: impl Future<Output = Result<WriteAnswer, Problem>>,
    ) -> Result<WriteAnswer, Problem> {
        let call = Self::call(caller, operation, asked);
        self.recorder.around(call, work, written).await
    }
}

/// What an answer to a look-up lets its reader see.
#[must_use]
pub(crate) fn looked_up(answer: &LookupAnswer) -> Seen {
    Seen {
        request: answer.query_id.clone(),
        orders: ids(answer.hits.iter().map(|hit| hit.order_id.as_str())),
        hits: answer.total.max(count(answer.hits.len())),
        shown: asked::hits(&answer.hits),
        also_asked: also_asked(answer.freshness.as_ref()),
        ..Seen::default()
    }
}

/// What the history of a person lets its reader see.
#[must_use]
pub(crate) fn history(answer: &PersonHistoryAnswer) -> Seen {
    let named = answer.orders.iter().filter_map(|named| named.order.as_ref());
    Seen {
        also_asked: also_asked(answer.freshness.as_ref()),
        ..orders(named.map(|order| order.order_id.as_str()))
    }
}

/// What an order lets its reader see.
#[must_use]
pub(crate) fn viewed(answer: &OrderAnswer) -> Seen {
    Seen {
        shown: asked::order_parties(answer),
        also_asked: also_asked(answer.freshness.as_ref()),
        ..orders([answer.order_id.as_str()])
    }
}

/// What is to be enforced, as far as it lets its reader see.
#[must_use]
pub(crate) fn enforced(answer: &EnforceAnswer) -> Seen {
    let others = answer.orders.iter().map(|order| order.order_id.as_str());
    Seen {
        shown: asked::enforced(answer),
        also_asked: also_asked(answer.freshness.as_ref()),
        ..orders(std::iter::once(answer.order_id.as_str()).chain(others))
    }
}

fn also_asked(freshness: Option<&Freshness>) -> String {
    freshness
        .map(|freshness| freshness.also_asked.clone())
        .unwrap_or_default()
}

fn written(answer: &WriteAnswer) -> Seen {
    orders([answer.order_id.as_str()])
}

fn handled(answer: &ScanAnswer) -> Seen {
    let scan = answer.scan.as_ref();
    Seen {
        image: scan.and_then(|scan| image(&scan.blake3)),
        ..orders(scan.map(|scan| scan.order_id.as_str()))
    }
}

fn orders<'a>(named: impl IntoIterator<Item = &'a str>) -> Seen {
    let orders = ids(named);
    Seen {
        hits: count(orders.len()),
        orders,
        ..Seen::default()
    }
}

/// The orders that are named, each once.
fn ids<'a>(named: impl IntoIterator<Item = &'a str>) -> Vec<OrderId> {
    let mut seen = std::collections::BTreeSet::new();
    named
        .into_iter()
        .filter_map(|text| text.parse::<OrderId>().ok())
        .filter(|order| seen.insert(*order))
        .collect()
}

fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

fn image(blake3: &str) -> Option<[u8; 32]> {
    blake3.parse::<ImageDigest>().ok().map(|digest| digest.0)
}

#[tonic::async_trait]
impl<B: Backend> Backend for Audited<B> {
    async fn file_order(&self, caller: &Caller, request: FileOrderRequest) -> Result<WriteAnswer, Problem> {
        let mut asked = asked::parties(request.order.as_ref());
        if !request.scan.is_empty() {
            asked.extend(asked::image(&request.scan));
        }
        let work = self.inner.file_order(caller, request);
        self.change(caller, Operation::FileOrder, asked, work).await
    }

    async fn amend_order(&self, caller: &Caller, request: AmendOrderRequest) -> Result<WriteAnswer, Problem> {
        let mut asked = asked::order(&request.order_id);
        asked.extend(asked::parties(request.order.as_ref()));
        let work = self.inner.amend_order(caller, request);
        self.change(caller, Operation::AmendOrder, asked, work).await
    }

    async fn record_service(
        &self,
        caller: &Caller,
        request: RecordServiceRequest,
    ) -> Result<WriteAnswer, Problem> {
        let asked = asked::order(&request.order_id);
        let work = self.inner.record_service(caller, request);
        self.change(caller, Operation::RecordService, asked, work).await
    }

    async fn end_order(&self, caller: &Caller, request: EndOrderRequest) -> Result<WriteAnswer, Problem> {
        let asked = asked::order(&request.order_id);
        let work = self.inner.end_order(caller, request);
        self.change(caller, Operation::EndOrder, asked, work).await
    }

    async fn record_violation(
        &self,
        caller: &Caller,
        request: RecordViolationRequest,
    ) -> Result<WriteAnswer, Problem> {
        let asked = asked::order(&request.order_id);
        let work = self.inner.record_violation(caller, request);
        self.change(caller, Operation::RecordViolation, asked, work).await
    }

    async fn seal_order(&self, caller: &Caller, request: SealOrderRequest) -> Result<WriteAnswer, Problem> {
        let asked = asked::order(&request.order_id);
        let work = self.inner.seal_order(caller, request);
        self.change(caller, Operation::SealOrder, asked, work).await
    }

    async fn confide(&self, caller: &Caller, request: ConfideRequest) -> Result<WriteAnswer, Problem> {
        let asked = asked::order(&request.order_id);
        let work = self.inner.confide(caller, request);
        self.change(caller, Operation::Confide, asked, work).await
    }

    async fn read_confidential(
        &self,
        caller: &Caller,
        request: ReadConfidentialRequest,
    ) -> Result<ConfidentialAnswer, Problem> {
        let named = request.order_id.clone();
        let call = Self::call(caller, Operation::ReadConfidential, asked::order(&named));
        let seen = |answer: &ConfidentialAnswer| Seen {
            hits: count(answer.sheets.len()),
            ..orders([named.as_str()])
        };
        let work = self.inner.read_confidential(caller, request);
        self.recorder.around(call, work, seen).await
    }

    async fn destroy_confidential(
        &self,
        caller: &Caller,
        request: DestroyConfidentialRequest,
    ) -> Result<WriteAnswer, Problem> {
        let asked = asked::order(&request.order_id);
        let work = self.inner.destroy_confidential(caller, request);
        self.change(caller, Operation::DestroyConfidential, asked, work)
            .await
    }

    async fn attach_image(
        &self,
        caller: &Caller,
        offer: ImageOffer,
        data: ImageBytes,
    ) -> Result<AttachImageAnswer, Problem> {
        let call = Self::call(caller, Operation::AttachImage, asked::order(&offer.order_id));
        let seen = |answer: &AttachImageAnswer| Seen {
            image: answer.image.as_ref().and_then(|attached| image(&attached.blake3)),
            ..answer.write.as_ref().map(written).unwrap_or_default()
        };
        let work = self.inner.attach_image(caller, offer, data);
        self.recorder.around(call, work, seen).await
    }

    async fn get_order(&self, caller: &Caller, request: GetOrderRequest) -> Result<OrderAnswer, Problem> {
        let call = Self::call(caller, Operation::OrderView, asked::order(&request.order_id));
        self.recorder
            .around(call, self.inner.get_order(caller, request), viewed)
            .await
    }

    async fn get_image(&self, caller: &Caller, blake3: &str) -> Result<ImageOut, Problem> {
        let call = Self::call(caller, Operation::ImageView, asked::image(blake3));
        let seen = |out: &ImageOut| Seen {
            image: image(&out.image.blake3),
            hits: 1,
            also_asked: out.also_asked.clone(),
            ..Seen::default()
        };
        self.recorder
            .around(call, self.inner.get_image(caller, blake3), seen)
            .await
    }

    async fn lookup(&self, caller: &Caller, request: LookupRequest) -> Result<LookupAnswer, Problem> {
        let call = Self::call(caller, Operation::LookUp, asked::asked_for(&request));
        self.recorder
            .around(call, self.inner.lookup(caller, request), looked_up)
            .await
    }

    async fn enforce(&self, caller: &Caller, request: EnforceRequest) -> Result<EnforceAnswer, Problem> {
        let call = Self::call(caller, Operation::Enforce, asked::order(&request.order_id));
        self.recorder
            .around(call, self.inner.enforce(caller, request), enforced)
            .await
    }

    async fn check_order(
        &self,
        caller: &Caller,
        request: CheckOrderRequest,
    ) -> Result<CheckOrderAnswer, Problem> {
        let asked = asked::parties(request.order.as_ref());
        let call = Self::call(caller, Operation::CheckOrder, asked);
        let seen =
            |answer: &CheckOrderAnswer| orders(answer.orders.iter().map(|order| order.order_id.as_str()));
        self.recorder
            .around(call, self.inner.check_order(caller, request), seen)
            .await
    }

    async fn person_history(
        &self,
        caller: &Caller,
        request: PersonHistoryRequest,
    ) -> Result<PersonHistoryAnswer, Problem> {
        let asked = request.person.iter().map(asked::somebody).collect();
        let call = Self::call(caller, Operation::PersonHistory, asked);
        self.recorder
            .around(call, self.inner.person_history(caller, request), history)
            .await
    }

    async fn list_overdue(
        &self,
        caller: &Caller,
        request: ListOverdueRequest,
    ) -> Result<OverdueAnswer, Problem> {
        let call = Self::call(caller, Operation::ListOverdue, Vec::new());
        let seen =
            |answer: &OverdueAnswer| orders(answer.entries.iter().map(|entry| entry.order_id.as_str()));
        self.recorder
            .around(call, self.inner.list_overdue(caller, request), seen)
            .await
    }

    async fn list_work(&self, caller: &Caller, request: ListWorkRequest) -> Result<WorkAnswer, Problem> {
        let call = Self::call(caller, Operation::ListWork, Vec::new());
        let seen = |answer: &WorkAnswer| {
            let entries = [&answer.unserved, &answer.expiring, &answer.incomplete];
            let listed = entries.into_iter().flatten();
            orders(listed.filter_map(|entry| entry.order.as_ref().map(|order| order.order_id.as_str())))
        };
        self.recorder
            .around(call, self.inner.list_work(caller, request), seen)
            .await
    }

    async fn list_scans(&self, caller: &Caller, request: ListScansRequest) -> Result<ScansAnswer, Problem> {
        let asked = if request.blake3.is_empty() {
            Vec::new()
        } else {
            asked::image(&request.blake3)
        };
        let call = Self::call(caller, Operation::ListScans, asked);
        let seen = |answer: &ScansAnswer| Seen {
            hits: count(answer.waiting.len().saturating_add(answer.set_aside.len())),
            ..Seen::default()
        };
        self.recorder
            .around(call, self.inner.list_scans(caller, request), seen)
            .await
    }

    async fn add_scan(&self, caller: &Caller, name: String, data: ImageBytes) -> Result<ScanAnswer, Problem> {
        let call = Self::call(caller, Operation::AddScan, Vec::new());
        self.recorder
            .around(call, self.inner.add_scan(caller, name, data), handled)
            .await
    }

    async fn get_scan(&self, caller: &Caller, blake3: &str) -> Result<ImageOut, Problem> {
        let call = Self::call(caller, Operation::ScanView, asked::image(blake3));
        let seen = |out: &ImageOut| Seen {
            image: image(&out.image.blake3),
            hits: 1,
            ..Seen::default()
        };
        self.recorder
            .around(call, self.inner.get_scan(caller, blake3), seen)
            .await
    }

    async fn handle_scan(&self, caller: &Caller, request: HandleScanRequest) -> Result<ScanAnswer, Problem> {
        let mut asked = asked::image(&request.blake3);
        if !request.order_id.is_empty() {
            asked.extend(asked::order(&request.order_id));
        }
        let call = Self::call(caller, Operation::HandleScan, asked);
        self.recorder
            .around(call, self.inner.handle_scan(caller, request), handled)
            .await
    }

    async fn list_courts(&self, caller: &Caller) -> Result<CourtsAnswer, Problem> {
        let call = Self::call(caller, Operation::ListCourts, Vec::new());
        let seen = |_: &CourtsAnswer| Seen::default();
        self.recorder
            .around(call, self.inner.list_courts(caller), seen)
            .await
    }

    async fn status(&self, caller: &Caller) -> Result<StatusAnswer, Problem> {
        let call = Self::call(caller, Operation::Status, Vec::new());
        let seen = |_: &StatusAnswer| Seen::default();
        let mut answer = self
            .recorder
            .around(call, self.inner.status(caller), seen)
            .await?;
        answer.checks.push(self.recorder.check());
        answer.ready = answer.checks.iter().all(|check| check.ok);
        Ok(answer)
    }

    async fn scrub(&self, caller: &Caller, request: ScrubRequest) -> Result<ScrubAnswer, Problem> {
        let call = Self::call(caller, Operation::Scrub, Vec::new());
        let seen = |_: &ScrubAnswer| Seen::default();
        self.recorder
            .around(call, self.inner.scrub(caller, request), seen)
            .await
    }

    async fn list_quarantine(&self, caller: &Caller) -> Result<QuarantineAnswer, Problem> {
        let call = Self::call(caller, Operation::ListQuarantine, Vec::new());
        let seen = |_: &QuarantineAnswer| Seen::default();
        self.recorder
            .around(call, self.inner.list_quarantine(caller), seen)
            .await
    }

    async fn get_topology(&self, caller: &Caller) -> Result<TopologyAnswer, Problem> {
        let call = Self::call(caller, Operation::GetTopology, Vec::new());
        let seen = |_: &TopologyAnswer| Seen::default();
        self.recorder
            .around(call, self.inner.get_topology(caller), seen)
            .await
    }

    async fn knocked(&self, knock: Knock) {
        self.recorder.knocked(knock).await;
    }

    async fn readiness(&self) -> Vec<Check> {
        let mut checks = self.inner.readiness().await;
        checks.push(self.recorder.check());
        checks
    }
}
