//! Lookups: from a question to the orders of the people it may mean, best first, with what each order means at the moment.

use std::sync::Arc;

use ccpor_domain::{OrderId, RegistryNumber, Standing, Status, UtcMillis};
use ccpor_matching::{CardPerson, Hit, Limits, NumberKind, Query};

use crate::card;
use crate::freshness::{Answer, now};
use crate::registry::Registry;
use crate::sight::{Seeing, SeenPerson, Sight, not_clear};
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
    /// Who asks; none sees everything.
    pub sight: Option<Arc<dyn Sight>>,
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
    /// Whether orders were left out because the call states no purpose.
    pub withheld: bool,
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
        let hits = self
            .looked_through(question, fewest(question))
            .or_else(|| self.looked_through(question, COUNTED));
        Answer::new(hits.unwrap_or_default(), freshness)
    }

    /// As [`Registry::lookup`]; none when orders that the reader may not see would have to be made up for, which may take long.
    pub fn lookup_at_once(&self, question: &Question) -> Option<Answer<Hits>> {
        let freshness = self.freshness(question.stale_after_ms);
        let hits = self.looked_through(question, fewest(question))?;
        Some(Answer::new(hits, freshness))
    }

    /// One page from so many hits; none when more have to be looked through, up to [`COUNTED`].
    fn looked_through(&self, question: &Question, most: usize) -> Option<Hits> {
        let at = question.at.unwrap_or_else(now);
        let mut query = question.query.clone();
        query.limit = most;
        let limits = Limits {
            hits: COUNTED,
            ..Limits::default()
        };
        let matched = self.view().people().lookup(&query, &limits);
        let all = matched.len() < most || most >= COUNTED;
        let shown = question.query.limit.max(1);
        let (hits, all_seen) = self.page(matched, question, shown, at);
        // What was hidden has to be made up for, or the length of the page would tell of it.
        (all_seen || hits.more || all).then_some(hits)
    }

    /// One page of what matched, and whether every order of it was shown.
    fn page(
        &self,
        matched: Vec<(OrderId, Hit)>,
        question: &Question,
        shown: usize,
        at: UtcMillis,
    ) -> (Hits, bool) {
        let unread = question.courts.is_empty() && question.states.is_empty() && question.sight.is_none();
        let (mut hits, mut skipped, mut all_seen) = (Hits::default(), 0, true);
        for (order, hit) in matched {
            if unread && skipped < question.skip {
                skipped += 1;
                continue;
            }
            if unread && hits.found.len() == shown {
                hits.more = true;
                break;
            }
            let found = match self.found(order, hit, at, question) {
                Look::Found(found) => found,
                Look::Unwanted => continue,
                Look::Withheld => {
                    (hits.withheld, all_seen) = (true, false);
                    continue;
                }
                Look::Hidden => {
                    all_seen = false;
                    continue;
                }
            };
            if !unread && skipped < question.skip {
                skipped += 1;
                continue;
            }
            if hits.found.len() == shown {
                hits.more = true;
                break;
            }
            hits.found.push(*found);
        }
        (hits, all_seen)
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
        let shown = question.query.limit.max(1);
        let mut hits = Hits::default();
        let mut each = matched.each;
        let mut left = shown;
        for (order, named) in matched.together {
            let mut named = self.findable(order, named, question);
            if named.len() < 2 {
                // The reader may find it by one of them alone: to this reader it names no other.
                for (asked, hit) in named {
                    if let Some(of_one) = each.get_mut(asked) {
                        let place = of_one.partition_point(|(_, other)| other.score >= hit.score);
                        of_one.insert(place, (order, hit));
                    }
                }
                continue;
            }
            let (asked, hit) = named.remove(0);
            let Some(mut found) = hits.take(self.found(order, hit, at, question)) else {
                continue;
            };
            if left == 0 {
                hits.more_of.extend(0..people.len());
                break;
            }
            left -= 1;
            found.asked = asked;
            let also = named
                .into_iter()
                .map(|(asked, hit)| self.also(order, asked, hit, question));
            found.also = also.collect();
            hits.found.push(found);
        }
        for (asked, of_one) in each.into_iter().enumerate().filter(|_| !between) {
            let mut left = shown;
            for (order, hit) in of_one {
                let Some(found) = hits.take(self.found(order, hit, at, question)) else {
                    continue;
                };
                if left == 0 {
                    if !hits.more_of.contains(&asked) {
                        hits.more_of.push(asked);
                    }
                    break;
                }
                left -= 1;
                hits.found.push(Found { asked, ..found });
            }
        }
        Answer::new(hits, freshness)
    }

    /// Of the people by whom an order was found, those by whom this reader may find it.
    fn findable(&self, order: OrderId, named: Vec<(usize, Hit)>, question: &Question) -> Vec<(usize, Hit)> {
        let Some(sight) = question.sight.as_deref() else {
            return named;
        };
        let Ok(now) = self.told(order, None) else {
            return named;
        };
        let may_find = |(_, hit): &(usize, Hit)| {
            let person = self.shown(order, hit, question.at).0;
            person.is_none_or(|person| sight.person(&person, &now) != SeenPerson::Hidden)
        };
        named.into_iter().filter(may_find).collect()
    }

    fn also(&self, order: OrderId, asked: usize, hit: Hit, question: &Question) -> Also {
        let mut person = self.shown(order, &hit, question.at).0;
        if let (Some(sight), Some(named)) = (question.sight.as_deref(), &person)
            && let Ok(now) = self.told(order, None)
            && sight.person(named, &now) != SeenPerson::Named
        {
            person = None;
        }
        Also { asked, hit, person }
    }

    /// The hit as the reader sees it.
    fn found(&self, order: OrderId, hit: Hit, at: UtcMillis, question: &Question) -> Look {
        let (mut person, told) = self.shown(order, &hit, question.at);
        let mut story = match told {
            Ok(story) => story,
            Err(error) => return found(order, hit, person, Err(error.to_string())),
        };
        let standing = ccpor_domain::standing(&story.state, at, self.calendars());
        if !wanted(&story, &standing, question) {
            return Look::Unwanted;
        }
        if let Some(sight) = question.sight.as_deref() {
            let now = match question.at {
                None => None,
                Some(_) => match self.told(order, None) {
                    Ok(now) => Some(now),
                    Err(error) => return found(order, hit, None, Err(error.to_string())),
                },
            };
            let by = person
                .as_ref()
                .map(|person| sight.person(person, now.as_ref().unwrap_or(&story)));
            match by {
                Some(SeenPerson::Hidden) => return Look::Hidden,
                Some(SeenPerson::Unnamed) => person = None,
                Some(SeenPerson::Named) | None => {}
            }
            story = match sight.see(story, now.as_ref()) {
                Seeing::Shown(story) => *story,
                Seeing::Withheld => return Look::Withheld,
                Seeing::Hidden => return Look::Hidden,
                Seeing::NotClear => return found(order, hit, None, Err(not_clear(order).to_string())),
            };
        }
        found(order, hit, person, Ok((story, standing)))
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
        let view = self.view();
        let ordinal = view.people().ordinal(order);
        let entry = ordinal.map(|ordinal| view.index.entry(order, ordinal));
        match entry.transpose() {
            Ok(entry) => {
                let card = entry.and_then(|entry| entry.card);
                let person = card.and_then(|card| card.persons.get(usize::from(hit.person)).cloned());
                (person, self.told(order, until))
            }
            // Without it nobody can say who matched, and whether this reader may find them.
            Err(error) => {
                self.renounce_index(&view, &error);
                let reason = error.to_string();
                (None, Err(NoStory::NotReadable { order, reason }))
            }
        }
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

/// How many hits are enough when the reader may see them all: without a filter on the orders themselves, one hit beyond the page tells
/// whether there is another page.
fn fewest(question: &Question) -> usize {
    if !question.courts.is_empty() || !question.states.is_empty() {
        return COUNTED;
    }
    let shown = question.query.limit.max(1);
    question.skip.saturating_add(shown).saturating_add(1).min(COUNTED)
}

/// One that matched, as the reader sees it.
enum Look {
    Found(Box<Found>),
    Unwanted,
    Withheld,
    Hidden,
}

impl Hits {
    /// The hit, if it is one; that something is withheld is kept.
    fn take(&mut self, look: Look) -> Option<Found> {
        match look {
            Look::Found(found) => Some(*found),
            Look::Withheld => {
                self.withheld = true;
                None
            }
            Look::Unwanted | Look::Hidden => None,
        }
    }
}

fn found(
    order: OrderId,
    hit: Hit,
    person: Option<CardPerson>,
    story: Result<(Story, Standing), String>,
) -> Look {
    Look::Found(Box::new(Found {
        order,
        hit,
        person,
        story,
        asked: 0,
        also: Vec::new(),
    }))
}

/// Whether the order is one of those asked for. One that cannot be read is never left out in silence.
fn wanted(story: &Story, standing: &Standing, question: &Question) -> bool {
    let court = story.origin.court();
    (question.courts.is_empty() || question.courts.iter().any(|wanted| wanted == court))
        && (question.states.is_empty() || question.states.contains(&standing.status))
}

#[cfg(test)]
mod tests;
