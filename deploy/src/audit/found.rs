//! Entries of a trail as people and programs read them.

use ccpor_audit::{Asked, Found, Outcome};
use serde_json::{Value, json};

use crate::table::Table;
use crate::when;

/// An entry as JSON, for programs and exports.
pub(super) fn document(found: &Found) -> Value {
    let (place, act) = (&found.place, &found.act);
    let told = found.told.as_ref();
    json!({
        "trail": place.origin.to_string(),
        "epoch": place.position.epoch,
        "seq": place.position.seq,
        "hash": place.hash.to_string(),
        "at": act.at.to_string(),
        "request": act.request,
        "identity": act.by.identity,
        "agency": act.by.agency,
        "ori": act.by.ori,
        "user": act.by.user,
        "role": act.by.role,
        "via": act.by.via,
        "source": act.by.source,
        "operation": act.operation.as_str(),
        "kind": act.operation.kind().as_str(),
        "outcome": outcome(&act.outcome),
        "orders": act.orders.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "image": act.image.map(|digest| ccpor_domain::ImageDigest(digest).to_string()),
        "hits": act.hits,
        "took_us": act.took_us,
        "served_by": act.served_by,
        "also_asked": act.also_asked,
        "emergency": act.emergency,
        "times": act.times,
        "states_purpose": act.states_purpose,
        "states_case": act.states_case,
        "readable": told.is_some() || act.told.is_none(),
        "purpose": told.map(|told| &told.purpose),
        "case_number": told.map(|told| &told.case_number),
        "asked": told.map(|told| told.asked.iter().map(asked_document).collect::<Vec<_>>()),
        "only_shown": found.only_shown,
    })
}

fn asked_document(asked: &Asked) -> Value {
    let numbers: serde_json::Map<String, Value> = asked
        .numbers
        .iter()
        .map(|(kind, value)| (kind.clone(), json!(value)))
        .collect();
    json!({
        "first": asked.first, "middle": asked.middle, "last": asked.last, "dob": asked.dob, "numbers": numbers,
    })
}

/// An outcome in words.
pub(super) fn outcome(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Done => "done".to_owned(),
        Outcome::Refused(code) => format!("refused: {code}"),
        Outcome::Failed(code) => format!("failed: {code}"),
        Outcome::CutOff => "cut off".to_owned(),
        Outcome::Begun => "begun".to_owned(),
    }
}

/// A table of entries.
pub(super) fn table(found: &[Found]) -> String {
    let mut table = Table::new(&[
        "TIME",
        "OPERATION",
        "OUTCOME",
        "WHO",
        "ORI",
        "FROM",
        ">HITS",
        "CASE",
        "ASKED FOR",
        "AT",
    ]);
    for found in found {
        let act = &found.act;
        let who = if act.by.user.is_empty() {
            act.by.identity.clone()
        } else {
            act.by.user.clone()
        };
        table.row([
            when::clock_time(act.at, None),
            act.operation.to_string(),
            outcome(&act.outcome),
            who,
            act.by.ori.clone(),
            act.by.source.clone(),
            act.hits.to_string(),
            found
                .told
                .as_ref()
                .map(|told| told.case_number.clone())
                .unwrap_or_default(),
            asked_for(found),
            format!("{} {}", found.place.origin.writer(), found.place.position),
        ]);
    }
    table.text()
}

fn asked_for(found: &Found) -> String {
    let Some(told) = &found.told else {
        let sealed = found.act.told.is_some();
        return if sealed { "(cannot be read)" } else { "" }.to_owned();
    };
    let people: Vec<String> = told.asked.iter().map(person).collect();
    let shown = if found.only_shown {
        " (named in the answer)"
    } else {
        ""
    };
    people.join("; ") + shown
}

fn person(asked: &Asked) -> String {
    let name = [&asked.last, &asked.first];
    let name: Vec<&str> = name
        .into_iter()
        .map(String::as_str)
        .filter(|part| !part.is_empty())
        .collect();
    let numbers = asked
        .numbers
        .iter()
        .map(|(kind, value)| format!("{kind} {value}"));
    std::iter::once(name.join(", "))
        .chain(std::iter::once(asked.dob.clone()))
        .chain(numbers)
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}
