//! A registry that answers lookups and nothing else, and records nothing: what the audit trail is measured against. No program of the
//! registry serves like this.

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
use ccpor_daemon::reading::Reader;
use ccpor_daemon::sharing::Sharing;
use ccpor_registry::Registry;

/// The lookups of a registry.
pub(super) struct Bare(Reader);

impl Bare {
    pub(super) fn new(registry: Arc<Registry>) -> Self {
        let sharing = Arc::new(Sharing::open(registry.directory(), None));
        Self(Reader::new(registry, sharing))
    }
}

fn not_here<T>() -> Result<T, Problem> {
    Err(Problem::new(Code::NotOffered, "only lookups are measured"))
}

#[tonic::async_trait]
impl Backend for Bare {
    async fn lookup(&self, caller: &Caller, request: LookupRequest) -> Result<LookupAnswer, Problem> {
        self.0.lookup(caller, request).await
    }

    async fn readiness(&self) -> Vec<Check> {
        Vec::new()
    }

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

    async fn get_order(&self, _: &Caller, _: GetOrderRequest) -> Result<OrderAnswer, Problem> {
        not_here()
    }

    async fn get_image(&self, _: &Caller, _: &str) -> Result<ImageOut, Problem> {
        not_here()
    }

    async fn enforce(&self, _: &Caller, _: EnforceRequest) -> Result<EnforceAnswer, Problem> {
        not_here()
    }

    async fn check_order(&self, _: &Caller, _: CheckOrderRequest) -> Result<CheckOrderAnswer, Problem> {
        not_here()
    }

    async fn person_history(
        &self,
        _: &Caller,
        _: PersonHistoryRequest,
    ) -> Result<PersonHistoryAnswer, Problem> {
        not_here()
    }

    async fn list_overdue(&self, _: &Caller, _: ListOverdueRequest) -> Result<OverdueAnswer, Problem> {
        not_here()
    }

    async fn list_work(&self, _: &Caller, _: ListWorkRequest) -> Result<WorkAnswer, Problem> {
        not_here()
    }

    async fn list_courts(&self, _: &Caller) -> Result<CourtsAnswer, Problem> {
        not_here()
    }

    async fn status(&self, _: &Caller) -> Result<StatusAnswer, Problem> {
        not_here()
    }

    async fn scrub(&self, _: &Caller, _: ScrubRequest) -> Result<ScrubAnswer, Problem> {
        not_here()
    }

    async fn list_quarantine(&self, _: &Caller) -> Result<QuarantineAnswer, Problem> {
        not_here()
    }

    async fn confide(&self, _: &Caller, _: ConfideRequest) -> Result<WriteAnswer, Problem> {
        not_here()
    }

    async fn read_confidential(
        &self,
        _: &Caller,
        _: ReadConfidentialRequest,
    ) -> Result<ConfidentialAnswer, Problem> {
        not_here()
    }

    async fn destroy_confidential(
        &self,
        _: &Caller,
        _: DestroyConfidentialRequest,
    ) -> Result<WriteAnswer, Problem> {
        not_here()
    }

    async fn get_topology(&self, _: &Caller) -> Result<TopologyAnswer, Problem> {
        not_here()
    }
}
