//! The questions that a node passes on, and their answers, as they go over the link: a word, and JSON behind it.

use std::time::Duration;

use ccpor_api::message::{
    EnforceAnswer, EnforceRequest, GetOrderRequest, LookupAnswer, LookupRequest, OrderAnswer,
    PersonHistoryAnswer, PersonHistoryRequest,
};
use ccpor_api::{Caller, Code, Person, Problem};
use ccpor_certs::Identity;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// How long a hub may take: who asked waits for it.
pub(super) const WITHIN: Duration = Duration::from_millis(700);

/// A question that is passed on.
pub trait Passes: Serialize + DeserializeOwned + Send + 'static {
    /// Begins the question; JSON follows.
    const WORD: &'static [u8];
    /// What is answered.
    type Answer: Serialize + DeserializeOwned + Send;
    /// Whether the hub says why it gives no answer. About people it says nothing: what the node itself says stands then.
    const SAYS_WHY: bool;
}

impl Passes for LookupRequest {
    const WORD: &'static [u8] = b"lookup/1 ";
    type Answer = LookupAnswer;
    const SAYS_WHY: bool = false;
}

impl Passes for PersonHistoryRequest {
    const WORD: &'static [u8] = b"history/1 ";
    type Answer = PersonHistoryAnswer;
    const SAYS_WHY: bool = false;
}

impl Passes for GetOrderRequest {
    const WORD: &'static [u8] = b"order/1 ";
    type Answer = OrderAnswer;
    const SAYS_WHY: bool = true;
}

impl Passes for EnforceRequest {
    const WORD: &'static [u8] = b"enforce/1 ";
    type Answer = EnforceAnswer;
    const SAYS_WHY: bool = true;
}

/// The question, and for whom it is asked.
#[derive(Serialize, Deserialize)]
pub(super) struct Passed<R> {
    identity: String,
    ori: String,
    #[serde(default)]
    purpose: String,
    #[serde(default)]
    case_number: String,
    #[serde(default)]
    person: Option<Person>,
    pub(super) request: R,
}

/// Why there is no answer.
#[derive(Serialize, Deserialize)]
struct Refused {
    code: String,
    detail: String,
    #[serde(default)]
    action: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Told<A> {
    Given(A),
    Refused(Refused),
}

impl<R: Passes> Passed<R> {
    /// The question, if it is one of this kind.
    pub(super) fn of(question: &[u8]) -> Option<Self> {
        serde_json::from_slice(question.strip_prefix(R::WORD)?).ok()
    }

    /// For whom it is asked. The node vouches for whom it asks, and the rights are that one's; the record names both.
    pub(super) fn caller(&self, node: &Identity) -> Caller {
        Caller {
            identity: self.identity.clone(),
            oris: Vec::new(),
            ori: self.ori.clone(),
            purpose: self.purpose.clone(),
            case_number: self.case_number.clone(),
            person: self.person.clone(),
            via: node.path(),
            source: String::new(),
        }
    }
}

/// The question as it goes over the link; none when the request cannot be written.
#[must_use]
pub fn question<R: Passes>(caller: &Caller, request: &R) -> Option<Vec<u8>> {
    let passed = Passed {
        identity: caller.identity.clone(),
        ori: caller.ori.clone(),
        purpose: caller.purpose.clone(),
        case_number: caller.case_number.clone(),
        person: caller.person.clone(),
        request,
    };
    let mut question = R::WORD.to_vec();
    serde_json::to_writer(&mut question, &passed).ok()?;
    Some(question)
}

/// The answer as it goes over the link; none where nothing is said.
pub(super) fn answer<R: Passes>(answer: Result<R::Answer, Problem>) -> Option<Vec<u8>> {
    if !R::SAYS_WHY {
        return serde_json::to_vec(&answer.ok()?).ok();
    }
    let told = match answer {
        Ok(answer) => Told::Given(answer),
        Err(problem) => Told::Refused(Refused {
            code: problem.code.as_str().to_owned(),
            action: problem.action.as_deref().unwrap_or_default().to_owned(),
            detail: problem.detail.into_owned(),
        }),
    };
    serde_json::to_vec(&told).ok()
}

/// The hub's answer; none when it is none.
#[must_use]
pub fn read<R: Passes>(answer: &[u8]) -> Option<Result<R::Answer, Problem>> {
    if !R::SAYS_WHY {
        return serde_json::from_slice(answer).ok().map(Ok);
    }
    Some(match serde_json::from_slice(answer).ok()? {
        Told::Given(answer) => Ok(answer),
        Told::Refused(refused) => {
            let code = Code::parse(&refused.code).unwrap_or(Code::Unrecognised);
            let problem = Problem::new(code, refused.detail);
            Err(match refused.action {
                action if action.is_empty() => problem,
                action => problem.action(action),
            })
        }
    })
}
