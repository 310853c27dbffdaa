//! Puts each call on record: nothing of an answer is given out before its entry is durable. It knows how, not what the calls are.

use std::collections::BTreeSet;
use std::future::Future;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use ccpor_api::message::Check;
use ccpor_api::{Caller, Code, Problem};
use ccpor_audit::{Act, Asked, Draft, Kind, NotRecorded, Operation, Outcome, ShownNames, Told, Trail, Who};
use ccpor_domain::OrderId;
use futures_util::future::try_join_all;
use tokio::sync::oneshot;

use super::door::Door;
use crate::reading::blocking;

/// A call, as far as it is known before it is carried out.
#[derive(Clone, Debug)]
pub struct Call<'a> {
    /// Who calls.
    pub caller: &'a Caller,
    /// What is asked of the registry.
    pub operation: Operation,
    /// Whom or what is asked for.
    pub asked: Vec<Asked>,
}

/// What an answer lets its reader see.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// The name that the answer gives to the request; empty when it gives none.
    pub request: String,
    /// The orders.
    pub orders: Vec<OrderId>,
    /// BLAKE3 of the image.
    pub image: Option<[u8; 32]>,
    /// How many hits or orders.
    pub hits: u32,
    /// The names that it shows, in one piece each.
    pub shown: ShownNames,
    /// The machine that was asked as well.
    pub also_asked: String,
}

/// Records what is asked of this machine.
pub struct Recorder {
    trail: Arc<Trail>,
    identity: String,
    emergency_answers: bool,
    pub(super) door: Door,
    /// The hubs whose copy of the trail contradicts it.
    contradicted: Mutex<BTreeSet<String>>,
    /// Look-ups that were answered since the start.
    look_ups: AtomicU64,
}

impl Recorder {
    /// A recorder that writes the trail of this machine.
    #[must_use]
    pub fn new(trail: Arc<Trail>, identity: String, emergency_answers: bool) -> Self {
        Self {
            trail,
            identity,
            emergency_answers,
            door: Door::default(),
            contradicted: Mutex::default(),
            look_ups: AtomicU64::new(0),
        }
    }

    /// The trail that is written.
    #[must_use]
    pub fn trail(&self) -> &Arc<Trail> {
        &self.trail
    }

    /// Carries out a call and gives its answer once that is on record. `seen` says what the answer lets its reader see.
    ///
    /// # Errors
    /// The problem of the call itself, or that it could not be recorded.
    pub async fn around<T>(
        &self,
        call: Call<'_>,
        work: impl Future<Output = Result<T, Problem>>,
        seen: impl FnOnce(&T) -> Seen,
    ) -> Result<T, Problem> {
        let began = Instant::now();
        let mut pending = Pending {
            trail: &self.trail,
            draft: Some(self.draft(&call)),
            one_of_many: false,
        };
        let kind = call.operation.kind();
        if kind == Kind::Change && self.trail.in_trouble().is_some() {
            // What cannot be taken back is not begun while it is not certain that it can be recorded.
            self.write(&mut pending, false).await?;
            pending.draft = Some(self.draft(&call));
        }
        let result = work.await;
        if kind == Kind::Care && result.is_ok() {
            pending.draft = None;
            return result;
        }
        if let Some(draft) = &mut pending.draft {
            let act = &mut draft.act;
            act.took_us = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
            match &result {
                Ok(answer) => see(draft, seen(answer)),
                Err(problem) => act.outcome = outcome(problem.code),
            }
        }
        self.write(&mut pending, true).await?;
        if kind == Kind::LookUp && result.is_ok() {
            self.look_ups.fetch_add(1, Ordering::Relaxed);
        }
        result
    }

    /// How many look-ups were answered since the start.
    #[must_use]
    pub fn look_ups(&self) -> u64 {
        self.look_ups.load(Ordering::Relaxed)
    }

    /// Records that something is about to be carried out, and waits until that is durable.
    ///
    /// # Errors
    /// That it could not be recorded: then it must not be begun.
    pub async fn begun(&self, by: &Caller, operation: Operation) -> Result<(), Problem> {
        self.on_record(self.draft(&plain(by, operation))).await
    }

    /// Records what was done with orders that no call named beforehand, and waits until that is durable.
    ///
    /// # Errors
    /// That it could not be recorded.
    pub async fn carried_out(
        &self,
        by: &Caller,
        operation: Operation,
        orders: Vec<OrderId>,
    ) -> Result<(), Problem> {
        let mut draft = self.draft(&plain(by, operation));
        let seen = Seen {
            hits: u32::try_from(orders.len()).unwrap_or(u32::MAX),
            orders,
            ..Seen::default()
        };
        see(&mut draft, seen);
        self.on_record(draft).await
    }

    /// Records that each of these was carried out, together, and waits until all are durable.
    ///
    /// # Errors
    /// That one could not be recorded.
    pub async fn each_carried_out<'a>(&self, calls: impl Iterator<Item = Call<'a>>) -> Result<(), Problem> {
        let each = calls.map(|call| {
            let mut draft = self.draft(&call);
            let seen = Seen {
                hits: 1,
                ..Seen::default()
            };
            see(&mut draft, seen);
            async move {
                let mut pending = Pending {
                    trail: &self.trail,
                    draft: Some(draft),
                    one_of_many: true,
                };
                self.write(&mut pending, true).await
            }
        });
        try_join_all(each).await.map(|_| ())
    }

    /// Writes a draft and waits until it is durable.
    pub(super) async fn on_record(&self, draft: Draft) -> Result<(), Problem> {
        let mut pending = Pending {
            trail: &self.trail,
            draft: Some(draft),
            one_of_many: false,
        };
        self.write(&mut pending, true).await
    }

    /// Records something that nobody waits for.
    pub(super) async fn note(&self, draft: Draft) {
        let mut pending = Pending {
            trail: &self.trail,
            draft: Some(draft),
            one_of_many: false,
        };
        // The log has told why; nothing is given out that would have to be held back.
        let _not_recorded = self.write(&mut pending, false).await;
    }

    /// A hub's copy of the trail contradicts it, or no longer does.
    pub fn copy_contradicts(&self, hub: &str, contradicts: bool) {
        let mut hubs = self.contradicted.lock().unwrap_or_else(PoisonError::into_inner);
        if contradicts {
            hubs.insert(hub.to_owned());
        } else {
            hubs.remove(hub);
        }
    }

    /// Whether the last entry could be recorded, and nothing speaks against the trail.
    #[must_use]
    pub fn check(&self) -> Check {
        let trouble = self.trail.in_trouble();
        let hubs = self.contradicted.lock().unwrap_or_else(PoisonError::into_inner);
        let contradicted = !hubs.is_empty();
        Check {
            notice: false,
            name: "audit-trail".to_owned(),
            ok: trouble.is_none() && !contradicted,
            words: match trouble {
                Some(trouble) => trouble.to_string(),
                None if contradicted => {
                    "the hub's copy of this machine's audit trail is not the beginning of the trail here"
                        .to_owned()
                }
                None if self.trail.seals() => "who looks is recorded".to_owned(),
                None => "who looks is recorded, but not whom for: no auditors' key is set".to_owned(),
            },
        }
    }

    /// Writes what waits and closes the trail.
    pub async fn close(&self) {
        let trail = Arc::clone(&self.trail);
        if let Err(problem) = blocking(move || trail.close()).await {
            tracing::error!(%problem, "the audit trail was not closed");
        }
    }

    pub(super) fn draft(&self, call: &Call<'_>) -> Draft {
        let caller = call.caller;
        Draft {
            act: Act {
                at: ccpor_registry::now(),
                request: self.trail.next_request(),
                by: who(caller),
                operation: call.operation,
                outcome: Outcome::Begun,
                orders: Vec::new(),
                image: None,
                hits: 0,
                took_us: 0,
                served_by: self.identity.clone(),
                also_asked: String::new(),
                states_purpose: false,
                states_case: false,
                emergency: false,
                times: 1,
                key: None,
                told: None,
                asked_tags: Vec::new(),
                shown_tags: Vec::new(),
            },
            told: Told {
                purpose: caller.purpose.clone(),
                case_number: caller.case_number.clone(),
                asked: call.asked.clone(),
            },
            shown: ShownNames::default(),
        }
    }

    /// Writes a draft and waits until it is durable: from the reserve, when the disk is full and the settings allow it.
    async fn write(&self, pending: &mut Pending<'_>, may_use_reserve: bool) -> Result<(), Problem> {
        let emergency = self.emergency_answers && may_use_reserve;
        let done = match self.written(pending).await {
            Err(NotRecorded::DiskFull) if emergency && self.give_up_reserve().await => {
                if let Some(draft) = &mut pending.draft {
                    draft.act.emergency = true;
                }
                self.written(pending).await
            }
            done => done,
        };
        let kept = pending.draft.take();
        done.map_err(|error| {
            let operation = kept.map(|draft| draft.act.operation.as_str()).unwrap_or_default();
            tracing::error!(%error, operation, "a call was not recorded, so it was not answered");
            not_recorded(&error)
        })
    }

    async fn written(&self, pending: &mut Pending<'_>) -> Result<(), NotRecorded> {
        let Some(at) = pending.draft.as_ref().map(|draft| draft.act.at) else {
            return Ok(());
        };
        if self.trail.needs_key(at) {
            let trail = Arc::clone(&self.trail);
            blocking(move || trail.open_key(at))
                .await
                .map_err(|problem| NotRecorded::Key(problem.to_string()))??;
        }
        let Some(draft) = &mut pending.draft else {
            return Ok(());
        };
        let entry = self.trail.entry(draft)?;
        // One of many comes with the others, and all wait for the same.
        let asker = (!pending.one_of_many).then(|| asker(&draft.act.by));
        let (done, recorded) = oneshot::channel();
        // Whoever asked may be gone when it is durable. This thread may wait for one fdatasync, as it may for a page of the disk.
        self.trail
            .append(asker, entry, move |result| drop(done.send(result)));
        // From here on the entry stands in the queue, and is written whether or not somebody waits.
        let queued = pending.draft.take();
        let result = recorded
            .await
            .unwrap_or(Err(NotRecorded::Ledger(ccpor_ledger::AppendError::Closed)));
        if result.is_err() {
            pending.draft = queued;
        }
        result
    }

    async fn give_up_reserve(&self) -> bool {
        let trail = Arc::clone(&self.trail);
        blocking(move || trail.give_up_reserve()).await.unwrap_or(false)
    }
}

/// An entry that is not written yet. Dropped, because the caller went away or the time was over, it is still put on record.
struct Pending<'a> {
    trail: &'a Arc<Trail>,
    draft: Option<Draft>,
    /// Whether it is recorded together with others.
    one_of_many: bool,
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        let Some(mut draft) = self.draft.take() else {
            return;
        };
        draft.act.outcome = Outcome::CutOff;
        match self.trail.entry(&mut draft) {
            Ok(entry) => self.trail.append(None, entry, |result| {
                if let Err(error) = result {
                    tracing::error!(%error, "a call that was cut off was not recorded; it was not answered");
                }
            }),
            Err(error) => {
                tracing::error!(%error, "a call that was cut off was not recorded; it was not answered")
            }
        }
    }
}

/// A call that asks for nobody by name.
pub(super) fn plain(caller: &Caller, operation: Operation) -> Call<'_> {
    Call {
        caller,
        operation,
        asked: Vec::new(),
    }
}

fn see(draft: &mut Draft, seen: Seen) {
    let act = &mut draft.act;
    act.outcome = Outcome::Done;
    if !seen.request.is_empty() {
        act.request = seen.request;
    }
    (act.orders, act.image, act.hits) = (seen.orders, seen.image, seen.hits);
    act.also_asked = seen.also_asked;
    draft.shown = seen.shown;
}

/// Who a caller is, for the record.
fn who(caller: &Caller) -> Who {
    let person = caller.person.clone().unwrap_or_default();
    Who {
        identity: caller.identity.clone(),
        agency: if person.of.is_empty() {
            agency(&caller.identity).to_owned()
        } else {
            person.of
        },
        ori: caller.ori.clone(),
        user: person.account,
        role: person.role,
        via: caller.via.clone(),
        source: caller.source.clone(),
    }
}

/// A number for a connection, or for whoever has a node pass something on; two that share one only wait a little less for each other.
fn asker(by: &Who) -> u64 {
    let mut hasher = DefaultHasher::new();
    (&by.source, &by.via, &by.identity).hash(&mut hasher);
    hasher.finish()
}

/// The agency of an identity: `court/alameda` of `court/alameda/node/1`, and `lea/alameda-so` as it is.
fn agency(identity: &str) -> &str {
    match identity.match_indices('/').nth(1) {
        Some((end, _)) => identity.get(..end).unwrap_or(identity),
        None => identity,
    }
}

/// A refusal is the caller's to put right, a failure this machine's.
pub(super) fn outcome(code: Code) -> Outcome {
    let word = code.as_str().to_owned();
    if code.status() < 500 {
        Outcome::Refused(word)
    } else {
        Outcome::Failed(word)
    }
}

fn not_recorded(error: &NotRecorded) -> Problem {
    let problem = Problem::new(Code::NotRecorded, error.to_string());
    match error {
        NotRecorded::DiskFull => problem.action(
            "Ask another node or the hub, or call the court. The operator of this machine makes room on its disk, and may allow answers \
             from the reserve until then (the setting audit.emergency_answers; see the runbook \"the disk is full\"). A write may have been \
             carried out: repeat it with the same idempotency key when there is room.",
        ),
        NotRecorded::Ledger(_) | NotRecorded::Key(_) | NotRecorded::Encode(_) => problem,
    }
}
