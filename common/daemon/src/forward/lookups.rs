//! When a question about people is worth passing on to the hubs, and how their answers and the one here become one.

use std::time::Duration;

use ccpor_api::Caller;
use ccpor_api::message::{Freshness, LookupAnswer, LookupRequest, PersonHistoryAnswer, PersonHistoryRequest};
use tokio::task::JoinSet;

use super::passed::{Passes, WITHIN, question, read};
use super::pause::Pauses;
use crate::merge::{self, is_fresher};

/// A question whose answers, from this machine and the hubs, are made one.
pub trait Merged: Passes {
    /// Whether who asks names how old the answer may be: they are served at every time.
    fn names_a_bound(&self) -> bool {
        false
    }

    /// Whether it asks for a further page: pages count through one machine's hits.
    fn goes_on(&self) -> bool {
        false
    }

    /// Up to when an answer holds.
    fn freshness(answer: &Self::Answer) -> Option<&Freshness>;
    /// Both answers as one.
    fn merged(&self, here: Self::Answer, hub: Self::Answer) -> Self::Answer;
}

impl Merged for LookupRequest {
    fn names_a_bound(&self) -> bool {
        self.max_age_s > 0
    }

    fn goes_on(&self) -> bool {
        !self.page_token.is_empty()
    }

    fn freshness(answer: &LookupAnswer) -> Option<&Freshness> {
        answer.freshness.as_ref()
    }

    fn merged(&self, here: LookupAnswer, hub: LookupAnswer) -> LookupAnswer {
        let limit = usize::try_from(self.limit).unwrap_or(0);
        merge::lookups(here, hub, limit.max(ccpor_api::question::DEFAULT_LIMIT))
    }
}

impl Merged for PersonHistoryRequest {
    fn freshness(answer: &PersonHistoryAnswer) -> Option<&Freshness> {
        answer.freshness.as_ref()
    }

    fn merged(&self, here: PersonHistoryAnswer, hub: PersonHistoryAnswer) -> PersonHistoryAnswer {
        merge::histories(here, hub)
    }
}

/// Asks the hubs for what this machine cannot answer currently.
#[derive(Default)]
pub struct Forward {
    /// After no hub answered a question, or those that did knew nothing later.
    pub(super) pauses: Pauses,
}

impl Forward {
    /// The answer of this machine, made current by those of the hubs where it is not and they know more. `ask` puts a question to
    /// every hub at once; `seen` takes out of an answer what this machine knows to be hidden from the caller. Never fails and never
    /// takes longer than the hubs may: then the answer stays as it is, and says what it lacks.
    pub async fn complete<R: Merged, S: Future<Output = R::Answer> + Send>(
        &self,
        caller: &Caller,
        request: R,
        here: R::Answer,
        ask: impl FnOnce(Vec<u8>, Duration) -> JoinSet<Option<Vec<u8>>>,
        seen: impl Fn(R::Answer) -> S,
    ) -> R::Answer {
        let needs_none = R::freshness(&here).is_none_or(|freshness| freshness.complete);
        let left_alone = !request.names_a_bound() && self.pauses.is_on::<R>();
        if needs_none || request.goes_on() || left_alone {
            return here;
        }
        let Some(question) = question(caller, &request) else {
            return here;
        };
        let (mut all, mut learnt) = (here, false);
        let mut asked = ask(question, WITHIN);
        while let Some(answer) = asked.join_next().await {
            let Some(Ok(hub)) = answer.ok().flatten().as_deref().and_then(read::<R>) else {
                continue;
            };
            let known = R::freshness(&all).zip(R::freshness(&hub));
            let fresher = known.is_some_and(|(here, hub)| is_fresher(here, hub));
            // Behind a hub that knows everything currently there is nothing more to learn.
            let enough = fresher && known.is_some_and(|(_, hub)| hub.complete);
            if fresher {
                let hub = seen(hub).await;
                all = request.merged(all, hub);
                learnt = true;
            }
            // Who asked does not wait for a hub that can add nothing.
            if enough || R::freshness(&all).is_some_and(|freshness| freshness.complete) {
                break;
            }
        }
        if !learnt {
            self.pauses.begin::<R>();
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use ccpor_api::message::{CourtAsOf, Freshness, Hit, NotCurrent};

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

    fn answer_here() -> LookupAnswer {
        answer(OLD, false)
    }

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
            assert!(question.starts_with(b"lookup/1 "));
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
    async fn behind_a_hub_that_knows_everything_currently_no_other_one_is_waited_for() {
        let here = LookupAnswer {
            hits: vec![Hit {
                court: "court/far".to_owned(),
                ..Hit::default()
            }],
            ..answer_here()
        };
        let ask = |_: Vec<u8>, _| {
            let mut answers = JoinSet::new();
            let current = serde_json::to_vec(&answer(NEW, true)).unwrap();
            answers.spawn(async move { Some(current) });
            answers.spawn(std::future::pending());
            answers
        };
        let (forward, request) = (Forward::default(), LookupRequest::default());
        let told = forward
            .complete(&Caller::default(), request, here, ask, async |hub| hub)
            .await;
        // What the hub no longer names is told, and not as current.
        assert_eq!(told.hits.len(), 1);
        assert!(!told.freshness.unwrap().complete);
    }

    #[tokio::test]
    async fn the_history_of_a_person_is_asked_for_with_a_word_and_a_pause_of_its_own() {
        let history = |answer: LookupAnswer, unread: &str| PersonHistoryAnswer {
            not_readable: vec![unread.to_owned()],
            freshness: answer.freshness,
            ..PersonHistoryAnswer::default()
        };
        let (forward, asked) = (Forward::default(), Cell::new(0));
        let whole = async |hub: &PersonHistoryAnswer| {
            let answer = serde_json::to_vec(hub).unwrap();
            let ask = |question: Vec<u8>, _| {
                assert!(question.starts_with(b"history/1 "));
                asked.set(asked.get() + 1);
                [std::future::ready(Some(answer))].into_iter().collect()
            };
            let (request, here) = (PersonHistoryRequest::default(), history(answer_here(), "a"));
            forward
                .complete(&Caller::default(), request, here, ask, async |hub| hub)
                .await
        };
        let all = whole(&history(answer(NEW, true), "b")).await;
        assert_eq!(all.not_readable, ["a", "b"]);
        assert!(all.freshness.unwrap().complete);
        for _ in 0..2 {
            let alone = whole(&history(answer_here(), "b")).await;
            assert_eq!(alone, history(answer_here(), "a"));
        }
        assert_eq!(asked.get(), 2);
        let looked_up = completed(&forward, 0, &[answer(NEW, true)], &asked).await;
        assert!(looked_up.freshness.unwrap().complete);
        assert_eq!(asked.get(), 3);
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
