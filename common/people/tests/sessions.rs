//! All open sessions of a machine, as who keeps the accounts sees them.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers as well"
)]

use ccpor_people::Sessions;

const NOW: i64 = 1_790_000_000_000;
const MINUTE: i64 = 60_000;

#[test]
fn all_open_sessions_are_listed_by_account_the_one_used_last_first_and_none_that_is_over() {
    let mut sessions = Sessions::default();
    let mut open = |account: &str, terminal: bool, at: i64| {
        let (_, session) = sessions.open(account, "", terminal, NOW + at).unwrap();
        session.id
    };
    let early = open("mgarcia", false, 0);
    let other = open("admin", false, 10 * MINUTE);
    let late = open("mgarcia", false, 20 * MINUTE);
    let terminal = open("dispatch", true, 0);
    let ids = |at: i64| -> Vec<String> {
        let all = sessions.all(NOW + at).into_iter();
        all.map(|session| session.id).collect()
    };
    assert_eq!(
        ids(25 * MINUTE),
        [other.clone(), terminal.clone(), late.clone(), early]
    );
    assert_eq!(
        ids(35 * MINUTE),
        [other, terminal.clone(), late],
        "one is over by idleness"
    );
    assert_eq!(
        ids(60 * MINUTE),
        [terminal],
        "a terminal is not locked for idleness"
    );
    assert!(ids(12 * 60 * MINUTE).is_empty());
}
