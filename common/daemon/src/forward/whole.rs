//! Questions about one order that this machine does not hold, or not currently: then the hub that knows its court up to the latest
//! moment answers them, as a whole.

use std::time::Duration;

use ccpor_api::message::{EnforceAnswer, EnforceRequest, Freshness, GetOrderRequest, OrderAnswer};
use ccpor_api::{Caller, Code, Problem};
use ccpor_domain::UtcMillis;
use tokio::task::JoinSet;

use super::lookups::Forward;
use super::passed::{Passes, WITHIN, question, read};

/// A question that is answered by one machine alone.
pub trait Whole: Passes {
    /// The order that is asked about, as it was named.
    fn order(&self) -> &str;
    /// Up to when an answer holds.
    fn freshness(answer: &mut Self::Answer) -> &mut Option<Freshness>;
    /// The one court on which an answer depends; none when it depends on all: then no hub's answer takes the place of one from here,
    /// since of the own court this machine knows more.
    fn court(answer: &Self::Answer) -> Option<&str>;
}

impl Whole for GetOrderRequest {
    fn order(&self) -> &str {
        &self.order_id
    }

    fn freshness(answer: &mut OrderAnswer) -> &mut Option<Freshness> {
        &mut answer.freshness
    }

    fn court(answer: &OrderAnswer) -> Option<&str> {
        Some(&answer.court)
    }
}

impl Whole for EnforceRequest {
    fn order(&self) -> &str {
        &self.order_id
    }

    fn freshness(answer: &mut EnforceAnswer) -> &mut Option<Freshness> {
        &mut answer.freshness
    }

    /// The same people may be named in orders of any court.
    fn court(_: &EnforceAnswer) -> Option<&str> {
        None
    }
}

/// What this machine says by itself.
pub struct Here<'a, A> {
    /// Its identity.
    pub machine: &'a str,
    /// Whether it holds the order, be it to show or to hide it: what is hidden here no hub is asked for.
    pub holds: bool,
    /// Its answer.
    pub answer: Result<A, Problem>,
}

impl Forward {
    /// The answer of this machine, or that of a hub which knows more. Takes no longer than a hub may.
    ///
    /// # Errors
    /// The problem here, or that of the hub which knows the order.
    pub async fn whole<R: Whole>(
        &self,
        caller: &Caller,
        request: R,
        here: Here<'_, R::Answer>,
        ask: impl FnOnce(Vec<u8>, Duration) -> JoinSet<Option<Vec<u8>>>,
    ) -> Result<R::Answer, Problem> {
        let Here {
            machine,
            holds,
            answer: mut here,
        } = here;
        let wanted = match &mut here {
            Ok(answer) => !is_current::<R>(answer) && !self.pauses.is_on::<R>(),
            Err(problem) => problem.code == Code::OrderNotFound && !holds,
        };
        let question = question(caller, &request).filter(|_| wanted);
        let Some(question) = question else { return here };
        let (mut asked, mut heard) = (ask(question, WITHIN), false);
        while let Some(answer) = asked.join_next().await {
            let Some(answer) = answer.ok().flatten().as_deref().and_then(read::<R>) else {
                continue;
            };
            heard = true;
            here = better::<R>(here, answer.map(|answer| named::<R>(answer, machine)));
            if here.as_mut().is_ok_and(|answer| is_current::<R>(answer)) {
                break;
            }
        }
        if !heard {
            self.pauses.begin::<R>();
        }
        here
    }
}

fn is_current<R: Whole>(answer: &mut R::Answer) -> bool {
    let court = R::court(answer).map(str::to_owned);
    let Some(fresh) = R::freshness(answer) else {
        return true;
    };
    match court {
        None => true,
        Some(court) => fresh.not_current.iter().all(|late| late.court != court),
    }
}

/// Of two answers the one that is about the order at all, and then the one up to the later moment.
fn better<R: Whole>(
    here: Result<R::Answer, Problem>,
    hub: Result<R::Answer, Problem>,
) -> Result<R::Answer, Problem> {
    match (here, hub) {
        (Ok(mut here), Ok(mut hub)) => {
            let fresher = as_of::<R>(&mut hub) > as_of::<R>(&mut here);
            Ok(if fresher { hub } else { here })
        }
        (Err(_), Ok(hub)) => Ok(hub),
        // A hub that holds the order may have more to say than that it is not here.
        (Err(here), Err(hub)) if here.code == Code::OrderNotFound => Err(hub),
        (here, Err(_)) => here,
    }
}

/// Up to when an answer knows the court that it depends on.
fn as_of<R: Whole>(answer: &mut R::Answer) -> Option<UtcMillis> {
    let court = R::court(answer)?.to_owned();
    let fresh = R::freshness(answer).as_ref()?;
    let known = fresh.courts.iter().find(|known| known.court == court)?;
    known.as_of.parse().ok()
}

/// A hub's answer as this machine gives it: the hub was asked as well.
fn named<R: Whole>(mut hub: R::Answer, machine: &str) -> R::Answer {
    if let Some(fresh) = R::freshness(&mut hub) {
        fresh.also_asked = std::mem::replace(&mut fresh.served_by, machine.to_owned());
    }
    hub
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use ccpor_api::message::{CourtAsOf, NotCurrent};

    use super::super::passed::answer as on_the_wire;
    use super::*;

    const OLD: &str = "2026-10-02T21:15:00.000Z";
    const NEW: &str = "2026-10-02T21:16:00.000Z";
    const NODE: &str = "court/own/node/1";

    fn order(machine: &str, as_of: &str, current: bool) -> OrderAnswer {
        let court = || "court/far".to_owned();
        let late = NotCurrent {
            court: court(),
            as_of: as_of.to_owned(),
            ..NotCurrent::default()
        };
        OrderAnswer {
            court: court(),
            freshness: Some(Freshness {
                complete: current,
                courts: vec![CourtAsOf {
                    court: court(),
                    as_of: as_of.to_owned(),
                    age_ms: Some(1),
                }],
                not_current: if current { Vec::new() } else { vec![late] },
                served_by: machine.to_owned(),
                ..Freshness::default()
            }),
            ..OrderAnswer::default()
        }
    }

    fn unknown() -> Problem {
        Problem::new(Code::OrderNotFound, "no such order here")
    }

    type Told = Result<OrderAnswer, Problem>;

    /// What is answered, and how often hubs were asked for it.
    async fn asked(answer: Told, holds: bool, hubs: &[Option<Told>]) -> (Told, u32) {
        asked_of(&Forward::default(), answer, holds, hubs).await
    }

    async fn asked_of(forward: &Forward, answer: Told, holds: bool, hubs: &[Option<Told>]) -> (Told, u32) {
        let times = Cell::new(0);
        let ask = |question: Vec<u8>, _| {
            assert!(question.starts_with(b"order/1 "));
            times.set(times.get() + 1);
            let mut answers = JoinSet::new();
            for hub in hubs.iter().cloned() {
                answers.spawn(async move { hub.and_then(on_the_wire::<GetOrderRequest>) });
            }
            answers
        };
        let here = Here {
            machine: NODE,
            holds,
            answer,
        };
        let told = forward
            .whole(&Caller::default(), GetOrderRequest::default(), here, ask)
            .await;
        (told, times.get())
    }

    /// The hub's answer as the node gives it.
    fn from_hub(as_of: &str, current: bool) -> OrderAnswer {
        let mut given = order(NODE, as_of, current);
        if let Some(fresh) = &mut given.freshness {
            fresh.also_asked = "hub/1".to_owned();
        }
        given
    }

    #[tokio::test]
    async fn what_is_current_here_and_what_is_hidden_here_no_hub_is_asked_for() {
        let hub = [Some(Ok(order("hub/1", NEW, true)))];
        let here = order(NODE, OLD, true);
        assert_eq!(asked(Ok(here.clone()), true, &hub).await, (Ok(here), 0));
        assert_eq!(asked(Err(unknown()), true, &hub).await, (Err(unknown()), 0));
        let withheld = || Problem::new(Code::PurposeNeeded, "say why");
        assert_eq!(asked(Err(withheld()), false, &hub).await, (Err(withheld()), 0));
    }

    #[tokio::test]
    async fn an_order_that_is_not_here_or_late_here_is_shown_as_a_hub_knows_it() {
        let hub = [Some(Ok(order("hub/1", NEW, true)))];
        let given = Ok(from_hub(NEW, true));
        assert_eq!(asked(Err(unknown()), false, &hub).await, (given.clone(), 1));
        let late = order(NODE, OLD, false);
        assert_eq!(asked(Ok(late.clone()), true, &hub).await, (given, 1));
        for hub in [
            [None],
            [Some(Err(unknown()))],
            [Some(Ok(order("hub/1", OLD, false)))],
        ] {
            assert_eq!(asked(Ok(late.clone()), true, &hub).await, (Ok(late.clone()), 1));
        }
    }

    #[tokio::test]
    async fn hubs_that_are_silent_are_not_waited_for_at_every_late_order_but_at_every_one_that_is_not_here() {
        let (forward, late) = (Forward::default(), order(NODE, OLD, false));
        for times in [1, 0] {
            let told = asked_of(&forward, Ok(late.clone()), true, &[None]).await;
            assert_eq!(told, (Ok(late.clone()), times));
        }
        let told = asked_of(&forward, Err(unknown()), false, &[None]).await;
        assert_eq!(told, (Err(unknown()), 1));
        // Hubs that answer are asked again, whatever they say.
        let (forward, no_later) = (Forward::default(), [Some(Ok(order("hub/1", OLD, false)))]);
        for _ in 0..2 {
            let told = asked_of(&forward, Ok(late.clone()), true, &no_later).await;
            assert_eq!(told, (Ok(late.clone()), 1));
        }
    }

    #[tokio::test]
    async fn a_hub_that_knows_only_other_courts_later_is_not_preferred() {
        let late_elsewhere = |mut answer: OrderAnswer, as_of: &str| {
            let fresh = answer.freshness.as_mut().unwrap();
            fresh.courts.push(CourtAsOf {
                court: "court/other".to_owned(),
                as_of: as_of.to_owned(),
                age_ms: Some(1),
            });
            fresh.not_current.push(NotCurrent {
                court: "court/other".to_owned(),
                as_of: as_of.to_owned(),
                ..NotCurrent::default()
            });
            answer
        };
        let here = late_elsewhere(order(NODE, NEW, false), OLD);
        let hub = late_elsewhere(order("hub/1", OLD, false), NEW);
        assert_eq!(
            asked(Ok(here.clone()), true, &[Some(Ok(hub))]).await,
            (Ok(here), 1)
        );
    }

    #[test]
    fn what_is_to_be_enforced_is_said_by_this_machine_where_it_holds_the_order() {
        let mut late = EnforceAnswer {
            freshness: Some(Freshness::default()),
            ..EnforceAnswer::default()
        };
        assert!(is_current::<EnforceRequest>(&mut late));
    }

    #[tokio::test]
    async fn a_hub_that_holds_the_order_says_why_it_does_not_show_it() {
        let why = Problem::new(Code::PurposeNeeded, "it is over").action("State a purpose.");
        let silent_first = [None, Some(Err(why.clone()))];
        assert_eq!(asked(Err(unknown()), false, &silent_first).await, (Err(why), 1));
        assert_eq!(asked(Err(unknown()), false, &[None]).await, (Err(unknown()), 1));
    }
}
