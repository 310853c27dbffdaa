//! The trails that a machine keeps, for auditors at its pages: its own, and at a hub the copies of its nodes'. Who reads them is
//! recorded like everybody else, before anything is given. What was asked for is not opened here: the key is not here.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ccpor_access::Verb;
use ccpor_api::{Caller, Problem, TrailPage, TrailPlace, TrailQuestion, TrailRow, TrailState, Trails};
use ccpor_audit::{Act, Asked, Bounds, Newest, Onward, Operation, Outcome, Search, newest};
use ccpor_domain::{Date, OrderId, RegistryNumber, UtcMillis};
use ccpor_ledger::{Ledger, OriginId, Position};

use super::keeping::TrailCopies;
use super::recorder::{Call, Recorder, Seen};
use crate::guard::may_ask;
use crate::reading::blocking;

/// How far a page goes.
const PAGE: Bounds = Bounds {
    acts: 50,
    looked_at: 50_000,
    time: Duration::from_secs(2),
};
/// How far a table goes that is taken out.
const TABLE: Bounds = Bounds {
    acts: 5_000,
    looked_at: 200_000,
    time: Duration::from_secs(4),
};

/// The trails of this machine.
pub struct AuditedTrails {
    recorder: Arc<Recorder>,
    /// At a hub.
    copies: Option<Arc<TrailCopies>>,
}

impl AuditedTrails {
    /// The trail that `recorder` writes, and the copies of others.
    #[must_use]
    pub fn new(recorder: Arc<Recorder>, copies: Option<Arc<TrailCopies>>) -> Self {
        Self { recorder, copies }
    }

    async fn page(&self, by: &Caller, question: TrailQuestion) -> Result<TrailPage, Problem> {
        may_ask(by, Verb::Trails)?;
        let search = search(&question)?;
        let own = Arc::clone(self.recorder.trail().ledger());
        let check = self.recorder.check();
        let trouble = if check.ok { String::new() } else { check.words };
        let copies = self.copies.clone();
        blocking(move || {
            let mut ledgers = vec![own];
            ledgers.extend(copies.iter().flat_map(|copies| copies.ledgers()));
            let own = ledgers.first().map(|own| own.origin().clone());
            ledgers.retain(|ledger| {
                question.machine.is_empty()
                    || machine(ledger.origin()).eq_ignore_ascii_case(&question.machine)
            });
            if ledgers.is_empty() {
                return Err(Problem::field("machine", "no trail of this machine is kept here"));
            }
            let bounds = if question.export { TABLE } else { PAGE };
            let found = newest(&ledgers, &onward(&question, &ledgers), &search, bounds);
            let states = ledgers.iter().map(|ledger| {
                let own = own.as_ref() == Some(ledger.origin());
                state(ledger, if own { &trouble } else { "" }, &found)
            });
            Ok(TrailPage {
                trails: states.collect(),
                rows: found.acts.iter().map(row).collect(),
                looked_at: found.looked_at,
                back_to: found.back_to.map(|at| at.to_string()).unwrap_or_default(),
                onward: found
                    .onward
                    .iter()
                    .flatten()
                    .map(|(of, at)| place(of, *at))
                    .collect(),
            })
        })
        .await?
    }
}

#[tonic::async_trait]
impl Trails for AuditedTrails {
    fn operations(&self) -> Vec<&'static str> {
        Operation::ALL
            .iter()
            .map(|operation| operation.as_str())
            .collect()
    }

    fn outcomes(&self) -> Vec<&'static str> {
        Outcome::WORDS.to_vec()
    }

    async fn read(&self, by: &Caller, question: TrailQuestion) -> Result<TrailPage, Problem> {
        let operation = if question.export {
            Operation::AuditExport
        } else {
            Operation::AuditSearch
        };
        let call = Call {
            caller: by,
            operation,
            asked: asked(&question),
        };
        let seen = |page: &TrailPage| Seen {
            hits: u32::try_from(page.rows.len()).unwrap_or(u32::MAX),
            ..Seen::default()
        };
        self.recorder.around(call, self.page(by, question), seen).await
    }
}

/// What is looked for, in the words of the trail.
fn asked(question: &TrailQuestion) -> Vec<Asked> {
    let said = [
        ("user", &question.who),
        ("agency", &question.agency),
        ("operation", &question.operation),
        ("outcome", &question.outcome),
        ("order", &question.order),
        ("since", &question.since),
        ("until", &question.until),
        ("trail", &question.machine),
    ];
    let numbers: Vec<(String, String)> = said
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(kind, value)| (kind.to_owned(), value.clone()))
        .collect();
    let all = numbers.is_empty();
    let asked = Asked {
        numbers,
        ..Asked::default()
    };
    if all { Vec::new() } else { vec![asked] }
}

fn search(question: &TrailQuestion) -> Result<Search, Problem> {
    let said = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let operation = word(&question.operation, "operation", |text| {
        Operation::ALL
            .iter()
            .copied()
            .find(|known| known.as_str() == text)
    })?;
    let outcome = word(&question.outcome, "outcome", |text| {
        Outcome::WORDS.into_iter().find(|known| *known == text)
    })?;
    let since = word(&question.since, "since", day)?;
    let until = word(&question.until, "until", day)?;
    if since.zip(until).is_some_and(|(since, until)| since > until) {
        return Err(Problem::field("until", "is before the first day"));
    }
    let order: Option<OrderId> = question.order.parse().ok();
    let registry_number = match order {
        Some(_) => None,
        None => word(&question.order, "order", |text| {
            text.parse::<RegistryNumber>().ok()
        })?,
    };
    Ok(Search {
        user: said(&question.who),
        agency: said(&question.agency),
        operation,
        outcome,
        order,
        registry_number,
        since: since.map(|day| UtcMillis::pacific(day, None)),
        until: until.map(UtcMillis::pacific_end_of),
        ..Search::default()
    })
}

/// What a text means; none for an empty one.
fn word<T>(
    text: &str,
    path: &'static str,
    read: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>, Problem> {
    if text.is_empty() {
        return Ok(None);
    }
    match read(text) {
        Some(read) => Ok(Some(read)),
        None => Err(Problem::field(path, "was not understood")),
    }
}

fn day(text: &str) -> Option<Date> {
    text.parse().ok()
}

fn machine(of: &OriginId) -> &str {
    of.writer()
}

fn onward(question: &TrailQuestion, ledgers: &[Arc<Ledger>]) -> Onward {
    let places: BTreeMap<&str, &TrailPlace> = question
        .onward
        .iter()
        .map(|place| (place.machine.as_str(), place))
        .collect();
    let places = ledgers.iter().filter_map(|ledger| {
        let place = places.get(machine(ledger.origin()))?;
        let position = Position {
            epoch: place.epoch,
            seq: place.seq,
        };
        Some((ledger.origin().clone(), position))
    });
    places.collect()
}

fn place(of: &OriginId, Position { epoch, seq }: Position) -> TrailPlace {
    TrailPlace {
        machine: machine(of).to_owned(),
        epoch,
        seq,
    }
}

fn state(ledger: &Ledger, trouble: &str, found: &Newest) -> TrailState {
    let end = ledger.end();
    let stopped = found
        .stopped
        .iter()
        .find(|(of, _)| of == ledger.origin())
        .map(|(_, why)| why.clone());
    let damage = ledger.damage().map(|damage| damage.to_string());
    TrailState {
        head: ledger
            .head()
            .map(|head| place(ledger.origin(), head.position))
            .unwrap_or_else(|| place(ledger.origin(), Position { epoch: 0, seq: 0 })),
        at: end
            .and_then(|end| i64::try_from(end.hlc.millis()).ok())
            .map(|at| UtcMillis(at).to_string())
            .unwrap_or_default(),
        records: ledger.records(),
        trouble: damage.or(stopped).unwrap_or_else(|| trouble.to_owned()),
    }
}

fn row((of, at, act): &(OriginId, Position, Act)) -> TrailRow {
    TrailRow {
        at: act.at.to_string(),
        who: act.by.name(),
        role: act.by.role.clone(),
        agency: act.by.agency.clone(),
        ori: act.by.ori.clone(),
        operation: act.operation.to_string(),
        outcome: act.outcome.word().to_owned(),
        code: act.outcome.code().to_owned(),
        orders: act
            .orders
            .iter()
            .map(|order| order.registry_number().to_string())
            .collect(),
        hits: act.hits,
        took_us: act.took_us,
        states_purpose: act.states_purpose,
        sealed: act.told.is_some(),
        times: act.times,
        place: place(of, *at),
    }
}
