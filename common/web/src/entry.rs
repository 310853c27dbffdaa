//! The entry of an order by a clerk: one form for every family, what it clashes with in other courts and what is missing shown
//! before it is filed, beside the fields. Nothing that is missing keeps an order out but the legal core.

use askama::Template;
use axum::Extension;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect};
use ccpor_api::message::{
    CheckOrderAnswer, CheckOrderRequest, Court, Expiry, FileOrderRequest, Identifier, Name, Order, Person,
    Protected, Term,
};
use ccpor_api::{Caller, Problem};
use ccpor_domain::{FORMS, FormKind};
use serde::Deserialize;

use crate::as_of::AsOf;
use crate::ask;
use crate::called::called;
use crate::fields::Fields;
use crate::frame::{Frame, Here, Shown, show, trouble};
use crate::kept::unguessable;
use crate::site::{Inner, Site};
use crate::visit::Visit;

/// Protected persons that the form has room for.
const PROTECTED: [&str; 4] = ["p1", "p2", "p3", "p4"];
/// Terms that are a box each: the field and the term.
const TERMS: [(&str, &str); 7] = [
    ("term_conduct", "conduct"),
    ("term_no_contact", "no_contact"),
    ("term_move_out", "move_out"),
    ("term_firearms", "firearms"),
    ("term_body_armor", "body_armor"),
    ("term_animals", "animals"),
    ("term_record", "record_communications"),
];
/// From what a distance is to be kept: the field and the place.
const PLACES: [(&str, &str); 6] = [
    ("place_person", "person"),
    ("place_home", "home"),
    ("place_work", "work"),
    ("place_vehicle", "vehicle"),
    ("place_school", "school"),
    ("place_children_school", "children_school"),
];

/// What the form is opened with.
#[derive(Default, Deserialize)]
pub(crate) struct Opened {
    draft: Option<String>,
}

#[derive(Template)]
#[template(path = "entry.html")]
struct EntryPage<'a> {
    f: Frame<'a>,
    v: &'a Fields,
    key: String,
    restored: bool,
    problem: Option<String>,
    checked: Option<Checked>,
    notes: Vec<Note>,
}

/// Something to look at beside a field.
struct Note {
    /// The field of the form; empty when the form has none for it.
    field: String,
    words: String,
    rule: String,
    refused: bool,
}

/// What the registry said of a draft.
struct Checked {
    as_of: AsOf,
    clashes: Vec<Clashing>,
    unreadable: usize,
}

struct Clashing {
    words: String,
    law: String,
    number: String,
    court: String,
    case_number: String,
}

#[derive(Template)]
#[template(path = "input.html")]
struct Input<'a> {
    name: String,
    label: String,
    kind: String,
    value: &'a str,
    note: Option<&'a Note>,
}

impl EntryPage<'_> {
    fn input(&self, name: impl AsRef<str>, label: impl AsRef<str>, kind: impl AsRef<str>) -> Input<'_> {
        let name = name.as_ref();
        Input {
            value: self.v.get(name),
            note: self.note(name),
            name: name.to_owned(),
            label: label.as_ref().to_owned(),
            kind: kind.as_ref().to_owned(),
        }
    }

    fn note(&self, name: &str) -> Option<&Note> {
        self.notes.iter().find(|note| note.field == name)
    }

    fn ticked(&self, name: impl AsRef<str>) -> &'static str {
        if self.v.get(name.as_ref()).is_empty() {
            ""
        } else {
            " checked"
        }
    }

    fn chosen(&self, name: impl AsRef<str>, value: impl AsRef<str>) -> &'static str {
        if self.v.get(name.as_ref()) == value.as_ref() {
            " selected"
        } else {
            ""
        }
    }

    /// The forms on which orders are made.
    fn forms(&self) -> impl Iterator<Item = &'static str> {
        FORMS
            .iter()
            .filter(|form| form.kind == FormKind::Order)
            .map(|form| form.number)
    }
}

/// `GET /entry`.
pub(crate) async fn page(
    State(site): State<Site>,
    Extension(visit): Extension<Visit>,
    Query(opened): Query<Opened>,
) -> Shown {
    let draft = visit.draft(&site, opened.draft.as_deref());
    let (restored, fields) = (draft.is_some(), draft.unwrap_or_default());
    let page = EntryPage {
        f: Frame::new(&site, &visit, visit.words().entry_title, Here::Entry),
        restored,
        v: &fields,
        key: unguessable(),
        problem: None,
        checked: None,
        notes: Vec::new(),
    };
    show(&page)
}

/// `POST /entry`: checks the draft, or files it.
pub(crate) async fn post(State(site): State<Site>, Extension(visit): Extension<Visit>) -> Shown {
    let caller = visit
        .caller()
        .map_err(|problem| trouble(&site, &visit, &problem))?;
    let order = order(
        &visit.fields,
        visit.session.as_ref().map_or("", |session| session.of.as_str()),
    );
    let asked = CheckOrderRequest {
        order: Some(order.clone()),
    };
    let checked = ask::read(&site, site.pages.backend.check_order(&caller, asked)).await;
    let checked = match checked {
        Ok(checked) => checked,
        Err(problem) => return again(&site, &visit, None, Some(problem)),
    };
    let clashes = !checked.clashes.is_empty();
    let reason = visit.fields.get("reason").to_owned();
    if !visit.fields.is("step", "file") || (clashes && reason.is_empty()) {
        return again(&site, &visit, Some(checked), None);
    }
    match file(&site, caller, &visit.fields, order, reason).await {
        Ok(number) => Ok(Redirect::to(&format!("/orders/{number}?done=filed")).into_response()),
        Err(problem) => again(&site, &visit, Some(checked), Some(problem)),
    }
}

async fn file(
    site: &Inner,
    caller: Caller,
    fields: &Fields,
    order: Order,
    reason: String,
) -> Result<String, Problem> {
    let request = FileOrderRequest {
        // From the form as it was opened: sending it twice files one order.
        idempotency_key: format!("entry-{}", fields.get("key")),
        order: Some(order),
        reason,
        ..FileOrderRequest::default()
    };
    let done = ask::write(site, move |backend| async move {
        backend.file_order(&caller, request).await
    })
    .await?;
    Ok(done.registry_number)
}

/// The form as it was sent, with what there is to say about it.
fn again(site: &Inner, visit: &Visit, checked: Option<CheckOrderAnswer>, problem: Option<Problem>) -> Shown {
    let w = visit.words();
    let mut notes: Vec<Note> = Vec::new();
    let status = if problem.is_some() {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    let said = problem.map(|problem| {
        notes.extend(problem.fields.iter().map(|field| Note {
            field: field_of(&field.path),
            words: field.reason.clone(),
            rule: String::new(),
            refused: true,
        }));
        format!("{} {}", problem.detail, problem.advice())
    });
    let checked = match checked {
        Some(answer) => {
            notes.extend(
                answer
                    .warnings
                    .iter()
                    .filter(|warning| !is_filled_in(&warning.field))
                    .map(|warning| Note {
                        field: field_of(&warning.field),
                        words: warning.message.clone(),
                        rule: warning.rule.clone(),
                        refused: false,
                    }),
            );
            Some(seen(
                &answer,
                AsOf::of(answer.freshness.as_ref(), w).map_err(|problem| trouble(site, visit, &problem))?,
            ))
        }
        None => None,
    };
    let key = match visit.fields.get("key") {
        "" => unguessable(),
        key => key.to_owned(),
    };
    let mut response = show(&EntryPage {
        f: Frame::new(site, visit, w.entry_title, Here::Entry),
        v: &visit.fields,
        key,
        restored: false,
        problem: said,
        checked,
        notes,
    })?;
    *response.status_mut() = status;
    Ok(response)
}

fn seen(answer: &CheckOrderAnswer, as_of: AsOf) -> Checked {
    let clashes = answer.clashes.iter().map(|clash| {
        let order = answer
            .orders
            .iter()
            .find(|order| order.order_id == clash.order_id)
            .cloned()
            .unwrap_or_default();
        Clashing {
            words: clash.words.clone(),
            law: clash.law.clone(),
            court: if order.court_name.is_empty() {
                called(&order.court)
            } else {
                order.court_name
            },
            number: order.registry_number,
            case_number: order.case_number,
        }
    });
    Checked {
        clashes: clashes.collect(),
        as_of,
        unreadable: answer.not_readable.len(),
    }
}

/// What the machine adds to each order from its settings when it is filed.
fn is_filled_in(path: &str) -> bool {
    matches!(
        path.strip_prefix("order.").unwrap_or(path),
        "court.name" | "court.address" | "court.phone" | "court.ori"
    )
}

/// The field of the form for a field of an order: `order.protected[0].person.dob` is `p1_dob`.
fn field_of(path: &str) -> String {
    let path = path.strip_prefix("order.").unwrap_or(path);
    let last = path.rsplit('.').next().unwrap_or_default();
    let rest = path
        .strip_prefix("protected[")
        .or_else(|| path.strip_prefix("protected."));
    if let Some(rest) = rest {
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        let number = digits.parse::<usize>().map_or(1, |place| place + 1);
        let field = if last == "name" { "last" } else { last };
        return format!("p{number}_{field}");
    }
    match path {
        "protected" => "p1_last",
        "restrained.name" | "restrained.name.last" | "restrained" => "last",
        "restrained.name.first" => "first",
        "restrained.height_inches" => "feet",
        "restrained.weight_pounds" => "weight",
        "restrained.identifiers" => "dl",
        "expires.date" | "expires" => "expires",
        "present_at_hearing" => "present",
        "terms" => "term_conduct",
        "case_number" | "issued" | "form" | "statute" | "other_text" | "court.judge" | "court.department"
        | "restrained.dob" | "restrained.sex" | "restrained.race" | "restrained.hair" | "restrained.eye"
        | "restrained.marks" => last,
        // The form has no field for it: it is said all the same.
        _ => "",
    }
    .to_owned()
}

/// The order that the form says. What is no number is left to the registry's words, never guessed.
fn order(fields: &Fields, court: &str) -> Order {
    let text = |name: &str| fields.get(name).to_owned();
    let ticked = |name: &str| !fields.get(name).is_empty();
    let slug = court.split_once('/');
    let expires = match (ticked("no_end"), fields.get("expires")) {
        (true, _) => Some(("never", String::new())),
        (false, "") => None,
        (false, date) => Some(("on_date", date.to_owned())),
    };
    Order {
        form: text("form"),
        statute: text("statute"),
        court: Some(Court {
            slug: slug.map(|(_, slug)| slug.to_owned()).unwrap_or_default(),
            tribal: slug.is_some_and(|(kind, _)| kind == "tribal"),
            judge: text("judge"),
            department: text("department"),
            ..Court::default()
        }),
        case_number: text("case_number"),
        issued: text("issued"),
        expires: expires.map(|(kind, date)| Expiry {
            kind: kind.to_owned(),
            date,
            time: String::new(),
        }),
        restrained: Some(restrained(fields)),
        present_at_hearing: ticked("present").then_some(true),
        protected: PROTECTED
            .iter()
            .filter_map(|prefix| protected(fields, prefix))
            .collect(),
        terms: terms(fields),
        other_text: text("other_text"),
        ..Order::default()
    }
}

fn restrained(fields: &Fields) -> Person {
    let number = |name: &str| fields.get(name).parse::<u32>().ok();
    let dl = (!fields.get("dl").is_empty()).then(|| Identifier {
        kind: "driver_license".to_owned(),
        value: fields.get("dl").to_owned(),
        issuer: "CA".to_owned(),
    });
    Person {
        height_inches: number("feet").map(|feet| {
            feet.saturating_mul(12)
                .saturating_add(number("inches").unwrap_or(0))
        }),
        weight_pounds: number("weight"),
        hair: fields.get("hair").to_owned(),
        eye: fields.get("eye").to_owned(),
        race: Some(fields.get("race").to_owned())
            .filter(|race| !race.is_empty())
            .into_iter()
            .collect(),
        marks: fields.get("marks").to_owned(),
        identifiers: dl.into_iter().collect(),
        ..person(fields, "")
    }
}

fn person(fields: &Fields, prefix: &str) -> Person {
    let text = |name: &str| fields.get(&format!("{prefix}{name}")).to_owned();
    Person {
        name: Some(Name {
            first: text("first"),
            middle: text("middle"),
            last: text("last"),
            suffix: text("suffix"),
        }),
        dob: text("dob"),
        sex: text("sex"),
        ..Person::default()
    }
}

fn protected(fields: &Fields, prefix: &str) -> Option<Protected> {
    let person = person(fields, &format!("{prefix}_"));
    let named = person
        .name
        .as_ref()
        .is_some_and(|name| !name.last.is_empty() || !name.first.is_empty());
    named.then(|| Protected {
        person: Some(person),
        role: if prefix == "p1" { "primary" } else { "additional" }.to_owned(),
        relationship: fields.get(&format!("{prefix}_relationship")).to_owned(),
        ..Protected::default()
    })
}

fn terms(fields: &Fields) -> Vec<Term> {
    let ticked = |name: &str| !fields.get(name).is_empty();
    let term = |kind: &str| Term {
        kind: kind.to_owned(),
        ..Term::default()
    };
    let mut terms: Vec<Term> = TERMS
        .iter()
        .filter(|(field, _)| ticked(field))
        .map(|(_, kind)| term(kind))
        .collect();
    if ticked("term_stay_away") {
        terms.push(Term {
            distance_yards: fields.get("yards").parse().ok(),
            places: PLACES
                .iter()
                .filter(|(field, _)| ticked(field))
                .map(|(_, place)| (*place).to_owned())
                .collect(),
            ..term("stay_away")
        });
    }
    for (field, kind) in [("custody", "custody"), ("peaceful", "peaceful_contact")] {
        if ticked(field) {
            terms.push(Term {
                text: fields.get(field).to_owned(),
                ..term(kind)
            });
        }
    }
    terms
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_becomes_an_order_of_the_clerks_own_court() {
        let body = "form=DV-130&case_number=FL-1&issued=2026-11-20&expires=2029-11-20&last=Doe&first=John&feet=6&inches=1\
            &p1_last=Doe&p1_first=Jane&p2_last=&term_no_contact=on&term_stay_away=on&yards=100&place_home=on&custody=With+Jane";
        let made = order(&Fields::read(body.as_bytes()).unwrap(), "tribal/yurok");
        let court = made.court.unwrap();
        assert_eq!((court.slug.as_str(), court.tribal), ("yurok", true));
        assert_eq!(made.restrained.unwrap().height_inches, Some(73));
        assert_eq!(made.protected.len(), 1);
        let kinds: Vec<&str> = made.terms.iter().map(|term| term.kind.as_str()).collect();
        assert_eq!(kinds, ["no_contact", "stay_away", "custody"]);
        assert_eq!(made.terms[1].places, ["home"]);
        assert_eq!(made.expires.unwrap().kind, "on_date");
    }

    #[test]
    fn what_is_said_of_a_field_stands_beside_it() {
        for (path, field) in [
            ("order.restrained.name", "last"),
            ("restrained.race", "race"),
            ("order.protected[1].person.dob", "p2_dob"),
            ("protected", "p1_last"),
            ("case_number", "case_number"),
        ] {
            assert_eq!(field_of(path), field, "{path}");
        }
    }
}
