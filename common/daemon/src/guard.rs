//! The guard: stands before a backend and lets a call through when the table of rights allows its verb to its caller. Which
//! orders the caller then sees is not cut out of answers here: the readers behind ask the caller's sight for every order, so
//! that a hidden one is neither counted nor ranked.

use std::sync::Arc;

use ccpor_access::{Place, Seen, Verb, Who, may};
use ccpor_api::message::{
    AmendOrderRequest, AttachImageAnswer, Check, CheckOrderAnswer, CheckOrderRequest, ConfideRequest,
    ConfidentialAnswer, CourtsAnswer, DestroyConfidentialRequest, EndOrderRequest, EnforceAnswer,
    EnforceRequest, FileOrderRequest, Freshness, GetOrderRequest, HandleScanRequest, ListOverdueRequest,
    ListScansRequest, ListWorkRequest, LookupAnswer, LookupRequest, OrderAnswer, OverdueAnswer,
    PersonHistoryAnswer, PersonHistoryRequest, QuarantineAnswer, ReadConfidentialRequest,
    RecordServiceRequest, RecordViolationRequest, ScanAnswer, ScansAnswer, ScrubAnswer, ScrubRequest,
    SealOrderRequest, StatusAnswer, TopologyAnswer, WorkAnswer, WriteAnswer,
};
use ccpor_api::{Backend, Caller, Code, ImageBytes, ImageOffer, ImageOut, Problem};
use ccpor_certs::Identity;
use ccpor_domain::OrderId;
use ccpor_registry::Registry;

use crate::reading::{blocking, named, not_known};
use crate::sharing::Sharing;
use crate::sight::{CallersSight, who};

/// A backend behind its guard.
pub struct Guarded<B> {
    inner: B,
    registry: Arc<Registry>,
    sharing: Arc<Sharing>,
}

impl<B> Guarded<B> {
    /// Puts the guard before `inner`, which reads `registry` as far as the courts share it.
    pub fn new(inner: B, registry: Arc<Registry>, sharing: Arc<Sharing>) -> Self {
        Self {
            inner,
            registry,
            sharing,
        }
    }

    fn cover(&self, caller: &Caller, freshness: &mut Option<Freshness>) {
        cover(&self.sharing, caller, freshness);
    }

    /// Whether the caller may write with this verb in the ledger of this machine's court.
    fn may_write(&self, caller: &Caller, verb: Verb) -> Result<(), Problem> {
        // A machine without a ledger of its own says so itself.
        let Some(own) = self.registry.own() else {
            return Ok(());
        };
        let who = who(caller)?;
        let owns = who.owns(own.court());
        // What is recorded here is signed by this court: for itself, or for an agency that reports to it.
        let here = owns || matches!(who.place, Place::Agency(_));
        if here && may(&who, verb, owns) {
            return Ok(());
        }
        Err(not_allowed(&who, verb, &format!(" at {}", own.court())))
    }

    /// An act on an order that the caller does not see is an act on an order that is not there.
    async fn sees(&self, caller: &Caller, order: &str) -> Result<(), Problem> {
        // A machine that writes nothing says so itself.
        if self.registry.own().is_none() {
            return Ok(());
        }
        let sight = CallersSight::of(&self.registry, &self.sharing, caller)?;
        let (registry, text) = (Arc::clone(&self.registry), order.to_owned());
        blocking(move || {
            let order = named(&registry, &sight, &text)?;
            // One that is not known here at all is for the backend to tell.
            let (told, _) = registry.show(order, None).into_parts();
            if told.is_ok() && sight.seen_of(order) == Seen::Hidden {
                return Err(not_known());
            }
            Ok(())
        })
        .await?
    }
}

/// Names the courts that keep something back from the caller, and those that this machine leaves out.
pub(crate) fn cover(sharing: &Sharing, caller: &Caller, freshness: &mut Option<Freshness>) {
    let (Some(freshness), Ok(who)) = (freshness, who(caller)) else {
        return;
    };
    freshness.not_covered = sharing.not_covered();
    freshness.not_covered.retain(|court| !who.owns(court));
    freshness.not_covered.extend_from_slice(&freshness.left_out);
    freshness.not_covered.sort();
    freshness.not_covered.dedup();
}

/// What becomes of a court's orders here, for [`ccpor_api::message::CourtState::held`].
fn held(freshness: &Freshness, court: &str) -> &'static str {
    let names = |courts: &[String]| courts.iter().any(|named| named == court);
    if names(&freshness.left_out) {
        "left_out"
    } else if names(&freshness.not_covered) {
        "kept_back"
    } else {
        "taken"
    }
}

/// Lets a reading verb through, or says why not.
///
/// # Errors
/// A [`Problem`] when the table does not allow it.
pub fn may_ask(caller: &Caller, verb: Verb) -> Result<(), Problem> {
    let who = who(caller)?;
    if may(&who, verb, true) {
        return Ok(());
    }
    Err(not_allowed(&who, verb, ""))
}

/// The machines themselves are cared for with their own certificates as well.
fn may_care(caller: &Caller) -> Result<(), Problem> {
    let machine = caller
        .identity
        .parse::<Identity>()
        .is_ok_and(|identity| identity.is_server());
    if machine && caller.person.is_none() {
        return Ok(());
    }
    may_ask(caller, Verb::Care)
}

/// Why somebody may not do this at a place.
pub(crate) fn not_allowed(who: &Who, verb: Verb, place: &str) -> Problem {
    Problem::new(
        Code::NotAllowed,
        format!(
            "the role {} has no right to: {}{place}",
            who.role.title(),
            verb.title()
        ),
    )
}

#[tonic::async_trait]
impl<B: Backend> Backend for Guarded<B> {
    async fn file_order(&self, caller: &Caller, request: FileOrderRequest) -> Result<WriteAnswer, Problem> {
        self.may_write(caller, Verb::Create)?;
        let previous = request
            .order
            .as_ref()
            .map(|order| order.previous.as_str())
            .unwrap_or_default();
        if previous.parse::<OrderId>().is_ok() {
            self.sees(caller, previous).await?;
        }
        self.inner.file_order(caller, request).await
    }

    async fn amend_order(&self, caller: &Caller, request: AmendOrderRequest) -> Result<WriteAnswer, Problem> {
        self.may_write(caller, Verb::Modify)?;
        self.sees(caller, &request.order_id).await?;
        self.inner.amend_order(caller, request).await
    }

    async fn record_service(
        &self,
        caller: &Caller,
        request: RecordServiceRequest,
    ) -> Result<WriteAnswer, Problem> {
        self.may_write(caller, Verb::Service)?;
        self.sees(caller, &request.order_id).await?;
        self.inner.record_service(caller, request).await
    }

    async fn end_order(&self, caller: &Caller, request: EndOrderRequest) -> Result<WriteAnswer, Problem> {
        self.may_write(caller, Verb::Cancel)?;
        self.sees(caller, &request.order_id).await?;
        self.inner.end_order(caller, request).await
    }

    async fn record_violation(
        &self,
        caller: &Caller,
        request: RecordViolationRequest,
    ) -> Result<WriteAnswer, Problem> {
        self.may_write(caller, Verb::Violation)?;
        self.sees(caller, &request.order_id).await?;
        self.inner.record_violation(caller, request).await
    }

    async fn seal_order(&self, caller: &Caller, request: SealOrderRequest) -> Result<WriteAnswer, Problem> {
        self.may_write(caller, Verb::Seal)?;
        self.sees(caller, &request.order_id).await?;
        self.inner.seal_order(caller, request).await
    }

    async fn confide(&self, caller: &Caller, request: ConfideRequest) -> Result<WriteAnswer, Problem> {
        self.may_write(caller, Verb::Confide)?;
        self.sees(caller, &request.order_id).await?;
        self.inner.confide(caller, request).await
    }

    async fn read_confidential(
        &self,
        caller: &Caller,
        request: ReadConfidentialRequest,
    ) -> Result<ConfidentialAnswer, Problem> {
        let who = who(caller)?;
        let owns = self.registry.own().is_some_and(|own| who.owns(own.court()));
        if !may(&who, Verb::Confidence, owns) {
            return Err(not_allowed(&who, Verb::Confidence, ""));
        }
        // Whoever is not of the court itself says what it is for (Cal. Rules of Court, rule 1.51).
        if !owns && (caller.purpose.is_empty() || caller.case_number.is_empty()) {
            return Err(Problem::new(
                Code::NotAllowed,
                "confidential information is given for a stated purpose and case number alone",
            ));
        }
        self.sees(caller, &request.order_id).await?;
        self.inner.read_confidential(caller, request).await
    }

    async fn destroy_confidential(
        &self,
        caller: &Caller,
        request: DestroyConfidentialRequest,
    ) -> Result<WriteAnswer, Problem> {
        self.may_write(caller, Verb::Confide)?;
        self.sees(caller, &request.order_id).await?;
        self.inner.destroy_confidential(caller, request).await
    }

    async fn attach_image(
        &self,
        caller: &Caller,
        offer: ImageOffer,
        data: ImageBytes,
    ) -> Result<AttachImageAnswer, Problem> {
        self.may_write(caller, Verb::Modify)?;
        self.sees(caller, &offer.order_id).await?;
        self.inner.attach_image(caller, offer, data).await
    }

    async fn get_order(&self, caller: &Caller, request: GetOrderRequest) -> Result<OrderAnswer, Problem> {
        may_ask(caller, Verb::View)?;
        let mut answer = self.inner.get_order(caller, request).await?;
        self.cover(caller, &mut answer.freshness);
        Ok(answer)
    }

    async fn get_image(&self, caller: &Caller, blake3: &str) -> Result<ImageOut, Problem> {
        may_ask(caller, Verb::Image)?;
        self.inner.get_image(caller, blake3).await
    }

    async fn lookup(&self, caller: &Caller, request: LookupRequest) -> Result<LookupAnswer, Problem> {
        may_ask(caller, Verb::Search)?;
        let mut answer = self.inner.lookup(caller, request).await?;
        self.cover(caller, &mut answer.freshness);
        Ok(answer)
    }

    async fn enforce(&self, caller: &Caller, request: EnforceRequest) -> Result<EnforceAnswer, Problem> {
        may_ask(caller, Verb::Enforce)?;
        let mut answer = self.inner.enforce(caller, request).await?;
        self.cover(caller, &mut answer.freshness);
        Ok(answer)
    }

    async fn check_order(
        &self,
        caller: &Caller,
        request: CheckOrderRequest,
    ) -> Result<CheckOrderAnswer, Problem> {
        may_ask(caller, Verb::Check)?;
        let mut answer = self.inner.check_order(caller, request).await?;
        self.cover(caller, &mut answer.freshness);
        Ok(answer)
    }

    async fn person_history(
        &self,
        caller: &Caller,
        request: PersonHistoryRequest,
    ) -> Result<PersonHistoryAnswer, Problem> {
        may_ask(caller, Verb::History)?;
        let mut answer = self.inner.person_history(caller, request).await?;
        self.cover(caller, &mut answer.freshness);
        Ok(answer)
    }

    async fn list_overdue(
        &self,
        caller: &Caller,
        request: ListOverdueRequest,
    ) -> Result<OverdueAnswer, Problem> {
        may_ask(caller, Verb::Overdue)?;
        let mut answer = self.inner.list_overdue(caller, request).await?;
        self.cover(caller, &mut answer.freshness);
        Ok(answer)
    }

    async fn list_work(&self, caller: &Caller, request: ListWorkRequest) -> Result<WorkAnswer, Problem> {
        let who = who(caller)?;
        // A machine without a ledger of its own says so itself.
        let owns = self.registry.own().is_none_or(|own| who.owns(own.court()));
        if !may(&who, Verb::Modify, owns) || !owns {
            return Err(not_allowed(&who, Verb::Modify, ""));
        }
        let mut answer = self.inner.list_work(caller, request).await?;
        self.cover(caller, &mut answer.freshness);
        Ok(answer)
    }

    async fn list_scans(&self, caller: &Caller, request: ListScansRequest) -> Result<ScansAnswer, Problem> {
        self.may_write(caller, Verb::Create)?;
        self.inner.list_scans(caller, request).await
    }

    async fn add_scan(&self, caller: &Caller, name: String, data: ImageBytes) -> Result<ScanAnswer, Problem> {
        self.may_write(caller, Verb::Create)?;
        self.inner.add_scan(caller, name, data).await
    }

    async fn get_scan(&self, caller: &Caller, blake3: &str) -> Result<ImageOut, Problem> {
        self.may_write(caller, Verb::Create)?;
        self.inner.get_scan(caller, blake3).await
    }

    async fn handle_scan(&self, caller: &Caller, request: HandleScanRequest) -> Result<ScanAnswer, Problem> {
        self.may_write(caller, Verb::Create)?;
        if !request.order_id.is_empty() {
            self.may_write(caller, Verb::Modify)?;
            self.sees(caller, &request.order_id).await?;
        }
        self.inner.handle_scan(caller, request).await
    }

    async fn list_courts(&self, caller: &Caller) -> Result<CourtsAnswer, Problem> {
        may_ask(caller, Verb::Status)?;
        let mut answer = self.inner.list_courts(caller).await?;
        self.cover(caller, &mut answer.freshness);
        if let Some(freshness) = &answer.freshness {
            for court in &mut answer.courts {
                court.held = held(freshness, &court.court).to_owned();
            }
        }
        Ok(answer)
    }

    async fn status(&self, caller: &Caller) -> Result<StatusAnswer, Problem> {
        may_ask(caller, Verb::Status)?;
        let mut answer = self.inner.status(caller).await?;
        self.cover(caller, &mut answer.freshness);
        Ok(answer)
    }

    async fn get_topology(&self, caller: &Caller) -> Result<TopologyAnswer, Problem> {
        may_ask(caller, Verb::Status)?;
        self.inner.get_topology(caller).await
    }

    async fn scrub(&self, caller: &Caller, request: ScrubRequest) -> Result<ScrubAnswer, Problem> {
        if request.begin {
            may_care(caller)?;
        } else {
            may_ask(caller, Verb::Status)?;
        }
        self.inner.scrub(caller, request).await
    }

    async fn list_quarantine(&self, caller: &Caller) -> Result<QuarantineAnswer, Problem> {
        may_care(caller)?;
        self.inner.list_quarantine(caller).await
    }

    async fn readiness(&self) -> Vec<Check> {
        self.inner.readiness().await
    }
}
