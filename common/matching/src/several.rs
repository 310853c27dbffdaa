//! Several people on one call: the orders that name more than one of them, and the orders of each. It asks the index for
//! each person and brings the answers together; it weighs nothing itself.

use std::collections::BTreeMap;

use crate::card::Role;
use crate::index::Index;
use crate::query::{Hit, Limits, Query};

/// The most people of one question.
pub const MOST_PEOPLE: usize = 8;

/// The answer about several people. They are numbered as they were asked for, from 0.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Several {
    /// Orders that name at least two of them, as different persons of the order; the surest first.
    pub together: Vec<Together>,
    /// For each of them the other hits, the likeliest first.
    pub each: Vec<Vec<Hit>>,
}

/// One order that names several of the people asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Together {
    /// Ordinal of the order.
    pub order: u32,
    /// Who was asked for and the hit, by number. No two hits are the same person of the order.
    pub hits: Vec<(usize, Hit)>,
}

impl Index {
    /// Who of several people is named, together and each alone. Reads up to `limits.hits` hits of each; the limits
    /// of the queries themselves count for nothing. Those asked for beyond [`MOST_PEOPLE`] are left out.
    #[must_use]
    pub fn several(&self, people: &[Query], limits: &Limits) -> Several {
        let mut by_order: BTreeMap<u32, Vec<(usize, Hit)>> = BTreeMap::new();
        let mut each = Vec::with_capacity(people.len());
        for (asked, query) in people.iter().take(MOST_PEOPLE).enumerate() {
            let wide = Query {
                limit: limits.hits,
                ..query.clone()
            };
            let hits = self.lookup(&wide, limits);
            for hit in &hits {
                by_order.entry(hit.order).or_default().push((asked, hit.clone()));
            }
            each.push(hits);
        }
        by_order.retain(|_, hits| {
            hits.iter()
                .any(|(asked, _)| Some(*asked) != hits.first().map(|(first, _)| *first))
        });
        let named = by_order.into_iter().map(|(order, hits)| Together {
            order,
            hits: one_each(hits),
        });
        let mut together: Vec<Together> = named.filter(|together| together.hits.len() > 1).collect();
        let weight = |together: &Together| together.hits.iter().map(|(_, hit)| odds(hit)).sum::<f32>();
        together.sort_by(|a, b| {
            let surer = weight(b).total_cmp(&weight(a));
            b.hits
                .len()
                .cmp(&a.hits.len())
                .then(surer)
                .then(a.order.cmp(&b.order))
        });
        let mut orders: Vec<u32> = together.iter().map(|together| together.order).collect();
        orders.sort_unstable();
        for hits in &mut each {
            hits.retain(|hit| orders.binary_search(&hit.order).is_err());
        }
        Several { together, each }
    }
}

/// To each person asked for one person of the order, and no person twice: for as many of those asked as possible, and
/// among such choices the surest. Those asked are few, so every choice of them is weighed.
fn one_each(hits: Vec<(usize, Hit)>) -> Vec<(usize, Hit)> {
    let mut persons: BTreeMap<(Role, u8), Vec<(usize, Hit)>> = BTreeMap::new();
    for (asked, hit) in hits {
        persons
            .entry((hit.role, hit.person))
            .or_default()
            .push((asked, hit));
    }
    // For each set of people asked for, a bit each, the surest way to find exactly them among the persons so far.
    let mut best: BTreeMap<u32, Chosen> = BTreeMap::from([(0, Chosen::default())]);
    for meant in persons.into_values() {
        for (found, chosen) in best.clone() {
            for (asked, hit) in meant.iter().filter(|(asked, _)| found >> asked & 1 == 0) {
                let more = chosen.and(*asked, hit);
                let place = best.entry(found | 1 << asked).or_default();
                if place.hits.is_empty() || more.weight > place.weight {
                    *place = more;
                }
            }
        }
    }
    let fullest = best.into_values().max_by(|a, b| {
        a.hits
            .len()
            .cmp(&b.hits.len())
            .then(a.weight.total_cmp(&b.weight))
    });
    let mut hits = fullest.unwrap_or_default().hits;
    hits.sort_by_key(|(asked, _)| *asked);
    hits
}

/// Some of those asked for, each found as another person.
#[derive(Clone, Default)]
struct Chosen {
    weight: f32,
    hits: Vec<(usize, Hit)>,
}

impl Chosen {
    fn and(&self, asked: usize, hit: &Hit) -> Self {
        let mut hits = self.hits.clone();
        hits.push((asked, hit.clone()));
        Self {
            weight: self.weight + odds(hit),
            hits,
        }
    }
}

/// Log odds of a hit, bounded so that one certain hit does not outweigh all.
fn odds(hit: &Hit) -> f32 {
    let score = hit.score.clamp(1e-6, 1.0 - 1e-6);
    (score / (1.0 - score)).ln()
}
