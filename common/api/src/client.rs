//! The client: the operations over gRPC, with problems as they were meant and clear words when there is no line.

mod failed;
mod scans;

use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use hyper_util::rt::TokioIo;
use tonic::codegen::http::Uri;
use tonic::metadata::AsciiMetadataValue;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status, Streaming};

use crate::backend::{CASE_HEADER, ImageOffer, ORI_HEADER, PURPOSE_HEADER};
use crate::line::{Fault, Memory, connect};
use crate::message::registry_client::RegistryClient;
use crate::message::{
    AmendOrderRequest, AttachImageAnswer, AttachImageRequest, CheckOrderAnswer, CheckOrderRequest,
    ConfideRequest, ConfidentialAnswer, CourtsAnswer, DestroyConfidentialRequest, EndOrderRequest,
    EnforceAnswer, EnforceRequest, FileOrderRequest, GetImageRequest, GetOrderRequest, ImageChunk, ImageRef,
    ListCourtsRequest, ListOverdueRequest, ListQuarantineRequest, ListWorkRequest, LookupAnswer,
    LookupRequest, OrderAnswer, OverdueAnswer, PersonHistoryAnswer, PersonHistoryRequest, QuarantineAnswer,
    ReadConfidentialRequest, RecordServiceRequest, RecordViolationRequest, ScrubAnswer, ScrubRequest,
    SealOrderRequest, StatusAnswer, StatusRequest, TopologyAnswer, TopologyRequest, WorkAnswer, WriteAnswer,
};
use crate::problem::Problem;
use crate::target::Target;

pub use failed::CallFailed;

/// Bytes of an image in one message of an upload.
const PIECE: usize = 64 * 1024;
/// The largest answer that is taken: an order with a long history.
const MAX_ANSWER: usize = 64 * 1024 * 1024;

/// An image on its way in: its description, then its bytes.
pub struct ImageIn {
    /// What it is, as the court signed it.
    pub image: ImageRef,
    /// Its bytes. The reader compares their hash with the description.
    pub data: Pin<Box<dyn Stream<Item = Result<Bytes, CallFailed>> + Send>>,
}

/// Answers of a batch, in the order of the questions.
pub type Answers = Pin<Box<dyn Stream<Item = Result<LookupAnswer, CallFailed>> + Send>>;

/// A connection to a node or the hub. Cheap to clone; connects again by itself after it broke.
#[derive(Clone)]
pub struct Client {
    target: Target,
    memory: Memory,
    registry: RegistryClient<Channel>,
}

impl Client {
    /// Connects. That the server takes our certificate shows only with the first call.
    ///
    /// # Errors
    /// [`CallFailed`]: no address, unreachable, or not trusted.
    pub async fn connect(target: Target) -> Result<Self, CallFailed> {
        let address = target
            .endpoint
            .trim_start_matches("https://")
            .trim_end_matches('/')
            .to_owned();
        let bad = |_error| CallFailed::BadEndpoint {
            endpoint: target.endpoint.clone(),
        };
        // To gRPC the line is plain: TLS is below, in the connector.
        let endpoint = Endpoint::from_shared(format!("http://{address}")).map_err(bad)?;
        if endpoint.uri().port_u16().is_none() {
            return Err(CallFailed::BadEndpoint {
                endpoint: target.endpoint,
            });
        }
        let memory = Memory::default();
        let (tls, time, kept) = (target.tls.clone(), target.connect, memory.clone());
        let connector = tower::service_fn(move |_uri: Uri| {
            let line = connect(address.clone(), tls.clone(), time, kept.clone());
            async move { line.await.map(TokioIo::new) }
        });
        let endpoint = endpoint
            .connect_timeout(target.connect)
            .http2_keep_alive_interval(Duration::from_secs(20))
            .keep_alive_while_idle(true);
        let connected = endpoint.connect_with_connector(connector).await;
        let channel = connected.map_err(|error| no_line(&target, memory.last(), &error))?;
        let registry = RegistryClient::new(channel).max_decoding_message_size(MAX_ANSWER);
        Ok(Self {
            target,
            memory,
            registry,
        })
    }

    /// Whom it asks.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.target.endpoint
    }

    /// Files a new order.
    ///
    /// # Errors
    /// [`CallFailed`].
    pub async fn file_order(&self, message: FileOrderRequest) -> Result<WriteAnswer, CallFailed> {
        let request = self.request(message)?;
        self.timed(Box::pin(self.registry.clone().file_order(request)))
            .await
    }

    /// Files a new version of an order.
    ///
    /// # Errors
    /// [`CallFailed`].
    pub async fn amend_order(&self, message: AmendOrderRequest) -> Result<WriteAnswer, CallFailed> {
        let request = self.request(message)?;
        self.timed(Box::pin(self.registry.clone().amend_order(request)))
            .await
    }

    /// Records service of an order.
    ///
    /// # Errors
    /// [`CallFailed`].
    pub async fn record_service(&self, message: RecordServiceRequest) -> Result<WriteAnswer, CallFailed> {
        let request = self.request(message)?;
        self.timed(Box::pin(self.registry.clone().record_service(request)))
            .await
    }

    /// Ends an order.
    ///
    /// # Errors
    /// [`CallFailed`].
    pub async fn end_order(&self, message: EndOrderRequest) -> Result<WriteAnswer, CallFailed> {
        let request = self.request(message)?;
        self.timed(Box::pin(self.registry.clone().end_order(request)))
            .await
    }

    /// Records a violation that was reported.
    ///
    /// # Errors
    /// [`CallFailed`].
    pub async fn record_violation(&self, message: RecordViolationRequest) -> Result<WriteAnswer, CallFailed> {
        let request = self.request(message)?;
        self.timed(Box::pin(self.registry.clone().record_violation(request)))
            .await
    }

    /// Seals an order, or unseals it.
    ///
    /// # Errors
    /// [`CallFailed`].
    pub async fn seal_order(&self, message: SealOrderRequest) -> Result<WriteAnswer, CallFailed> {
        let request = self.request(message)?;
        self.timed(Box::pin(self.registry.clone().seal_order(request)))
            .await
    }

    /// Adds confidential information to an order.
    ///
    /// # Errors
    /// [`CallFailed`].
    pub async fn confide(&self, message: ConfideRequest) -> Result<WriteAnswer, CallFailed> {
        let request = self.request(message)?;
        self.timed(self.registry.clone().confide(request)).await
    }

    /// Reads the confidential information of an order.
    ///
    /// # Errors
    /// [`CallFailed`].
    pub async fn read_confidential(
        &self,
        message: ReadConfidentialRequest,
    ) -> Result<ConfidentialAnswer, CallFailed> {
        let request = self.request(message)?;
        self.timed(self.registry.clone().read_confidential(request)).await
    }

    /// Destroys the key of confidential information.
    ///
    /// # Errors
    /// [`CallFailed`].
    pub async fn destroy_confidential(
        &self,
        message: DestroyConfidentialRequest,
    ) -> Result<WriteAnswer, CallFailed> {
        let request = self.request(message)?;
        self.timed(self.registry.clone().destroy_confidential(request))
            .await
    }

    /// Attaches an image, all of whose bytes are given.
    ///
    /// # Errors
    /// [`CallFailed`].
    pub async fn attach_image(
        &self,
        offer: ImageOffer,
        data: Bytes,
    ) -> Result<AttachImageAnswer, CallFailed> {
        let first = AttachImageRequest {
            idempotency_key: offer.idempotency_key,
            order_id: offer.order_id,
            title: offer.title,
            reason: offer.reason,
            data: Bytes::new(),
        };
        let pieces = pieces(data).map(|data| AttachImageRequest {
            data,
            ..AttachImageRequest::default()
        });
        let request = self.request(futures_util::stream::iter([first]).chain(pieces))?;
        let answer = self.registry.clone().attach_image(request).await;
        answer
            .map(tonic::Response::into_inner)
            .map_err(|status| self.failed(&status))
    }

    /// Shows an order.
    ///
    /// # Errors
    /// [`CallFailed`].
    pub async fn get_order(&self, message: GetOrderRequest) -> Result<OrderAnswer, CallFailed> {
        let request = self.request(message)?;
        self.timed(self.registry.clone().get_order(request)).await
    }

    /// Opens an image by its BLAKE3.
    ///
    /// # Errors
    /// [`CallFailed`].
    pub async fn get_image(&self, blake3: &str) -> Result<ImageIn, CallFailed> {
        let request = self.request(GetImageRequest {
            blake3: blake3.to_owned(),
        })?;
        let pieces = self.timed(self.registry.clone().get_image(request)).await?;
        self.image_in(pieces).await
    }

    async fn image_in(&self, mut pieces: Streaming<ImageChunk>) -> Result<ImageIn, CallFailed> {
        let first = pieces.message().await.map_err(|status| self.failed(&status))?;
        let image = first
            .and_then(|first| first.image)
            .ok_or_else(|| self.no_registry("an image without a description"))?;
        let client = self.clone();
        let data = pieces.map(move |piece| {
            piece
                .map(|piece| piece.data)
                .map_err(|status| client.failed(&status))
        });
        Ok(ImageIn {
            image,
            data: Box::pin(data),
        })
    }

    /// Asks one question.
    ///
    /// # Errors
    /// [`CallFailed`].
    pub async fn lookup(&self, message: LookupRequest) -> Result<LookupAnswer, CallFailed> {
        let request = self.request(message)?;
        self.timed(self.registry.clone().lookup(request)).await
    }

    /// Asks many questions. An answer may hold a problem of its own question; an error ends the stream.
    ///
    /// # Errors
    /// [`CallFailed`], before the first answer.
    pub async fn lookup_batch(
        &self,
        questions: impl Stream<Item = LookupRequest> + Send + 'static,
    ) -> Result<Answers, CallFailed> {
        let request = self.request(questions)?;
        let answers = self
            .registry
            .clone()
            .lookup_batch(request)
            .await
            .map_err(|status| self.failed(&status))?;
        let client = self.clone();
        Ok(Box::pin(answers.into_inner().map(move |answer| {
            answer.map_err(|status| client.failed(&status))
        })))
    }

    /// What is to be enforced against the person whom an order restrains.
    ///
    /// # Errors
    /// [`CallFailed`].
    pub async fn enforce(&self, message: EnforceRequest) -> Result<EnforceAnswer, CallFailed> {
        let request = self.request(message)?;
        self.timed(self.registry.clone().enforce(request)).await
    }

    /// What a draft clashes with.
    ///
    /// # Errors
    /// [`CallFailed`].
    pub async fn check_order(&self, message: CheckOrderRequest) -> Result<CheckOrderAnswer, CallFailed> {
        let request = self.request(message)?;
        self.timed(Box::pin(self.registry.clone().check_order(request)))
            .await
    }

    /// Every order that names a person.
    ///
    /// # Errors
    /// [`CallFailed`].
    pub async fn person_history(
        &self,
        message: PersonHistoryRequest,
    ) -> Result<PersonHistoryAnswer, CallFailed> {
        let request = self.request(message)?;
        self.timed(self.registry.clone().person_history(request)).await
    }

    /// What was recorded later than the law allows.
    ///
    /// # Errors
    /// [`CallFailed`].
    pub async fn list_overdue(&self, message: ListOverdueRequest) -> Result<OverdueAnswer, CallFailed> {
        let request = self.request(message)?;
        self.timed(self.registry.clone().list_overdue(request)).await
    }

    /// What is left to do with the own court's orders in force.
    ///
    /// # Errors
    /// [`CallFailed`].
    pub async fn list_work(&self) -> Result<WorkAnswer, CallFailed> {
        let request = self.request(ListWorkRequest {})?;
        self.timed(self.registry.clone().list_work(request)).await
    }

    /// The state of every court's ledger.
    ///
    /// # Errors
    /// [`CallFailed`].
    pub async fn list_courts(&self) -> Result<CourtsAnswer, CallFailed> {
        let request = self.request(ListCourtsRequest {})?;
        self.timed(self.registry.clone().list_courts(request)).await
    }

    /// The state of the machine.
    ///
    /// # Errors
    /// [`CallFailed`].
    pub async fn status(&self) -> Result<StatusAnswer, CallFailed> {
        let request = self.request(StatusRequest {})?;
        self.timed(self.registry.clone().status(request)).await
    }

    /// Where the scrub of the machine's stored data stands.
    ///
    /// # Errors
    /// [`CallFailed`].
    pub async fn scrub(&self, message: ScrubRequest) -> Result<ScrubAnswer, CallFailed> {
        let request = self.request(message)?;
        self.timed(self.registry.clone().scrub(request)).await
    }

    /// What was set aside on the machine.
    ///
    /// # Errors
    /// [`CallFailed`].
    pub async fn list_quarantine(&self) -> Result<QuarantineAnswer, CallFailed> {
        let request = self.request(ListQuarantineRequest {})?;
        self.timed(self.registry.clone().list_quarantine(request)).await
    }

    /// Which machines of the registry can be asked, and where. It is still to be verified.
    ///
    /// # Errors
    /// [`CallFailed`].
    pub async fn get_topology(&self) -> Result<TopologyAnswer, CallFailed> {
        let request = self.request(TopologyRequest {})?;
        self.timed(self.registry.clone().get_topology(request)).await
    }

    fn request<T>(&self, message: T) -> Result<Request<T>, CallFailed> {
        let mut request = Request::new(message);
        for (header, said) in [
            (ORI_HEADER, &self.target.ori),
            (PURPOSE_HEADER, &self.target.purpose),
            (CASE_HEADER, &self.target.case_number),
        ] {
            let Some(said) = said else { continue };
            let value = AsciiMetadataValue::try_from(said.as_bytes())
                .map_err(|_unfit| Problem::field(header, "is not plain text"))?;
            request.metadata_mut().insert(header, value);
        }
        Ok(request)
    }

    async fn timed<T>(
        &self,
        call: impl Future<Output = Result<tonic::Response<T>, Status>>,
    ) -> Result<T, CallFailed> {
        match tokio::time::timeout(self.target.call, call).await {
            Ok(answer) => answer
                .map(tonic::Response::into_inner)
                .map_err(|status| self.failed(&status)),
            Err(_elapsed) => Err(CallFailed::NoAnswer {
                endpoint: self.target.endpoint.clone(),
                after: self.target.call,
            }),
        }
    }

    fn failed(&self, status: &Status) -> CallFailed {
        if let Some(problem) = Problem::from_status(status) {
            return CallFailed::Problem(problem);
        }
        match self.memory.last() {
            Some(fault) => no_line(&self.target, Some(fault), status),
            None if std::error::Error::source(status).is_some() => no_line(&self.target, None, status),
            None => self.no_registry(status.message()),
        }
    }

    fn no_registry(&self, reason: &str) -> CallFailed {
        let (endpoint, reason) = (self.target.endpoint.clone(), reason.to_owned());
        CallFailed::NoRegistry { endpoint, reason }
    }
}

/// Bytes in the pieces in which they are sent.
fn pieces(data: Bytes) -> impl Stream<Item = Bytes> {
    futures_util::stream::unfold(data, |mut rest| async move {
        let piece = rest.split_to(rest.len().min(PIECE));
        (!piece.is_empty()).then_some((piece, rest))
    })
}

fn no_line(target: &Target, fault: Option<Fault>, error: &dyn std::fmt::Display) -> CallFailed {
    let endpoint = target.endpoint.clone();
    match fault.unwrap_or_else(|| Fault::Unreachable(error.to_string())) {
        Fault::Unreachable(reason) => CallFailed::Unreachable { endpoint, reason },
        Fault::ServerNotTrusted(reason) => CallFailed::ServerNotTrusted { endpoint, reason },
        Fault::Refused(reason) => CallFailed::Refused { endpoint, reason },
    }
}
