//! Lines of orders: continued, replaced, renewed; exactly one is current, and impossible steps are refused.

use ccpor_domain::*;
use proptest::prelude::*;

use crate::sample::act;

fn temporary() -> Order {
    Order {
        form: "DV-110".into(),
        ..Order::default()
    }
}

fn start(number: u8, order: Order) -> OrderState {
    OrderState::start(Filed {
        act: act(number, "2026-03-01T10:00:00Z"),
        order_id: OrderId([number; 16]),
        source_id: None,
        order,
    })
}

#[test]
fn a_temporary_order_is_continued_replaced_and_renewed() {
    let first = start(1, temporary());
    let mut continued = temporary();
    follow(&first, Follows::Continues, &mut continued).unwrap();
    assert_eq!(
        (continued.stage, continued.previous, continued.lineage),
        (Stage::Continued, Some(OrderId([1; 16])), Some(OrderId([1; 16])))
    );
    let second = start(2, continued);
    let mut after = Order {
        form: "DV-130".into(),
        ..Order::default()
    };
    assert_eq!(
        follow(&second, Follows::Renews, &mut after.clone()),
        Err(FollowRefused::NotAfterHearing(OrderId([2; 16])))
    );
    follow(&second, Follows::Replaces, &mut after).unwrap();
    assert_eq!(
        (after.previous, after.lineage),
        (Some(OrderId([2; 16])), Some(OrderId([1; 16])))
    );
    let third = start(3, after);
    let mut renewed = Order {
        form: "DV-730".into(),
        ..Order::default()
    };
    assert_eq!(
        follow(&third, Follows::Continues, &mut renewed.clone()),
        Err(FollowRefused::NotTemporary(OrderId([3; 16])))
    );
    follow(&third, Follows::Renews, &mut renewed).unwrap();
    assert_eq!(
        (renewed.stage, renewed.lineage),
        (Stage::Renewed, Some(OrderId([1; 16])))
    );
    let mut elsewhere = Order {
        previous: Some(OrderId([9; 16])),
        ..temporary()
    };
    assert!(matches!(
        follow(&third, Follows::Replaces, &mut elsewhere),
        Err(FollowRefused::OtherPrevious { .. })
    ));
}

proptest! {
    /// The model: a line is a list whose last one is current until a court ends it.
    #[test]
    fn exactly_one_order_of_a_line_is_current(
        steps in prop::collection::vec((0_usize..6, prop::sample::select(Follows::ALL), any::<bool>()), 1..14),
    ) {
        let mut orders = vec![start(1, temporary())];
        for (which, how, end) in steps {
            let which = which % orders.len();
            let number = u8::try_from(orders.len() + 1).unwrap();
            let current = orders[which].ending.is_none();
            if end {
                let kind = EndingKind::Terminated;
                let ended = Event::Ended(Ended {
                    act: act(100 + number, "2026-03-02T10:00:00Z"),
                    order_id: orders[which].order_id,
                    ending: Ending { kind, date: None, time: None },
                });
                prop_assert_eq!(orders[which].apply(&ended).is_ok(), current);
                continue;
            }
            let mut next = match how {
                Follows::Continues => temporary(),
                Follows::Replaces | Follows::Renews => Order { form: "DV-130".into(), ..Order::default() },
            };
            let before = next.clone();
            match follow(&orders[which], how, &mut next) {
                Ok(()) => {
                    prop_assert!(current, "only the current order is followed");
                    let by = OrderId([number; 16]);
                    let ended = Event::Ended(Ended {
                        act: act(100 + number, "2026-03-02T10:00:00Z"),
                        order_id: orders[which].order_id,
                        ending: Ending { kind: EndingKind::Superseded { by }, date: None, time: None },
                    });
                    orders[which].apply(&ended).unwrap();
                    orders.push(start(number, next));
                }
                Err(_) => prop_assert_eq!(next, before, "a refusal changes nothing"),
            }
            let open = orders.iter().filter(|order| order.ending.is_none()).count();
            let terminated = orders.iter().any(|order| {
                order.ending.as_ref().is_some_and(|end| end.ending.kind == EndingKind::Terminated)
            });
            prop_assert_eq!(open, usize::from(!terminated), "of a line exactly one, or none once a court has ended it");
            prop_assert!(orders.iter().skip(1).all(|order| order.order.lineage == Some(OrderId([1; 16]))));
        }
    }
}
