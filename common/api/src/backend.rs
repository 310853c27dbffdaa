//! What a node or the hub does behind the interfaces; this file only names it and must not do any of it.

use std::pin::Pin;

use bytes::Bytes;
use ccpor_certs::listener::Known;
use futures_util::Stream;

use crate::message::{
    AmendOrderRequest, AttachImageAnswer, CallerInfo, Check, CheckOrderAnswer, CheckOrderRequest,
    ConfideRequest, ConfidentialAnswer, CourtsAnswer, DestroyConfidentialRequest, EndOrderRequest,
    EnforceAnswer, EnforceRequest, FileOrderRequest, GetOrderRequest, HandleScanRequest, ImageRef,
    ListOverdueRequest, ListScansRequest, ListWorkRequest, LookupAnswer, LookupRequest, OrderAnswer,
    OverdueAnswer, PersonHistoryAnswer, PersonHistoryRequest, QuarantineAnswer, ReadConfidentialRequest,
    RecordServiceRequest, RecordViolationRequest, ScanAnswer, ScansAnswer, ScrubAnswer, ScrubRequest,
    SealOrderRequest, StatusAnswer, TopologyAnswer, WorkAnswer, WriteAnswer,
};
use crate::problem::{Code, Problem};

/// The header (and gRPC metadata) in which a caller of several agencies says for which one it calls.
pub const ORI_HEADER: &str = "ccpor-ori";

/// The header (and gRPC metadata) in which a caller says why it asks: words, up to [`MAX_PURPOSE`] characters.
pub const PURPOSE_HEADER: &str = "ccpor-purpose";

/// The header (and gRPC metadata) with the caller's own number of the case or incident: up to [`MAX_CASE_NUMBER`] characters.
pub const CASE_HEADER: &str = "ccpor-case";

/// The most characters of a stated purpose.
pub const MAX_PURPOSE: usize = 100;

/// The most characters of a stated case number.
pub const MAX_CASE_NUMBER: usize = 64;

/// Who is asking and why: who is read from the client certificate of the connection, never from the message; why is what the
/// caller states with the call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Caller {
    /// The identity in the certificate as a path: `lea/alameda-so`, `system/alameda-cms`, `court/alameda/node/1`.
    pub identity: String,
    /// Every agency (ORI, nine characters) that the certificate allows to act for.
    pub oris: Vec<String>,
    /// The agency that this call is made for: the header `ccpor-ori`, or the only one of the certificate; else empty.
    pub ori: String,
    /// Why this call is made, in the caller's words: the header `ccpor-purpose`; empty when not stated.
    pub purpose: String,
    /// The caller's number of the case or incident that this call is for: the header `ccpor-case`; empty when not stated.
    pub case_number: String,
    /// The person at the desk, when the call came with a session; `identity` is then the machine at which it was opened.
    pub person: Option<Person>,
    /// The node that passes the call on for its caller; empty when the caller called here.
    pub via: String,
    /// The address and port that the connection came from; empty when it is not known.
    pub source: String,
}

/// A person with a session, as the account says.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Person {
    /// The name of the account.
    pub account: String,
    /// The word of its role.
    pub role: String,
    /// The court (`court/alameda`) or agency (an ORI) that it belongs to; empty for neither.
    pub of: String,
    /// Which session, for the records; not what opens it.
    pub session: String,
}

/// Somebody at the door of the interface. No operation: it is told so that it can be recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Knock {
    /// The address and port that the connection came from.
    pub source: String,
    /// Who, when the certificate says so.
    pub caller: Option<Caller>,
    /// What came of it.
    pub arrival: Arrival,
}

/// What came of somebody at the door.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// The connection was made with a certificate that names a caller.
    LoggedOn,
    /// The TLS handshake failed: no TLS at all, or a certificate that is not of this registry; or of somebody who is known and was
    /// refused.
    NoHandshake(Option<Known>),
    /// A call was turned away before it reached an operation.
    TurnedAway(Problem),
}

impl Caller {
    /// The same as a message.
    #[must_use]
    pub fn to_message(&self) -> CallerInfo {
        CallerInfo {
            identity: self.identity.clone(),
            ori: self.ori.clone(),
            oris: self.oris.clone(),
        }
    }
}

/// What is to be attached, without its bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImageOffer {
    /// See `AttachImageRequest.idempotency_key`; checked for its shape.
    pub idempotency_key: String,
    /// The order: an order id or a registry number.
    pub order_id: String,
    /// For people; may be empty.
    pub title: String,
    /// Why, for the history; may be empty.
    pub reason: String,
}

/// Bytes of an image on their way. An error ends the stream: what came before it is then not the whole image.
pub type ImageBytes = Pin<Box<dyn Stream<Item = Result<Bytes, Problem>> + Send>>;

/// An image on its way out.
pub struct ImageOut {
    /// What it is; `length` is the count of bytes that `data` gives.
    pub image: ImageRef,
    /// Its bytes, verified against its hash by the backend before any is given.
    pub data: ImageBytes,
    /// The machine that was asked as well, and said that it may be shown; empty when none was.
    pub also_asked: String,
}

/// The registry behind the interfaces; a node and the hub each have one.
///
/// Both faces, gRPC and REST, call exactly these operations. Before a call the interface has checked: the certificate, the
/// agency, sizes, and that a write has an idempotency key of the right shape. Everything else is the backend's to check. Each
/// operation returns a [`Problem`] that holds no personal data. Answers that have a `freshness` must fill it: one without is held back. Operations are cut off when their time is over, so a
/// write that has begun must be finished by a task of the backend's own, and its repetition answered by the idempotency key.
#[tonic::async_trait]
pub trait Backend: Send + Sync + 'static {
    /// Files a new order; returns when it is durable.
    async fn file_order(&self, caller: &Caller, request: FileOrderRequest) -> Result<WriteAnswer, Problem>;

    /// Files a new version of an order.
    async fn amend_order(&self, caller: &Caller, request: AmendOrderRequest) -> Result<WriteAnswer, Problem>;

    /// Records service, or an attempt of it.
    async fn record_service(
        &self,
        caller: &Caller,
        request: RecordServiceRequest,
    ) -> Result<WriteAnswer, Problem>;

    /// Ends an order.
    async fn end_order(&self, caller: &Caller, request: EndOrderRequest) -> Result<WriteAnswer, Problem>;

    /// Records a violation that was reported.
    async fn record_violation(
        &self,
        caller: &Caller,
        request: RecordViolationRequest,
    ) -> Result<WriteAnswer, Problem>;

    /// Seals an order, or unseals it.
    async fn seal_order(&self, caller: &Caller, request: SealOrderRequest) -> Result<WriteAnswer, Problem>;

    /// Adds confidential information to an order of this court.
    async fn confide(&self, caller: &Caller, request: ConfideRequest) -> Result<WriteAnswer, Problem>;

    /// Reads the confidential information of an order of this court. That it was read is recorded before the answer is returned.
    async fn read_confidential(
        &self,
        caller: &Caller,
        request: ReadConfidentialRequest,
    ) -> Result<ConfidentialAnswer, Problem>;

    /// Destroys the key of confidential information.
    async fn destroy_confidential(
        &self,
        caller: &Caller,
        request: DestroyConfidentialRequest,
    ) -> Result<WriteAnswer, Problem>;

    /// Attaches an image. The type is found from the content, never from a name or header.
    ///
    /// `data` ends with an error when the image is over the limit or the sender went away: then nothing may be kept.
    async fn attach_image(
        &self,
        caller: &Caller,
        offer: ImageOffer,
        data: ImageBytes,
    ) -> Result<AttachImageAnswer, Problem>;

    /// Shows an order with its history.
    async fn get_order(&self, caller: &Caller, request: GetOrderRequest) -> Result<OrderAnswer, Problem>;

    /// Opens an image by its BLAKE3 (checked for its shape: 64 lower-case hexadecimal digits).
    async fn get_image(&self, caller: &Caller, blake3: &str) -> Result<ImageOut, Problem>;

    /// Answers a question. That it was asked is recorded before the answer is returned.
    async fn lookup(&self, caller: &Caller, request: LookupRequest) -> Result<LookupAnswer, Problem>;

    /// What is to be enforced against the person whom an order restrains.
    async fn enforce(&self, caller: &Caller, request: EnforceRequest) -> Result<EnforceAnswer, Problem>;

    /// What a draft clashes with.
    async fn check_order(
        &self,
        caller: &Caller,
        request: CheckOrderRequest,
    ) -> Result<CheckOrderAnswer, Problem>;

    /// Every order that names a person. That it was asked is recorded before the answer is returned.
    async fn person_history(
        &self,
        caller: &Caller,
        request: PersonHistoryRequest,
    ) -> Result<PersonHistoryAnswer, Problem>;

    /// What was recorded later than the law allows.
    async fn list_overdue(
        &self,
        caller: &Caller,
        request: ListOverdueRequest,
    ) -> Result<OverdueAnswer, Problem>;

    /// What is left to do with the own court's orders in force. That it was asked is recorded before the answer is returned.
    async fn list_work(&self, caller: &Caller, request: ListWorkRequest) -> Result<WorkAnswer, Problem>;

    /// The scans that wait for their order. A machine that is no court's node has none.
    async fn list_scans(&self, _caller: &Caller, _request: ListScansRequest) -> Result<ScansAnswer, Problem> {
        Err(no_scans())
    }

    /// Takes in a scan that waits for its order; returns when it is durable. `data` as for [`Backend::attach_image`]; `name` is what
    /// to call it.
    async fn add_scan(
        &self,
        _caller: &Caller,
        _name: String,
        _data: ImageBytes,
    ) -> Result<ScanAnswer, Problem> {
        Err(no_scans())
    }

    /// Opens a scan that waits, by its BLAKE3 (checked for its shape).
    async fn get_scan(&self, _caller: &Caller, _blake3: &str) -> Result<ImageOut, Problem> {
        Err(no_scans())
    }

    /// Does something with a scan that waits (its BLAKE3 is checked for its shape); returns when it is durable.
    async fn handle_scan(
        &self,
        _caller: &Caller,
        _request: HandleScanRequest,
    ) -> Result<ScanAnswer, Problem> {
        Err(no_scans())
    }

    /// The state of every court's ledger.
    async fn list_courts(&self, caller: &Caller) -> Result<CourtsAnswer, Problem>;

    /// The state of this machine; the interface fills in `caller`.
    async fn status(&self, caller: &Caller) -> Result<StatusAnswer, Problem>;

    /// Where the scrub of stored data stands; begins a pass when asked to.
    async fn scrub(&self, caller: &Caller, request: ScrubRequest) -> Result<ScrubAnswer, Problem>;

    /// What was set aside.
    async fn list_quarantine(&self, caller: &Caller) -> Result<QuarantineAnswer, Problem>;

    /// Which machines of the registry can be asked, signed by a hub.
    async fn get_topology(&self, caller: &Caller) -> Result<TopologyAnswer, Problem>;

    /// Somebody came to the door. A call that is turned away is answered after this returns.
    async fn knocked(&self, _knock: Knock) {}

    /// The named checks of readiness, for `/readyz` and the gRPC health service. Ready means that all are `ok`.
    async fn readiness(&self) -> Vec<Check>;
}

fn no_scans() -> Problem {
    Problem::new(
        Code::NotOffered,
        "scans wait for their orders at the node of their court alone",
    )
}
