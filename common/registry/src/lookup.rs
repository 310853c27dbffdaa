//! Lookups: from a question to the orders of the people it may mean, best first, with what each order means at the moment.

use ccpor_domain::{OrderId, RegistryNumber, Standing, Status, UtcMillis};
use ccpor_matching::{CardPerson, Hit, Limits, NumberKind, Query};

use crate::card;
use crate::freshness::{Answer, now};
use crate::registry::Registry;
use crate::story::{NoStory, Story};

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
    /// Only orders in these states; empty for all.
    pub states: Vec<Status>,
    /// The age in milliseconds from which a court is listed as not current; none for this machine's own bound.
    pub stale_after_ms: Option<u64>,
}

/// One hit with its order.
#[derive(Clone, Debug)]
pub struct Found {
    /// The order.
    pub order: OrderId,
    /// Who matched, how well and why.
    pub hit: Hit,
    /// The person who matched, with all names and dates under which that person is known.
    pub person: Option<CardPerson>,
    /// The order with its history, or in words why it cannot be shown here; it is a hit all the same.
    pub story: Result<(Story, Standing), String>,
    /// Which of the people asked for this is, from 0.
    pub asked: usize,
    /// The others of them whom the order names.
    pub also: Vec<Also>,
}

/// A further person of an order who was asked for as well.
#[derive(Clone, Debug)]
pub struct Also {
    /// Which of the people asked for this is, from 0.
    pub asked: usize,
    /// Who matched, how well and why.
    pub hit: Hit,
    /// The person who matched.
    pub person: Option<CardPerson>,
}

/// The hits of one page.
#[derive(Clone, Debug, Default)]
pub struct Hits {
    /// Best first.
    pub found: Vec<Found>,
    /// Whether there are hits beyond this page.
    pub more: bool,
    /// Of several people asked for: those of whom there are further hits.
    pub more_of: Vec<usize>,
}

/// The most hits that a question is counted to.
const COUNTED: usize = 1_000;
/// Of several people the hits of each that are looked through for orders that name more than one of them.
const WIDE: usize = 20_000;

impl Registry {
    /// Answers a question from what is held here.
    pub fn lookup(&self, question: &Question) -> Answer<Hits> {
        // The freshness is taken first: what arrives meanwhile can only make the answer better than it says.
        let freshness = self.freshness(question.stale_after_ms);
        let at = question.at.unwrap_or_else(now);
        let mut query = question.query.clone();
        let shown = query.limit.max(1);
        let all = question.courts.is_empty() && question.states.is_empty();
        // Without a filter on the orders themselves, one hit beyond the page tells whether there is another page.
        query.limit = if all {
            question.skip.saturating_add(shown).saturating_add(1)
        } else {
            COUNTED
        };
        let limits = Limits {
            hits: COUNTED,
            ..Limits::default()
        };
        let matched = self.view().people().lookup(&query, &limits);
        let mut hits = Hits::default();
        let mut skipped = 0;
        for (order, hit) in matched {
            if all && skipped < question.skip {
                skipped += 1;
                continue;
            }
            if hits.found.len() == shown {
                hits.more = true;
                break;
            }
            let found = self.found(order, hit, at, question.at);
            if !all && !wanted(&found, question) {
                continue;
            }
            if !all && skipped < question.skip {
                skipped += 1;
                continue;
            }
            hits.found.push(found);
        }
        Answer::new(hits, freshness)
    }

    /// Answers a question about several people, the one of `question` and `others`: first the orders that name more than
    /// one of them, then, unless `between` asks for these alone, those of each. Up to the question's limit of each kind.
    pub fn lookup_several(&self, question: &Question, others: &[Query], between: bool) -> Answer<Hits> {
        let freshness = self.freshness(question.stale_after_ms);
        let at = question.at.unwrap_or_else(now);
        let people: Vec<Query> = std::iter::once(&question.query).chain(others).cloned().collect();
        let limits = Limits {
            hits: WIDE,
            ..Limits::default()
        };
        let matched = self.view().people().several(&people, &limits);
        let mut hits = Hits::default();
        let mut take = |found: &mut dyn Iterator<Item = Found>| {
            let mut left = question.query.limit.max(1);
            for found in found.filter(|found| wanted(found, question)) {
                if left == 0 {
                    return true;
                }
                left -= 1;
                hits.found.push(found);
            }
            false
        };
        let mut more_of = Vec::new();
        let mut together = matched.together.into_iter().filter_map(|(order, named)| {
            let mut named = named.into_iter();
            let (asked, hit) = named.next()?;
            let mut found = self.found(order, hit, at, question.at);
            found.asked = asked;
            let also = named.map(|(asked, hit)| Also {
                person: self.shown(order, &hit, question.at).0,
                asked,
                hit,
            });
            found.also = also.collect();
            Some(found)
        });
        if take(&mut together) {
            more_of.extend(0..people.len());
        }
        for (asked, of_one) in matched.each.into_iter().enumerate().filter(|_| !between) {
            let mut found = of_one.into_iter().map(|(order, hit)| Found {
                asked,
                ..self.found(order, hit, at, question.at)
            });
            if take(&mut found) && !more_of.contains(&asked) {
                more_of.push(asked);
            }
        }
        hits.more_of = more_of;
        Answer::new(hits, freshness)
    }

    fn found(&self, order: OrderId, hit: Hit, at: UtcMillis, until: Option<UtcMillis>) -> Found {
        let (person, story) = self.shown(order, &hit, until);
        let story = story.map_err(|error| error.to_string()).map(|story| {
            let standing = ccpor_domain::standing(&story.state, at, self.calendars());
            (story, standing)
        });
        Found {
            order,
            hit,
            person,
            story,
            asked: 0,
            also: Vec::new(),
        }
    }

    /// Who matched, and the order: from its records alone where they say it, else with the help of the index on the disk,
    /// which also knows the people of earlier versions.
    fn shown(
        &self,
        order: OrderId,
        hit: &Hit,
        until: Option<UtcMillis>,
    ) -> (Option<CardPerson>, Result<Story, NoStory>) {
        if until.is_none() {
            let view = self.view();
            let places = view.people().places(order, hit.order);
            let story =
                places.and_then(|places| Story::read(order, &places, &view.meta(), &self.shelf, None).ok());
            if let Some(story) = story
                && let Some(person) = card::person_at(&story.state.order, hit.person)
            {
                return (Some(person), Ok(story));
            }
        }
        let (entry, story) = self.told(order, until);
        let card = entry.and_then(|entry| entry.card);
        let person = card.and_then(|card| card.persons.get(usize::from(hit.person)).cloned());
        (person, story)
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
        let hits = self.view().people().lookup(&query, &Limits::default());
        hits.first().map(|(order, _)| *order)
    }
}

/// Whether the order is one of those asked for. One that cannot be read is never left out in silence.
fn wanted(found: &Found, question: &Question) -> bool {
    let Ok((story, standing)) = &found.story else {
        return true;
    };
    let court = story.origin.court();
    (question.courts.is_empty() || question.courts.iter().any(|wanted| wanted == court))
        && (question.states.is_empty() || question.states.contains(&standing.status))
}
