//! What happens at the door of the interface, for the record: who came in, and who was turned away. Whoever has no certificate must
//! not be able to fill the disk: beyond so many a minute, refusals are recorded as one with their count.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ccpor_api::{Arrival, Caller, Knock, Person, Problem};
use ccpor_audit::{Draft, Operation, Outcome};
use ccpor_certs::Peer;

use super::recorder::{Recorder, outcome, plain};
use crate::witness::{self, PersonAct, PersonEvent, Witness};

/// Refusals of one minute that are recorded one by one.
const ONE_BY_ONE: u32 = 60;
const MINUTE: Duration = Duration::from_secs(60);
/// What is recorded of a handshake that failed, when nobody knows whose it was.
const NO_HANDSHAKE: &str = "tls-handshake";

/// Counts refusals.
#[derive(Default)]
pub(super) struct Door(Mutex<Counted>);

#[derive(Default)]
struct Counted {
    since: Option<Instant>,
    refusals: u32,
    /// Not recorded one by one, and not yet as one.
    unsaid: u32,
}

impl Door {
    /// For how many refusals an entry is to be written now; none when this one waits for the next minute.
    fn counted(&self, now: Instant) -> Option<u32> {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counted
            .since
            .is_none_or(|since| now.duration_since(since) >= MINUTE)
        {
            let unsaid = counted.unsaid;
            *counted = Counted {
                since: Some(now),
                refusals: 1,
                unsaid: 0,
            };
            return Some(unsaid + 1);
        }
        counted.refusals += 1;
        if counted.refusals > ONE_BY_ONE {
            counted.unsaid += 1;
            return None;
        }
        Some(1)
    }
}

impl Recorder {
    /// Records a knock. A call that is turned away is answered after that.
    pub(super) async fn knocked(&self, knock: Knock) {
        if knock.arrival == Arrival::LoggedOn {
            let mut draft = self.at_the_door(&knock);
            draft.act.outcome = Outcome::Done;
            self.note_unheard(draft);
            return;
        }
        let Some(times) = self.door.counted(Instant::now()) else {
            return;
        };
        let mut draft = self.at_the_door(&knock);
        draft.act.times = times;
        draft.act.outcome = match &knock.arrival {
            Arrival::TurnedAway(problem) => outcome(problem.code),
            Arrival::NoHandshake(Some(known)) => {
                Outcome::refused_machine(known.why.cause(), Some(&known.peer.serial))
            }
            Arrival::NoHandshake(None) | Arrival::LoggedOn => Outcome::Refused(NO_HANDSHAKE.to_owned()),
        };
        self.note(draft).await;
    }

    /// Records that a machine was refused on the link, or is no longer let in there. Nobody waits for it: it is given nothing. `peer` is
    /// whose key was shown; who has shown none is recorded by the address alone.
    pub fn link_refused(&self, address: SocketAddr, peer: Option<&Peer>, cause: &str) {
        let identity = peer.map(|peer| peer.identity.path());
        let serial = peer.map(|peer| peer.serial.as_str());
        if let Some(draft) = self.machine_refused(address, identity, Outcome::refused_machine(cause, serial))
        {
            self.note_unheard(draft);
        }
    }

    /// Records that a machine without a certificate, or with one that is to be renewed, was not given one.
    pub async fn not_enrolled(&self, address: SocketAddr, identity: Option<String>, why: &str) {
        let refused = Outcome::refused_machine(why, None);
        if let Some(draft) = self.machine_refused(address, identity, refused) {
            self.note(draft).await;
        }
    }

    fn machine_refused(
        &self,
        address: SocketAddr,
        identity: Option<String>,
        refused: Outcome,
    ) -> Option<Draft> {
        let times = self.door.counted(Instant::now())?;
        let caller = Caller {
            identity: identity.unwrap_or_default(),
            source: address.to_string(),
            ..Caller::default()
        };
        let mut draft = self.draft(&plain(&caller, Operation::LogOn));
        draft.act.times = times;
        draft.act.outcome = refused;
        Some(draft)
    }

    fn at_the_door(&self, knock: &Knock) -> Draft {
        let nobody = Caller {
            source: knock.source.clone(),
            ..Caller::default()
        };
        let mut caller = knock.caller.clone().unwrap_or(nobody);
        if let ("", [only]) = (caller.ori.as_str(), caller.oris.as_slice()) {
            caller.ori.clone_from(only);
        }
        let operation = match knock.arrival {
            Arrival::LoggedOn | Arrival::NoHandshake(_) => Operation::LogOn,
            Arrival::TurnedAway(_) => Operation::Call,
        };
        self.draft(&plain(&caller, operation))
    }

    /// Records what people do with their accounts and sessions, and tells the log. They are answered when it is durable.
    #[must_use]
    pub fn witness(self: &Arc<Self>) -> Witness {
        let recorder = Arc::clone(self);
        Arc::new(move |event| {
            let recorder = Arc::clone(&recorder);
            Box::pin(async move {
                witness::log(&event);
                recorder.person(&event).await
            })
        })
    }

    async fn person(&self, event: &PersonEvent) -> Result<(), Problem> {
        let times = match &event.refused {
            None => Some(1),
            Some(_) => self.door.counted(Instant::now()),
        };
        let Some(times) = times else { return Ok(()) };
        let caller = Caller {
            identity: event.certificate.clone().unwrap_or_default(),
            person: event.account.clone().map(|account| Person {
                account,
                session: event.session.clone().unwrap_or_default(),
                ..Person::default()
            }),
            ..Caller::default()
        };
        let operation = match event.what {
            PersonAct::LogOn => Operation::SignIn,
            PersonAct::SetUp => Operation::SetUp,
            PersonAct::Session => Operation::Session,
            PersonAct::LogOff => Operation::SignOut,
        };
        let mut draft = self.draft(&plain(&caller, operation));
        draft.act.times = times;
        draft.act.outcome = event.refused.clone().map_or(Outcome::Done, Outcome::Refused);
        self.on_record(draft).await
    }

    /// An entry that stands before those of the calls on the connection, so that it is durable when one of them is answered.
    fn note_unheard(&self, mut draft: Draft) {
        match self.trail().entry(&mut draft) {
            Ok(entry) => self.trail().append(None, entry, |_| {}),
            Err(error) => tracing::error!(%error, "a connection was not recorded"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_refusals_is_sixty_entries_a_minute_and_loses_no_count() {
        let (door, start) = (Door::default(), Instant::now());
        let said: Vec<u32> = (0..1_000).filter_map(|_| door.counted(start)).collect();
        assert_eq!(said, vec![1; 60]);
        let later = door.counted(start + MINUTE);
        assert_eq!(later, Some(941));
        assert_eq!(door.counted(start + MINUTE), Some(1));
    }
}
