//! The order model as messages: what a node or the hub answers with. Nothing is left out and nothing is judged here.

use ccpor_domain as domain;

use crate::message;

/// An order as a message.
#[must_use]
pub fn order(order: &domain::Order) -> message::Order {
    message::Order {
        family: order.family.to_string(),
        stage: order.stage.to_string(),
        form: order.form.clone(),
        statute: order.statute.clone(),
        court: Some(court(&order.court)),
        case_number: order.case_number.clone(),
        agency_case_number: order.agency_case_number.clone(),
        fcn: order.fcn.clone(),
        issued: text(order.issued),
        issued_time: text(order.issued_time),
        effective: text(order.effective),
        effective_time: text(order.effective_time),
        hearing: order.hearing.as_ref().map(hearing),
        expires: expiry(order.expires),
        restrained: Some(person(&order.restrained)),
        present_at_hearing: order.present_at_hearing,
        protected: order.protected.iter().map(protected).collect(),
        establishment: order.establishment.clone().unwrap_or_default(),
        terms: order.terms.iter().map(term).collect(),
        other_text: order.other_text.clone(),
        previous: text(order.previous),
        lineage: text(order.lineage),
        foreign: order.foreign.as_ref().map(foreign),
        brady: order.brady.as_ref().map(|brady| message::Brady {
            indicator: brady.indicator.to_string(),
            reason: brady.reason.clone(),
        }),
    }
}

/// An order with everything known of it at `at`, but for the places of its records and the freshness, which the machine
/// that holds them adds.
#[must_use]
pub fn state(
    state: &domain::OrderState,
    held: &domain::Standing,
    at: domain::UtcMillis,
) -> message::OrderAnswer {
    message::OrderAnswer {
        order_id: state.order_id.to_string(),
        registry_number: state.order_id.registry_number().to_string(),
        court: text(state.order.court.path()),
        version: state.version,
        source_id: state.source_id.clone().unwrap_or_default(),
        order: Some(order(&state.order)),
        standing: Some(standing(held, at)),
        service: state.service.iter().map(service_record).collect(),
        images: state.images.iter().map(image).collect(),
        ending: state.ending.as_ref().map(ending_record),
        violations: state.violations.iter().map(violation_record).collect(),
        brady_suggestion: Some(brady(&state.order)),
        confidential_sheets: u32::try_from(
            state
                .sheets
                .iter()
                .filter(|sheet| sheet.destroyed.is_none())
                .count(),
        )
        .unwrap_or(u32::MAX),
        sealed: state.sealed.as_ref().map(|act| message::SealRecord {
            at: act.at.to_string(),
            by: Some(actor(&act.by)),
            reason: act.reason.clone(),
        }),
        filed_at: state
            .steps
            .first()
            .map(|step| step.act.at.to_string())
            .unwrap_or_default(),
        changed_at: text(state.steps.iter().map(|step| step.act.at).max()),
        ..message::OrderAnswer::default()
    }
}

/// A service with who recorded it.
#[must_use]
pub fn service_record(record: &domain::ServiceRecord) -> message::ServiceRecord {
    message::ServiceRecord {
        service: Some(service(&record.service)),
        at: record.act.at.to_string(),
        by: Some(actor(&record.act.by)),
        linked: record.linked,
    }
}

/// A reported violation with who recorded it.
#[must_use]
pub fn violation_record(record: &domain::ViolationRecord) -> message::ViolationRecord {
    message::ViolationRecord {
        violation: Some(violation(&record.violation)),
        at: record.act.at.to_string(),
        by: Some(actor(&record.act.by)),
        linked: record.linked,
    }
}

fn violation(violation: &domain::Violation) -> message::Violation {
    message::Violation {
        date: text(violation.date),
        time: text(violation.time),
        agency: violation.agency.clone(),
        agency_ori: violation.agency_ori.clone(),
        report: violation.report.clone(),
        note: violation.note.clone(),
    }
}

/// What the record shows of the federal firearms bar.
#[must_use]
pub fn brady(order: &domain::Order) -> message::BradySuggestion {
    let seen = domain::brady_suggestion(order);
    let reasons = seen
        .reasons()
        .into_iter()
        .map(|(words, met)| message::BradyReason {
            words: words.to_owned(),
            met,
        });
    message::BradySuggestion {
        indicator: seen.indicator().to_string(),
        reasons: reasons.collect(),
    }
}

/// An early end with who recorded it.
#[must_use]
pub fn ending_record(record: &domain::EndingRecord) -> message::EndingRecord {
    message::EndingRecord {
        ending: Some(ending(&record.ending)),
        at: record.act.at.to_string(),
        by: Some(actor(&record.act.by)),
    }
}

/// One record of an order's history. `number` from 1; `whole` asks for the order itself in filings and amendments; the
/// position is added by the machine that holds the record.
#[must_use]
pub fn step(number: u32, event: &domain::Event, version: u32, linked: bool, whole: bool) -> message::Step {
    let act = event.act();
    let mut step = message::Step {
        number,
        at: act.at.to_string(),
        by: Some(actor(&act.by)),
        reason: act.reason.clone(),
        version,
        linked,
        ..message::Step::default()
    };
    let what = match event {
        domain::Event::Filed(filed) => {
            step.order = whole.then(|| order(&filed.order));
            domain::StepKind::Filed
        }
        domain::Event::Amended(amended) => {
            step.order = whole.then(|| order(&amended.order));
            domain::StepKind::Amended
        }
        domain::Event::Served(served) => {
            step.service = Some(service(&served.service));
            domain::StepKind::Served
        }
        domain::Event::ImageAttached(attached) => {
            step.image = Some(image(&attached.image));
            domain::StepKind::ImageAttached
        }
        domain::Event::Violated(violated) => {
            step.violation = Some(violation(&violated.violation));
            domain::StepKind::Violated
        }
        // That there is a sheet is told; neither its name nor its bytes are of use to anybody.
        domain::Event::Confided(confided) => match confided.what {
            domain::Confidence::Added(_) => domain::StepKind::Confided,
            domain::Confidence::Destroyed => domain::StepKind::ConfidenceDestroyed,
        },
        domain::Event::Sealing(sealing) => {
            if sealing.sealed {
                domain::StepKind::Sealed
            } else {
                domain::StepKind::Unsealed
            }
        }
        domain::Event::Ended(ended) => {
            step.ending = Some(ending(&ended.ending));
            domain::StepKind::Ended
        }
    };
    step.what = what.to_string();
    step
}

/// A standing as a message.
#[must_use]
pub fn standing(standing: &domain::Standing, at: domain::UtcMillis) -> message::Standing {
    message::Standing {
        at: at.to_string(),
        status: standing.status.to_string(),
        served: standing.served,
        served_how: standing.served_how.as_ref().map(|notice| message::Notice {
            mode: notice.mode.to_string(),
            date: notice.date.to_string(),
            time: text(notice.time),
            agency: notice.agency.clone(),
        }),
        ends: Some(end(standing.ends)),
        no_contact: standing.no_contact,
        firearms: standing.firearms,
        stay_away_yards: standing.stay_away_yards.map(u32::from),
        words: standing.words(),
        custody_remains: standing.custody_remains,
    }
}

fn end(end: domain::End) -> message::End {
    match end {
        domain::End::Never => message::End {
            kind: "never".to_owned(),
            ..message::End::default()
        },
        domain::End::NotStated => message::End {
            kind: "not_stated".to_owned(),
            ..message::End::default()
        },
        domain::End::At { date, time, rule } => message::End {
            kind: "at".to_owned(),
            date: date.to_string(),
            time: text(time),
            moment: text(end.moment()),
            rule: rule.to_string(),
            rule_words: rule.words().to_owned(),
            law: rule.law().to_owned(),
        },
    }
}

/// A service as a message.
#[must_use]
pub fn service(service: &domain::Service) -> message::Service {
    message::Service {
        mode: service.mode.to_string(),
        date: text(service.date),
        time: text(service.time),
        served_by: service.served_by.clone(),
        badge: service.badge.clone(),
        agency: service.agency.clone(),
        agency_ori: service.agency_ori.clone(),
        place: service.place.clone(),
        note: service.note.clone(),
    }
}

/// An ending as a message.
#[must_use]
pub fn ending(ending: &domain::Ending) -> message::Ending {
    let (kind, by) = match ending.kind {
        domain::EndingKind::Terminated => ("terminated", None),
        domain::EndingKind::CancelledEntryError => ("cancelled_entry_error", None),
        domain::EndingKind::Superseded { by } => ("superseded", Some(by)),
    };
    message::Ending {
        kind: kind.to_owned(),
        by: text(by),
        date: text(ending.date),
        time: text(ending.time),
    }
}

/// An image's description as a message.
#[must_use]
pub fn image(image: &domain::ImageRef) -> message::ImageRef {
    message::ImageRef {
        blake3: image.blake3.to_string(),
        sha256: image.sha256.to_string(),
        length: image.length,
        media: image.media.to_string(),
        pages: image.pages,
        title: image.title.clone(),
    }
}

/// A warning as a message.
#[must_use]
pub fn warning(warning: &domain::Warning) -> message::Warning {
    message::Warning {
        field: warning.field.to_string(),
        code: warning.code.to_string(),
        message: warning.message.to_string(),
        rule: warning.rule.to_owned(),
    }
}

/// Who did something, as a message.
#[must_use]
pub fn actor(actor: &domain::Actor) -> message::Actor {
    message::Actor {
        identity: actor.identity.clone(),
        ori: actor.ori.clone().unwrap_or_default(),
        person: actor.person.clone().unwrap_or_default(),
    }
}

fn court(court: &domain::Court) -> message::Court {
    message::Court {
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

fn hearing(hearing: &domain::Hearing) -> message::Hearing {
    message::Hearing {
        date: text(hearing.date),
        time: text(hearing.time),
        department: hearing.department.clone(),
        room: hearing.room.clone(),
        judge: hearing.judge.clone(),
        attended: hearing.attended.clone(),
    }
}

fn expiry(expiry: domain::Expiry) -> Option<message::Expiry> {
    match expiry {
        domain::Expiry::NotStated => None,
        domain::Expiry::Never => Some(message::Expiry {
            kind: "never".to_owned(),
            ..message::Expiry::default()
        }),
        domain::Expiry::OnDate { date, time } => Some(message::Expiry {
            kind: "on_date".to_owned(),
            date: date.to_string(),
            time: text(time),
        }),
    }
}

fn person(person: &domain::Person) -> message::Person {
    message::Person {
        name: Some(name(&person.name)),
        aliases: person.aliases.iter().map(name).collect(),
        dob: text(person.dob),
        age_estimate: person.age_estimate.map(u32::from),
        sex: person.sex.to_string(),
        race: person.race.clone(),
        height_inches: person.height_inches.map(u32::from),
        weight_pounds: person.weight_pounds.map(u32::from),
        eye: person.eye.clone(),
        hair: person.hair.clone(),
        skin: person.skin.clone(),
        marks: person.marks.clone(),
        identifiers: person.identifiers.iter().map(identifier).collect(),
        vehicles: person.vehicles.iter().map(vehicle).collect(),
        cautions: person.cautions.clone(),
        language: person.language.clone(),
    }
}

/// A name as a message.
#[must_use]
pub fn name(name: &domain::Name) -> message::Name {
    message::Name {
        first: name.first.clone(),
        middle: name.middle.clone(),
        last: name.last.clone(),
        suffix: name.suffix.clone(),
    }
}

fn identifier(number: &domain::Identifier) -> message::Identifier {
    message::Identifier {
        kind: number.kind.to_string(),
        value: number.value.clone(),
        issuer: number.issuer.clone(),
    }
}

fn vehicle(vehicle: &domain::Vehicle) -> message::Vehicle {
    message::Vehicle {
        plate: vehicle.plate.clone(),
        state: vehicle.state.clone(),
        vin: vehicle.vin.clone(),
        make: vehicle.make.clone(),
        model: vehicle.model.clone(),
        year: vehicle.year.map(u32::from),
        color: vehicle.color.clone(),
    }
}

fn protected(protected: &domain::Protected) -> message::Protected {
    message::Protected {
        person: Some(person(&protected.person)),
        role: protected.role.to_string(),
        relationship: protected.relationship.to_string(),
        minor_confidential: protected.minor_confidential,
        safe_at_home: protected.safe_at_home,
    }
}

/// A term as a message.
#[must_use]
pub fn term(term: &domain::Term) -> message::Term {
    message::Term {
        kind: term.kind.to_string(),
        pco: term.pco.iter().copied().map(u32::from).collect(),
        distance_yards: term.distance_yards.map(u32::from),
        places: term.places.iter().map(ToString::to_string).collect(),
        text: term.text.clone(),
    }
}

fn foreign(foreign: &domain::ForeignOrder) -> message::ForeignOrder {
    message::ForeignOrder {
        jurisdiction: foreign.jurisdiction.clone(),
        order_number: foreign.order_number.clone(),
        valid_on_face: foreign.valid_on_face,
        registered: text(foreign.registered),
    }
}

/// What is not there is an empty text.
fn text(value: Option<impl ToString>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}
