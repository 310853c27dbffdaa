//! Two answers to one lookup.

use std::collections::BTreeSet;

use ccpor_api::message::{Hit, LookupAnswer};

use super::later::{Later, either, union};

/// Both answers to a lookup as one; `limit` is the most hits that were asked for. What is about the asking itself stays as it is here.
pub(crate) fn lookups(here: LookupAnswer, hub: LookupAnswer, limit: usize) -> LookupAnswer {
    let (Some(fresh), Some(hubs)) = (&here.freshness, &hub.freshness) else {
        return here;
    };
    let later = Later::of(fresh, hubs);
    let found = here.hits.len().max(hub.hits.len());
    // What stands behind the hub's page it does not name either.
    let cut = |hit: &Hit| !hub.next_page_token.is_empty() || hub.more_of.contains(&hit.asked);
    let named: BTreeSet<(String, u32)> = hub.hits.iter().filter(|hit| is_read(hit)).map(place).collect();
    let mut hits: Vec<Hit> = later.of_both(here.hits, hub.hits, place, |hit| {
        is_read(hit).then_some(hit.court.as_str())
    });
    hits.sort_by(|a, b| {
        let likelier = b.score.total_cmp(&a.score);
        b.also
            .len()
            .cmp(&a.also.len())
            .then(a.asked.cmp(&b.asked))
            .then(likelier)
            .then(a.order_id.cmp(&b.order_id))
    });
    // Of several people each has hits of its own; what two machines found of one person is cut as one machine's would be.
    if hits.iter().all(|hit| hit.asked == 0) {
        hits.truncate(found.max(limit));
    }
    let old = hits
        .iter()
        .filter(|hit| !cut(hit) && !named.contains(&place(hit)));
    let old = later.of_hub(old.map(|hit| hit.court.as_str()));
    let freshness = later.freshness(fresh, hubs, &old);
    let of = hits.len();
    for (number, hit) in hits.iter_mut().enumerate() {
        hit.radio = numbered(&hit.radio, number + 1, of);
    }
    LookupAnswer {
        total: here
            .total
            .max(hub.total)
            .max(u32::try_from(of).unwrap_or(u32::MAX)),
        hits,
        more_of: union(here.more_of, hub.more_of),
        withheld: either(here.withheld, hub.withheld),
        freshness: Some(freshness),
        ..here
    }
}

fn place(hit: &Hit) -> (String, u32) {
    (hit.order_id.clone(), hit.asked)
}

/// An order that cannot be read is no news of it.
fn is_read(hit: &Hit) -> bool {
    hit.standing.is_some()
}

/// The words for the radio under another number.
fn numbered(radio: &str, number: usize, of: usize) -> String {
    match radio.split_once(' ') {
        Some((_, words)) if !radio.is_empty() => format!("{number}/{of} {words}"),
        _ => radio.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use ccpor_api::message::{CourtAsOf, Freshness, Standing};
    use ccpor_domain::UtcMillis;

    use super::super::later::is_fresher;
    use super::super::later::scene::freshness;
    use super::*;

    fn hit(order: &str, court: &str, score: f32, words: &str) -> Hit {
        Hit {
            order_id: order.into(),
            court: court.into(),
            score,
            radio: format!("1/1 {words}"),
            standing: Some(Standing::default()),
            ..Hit::default()
        }
    }

    fn answer(hits: Vec<Hit>, freshness: Freshness) -> LookupAnswer {
        LookupAnswer {
            hits,
            freshness: Some(freshness),
            ..LookupAnswer::default()
        }
    }

    #[test]
    fn of_each_court_whoever_knows_it_later_is_believed_and_nothing_is_lost() {
        let here = answer(
            vec![
                hit("a", "court/own", 0.9, "OWN, NEW"),
                hit("b", "court/far", 0.8, "FAR, OLD"),
                hit("c", "court/own", 0.5, "ONLY HERE"),
            ],
            freshness("node", &[("court/own", 9), ("court/far", 1)], &["court/far"]),
        );
        let hub = answer(
            vec![
                hit("d", "court/far", 0.95, "ONLY AT THE HUB"),
                hit("a", "court/own", 0.9, "OWN, OLD"),
                hit("b", "court/far", 0.8, "FAR, NEW"),
            ],
            freshness("hub/1", &[("court/own", 4), ("court/far", 8)], &["court/own"]),
        );
        assert!(is_fresher(
            here.freshness.as_ref().unwrap(),
            hub.freshness.as_ref().unwrap()
        ));
        let both = lookups(here, hub, 20);
        let words: Vec<&str> = both.hits.iter().map(|hit| hit.radio.as_str()).collect();
        assert_eq!(
            words,
            [
                "1/4 ONLY AT THE HUB",
                "2/4 OWN, NEW",
                "3/4 FAR, NEW",
                "4/4 ONLY HERE"
            ]
        );
        let fresh = both.freshness.unwrap();
        assert!(fresh.complete && fresh.not_current.is_empty());
        assert_eq!(
            (fresh.served_by.as_str(), fresh.also_asked.as_str()),
            ("node", "hub/1")
        );
        assert_eq!(fresh.as_of, UtcMillis(1_790_000_000_008).to_string());
    }

    #[test]
    fn a_court_that_is_left_out_here_is_covered_when_the_hub_answers_for_it_and_only_then() {
        let here = || {
            let mut fresh = freshness("node", &[("court/own", 9)], &["court/far", "court/away"]);
            for court in ["court/away", "court/far"] {
                fresh.courts.push(CourtAsOf {
                    court: court.into(),
                    ..CourtAsOf::default()
                });
            }
            fresh.left_out = vec!["court/away".into(), "court/far".into()];
            answer(vec![], fresh)
        };
        let hub = freshness("hub/1", &[("court/own", 9), ("court/far", 8)], &["court/away"]);
        assert!(is_fresher(here().freshness.as_ref().unwrap(), &hub));
        let both = lookups(here(), answer(vec![hit("b", "court/far", 0.8, "FAR")], hub), 20);
        let fresh = both.freshness.unwrap();
        assert_eq!(
            (both.hits.len(), fresh.left_out),
            (1, vec!["court/away".to_owned()])
        );
        assert!(!fresh.complete);
    }

    #[test]
    fn a_hub_that_knows_no_more_changes_nothing_but_says_that_it_was_asked() {
        let stale = || freshness("node", &[("court/far", 1)], &["court/far"]);
        let here = answer(vec![hit("b", "court/far", 0.8, "FAR")], stale());
        let hub = answer(vec![], freshness("hub/1", &[("court/far", 1)], &["court/far"]));
        assert!(!is_fresher(&stale(), hub.freshness.as_ref().unwrap()));
        let both = lookups(here, hub, 20);
        assert_eq!(both.hits.len(), 1);
        let fresh = both.freshness.unwrap();
        assert!(!fresh.complete && fresh.as_of.is_empty());
    }

    /// How many hits, the courts that are not current and up to when the far one is known, when the hub, which knows it later, says this.
    fn beside(hits: Vec<Hit>, next_page_token: &str) -> (usize, Vec<String>, String) {
        let here = answer(
            vec![hit("b", "court/far", 0.8, "FAR, OLD")],
            freshness("node", &[("court/own", 9), ("court/far", 1)], &["court/far"]),
        );
        let hub = answer(
            hits,
            freshness("hub/1", &[("court/own", 4), ("court/far", 8)], &[]),
        );
        let hub = LookupAnswer {
            next_page_token: next_page_token.into(),
            ..hub
        };
        let both = lookups(here, hub, 20);
        let fresh = both.freshness.unwrap();
        let late = fresh.not_current.into_iter().map(|late| late.court).collect();
        let far = fresh.courts.into_iter().find(|court| court.court == "court/far");
        (both.hits.len(), late, far.unwrap().as_of)
    }

    #[test]
    fn what_the_hub_knows_later_and_no_longer_names_is_not_told_as_current() {
        let later = || UtcMillis(1_790_000_000_008).to_string();
        let late = || vec!["court/far".to_owned()];
        assert_eq!(beside(vec![], ""), (1, late(), later()));
        let unread = Hit {
            standing: None,
            ..hit("b", "court/far", 0.8, "NOT READABLE")
        };
        assert_eq!(beside(vec![unread], ""), (1, late(), later()));
        // Behind a page that is cut it may stand all the same.
        assert_eq!(beside(vec![], "next"), (1, vec![], later()));
    }
}
