//! Every kind of order through the readers, for every role of the own court and of another: shown, masked, withheld or not there
//! exactly as the table says, whichever way is asked.

use std::path::Path;
use std::sync::Arc;

use ccpor_access::{Facts, Minors, Role, Seen, names_minors, see};
use ccpor_api::message::{
    EnforceRequest, GetOrderRequest, Hit, ListOverdueRequest, LookupAnswer, LookupRequest,
    Name as NameMessage, OrderInBrief, Person as PersonMessage, PersonHistoryAnswer, PersonHistoryRequest,
    PersonOrder,
};
use ccpor_api::{Caller, Code};
use ccpor_daemon::reading::Reader;
use ccpor_domain::{
    Date, Ending, EndingKind, ForeignOrder, Name, Order, OrderId, Person, Protected, Term, TermKind,
};
use ccpor_registry::Registry;

use crate::court::{OTHER, OWN, caller, open, request, sharing};

pub(crate) struct Kind {
    last: &'static str,
    pub(crate) order: OrderId,
    pub(crate) facts: Facts,
}

/// One order of each kind; each restrains somebody of a name of its own, and protects a confidential minor.
pub(crate) fn filed(registry: &Registry) -> Vec<Kind> {
    let kinds = [
        ("OPEN", false, false, false),
        ("SEALED", true, false, false),
        ("REGISTERED", false, true, false),
        ("ENDED", false, false, true),
        ("SEALEDANDENDED", true, false, true),
    ];
    kinds
        .map(|(last, sealed, registered, over)| one(registry, last, sealed, registered, over))
        .into()
}

fn one(registry: &Registry, last: &'static str, sealed: bool, registered: bool, over: bool) -> Kind {
    let minor = Protected {
        person: Person {
            name: Name::new("Kid", &format!("{last}MINOR")),
            ..Person::default()
        },
        minor_confidential: true,
        ..Protected::default()
    };
    let paper = Order {
        form: "DV-130".into(),
        case_number: format!("HF26-{last}"),
        issued: Some(Date::new(2026, 3, 1).unwrap()),
        restrained: Person {
            name: Name::new("Pat", last),
            ..Person::default()
        },
        protected: vec![minor],
        terms: vec![Term {
            kind: TermKind::NoContact,
            ..Term::default()
        }],
        foreign: registered.then(|| ForeignOrder {
            registered: Some(Date::new(2026, 3, 2).unwrap()),
            valid_on_face: Some(true),
            ..ForeignOrder::default()
        }),
        ..Order::default()
    };
    let order = registry
        .file(request(&format!("file-{last}")), None, paper)
        .unwrap()
        .order;
    if sealed {
        registry
            .seal(request(&format!("seal-{last}")), order, true)
            .unwrap();
    }
    if over {
        let ending = Ending {
            kind: EndingKind::Terminated,
            date: None,
            time: None,
        };
        registry
            .end(request(&format!("end-{last}")), order, ending)
            .unwrap();
    }
    Kind {
        last,
        order,
        facts: Facts {
            own: false,
            sealed,
            registered,
            in_force: !over,
            over,
        },
    }
}

fn name(last: &str) -> LookupRequest {
    LookupRequest {
        last: last.into(),
        ..LookupRequest::default()
    }
}

/// Asked for by its identifier, by name, for enforcement, and among all of a person's orders: always the same.
async fn asked(reader: &Reader, by: &Caller, kind: &Kind, expected: Seen) {
    let what = format!("{:?} {} {expected:?}", by.person, kind.last);
    let by_id = |order_id: String| GetOrderRequest {
        order_id,
        ..GetOrderRequest::default()
    };
    let shown = reader.order(by, by_id(kind.order.to_string())).await;
    let by_number = reader
        .order(by, by_id(kind.order.registry_number().to_string()))
        .await;
    match (expected, &shown) {
        (Seen::Hidden, Err(problem)) => {
            let absent = reader.order(by, by_id("0".repeat(32))).await.unwrap_err();
            assert_eq!(
                (problem, by_number.as_ref().unwrap_err()),
                (&absent, &absent),
                "{what}"
            );
        }
        (Seen::Withheld, Err(problem)) => assert_eq!(problem.code, Code::PurposeNeeded, "{what}"),
        (Seen::ToEnforce, Ok(order)) => assert!(order.history.is_empty(), "{what}"),
        (Seen::Whole, Ok(order)) => assert!(!order.history.is_empty(), "{what}"),
        _ => panic!("{what}: {shown:?}"),
    }
    let answer = reader.lookup(by, name(kind.last)).await.unwrap();
    assert_eq!(
        answer.hits.len(),
        usize::from(expected > Seen::Withheld),
        "{what}"
    );
    assert_eq!(answer.total as usize, answer.hits.len(), "{what}");
    assert_eq!(!answer.withheld.is_empty(), expected == Seen::Withheld, "{what}");
    let person = PersonMessage {
        name: Some(NameMessage {
            first: "Pat".into(),
            last: kind.last.into(),
            ..NameMessage::default()
        }),
        ..PersonMessage::default()
    };
    let history = PersonHistoryRequest {
        person: Some(person),
        ..PersonHistoryRequest::default()
    };
    let history = reader.person_history(by, history).await.unwrap();
    assert_eq!(history.orders.len(), answer.hits.len(), "{what}");
    assert_eq!(!history.withheld.is_empty(), expected == Seen::Withheld, "{what}");
    let enforce = EnforceRequest {
        order_id: kind.order.to_string(),
        ..EnforceRequest::default()
    };
    let enforced = reader.enforce(by, enforce).await;
    assert_eq!(enforced.is_ok(), expected > Seen::Withheld, "{what}");
    if let Ok(enforced) = enforced.as_ref().map(|enforced| enforced.persons.len()) {
        assert_eq!(
            enforced,
            usize::from(kind.facts.in_force),
            "{what}: whoever may enforce is told what"
        );
    }
}

/// What another machine says of an order that is hidden here is not told on; what it says of one that is not known here is.
async fn told_on(reader: &Reader, by: &Caller, kind: &Kind, expected: Seen) {
    let orders = [kind.order.to_string(), OrderId([9; 16]).to_string()];
    let hits = orders.iter().map(|order| Hit {
        order_id: order.clone(),
        ..Hit::default()
    });
    let lookup = LookupAnswer {
        hits: hits.collect(),
        ..LookupAnswer::default()
    };
    let named = orders.iter().map(|order| PersonOrder {
        order: Some(OrderInBrief {
            order_id: order.clone(),
            ..OrderInBrief::default()
        }),
        ..PersonOrder::default()
    });
    let history = PersonHistoryAnswer {
        orders: named.collect(),
        not_readable: orders.to_vec(),
        ..PersonHistoryAnswer::default()
    };
    let lookup = reader.without_hidden(by, lookup).await.unwrap();
    let history = reader.without_hidden(by, history).await.unwrap();
    let told = 1 + usize::from(expected > Seen::Withheld);
    assert_eq!(
        [
            lookup.hits.len(),
            history.orders.len(),
            history.not_readable.len()
        ],
        [told; 3],
        "{:?} {} {expected:?}",
        by.person,
        kind.last
    );
}

/// A minor's name leads to an order, or to one that does not name the minor, or to nothing; and stands in no answer else.
async fn asked_by_minor(reader: &Reader, by: &Caller, kind: &Kind, expected: Seen, minors: Minors) {
    let what = format!("{:?} {} {minors:?}", by.person, kind.last);
    let minor = format!("{}MINOR", kind.last);
    let hits = reader.lookup(by, name(&minor)).await.unwrap().hits;
    let found = expected > Seen::Withheld && minors != Minors::Hidden;
    assert_eq!(hits.len(), usize::from(found), "{what}");
    if let Some(hit) = hits.first() {
        assert_eq!(hit.name.is_empty(), minors == Minors::Unnamed, "{what}");
        assert!(!hit.radio.contains(&minor), "{what}");
    }
    let request = GetOrderRequest {
        order_id: kind.order.to_string(),
        versions: true,
        ..GetOrderRequest::default()
    };
    if let Ok(order) = reader.order(by, request).await {
        let named = serde_json::to_string(&order).unwrap().contains(&minor);
        assert_eq!(named, minors == Minors::Named, "{what}");
    }
}

fn opened(directory: &Path) -> (Arc<Registry>, Reader, Vec<Kind>) {
    let registry = open(directory);
    let kinds = filed(&registry);
    let reader = Reader::new(Arc::clone(&registry), sharing(directory));
    (registry, reader, kinds)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn matrix_of_orders_is_shown_as_the_table_says_whichever_way_is_asked() {
    let directory = tempfile::tempdir().unwrap();
    let (registry, reader, kinds) = opened(directory.path());
    for role in Role::ALL {
        for (court, purpose) in [(OWN, false), (OWN, true), (OTHER, false), (OTHER, true)] {
            let by = caller(role, court, purpose);
            let own = role.is_of_a_court() && court == OWN;
            for kind in &kinds {
                let expected = see(role, Facts { own, ..kind.facts }, purpose);
                asked(&reader, &by, kind, expected).await;
                told_on(&reader, &by, kind, expected).await;
                asked_by_minor(&reader, &by, kind, expected, names_minors(role, own)).await;
            }
        }
    }
    registry.close();
}

/// The list of what came late names no person; an order under a seal is in it for whoever sees the order.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn matrix_of_what_came_late_leaves_out_what_is_sealed_to_the_reader() {
    let directory = tempfile::tempdir().unwrap();
    let (registry, reader, kinds) = opened(directory.path());
    for role in Role::ALL {
        for court in [OWN, OTHER] {
            let by = caller(role, court, false);
            let own = role.is_of_a_court() && court == OWN;
            let list = reader
                .list_overdue(&by, ListOverdueRequest::default())
                .await
                .unwrap();
            for kind in &kinds {
                let listed = list
                    .entries
                    .iter()
                    .any(|late| late.order_id == kind.order.to_string());
                let facts = Facts {
                    own,
                    over: false,
                    ..kind.facts
                };
                let open = !kind.facts.sealed && !kind.facts.registered;
                assert_eq!(
                    listed,
                    open || see(role, facts, true) == Seen::Whole,
                    "{role} {court} {}",
                    kind.last
                );
            }
        }
    }
    registry.close();
}
