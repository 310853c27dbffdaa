//! The matrix: every role, every verb and every kind of order, against the table; and what must hold of any table.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers as well"
)]

use std::collections::BTreeSet;

use ccpor_access::{
    Facts, Minors, Over, Place, Reach, Role, Row, Seen, TABLE, Verb, View, Who, masked, may, names_minors,
    rights, see,
};
use ccpor_domain::{Act, Filed, Name, Order, OrderState, Person, Protected};
use proptest::prelude::*;

fn row(role: Role) -> &'static Row {
    TABLE.iter().find(|row| row.role == role).unwrap()
}

fn who(role: Role) -> Who {
    let place = match role {
        _ if role.is_of_a_court() => Place::Court("court/alameda".into()),
        _ if role.is_of_an_agency() => Place::Agency("alameda-so".into()),
        _ => Place::Registry,
    };
    Who { role, place }
}

/// Every order there can be, as far as rights go.
fn every_order() -> impl Iterator<Item = Facts> {
    (0..24_u8).map(|bits| Facts {
        own: bits & 1 != 0,
        sealed: bits & 2 != 0,
        registered: bits & 4 != 0,
        // In force, over, or not yet begun.
        in_force: bits / 8 == 0,
        over: bits / 8 == 1,
    })
}

#[test]
fn matrix_has_one_row_for_each_role_and_one_field_for_each_verb() {
    let roles: BTreeSet<Role> = TABLE.iter().map(|row| row.role).collect();
    assert_eq!((roles.len(), TABLE.len()), (Role::ALL.len(), Role::ALL.len()));
    for row in TABLE {
        let verbs: BTreeSet<Verb> = row.verbs.iter().map(|(verb, _)| *verb).collect();
        assert_eq!(verbs.len(), row.verbs.len(), "{}", row.role);
        assert_eq!(row.role.as_str().parse(), Ok(row.role));
    }
}

#[test]
fn matrix_of_verbs_is_decided_as_the_table_says_for_own_and_other_courts() {
    for role in Role::ALL {
        for verb in Verb::ALL {
            let listed = row(role).verbs.iter().find(|(listed, _)| *listed == verb);
            let (own, other) = match listed.map(|(_, reach)| *reach) {
                None => (false, false),
                Some(Reach::Own) => (true, false),
                Some(Reach::Any) => (true, true),
            };
            assert_eq!(may(&who(role), verb, true), own, "{role} {}", verb.title());
            assert_eq!(may(&who(role), verb, false), other, "{role} {}", verb.title());
        }
    }
}

#[test]
fn matrix_of_orders_is_decided_as_the_table_says() {
    for role in Role::ALL {
        let row = row(role);
        for facts in every_order() {
            for purpose in [false, true] {
                let cell = |sealed: ccpor_access::Sealed| if facts.own { sealed.own } else { sealed.other };
                let mut views = vec![row.open];
                views.extend(facts.sealed.then(|| cell(row.sealed)));
                views.extend(facts.registered.then(|| cell(row.registered)));
                let over = if facts.own { row.over_own } else { row.over_other };
                let expected = match (views.into_iter().min().unwrap(), facts.over, over) {
                    (View::Nothing, _, _) => Seen::Hidden,
                    (View::ToEnforce, _, _) if facts.in_force => Seen::ToEnforce,
                    (View::ToEnforce, _, _) | (View::Whole, true, Over::No) => Seen::Hidden,
                    (View::Whole, true, Over::WithPurpose) if !purpose => Seen::Withheld,
                    (View::Whole, _, _) => Seen::Whole,
                };
                assert_eq!(see(role, facts, purpose), expected, "{role} {facts:?} {purpose}");
            }
        }
    }
}

/// The promises of the brief words, beside the table that could be changed by a slip.
#[test]
fn matrix_keeps_the_promises_that_do_not_depend_on_the_table() {
    let sealed = |own, in_force| Facts {
        own,
        sealed: true,
        registered: false,
        in_force,
        over: !in_force,
    };
    for own in [false, true] {
        for role in [
            Role::Query,
            Role::Court,
            Role::Auditor,
            Role::Administrator,
            Role::Operator,
        ] {
            assert_eq!(see(role, sealed(own, true), true), Seen::Hidden, "{role}");
        }
        for role in [Role::LeaQuery, Role::LeaService] {
            assert_eq!(see(role, sealed(own, true), false), Seen::ToEnforce);
            assert_eq!(see(role, sealed(own, false), true), Seen::Hidden);
        }
    }
    for role in Role::ALL {
        let reads = row(role).open != View::Nothing;
        let blind = matches!(role, Role::Auditor | Role::Administrator | Role::Operator);
        assert_eq!(reads, !blind, "{role}");
        for verb in [Verb::Create, Verb::Modify, Verb::Cancel, Verb::Seal] {
            assert!(!may(&who(role), verb, false), "{role} writes for another court");
        }
        // Whoever enforces learns of every order in force that is not sealed, whatever is stated.
        let in_force = Facts {
            own: false,
            sealed: false,
            registered: false,
            in_force: true,
            over: false,
        };
        if may(&who(role), Verb::Enforce, false) {
            assert_eq!(see(role, in_force, false), Seen::Whole, "{role}");
        }
    }
}

#[test]
fn matrix_never_shows_more_to_a_lesser_right() {
    let more =
        |a: Role, b: Role, facts: Facts, purpose: bool| see(a, facts, purpose) >= see(b, facts, purpose);
    for facts in every_order() {
        for purpose in [false, true] {
            for (greater, lesser) in [
                (Role::QuerySealed, Role::Query),
                (Role::Court, Role::Query),
                (Role::Supervisor, Role::Court),
                (Role::Judge, Role::Supervisor),
                (Role::LeaService, Role::LeaQuery),
                (Role::Query, Role::Auditor),
                (Role::LeaQuery, Role::Operator),
            ] {
                assert!(
                    more(greater, lesser, facts, purpose),
                    "{greater} {lesser} {facts:?}"
                );
                assert!(names_minors(greater, facts.own) >= names_minors(lesser, facts.own));
            }
            for role in Role::ALL {
                // A seal, another court, or the want of a purpose never shows more.
                let open = Facts {
                    sealed: false,
                    registered: false,
                    ..facts
                };
                assert!(see(role, open, purpose) >= see(role, facts, purpose));
                assert!(see(role, facts, true) >= see(role, facts, purpose));
                // What is hidden is hidden whatever is stated: a refusal for want of a purpose tells of nothing that is hidden.
                if see(role, facts, false) == Seen::Withheld {
                    assert_eq!(see(role, facts, true), Seen::Whole, "{role} {facts:?}");
                }
                if role.is_of_a_court() {
                    assert!(see(role, Facts { own: true, ..facts }, purpose) >= see(role, facts, purpose));
                }
            }
        }
    }
}

#[test]
fn matrix_is_the_same_for_a_tribal_court_and_a_superior_court() {
    for role in Role::ALL {
        let of = |court: &str| Who {
            role,
            place: Place::Court(court.into()),
        };
        for verb in Verb::ALL {
            let (county, tribe) = (of("court/humboldt"), of("tribal/yurok"));
            assert_eq!(
                may(&county, verb, county.owns("court/humboldt")),
                may(&tribe, verb, tribe.owns("tribal/yurok"))
            );
            assert_eq!(
                may(&county, verb, county.owns("tribal/yurok")),
                may(&tribe, verb, tribe.owns("court/humboldt"))
            );
        }
    }
}

/// Set `CCPOR_WRITE=1` to write the page anew after a change of the table.
#[test]
fn matrix_page_says_what_the_table_says() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/RIGHTS.md");
    if std::env::var_os("CCPOR_WRITE").is_some() {
        std::fs::write(path, rights()).unwrap();
    }
    assert!(
        std::fs::read_to_string(path).unwrap() == rights(),
        "write RIGHTS.md anew: CCPOR_WRITE=1"
    );
}

fn person(last: &str) -> Person {
    Person {
        name: Name::new("Given", last),
        ..Person::default()
    }
}

prop_compose! {
    fn any_order()(minors in prop::collection::vec((any::<bool>(), 0..4_u8), 0..5)) -> Order {
        Order {
            restrained: person("Restrained"),
            protected: minors.into_iter().map(|(minor_confidential, name)| Protected {
                person: person(&format!("Protected{name}")),
                minor_confidential,
                ..Protected::default()
            }).collect(),
            other_text: "other orders".into(),
            ..Order::default()
        }
    }
}

fn filed(order: Order) -> OrderState {
    OrderState::start(Filed {
        act: Act {
            reason: "a reason".into(),
            ..Act::default()
        },
        order_id: ccpor_domain::OrderId::default(),
        source_id: Some("source".into()),
        order,
    })
}

proptest! {
    #[test]
    fn matrix_masks_leave_no_confidential_minor_in_any_version(then in any_order(), now in any_order()) {
        for seen in [Seen::ToEnforce, Seen::Whole] {
            for minors in [Minors::Hidden, Minors::Unnamed] {
                let shown = masked(filed(then.clone()), &now, seen, minors);
                for (before, after) in then.protected.iter().zip(&shown.order.protected) {
                    let openly = now.protected.iter().any(|one| !one.minor_confidential && one.person.name == before.person.name);
                    let flagged = now.protected.iter().any(|one| one.minor_confidential) && !openly;
                    if before.minor_confidential || flagged {
                        prop_assert_eq!(&after.person, &Person::default());
                    } else {
                        prop_assert_eq!(&after.person.name, &before.person.name);
                    }
                }
                prop_assert_eq!(shown.order.protected.len(), then.protected.len());
                if seen == Seen::ToEnforce {
                    prop_assert!(shown.steps.is_empty() && shown.source_id.is_none());
                }
            }
            prop_assert_eq!(
                masked(filed(then.clone()), &now, Seen::Whole, Minors::Named),
                filed(then.clone()),
                "who sees all sees it as it is"
            );
        }
    }
}
