//! The import format: one order, one line of JSON, without the fields that say nothing. It reads no file.

use std::io::{self, Write};

use ccpor_domain::{
    Court, Date, Expiry, Family, ForeignOrder, Hearing, Identifier, Name, Order, Person, Protected,
    ProtectedRole, Relationship, Service, Sex, Stage, Term, TimeOfDay, Vehicle,
};
use serde::Serialize;

use super::Filing;

pub(super) fn write(filing: &Filing, out: &mut impl Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, &OrderRow::of(filing))?;
    out.write_all(b"\n")
}

fn empty<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// The fields of an order that made-up orders have, under the names they have in the order itself.
#[derive(Serialize)]
struct OrderRow<'a> {
    source_id: &'a str,
    case_number: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    form: &'a str,
    family: Family,
    stage: Stage,
    #[serde(skip_serializing_if = "str::is_empty")]
    statute: &'a str,
    court: &'a Court,
    #[serde(skip_serializing_if = "str::is_empty")]
    agency_case_number: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    fcn: &'a str,
    issued: Option<Date>,
    #[serde(skip_serializing_if = "Option::is_none")]
    issued_time: Option<TimeOfDay>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires: Option<ExpiryRow>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hearing: Option<&'a Hearing>,
    restrained: PersonRow<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    present_at_hearing: Option<bool>,
    protected: Vec<ProtectedRow<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    establishment: Option<&'a str>,
    terms: Vec<TermRow<'a>>,
    #[serde(skip_serializing_if = "str::is_empty")]
    other_text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    foreign: Option<&'a ForeignOrder>,
    service: &'a [Service],
}

impl<'a> OrderRow<'a> {
    fn of(filing: &'a Filing) -> Self {
        let order: &'a Order = &filing.order;
        Self {
            source_id: &filing.source_id,
            case_number: &order.case_number,
            form: &order.form,
            family: order.family,
            stage: order.stage,
            statute: &order.statute,
            court: &order.court,
            agency_case_number: &order.agency_case_number,
            fcn: &order.fcn,
            issued: order.issued,
            issued_time: order.issued_time,
            expires: ExpiryRow::of(order.expires),
            hearing: order.hearing.as_ref(),
            restrained: PersonRow::of(&order.restrained),
            present_at_hearing: order.present_at_hearing,
            protected: order.protected.iter().map(ProtectedRow::of).collect(),
            establishment: order.establishment.as_deref(),
            terms: order.terms.iter().map(TermRow::of).collect(),
            other_text: &order.other_text,
            foreign: order.foreign.as_ref(),
            service: &filing.service,
        }
    }
}

/// A day, the word `never`, or a day with a time; an order without a date on it has no such field.
#[derive(Serialize)]
#[serde(untagged)]
enum ExpiryRow {
    Day(Date),
    Word(&'static str),
    Minute {
        kind: &'static str,
        date: Date,
        time: TimeOfDay,
    },
}

impl ExpiryRow {
    fn of(expiry: Expiry) -> Option<Self> {
        match expiry {
            Expiry::NotStated => None,
            Expiry::OnDate { date, time: None } => Some(Self::Day(date)),
            Expiry::OnDate {
                date,
                time: Some(time),
            } => Some(Self::Minute {
                kind: "on_date",
                date,
                time,
            }),
            Expiry::Never => Some(Self::Word("never")),
        }
    }
}

#[derive(Serialize)]
struct NameRow<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    first: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    middle: &'a str,
    last: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    suffix: &'a str,
}

impl<'a> NameRow<'a> {
    fn of(name: &'a Name) -> Self {
        Self {
            first: &name.first,
            middle: &name.middle,
            last: &name.last,
            suffix: &name.suffix,
        }
    }
}

#[derive(Serialize)]
struct PersonRow<'a> {
    name: NameRow<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    aliases: Vec<NameRow<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dob: Option<Date>,
    #[serde(skip_serializing_if = "Option::is_none")]
    age_estimate: Option<u8>,
    #[serde(skip_serializing_if = "empty")]
    sex: Sex,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    race: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    height_inches: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    weight_pounds: Option<u16>,
    #[serde(skip_serializing_if = "str::is_empty")]
    eye: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    hair: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    marks: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    identifiers: &'a [Identifier],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    vehicles: &'a [Vehicle],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    cautions: &'a [String],
    #[serde(skip_serializing_if = "str::is_empty")]
    language: &'a str,
}

impl<'a> PersonRow<'a> {
    fn of(person: &'a Person) -> Self {
        Self {
            name: NameRow::of(&person.name),
            aliases: person.aliases.iter().map(NameRow::of).collect(),
            dob: person.dob,
            age_estimate: person.age_estimate,
            sex: person.sex,
            race: &person.race,
            height_inches: person.height_inches,
            weight_pounds: person.weight_pounds,
            eye: &person.eye,
            hair: &person.hair,
            marks: &person.marks,
            identifiers: &person.identifiers,
            vehicles: &person.vehicles,
            cautions: &person.cautions,
            language: &person.language,
        }
    }
}

#[derive(Serialize)]
struct ProtectedRow<'a> {
    person: PersonRow<'a>,
    role: ProtectedRole,
    relationship: Relationship,
    #[serde(skip_serializing_if = "empty")]
    minor_confidential: bool,
    #[serde(skip_serializing_if = "empty")]
    safe_at_home: bool,
}

impl<'a> ProtectedRow<'a> {
    fn of(protected: &'a Protected) -> Self {
        Self {
            person: PersonRow::of(&protected.person),
            role: protected.role,
            relationship: protected.relationship,
            minor_confidential: protected.minor_confidential,
            safe_at_home: protected.safe_at_home,
        }
    }
}

#[derive(Serialize)]
struct TermRow<'a> {
    kind: ccpor_domain::TermKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    distance_yards: Option<u16>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    places: &'a [ccpor_domain::Place],
    #[serde(skip_serializing_if = "str::is_empty")]
    text: &'a str,
}

impl<'a> TermRow<'a> {
    fn of(term: &'a Term) -> Self {
        Self {
            kind: term.kind,
            distance_yards: term.distance_yards,
            places: &term.places,
            text: &term.text,
        }
    }
}
