//! Lookups: from a question to the orders of the people it may mean, best first, with what each order means at the moment.

use ccpor_domain::{OrderId, RegistryNumber, Standing, UtcMillis};
use ccpor_matching::{Hit, Limits, NumberKind, Query};

use crate::apply::read;
use crate::freshness::Answer;
use crate::registry::{Registry, now};
use crate::story::Story;

/// A question and how its answer is to be cut.
#[derive(Clone, Debug, Default)]
pub struct Question {
    /// Whom or what to find.
    pub query: Query,
    /// Hits to leave out before the first one shown; for paging.
    pub skip: usize,
    /// The moment at which the orders are judged; none for now.
    pub at: Option<UtcMillis>,
    /// Only orders of these courts (`court/alameda`); empty for all.
    pub courts: Vec<String>,
}

/// One hit with its order.
#[derive(Clone, Debug)]
pub struct Found {
    /// The order.
    pub order: OrderId,
    /// Who matched, how well and why.
    pub hit: Hit,
    /// The order with its history, or in words why it cannot be shown here; it is a hit all the same.
    pub story: Result<(Story, Standing), String>,
}

/// The hits of one page.
#[derive(Clone, Debug, Default)]
pub struct Hits {
    /// Best first.
    pub found: Vec<Found>,
    /// How many matched in all, as far as was counted.
    pub total: usize,
}

/// The most hits that a question is counted to.
const COUNTED: usize = 1_000;

impl Registry {
    /// Answers a question from what is held here.
    pub fn lookup(&self, question: &Question) -> Answer<Hits> {
        // The freshness is taken first: what arrives meanwhile can only make the answer better than it says.
        let freshness = self.freshness();
        let at = question.at.unwrap_or_else(now);
        let mut query = question.query.clone();
        let shown = query.limit.max(1);
        query.limit = if question.courts.is_empty() {
            question.skip.saturating_add(shown)
        } else {
            COUNTED
        };
        let limits = Limits {
            hits: COUNTED,
            ..Limits::default()
        };
        let matched = read(self.people()).lookup(&query, &limits);
        let mut found = Vec::with_capacity(shown);
        let (mut total, mut skipped) = (0, 0);
        for (order, hit) in matched {
            if found.len() >= shown && question.courts.is_empty() {
                total += 1;
                continue;
            }
            let story = self.read_story(order, question.at);
            if !of_courts(&story, &question.courts) {
                continue;
            }
            total += 1;
            if skipped < question.skip {
                skipped += 1;
            } else if found.len() < shown {
                let story = story.map_err(|error| error.to_string()).map(|story| {
                    let standing = ccpor_domain::standing(&story.state, at);
                    (story, standing)
                });
                found.push(Found { order, hit, story });
            }
        }
        Answer::new(Hits { found, total }, freshness)
    }

    /// The order that a person names by its identifier or by its registry number.
    #[must_use]
    pub fn order_named(&self, text: &str) -> Option<OrderId> {
        if let Ok(order) = text.parse::<OrderId>() {
            return Some(order);
        }
        let number: RegistryNumber = text.parse().ok()?;
        let query = Query {
            numbers: vec![(NumberKind::Registry, number.to_string())],
            ..Query::default()
        };
        let hits = read(self.people()).lookup(&query, &Limits::default());
        hits.first().map(|(order, _)| *order)
    }
}

fn of_courts<E>(story: &Result<Story, E>, courts: &[String]) -> bool {
    courts.is_empty()
        || story
            .as_ref()
            .is_ok_and(|story| courts.iter().any(|court| court == story.origin.court()))
}
