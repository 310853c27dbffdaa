//! The history of a run: what clients asked for and what was acknowledged, and whether a machine holds exactly that.
//! It asks; it changes nothing.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ccpor_api::message::{GetOrderRequest, LookupAnswer, Order, OrderAnswer, Position, WriteAnswer};
use ccpor_api::{CallFailed, Client, Code};
use ccpor_domain::OrderId;

use crate::world::{self, Outcome, lookup};

/// What a client can do with an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// File it.
    File,
    /// File its next version.
    Amend,
    /// Record an attempt to serve it.
    Serve,
}

/// One deed as a client did it.
#[derive(Clone, Debug)]
pub struct Act {
    /// The idempotency key, and the reason that stands in the order's history.
    pub key: String,
    /// What.
    pub deed: Deed,
    /// The acknowledgement; none when the client gave up without one.
    pub answer: Option<WriteAnswer>,
}

/// One order, with everything that its client did to it, one deed after the other.
#[derive(Clone, Debug)]
pub struct Case {
    /// Number of the node that files it.
    pub node: usize,
    /// Its court: `court/alameda`.
    pub court: String,
    /// Tells its name from all others of the run.
    pub number: u64,
    /// The deeds; only the last can be without an acknowledgement.
    pub acts: Vec<Act>,
}

impl Case {
    /// The restrained person's last name, unlike any other of the run.
    #[must_use]
    pub fn last_name(&self) -> String {
        surname(self.number)
    }

    /// What the court's machines must make of the key of its filing.
    #[must_use]
    pub fn order_id(&self) -> String {
        let key = self.acts.first().map(|act| act.key.as_str()).unwrap_or_default();
        OrderId::derive(&self.court, key).to_string()
    }

    /// The order on paper as of a deed; each version says which deed made it.
    #[must_use]
    pub fn paper(&self, key: &str) -> Order {
        let paper = world::order(&self.last_name(), FIRST_NAME, &format!("CR{:06}", self.number));
        Order {
            other_text: format!("as of {key}"),
            ..paper
        }
    }

    /// Whether its filing was acknowledged.
    #[must_use]
    pub fn is_acknowledged(&self) -> bool {
        self.acts.first().is_some_and(|act| act.answer.is_some())
    }
}

const FIRST_NAME: &str = "CASEY";

/// Four syllables that no other number below 24,010,000 has; neighbours sound unlike each other.
fn surname(number: u64) -> String {
    const CONSONANTS: &[u8] = b"BDFGKLMNPRSTVZ";
    const VOWELS: &[u8] = b"AEIOU";
    let mut rest = number.wrapping_mul(7_368_787) % 24_010_000;
    let mut name = String::new();
    for _ in 0..4 {
        for letters in [CONSONANTS, VOWELS] {
            let count = letters.len() as u64;
            let letter = usize::try_from(rest % count)
                .ok()
                .and_then(|place| letters.get(place));
            name.extend(letter.map(|letter| char::from(*letter)));
            rest /= count;
        }
    }
    name
}

/// All cases of a run; shared by its clients.
#[derive(Default)]
pub struct History {
    cases: Mutex<Vec<Case>>,
}

impl History {
    /// A new order; gives its place in the history. It counts once a deed is noted.
    pub fn begin(&self, node: usize, court: &str) -> usize {
        let mut cases = self.lock();
        let number = cases.len();
        cases.push(Case {
            node,
            court: court.into(),
            number: number as u64,
            acts: Vec::new(),
        });
        number
    }

    /// Notes a deed before it is asked for.
    pub fn invoke(&self, case: usize, key: &str, deed: Deed) {
        if let Some(case) = self.lock().get_mut(case) {
            case.acts.push(Act {
                key: key.into(),
                deed,
                answer: None,
            });
        }
    }

    /// Notes the acknowledgement of the case's last deed.
    pub fn acknowledge(&self, case: usize, answer: WriteAnswer) {
        if let Some(act) = self.lock().get_mut(case).and_then(|case| case.acts.last_mut()) {
            act.answer = Some(answer);
        }
    }

    /// A case as it stands.
    #[must_use]
    pub fn case(&self, case: usize) -> Option<Case> {
        self.lock().get(case).cloned()
    }

    /// Every case as it stands.
    #[must_use]
    pub fn cases(&self) -> Vec<Case> {
        self.lock().clone()
    }

    /// How many orders were begun.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lock().len()
    }

    /// Whether nothing was done.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The last acknowledged place in the ledger of `court`'s node: whatever happens, the ledger reaches so far.
    #[must_use]
    pub fn promised(&self, court: &str) -> Option<Position> {
        let cases = self.lock();
        let answers = cases
            .iter()
            .filter(|case| case.court == court)
            .flat_map(|case| &case.acts);
        let places = answers.filter_map(|act| act.answer.as_ref()?.position.clone());
        places.max_by_key(|place| (place.epoch, place.seq))
    }

    /// The moment of the last acknowledged deed.
    #[must_use]
    pub fn last_moment(&self) -> String {
        let cases = self.lock();
        let answers = cases
            .iter()
            .flat_map(|case| &case.acts)
            .filter_map(|act| act.answer.as_ref());
        answers
            .map(|answer| answer.recorded_at.clone())
            .max()
            .unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Case>> {
        self.cases.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Looks a case up by name and gives the hits that are its order, after checking that there is at most one.
///
/// # Errors
/// As the machine says. The inner error says what is wrong with the answer.
pub async fn find(client: &Client, case: &Case) -> Result<(usize, LookupAnswer), CallFailed> {
    let answer = lookup(client, &case.last_name(), FIRST_NAME).await?;
    let order = case.order_id();
    let count = answer.hits.iter().filter(|hit| hit.order_id == order).count();
    Ok((count, answer))
}

/// What [`compare`] found on a machine that has what it should.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Orders, by their identifier, with the deeds in their histories.
    pub orders: BTreeMap<String, Vec<String>>,
}

/// Compares what a machine says of these cases with their history.
///
/// # Errors
/// The first ten contradictions, in words.
pub async fn compare(name: &str, client: &Client, cases: &[Case]) -> Outcome<Found> {
    let (mut found, mut faults) = (Found::default(), Vec::new());
    for case in cases.iter().filter(|case| !case.acts.is_empty()) {
        let order = case.order_id();
        let asked = GetOrderRequest {
            order_id: order.clone(),
            ..GetOrderRequest::default()
        };
        let shown = match client.get_order(asked).await {
            Ok(shown) => Some(shown),
            Err(CallFailed::Problem(problem)) if problem.code == Code::OrderNotFound => None,
            Err(error) => return Err(error.into()),
        };
        let (hits, _) = find(client, case).await?;
        match judge(case, shown.as_ref(), hits) {
            Ok(Some(deeds)) => {
                found.orders.insert(order, deeds);
            }
            Ok(None) => {}
            Err(fault) => faults.push(format!("{name}: {} order {order}: {fault}", case.court)),
        }
        if faults.len() == 10 {
            break;
        }
    }
    if faults.is_empty() {
        Ok(found)
    } else {
        Err(faults.join("\n").into())
    }
}

/// The deeds in the order's history, or what contradicts the history of its client.
fn judge(case: &Case, shown: Option<&OrderAnswer>, hits: usize) -> Result<Option<Vec<String>>, String> {
    let Some(shown) = shown else {
        return match (case.is_acknowledged(), hits) {
            (true, _) => Err("it was acknowledged and is not there".into()),
            (false, 0) => Ok(None),
            (false, hits) => Err(format!("it is not there, but a lookup finds it {hits} times")),
        };
    };
    if hits != 1 {
        return Err(format!("a lookup finds it {hits} times"));
    }
    let deeds: Vec<String> = shown.history.iter().map(|step| step.reason.clone()).collect();
    let mut asked = case.acts.as_slice();
    if let [before @ .., last] = asked
        && last.answer.is_none()
        && deeds.len() == before.len()
    {
        asked = before;
    }
    let expected: Vec<String> = asked.iter().map(|act| act.key.clone()).collect();
    if deeds != expected {
        return Err(format!("its history is {deeds:?}, its client did {expected:?}"));
    }
    let versions = asked.iter().filter(|act| act.deed != Deed::Serve);
    let newest = versions
        .clone()
        .next_back()
        .map(|act| act.key.as_str())
        .unwrap_or_default();
    let text = shown
        .order
        .as_ref()
        .map(|order| order.other_text.as_str())
        .unwrap_or_default();
    if text != format!("as of {newest}") {
        return Err(format!(
            "it reads {text:?}, but its newest version is of {newest}"
        ));
    }
    if shown.version as usize != versions.count() {
        return Err(format!("it is at version {}", shown.version));
    }
    let services = asked.iter().filter(|act| act.deed == Deed::Serve).count();
    if shown.service.len() != services || !shown.unreadable.is_empty() {
        return Err(format!(
            "{} services of {services}, {} unreadable",
            shown.service.len(),
            shown.unreadable.len()
        ));
    }
    Ok(Some(deeds))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(answers: &[(Deed, bool)]) -> Case {
        let act = |(number, (deed, answered)): (usize, &(Deed, bool))| Act {
            key: format!("key-{number}"),
            deed: *deed,
            answer: answered.then(WriteAnswer::default),
        };
        Case {
            node: 0,
            court: "court/alameda".into(),
            number: 7,
            acts: answers.iter().enumerate().map(act).collect(),
        }
    }

    fn shown(case: &Case, acts: usize) -> OrderAnswer {
        let acts = case.acts.get(..acts).unwrap();
        let version = acts.iter().rfind(|act| act.deed != Deed::Serve).unwrap();
        let step = |act: &Act| ccpor_api::message::Step {
            reason: act.key.clone(),
            ..Default::default()
        };
        let services = acts.iter().filter(|act| act.deed == Deed::Serve).count();
        OrderAnswer {
            version: u32::try_from(acts.len() - services).unwrap(),
            order: Some(case.paper(&version.key)),
            history: acts.iter().map(step).collect(),
            service: vec![Default::default(); services],
            ..OrderAnswer::default()
        }
    }

    #[test]
    fn what_was_acknowledged_must_be_there_once_and_what_was_not_may_be() {
        let acknowledged = case(&[(Deed::File, true), (Deed::Serve, true), (Deed::Amend, true)]);
        let whole = shown(&acknowledged, 3);
        assert!(judge(&acknowledged, Some(&whole), 1).is_ok());
        assert!(judge(&acknowledged, Some(&whole), 2).is_err());
        assert!(judge(&acknowledged, Some(&whole), 0).is_err());
        assert!(judge(&acknowledged, None, 0).is_err());
        assert!(judge(&acknowledged, Some(&shown(&acknowledged, 2)), 1).is_err());
        let mut twice = whole.clone();
        twice.history.push(twice.history.last().unwrap().clone());
        assert!(judge(&acknowledged, Some(&twice), 1).is_err());
        let mut other = whole;
        other.order.as_mut().unwrap().other_text = "as of key-0".into();
        assert!(judge(&acknowledged, Some(&other), 1).is_err());

        let given_up = case(&[(Deed::File, true), (Deed::Amend, false)]);
        assert!(judge(&given_up, Some(&shown(&given_up, 1)), 1).is_ok());
        assert!(judge(&given_up, Some(&shown(&given_up, 2)), 1).is_ok());
        assert!(judge(&given_up, None, 0).is_err());
        let never = case(&[(Deed::File, false)]);
        assert_eq!(judge(&never, None, 0), Ok(None));
        assert!(judge(&never, None, 1).is_err());
        assert!(judge(&never, Some(&shown(&never, 1)), 1).is_ok());
    }

    #[test]
    fn names_are_all_different() {
        let names: std::collections::BTreeSet<_> = (0..20_000).map(surname).collect();
        assert_eq!(names.len(), 20_000);
    }
}
