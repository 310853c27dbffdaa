//! The fold: one order's events become its present state. Total: any event gives a state or a typed refusal, and every
//! replica that holds the same records computes the same state, whatever order courts' ledgers arrived in.

use serde::{Deserialize, Serialize};

use crate::closed::closed;
use crate::event::{Act, Ending, EndingKind, Event, Filed, Violation};
use crate::id::{OrderId, RequestId};
use crate::image::ImageRef;
use crate::moment::UtcMillis;
use crate::order::Order;
use crate::service::Service;
use crate::sheets::{self, Confiding, SheetRecord, SheetRefused};

/// The most events of the issuing court that one order takes.
pub const MAX_STEPS: usize = 2_000;

/// The most service records of other courts that one order keeps. Of more, the earliest entered stay: so the set that stays
/// does not depend on the order of arrival.
pub const MAX_LINKED: usize = 256;

/// An event that this order does not take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StepRefused {
    /// The order has no filing yet.
    #[error("order {0} has not been filed: its first event must be a filing")]
    NotFiled(OrderId),
    /// A second filing.
    #[error("order {0} is filed already: amend it, or file the new order under its own identifier")]
    AlreadyFiled(OrderId),
    /// The event is about another order.
    #[error("the event is about order {event}, not about order {state}")]
    OtherOrder {
        /// The order of the state.
        state: OrderId,
        /// The order of the event.
        event: OrderId,
    },
    /// The request has been done.
    #[error("request {0} has been carried out on this order already")]
    Repeated(RequestId),
    /// The order was terminated, cancelled or superseded.
    #[error("order {0} has ended: only service and images can be added; file a new order")]
    HasEnded(OrderId),
    /// It is sealed, or is not, as the step asks for.
    #[error("order {0} is sealed or unsealed already, as it was asked for")]
    NothingToSeal(OrderId),
    /// An amendment that names another line.
    #[error("order {0} stays in its line: an amendment changes neither previous nor lineage; leave them out")]
    OtherLine(OrderId),
    /// It would take its own place.
    #[error("order {0} cannot supersede itself: name the order that takes its place")]
    SupersededByItself(OrderId),
    /// A confidential sheet that cannot be added or destroyed.
    #[error(transparent)]
    Sheet(#[from] SheetRefused),
    /// Another court may add proof of service and nothing else.
    #[error(
        "order {0} belongs to another court: only proof of service and reports of violations can be added to it"
    )]
    NotIssuingCourt(OrderId),
    /// Its history is full.
    #[error("order {0} has the most events an order can have: file a new order that supersedes it")]
    TooManySteps(OrderId),
}

closed! {
    /// What happened.
    pub enum StepKind: "kind of step" {
        /// It was filed.
        Filed = "filed",
        /// Its record was replaced.
        Amended = "amended",
        /// It was served, or an attempt failed.
        Served = "served",
        /// An image was attached.
        ImageAttached = "image_attached",
        /// It ended early.
        Ended = "ended",
        /// The court sealed it.
        Sealed = "sealed",
        /// The court unsealed it.
        Unsealed = "unsealed",
        /// A violation was reported.
        Violated = "violated",
        /// Confidential information was added.
        Confided = "confided",
        /// The key of confidential information was destroyed.
        ConfidenceDestroyed = "confidence_destroyed",
    }
}

/// One line of an order's history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// What happened.
    pub what: StepKind,
    /// Who, when, why.
    pub act: Act,
    /// The version of the order after it.
    pub version: u32,
    /// Whether another court than the issuing one wrote it.
    pub linked: bool,
}

/// A service and who recorded it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ServiceRecord {
    /// The service.
    pub service: Service,
    /// Who recorded it, when.
    pub act: Act,
    /// Whether another court than the issuing one recorded it.
    pub linked: bool,
}

impl ServiceRecord {
    /// When it took place; the moment of entry when the record has no day.
    #[must_use]
    pub fn moment(&self) -> UtcMillis {
        self.service
            .date
            .map_or(self.act.at, |date| UtcMillis::pacific(date, self.service.time))
    }
}

/// A reported violation and who recorded it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ViolationRecord {
    /// What was reported.
    pub violation: Violation,
    /// Who recorded it, when.
    pub act: Act,
    /// Whether another court than the issuing one recorded it.
    pub linked: bool,
}

impl ViolationRecord {
    /// When it took place; the moment of entry when the record has no day.
    #[must_use]
    pub fn moment(&self) -> UtcMillis {
        self.violation
            .date
            .map_or(self.act.at, |date| UtcMillis::pacific(date, self.violation.time))
    }
}

/// An early end and who recorded it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndingRecord {
    /// The end.
    pub ending: Ending,
    /// Who recorded it, when.
    pub act: Act,
}

impl EndingRecord {
    /// The first moment at which the order is no longer in force by it.
    ///
    /// A day without a time: the moment of entry if that was on the day, otherwise the end of the day, so that the order
    /// never seems to end before the court ended it.
    #[must_use]
    pub fn moment(&self) -> UtcMillis {
        match (self.ending.date, self.ending.time) {
            (None, _) => self.act.at,
            (Some(date), Some(time)) => UtcMillis::pacific(date, Some(time)),
            (Some(date), None) if self.act.at.in_pacific().0 == date => self.act.at,
            (Some(date), None) => UtcMillis::pacific_end_of(date),
        }
    }
}

/// What is known of one order after all its events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderState {
    /// Its identifier.
    pub order_id: OrderId,
    /// What the court's own system calls it.
    pub source_id: Option<String>,
    /// 1 after filing, one more for each amendment.
    pub version: u32,
    /// The order as it is now.
    pub order: Order,
    /// Services and attempts, by the moment at which they took place.
    pub service: Vec<ServiceRecord>,
    /// Images, in the order of attaching, each content once.
    pub images: Vec<ImageRef>,
    /// Its early end.
    pub ending: Option<EndingRecord>,
    /// Reported violations, by the moment at which they took place.
    pub violations: Vec<ViolationRecord>,
    /// Who sealed it and when, while it is sealed.
    pub sealed: Option<Act>,
    /// Confidential information that its court keeps; what it says is not here.
    pub sheets: Vec<SheetRecord>,
    /// Its history, by moment of entry; the issuing court's steps in the order of its ledger.
    pub steps: Vec<Step>,
}

impl OrderState {
    /// The state after the filing.
    #[must_use]
    pub fn start(filed: Filed) -> Self {
        let Filed {
            act,
            order_id,
            source_id,
            order,
        } = filed;
        Self {
            order_id,
            source_id,
            version: 1,
            order,
            service: Vec::new(),
            images: Vec::new(),
            ending: None,
            violations: Vec::new(),
            sealed: None,
            sheets: Vec::new(),
            steps: vec![Step {
                what: StepKind::Filed,
                act,
                version: 1,
                linked: false,
            }],
        }
    }

    /// The state after a run of events of the issuing court, in the order of its ledger.
    ///
    /// # Errors
    /// The first refusal; [`StepRefused::NotFiled`] for a run that does not begin with a filing (of order 0 when it is
    /// empty).
    pub fn fold<'a>(events: impl IntoIterator<Item = &'a Event>) -> Result<Self, StepRefused> {
        let mut events = events.into_iter();
        let mut state = match events.next() {
            Some(Event::Filed(filed)) => Self::start(filed.clone()),
            Some(other) => return Err(StepRefused::NotFiled(other.order_id())),
            None => return Err(StepRefused::NotFiled(OrderId::default())),
        };
        events.try_for_each(|event| state.apply(event))?;
        Ok(state)
    }

    /// Takes the issuing court's next event. A refused event leaves the state as it was.
    ///
    /// # Errors
    /// [`StepRefused`].
    pub fn apply(&mut self, event: &Event) -> Result<(), StepRefused> {
        self.admit(event)?;
        let what = match event {
            Event::Filed(_) => return Err(StepRefused::AlreadyFiled(self.order_id)),
            Event::Amended(amended) => {
                self.still_open()?;
                self.order = amended.order.clone();
                self.version = self.version.saturating_add(1);
                StepKind::Amended
            }
            Event::Served(served) => {
                self.add_service(&served.service, &served.act, false);
                StepKind::Served
            }
            Event::ImageAttached(attached) => {
                if !self
                    .images
                    .iter()
                    .any(|image| image.blake3 == attached.image.blake3)
                {
                    self.images.push(attached.image.clone());
                }
                StepKind::ImageAttached
            }
            Event::Ended(ended) => {
                self.still_open()?;
                if ended.ending.kind == (EndingKind::Superseded { by: self.order_id }) {
                    return Err(StepRefused::SupersededByItself(self.order_id));
                }
                self.ending = Some(EndingRecord {
                    ending: ended.ending.clone(),
                    act: ended.act.clone(),
                });
                StepKind::Ended
            }
            Event::Violated(violated) => {
                self.add_violation(&violated.violation, &violated.act, false);
                StepKind::Violated
            }
            // Also of an order that has ended: what it tells of a place must be put beyond reach all the more.
            Event::Confided(confided) => match sheets::confide(&mut self.sheets, confided)? {
                Confiding::Added => StepKind::Confided,
                Confiding::Destroyed => StepKind::ConfidenceDestroyed,
            },
            // Also of an order that has ended: its record can be sealed as well.
            Event::Sealing(sealing) => {
                if sealing.sealed == self.sealed.is_some() {
                    return Err(StepRefused::NothingToSeal(self.order_id));
                }
                self.sealed = sealing.sealed.then(|| sealing.act.clone());
                if sealing.sealed {
                    StepKind::Sealed
                } else {
                    StepKind::Unsealed
                }
            }
        };
        self.steps.push(Step {
            what,
            act: event.act().clone(),
            version: self.version,
            linked: false,
        });
        self.weave();
        Ok(())
    }

    /// Takes an event that another court recorded in its own ledger about this order: proof of service, or a violation.
    /// A refused event leaves the state as it was.
    ///
    /// # Errors
    /// [`StepRefused`].
    pub fn apply_linked(&mut self, event: &Event) -> Result<(), StepRefused> {
        self.same_order(event)?;
        // The whole record is compared, not the request alone: otherwise which of two that share a request stays would
        // depend on which arrived first.
        let what = match event {
            Event::Served(served) => {
                let same = |record: &ServiceRecord| {
                    record.linked && record.act == served.act && record.service == served.service
                };
                if self.service.iter().any(same) {
                    return Err(StepRefused::Repeated(served.act.request));
                }
                self.add_service(&served.service, &served.act, true);
                StepKind::Served
            }
            Event::Violated(violated) => {
                let same = |record: &ViolationRecord| {
                    record.linked && record.act == violated.act && record.violation == violated.violation
                };
                if self.violations.iter().any(same) {
                    return Err(StepRefused::Repeated(violated.act.request));
                }
                self.add_violation(&violated.violation, &violated.act, true);
                StepKind::Violated
            }
            _ => return Err(StepRefused::NotIssuingCourt(self.order_id)),
        };
        let step = Step {
            what,
            act: event.act().clone(),
            version: 1,
            linked: true,
        };
        self.steps.push(step);
        self.drop_linked_beyond_limit();
        self.weave();
        Ok(())
    }

    /// What an event of the issuing court must satisfy whatever it says.
    fn admit(&self, event: &Event) -> Result<(), StepRefused> {
        self.same_order(event)?;
        let request = event.act().request;
        let mut own = self.steps.iter().filter(|step| !step.linked);
        if own.clone().any(|step| step.act.request == request) {
            return Err(StepRefused::Repeated(request));
        }
        if own.nth(MAX_STEPS - 1).is_some() {
            return Err(StepRefused::TooManySteps(self.order_id));
        }
        Ok(())
    }

    fn same_order(&self, event: &Event) -> Result<(), StepRefused> {
        if event.order_id() == self.order_id {
            return Ok(());
        }
        Err(StepRefused::OtherOrder {
            state: self.order_id,
            event: event.order_id(),
        })
    }

    fn still_open(&self) -> Result<(), StepRefused> {
        if self.ending.is_none() {
            Ok(())
        } else {
            Err(StepRefused::HasEnded(self.order_id))
        }
    }

    fn add_service(&mut self, service: &Service, act: &Act, linked: bool) {
        let added = ServiceRecord {
            service: service.clone(),
            act: act.clone(),
            linked,
        };
        let moment = added.moment();
        let place = self
            .service
            .partition_point(|record| (record.moment(), record) < (moment, &added));
        self.service.insert(place, added);
    }

    fn add_violation(&mut self, violation: &Violation, act: &Act, linked: bool) {
        let added = ViolationRecord {
            violation: violation.clone(),
            act: act.clone(),
            linked,
        };
        let key = |record: &ViolationRecord| (record.moment(), record.clone());
        let place = self
            .violations
            .partition_point(|record| key(record) < key(&added));
        self.violations.insert(place, added);
    }

    fn drop_linked_beyond_limit(&mut self) {
        let services = beyond(&self.service, |record| (record.linked, record.act.at));
        if let Some(dropped) = services.map(|place| self.service.remove(place)) {
            self.drop_step(&dropped.act);
        }
        let violations = beyond(&self.violations, |record| (record.linked, record.act.at));
        if let Some(dropped) = violations.map(|place| self.violations.remove(place)) {
            self.drop_step(&dropped.act);
        }
    }

    fn drop_step(&mut self, act: &Act) {
        let place = self.steps.iter().position(|step| step.linked && step.act == *act);
        if let Some(place) = place {
            self.steps.remove(place);
        }
    }

    /// Puts other courts' steps among the issuing court's by moment of entry. The result follows from the two sets alone.
    fn weave(&mut self) {
        if !self.steps.iter().any(|step| step.linked) {
            return;
        }
        let (mut linked, own): (Vec<_>, Vec<_>) = std::mem::take(&mut self.steps)
            .into_iter()
            .partition(|step| step.linked);
        linked.sort_by(|a, b| (a.act.at, &a.act).cmp(&(b.act.at, &b.act)));
        let mut waiting = linked.into_iter().peekable();
        let mut version = 1;
        for step in own {
            while let Some(earlier) = waiting.next_if(|linked| linked.act.at < step.act.at) {
                self.steps.push(Step { version, ..earlier });
            }
            version = step.version;
            self.steps.push(step);
        }
        self.steps.extend(waiting.map(|step| Step { version, ..step }));
    }
}

/// Where the linked record stands that was entered last, when there are more than are kept.
fn beyond<T: Ord>(records: &[T], of: impl Fn(&T) -> (bool, UtcMillis)) -> Option<usize> {
    let linked = records.iter().enumerate().filter(|(_, record)| of(record).0);
    if linked.clone().count() <= MAX_LINKED {
        return None;
    }
    let latest = linked.max_by(|(_, a), (_, b)| (of(a).1, a).cmp(&(of(b).1, b)));
    latest.map(|(place, _)| place)
}
