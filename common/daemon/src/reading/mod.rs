//! Reading: the half of the programming interface that only looks, the same at a node and at the hub. Work that may take
//! longer runs on threads of its own, not on those that serve connections.

mod question;
mod work;
mod law;
mod answer;
mod states;
mod hidden;
pub mod care;
pub mod images;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ccpor_api::message::{
    CheckOrderAnswer, CheckOrderRequest, EnforceAnswer, EnforceRequest, GetOrderRequest, ListOverdueRequest,
    LookupAnswer, LookupRequest, OrderAnswer, OverdueAnswer, PersonHistoryAnswer, PersonHistoryRequest,
    WorkAnswer,
};
use ccpor_api::{Caller, Code, Problem, question::question_from};
use ccpor_domain::{OrderId, UtcMillis};
use ccpor_registry::{NoStory, NotSeen, Question, Registry, Sight};

use crate::sharing::Sharing;
use crate::sight::CallersSight;

pub use answer::{freshness, position};
pub use hidden::{ListsOrders, NamesOrders};
pub use states::{courts, disk_free_bytes, readiness, status};

/// Records that are read without a thread of their own.
const FEW: usize = 50;

/// Answers questions from one registry.
pub struct Reader {
    registry: Arc<Registry>,
    sharing: Arc<Sharing>,
    started: UtcMillis,
    asked: AtomicU64,
}

impl Reader {
    /// A reader of `registry`, as far as the courts share it.
    #[must_use]
    pub fn new(registry: Arc<Registry>, sharing: Arc<Sharing>) -> Self {
        Self {
            registry,
            sharing,
            started: ccpor_registry::now(),
            asked: AtomicU64::new(0),
        }
    }

    /// The registry it reads.
    #[must_use]
    pub fn registry(&self) -> &Arc<Registry> {
        &self.registry
    }

    /// When this reader was made.
    #[must_use]
    pub fn started(&self) -> UtcMillis {
        self.started
    }

    /// Answers a lookup.
    ///
    /// # Errors
    /// A [`Problem`] when the question is not understood.
    pub async fn lookup(&self, caller: &Caller, request: LookupRequest) -> Result<LookupAnswer, Problem> {
        let asked = question_from(&request)?;
        let question::Read {
            mut question,
            others,
            understood,
        } = question::of(&asked)?;
        self.holds(&question.courts)?;
        question.sight = Some(Arc::new(self.sight(caller)?));
        let registry = Arc::clone(&self.registry);
        let brief = others.is_empty() && !is_wide(&question);
        let at_once =
            brief.then(|| here(|| Some(answer::lookup(registry.lookup_at_once(&question)?, &question))));
        let answer = match at_once.transpose()?.flatten() {
            Some(answer) => answer,
            None => {
                let work = move || {
                    let answer = if others.is_empty() {
                        registry.lookup(&question)
                    } else {
                        registry.lookup_several(&question, &others, asked.between)
                    };
                    answer::lookup(answer, &question)
                };
                blocking(work).await?
            }
        };
        let number = self.asked.fetch_add(1, Ordering::Relaxed);
        let query_id = format!("{:x}-{number:x}", self.started.0);
        tracing::debug!(
            query_id,
            caller = caller.identity,
            ori = caller.ori,
            hits = answer.hits.len(),
            "lookup"
        );
        Ok(LookupAnswer {
            query_id,
            understood,
            reference: request.reference,
            ..answer
        })
    }

    /// Every court asked for must be held here: "no match" about another one would say nothing.
    fn holds(&self, courts: &[String]) -> Result<(), Problem> {
        if courts.is_empty() {
            return Ok(());
        }
        let held = self.registry.freshness(None).courts;
        match courts
            .iter()
            .find(|asked| held.iter().all(|court| court.origin.court() != asked.as_str()))
        {
            None => Ok(()),
            Some(court) => Err(Problem::field(
                "courts",
                format!("no orders of {court} are held here"),
            )),
        }
    }

    /// What a caller sees of the orders held here.
    ///
    /// # Errors
    /// A [`Problem`] when it is nobody who may call.
    pub fn sight(&self, caller: &Caller) -> Result<CallersSight, Problem> {
        CallersSight::of(&self.registry, &self.sharing, caller)
    }

    /// Whether the order that a text names is held here, be it to show or to hide it.
    ///
    /// # Errors
    /// A [`Problem`] when the work ended by a fault.
    pub async fn holds_order(&self, text: &str) -> Result<bool, Problem> {
        let (registry, text) = (Arc::clone(&self.registry), text.trim().to_owned());
        blocking(move || {
            let order = registry.order_named(&text)?;
            let (story, _) = registry.show(order, None).into_parts();
            Some(!matches!(story, Err(NoStory::Unknown(_))))
        })
        .await
        .map(|held| held.unwrap_or(false))
    }

    /// Shows an order.
    ///
    /// # Errors
    /// A [`Problem`] when the order is not known, to anybody or to this caller, or its moment is not one.
    pub async fn order(&self, caller: &Caller, request: GetOrderRequest) -> Result<OrderAnswer, Problem> {
        let at = moment(&request.at)?;
        let (registry, sight) = (Arc::clone(&self.registry), self.sight(caller)?);
        blocking(move || {
            let order = named(&registry, &sight, &request.order_id)?;
            answer::order(
                registry.show_to(&sight, order, at),
                registry.calendars(),
                at,
                request.versions,
            )
        })
        .await?
    }
}

impl Reader {
    /// Says what is to be enforced against the person whom an order restrains.
    ///
    /// # Errors
    /// A [`Problem`] when the order is not known, or the question is not understood.
    pub async fn enforce(&self, caller: &Caller, request: EnforceRequest) -> Result<EnforceAnswer, Problem> {
        let (registry, sight) = (Arc::clone(&self.registry), self.sight(caller)?);
        blocking(move || law::enforce(&registry, &sight, &request)).await?
    }

    /// Says what a draft clashes with.
    ///
    /// # Errors
    /// A [`Problem`] when the draft cannot be read.
    pub async fn check_order(
        &self,
        caller: &Caller,
        request: CheckOrderRequest,
    ) -> Result<CheckOrderAnswer, Problem> {
        let (registry, sight) = (Arc::clone(&self.registry), self.sight(caller)?);
        blocking(move || law::check_order(&registry, &sight, &request)).await?
    }

    /// Lists every order that names a person.
    ///
    /// # Errors
    /// A [`Problem`] when the person cannot be read.
    pub async fn person_history(
        &self,
        caller: &Caller,
        request: PersonHistoryRequest,
    ) -> Result<PersonHistoryAnswer, Problem> {
        let (registry, sight) = (Arc::clone(&self.registry), self.sight(caller)?);
        blocking(move || law::person_history(&registry, &sight, &request)).await?
    }

    /// Lists what was recorded later than the law allows.
    ///
    /// # Errors
    /// A [`Problem`] when a ledger cannot be read.
    pub async fn list_overdue(
        &self,
        caller: &Caller,
        request: ListOverdueRequest,
    ) -> Result<OverdueAnswer, Problem> {
        let (registry, sight) = (Arc::clone(&self.registry), self.sight(caller)?);
        blocking(move || law::overdue(&registry, &sight, &request)).await?
    }

    /// What is left to do with the orders of this machine's court.
    ///
    /// # Errors
    /// A [`Problem`] when this machine is no court's, or its ledger cannot be read.
    pub async fn list_work(&self, caller: &Caller) -> Result<WorkAnswer, Problem> {
        let (registry, sight) = (Arc::clone(&self.registry), self.sight(caller)?);
        blocking(move || work::list(&registry, &sight)).await?
    }
}

/// Everybody a question asks for, free lines taken apart.
///
/// # Errors
/// A [`Problem`] when a line is not understood.
pub fn people_of(asked: &ccpor_api::question::Question) -> Result<Vec<ccpor_matching::Query>, Problem> {
    question::people(asked)
}

/// The order that a request names by its identifier or its registry number. A number of an order that is hidden from the caller
/// names none; an identifier is not looked up here.
///
/// # Errors
/// A [`Problem`] when there is none.
pub fn named(registry: &Registry, sight: &dyn Sight, text: &str) -> Result<OrderId, Problem> {
    let text = text.trim();
    let order = registry.order_named(text).ok_or_else(not_known)?;
    if text.parse::<OrderId>().is_err() {
        let (shown, _) = registry.show_to(sight, order, None).into_parts();
        if matches!(shown, Err(NotSeen::NoStory(NoStory::Unknown(_)))) {
            return Err(not_known());
        }
    }
    Ok(order)
}

/// What is said of an order that is not held here, and of one that is hidden from who asks: the same.
#[must_use]
pub fn not_known() -> Problem {
    Problem::new(
        Code::OrderNotFound,
        "no order of this identifier or registry number is known here",
    )
}

/// What it means for a caller that an order cannot be shown.
#[must_use]
pub fn no_story(error: &NoStory) -> Problem {
    match error {
        NoStory::Unknown(_) => not_known(),
        NoStory::NotReadable { .. } => Problem::new(Code::IntegrityFailure, error.to_string()),
    }
}

/// What it means for a caller that it is not shown an order.
#[must_use]
pub fn not_seen(error: &NotSeen) -> Problem {
    match error {
        NotSeen::NoStory(error) => no_story(error),
        NotSeen::Withheld(_) => Problem::new(Code::PurposeNeeded, error.to_string()),
    }
}

fn moment(text: &str) -> Result<Option<UtcMillis>, Problem> {
    if text.is_empty() {
        return Ok(None);
    }
    text.parse()
        .map(Some)
        .map_err(|error: ccpor_domain::MomentRefused| Problem::field("at", error.to_string()))
}

/// Whether many orders may have to be read for one page.
fn is_wide(question: &Question) -> bool {
    let filtered = !question.courts.is_empty() || !question.states.is_empty();
    filtered || question.skip > 0 || question.query.limit > FEW
}

/// Runs `work`, which computes for a fraction of a millisecond and reads few records, on this very thread: a change of threads
/// would take as long as the work.
fn here<T>(work: impl FnOnce() -> T) -> Result<T, Problem> {
    std::panic::catch_unwind(AssertUnwindSafe(work)).map_err(|_| fault())
}

/// Runs `work`, which may wait for the disk, away from the threads that serve connections.
///
/// # Errors
/// A [`Problem`] when the work ended by a fault of the program.
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
    tokio::task::spawn_blocking(work).await.map_err(|_| fault())
}

fn fault() -> Problem {
    tracing::error!("a call ended by a fault; the panic itself is told above");
    Problem::new(Code::Internal, "the call ended by a fault of the program")
}
