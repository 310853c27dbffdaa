//! A court that filed on an old copy of its ledger: the ledger goes on from the hub's copy, and what was filed on the branch is
//! there again, flagged, or left to a person; nothing is lost whatever the two sides did.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use ccpor_domain::{Ending, EndingKind, Event, OrderId, Service};
use ccpor_ledger::{Head, RunLimit, SignedRecord, Standing};
use ccpor_registry::{ReconcileRefused, Reconciled, Registry, Verdict, shelved};
use ccpor_sync::Ledgers;
use proptest::prelude::*;
use tempfile::TempDir;

use crate::court::{file, found, open_court, open_hub, order, origin, request};

const ALL: RunLimit = RunLimit {
    records: 1_000,
    bytes: 1 << 20,
};

/// A hub, and Alameda's machine as it was before it filed what the hub has.
struct Parted {
    hub: Arc<Registry>,
    old: TempDir,
    _kept: [TempDir; 2],
}

impl Parted {
    /// Both have what `before` filed; the hub has what `there` did as well, and not what `here` did on the old copy.
    fn new(
        before: impl FnOnce(&Registry),
        there: impl FnOnce(&Registry),
        here: impl FnOnce(&Registry),
    ) -> Self {
        let [old, new, hub] = std::array::from_fn(|_| tempfile::tempdir().unwrap());
        let (court, _) = open_court(new.path(), "alameda", 1);
        before(&court);
        court.close();
        drop(court);
        copy(new.path(), old.path());
        let registry = open_hub(hub.path());
        let (court, _) = open_court(new.path(), "alameda", 1);
        there(&court);
        pass_on(&court, &registry);
        court.close();
        drop(court);
        let (court, _) = open_court(old.path(), "alameda", 1);
        here(&court);
        court.close();
        Self {
            hub: registry,
            old,
            _kept: [new, hub],
        }
    }

    fn court(&self) -> Arc<Registry> {
        open_court(self.old.path(), "alameda", 1).0
    }

    /// What the hub answers for Alameda.
    fn fetch(&self) -> impl FnMut(Option<Head>) -> Result<Option<Vec<SignedRecord>>, String> {
        |after| {
            let own = origin("alameda");
            let holds = match &after {
                None => true,
                Some(head) => matches!(
                    self.hub.standing(&own, head),
                    Ok(Standing::Same | Standing::PeerBehind)
                ),
            };
            let position = after.map(|head| head.position);
            Ok(holds.then(|| self.hub.load(&own, position, ALL).unwrap()))
        }
    }

    /// Reconciles; gives what became of the one branch, and checks what must hold whatever it was.
    fn reconcile(&self, court: &Registry) -> Reconciled {
        let shown = court.diverging(self.fetch()).unwrap().unwrap();
        let theirs = self.hub.load(&origin("alameda"), None, ALL).unwrap();
        let mut done = court.reconcile(self.fetch()).unwrap();
        assert_eq!(done.len(), 1);
        let (branch, plan) = done.remove(0);
        assert_eq!(shown, plan, "what was shown is what was done");
        let ours = court.load(&origin("alameda"), None, ALL).unwrap();
        assert_eq!(ours[..theirs.len()], theirs[..], "it goes on from the hub's copy");
        let epoch = |records: &[SignedRecord]| records.last().unwrap().outline().unwrap().position.epoch;
        assert!(epoch(&ours) > epoch(&theirs), "in a new epoch");
        assert_eq!(branch.deeds().unwrap(), plan.records.len(), "the branch is kept");
        let left = plan.leaves_some();
        assert_eq!(court.unreconciled().unwrap(), usize::from(left));
        for planned in &court.weigh(&branch_of(court)).unwrap().records {
            assert!(
                !matches!(planned.verdict, Verdict::Again(_)),
                "nothing is recorded a third time: {planned:?}"
            );
        }
        pass_on(court, &self.hub);
        assert!(court.diverging(self.fetch()).unwrap().is_none());
        plan
    }
}

fn branch_of(court: &Registry) -> ccpor_registry::Shelved {
    shelved(court.directory()).unwrap().remove(0)
}

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            std::fs::create_dir_all(&target).unwrap();
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Sends everything of Alameda that the hub does not have.
fn pass_on(court: &Registry, hub: &Registry) {
    let own = origin("alameda");
    let held = hub.heads().into_iter().find(|(held, _)| *held == own);
    let run = court
        .load(&own, held.map(|(_, head)| head.position), ALL)
        .unwrap();
    if !run.is_empty() {
        hub.store(&own, run).unwrap();
    }
}

fn filed(key: &str) -> OrderId {
    OrderId::derive("court/alameda", key)
}

fn again(plan: &Reconciled) -> Vec<&Event> {
    let again = plan.records.iter().filter_map(|planned| match &planned.verdict {
        Verdict::Again(event) => Some(event.as_ref()),
        Verdict::There | Verdict::Left(_) => None,
    });
    again.collect()
}

#[test]
fn orders_filed_on_an_old_copy_are_filed_again_flagged_behind_the_hubs_copy() {
    let parted = Parted::new(
        |court| drop(file(court, "key-0001", order("GARCIA", "JOSE", "HF26-1")).unwrap()),
        |court| {
            file(court, "key-0002", order("NGUYEN", "JOSE", "HF26-2")).unwrap();
            file(court, "key-0003", order("PETROV", "JOSE", "HF26-3")).unwrap();
        },
        |court| {
            file(court, "key-0004", order("OKAFOR", "JOSE", "HF26-4")).unwrap();
            // The court's system sent this one to both.
            file(court, "key-0003", order("PETROV", "JOSE", "HF26-3")).unwrap();
        },
    );
    let court = parted.court();
    let plan = parted.reconcile(&court);
    let verdicts: Vec<bool> = plan
        .records
        .iter()
        .map(|planned| planned.verdict == Verdict::There)
        .collect();
    assert_eq!(verdicts, [false, true]);
    for (last, key) in [("GARCIA", 1), ("NGUYEN", 2), ("PETROV", 3), ("OKAFOR", 4)] {
        assert_eq!(
            found(&court, last, "JOSE"),
            [filed(&format!("key-000{key}"))],
            "{last}"
        );
    }
    let (story, _) = court.show(filed("key-0004"), None).into_parts();
    let step = story.unwrap().state.steps.remove(0);
    assert!(step.act.is_refiled());
    assert_eq!(step.act.reason, "REFILED-RECONCILE (1.3)");
    // A client that was never answered repeats its request and is told of the order that is there.
    assert!(
        file(&court, "key-0004", order("OKAFOR", "JOSE", "HF26-4"))
            .unwrap()
            .repeated
    );
    assert!(court.reconcile(parted.fetch()).unwrap().is_empty());
    file(&court, "key-0005", order("LATER", "JOSE", "HF26-5")).unwrap();
    court.close();
}

#[test]
fn an_identifier_that_stands_for_another_order_there_is_given_anew_with_all_that_follows() {
    let parted = Parted::new(
        |_| {},
        |court| drop(file(court, "key-0001", order("NGUYEN", "JOSE", "HF26-1")).unwrap()),
        |court| {
            let here = file(court, "key-0001", order("OKAFOR", "JOSE", "HF26-9")).unwrap();
            court
                .serve(request("serve-1"), here.order, Service::default())
                .unwrap();
        },
    );
    let court = parted.court();
    let plan = parted.reconcile(&court);
    let another: BTreeSet<OrderId> = again(&plan).iter().map(|event| event.order_id()).collect();
    assert_eq!((again(&plan).len(), another.len()), (2, 1));
    assert_eq!(found(&court, "NGUYEN", "JOSE"), [filed("key-0001")]);
    assert_eq!(
        found(&court, "OKAFOR", "JOSE"),
        another.into_iter().collect::<Vec<_>>()
    );
    let (story, _) = court.show(found(&court, "OKAFOR", "JOSE")[0], None).into_parts();
    assert_eq!(story.unwrap().state.service.len(), 1);
    court.close();
}

#[test]
fn of_two_changes_of_one_order_the_hubs_stands_and_the_other_waits_for_a_person() {
    let before = |court: &Registry| drop(file(court, "key-0001", order("GARCIA", "JOSE", "HF26-1")).unwrap());
    let change = |case: &'static str| {
        move |court: &Registry| {
            let paper = order("GARCIA", "JOSE", case);
            court
                .amend(request(case), filed("key-0001"), None, paper)
                .unwrap();
        }
    };
    let parted = Parted::new(before, change("HF26-THERE"), change("HF26-HERE"));
    let court = parted.court();
    let plan = parted.reconcile(&court);
    assert!(matches!(&plan.records[0].verdict, Verdict::Left(why) if why.contains("both cannot hold")));
    let (story, _) = court.show(filed("key-0001"), None).into_parts();
    assert_eq!(story.unwrap().state.order.case_number, "HF26-THERE");
    assert_eq!(court.unreconciled().unwrap(), 1);
    branch_of(&court).settle().unwrap();
    assert_eq!(court.unreconciled().unwrap(), 0);
    assert_eq!(branch_of(&court).deeds().unwrap(), 1, "it stays kept");
    court.close();
}

#[test]
fn a_reconciliation_that_breaks_off_at_any_answer_of_the_hub_is_completed_by_the_next_one() {
    for answers in 0..12 {
        let parted = Parted::new(
            |court| drop(file(court, "key-0001", order("GARCIA", "JOSE", "HF26-1")).unwrap()),
            |court| drop(file(court, "key-0002", order("NGUYEN", "JOSE", "HF26-2")).unwrap()),
            |court| drop(file(court, "key-0003", order("OKAFOR", "JOSE", "HF26-3")).unwrap()),
        );
        let court = parted.court();
        let (mut fetch, mut given) = (parted.fetch(), 0);
        let broken = court.reconcile(|after| {
            given += 1;
            if given > answers {
                return Err("the line broke".to_owned());
            }
            fetch(after)
        });
        let is_complete = broken.is_ok();
        assert!(matches!(
            broken,
            Ok(_) | Err(ReconcileRefused::Peer(_) | ReconcileRefused::Restore(_))
        ));
        drop(fetch);
        court.close();
        drop(court);
        let court = parted.court();
        let done = court.reconcile(parted.fetch()).unwrap();
        assert_eq!(done.is_empty(), is_complete, "after {answers} answers");
        for (last, key) in [("GARCIA", 1), ("NGUYEN", 2), ("OKAFOR", 3)] {
            assert_eq!(
                found(&court, last, "JOSE"),
                [filed(&format!("key-000{key}"))],
                "{last}"
            );
        }
        assert_eq!(court.unreconciled().unwrap(), 0);
        pass_on(&court, &parted.hub);
        court.close();
    }
}

#[test]
fn a_hub_that_receives_the_records_while_it_is_asked_contradicts_nothing() {
    let [a, h] = std::array::from_fn(|_| tempfile::tempdir().unwrap());
    let (court, hub) = (open_court(a.path(), "alameda", 1).0, open_hub(h.path()));
    for number in 0..9 {
        file(
            &court,
            &format!("key-000{number}"),
            order("GARCIA", "JOSE", "HF26-1"),
        )
        .unwrap();
    }
    let own = origin("alameda");
    let answer = |after: Option<Head>| {
        let holds = after.is_none_or(|head| {
            matches!(
                hub.standing(&own, &head),
                Ok(Standing::Same | Standing::PeerBehind)
            )
        });
        let run = hub
            .load(&own, after.map(|head| head.position), ALL)
            .unwrap_or_default();
        // Between two questions it takes a record more.
        let held = hub.heads().first().map(|(_, head)| head.position);
        let next = court.load(&own, held, RunLimit { records: 1, bytes: 1 }).unwrap();
        if !next.is_empty() {
            hub.store(&own, next).unwrap();
        }
        Ok(holds.then_some(run))
    };
    assert!(court.diverging(answer).unwrap().is_none());
    court.close();
}

/// What may be done to one of a few orders.
#[derive(Clone, Copy, Debug)]
enum Deed {
    File,
    Amend,
    Serve,
    End,
    Seal,
    Unseal,
}

fn deeds() -> impl Strategy<Value = Vec<(Deed, u8)>> {
    let deed = prop_oneof![
        3 => Just(Deed::File),
        1 => Just(Deed::Amend),
        1 => Just(Deed::Serve),
        1 => Just(Deed::End),
        1 => Just(Deed::Seal),
        1 => Just(Deed::Unseal),
    ];
    prop::collection::vec((deed, 0_u8..4), 0..7)
}

/// Does what can be done; what cannot is refused as it would be any day.
fn perform(court: &Registry, side: &str, deeds: &[(Deed, u8)]) {
    for (number, (deed, of)) in deeds.iter().enumerate() {
        let (id, key) = (filed(&format!("key-000{of}")), format!("{side}-{number}"));
        let outcome = match deed {
            // Even ones are the same on both sides, odd ones another order under the same key.
            Deed::File if of % 2 == 0 => file(court, &format!("key-000{of}"), order("SAME", "PAT", "HF26-S")),
            Deed::File => file(court, &format!("key-000{of}"), order("OTHER", "PAT", side)),
            Deed::Amend => court.amend(request(&key), id, None, order("CHANGED", "PAT", &key)),
            Deed::Serve => court.serve(request(&key), id, Service::default()),
            Deed::End => court.end(
                request(&key),
                id,
                Ending {
                    kind: EndingKind::Terminated,
                    date: None,
                    time: None,
                },
            ),
            Deed::Seal => court.seal(request(&key), id, true),
            Deed::Unseal => court.seal(request(&key), id, false),
        };
        drop(outcome);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_both_sides_did_nothing_filed_on_the_branch_is_lost(
        before in deeds(), there in deeds(), here in deeds(),
    ) {
        let parted = Parted::new(
            |court| perform(court, "before", &before),
            |court| { perform(court, "there", &there); drop(file(court, "there-last", order("L", "L", "L"))); },
            |court| { perform(court, "here", &here); drop(file(court, "here-last", order("M", "M", "M"))); },
        );
        let court = parted.court();
        let held = court.load(&origin("alameda"), None, ALL).unwrap();
        let plan = parted.reconcile(&court);
        let told: Vec<Event> = court
            .load(&origin("alameda"), None, ALL)
            .unwrap()
            .iter()
            .filter_map(|signed| ccpor_domain::decode(signed.event().ok()??).ok())
            .collect();
        for planned in &plan.records {
            let on_branch = held.iter().find(|signed| signed.outline().unwrap().position == planned.position).unwrap();
            let deed = ccpor_domain::decode(on_branch.event().unwrap().unwrap()).unwrap();
            let is_told = told.iter().any(|event| event.says_the_same(&deed));
            prop_assert!(is_told || matches!(planned.verdict, Verdict::Left(_)), "{planned:?}");
            prop_assert!(
                !matches!((&planned.verdict, &deed), (Verdict::Left(_), Event::Filed(_) | Event::Served(_))),
                "a filing or a service waits for nobody: {planned:?}"
            );
        }
        court.close();
    }
}
