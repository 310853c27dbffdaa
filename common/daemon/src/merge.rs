//! Two answers to one lookup, from this machine and from the hub, made one: nothing that either found is left out, and of each
//! court what is said by whoever knows it up to a later moment. Pure.

use std::collections::BTreeMap;

use ccpor_api::message::{CourtAsOf, Freshness, Hit, LookupAnswer, NotCurrent};
use ccpor_domain::UtcMillis;

/// Both answers as one; `limit` is the most hits that were asked for. What is about the asking itself stays as it is here.
pub(crate) fn merge(here: LookupAnswer, hub: LookupAnswer, limit: usize) -> LookupAnswer {
    let (Some(fresh), Some(hubs)) = (&here.freshness, &hub.freshness) else {
        return here;
    };
    let later = Later::of(fresh, hubs);
    let freshness = later.freshness(fresh, hubs);
    let found = here.hits.len().max(hub.hits.len());
    let mut hits: BTreeMap<(String, u32), Hit> = BTreeMap::new();
    for (hit, from_hub) in here
        .hits
        .into_iter()
        .map(|hit| (hit, false))
        .chain(hub.hits.into_iter().map(|hit| (hit, true)))
    {
        let key = (hit.order_id.clone(), hit.asked);
        // An order that cannot be read is no news of it.
        let better = hit.standing.is_some() && later.is_hub(&hit.court) == from_hub;
        if better || !hits.contains_key(&key) {
            hits.insert(key, hit);
        }
    }
    let mut hits: Vec<Hit> = hits.into_values().collect();
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
        more_of: union(here.more_of, &hub.more_of),
        withheld: if here.withheld.is_empty() {
            hub.withheld
        } else {
            here.withheld
        },
        freshness: Some(freshness),
        ..here
    }
}

/// Whether `hub` knows any court up to a later moment than `here`.
pub(crate) fn is_fresher(here: &Freshness, hub: &Freshness) -> bool {
    let later = Later::of(here, hub);
    here.not_current.iter().any(|court| later.is_hub(&court.court))
}

/// By court: whether the hub knows it up to a later moment.
struct Later(BTreeMap<String, bool>);

impl Later {
    fn of(here: &Freshness, hub: &Freshness) -> Self {
        let mut moments: BTreeMap<String, [Option<UtcMillis>; 2]> = BTreeMap::new();
        for (which, freshness) in [here, hub].into_iter().enumerate() {
            for court in &freshness.courts {
                if let Some(place) = moments.entry(court.court.clone()).or_default().get_mut(which) {
                    *place = court.as_of.parse().ok();
                }
            }
        }
        Self(
            moments
                .into_iter()
                .map(|(court, [here, hub])| (court, hub > here))
                .collect(),
        )
    }

    fn is_hub(&self, court: &str) -> bool {
        self.0.get(court).copied().unwrap_or(false)
    }

    fn freshness(&self, here: &Freshness, hub: &Freshness) -> Freshness {
        let of = |court: &str| if self.is_hub(court) { hub } else { here };
        let courts: Vec<CourtAsOf> = self
            .0
            .keys()
            .filter_map(|name| of(name).courts.iter().find(|court| court.court == *name).cloned())
            .collect();
        let not_current: Vec<NotCurrent> = self
            .0
            .keys()
            .filter_map(|name| {
                of(name)
                    .not_current
                    .iter()
                    .find(|court| court.court == *name)
                    .cloned()
            })
            .collect();
        let current = courts
            .iter()
            .filter(|court| not_current.iter().all(|other| other.court != court.court));
        let moments: Option<Vec<UtcMillis>> = current.map(|court| court.as_of.parse().ok()).collect();
        let as_of = moments.and_then(|moments| moments.into_iter().min());
        Freshness {
            as_of: as_of.map(|at| at.to_string()).unwrap_or_default(),
            complete: not_current.is_empty(),
            // What is not held here, the hub has answered for.
            left_out: here
                .left_out
                .iter()
                .filter(|court| !self.is_hub(court))
                .cloned()
                .collect(),
            courts,
            not_current,
            also_asked: if here.also_asked.is_empty() {
                hub.served_by.clone()
            } else {
                format!("{}, {}", here.also_asked, hub.served_by)
            },
            ..here.clone()
        }
    }
}

fn union(mut here: Vec<u32>, hub: &[u32]) -> Vec<u32> {
    here.extend(hub);
    here.sort_unstable();
    here.dedup();
    here
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
    use super::*;
    use ccpor_api::message::Standing;

    fn freshness(by: &str, courts: &[(&str, i64)], stale: &[&str]) -> Freshness {
        let moment = |at: i64| UtcMillis(1_790_000_000_000 + at).to_string();
        Freshness {
            courts: courts
                .iter()
                .map(|(court, at)| CourtAsOf {
                    court: (*court).into(),
                    as_of: moment(*at),
                    age_ms: Some(0),
                })
                .collect(),
            not_current: stale
                .iter()
                .map(|court| NotCurrent {
                    court: (*court).into(),
                    ..NotCurrent::default()
                })
                .collect(),
            complete: stale.is_empty(),
            served_by: by.into(),
            ..Freshness::default()
        }
    }

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
        let both = merge(here, hub, 20);
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
        let both = merge(here(), answer(vec![hit("b", "court/far", 0.8, "FAR")], hub), 20);
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
        let both = merge(here, hub, 20);
        assert_eq!(both.hits.len(), 1);
        let fresh = both.freshness.unwrap();
        assert!(!fresh.complete && fresh.as_of.is_empty());
    }
}
