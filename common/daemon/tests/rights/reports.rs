//! The reports for every role of the own court and of another: given to whom the table says, and no order under a seal counted or
//! named for who does not see through it.

use std::collections::BTreeSet;
use std::sync::Arc;

use ccpor_access::{Facts, Role, Seen, Verb, may, see};
use ccpor_api::{Code, FaultKind, Faults, FaultsQuestion, Report, Reports, Statistics};
use ccpor_daemon::reports::RegistryReports;
use ccpor_daemon::sharing::Shares;
use ccpor_daemon::sight::who;

use crate::court::{OTHER, OWN, caller, open, request, sharing, sharing_told};
use crate::orders::{Kind, filed};

/// The report, once the orders are counted.
async fn made<T, F: Future<Output = Report<T>>>(ask: impl Fn() -> F) -> T {
    loop {
        if let Report::Made(made) = ask().await {
            return made;
        }
    }
}

/// Whether an order is counted and named for somebody: it is open, or the seal is one that this one sees through.
fn counts(role: Role, own: bool, kind: &Kind) -> bool {
    let facts = Facts {
        own,
        over: false,
        ..kind.facts
    };
    let open = !facts.sealed && !facts.registered;
    open || see(role, facts, true) == Seen::Whole
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn matrix_of_statistics_counts_for_each_role_what_it_may_know_of() {
    let directory = tempfile::tempdir().unwrap();
    let registry = open(directory.path());
    let kinds = filed(&registry);
    let reports = RegistryReports::new(Arc::clone(&registry), sharing(directory.path()));
    let mut allowed = 0;
    for role in Role::ALL {
        for court in [OWN, OTHER] {
            let by = caller(role, court, false);
            let given = reports.statistics(&by).await;
            if !may(&who(&by).unwrap(), Verb::Statistics, false) {
                assert_eq!(given.unwrap_err().code, Code::NotAllowed, "{role}");
                continue;
            }
            allowed += 1;
            let told = made(async || reports.statistics(&by).await.unwrap()).await;
            let own = role.is_of_a_court() && court == OWN;
            let expected = |over: bool| {
                let some = kinds.iter().filter(|kind| counts(role, own, kind));
                u64::try_from(some.filter(|kind| kind.facts.over == over).count()).unwrap()
            };
            let standings = told.all.standings();
            let what = format!("{role} of {court}");
            assert_eq!(standings.not_served, expected(false), "{what}");
            assert_eq!(standings.terminated, expected(true), "{what}");
            assert_eq!(standings.all(), expected(false) + expected(true), "{what}");
            // Every figure leaves out the same orders.
            assert_eq!(sum(&told), standings.all(), "{what}");
            assert_eq!((told.courts.len(), told.own.as_str()), (1, OWN), "{what}");
            assert_eq!(told.courts[0].forms, told.all.forms, "{what}");
            assert!(told.freshness.is_some(), "{what}");
        }
    }
    assert!(allowed >= 3);
    registry.close();
}

fn sum(told: &Statistics) -> u64 {
    told.all.filed.iter().map(|(_, count)| count).sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_court_keeps_back_is_not_counted_elsewhere() {
    for (orders, history, expected) in [(true, true, 2), (true, false, 1), (false, true, 0)] {
        let directory = tempfile::tempdir().unwrap();
        let registry = open(directory.path());
        filed(&registry);
        let kept = Shares {
            orders,
            history,
            images: true,
        };
        // As a machine that is not this court's own was told by the hub.
        let sharing = sharing_told(directory.path(), OWN, kept);
        let reports = RegistryReports::new(Arc::clone(&registry), sharing);
        let by = caller(Role::Operator, OWN, false);
        let told = made(async || reports.statistics(&by).await.unwrap()).await;
        let seen = told.all.standings();
        let open = usize::try_from(seen.all()).unwrap();
        // One open order in force and one that ended are filed, beside those under seals.
        assert_eq!(open, expected, "{orders} {history}");
        assert_eq!(told.courts.is_empty(), !orders);
        let named = told.freshness.unwrap().not_covered;
        assert_eq!(named.is_empty(), orders && history);
        registry.close();
    }
}

fn of(court: Option<&str>) -> FaultsQuestion {
    FaultsQuestion {
        court: court.map(ToOwned::to_owned),
        export: false,
    }
}

/// The orders that are named, by their identifiers.
fn named(faults: &Faults) -> BTreeSet<&str> {
    let rows = faults.rows.iter().map(|fault| fault.order_id.as_str());
    rows.filter(|order| !order.is_empty()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn matrix_of_faults_names_for_each_role_what_it_may_know_of() {
    let directory = tempfile::tempdir().unwrap();
    let registry = open(directory.path());
    let kinds = filed(&registry);
    let reports = RegistryReports::new(Arc::clone(&registry), sharing(directory.path()));
    let mut allowed = 0;
    for role in Role::ALL {
        for court in [OWN, OTHER] {
            let by = caller(role, court, false);
            let asker = who(&by).unwrap();
            let what = format!("{role} of {court}");
            let own = asker.owns(OWN);
            if !may(&asker, Verb::Faults, own) {
                for question in [of(None), of(Some(OWN))] {
                    let given = reports.faults(&by, question).await;
                    assert_eq!(given.unwrap_err().code, Code::NotAllowed, "{what}");
                }
                continue;
            }
            allowed += 1;
            let told = made(async || reports.faults(&by, of(None)).await.unwrap()).await;
            // What is over has no fault that anybody would put right.
            let expected: BTreeSet<String> = kinds
                .iter()
                .filter(|kind| !kind.facts.over && counts(role, own, kind))
                .map(|kind| kind.order.to_string())
                .collect();
            assert!(named(&told).into_iter().eq(expected.iter()), "{what}");
            let scans = told
                .counts
                .iter()
                .find(|(_, kind, _)| *kind == FaultKind::NoImage);
            let count = u64::try_from(expected.len()).unwrap();
            assert_eq!(scans.map(|(_, _, count)| *count), Some(count), "{what}");
            assert_eq!((told.of.as_str(), told.more), (OWN, false), "{what}");
            let all = made(async || reports.faults(&by, of(Some(""))).await.unwrap()).await;
            assert_eq!(named(&all), named(&told), "{what}");
            assert!(all.freshness.is_some(), "{what}");
            // No name, number of a case or other value of an order is in what is told.
            let text = format!("{all:?}").to_uppercase();
            for value in ["OPEN", "SEALED", "KID", "HF26"] {
                assert!(!text.contains(value), "{what}: {value}");
            }
        }
    }
    assert!(allowed >= 2);
    registry.close();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fault_that_was_put_right_is_no_longer_named_although_the_count_is_given_out_again() {
    let directory = tempfile::tempdir().unwrap();
    let registry = open(directory.path());
    let kinds = filed(&registry);
    let reports = RegistryReports::new(Arc::clone(&registry), sharing(directory.path()));
    let by = caller(Role::Supervisor, OWN, false);
    let ask = async || made(async || reports.faults(&by, of(None)).await.unwrap()).await;
    let open = kinds[0].order.to_string();
    assert!(named(&ask().await).contains(open.as_str()));
    let ending = ccpor_domain::Ending {
        kind: ccpor_domain::EndingKind::CancelledEntryError,
        date: None,
        time: None,
    };
    registry
        .end(request("cancel-0001"), kinds[0].order, ending)
        .unwrap();
    assert!(!named(&ask().await).contains(open.as_str()));
    registry.close();
}
