//! A lookup that a node passes on to its hub because it is not current itself: the question on the link, who answers it, and
//! when it is worth asking.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ccpor_access::Verb;
use ccpor_api::message::{LookupAnswer, LookupRequest};
use ccpor_api::{Caller, Person};
use ccpor_audit::Operation;
use ccpor_certs::Identity;
use ccpor_transport::{Answer, BoxAnswer};
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;

use crate::audit::{Call, Recorder, asked_for, looked_up};
use crate::guard::may_ask;
use crate::merge::{is_fresher, merge};
use crate::reading::Reader;

/// Begins the question; JSON follows.
const QUESTION: &[u8] = b"lookup/1 ";
/// How long the hub may take: who asked waits for it.
const WITHIN: Duration = Duration::from_millis(700);
/// How long it is not asked again without need after it did not answer, or knew nothing later.
const PAUSE: Duration = Duration::from_secs(5);

/// The question, and for whom it is asked.
#[derive(Serialize, Deserialize)]
struct Passed {
    identity: String,
    ori: String,
    #[serde(default)]
    purpose: String,
    #[serde(default)]
    case_number: String,
    #[serde(default)]
    person: Option<Person>,
    request: LookupRequest,
}

/// The question as it goes over the link; none when the request cannot be written.
#[must_use]
pub fn question(caller: &Caller, request: LookupRequest) -> Option<Vec<u8>> {
    let passed = Passed {
        identity: caller.identity.clone(),
        ori: caller.ori.clone(),
        purpose: caller.purpose.clone(),
        case_number: caller.case_number.clone(),
        person: caller.person.clone(),
        request,
    };
    let mut question = QUESTION.to_vec();
    serde_json::to_writer(&mut question, &passed).ok()?;
    Some(question)
}

/// The hub's answer; none when it is none.
#[must_use]
pub fn read(answer: &[u8]) -> Option<LookupAnswer> {
    serde_json::from_slice(answer).ok()
}

/// A hub answers its nodes' lookups, on record like every other, and leaves every other question to somebody else.
pub struct GivesAnswers<A> {
    /// Who looks up.
    pub reader: Arc<Reader>,
    /// Who records that it was asked.
    pub recorder: Arc<Recorder>,
    /// Who answers the other questions.
    pub otherwise: A,
}

impl<A: Answer> Answer for GivesAnswers<A> {
    fn answer(&self, peer: Identity, question: Vec<u8>, within: Duration) -> BoxAnswer {
        let asked = question.strip_prefix(QUESTION).filter(|_| peer.is_node());
        let Some(asked) = asked.and_then(|asked| serde_json::from_slice::<Passed>(asked).ok()) else {
            return self.otherwise.answer(peer, question, within);
        };
        let (reader, recorder) = (Arc::clone(&self.reader), Arc::clone(&self.recorder));
        Box::pin(async move {
            // The node vouches for whom it asks, and the rights are that one's; the record names both.
            let caller = Caller {
                identity: asked.identity,
                oris: Vec::new(),
                ori: asked.ori,
                purpose: asked.purpose,
                case_number: asked.case_number,
                person: asked.person,
                via: peer.path(),
                source: String::new(),
            };
            let call = Call {
                caller: &caller,
                operation: Operation::PassedLookUp,
                asked: asked_for(&asked.request),
            };
            let work = async {
                may_ask(&caller, Verb::Search)?;
                reader.lookup(&caller, asked.request).await
            };
            let answer = recorder.around(call, work, looked_up).await.ok()?;
            serde_json::to_vec(&answer).ok()
        })
    }
}

/// Asks the hubs for lookups that this machine cannot answer currently.
#[derive(Default)]
pub struct Forward {
    not_before: Mutex<Option<Instant>>,
}

impl Forward {
    /// The answer of this machine, made current by those of the hubs where it is not and they know more. `ask` puts a question to
    /// every hub at once; `seen` takes out of an answer what this machine knows to be hidden from the caller. Never fails and never
    /// takes longer than the hubs may: then the answer stays as it is, and says what it lacks.
    pub async fn complete<S: Future<Output = LookupAnswer> + Send>(
        &self,
        caller: &Caller,
        request: LookupRequest,
        here: LookupAnswer,
        ask: impl FnOnce(Vec<u8>, Duration) -> JoinSet<Option<Vec<u8>>>,
        seen: impl Fn(LookupAnswer) -> S,
    ) -> LookupAnswer {
        let Some(freshness) = &here.freshness else {
            return here;
        };
        // Pages count through one machine's hits. An asker who names a bound is served at every time.
        if freshness.complete || !request.page_token.is_empty() || (request.max_age_s == 0 && self.pauses()) {
            return here;
        }
        let limit = usize::try_from(request.limit).unwrap_or(0);
        let Some(question) = question(caller, request) else {
            return here;
        };
        let limit = limit.max(ccpor_api::question::DEFAULT_LIMIT);
        let (mut all, mut learnt) = (here, false);
        let mut asked = ask(question, WITHIN);
        while let Some(answer) = asked.join_next().await {
            let Some(hub) = answer.ok().flatten().as_deref().and_then(read) else {
                continue;
            };
            let known = all.freshness.as_ref().zip(hub.freshness.as_ref());
            if known.is_some_and(|(here, hub)| is_fresher(here, hub)) {
                all = merge(all, seen(hub).await, limit);
                learnt = true;
            }
            // Who asked does not wait for a hub that can add nothing.
            if all.freshness.as_ref().is_some_and(|freshness| freshness.complete) {
                break;
            }
        }
        if !learnt {
            self.pause();
        }
        all
    }

    fn pauses(&self) -> bool {
        let not_before = *self.not_before.lock().unwrap_or_else(PoisonError::into_inner);
        not_before.is_some_and(|moment| Instant::now() < moment)
    }

    fn pause(&self) {
        *self.not_before.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now() + PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use ccpor_api::message::{CourtAsOf, Freshness, NotCurrent};

    use super::*;

    fn answer(as_of: &str, current: bool) -> LookupAnswer {
        let court = || "court/far".to_owned();
        let stale = NotCurrent {
            court: court(),
            ..NotCurrent::default()
        };
        LookupAnswer {
            freshness: Some(Freshness {
                complete: current,
                courts: vec![CourtAsOf {
                    court: court(),
                    as_of: as_of.to_owned(),
                    age_ms: Some(1),
                }],
                not_current: if current { Vec::new() } else { vec![stale] },
                served_by: if current { "hub/1" } else { "court/own/node/1" }.into(),
                ..Freshness::default()
            }),
            ..LookupAnswer::default()
        }
    }

    const OLD: &str = "2026-10-02T21:15:00.000Z";
    const NEW: &str = "2026-10-02T21:16:00.000Z";

    async fn completed(
        forward: &Forward,
        max_age_s: u32,
        hubs: &[LookupAnswer],
        asked: &Cell<u32>,
    ) -> LookupAnswer {
        let request = LookupRequest {
            max_age_s,
            ..LookupRequest::default()
        };
        let ask = |question: Vec<u8>, _| {
            assert!(question.starts_with(QUESTION));
            asked.set(asked.get() + 1);
            let mut answers = JoinSet::new();
            for (turn, hub) in hubs.iter().enumerate() {
                let answer = serde_json::to_vec(hub).unwrap();
                answers.spawn(async move {
                    // In the order given.
                    tokio::time::sleep(Duration::from_millis(20 * turn as u64)).await;
                    Some(answer)
                });
            }
            answers
        };
        forward
            .complete(
                &Caller::default(),
                request,
                answer(OLD, false),
                ask,
                async |hub| hub,
            )
            .await
    }

    #[tokio::test]
    async fn a_hub_that_knows_more_makes_the_answer_current() {
        let (forward, asked) = (Forward::default(), Cell::new(0));
        for _ in 0..2 {
            let fresh = completed(&forward, 0, &[answer(NEW, true)], &asked)
                .await
                .freshness
                .unwrap();
            assert!(fresh.complete && fresh.also_asked == "hub/1" && fresh.served_by == "court/own/node/1");
        }
        assert_eq!(asked.get(), 2);
    }

    #[tokio::test]
    async fn a_hub_that_is_silent_or_knows_no_more_is_left_alone_for_a_while_unless_a_bound_is_named() {
        for hubs in [&[][..], &[answer(OLD, false)]] {
            let (forward, asked) = (Forward::default(), Cell::new(0));
            for (max_age_s, expected) in [(0, 1), (0, 1), (30, 2), (0, 2)] {
                let stale = completed(&forward, max_age_s, hubs, &asked).await;
                assert_eq!(stale, answer(OLD, false));
                assert_eq!(asked.get(), expected);
            }
        }
    }

    #[tokio::test]
    async fn of_several_hubs_the_fresher_makes_the_answer_current_whichever_answers_first() {
        const BETWEEN: &str = "2026-10-02T21:15:30.000Z";
        let fresher = |name: &str, as_of, current| {
            let mut hub = answer(as_of, current);
            hub.freshness.as_mut().unwrap().served_by = name.into();
            hub
        };
        let (behind, ahead) = (fresher("hub/2", BETWEEN, false), fresher("hub/1", NEW, true));
        for (hubs, also_asked) in [
            ([behind.clone(), ahead.clone()], "hub/2, hub/1"),
            ([ahead, behind], "hub/1"),
        ] {
            let (forward, asked) = (Forward::default(), Cell::new(0));
            let fresh = completed(&forward, 0, &hubs, &asked).await.freshness.unwrap();
            assert!(fresh.complete && fresh.courts[0].as_of == NEW, "{fresh:?}");
            assert_eq!(fresh.also_asked, also_asked);
        }
    }
}
