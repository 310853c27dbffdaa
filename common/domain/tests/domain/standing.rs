//! Standing at a moment.

use ccpor_domain::*;
use proptest::prelude::*;

use crate::arbitrary;
use crate::sample::{self, date, moment, time};

fn state() -> OrderState {
    OrderState::start(sample::filed())
}

fn status(state: &OrderState, at: &str) -> Status {
    standing(state, moment(at), &Calendars::default()).status
}

#[test]
fn in_force_from_making_to_midnight_of_the_last_day() {
    let state = state();
    assert_eq!(status(&state, "2026-10-01T21:29:59Z"), Status::NotYetEffective);
    assert_eq!(status(&state, "2026-10-01T21:30:00Z"), Status::Active);
    assert_eq!(status(&state, "2029-10-02T06:59:59Z"), Status::Active);
    assert_eq!(status(&state, "2029-10-02T07:00:00Z"), Status::Expired);
}

#[test]
fn was_it_served_at_that_minute() {
    let mut state = state();
    let attempt = Service {
        mode: ServiceMode::FailedAttempt,
        date: Some(date("2026-10-01")),
        ..Service::default()
    };
    state
        .apply(&sample::served(2, "2026-10-02T01:00:00Z", attempt))
        .unwrap();
    // Entered by another court's node before the issuing court knew of it.
    state
        .apply_linked(&sample::served(3, "2026-10-03T05:20:00Z", sample::service()))
        .unwrap();
    let before = standing(&state, moment("2026-10-03T05:14:59Z"), &Calendars::default());
    assert!(!before.served);
    assert_eq!(before.words(), "ACTIVE, NOT SERVED");
    let after = standing(&state, moment("2026-10-03T05:15:00Z"), &Calendars::default());
    let notice = after.served_how.clone().unwrap();
    assert_eq!(after.words(), "ACTIVE, SERVED");
    assert_eq!(
        (notice.mode, notice.date, notice.time),
        (ServiceMode::Personal, date("2026-10-02"), Some(time("22:15")))
    );
    assert_eq!(notice.agency, "Kern SO");
}

#[test]
fn presence_in_court_is_notice() {
    let filed = Filed {
        order: Order {
            present_at_hearing: Some(true),
            ..sample::order()
        },
        ..sample::filed()
    };
    let found = standing(
        &OrderState::start(filed),
        moment("2026-10-01T21:30:00Z"),
        &Calendars::default(),
    );
    assert_eq!(found.served_how.unwrap().mode, ServiceMode::InCourt);
}

#[test]
fn what_an_officer_must_know() {
    let found = standing(&state(), moment("2026-10-05T00:00:00Z"), &Calendars::default());
    assert!(found.no_contact && found.firearms);
    assert_eq!(found.stay_away_yards, Some(100));
    let by_code = Order {
        terms: vec![Term {
            pco: vec![5, 7],
            ..Term::default()
        }],
        ..Order::default()
    };
    assert!(by_code.forbids_contact() && by_code.forbids_firearms());
}

#[test]
fn early_ends() {
    let ended = |kind, at: &str, on| {
        let mut state = state();
        state.apply(&sample::ended(2, at, kind, on)).unwrap();
        state
    };
    let entered = "2027-02-01T20:00:00Z";
    let plain = ended(EndingKind::Terminated, entered, None);
    assert_eq!(status(&plain, "2027-02-01T19:59:59Z"), Status::Active);
    assert_eq!(status(&plain, entered), Status::Terminated);
    let with_time = ended(
        EndingKind::Terminated,
        entered,
        Some(("2027-02-01", Some("09:30"))),
    );
    assert_eq!(status(&with_time, "2027-02-01T17:30:00Z"), Status::Terminated);
    let same_day = ended(EndingKind::Terminated, entered, Some(("2027-02-01", None)));
    assert_eq!(status(&same_day, "2027-02-01T19:59:59Z"), Status::Active);
    assert_eq!(status(&same_day, entered), Status::Terminated);
    let entered_late = ended(EndingKind::Terminated, entered, Some(("2027-01-29", None)));
    assert_eq!(status(&entered_late, "2027-01-30T07:59:59Z"), Status::Active);
    assert_eq!(status(&entered_late, "2027-01-30T08:00:00Z"), Status::Terminated);
    let superseded = ended(EndingKind::Superseded { by: OrderId([4; 16]) }, entered, None);
    assert_eq!(status(&superseded, entered), Status::Superseded);
    // What was entered in error never stood.
    let cancelled = ended(EndingKind::CancelledEntryError, entered, None);
    assert_eq!(status(&cancelled, "2026-12-01T00:00:00Z"), Status::Cancelled);
    // An order that had run out is not ended by what a court says later.
    let too_late = ended(EndingKind::Terminated, "2030-01-01T00:00:00Z", None);
    assert_eq!(status(&too_late, "2031-01-01T00:00:00Z"), Status::Expired);
}

proptest! {
    #[test]
    fn a_standing_holds_until_the_moment_that_is_named_for_it(
        filed in arbitrary::filed(),
        events in prop::collection::vec(arbitrary::event(), 0..6),
        at in arbitrary::moment(),
        later in 0_u32..1_000,
    ) {
        let mut state = OrderState::start(filed);
        for (number, event) in events.into_iter().enumerate() {
            let request = RequestId([u8::try_from(number).unwrap(); 16]);
            let _refused = state.apply(&arbitrary::about(event, state.order_id, request));
        }
        let calendars = Calendars::default();
        let held = |at| {
            let now = standing(&state, at, &calendars);
            (now.status, now.served_how)
        };
        let until = standing_until(&state, at, &calendars);
        prop_assert!(until.is_none_or(|until| until > at));
        let last = until.map_or(i64::MAX / 2, |until| until.0 - 1);
        let within = UtcMillis(at.0 + (last - at.0) / 1_000 * i64::from(later));
        for moment in [within, UtcMillis(last)] {
            prop_assert_eq!(held(at), held(moment), "{:?} {:?}", at, moment);
        }
    }
}
