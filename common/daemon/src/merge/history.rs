//! Two histories of one person.

use std::collections::BTreeSet;

use ccpor_api::message::{PersonHistoryAnswer, PersonOrder};

use super::later::{Later, either, union};

/// Both histories of a person as one: the orders issued last first, those of one day as this machine sorts them and those that only the
/// hub found behind them, since an answer has no hour of issue. What one of both could read is not said to be unreadable.
pub(crate) fn histories(here: PersonHistoryAnswer, hub: PersonHistoryAnswer) -> PersonHistoryAnswer {
    let (Some(fresh), Some(hubs)) = (&here.freshness, &hub.freshness) else {
        return here;
    };
    let later = Later::of(fresh, hubs);
    let named: BTreeSet<String> = hub
        .orders
        .iter()
        .map(|named| order_id(named).to_owned())
        .collect();
    let mut orders: Vec<PersonOrder> =
        later.of_both(here.orders, hub.orders, |named| order_id(named).to_owned(), court);
    let old = orders.iter().filter(|one| !named.contains(order_id(one)));
    let old = later.of_hub(old.filter_map(court));
    let freshness = later.freshness(fresh, hubs, &old);
    orders.sort_by(|a, b| issued(b).cmp(issued(a)));
    let mut not_readable = union(here.not_readable, hub.not_readable);
    not_readable.retain(|unread| orders.iter().all(|named| order_id(named) != unread));
    PersonHistoryAnswer {
        orders,
        not_readable,
        withheld: either(here.withheld, hub.withheld),
        freshness: Some(freshness),
    }
}

fn court(named: &PersonOrder) -> Option<&str> {
    named.order.as_ref().map(|order| order.court.as_str())
}

fn order_id(named: &PersonOrder) -> &str {
    named.order.as_ref().map_or("", |order| order.order_id.as_str())
}

/// A date as it is written: the later, the greater.
fn issued(named: &PersonOrder) -> &str {
    named.order.as_ref().map_or("", |order| order.issued.as_str())
}

#[cfg(test)]
mod tests {
    use ccpor_api::message::OrderInBrief;

    use super::super::later::scene::freshness;
    use super::*;

    fn named(order: &str, court: &str, issued: &str, words: &str) -> PersonOrder {
        PersonOrder {
            order: Some(OrderInBrief {
                order_id: order.into(),
                court: court.into(),
                issued: issued.into(),
                title: words.into(),
                ..OrderInBrief::default()
            }),
            ..PersonOrder::default()
        }
    }

    /// This machine knows its own court up to the later moment, and the hub the far one.
    fn both(here: PersonHistoryAnswer, hub: PersonHistoryAnswer) -> PersonHistoryAnswer {
        histories(
            PersonHistoryAnswer {
                freshness: Some(freshness(
                    "node",
                    &[("court/own", 9), ("court/far", 1)],
                    &["court/far"],
                )),
                ..here
            },
            PersonHistoryAnswer {
                freshness: Some(freshness(
                    "hub/1",
                    &[("court/own", 4), ("court/far", 8)],
                    &["court/own"],
                )),
                ..hub
            },
        )
    }

    fn titles(history: &PersonHistoryAnswer) -> Vec<&str> {
        let orders = history.orders.iter().filter_map(|named| named.order.as_ref());
        orders.map(|order| order.title.as_str()).collect()
    }

    #[test]
    fn of_two_histories_each_order_is_told_by_whoever_knows_its_court_later_and_none_is_lost() {
        let both = both(
            PersonHistoryAnswer {
                orders: vec![
                    named("c", "court/own", "2026-05-02", "ONLY HERE"),
                    named("b", "court/far", "2026-03-01", "FAR, OLD"),
                    named("a", "court/own", "2026-03-01", "OWN, NEW"),
                    named("u", "court/own", "", "NO DAY"),
                ],
                ..PersonHistoryAnswer::default()
            },
            PersonHistoryAnswer {
                orders: vec![
                    named("d", "court/far", "2026-04-01", "ONLY AT THE HUB"),
                    named("z", "court/far", "2026-03-01", "AT THE HUB, SAME DAY"),
                    named("a", "court/own", "2026-03-01", "OWN, OLD"),
                    named("b", "court/far", "2026-03-01", "FAR, NEW"),
                ],
                ..PersonHistoryAnswer::default()
            },
        );
        assert_eq!(
            titles(&both),
            [
                "ONLY HERE",
                "ONLY AT THE HUB",
                "FAR, NEW",
                "OWN, NEW",
                "AT THE HUB, SAME DAY",
                "NO DAY"
            ]
        );
        let fresh = both.freshness.unwrap();
        assert!(fresh.complete && fresh.not_current.is_empty());
        assert_eq!(
            (fresh.served_by.as_str(), fresh.also_asked.as_str()),
            ("node", "hub/1")
        );
    }

    #[test]
    fn what_the_hub_knows_later_and_no_longer_names_is_told_as_of_then() {
        let here = PersonHistoryAnswer {
            orders: vec![named("b", "court/far", "2026-03-01", "FAR, OLD")],
            ..PersonHistoryAnswer::default()
        };
        let both = both(here, PersonHistoryAnswer::default());
        assert_eq!(titles(&both), ["FAR, OLD"]);
        let fresh = both.freshness.unwrap();
        let late: Vec<&str> = fresh.not_current.iter().map(|late| late.court.as_str()).collect();
        assert_eq!((late, fresh.complete), (vec!["court/far"], false));
    }

    #[test]
    fn an_order_that_one_of_both_could_read_is_not_said_to_be_unreadable() {
        let unread = |orders: &[&str]| orders.iter().map(|order| (*order).to_owned()).collect();
        let both = both(
            PersonHistoryAnswer {
                orders: vec![named("a", "court/own", "2026-03-01", "READ HERE")],
                not_readable: unread(&["b", "d"]),
                ..PersonHistoryAnswer::default()
            },
            PersonHistoryAnswer {
                orders: vec![named("b", "court/far", "2026-03-01", "READ AT THE HUB")],
                not_readable: unread(&["a", "c", "d"]),
                ..PersonHistoryAnswer::default()
            },
        );
        assert_eq!(titles(&both), ["READ HERE", "READ AT THE HUB"]);
        assert_eq!(both.not_readable, ["c", "d"]);
    }

    #[test]
    fn what_either_withheld_is_said_to_be_withheld() {
        let withheld = |words: &str| PersonHistoryAnswer {
            withheld: words.into(),
            ..PersonHistoryAnswer::default()
        };
        for (here, hub) in [("say why", ""), ("", "say why"), ("say why", "say why")] {
            assert_eq!(both(withheld(here), withheld(hub)).withheld, "say why");
        }
        assert_eq!(both(withheld(""), withheld("")).withheld, "");
    }
}
