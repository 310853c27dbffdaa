//! The node behind its programming interface: sends each operation to the station that does it.

use std::sync::Arc;

use ccpor_api::message::{
    AmendOrderRequest, AttachImageAnswer, Check, CheckOrderAnswer, CheckOrderRequest, ConfideRequest,
    ConfidentialAnswer, CourtsAnswer, DestroyConfidentialRequest, EndOrderRequest, EnforceAnswer,
    EnforceRequest, FileOrderRequest, GetOrderRequest, HandleScanRequest, ListOverdueRequest,
    ListScansRequest, ListWorkRequest, LookupAnswer, LookupRequest, OrderAnswer, OverdueAnswer,
    PersonHistoryAnswer, PersonHistoryRequest, QuarantineAnswer, ReadConfidentialRequest,
    RecordServiceRequest, RecordViolationRequest, ScanAnswer, ScansAnswer, ScrubAnswer, ScrubRequest,
    SealOrderRequest, StatusAnswer, TopologyAnswer, WorkAnswer, WriteAnswer,
};
use ccpor_api::{Backend, Caller, Code, ImageBytes, ImageOffer, ImageOut, Problem};
use ccpor_daemon::certificate::Certificate;
use ccpor_daemon::forward::{Forward, Here, Merged, Whole};
use ccpor_daemon::reading::images::{self, Whereabouts};
use ccpor_daemon::reading::{self, ListsOrders, NamesOrders, Reader, blocking, care};
use ccpor_daemon::scrub::Scrub;
use ccpor_daemon::sight::CallersSight;
use ccpor_daemon::topology::{self, Kept};
use ccpor_registry::KnownImage;

use crate::confidential::Confidential;
use crate::hubs::Hubs;
use crate::intake::Intake;
use crate::scans::Scans;

/// Everything that a node offers to programs.
pub(crate) struct NodeService {
    intake: Arc<Intake>,
    scans: Arc<Scans>,
    confidential: Confidential,
    reader: Reader,
    certificate: Certificate,
    hubs: Hubs,
    forward: Forward,
    scrub: Scrub,
    topology: Arc<Kept>,
}

impl NodeService {
    pub(crate) fn new(
        scans: Arc<Scans>,
        confidential: Confidential,
        reader: Reader,
        certificate: Certificate,
        hubs: Hubs,
        scrub: Scrub,
        topology: Arc<Kept>,
    ) -> Self {
        Self {
            intake: scans.intake(),
            scans,
            confidential,
            reader,
            certificate,
            hubs,
            forward: Forward::default(),
            scrub,
            topology,
        }
    }
}

impl NodeService {
    /// The answer about people, made one with those of the hubs where this node is not current.
    async fn with_the_hubs<R: Merged>(&self, caller: &Caller, request: R, here: R::Answer) -> R::Answer
    where
        R::Answer: ListsOrders + Default,
    {
        if !self.hubs.is_up() {
            return here;
        }
        let ask = |question, within| self.hubs.ask(question, within);
        let seen = |hub: R::Answer| async {
            let known = self.reader.without_hidden(caller, hub).await;
            known.unwrap_or_default()
        };
        self.forward.complete(caller, request, here, ask, seen).await
    }

    /// The answer about one order, from a hub where this node does not hold the order or is not current.
    async fn or_of_the_hub<R: Whole>(
        &self,
        caller: &Caller,
        request: R,
        answer: Result<R::Answer, Problem>,
    ) -> Result<R::Answer, Problem>
    where
        R::Answer: NamesOrders,
    {
        if !self.hubs.is_up() {
            return answer.map_err(no_hub_asked);
        }
        let holds = answer.is_ok() || self.reader.holds_order(request.order()).await?;
        let here = Here {
            machine: &self.certificate.identity().identity().path(),
            holds,
            answer,
        };
        let ask = |question, within| self.hubs.ask(question, within);
        let mut told = self.forward.whole(caller, request, here, ask).await?;
        let from_hub = R::freshness(&mut told)
            .as_ref()
            .is_some_and(|fresh| !fresh.also_asked.is_empty());
        if from_hub {
            return self.reader.unless_hidden(caller, told).await;
        }
        Ok(told)
    }

    /// An image from here, or from a hub.
    async fn image(&self, caller: &Caller, blake3: &str) -> Result<ImageOut, Problem> {
        let sight = self.reader.sight(caller)?;
        let known = match images::find(self.reader.registry(), &sight, blake3).await? {
            Whereabouts::Here(image) => return Ok(image),
            Whereabouts::Hidden => return Err(images::unknown()),
            Whereabouts::Unknown => return self.image_of_a_hub(caller, &sight, blake3).await,
            // What is known here of such an order may be old: whether it is still to be shown, the hub says.
            Whereabouts::Elsewhere(known) if self.hubs.is_up() && self.leaves_out(&known) => {
                let image = self.image_of_a_hub(caller, &sight, blake3).await;
                return image.map_err(|problem| match problem.code {
                    Code::ImageNotFound => images::unavailable(&known, "no hub shows it"),
                    _ => problem,
                });
            }
            Whereabouts::Elsewhere(known) => known,
        };
        self.hubs
            .fetch(&known)
            .await
            .map_err(|reason| images::unavailable(&known, &reason))?;
        match images::find(self.reader.registry(), &sight, blake3).await? {
            Whereabouts::Here(image) => Ok(image),
            _ => Err(images::unavailable(&known, "what the hub sent was not the image")),
        }
    }

    fn leaves_out(&self, image: &KnownImage) -> bool {
        self.reader.registry().leaves_out(&image.origin)
    }

    /// An image of an order that this node does not hold, or not up to date.
    async fn image_of_a_hub(
        &self,
        caller: &Caller,
        sight: &CallersSight,
        blake3: &str,
    ) -> Result<ImageOut, Problem> {
        let digest = images::digest(blake3)?;
        let ask = |question, within| self.hubs.ask(question, within);
        let fetch = |wanted| self.hubs.fetch_aside(wanted);
        let shares = |court: &str| sight.shares(court);
        self.forward.image(caller, digest, shares, ask, fetch).await
    }
}

/// While no hub is connected, that something is not known here says little. It is said of what is hidden as well, which is not to be told
/// apart from what does not exist.
fn no_hub_asked(problem: Problem) -> Problem {
    if !matches!(problem.code, Code::OrderNotFound | Code::ImageNotFound) {
        return problem;
    }
    let detail = format!("{}, and no hub can be asked for it", problem.detail);
    Problem::new(problem.code, detail).action(
        "Check what was asked for. If it is right, ask another node, ask again when the hub is connected, or call the court.",
    )
}

#[tonic::async_trait]
impl Backend for NodeService {
    async fn file_order(&self, caller: &Caller, request: FileOrderRequest) -> Result<WriteAnswer, Problem> {
        if request.scan.is_empty() {
            return self.intake.file(caller, request).await;
        }
        self.scans.file(caller, request).await
    }

    async fn amend_order(&self, caller: &Caller, request: AmendOrderRequest) -> Result<WriteAnswer, Problem> {
        self.intake.amend(caller, request).await
    }

    async fn record_service(
        &self,
        caller: &Caller,
        request: RecordServiceRequest,
    ) -> Result<WriteAnswer, Problem> {
        self.intake.serve(caller, request).await
    }

    async fn end_order(&self, caller: &Caller, request: EndOrderRequest) -> Result<WriteAnswer, Problem> {
        self.intake.end(caller, request).await
    }

    async fn record_violation(
        &self,
        caller: &Caller,
        request: RecordViolationRequest,
    ) -> Result<WriteAnswer, Problem> {
        self.intake.violation(caller, request).await
    }

    async fn seal_order(&self, caller: &Caller, request: SealOrderRequest) -> Result<WriteAnswer, Problem> {
        self.intake.seal(caller, request).await
    }

    async fn attach_image(
        &self,
        caller: &Caller,
        offer: ImageOffer,
        data: ImageBytes,
    ) -> Result<AttachImageAnswer, Problem> {
        self.intake.attach(caller, offer, data).await
    }

    async fn get_order(&self, caller: &Caller, request: GetOrderRequest) -> Result<OrderAnswer, Problem> {
        let here = self.reader.order(caller, request.clone()).await;
        self.or_of_the_hub(caller, request, here).await
    }

    async fn get_image(&self, caller: &Caller, blake3: &str) -> Result<ImageOut, Problem> {
        // Asked before: a link that comes meanwhile must not make what is hidden look unlike what is unknown.
        let up = self.hubs.is_up();
        let image = self.image(caller, blake3).await;
        if up { image } else { image.map_err(no_hub_asked) }
    }

    async fn lookup(&self, caller: &Caller, request: LookupRequest) -> Result<LookupAnswer, Problem> {
        let here = self.reader.lookup(caller, request.clone()).await?;
        Ok(self.with_the_hubs(caller, request, here).await)
    }

    async fn list_courts(&self, _caller: &Caller) -> Result<CourtsAnswer, Problem> {
        let registry = Arc::clone(self.reader.registry());
        let up = self.hubs.is_up();
        blocking(move || reading::courts(&registry, |_| up)).await
    }

    async fn status(&self, _caller: &Caller) -> Result<StatusAnswer, Problem> {
        let version = env!("CARGO_PKG_VERSION");
        let links = self.hubs.messages();
        reading::status(&self.reader, &self.certificate, version, links).await
    }

    async fn enforce(&self, caller: &Caller, request: EnforceRequest) -> Result<EnforceAnswer, Problem> {
        let here = self.reader.enforce(caller, request.clone()).await;
        self.or_of_the_hub(caller, request, here).await
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
        let here = self.reader.person_history(caller, request.clone()).await?;
        Ok(self.with_the_hubs(caller, request, here).await)
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

    async fn list_scans(&self, _caller: &Caller, request: ListScansRequest) -> Result<ScansAnswer, Problem> {
        self.scans.list(&request)
    }

    async fn add_scan(&self, caller: &Caller, name: String, data: ImageBytes) -> Result<ScanAnswer, Problem> {
        self.scans.add(caller, &name, data).await
    }

    async fn get_scan(&self, _caller: &Caller, blake3: &str) -> Result<ImageOut, Problem> {
        self.scans.get(blake3).await
    }

    async fn handle_scan(&self, caller: &Caller, request: HandleScanRequest) -> Result<ScanAnswer, Problem> {
        self.scans.handle(caller, request).await
    }

    async fn scrub(&self, _caller: &Caller, request: ScrubRequest) -> Result<ScrubAnswer, Problem> {
        care::scrub(self.reader.registry(), &self.scrub, request).await
    }

    async fn list_quarantine(&self, _caller: &Caller) -> Result<QuarantineAnswer, Problem> {
        care::quarantine(self.reader.registry()).await
    }

    async fn confide(&self, caller: &Caller, request: ConfideRequest) -> Result<WriteAnswer, Problem> {
        self.confidential.confide(&self.intake, caller, request).await
    }

    async fn read_confidential(
        &self,
        _caller: &Caller,
        request: ReadConfidentialRequest,
    ) -> Result<ConfidentialAnswer, Problem> {
        self.confidential.read(request).await
    }

    async fn destroy_confidential(
        &self,
        caller: &Caller,
        request: DestroyConfidentialRequest,
    ) -> Result<WriteAnswer, Problem> {
        self.confidential.destroy(&self.intake, caller, request).await
    }

    async fn get_topology(&self, _caller: &Caller) -> Result<TopologyAnswer, Problem> {
        topology::answer(self.topology.signed())
    }

    async fn readiness(&self) -> Vec<Check> {
        reading::readiness(&self.reader, &self.certificate)
    }
}
