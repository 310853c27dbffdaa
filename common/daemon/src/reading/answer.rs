//! From the registry's answers to messages. Freshness comes along with every one of them.

use std::collections::BTreeSet;

use ccpor_api::message::{
    AlsoNamed, CourtAsOf, Freshness as FreshnessMessage, Hit, LookupAnswer, NotCurrent, OrderAnswer,
    Position, Unreadable,
};
use ccpor_api::{Problem, render};
use ccpor_domain::Calendars;
use ccpor_domain::{Event, Standing, UtcMillis};
use ccpor_ledger::{Head, OriginId};
use ccpor_matching::{Band, CardPerson, PartialDate, Role};
use ccpor_registry::{Also, Answer, Found, Freshness, Hits, NotSeen, Question, Story};

use super::{not_seen, question};
use crate::sight::WITHHELD;

/// The answer to a lookup; the caller's own parts of it are filled in by whoever was called.
pub(super) fn lookup(answer: Answer<Hits>, asked: &Question) -> LookupAnswer {
    let (hits, fresh) = answer.into_parts();
    let at = asked.at.unwrap_or(fresh.answered_at);
    let seen = asked.skip + hits.found.len();
    let of = hits.found.len();
    LookupAnswer {
        total: u32::try_from(seen).unwrap_or(u32::MAX),
        next_page_token: if hits.more {
            question::token(seen)
        } else {
            String::new()
        },
        hits: hits
            .found
            .iter()
            .enumerate()
            .map(|(number, found)| hit(found, at, number + 1, of))
            .collect(),
        more_of: hits.more_of.iter().map(|asked| number(*asked)).collect(),
        withheld: if hits.withheld {
            WITHHELD.to_owned()
        } else {
            String::new()
        },
        freshness: Some(freshness(&fresh)),
        ..LookupAnswer::default()
    }
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn also(also: &Also) -> AlsoNamed {
    AlsoNamed {
        asked: number(also.asked),
        person: role(also.hit.role).to_owned(),
        name: also.person.as_ref().map(name).unwrap_or_default(),
        dob: born(also.person.as_ref()),
        score: also.hit.score,
        band: band(also.hit.band).to_owned(),
        why: also.hit.why.iter().map(ToString::to_string).collect(),
    }
}

fn born(person: Option<&CardPerson>) -> String {
    let first = person.and_then(|person| person.dob.first());
    first.map(date).unwrap_or_default()
}

fn hit(found: &Found, at: UtcMillis, number: usize, of: usize) -> Hit {
    let mut hit = Hit {
        order_id: found.order.to_string(),
        registry_number: found.order.registry_number().to_string(),
        person: role(found.hit.role).to_owned(),
        name: found.person.as_ref().map(name).unwrap_or_default(),
        dob: born(found.person.as_ref()),
        score: found.hit.score,
        band: band(found.hit.band).to_owned(),
        why: found.hit.why.iter().map(ToString::to_string).collect(),
        asked: self::number(found.asked),
        also: found.also.iter().map(also).collect(),
        ..Hit::default()
    };
    match &found.story {
        Ok((story, standing)) => describe(&mut hit, story, standing, at, number, of),
        // Whoever asked must learn that there is an order, even though this machine cannot show it.
        // What is wrong with the files is for the operator, and stands in the log.
        Err(reason) => {
            tracing::warn!(order = %found.order, reason, "an order that was found cannot be shown");
            hit.radio = format!("{number}/{of} ORDER NOT READABLE HERE - CALL THE COURT");
        }
    }
    hit
}

fn describe(hit: &mut Hit, story: &Story, standing: &Standing, at: UtcMillis, number: usize, of: usize) {
    let state = &story.state;
    let court = &state.order.court;
    hit.source_id = state.source_id.clone().unwrap_or_default();
    hit.court = story.origin.court().to_owned();
    hit.court_name = court.display_name();
    hit.court_telephone = court.phone.clone();
    hit.case_number = state.order.case_number.clone();
    hit.standing = Some(render::standing(standing, at));
    hit.family = state.order.resolved_family().to_string();
    hit.title = state.order.title();
    hit.restrained_name = state.order.restrained.name.last_first();
    hit.sealed = state.sealed.is_some();
    hit.has_image = !state.images.is_empty();
    hit.radio = ccpor_domain::radio_block(state, standing, number, of);
}

pub(super) fn role(role: Role) -> &'static str {
    match role {
        Role::Restrained => "restrained",
        Role::Protected => "protected",
    }
}

fn band(band: Band) -> &'static str {
    match band {
        Band::Exact => "exact",
        Band::Strong => "strong",
        Band::Possible => "possible",
    }
}

fn name(person: &CardPerson) -> String {
    let Some(name) = person.names.first() else {
        return String::new();
    };
    ccpor_domain::Name {
        first: name.first.clone(),
        middle: name.middle.clone(),
        last: name.last.clone(),
        suffix: name.suffix.clone(),
    }
    .last_first()
}

fn date(date: &PartialDate) -> String {
    match (date.month, date.day) {
        (Some(month), Some(day)) => format!("{:04}-{month:02}-{day:02}", date.year),
        (Some(month), None) => format!("{:04}-{month:02}", date.year),
        _ => format!("{:04}", date.year),
    }
}

/// An order with its history, as it was known at `at`.
pub(super) fn order(
    answer: Answer<Result<Story, NotSeen>>,
    calendars: &Calendars,
    at: Option<UtcMillis>,
    versions: bool,
) -> Result<OrderAnswer, Problem> {
    let (story, fresh) = answer.into_parts();
    let story = story.map_err(|error| not_seen(&error))?;
    let at = at.unwrap_or(fresh.answered_at);
    let standing = ccpor_domain::standing(&story.state, at, calendars);
    let mut message = render::state(&story.state, &standing, at);
    let mut version = 0;
    for (number, told) in story.records.iter().enumerate() {
        let linked = told.origin != story.origin;
        version += u32::from(matches!(told.event, Event::Filed(_) | Event::Amended(_)));
        let number = u32::try_from(number + 1).unwrap_or(u32::MAX);
        let mut step = render::step(number, &told.event, version, linked, versions);
        step.position = Some(position(
            &told.origin,
            Head {
                position: told.position,
                hash: told.hash,
            },
        ));
        message.history.push(step);
    }
    message.court = story.origin.court().to_owned();
    message.unreadable = story
        .unreadable
        .iter()
        .map(|record| Unreadable {
            position: Some(Position {
                origin: record.origin.to_string(),
                epoch: record.position.epoch,
                seq: record.position.seq,
                hash: String::new(),
            }),
            reason: record.reason.clone(),
        })
        .collect();
    message.freshness = Some(freshness(&fresh));
    Ok(message)
}

/// A place in a ledger as a message.
#[must_use]
pub fn position(origin: &OriginId, head: Head) -> Position {
    Position {
        origin: origin.to_string(),
        epoch: head.position.epoch,
        seq: head.position.seq,
        hash: head.hash.to_string(),
    }
}

/// The courts of which some ledger is left out.
fn left_out(fresh: &Freshness) -> Vec<String> {
    let left_out = fresh.courts.iter().filter(|court| court.left_out);
    let courts: BTreeSet<&str> = left_out.map(|court| court.origin.court()).collect();
    courts.into_iter().map(str::to_owned).collect()
}

/// Freshness as a message.
#[must_use]
pub fn freshness(fresh: &Freshness) -> FreshnessMessage {
    let moment = |at: Option<UtcMillis>| at.map(|at| at.to_string()).unwrap_or_default();
    let age = |age: Option<i64>| age.and_then(|age| u64::try_from(age).ok());
    FreshnessMessage {
        as_of: moment(fresh.as_of()),
        complete: fresh.complete(),
        courts: fresh
            .courts
            .iter()
            .map(|court| CourtAsOf {
                court: court.origin.court().to_owned(),
                as_of: moment(court.as_of),
                age_ms: age(court.age_ms),
            })
            .collect(),
        not_current: fresh
            .not_current()
            .map(|court| NotCurrent {
                court: court.origin.court().to_owned(),
                as_of: moment(court.as_of),
                age_ms: age(court.age_ms),
                reason: court.reason.clone(),
            })
            .collect(),
        not_covered: Vec::new(),
        served_by: fresh.served_by.clone(),
        source: fresh.source.as_str().to_owned(),
        answered_at: fresh.answered_at.to_string(),
        also_asked: String::new(),
        left_out: left_out(fresh),
    }
}
