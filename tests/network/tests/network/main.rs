//! The driver and the QUIC library as they are in service, in a network that is simulated: packets are held, lost, cut in one
//! direction or in both, machines crash and come back, and every run can be had again by its seed.
//!
//! Two runs of one seed write the same diary: the same packets in the same milliseconds, of the same length. What no seed reaches
//! is left out of it: the bytes themselves, since keys of TLS are made anew, and the length of handshakes, whose ECDSA signatures vary
//! by a byte or two. Now and then such a byte moves what else is in a packet, and that run is another one; so two of a few runs must
//! be the same. The ledgers are those of the tests of the driver, in memory, and no image travels.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking, in its helpers as well"
)]

mod diary;
mod machine;
#[allow(dead_code, reason = "the tests of the driver over real sockets use the rest")]
#[path = "../../../../common/transport/tests/loopback/memory.rs"]
mod memory;
#[allow(dead_code, reason = "the tests of the driver over real sockets use the rest")]
#[path = "../../../../common/transport/tests/loopback/realm.rs"]
mod realm;
mod state;

use std::time::Duration;

use state::{HUB, Papers, State};

const SECOND: Duration = Duration::from_secs(1);
/// Both sides of a link notice within this time that it is dead.
const NOTICED: Duration = Duration::from_millis(10_500);
/// The longest wait before a node dials again, a handshake that gets no answer before it, and a moment to catch up.
const BACK: Duration = Duration::from_secs(38);

const COURTS: [&str; 3] = ["alameda", "colusa", "yolo"];

/// Runs of one seed among which two must be the same.
const RUNS: usize = 4;

/// Plays a scenario with each seed until two diaries are the same, which the first two nearly always are; all machines end with the
/// same records every time.
fn play(courts: &[&'static str], seeds: impl IntoIterator<Item = u64>, scenario: impl Fn(&mut State)) {
    let papers = Papers::of(courts);
    for seed in seeds {
        let mut told: Vec<Vec<String>> = Vec::new();
        loop {
            let mut state = State::begin(&papers, seed);
            scenario(&mut state);
            state.until("the same records everywhere", BACK, State::is_level);
            let lines = state.diary.lines();
            if told.contains(&lines) {
                break;
            }
            told.push(lines);
            assert!(told.len() < RUNS, "seed {seed}: {}", parting(&told));
        }
    }
}

/// Where the last two diaries part.
fn parting(told: &[Vec<String>]) -> String {
    let [.., one, other] = told else {
        return String::new();
    };
    let mut lines = one.iter().zip(other).enumerate();
    let parted = lines.find(|(_, (one, other))| one != other);
    format!("{parted:?} of {} and {} lines", one.len(), other.len())
}

fn up(state: &State, court: &str) -> bool {
    state.link(court) == "up" && state.link(HUB).contains(court)
}

fn down(state: &State, court: &str) -> bool {
    state.link(court).starts_with("down") && !state.link(HUB).contains(court)
}

fn all_up(state: &mut State) {
    state.until("every link up", 5 * SECOND, |state| {
        COURTS.iter().all(|court| up(state, court))
    });
}

#[test]
fn a_cut_is_noticed_by_both_sides_and_what_was_filed_meanwhile_arrives_after_it() {
    play(&COURTS, [1, 2], |state| {
        all_up(state);
        state.file("alameda", 3);
        state.sim.partition(HUB, "alameda");
        let noticed = state.until("the cut is noticed", NOTICED, |state| down(state, "alameda"));
        assert!(noticed > SECOND, "{noticed:?}");
        state.file("alameda", 200);
        state.file("yolo", 30);
        state.until("the others go on", 2 * SECOND, |state| state.at_hub("yolo") == 30);
        state.pass(60 * SECOND);
        assert!(state.at_hub("alameda") <= 3);
        state.sim.repair(HUB, "alameda");
        state.until("the link is back", BACK, |state| up(state, "alameda"));
    });
}

#[test]
fn packets_that_are_held_for_seconds_neither_end_a_link_nor_confuse_it() {
    play(&COURTS, [3, 4], |state| {
        all_up(state);
        for court in COURTS {
            state.sim.hold(HUB, court);
            state.file(court, 40);
            state.pass(2 * SECOND);
            state.sim.release(HUB, court);
            // The QUIC library confirms nothing while its own window is full: the next probe frees both sides.
            state.until("what was held", 5 * SECOND, |state| state.at_hub(court) == 40);
            assert!(up(state, court));
        }
        let lines = state.diary.lines();
        assert!(
            !lines.iter().any(|line| line.contains("link down:")),
            "{}",
            state.diary.end()
        );
    });
}

#[test]
fn a_link_of_which_one_direction_is_cut_is_dead_to_both_sides() {
    for (from, to) in [(HUB, "colusa"), ("colusa", HUB)] {
        play(&COURTS, [5], |state| {
            all_up(state);
            state.sim.partition_oneway(from, to);
            state.file("colusa", 20);
            state.until("the cut is noticed", NOTICED, |state| down(state, "colusa"));
            state.pass(20 * SECOND);
            assert!(down(state, "colusa"), "a link that hears nothing is not up");
            state.sim.repair_oneway(from, to);
        });
    }
}

#[test]
fn a_backlog_comes_through_loss_and_delay() {
    play(&COURTS, [6], |state| {
        state.sim.set_max_message_latency(Duration::from_millis(300));
        state.loss.set(100);
        for court in COURTS {
            state.file(court, 1_000);
        }
        state.until("the backlog", 120 * SECOND, State::is_level);
        state.loss.set(0);
    });
}

#[test]
fn a_hub_that_crashes_in_the_midst_of_a_backlog_gets_the_rest_when_it_is_back() {
    play(&COURTS, [7, 8], |state| {
        state.file("alameda", 4_000);
        state.until("a part", 20 * SECOND, |state| state.at_hub("alameda") > 500);
        state.sim.crash(HUB);
        assert!(state.at_hub("alameda") < 4_000);
        state.file("yolo", 10);
        state.pass(15 * SECOND);
        assert!(COURTS.iter().all(|court| state.link(court).starts_with("down")));
        state.sim.bounce(HUB);
    });
}

#[test]
fn a_node_that_crashes_and_comes_back_at_once_gets_its_place_and_goes_on() {
    play(&COURTS, [9, 10], |state| {
        all_up(state);
        state.file("alameda", 2_000);
        state.file("colusa", 5);
        state.until("a part", 20 * SECOND, |state| state.at_hub("alameda") > 300);
        state.sim.crash("alameda");
        state.pass(Duration::from_millis(200));
        state.sim.bounce("alameda");
        state.until("the rest", BACK, |state| state.at_hub("alameda") == 2_000);
    });
}

#[test]
fn a_new_node_that_crashes_while_it_is_filled_goes_on_where_it_was() {
    play(&COURTS, [13], |state| {
        state.sim.crash("yolo");
        state.file("alameda", 3_000);
        state.file("colusa", 1_000);
        let filled = 4_000;
        state.until("the hub has all", 60 * SECOND, |state| {
            state.at_hub("alameda") + state.at_hub("colusa") == filled
        });
        state.sim.bounce("yolo");
        state.until("a part", 20 * SECOND, |state| state.others_at("yolo") > 500);
        state.sim.crash("yolo");
        let held = state.others_at("yolo");
        assert!(held < filled, "{held}");
        state.sim.bounce("yolo");
        state.until("it is up again", BACK, |state| up(state, "yolo"));
        assert!(state.others_at("yolo") >= held);
    });
}

#[test]
fn courts_that_are_cut_off_one_by_one_and_come_back_in_another_order_end_level() {
    const MANY: [&str; 6] = ["alameda", "colusa", "inyo", "modoc", "trinity", "yolo"];
    play(&MANY, [11, 12], |state| {
        state.until("every link up", 5 * SECOND, |state| {
            MANY.iter().all(|court| up(state, court))
        });
        state.loss.set(20);
        for court in MANY {
            state.sim.partition(HUB, court);
            for other in MANY {
                state.file(other, 7);
            }
            state.pass(2 * SECOND);
        }
        // Each step to the right by five, a number that shares no factor with the courts.
        for step in 0..MANY.len() {
            state.sim.repair(HUB, MANY[(3 + 5 * step) % MANY.len()]);
            state.pass(SECOND);
        }
        state.loss.set(0);
    });
}

#[test]
fn another_seed_is_another_run() {
    let papers = Papers::of(&COURTS);
    let [one, other] = [21, 22].map(|seed| {
        let mut state = State::begin(&papers, seed);
        all_up(&mut state);
        state.diary.lines()
    });
    assert_ne!(one, other);
}
