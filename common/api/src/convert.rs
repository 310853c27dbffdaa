//! Messages to the order model and back: every field that cannot be taken is named with the reason; nothing is judged.

use std::fmt::Display;
use std::str::FromStr;

use ccpor_domain as domain;

use crate::message;
use crate::problem::{Field, Problem};

/// The order of a request, or every field of it that cannot be taken, with its path from `path` (`order`).
///
/// # Errors
/// A [`Problem`] of the kind invalid-fields.
pub fn order_from(path: &str, order: &message::Order) -> Result<domain::Order, Problem> {
    Reading::at(path).finish(|reading| read_order(reading, order))
}

/// The person of a request, or every field that cannot be taken.
///
/// # Errors
/// A [`Problem`] of the kind invalid-fields.
pub fn person_from(path: &str, person: &message::Person) -> Result<domain::Person, Problem> {
    Reading::at(path).finish(|reading| read_person(reading, Some(person)))
}

/// An order without its legal core, as a problem that names each missing field.
#[must_use]
pub fn core_missing(path: &str, missing: &domain::CoreMissing) -> Problem {
    let field = |field: &domain::CoreField| Field {
        path: format!("{path}.{field}"),
        reason: "is missing: an order cannot be filed without it; everything else can follow".to_owned(),
    };
    Problem::invalid(missing.fields.iter().map(field).collect())
}

/// The service of a request. Its mode must be said: it decides whether there is notice.
///
/// # Errors
/// A [`Problem`] of the kind invalid-fields.
pub fn service_from(path: &str, service: &message::Service) -> Result<domain::Service, Problem> {
    Reading::at(path).finish(|reading| read_service(reading, service))
}

/// The violation of a request, or every field that cannot be taken.
///
/// # Errors
/// A [`Problem`] of the kind invalid-fields.
pub fn violation_from(path: &str, violation: &message::Violation) -> Result<domain::Violation, Problem> {
    Reading::at(path).finish(|reading| domain::Violation {
        date: reading.day("date", &violation.date),
        time: reading.optional("time", &violation.time),
        agency: violation.agency.clone(),
        agency_ori: violation.agency_ori.clone(),
        report: violation.report.clone(),
        note: violation.note.clone(),
    })
}

/// The ending of a request.
///
/// # Errors
/// A [`Problem`] of the kind invalid-fields.
pub fn ending_from(path: &str, ending: &message::Ending) -> Result<domain::Ending, Problem> {
    Reading::at(path)
        .finish(|reading| read_ending(reading, ending))
        .and_then(|ending| ending.ok_or_else(|| Problem::field(format!("{path}.kind"), "is missing")))
}

/// An image's description.
///
/// # Errors
/// A [`Problem`] of the kind invalid-fields.
pub fn image_from(path: &str, image: &message::ImageRef) -> Result<domain::ImageRef, Problem> {
    Reading::at(path).finish(|reading| domain::ImageRef {
        blake3: reading.needed("blake3", &image.blake3).unwrap_or_default(),
        sha256: reading.needed("sha256", &image.sha256).unwrap_or_default(),
        length: image.length,
        media: reading.needed("media", &image.media).unwrap_or_default(),
        pages: image.pages,
        title: image.title.clone(),
    })
}

/// Reads fields of a message one by one and keeps what cannot be taken, so that all of it is told at once.
pub(crate) struct Reading {
    path: String,
    refused: Vec<Field>,
}

impl Reading {
    pub(crate) fn at(path: &str) -> Self {
        Self {
            path: path.to_owned(),
            refused: Vec::new(),
        }
    }

    pub(crate) fn finish<T>(mut self, read: impl FnOnce(&mut Self) -> T) -> Result<T, Problem> {
        let value = read(&mut self);
        if self.refused.is_empty() {
            Ok(value)
        } else {
            Err(Problem::invalid(self.refused))
        }
    }

    pub(crate) fn refuse(&mut self, field: &str, reason: impl Display) {
        let path = if self.path.is_empty() {
            field.to_owned()
        } else {
            format!("{}.{field}", self.path)
        };
        self.refused.push(Field {
            path,
            reason: reason.to_string(),
        });
    }

    fn within<T>(&mut self, field: &str, read: impl FnOnce(&mut Self) -> T) -> T {
        let length = self.path.len();
        if length > 0 {
            self.path.push('.');
        }
        self.path.push_str(field);
        let value = read(self);
        self.path.truncate(length);
        value
    }

    pub(crate) fn each<T, U>(
        &mut self,
        field: &str,
        items: &[T],
        mut read: impl FnMut(&mut Self, &T) -> U,
    ) -> Vec<U> {
        items
            .iter()
            .enumerate()
            .map(|(place, item)| self.within(&format!("{field}[{place}]"), |reading| read(reading, item)))
            .collect()
    }

    /// A value that may be missing. The errors of the order model never repeat the text.
    pub(crate) fn optional<T>(&mut self, field: &str, text: &str) -> Option<T>
    where
        T: FromStr<Err: Display>,
    {
        if text.trim().is_empty() {
            return None;
        }
        text.parse().inspect_err(|error| self.refuse(field, error)).ok()
    }

    /// A value that must be there.
    fn needed<T>(&mut self, field: &str, text: &str) -> Option<T>
    where
        T: FromStr<Err: Display>,
    {
        if text.trim().is_empty() {
            self.refuse(field, "is missing");
        }
        self.optional(field, text)
    }

    /// A word of a closed list, or the value that stands for its absence.
    fn word<T>(&mut self, field: &str, text: &str) -> T
    where
        T: FromStr<Err: Display> + Default,
    {
        self.optional(field, text).unwrap_or_default()
    }

    /// A day of the court, not of a person: its text is repeated, when it is nothing but digits and hyphens.
    fn day(&mut self, field: &str, text: &str) -> Option<domain::Date> {
        let plain = text.len() <= 10 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
        match text.parse() {
            _ if text.trim().is_empty() => None,
            Ok(date) => Some(date),
            Err(error) if plain => {
                self.refuse(field, format!("\"{text}\" is no date: {error}"));
                None
            }
            Err(error) => {
                self.refuse(field, error);
                None
            }
        }
    }

    /// A number that the order model keeps smaller than the message does.
    fn small<T: TryFrom<u32>>(&mut self, field: &str, number: u32) -> Option<T> {
        let small = T::try_from(number).ok();
        if small.is_none() {
            self.refuse(field, "the number is too large");
        }
        small
    }
}

fn read_order(reading: &mut Reading, order: &message::Order) -> domain::Order {
    domain::Order {
        family: reading.word("family", &order.family),
        stage: reading.word("stage", &order.stage),
        form: order.form.clone(),
        statute: order.statute.clone(),
        court: order.court.as_ref().map(read_court).unwrap_or_default(),
        case_number: order.case_number.clone(),
        agency_case_number: order.agency_case_number.clone(),
        fcn: order.fcn.clone(),
        issued: reading.day("issued", &order.issued),
        issued_time: reading.optional("issued_time", &order.issued_time),
        effective: reading.day("effective", &order.effective),
        effective_time: reading.optional("effective_time", &order.effective_time),
        hearing: order
            .hearing
            .as_ref()
            .map(|hearing| reading.within("hearing", |r| read_hearing(r, hearing))),
        expires: reading.within("expires", |r| read_expiry(r, order.expires.as_ref())),
        restrained: reading.within("restrained", |r| read_person(r, order.restrained.as_ref())),
        present_at_hearing: order.present_at_hearing,
        protected: reading.each("protected", &order.protected, read_protected),
        establishment: Some(order.establishment.clone()).filter(|name| !name.trim().is_empty()),
        terms: reading.each("terms", &order.terms, read_term),
        other_text: order.other_text.clone(),
        previous: reading.optional("previous", &order.previous),
        lineage: reading.optional("lineage", &order.lineage),
        foreign: order
            .foreign
            .as_ref()
            .map(|foreign| reading.within("foreign", |r| read_foreign(r, foreign))),
        brady: order.brady.as_ref().map(|brady| domain::Brady {
            indicator: reading.within("brady", |r| r.word("indicator", &brady.indicator)),
            reason: brady.reason.clone(),
        }),
    }
}

fn read_court(court: &message::Court) -> domain::Court {
    domain::Court {
        slug: court.slug.clone(),
        tribal: court.tribal,
        name: court.name.clone(),
        address: court.address.clone(),
        phone: court.phone.clone(),
        department: court.department.clone(),
        judge: court.judge.clone(),
        ori: court.ori.clone(),
    }
}

fn read_hearing(reading: &mut Reading, hearing: &message::Hearing) -> domain::Hearing {
    domain::Hearing {
        date: reading.day("date", &hearing.date),
        time: reading.optional("time", &hearing.time),
        department: hearing.department.clone(),
        room: hearing.room.clone(),
        judge: hearing.judge.clone(),
        attended: hearing.attended.clone(),
    }
}

fn read_expiry(reading: &mut Reading, expiry: Option<&message::Expiry>) -> domain::Expiry {
    let Some(expiry) = expiry else {
        return domain::Expiry::NotStated;
    };
    let date = reading.day("date", &expiry.date);
    let time = reading.optional("time", &expiry.time);
    let kind = match (expiry.kind.trim(), expiry.date.trim()) {
        ("", "") => "not_stated",
        ("", _) => "on_date",
        (kind, _) => kind,
    };
    let no_date = expiry.date.trim().is_empty() && expiry.time.trim().is_empty();
    match kind {
        "on_date" if expiry.date.trim().is_empty() => reading.refuse("date", "is missing: kind is on_date"),
        "on_date" => {}
        "never" | "not_stated" if !no_date => reading.refuse("date", "must be empty unless kind is on_date"),
        "never" => return domain::Expiry::Never,
        "not_stated" => {}
        _ => reading.refuse(
            "kind",
            "not a kind of expiry: write one of not_stated, on_date, never",
        ),
    }
    date.map_or(domain::Expiry::NotStated, |date| domain::Expiry::OnDate {
        date,
        time,
    })
}

fn read_person(reading: &mut Reading, person: Option<&message::Person>) -> domain::Person {
    let Some(person) = person else {
        return domain::Person::default();
    };
    domain::Person {
        name: person.name.as_ref().map(read_name).unwrap_or_default(),
        aliases: person.aliases.iter().map(read_name).collect(),
        dob: reading.optional("dob", &person.dob),
        age_estimate: person
            .age_estimate
            .and_then(|age| reading.small("age_estimate", age)),
        sex: read_sex(reading, &person.sex).unwrap_or_default(),
        race: person.race.clone(),
        height_inches: person
            .height_inches
            .and_then(|height| reading.small("height_inches", height)),
        weight_pounds: person
            .weight_pounds
            .and_then(|weight| reading.small("weight_pounds", weight)),
        eye: person.eye.clone(),
        hair: person.hair.clone(),
        skin: person.skin.clone(),
        marks: person.marks.clone(),
        identifiers: reading.each("identifiers", &person.identifiers, read_identifier),
        vehicles: reading.each("vehicles", &person.vehicles, read_vehicle),
        cautions: person.cautions.clone(),
        language: person.language.clone(),
    }
}

/// Sex as the word or the letter; none when the text is empty.
pub(crate) fn read_sex(reading: &mut Reading, text: &str) -> Option<domain::Sex> {
    if text.trim().is_empty() {
        return None;
    }
    let sex = domain::Sex::find(text);
    if sex.is_none() {
        reading.refuse(
            "sex",
            "not a sex: write one of male, female, nonbinary, unknown, or M, F, X, U",
        );
    }
    sex
}

fn read_name(name: &message::Name) -> domain::Name {
    domain::Name {
        first: name.first.clone(),
        middle: name.middle.clone(),
        last: name.last.clone(),
        suffix: name.suffix.clone(),
    }
}

pub(crate) fn read_identifier(reading: &mut Reading, number: &message::Identifier) -> domain::Identifier {
    domain::Identifier {
        kind: reading.word("kind", &number.kind),
        value: number.value.clone(),
        issuer: number.issuer.clone(),
    }
}

fn read_vehicle(reading: &mut Reading, vehicle: &message::Vehicle) -> domain::Vehicle {
    domain::Vehicle {
        plate: vehicle.plate.clone(),
        state: vehicle.state.clone(),
        vin: vehicle.vin.clone(),
        make: vehicle.make.clone(),
        model: vehicle.model.clone(),
        year: vehicle.year.and_then(|year| reading.small("year", year)),
        color: vehicle.color.clone(),
    }
}

fn read_protected(reading: &mut Reading, protected: &message::Protected) -> domain::Protected {
    domain::Protected {
        person: reading.within("person", |r| read_person(r, protected.person.as_ref())),
        role: reading.word("role", &protected.role),
        relationship: reading.word("relationship", &protected.relationship),
        minor_confidential: protected.minor_confidential,
        safe_at_home: protected.safe_at_home,
    }
}

fn read_term(reading: &mut Reading, term: &message::Term) -> domain::Term {
    let places = reading.each("places", &term.places, |reading, place| match place.parse() {
        Ok(place) => Some(place),
        Err(domain::UnknownWord { expected, .. }) => {
            // The path names the place in the list already.
            let path = reading.path.clone();
            reading.refused.push(Field {
                path,
                reason: format!("not a place: write one of {expected}"),
            });
            None
        }
    });
    domain::Term {
        kind: reading.word("kind", &term.kind),
        pco: term
            .pco
            .iter()
            .filter_map(|code| reading.small("pco", *code))
            .collect(),
        distance_yards: term
            .distance_yards
            .and_then(|yards| reading.small("distance_yards", yards)),
        places: places.into_iter().flatten().collect(),
        text: term.text.clone(),
    }
}

fn read_foreign(reading: &mut Reading, foreign: &message::ForeignOrder) -> domain::ForeignOrder {
    domain::ForeignOrder {
        jurisdiction: foreign.jurisdiction.clone(),
        order_number: foreign.order_number.clone(),
        valid_on_face: foreign.valid_on_face,
        registered: reading.day("registered", &foreign.registered),
    }
}

fn read_service(reading: &mut Reading, service: &message::Service) -> domain::Service {
    domain::Service {
        mode: reading.needed("mode", &service.mode).unwrap_or_default(),
        date: reading.day("date", &service.date),
        time: reading.optional("time", &service.time),
        served_by: service.served_by.clone(),
        badge: service.badge.clone(),
        agency: service.agency.clone(),
        agency_ori: service.agency_ori.clone(),
        place: service.place.clone(),
        note: service.note.clone(),
    }
}

/// None only when something was refused.
fn read_ending(reading: &mut Reading, ending: &message::Ending) -> Option<domain::Ending> {
    let date = reading.day("date", &ending.date);
    let time = reading.optional("time", &ending.time);
    let by = reading.optional("by", &ending.by);
    let kind = match (ending.kind.trim(), by) {
        ("superseded", Some(by)) => Some(domain::EndingKind::Superseded { by }),
        ("superseded", None) => {
            if ending.by.trim().is_empty() {
                reading.refuse("by", "is missing: name the order that took its place");
            }
            None
        }
        ("terminated" | "cancelled_entry_error", Some(_)) => {
            reading.refuse("by", "must be empty unless kind is superseded");
            None
        }
        ("terminated", None) => Some(domain::EndingKind::Terminated),
        ("cancelled_entry_error", None) => Some(domain::EndingKind::CancelledEntryError),
        _ => {
            reading.refuse(
                "kind",
                "not a kind of ending: write one of terminated, cancelled_entry_error, superseded",
            );
            None
        }
    };
    kind.map(|kind| domain::Ending { kind, date, time })
}
