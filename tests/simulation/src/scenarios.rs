//! Worlds in which one thing is arranged and everything else is quiet.

use ccpor_ledger::{Body, SignedRecord};
use ccpor_sync::{CloseReason, Event, Frame, Run, Session};

use crate::driver::head_of;
use crate::link::{DIALLER, LISTENER, Place};
use crate::machine::{court_key, origin};
use crate::plan::{Plan, Trouble};
use crate::world::{Told, World};

/// Two courts and a hub: machines 0, 1 and 2, and link 0 between court 0 and the hub.
const HUB: usize = 2;

fn quiet() -> World {
    quiet_with(Vec::new())
}

/// The same, where nodes leave courts out.
fn quiet_with(left_out: Vec<(usize, usize)>) -> World {
    let plan = Plan {
        seed: 1,
        courts: 2,
        hubs: 1,
        filings: 0,
        troubles: Vec::new(),
        troubled_ms: 0,
        with_receipts: true,
        left_out,
    };
    World::quiet(plan, false)
}

impl World {
    /// A court files some orders now, and all that follows happens for so long.
    fn file_and_wait(&mut self, court: usize, milliseconds: u64) {
        self.file(court);
        self.wait(milliseconds);
    }

    fn wait(&mut self, milliseconds: u64) {
        self.run_until(self.now + milliseconds);
    }

    fn held(&self, machine: usize, court: usize) -> usize {
        let copy = self.machines[machine].ledgers.get(&origin(court));
        copy.map_or(0, |copy| copy.entries().len())
    }

    fn epoch(&self, machine: usize, court: usize) -> u32 {
        self.machines[machine].ledgers[&origin(court)]
            .head()
            .map_or(0, |head| head.position.epoch)
    }

    fn halted(&self, court: usize) -> Option<&str> {
        self.machines[court].up.as_ref()?.halted.as_deref()
    }

    fn is_up(&self, end: usize) -> bool {
        self.links[0].ends[end]
            .session
            .as_ref()
            .is_some_and(Session::is_up)
    }

    fn place(&self, end: usize) -> Place {
        let connection = self.links[0].connection;
        Place {
            link: 0,
            end,
            connection,
        }
    }
}

#[test]
fn what_is_filed_at_a_court_is_soon_at_the_hub_and_at_the_other_court_with_a_receipt() {
    let mut world = quiet();
    world.wait(1_000);
    world.file_and_wait(0, 500);
    let filed = world.held(0, 0);
    assert!(filed > 1 && filed == world.held(HUB, 0) && filed == world.held(1, 0));
    let receipt = world.machines[0].receipts.values().next().expect("a receipt");
    assert_eq!(Some(receipt.head), world.machines[0].ledgers[&origin(0)].head());
}

#[test]
fn a_court_that_is_left_out_is_known_and_not_held_and_goes_on_where_it_was_left_when_it_is_taken_again() {
    let mut world = quiet_with(vec![(1, 0)]);
    world.wait(1_000);
    world.file_and_wait(0, 500);
    assert!(world.held(HUB, 0) > 1 && world.held(1, 0) == 0);
    let is_known = |world: &World| {
        let up = world.machines[1].up.as_ref().expect("is up");
        up.book
            .all()
            .any(|(of, as_of)| *of == origin(0) && as_of.is_none())
    };
    assert!(is_known(&world));
    world.choose_all();
    world.start(1);
    world.wait(1_000);
    let held = world.held(1, 0);
    assert_eq!(held, world.held(HUB, 0));
    // Left out once more, the copy stays as it is.
    world.stop(1);
    world.left_out.insert((1, origin(0)));
    world.start(1);
    world.file_and_wait(0, 1_000);
    assert_eq!(world.held(1, 0), held);
    assert_eq!(world.is_level(), Ok(()));
    world.choose_all();
    world.start(1);
    world.wait(1_000);
    assert!(world.held(1, 0) > held && world.held(1, 0) == world.held(HUB, 0));
    assert_eq!(world.is_level(), Ok(()));
}

#[test]
fn a_court_taken_back_to_an_old_copy_gets_its_orders_back_and_goes_on_in_a_new_epoch() {
    let mut world = quiet();
    world.wait(1_000);
    world.befall(Trouble::OldNode);
    let court = world.backups[0].0;
    world.file_and_wait(court, 1_000);
    let filed = world.held(court, court);
    while !world.backups.is_empty() {
        world.befall(Trouble::OldNode);
    }
    world.wait(10_000);
    let told = |machine| {
        world
            .divergences
            .contains(&(machine, origin(court), Told::WriterBehind))
    };
    assert!(told(court) && told(HUB), "both operators");
    assert_eq!(world.epoch(court, court), 2);
    assert_eq!(world.held(court, court), filed + 1);
    assert_eq!(world.is_level(), Ok(()));
}

#[test]
fn a_hub_taken_back_to_an_old_copy_is_filled_again() {
    let mut world = quiet();
    world.wait(1_000);
    world.befall(Trouble::OldHub);
    world.file_and_wait(0, 1_000);
    world.befall(Trouble::OldHub);
    world.wait(30_000);
    assert_eq!(world.is_level(), Ok(()));
    assert_eq!(world.epoch(0, 0), 1);
}

#[test]
fn of_two_machines_under_one_name_the_one_that_contradicts_the_hub_stops_filing_and_keeps_what_it_has() {
    let mut world = quiet();
    world.wait(1_000);
    world.befall(Trouble::Clone);
    let twin = world.machines.len() - 1;
    let court = (0..2)
        .find(|court| world.machines[*court].role == world.machines[twin].role)
        .expect("cloned");
    world.file_and_wait(court, 1_000);
    world.file_and_wait(twin, 1_000);
    let (hub, kept) = (world.held(HUB, court), world.held(twin, court));
    // The first one goes, so that the second one is let in.
    world.stop(court);
    world.machines[court].is_gone = true;
    world.wait(40_000);
    let told = |machine| {
        world
            .divergences
            .contains(&(machine, origin(court), Told::Forked))
    };
    assert!(told(twin) && told(HUB), "both operators");
    assert!(world.halted(twin).is_some_and(|why| why.contains("contradicts")));
    assert_eq!((world.held(HUB, court), world.held(twin, court)), (hub, kept));
    world.file_and_wait(twin, 1_000);
    assert_eq!(world.held(twin, court), kept, "nothing is filed there any more");
}

#[test]
fn a_court_that_contradicts_the_hub_is_reconciled_with_it_and_what_it_filed_is_there_again() {
    let mut world = quiet();
    world.wait(1_000);
    world.befall(Trouble::Clone);
    let twin = world.machines.len() - 1;
    let court = (0..2)
        .find(|court| world.machines[*court].role == world.machines[twin].role)
        .expect("cloned");
    let before = world.held(twin, court);
    world.file_and_wait(court, 1_000);
    world.file_and_wait(twin, 1_000);
    let (hub, branch) = (world.held(HUB, court), world.held(twin, court) - before);
    world.stop(court);
    world.machines[court].is_gone = true;
    world.wait(40_000);
    assert!(world.halted(twin).is_some());
    assert!(world.reconcile(twin));
    world.wait(40_000);
    assert_eq!(world.halted(twin), None);
    assert_eq!(world.is_level(), Ok(()));
    let epoch_start = 1;
    assert_eq!(world.held(HUB, court), hub + epoch_start + branch);
    assert!(world.epoch(HUB, court) > 1);
    world.check_reconciled();
    assert!(!world.reconcile(twin), "there is nothing left to reconcile");
}

#[test]
fn records_of_a_court_that_a_peer_may_not_send_end_the_connection() {
    let mut world = quiet();
    world.plan.troubles = vec![Trouble::Tamper];
    world.wait(1_000);
    let foreign = world.machines[1].copy(&origin(1)).readable();
    let last = head_of(&foreign[0]);
    let run = Run {
        origin: origin(1),
        after: None,
        last,
        records: foreign,
    };
    let hub = world.place(LISTENER);
    world.tell(hub, Event::Received(Frame::Run(run)));
    assert!(!world.is_up(LISTENER));
    assert_eq!(world.closes.last(), Some(&(HUB, CloseReason::NotYours)));
    assert_eq!(world.held(HUB, 1), 1, "only what its own court sent is there");
}

#[test]
fn a_record_that_another_key_signed_is_not_kept_and_the_other_courts_go_on() {
    let mut world = quiet();
    world.wait(1_000);
    world.file_and_wait(0, 1_000);
    let held = world.held(HUB, 0);
    let forged = forged(&mut world);
    let last = head_of(&forged);
    let run = Run {
        origin: origin(0),
        after: world.machines[HUB].ledgers[&origin(0)]
            .head()
            .map(|head| head.position),
        last,
        records: vec![forged],
    };
    let hub = world.place(LISTENER);
    world.tell(hub, Event::Received(Frame::Run(run)));
    world.wait(100);
    assert_eq!(world.held(HUB, 0), held);
    assert!(world.is_up(DIALLER) && world.is_up(LISTENER));
    world.file_and_wait(1, 1_000);
    assert_eq!(world.held(0, 1), world.held(1, 1));
}

/// What would follow the last record of court 0, signed by court 1.
fn forged(world: &mut World) -> SignedRecord {
    let copy = world.machines[0].copy(&origin(0));
    let mut record = copy
        .readable()
        .last()
        .expect("something was filed")
        .decode()
        .expect("a record");
    record.prev = copy.head().expect("a head").hash;
    record.seq += 1;
    record.hlc.0 += 1;
    record.body = Body::Event(vec![0xF0]);
    record.sign(&court_key(1)).expect("signs")
}

#[test]
fn a_link_that_is_cut_in_one_direction_is_down_to_both_within_ten_seconds() {
    for deaf in [DIALLER, LISTENER] {
        let mut world = quiet();
        world.wait(5_000);
        assert!(world.is_up(DIALLER) && world.is_up(LISTENER));
        world.links[0].silent_until[deaf] = u64::MAX / 2;
        world.wait(10_000);
        assert!(!world.is_up(DIALLER) && !world.is_up(LISTENER));
    }
}

#[test]
fn a_new_filing_does_not_wait_for_a_backlog() {
    let mut world = quiet();
    world.wait(1_000);
    // The other court is away while much is filed; then its line carries a few records a second.
    world.cut(1);
    world.links[1].silent_until = [world.now + 40_000; 2];
    for _ in 0..300 {
        world.file_and_wait(0, 15);
    }
    let filed = world.held(0, 0);
    (world.links[1].bytes_per_ms, world.links[1].silent_until) = (8, [0; 2]);
    while !world.links[1].ends[DIALLER]
        .session
        .as_ref()
        .is_some_and(Session::is_up)
    {
        world.wait(100);
    }
    world.wait(5_000);
    let behind = world.held(1, 0);
    assert!(
        behind < filed,
        "the backlog is still under way: {behind} of {filed}"
    );
    let before = world.held(HUB, 1);
    world.file_and_wait(1, 2_000);
    assert!(world.held(HUB, 1) > before, "and its own filing is at the hub");
    assert!(world.held(1, 0) < filed, "the backlog is still under way");
}
