//! The corpus: orders and questions with known answers, invented here or read from files.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::path::Path;

use ccpor_matching::{
    Born, Card, CardPerson, Hit, IdKind, NameParts, NumberKind, PartialDate, Query, Role, Sex,
};
use serde_json::Value;

use super::names::Names;
use super::people::{Invented, card, persons_of_orders};
use super::questions::{Listed, Questions};
use crate::world::Outcome;

/// Hits asked for: what the registry gives when nothing is said.
pub(super) const LIMIT: usize = 20;
/// The first orders, whose persons are asked for.
const POOL: usize = 10_000;
/// Questions of a class.
const EACH: usize = 500;

/// One question; `truth` is the person who is meant, `None` when the person is not listed.
#[derive(Clone)]
pub(super) struct Question {
    pub(super) class: String,
    pub(super) truth: Option<u32>,
    pub(super) query: Query,
}

/// Orders and questions.
pub(super) struct Corpus {
    /// By order: the restrained person's number.
    pub(super) persons: Vec<u32>,
    pub(super) cards: Vec<Card>,
    pub(super) questions: Vec<Question>,
}

impl Corpus {
    /// Invents a corpus of so many orders.
    pub(super) fn invent(orders: usize, seed: u64) -> Outcome<Self> {
        let names = Names::read()?;
        let persons = persons_of_orders(orders, seed);
        let mut listed = Listed::default();
        let mut cards = Vec::with_capacity(orders);
        let mut pool: HashMap<u32, Invented> = HashMap::new();
        for (order, number) in persons.iter().enumerate() {
            let person = Invented::person(&names, seed, *number);
            let card = card(&names, seed, order as u32, &person);
            for restrained in card
                .persons
                .iter()
                .filter(|person| person.role == Role::Restrained)
            {
                for name in &restrained.names {
                    restrained
                        .dob
                        .iter()
                        .for_each(|born| listed.add(&name.first, &name.last, born));
                }
            }
            cards.push(card);
            if order < POOL {
                pool.insert(*number, person);
            }
        }
        let mut pool: Vec<(u32, Invented)> = pool.into_iter().collect();
        pool.sort_by_key(|(number, _)| *number);
        let asking = Questions {
            names: &names,
            pool,
            each: EACH,
            seed,
        };
        let mut questions = asking.about_listed();
        questions.extend(asking.about_others(&listed));
        Ok(Self {
            persons,
            cards,
            questions,
        })
    }

    /// Reads `orders.jsonl` (its first `orders` lines) and `queries.jsonl`.
    pub(super) fn read(folder: &Path, orders: usize) -> Outcome<Self> {
        let file = std::fs::File::open(folder.join("orders.jsonl"))?;
        let (mut persons, mut cards) = (Vec::new(), Vec::new());
        for line in BufReader::new(file).lines().take(orders) {
            let order: Value = serde_json::from_str(&line?)?;
            persons.push(order.get("person_id").and_then(Value::as_u64).unwrap_or(0) as u32);
            cards.push(card_of(&order, cards.len() as u32));
        }
        let questions = std::fs::read_to_string(folder.join("queries.jsonl"))?;
        let questions = questions.lines().map(question_of).collect::<Result<_, _>>()?;
        Ok(Self {
            persons,
            cards,
            questions,
        })
    }

    /// The distinct persons of hits, best first, with their scores. A protected person has a number of her own.
    pub(super) fn persons_of(&self, hits: &[Hit]) -> Vec<(u64, f32)> {
        let mut seen: Vec<(u64, f32)> = Vec::new();
        for hit in hits {
            let id = match hit.role {
                Role::Restrained => {
                    u64::from(self.persons.get(hit.order as usize).copied().unwrap_or(u32::MAX))
                }
                Role::Protected => 1 << 40 | u64::from(hit.order) << 8 | u64::from(hit.person),
            };
            if !seen.iter().any(|(other, _)| *other == id) {
                seen.push((id, hit.score));
            }
        }
        seen
    }
}

fn text(value: &Value, key: &str) -> String {
    value
        .get(key)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

fn date(text: &str) -> Option<PartialDate> {
    let mut parts = text.split('-');
    Some(PartialDate {
        year: parts.next()?.parse().ok()?,
        month: parts.next().and_then(|part| part.parse().ok()),
        day: parts.next().and_then(|part| part.parse().ok()),
    })
}

fn sex(text: &str) -> Option<Sex> {
    match text {
        "M" => Some(Sex::Male),
        "F" => Some(Sex::Female),
        _ => None,
    }
}

fn name(value: &Value) -> NameParts {
    NameParts {
        first: text(value, "first"),
        middle: text(value, "middle"),
        last: text(value, "last"),
        suffix: text(value, "suffix"),
    }
}

fn list<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value.get(key).and_then(Value::as_array).into_iter().flatten()
}

fn person_of(value: &Value, role: Role) -> CardPerson {
    let mut names = vec![name(value)];
    let mut dob: Vec<PartialDate> = date(&text(value, "dob")).into_iter().collect();
    for alias in list(value, "aliases") {
        names.push(name(alias));
        if let Some(other) = date(&text(alias, "dob")).filter(|other| !dob.contains(other)) {
            dob.push(other);
        }
    }
    let ids = [("dl", IdKind::DriverLicense), ("cii", IdKind::Cii)];
    let ids = ids.into_iter().map(|(key, kind)| (kind, text(value, key)));
    CardPerson {
        role,
        names,
        dob,
        sex: sex(&text(value, "sex")),
        ids: ids.filter(|(_, id)| !id.is_empty()).collect(),
    }
}

fn card_of(order: &Value, number: u32) -> Card {
    let restrained = order.get("restrained").unwrap_or(&Value::Null);
    let protected = list(order, "protected").map(|person| person_of(person, Role::Protected));
    Card {
        order: number,
        persons: std::iter::once(person_of(restrained, Role::Restrained))
            .chain(protected)
            .collect(),
        numbers: vec![(NumberKind::Case, text(order, "case_no"))],
    }
}

fn question_of(line: &str) -> Outcome<Question> {
    let value: Value = serde_json::from_str(line)?;
    let license = text(&value, "dl");
    let NameParts {
        first,
        middle,
        last,
        suffix,
    } = name(&value);
    Ok(Question {
        class: text(&value, "cls"),
        truth: value.get("truth").and_then(Value::as_u64).map(|id| id as u32),
        query: Query {
            first,
            middle,
            last,
            suffix,
            dob: date(&text(&value, "dob")).map(Born::On),
            sex: sex(&text(&value, "sex")),
            ids: Some((IdKind::DriverLicense, license))
                .filter(|(_, id)| !id.is_empty())
                .into_iter()
                .collect(),
            limit: LIMIT,
            ..Query::default()
        },
    })
}
