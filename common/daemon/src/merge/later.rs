//! Who knows each court up to the later moment, and what follows from it for what both say.

use std::collections::{BTreeMap, BTreeSet};

use ccpor_api::message::{CourtAsOf, Freshness, NotCurrent};
use ccpor_domain::UtcMillis;

/// Whether `hub` knows any court up to a later moment than `here`.
pub(crate) fn is_fresher(here: &Freshness, hub: &Freshness) -> bool {
    let later = Later::of(here, hub);
    here.not_current.iter().any(|court| later.is_hub(&court.court))
}

/// By court: whether the hub knows it up to a later moment.
pub(super) struct Later(BTreeMap<String, bool>);

impl Later {
    pub(super) fn of(here: &Freshness, hub: &Freshness) -> Self {
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

    pub(super) fn is_hub(&self, court: &str) -> bool {
        self.0.get(court).copied().unwrap_or(false)
    }

    /// Those of the courts that the hub knows up to a later moment.
    pub(super) fn of_hub<'a>(&self, courts: impl Iterator<Item = &'a str>) -> BTreeSet<String> {
        let later = courts.filter(|court| self.is_hub(court));
        later.map(str::to_owned).collect()
    }

    /// What either found, each of it once by its `key` and in the order of finding, as whoever knows its court up to the later moment
    /// says it. `court` gives none for what is no news.
    pub(super) fn of_both<K: Ord, T>(
        &self,
        here: Vec<T>,
        hub: Vec<T>,
        key: impl Fn(&T) -> K,
        court: impl Fn(&T) -> Option<&str>,
    ) -> Vec<T> {
        let mut found: Vec<T> = Vec::with_capacity(here.len());
        let mut places: BTreeMap<K, usize> = BTreeMap::new();
        let here = here.into_iter().map(|one| (one, false));
        let hub = hub.into_iter().map(|one| (one, true));
        for (one, from_hub) in here.chain(hub) {
            let better = court(&one).is_some_and(|court| self.is_hub(court) == from_hub);
            let place = *places.entry(key(&one)).or_insert(found.len());
            match found.get_mut(place) {
                Some(known) if better => *known = one,
                Some(_) => {}
                None => found.push(one),
            }
        }
        found
    }

    /// Up to when both together hold: of each court as whoever knows it later says. A court in `old`, of which something is told that the
    /// hub no longer names, stays among those that are not current.
    pub(super) fn freshness(&self, here: &Freshness, hub: &Freshness, old: &BTreeSet<String>) -> Freshness {
        let from_hub = |court: &str| self.is_hub(court) && !old.contains(court);
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
                let says = if from_hub(name) { hub } else { here };
                says.not_current
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
                .filter(|court| !from_hub(court))
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

/// What either lists, each once.
pub(super) fn union<T: Ord>(mut here: Vec<T>, hub: Vec<T>) -> Vec<T> {
    here.extend(hub);
    here.sort_unstable();
    here.dedup();
    here
}

/// What one of both says, if it is only one.
pub(super) fn either(here: String, hub: String) -> String {
    if here.is_empty() { hub } else { here }
}

#[cfg(test)]
pub(crate) mod scene {
    //! What machines say of how far they know the courts.

    use super::*;

    /// Said `by` a machine that knows each of `courts` up to a moment, and that it is not current for the `stale` ones.
    pub(crate) fn freshness(by: &str, courts: &[(&str, i64)], stale: &[&str]) -> Freshness {
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
}
