//! A row: one JSON object becomes one order and what was done with it, or every fault that keeps it out. Pure: it files
//! nothing and asks nobody.

use ccpor_domain::{
    Brady, Court, CourtRef, Ending, EndingKind, Expiry, ForeignOrder, Form, Hearing, Order, Service,
    ServiceMode, TimeOfDay, legal_core,
};
use serde_json::{Map, Value};

use super::fault::Reason;
use super::fields::{Fields, Findings};
use super::{person, terms};

/// What the rows of one import have in common.
#[derive(Debug, Clone, Default)]
pub(super) struct House {
    /// The court for which orders are filed; none only where nothing is filed.
    pub(super) court: Option<CourtRef>,
    /// Whether a row is filed as this court's whatever court it names.
    pub(super) assume_court: bool,
    /// How service went where a row says that there was one and not how.
    pub(super) served_as: Option<ServiceMode>,
    /// What every order of this court has in common: name, ORI, telephone and address.
    pub(super) usual: Court,
}

/// What one line says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    /// What the court's own system calls the order.
    pub(super) source_id: String,
    /// The order.
    pub(super) order: Order,
    /// Services and attempts, each under the name by which a second run knows it again.
    pub(super) services: Vec<(String, Service)>,
    /// Whether the row says that the order was served, and nothing of how. There is no honest record of service to be made
    /// of that: its mode decides in law whether there was notice, and none may be invented.
    pub(super) said_served: bool,
    /// Its end before its time.
    pub(super) ending: Option<Ending>,
}

/// Reads a row.
///
/// # Errors
/// The faults are in `findings`; none is returned then.
pub(super) fn read(map: Map<String, Value>, house: &House, findings: &mut Findings) -> Option<Row> {
    let row = Fields::read(map, findings, |fields| {
        for (name, other) in [
            ("source_id", "order_id"),
            ("case_number", "case_no"),
            ("form", "order_type"),
        ] {
            fields.alias(name, other);
        }
        let row = read_fields(fields, house);
        demand_core(fields, &row);
        row
    });
    findings.faults.is_empty().then_some(row)
}

fn read_fields(fields: &mut Fields<'_>, house: &House) -> Row {
    let source_id = fields.text("source_id");
    let order = Order {
        family: fields.word("family"),
        stage: fields.word("stage"),
        form: form(fields),
        statute: fields.text("statute"),
        court: court(fields, house),
        case_number: fields.text("case_number"),
        agency_case_number: fields.text("agency_case_number"),
        fcn: fields.text("fcn"),
        issued: fields.parsed("issued"),
        issued_time: fields.parsed("issued_time"),
        effective: fields.parsed("effective"),
        effective_time: fields.parsed("effective_time"),
        hearing: hearing(fields),
        expires: expires(fields),
        restrained: person::restrained(fields),
        present_at_hearing: fields.flag("present_at_hearing"),
        protected: person::protected(fields),
        establishment: Some(fields.text("establishment")).filter(|name| !name.is_empty()),
        terms: terms::read(fields),
        other_text: fields.text("other_text"),
        previous: fields.parsed("previous"),
        lineage: fields.parsed("lineage"),
        foreign: fields.within("foreign", foreign),
        brady: brady(fields),
    };
    let (services, said_served) = services(fields, house, order.present_at_hearing);
    Row {
        source_id,
        order,
        services,
        said_served,
        ending: ending(fields),
    }
}

/// Refuses a row without the source's own name for it, or without the legal core. A field that is there and wrong is told
/// once.
fn demand_core(fields: &mut Fields<'_>, row: &Row) {
    if row.source_id.is_empty() && !fields.is_refused("source_id") {
        let why = "by it, with the case number, a second import knows the order again";
        fields.refuse("source_id", Reason::Missing(why));
    }
    let Err(missing) = legal_core(&row.order) else {
        return;
    };
    for field in missing.fields {
        if !fields.is_refused(field.as_str()) {
            fields.refuse(field.as_str(), Reason::CoreMissing);
        }
    }
}

/// The form's number where the form is known, otherwise the text as it came.
fn form(fields: &mut Fields<'_>) -> String {
    let text = fields.text("form");
    Form::find(&text).map_or(text, |form| form.number.to_owned())
}

/// The court of the house. What a row says may only agree, and add what is printed on the order.
fn court(fields: &mut Fields<'_>, house: &House) -> Court {
    let mut court = Court::default();
    let named = match fields.take("court") {
        Some(Value::Object(map)) => Some(fields.inner("court", map, |fields| {
            court.name = fields.text("name");
            printed(fields, &mut court, "");
            let path = |slug: String, tribal| format!("{}/{slug}", if tribal { "tribal" } else { "court" });
            let tribal = fields.flag("tribal").unwrap_or_default();
            let slug = fields.text("slug");
            if slug.is_empty() {
                court.name.clone()
            } else {
                path(slug, tribal)
            }
        })),
        Some(text) => fields.text_of("court", text),
        None => None,
    };
    printed(fields, &mut court, "court_");
    if !house.assume_court {
        agree(fields, house.court.as_ref(), named.as_deref(), &court.name);
    }
    let Some(own) = &house.court else {
        // Nothing is filed here; the order still needs a court to be looked at.
        return Court {
            name: named.unwrap_or_else(|| "this court".to_owned()),
            ..court
        };
    };
    if house.assume_court {
        court.name.clear();
    }
    own.slug().clone_into(&mut court.slug);
    court.tribal = own.tribal();
    for (field, usual) in [
        (&mut court.name, &house.usual.name),
        (&mut court.ori, &house.usual.ori),
        (&mut court.phone, &house.usual.phone),
        (&mut court.address, &house.usual.address),
    ] {
        if field.is_empty() {
            field.clone_from(usual);
        }
    }
    court
}

fn printed(fields: &mut Fields<'_>, court: &mut Court, prefix: &str) {
    for (field, name) in [
        (&mut court.name, "name"),
        (&mut court.address, "address"),
        (&mut court.phone, "phone"),
        (&mut court.department, "department"),
        (&mut court.judge, "judge"),
        (&mut court.ori, "ori"),
    ] {
        let text = fields.text(&format!("{prefix}{name}"));
        if !text.is_empty() {
            *field = text;
        }
    }
}

/// The court that a row names must be the own one. What is printed as its name may be anything but that of another county's
/// court; the names of tribal courts are longer than their paths, so nothing is concluded from them.
fn agree(fields: &mut Fields<'_>, own: Option<&CourtRef>, named: Option<&str>, printed: &str) {
    let foreign = |found: &CourtRef| own.is_some_and(|own| own != found);
    match named.filter(|named| !named.is_empty()).map(CourtRef::find) {
        Some(None) => fields.refuse("court", Reason::NoSuchCourt),
        Some(Some(found)) if foreign(&found) => fields.refuse("court", Reason::OtherCourt),
        _ if CourtRef::find(printed).is_some_and(|found| !found.tribal() && foreign(&found)) => {
            fields.refuse("court_name", Reason::OtherCourt);
        }
        _ => {}
    }
}

/// An object, or the day alone.
fn hearing(fields: &mut Fields<'_>) -> Option<Hearing> {
    match fields.take("hearing")? {
        Value::Object(map) => Some(fields.inner("hearing", map, |fields| Hearing {
            date: fields.parsed("date"),
            time: fields.parsed("time"),
            department: fields.text("department"),
            room: fields.text("room"),
            judge: fields.text("judge"),
            attended: fields.text("attended"),
        })),
        day => {
            fields.put("hearing", day);
            let date = fields.parsed("hearing")?;
            Some(Hearing {
                date: Some(date),
                ..Hearing::default()
            })
        }
    }
}

/// A day, `never`, or an object with kind, date and time; beside it `expires_time`.
fn expires(fields: &mut Fields<'_>) -> Expiry {
    let beside: Option<TimeOfDay> = fields.parsed("expires_time");
    let (kind, date, time) = match fields.take("expires") {
        None => Default::default(),
        Some(Value::Object(map)) => fields.inner("expires", map, |fields| {
            (fields.text("kind"), fields.text("date"), fields.parsed("time"))
        }),
        Some(other) => match fields.text_of("expires", other).unwrap_or_default() {
            day if day.starts_with(|first: char| first.is_ascii_digit()) => (String::new(), day, None),
            word => (word, String::new(), None),
        },
    };
    let time = time.or(beside);
    let read: Result<Expiry, Reason> = match (kind.to_ascii_lowercase().as_str(), date.as_str()) {
        ("never" | "permanent", "") if time.is_none() => Ok(Expiry::Never),
        ("" | "not_stated", "") if time.is_none() => Ok(Expiry::NotStated),
        ("on_date" | "", "") => Err(Reason::Missing("a day belongs to it")),
        ("" | "on_date", day) => day
            .parse()
            .map(|date| Expiry::OnDate { date, time })
            .map_err(Reason::from),
        _ => Err(Reason::ExpiryKind),
    };
    read.unwrap_or_else(|reason| {
        fields.refuse("expires", reason);
        Expiry::NotStated
    })
}

fn foreign(fields: &mut Fields<'_>) -> ForeignOrder {
    ForeignOrder {
        jurisdiction: fields.text("jurisdiction"),
        order_number: fields.text("order_number"),
        valid_on_face: fields.flag("valid_on_face"),
        registered: fields.parsed("registered"),
    }
}

/// An object, or the indicator alone.
fn brady(fields: &mut Fields<'_>) -> Option<Brady> {
    match fields.take("brady")? {
        Value::Object(map) => Some(fields.inner("brady", map, |fields| Brady {
            indicator: fields.word("indicator"),
            reason: fields.text("reason"),
        })),
        indicator => {
            fields.put("brady", indicator);
            Some(Brady {
                indicator: fields.parsed("brady")?,
                reason: String::new(),
            })
        }
    }
}

/// The services, and whether there was one of which nothing else is known.
fn services(fields: &mut Fields<'_>, house: &House, present: Option<bool>) -> (Vec<(String, Service)>, bool) {
    let served = fields.flag("served");
    let listed = fields.each("service", |fields| service(fields, house));
    let mut services: Vec<_> = listed
        .into_iter()
        .enumerate()
        .map(|(place, service)| (format!("service-{}", place + 1), service))
        .collect();
    let notice = services.iter().any(|(_, service)| service.mode.gives_notice());
    match served {
        Some(false) if notice => {
            fields.refuse("served", Reason::NotServedAfterAll);
            (services, false)
        }
        Some(true) if !notice && present != Some(true) => {
            if let Some(mode) = house.served_as {
                let note = "The court's system says that it was served; how was stated for all such orders at the import.";
                services.push((
                    "served".to_owned(),
                    Service {
                        mode,
                        note: note.to_owned(),
                        ..Service::default()
                    },
                ));
            }
            (services, house.served_as.is_none())
        }
        _ => (services, false),
    }
}

fn service(fields: &mut Fields<'_>, house: &House) -> Service {
    let mode = match (fields.has("mode"), house.served_as) {
        (false, Some(mode)) => Some(mode),
        (false, None) => {
            fields.refuse(
                "mode",
                Reason::Missing("it decides whether there was notice (or give --served-as)"),
            );
            None
        }
        (true, _) => fields.parsed("mode"),
    };
    Service {
        mode: mode.unwrap_or_default(),
        date: fields.parsed("date"),
        time: fields.parsed("time"),
        served_by: fields.text("served_by"),
        badge: fields.text("badge"),
        agency: fields.text("agency"),
        agency_ori: fields.text("agency_ori"),
        place: fields.text("place"),
        note: fields.text("note"),
    }
}

fn ending(fields: &mut Fields<'_>) -> Option<Ending> {
    fields.within("ended", |fields| {
        let by = fields.parsed("by");
        let kind = match (fields.text("kind").to_ascii_lowercase().as_str(), by) {
            ("terminated", None) => EndingKind::Terminated,
            ("cancelled_entry_error", None) => EndingKind::CancelledEntryError,
            ("superseded", Some(by)) => EndingKind::Superseded { by },
            ("superseded", None) => {
                fields.refuse(
                    "by",
                    Reason::Missing("name the order (its id) that took its place"),
                );
                EndingKind::Terminated
            }
            _ => {
                fields.refuse("kind", Reason::EndingKind);
                EndingKind::Terminated
            }
        };
        Ending {
            kind,
            date: fields.parsed("date"),
            time: fields.parsed("time"),
        }
    })
}
