//! The gRPC face: takes messages off the wire, hands them to the operations, and puts answers and problems back.

use std::pin::Pin;

use futures_util::{Stream, StreamExt};
use tonic::{Request, Response, Status, Streaming};

use crate::backend::{Caller, ImageBytes, ImageOffer, ImageOut};
use crate::message::registry_server::Registry;
use crate::message::{
    AddScanRequest, AmendOrderRequest, AttachImageAnswer, AttachImageRequest, CheckOrderAnswer,
    CheckOrderRequest, ConfideRequest, ConfidentialAnswer, CourtsAnswer, DestroyConfidentialRequest,
    EndOrderRequest, EnforceAnswer, EnforceRequest, FileOrderRequest, GetImageRequest, GetOrderRequest,
    GetScanRequest, HandleScanRequest, ImageChunk, ListCourtsRequest, ListOverdueRequest,
    ListQuarantineRequest, ListScansRequest, ListWorkRequest, LookupAnswer, LookupRequest, OrderAnswer,
    OverdueAnswer, PersonHistoryAnswer, PersonHistoryRequest, QuarantineAnswer, ReadConfidentialRequest,
    RecordServiceRequest, RecordViolationRequest, ScanAnswer, ScansAnswer, ScrubAnswer, ScrubRequest,
    SealOrderRequest, StatusAnswer, StatusRequest, TopologyAnswer, TopologyRequest, WorkAnswer, WriteAnswer,
};
use crate::operations::{Operations, Question};
use crate::problem::{Code, Problem};

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// The service behind the generated server.
pub(crate) struct GrpcFace(pub(crate) Operations);

impl GrpcFace {
    /// The first message of a stream.
    async fn first<T>(&self, messages: &mut Streaming<T>) -> Result<T, Problem> {
        let first = match tokio::time::timeout(self.0.limits().silence, messages.message()).await {
            Ok(first) => first.map_err(|status| wire_problem(&status))?,
            Err(_elapsed) => return Err(Problem::new(Code::Timeout, "no message came")),
        };
        first.ok_or_else(|| Problem::new(Code::MalformedRequest, "the stream held no message"))
    }
}

/// An image as messages: its description first.
fn chunks(out: ImageOut) -> Answers<ImageChunk> {
    let first = ImageChunk {
        image: Some(out.image),
        ..ImageChunk::default()
    };
    let pieces = out.data.map(|piece| match piece {
        Ok(data) => Ok(ImageChunk { image: None, data }),
        Err(problem) => Err(problem.to_status()),
    });
    Box::pin(futures_util::stream::iter([Ok(first)]).chain(pieces))
}

#[tonic::async_trait]
impl Registry for GrpcFace {
    async fn file_order(&self, request: Request<FileOrderRequest>) -> Result<Response<WriteAnswer>, Status> {
        let (caller, message) = opened(request)?;
        Ok(Response::new(self.0.file_order(caller, message).await?))
    }

    async fn amend_order(
        &self,
        request: Request<AmendOrderRequest>,
    ) -> Result<Response<WriteAnswer>, Status> {
        let (caller, message) = opened(request)?;
        Ok(Response::new(self.0.amend_order(caller, message).await?))
    }

    async fn record_service(
        &self,
        request: Request<RecordServiceRequest>,
    ) -> Result<Response<WriteAnswer>, Status> {
        let (caller, message) = opened(request)?;
        Ok(Response::new(self.0.record_service(caller, message).await?))
    }

    async fn end_order(&self, request: Request<EndOrderRequest>) -> Result<Response<WriteAnswer>, Status> {
        let (caller, message) = opened(request)?;
        Ok(Response::new(self.0.end_order(caller, message).await?))
    }

    async fn record_violation(
        &self,
        request: Request<RecordViolationRequest>,
    ) -> Result<Response<WriteAnswer>, Status> {
        let (caller, message) = opened(request)?;
        Ok(Response::new(self.0.record_violation(caller, message).await?))
    }

    async fn seal_order(&self, request: Request<SealOrderRequest>) -> Result<Response<WriteAnswer>, Status> {
        let (caller, message) = opened(request)?;
        Ok(Response::new(self.0.seal_order(caller, message).await?))
    }

    async fn attach_image(
        &self,
        request: Request<Streaming<AttachImageRequest>>,
    ) -> Result<Response<AttachImageAnswer>, Status> {
        let (caller, mut messages) = opened(request)?;
        let first = self.first(&mut messages).await?;
        let offer = ImageOffer {
            idempotency_key: first.idempotency_key,
            order_id: first.order_id,
            title: first.title,
            reason: first.reason,
        };
        let rest = messages.map(|message| {
            message
                .map(|part| part.data)
                .map_err(|status| wire_problem(&status))
        });
        let data: ImageBytes = Box::pin(futures_util::stream::iter([Ok(first.data)]).chain(rest));
        Ok(Response::new(self.0.attach_image(caller, offer, data).await?))
    }

    async fn get_order(&self, request: Request<GetOrderRequest>) -> Result<Response<OrderAnswer>, Status> {
        let (caller, message) = opened(request)?;
        Ok(Response::new(self.0.get_order(&caller, message).await?))
    }

    type GetImageStream = Answers<ImageChunk>;

    async fn get_image(
        &self,
        request: Request<GetImageRequest>,
    ) -> Result<Response<Self::GetImageStream>, Status> {
        let (caller, message) = opened(request)?;
        Ok(Response::new(chunks(
            self.0.get_image(&caller, &message.blake3).await?,
        )))
    }

    async fn lookup(&self, request: Request<LookupRequest>) -> Result<Response<LookupAnswer>, Status> {
        let (caller, message) = opened(request)?;
        Ok(Response::new(self.0.lookup(&caller, message).await?))
    }

    type LookupBatchStream = Answers<LookupAnswer>;

    async fn lookup_batch(
        &self,
        request: Request<Streaming<LookupRequest>>,
    ) -> Result<Response<Self::LookupBatchStream>, Status> {
        let (caller, messages) = opened(request)?;
        let questions = messages.map(|message| match message {
            Ok(question) => Ok(Question::Asked(Box::new(question))),
            Err(status) => Err(wire_problem(&status)),
        });
        let answers = self
            .0
            .lookup_batch(caller, questions)
            .map(|answer| answer.map_err(Status::from));
        Ok(Response::new(Box::pin(answers)))
    }

    async fn enforce(&self, request: Request<EnforceRequest>) -> Result<Response<EnforceAnswer>, Status> {
        let (caller, message) = opened(request)?;
        Ok(Response::new(self.0.enforce(&caller, message).await?))
    }

    async fn check_order(
        &self,
        request: Request<CheckOrderRequest>,
    ) -> Result<Response<CheckOrderAnswer>, Status> {
        let (caller, message) = opened(request)?;
        Ok(Response::new(self.0.check_order(&caller, message).await?))
    }

    async fn person_history(
        &self,
        request: Request<PersonHistoryRequest>,
    ) -> Result<Response<PersonHistoryAnswer>, Status> {
        let (caller, message) = opened(request)?;
        Ok(Response::new(self.0.person_history(&caller, message).await?))
    }

    async fn list_overdue(
        &self,
        request: Request<ListOverdueRequest>,
    ) -> Result<Response<OverdueAnswer>, Status> {
        let (caller, message) = opened(request)?;
        Ok(Response::new(self.0.list_overdue(&caller, message).await?))
    }

    async fn list_work(&self, request: Request<ListWorkRequest>) -> Result<Response<WorkAnswer>, Status> {
        let (caller, message) = opened(request)?;
        Ok(Response::new(self.0.list_work(&caller, message).await?))
    }

    async fn list_scans(&self, request: Request<ListScansRequest>) -> Result<Response<ScansAnswer>, Status> {
        let (caller, message) = opened(request)?;
        Ok(Response::new(self.0.list_scans(&caller, message).await?))
    }

    async fn add_scan(
        &self,
        request: Request<Streaming<AddScanRequest>>,
    ) -> Result<Response<ScanAnswer>, Status> {
        let (caller, mut messages) = opened(request)?;
        let first = self.first(&mut messages).await?;
        let rest = messages.map(|message| {
            message
                .map(|part| part.data)
                .map_err(|status| wire_problem(&status))
        });
        let data: ImageBytes = Box::pin(futures_util::stream::iter([Ok(first.data)]).chain(rest));
        Ok(Response::new(self.0.add_scan(caller, first.name, data).await?))
    }

    type GetScanStream = Answers<ImageChunk>;

    async fn get_scan(
        &self,
        request: Request<GetScanRequest>,
    ) -> Result<Response<Self::GetScanStream>, Status> {
        let (caller, message) = opened(request)?;
        Ok(Response::new(chunks(
            self.0.get_scan(&caller, &message.blake3).await?,
        )))
    }

    async fn handle_scan(&self, request: Request<HandleScanRequest>) -> Result<Response<ScanAnswer>, Status> {
        let (caller, message) = opened(request)?;
        Ok(Response::new(self.0.handle_scan(caller, message).await?))
    }

    async fn list_courts(
        &self,
        request: Request<ListCourtsRequest>,
    ) -> Result<Response<CourtsAnswer>, Status> {
        let (caller, _message) = opened(request)?;
        Ok(Response::new(self.0.list_courts(&caller).await?))
    }

    async fn status(&self, request: Request<StatusRequest>) -> Result<Response<StatusAnswer>, Status> {
        let (caller, _message) = opened(request)?;
        Ok(Response::new(self.0.status(&caller).await?))
    }

    async fn scrub(&self, request: Request<ScrubRequest>) -> Result<Response<ScrubAnswer>, Status> {
        let (caller, message) = opened(request)?;
        Ok(Response::new(self.0.scrub(&caller, message).await?))
    }

    async fn list_quarantine(
        &self,
        request: Request<ListQuarantineRequest>,
    ) -> Result<Response<QuarantineAnswer>, Status> {
        let (caller, _message) = opened(request)?;
        Ok(Response::new(self.0.list_quarantine(&caller).await?))
    }

    async fn confide(&self, request: Request<ConfideRequest>) -> Result<Response<WriteAnswer>, Status> {
        let (caller, message) = opened(request)?;
        Ok(Response::new(self.0.confide(caller, message).await?))
    }

    async fn read_confidential(
        &self,
        request: Request<ReadConfidentialRequest>,
    ) -> Result<Response<ConfidentialAnswer>, Status> {
        let (caller, message) = opened(request)?;
        Ok(Response::new(self.0.read_confidential(&caller, message).await?))
    }

    async fn destroy_confidential(
        &self,
        request: Request<DestroyConfidentialRequest>,
    ) -> Result<Response<WriteAnswer>, Status> {
        let (caller, message) = opened(request)?;
        Ok(Response::new(self.0.destroy_confidential(caller, message).await?))
    }

    async fn get_topology(
        &self,
        request: Request<TopologyRequest>,
    ) -> Result<Response<TopologyAnswer>, Status> {
        let (caller, _message) = opened(request)?;
        Ok(Response::new(self.0.get_topology(&caller).await?))
    }
}

/// The problem of a call that the gRPC library itself gave up: it speaks of the wire, so its words are not passed on.
pub(crate) fn wire_problem(status: &Status) -> Problem {
    match status.code() {
        tonic::Code::OutOfRange | tonic::Code::ResourceExhausted => {
            Problem::new(Code::TooLarge, "a message is over the limit of its size")
        }
        tonic::Code::Unimplemented => {
            Problem::new(Code::NoSuchOperation, "there is no such service or method")
        }
        tonic::Code::Cancelled | tonic::Code::Unknown => Problem::new(
            Code::MalformedRequest,
            "the caller broke off in the middle of the call",
        ),
        tonic::Code::DeadlineExceeded => Problem::new(Code::Timeout, "the caller's deadline has passed"),
        _ => Problem::new(
            Code::MalformedRequest,
            "the bytes are not the message that the method takes",
        ),
    }
}

/// The caller, set on every admitted request, and the message.
fn opened<T>(mut request: Request<T>) -> Result<(Caller, T), Problem> {
    let caller = request.extensions_mut().remove::<Caller>();
    let caller =
        caller.ok_or_else(|| Problem::new(Code::NotAuthenticated, "the connection names no caller"))?;
    Ok((caller, request.into_inner()))
}
