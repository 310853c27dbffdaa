//! Pages of a trail from its end: together they are what the whole trail holds, in epochs of any length, and none goes too far.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ccpor_audit::{Act, Bounds, Onward, Outcome, Search, Trail, newest};
use ccpor_domain::UtcMillis;
use proptest::prelude::*;

use crate::scene::{Scene, look_up, origin, record};

const BOUNDS: Bounds = Bounds {
    acts: 7,
    looked_at: 20,
    time: Duration::from_secs(60),
};
const BEGAN: &str = "2026-11-24T08:00:00.000Z";

/// Records carry the moment at which they are made: the acts in them are of about that time too.
static NOW: LazyLock<i64> = LazyLock::new(|| {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since.as_millis()).unwrap()
});

/// A trail with an epoch of each of these lengths; its newest part is open.
fn filled(epochs: &[usize]) -> (Scene, Arc<Trail>) {
    let scene = Scene::new();
    let mut trail = scene.open(BEGAN);
    let mut minute = 0;
    for (number, acts) in epochs.iter().enumerate() {
        if number > 0 {
            trail.close();
            drop(trail);
            trail = scene.open(BEGAN);
        }
        for _ in 0..*acts {
            let mut draft = look_up(&trail, BEGAN, "Doe", "Jane");
            draft.act.at = UtcMillis(*NOW + minute * 60_000);
            if minute % 3 == 0 {
                draft.act.outcome = Outcome::Refused("not-allowed".into());
            }
            if minute % 5 == 0 {
                draft.act.by.user = "jdoe".into();
            }
            record(&trail, &draft).unwrap();
            minute += 1;
        }
    }
    (scene, trail)
}

/// Every page until there is no more.
fn leafed(trail: &Trail, search: &Search, bounds: Bounds) -> Vec<Act> {
    let ledgers = [Arc::clone(trail.ledger())];
    let (mut from, mut all) = (Onward::new(), Vec::new());
    loop {
        let page = newest(&ledgers, &from, search, bounds);
        assert!(page.acts.len() <= bounds.acts && page.looked_at <= bounds.looked_at);
        assert!(page.stopped.is_empty(), "{:?}", page.stopped);
        all.extend(page.acts.into_iter().map(|(_, _, act)| act));
        match page.onward {
            Some(onward) => {
                assert_ne!(onward, from, "a page that does not go on would be shown for ever");
                from = onward;
            }
            None => return all,
        }
    }
}

/// The same from the beginning, as the auditors' command reads it.
fn expected(scene: &Scene, search: &Search) -> Vec<Act> {
    let found = scene.archive().search(search).unwrap();
    found.into_iter().rev().map(|found| found.act).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn pages_together_are_what_a_reading_from_the_beginning_finds(
        epochs in proptest::collection::vec(0_usize..30, 1..4),
        outcome in prop_oneof![Just(None), Just(Some("refused")), Just(Some("done")), Just(Some("failed"))],
        user in prop_oneof![Just(None), Just(Some("jdoe".to_owned()))],
        days in (0_i64..90, 0_i64..90),
        ranged in any::<bool>(),
    ) {
        let (scene, trail) = filled(&epochs);
        let at = |minute: i64| ranged.then(|| UtcMillis(*NOW + minute * 60_000));
        let search = Search { outcome, user, since: at(days.0), until: at(days.1), ..Search::default() };
        prop_assert_eq!(leafed(&trail, &search, BOUNDS), expected(&scene, &search));
    }
}

#[test]
fn what_is_days_too_young_or_too_old_is_not_read_and_a_clock_that_was_a_day_ahead_hides_nothing() {
    let (_scene, trail) = filled(&[40]);
    let ledgers = [Arc::clone(trail.ledger())];
    let days = |days: i64| Some(UtcMillis(*NOW + days * 86_400_000));
    let looked_at = |since, until| {
        let search = Search {
            since,
            until,
            ..Search::default()
        };
        newest(&ledgers, &Onward::new(), &search, BOUNDS).looked_at
    };
    assert_eq!(looked_at(None, days(-3)), 0);
    assert_eq!(looked_at(days(3), None), 1);
    // As if the clock had been a day ahead when these records were made, or behind.
    assert!(looked_at(None, days(-1)) > 0 && looked_at(days(1), None) > 1);
}

#[test]
fn blocks_and_epochs_that_are_longer_than_a_block_lose_nothing() {
    let (scene, trail) = filled(&[600, 1, 300]);
    let bounds = Bounds {
        acts: 100,
        looked_at: 50_000,
        time: Duration::from_secs(60),
    };
    let all = leafed(&trail, &Search::default(), bounds);
    assert_eq!(all.len(), 901);
    assert_eq!(all, expected(&scene, &Search::default()));
}

#[test]
fn what_is_recorded_between_two_pages_moves_nothing() {
    let (_scene, trail) = filled(&[30]);
    let ledgers = [Arc::clone(trail.ledger())];
    let first = newest(&ledgers, &Onward::new(), &Search::default(), BOUNDS);
    let last = first.acts.last().unwrap().2.at;
    record(&trail, &look_up(&trail, "2026-11-24T12:00:00.000Z", "Roe", "Ann")).unwrap();
    let second = newest(&ledgers, &first.onward.unwrap(), &Search::default(), BOUNDS);
    assert_eq!(second.acts.first().unwrap().2.at, UtcMillis(last.0 - 60_000));
}

#[test]
fn nothing_is_found_before_the_beginning_and_a_trail_that_is_not_named_is_not_read() {
    let (_scene, trail) = filled(&[3]);
    let ledgers = [Arc::clone(trail.ledger())];
    let beginning = BTreeMap::from([(origin(), ccpor_ledger::Position { epoch: 0, seq: 0 })]);
    let page = newest(&ledgers, &beginning, &Search::default(), BOUNDS);
    assert!(page.acts.is_empty() && page.onward.is_none());
}

#[test]
fn a_page_stops_when_its_time_is_over_and_says_where_to_go_on() {
    let (_scene, trail) = filled(&[600]);
    let ledgers = [Arc::clone(trail.ledger())];
    let search = Search {
        user: Some("nobody".into()),
        ..Search::default()
    };
    let bounds = Bounds {
        acts: 50,
        looked_at: 50_000,
        time: Duration::ZERO,
    };
    let page = newest(&ledgers, &Onward::new(), &search, bounds);
    assert!(page.acts.is_empty() && page.looked_at < 600);
    assert_eq!(leafed(&trail, &search, bounds), []);
    assert!(page.onward.is_some());
}
