//! From a question in the interface's words to one that the registry answers.

use ccpor_api::{Problem, question::Question as Asked, question::Role as AskedRole};
use ccpor_domain::Sex;
use ccpor_matching::{Born, NumberKind, PartialDate, Query, Role, Sex as MatchedSex};
use ccpor_registry::{Question, id_kind};

/// The most hits that can be paged through.
const REACH: usize = 1_000;

/// What is asked of the registry, and how it was understood, in words for the one who asked.
pub(super) struct Read {
    pub(super) question: Question,
    /// Further people.
    pub(super) others: Vec<Query>,
    pub(super) understood: String,
}

/// Reads a question.
pub(super) fn of(asked: &Asked) -> Result<Read, Problem> {
    let mut query = person(asked, "line")?;
    query.role = asked.role.map(|role| match role {
        AskedRole::Restrained => Role::Restrained,
        AskedRole::Protected => Role::Protected,
    });
    if let Some(score) = asked.min_score {
        query.min_score = score;
    }
    query.limit = asked.limit;
    let others = asked.with.iter().enumerate().map(|(at, other)| {
        let other = person(other, &format!("with[{at}].line"))?;
        Ok(Query {
            role: query.role,
            min_score: query.min_score,
            ..other
        })
    });
    let others = others.collect::<Result<Vec<Query>, Problem>>()?;
    let understood = understood(&query, &others);
    let question = Question {
        query,
        skip: skip(&asked.page_token)?,
        at: asked.at,
        courts: asked.courts.iter().map(ToString::to_string).collect(),
        states: asked.states.clone(),
        stale_after_ms: asked.max_age_s.map(|age| u64::from(age) * 1_000),
        sight: None,
    };
    Ok(Read {
        question,
        others,
        understood,
    })
}

/// The people of a question, the first one first.
pub(super) fn people(asked: &Asked) -> Result<Vec<Query>, Problem> {
    let others = asked.with.iter().enumerate();
    let others = others.map(|(at, other)| person(other, &format!("with[{at}].line")));
    std::iter::once(person(asked, "line")).chain(others).collect()
}

/// One person in words; of several each after a number.
fn understood(first: &Query, others: &[Query]) -> String {
    if others.is_empty() {
        return first.understood().to_string();
    }
    let numbered = std::iter::once(first).chain(others).zip(1..);
    let words = numbered.map(|(query, number)| format!("{number}) {}", query.understood()));
    words.collect::<Vec<_>>().join("; ")
}

fn person(asked: &Asked, field: &str) -> Result<Query, Problem> {
    if asked.line.is_empty() {
        Ok(fields(asked))
    } else {
        line(&asked.line, field)
    }
}

/// The token of the page that begins after `skip` hits.
pub(super) fn token(skip: usize) -> String {
    format!("after-{skip}")
}

fn skip(token: &str) -> Result<usize, Problem> {
    if token.is_empty() {
        return Ok(0);
    }
    let skip = token
        .strip_prefix("after-")
        .and_then(|count| count.parse::<usize>().ok());
    skip.filter(|skip| *skip <= REACH)
        .ok_or_else(|| Problem::field("page_token", "is not one that an answer of this registry gave"))
}

fn line(line: &str, field: &str) -> Result<Query, Problem> {
    let today = ccpor_registry::now().in_pacific().0;
    let today = PartialDate {
        year: today.year(),
        month: Some(today.month()),
        day: Some(today.day()),
    };
    Query::parse_line(line)
        .map(|query| query.as_of(today))
        .map_err(|error| Problem::field(field, error.to_string()))
}

fn fields(asked: &Asked) -> Query {
    let mut numbers = Vec::new();
    if !asked.case_number.is_empty() {
        numbers.push((NumberKind::Case, asked.case_number.clone()));
    }
    if let Some(number) = asked.registry_number {
        numbers.push((NumberKind::Registry, number.to_string()));
    }
    let dob = asked.dob.map(|date| {
        Born::On(PartialDate {
            year: date.year(),
            month: date.month(),
            day: date.day(),
        })
    });
    let sex = asked.sex.and_then(|sex| match sex {
        Sex::Female => Some(MatchedSex::Female),
        Sex::Male => Some(MatchedSex::Male),
        Sex::Nonbinary => Some(MatchedSex::Nonbinary),
        Sex::Unknown => None,
    });
    Query {
        first: asked.name.first.clone(),
        middle: asked.name.middle.clone(),
        last: asked.name.last.clone(),
        suffix: asked.name.suffix.clone(),
        dob,
        sex,
        ids: asked
            .identifiers
            .iter()
            .map(|id| (id_kind(id.kind), id.value.clone()))
            .collect(),
        numbers,
        ..Query::default()
    }
}
