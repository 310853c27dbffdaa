//! The hub behind its programming interface: the lookups and orders of every court. Orders are written at the courts.

use std::sync::Arc;

use ccpor_api::message::{
    AmendOrderRequest, AttachImageAnswer, Check, CheckOrderAnswer, CheckOrderRequest, ConfideRequest,
    ConfidentialAnswer, CourtsAnswer, DestroyConfidentialRequest, EndOrderRequest, EnforceAnswer,
    EnforceRequest, FileOrderRequest, GetOrderRequest, ListOverdueRequest, ListWorkRequest, LookupAnswer,
    LookupRequest, OrderAnswer, OverdueAnswer, PersonHistoryAnswer, PersonHistoryRequest, QuarantineAnswer,
    ReadConfidentialRequest, RecordServiceRequest, RecordViolationRequest, ScrubAnswer, ScrubRequest,
    SealOrderRequest, StatusAnswer, TopologyAnswer, WorkAnswer, WriteAnswer,
};
use ccpor_api::{Backend, Caller, Code, ImageBytes, ImageOffer, ImageOut, Problem};
use ccpor_daemon::certificate::Certificate;
use ccpor_daemon::reading::images::{self, Whereabouts};
use ccpor_daemon::reading::{self, Reader, blocking, care};
use ccpor_daemon::scrub::Scrub;
use ccpor_daemon::topology::{self, Book};

use crate::landing::Nodes;

/// Everything that a hub offers to programs.
pub(crate) struct HubService {
    reader: Reader,
    certificate: Certificate,
    nodes: Nodes,
    scrub: Scrub,
    book: Arc<Book>,
}

impl HubService {
    pub(crate) fn new(
        reader: Reader,
        certificate: Certificate,
        nodes: Nodes,
        scrub: Scrub,
        book: Arc<Book>,
    ) -> Self {
        Self {
            reader,
            certificate,
            nodes,
            scrub,
            book,
        }
    }
}

fn not_here<T>() -> Result<T, Problem> {
    Err(Problem::new(
        Code::NotOffered,
        "the hub writes no orders: each court signs its own at its node",
    ))
}

#[tonic::async_trait]
impl Backend for HubService {
    async fn file_order(&self, _: &Caller, _: FileOrderRequest) -> Result<WriteAnswer, Problem> {
        not_here()
    }

    async fn amend_order(&self, _: &Caller, _: AmendOrderRequest) -> Result<WriteAnswer, Problem> {
        not_here()
    }

    async fn record_service(&self, _: &Caller, _: RecordServiceRequest) -> Result<WriteAnswer, Problem> {
        not_here()
    }

    async fn end_order(&self, _: &Caller, _: EndOrderRequest) -> Result<WriteAnswer, Problem> {
        not_here()
    }

    async fn record_violation(&self, _: &Caller, _: RecordViolationRequest) -> Result<WriteAnswer, Problem> {
        not_here()
    }

    async fn seal_order(&self, _: &Caller, _: SealOrderRequest) -> Result<WriteAnswer, Problem> {
        not_here()
    }

    async fn attach_image(
        &self,
        _: &Caller,
        _: ImageOffer,
        _: ImageBytes,
    ) -> Result<AttachImageAnswer, Problem> {
        not_here()
    }

    async fn get_order(&self, caller: &Caller, request: GetOrderRequest) -> Result<OrderAnswer, Problem> {
        self.reader.order(caller, request).await
    }

    async fn get_image(&self, caller: &Caller, blake3: &str) -> Result<ImageOut, Problem> {
        let sight = self.reader.sight(caller)?;
        let known = match images::find(self.reader.registry(), &sight, blake3).await? {
            Whereabouts::Here(image) => return Ok(image),
            Whereabouts::Unknown | Whereabouts::Hidden => return Err(images::unknown()),
            Whereabouts::Elsewhere(known) => known,
        };
        self.nodes
            .fetch(&known)
            .await
            .map_err(|reason| images::unavailable(&known, &reason))?;
        match images::find(self.reader.registry(), &sight, blake3).await? {
            Whereabouts::Here(image) => Ok(image),
            _ => Err(images::unavailable(
                &known,
                "what the court's node sent was not the image",
            )),
        }
    }

    async fn lookup(&self, caller: &Caller, request: LookupRequest) -> Result<LookupAnswer, Problem> {
        self.reader.lookup(caller, request).await
    }

    async fn list_courts(&self, _caller: &Caller) -> Result<CourtsAnswer, Problem> {
        let registry = Arc::clone(self.reader.registry());
        let up = self.nodes.connected();
        let (mut versions, mut ends) = (self.book.versions(), self.nodes.certificate_ends());
        let mut answer = blocking(move || reading::courts(&registry, |origin| up.contains(origin))).await?;
        for court in &mut answer.courts {
            court.version = versions.remove(&court.origin).unwrap_or_default();
            court.certificate_ends = ends.remove(&court.origin).unwrap_or_default();
        }
        Ok(answer)
    }

    async fn status(&self, _caller: &Caller) -> Result<StatusAnswer, Problem> {
        reading::status(
            &self.reader,
            &self.certificate,
            env!("CARGO_PKG_VERSION"),
            self.nodes.messages(),
        )
        .await
    }

    async fn enforce(&self, caller: &Caller, request: EnforceRequest) -> Result<EnforceAnswer, Problem> {
        self.reader.enforce(caller, request).await
    }

    async fn check_order(
        &self,
        caller: &Caller,
        request: CheckOrderRequest,
    ) -> Result<CheckOrderAnswer, Problem> {
        self.reader.check_order(caller, request).await
    }

    async fn person_history(
        &self,
        caller: &Caller,
        request: PersonHistoryRequest,
    ) -> Result<PersonHistoryAnswer, Problem> {
        self.reader.person_history(caller, request).await
    }

    async fn list_overdue(
        &self,
        caller: &Caller,
        request: ListOverdueRequest,
    ) -> Result<OverdueAnswer, Problem> {
        self.reader.list_overdue(caller, request).await
    }

    async fn list_work(&self, caller: &Caller, _request: ListWorkRequest) -> Result<WorkAnswer, Problem> {
        self.reader.list_work(caller).await
    }

    async fn scrub(&self, _caller: &Caller, request: ScrubRequest) -> Result<ScrubAnswer, Problem> {
        care::scrub(self.reader.registry(), &self.scrub, request).await
    }

    async fn list_quarantine(&self, _caller: &Caller) -> Result<QuarantineAnswer, Problem> {
        care::quarantine(self.reader.registry()).await
    }

    async fn confide(&self, _: &Caller, _: ConfideRequest) -> Result<WriteAnswer, Problem> {
        not_here()
    }

    async fn read_confidential(
        &self,
        _: &Caller,
        _: ReadConfidentialRequest,
    ) -> Result<ConfidentialAnswer, Problem> {
        Err(Problem::new(
            Code::NotOffered,
            "the hub cannot read confidential information: ask the node of the issuing court, or call the court",
        ))
    }

    async fn destroy_confidential(
        &self,
        _: &Caller,
        _: DestroyConfidentialRequest,
    ) -> Result<WriteAnswer, Problem> {
        not_here()
    }

    async fn get_topology(&self, _caller: &Caller) -> Result<TopologyAnswer, Problem> {
        topology::answer(Some(self.book.signed()))
    }

    async fn readiness(&self) -> Vec<Check> {
        reading::readiness(&self.reader, &self.certificate)
    }
}
