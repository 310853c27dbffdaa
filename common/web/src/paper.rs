//! An order as it is printed: named fields only, so that nothing of it comes onto paper that no line here lets through. Descriptions,
//! numbers and dates of birth of people are not among them.

use ccpor_api::convert;
use ccpor_api::message::{Order, OrderAnswer};
use ccpor_domain::{Language, term_words};

use crate::badge::{self, Badge, badges};
use crate::called::called;
use crate::described;
use crate::words::Words;

/// See the module.
pub(crate) struct Paper {
    pub(crate) number: String,
    pub(crate) badges: Vec<Badge>,
    pub(crate) title: String,
    pub(crate) form: String,
    pub(crate) court: String,
    pub(crate) telephone: String,
    pub(crate) department: String,
    pub(crate) judge: String,
    pub(crate) case_number: String,
    pub(crate) issued: String,
    pub(crate) ends: String,
    pub(crate) hearing: String,
    pub(crate) restrained: String,
    /// The protected persons by name; a confidential minor as such.
    pub(crate) protected: Vec<String>,
    pub(crate) terms: Vec<String>,
    pub(crate) other_text: String,
}

impl Paper {
    /// The order of an answer, in the language of the page.
    pub(crate) fn of(answer: &OrderAnswer, title: &str, language: &str, w: &'static Words) -> Self {
        let order = answer.order.clone().unwrap_or_default();
        let terms = terms(&order, language);
        let court = order.court.unwrap_or_default();
        let hearing = order.hearing.unwrap_or_default();
        let standing = answer.standing.as_ref();
        let day = |parts: &[&str]| {
            let some: Vec<&str> = parts.iter().copied().filter(|part| !part.is_empty()).collect();
            some.join(" ")
        };
        let restrained = order.restrained.and_then(|person| person.name);
        Self {
            number: answer.registry_number.clone(),
            badges: badges(standing, answer.sealed.is_some(), w),
            title: title.to_owned(),
            form: order.form,
            court: if court.name.is_empty() {
                called(&answer.court)
            } else {
                court.name
            },
            telephone: court.phone,
            department: court.department,
            judge: court.judge,
            case_number: order.case_number,
            issued: day(&[&order.issued, &order.issued_time]),
            ends: badge::ends(standing.and_then(|standing| standing.ends.as_ref()), w),
            hearing: day(&[&hearing.date, &hearing.time, &hearing.department]),
            restrained: restrained.as_ref().map(described::name).unwrap_or_default(),
            protected: order
                .protected
                .into_iter()
                .map(|one| match one.person.and_then(|person| person.name) {
                    Some(name) if !one.minor_confidential => described::name(&name),
                    _ => w.confidential_minor.to_owned(),
                })
                .collect(),
            terms,
            other_text: order.other_text,
        }
    }
}

/// Each term in a sentence.
fn terms(order: &Order, language: &str) -> Vec<String> {
    let language = language.parse().unwrap_or(Language::English);
    convert::order_from("order", order)
        .map(|order| {
            order
                .terms
                .iter()
                .map(|term| term_words(term, language))
                .collect()
        })
        .unwrap_or_default()
}
