//! The start page: one box for a dispatcher's line, and a form. A question is sent as a form, kept under a name that says
//! nothing, and answered on a page of its own: no name of a person stands in an address.

use askama::Template;
use axum::Extension;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use ccpor_api::message::{AskedPerson, Identifier, LookupRequest};
use serde::Deserialize;

use crate::fields::Fields;
use crate::frame::{Frame, Here, Shown, show};
use crate::live::{self, Live};
use crate::site::{Inner, Question, Site};
use crate::visit::Visit;

/// What a form is opened with.
#[derive(Default, Deserialize)]
pub(crate) struct Opened {
    /// What was typed and could not be sent.
    draft: Option<String>,
    /// A question to be changed.
    again: Option<String>,
}

#[derive(Template)]
#[template(path = "search.html")]
struct SearchPage<'a> {
    f: Frame<'a>,
    v: &'a Fields,
    problem: Option<&'a str>,
    restored: bool,
    /// Whether the form is open at once: something is in it.
    open: bool,
    live: Option<Live>,
}

#[derive(Template)]
#[template(path = "between.html")]
struct BetweenPage<'a> {
    f: Frame<'a>,
    v: &'a Fields,
    problem: Option<&'a str>,
    restored: bool,
}

/// The fields of the form below the line.
const FORM: [&str; 14] = [
    "purpose",
    "incident",
    "last",
    "first",
    "middle",
    "suffix",
    "dob_month",
    "dob_day",
    "dob_year",
    "dl",
    "plate",
    "case_number",
    "registry_number",
    "role",
];

/// `GET /search`.
pub(crate) async fn page(
    State(site): State<Site>,
    Extension(visit): Extension<Visit>,
    Query(opened): Query<Opened>,
) -> Shown {
    let (fields, restored) = values(&site, &visit, &opened);
    form(&site, &visit, &fields, None, restored).await
}

/// `GET /between`: two people, all courts.
pub(crate) async fn between_page(
    State(site): State<Site>,
    Extension(visit): Extension<Visit>,
    Query(opened): Query<Opened>,
) -> Shown {
    let (fields, restored) = values(&site, &visit, &opened);
    between_form(&site, &visit, &fields, None, restored)
}

fn values(site: &Inner, visit: &Visit, opened: &Opened) -> (Fields, bool) {
    if let Some(fields) = visit.draft(site, opened.draft.as_deref()) {
        return (fields, true);
    }
    let fields = visit
        .question(site, opened.again.as_deref())
        .map(|question| question.fields);
    (fields.unwrap_or_default(), false)
}

async fn form(site: &Inner, visit: &Visit, fields: &Fields, problem: Option<&str>, restored: bool) -> Shown {
    let page = SearchPage {
        f: Frame::new(site, visit, visit.words().search_title, Here::Search),
        v: fields,
        problem,
        restored,
        live: live::now(site, visit).await,
        open: FORM.iter().any(|name| !fields.get(name).is_empty()),
    };
    asked_for_more(show(&page)?, problem)
}

fn between_form(
    site: &Inner,
    visit: &Visit,
    fields: &Fields,
    problem: Option<&str>,
    restored: bool,
) -> Shown {
    let page = BetweenPage {
        f: Frame::new(site, visit, visit.words().between_title, Here::Between),
        v: fields,
        problem,
        restored,
    };
    asked_for_more(show(&page)?, problem)
}

fn asked_for_more(mut response: Response, problem: Option<&str>) -> Shown {
    if problem.is_some() {
        *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    }
    Ok(response)
}

/// The form again with what the registry did not understand.
pub(crate) async fn not_understood(site: &Inner, visit: &Visit, question: &Question, problem: &str) -> Shown {
    if question.pair {
        between_form(site, visit, &question.fields, Some(problem), false)
    } else {
        form(site, visit, &question.fields, Some(problem), false).await
    }
}

/// `POST /search`.
pub(crate) async fn ask(State(site): State<Site>, Extension(visit): Extension<Visit>) -> Shown {
    let request = request(&visit.fields);
    if request == LookupRequest::default() {
        return form(
            &site,
            &visit,
            &visit.fields,
            Some(visit.words().search_nothing),
            false,
        )
        .await;
    }
    Ok(kept(&site, &visit, request, false))
}

/// `POST /between`.
pub(crate) async fn ask_between(State(site): State<Site>, Extension(visit): Extension<Visit>) -> Shown {
    let (one, other) = (visit.fields.get("one"), visit.fields.get("other"));
    if one.is_empty() || other.is_empty() {
        return between_form(
            &site,
            &visit,
            &visit.fields,
            Some(visit.words().between_nothing),
            false,
        );
    }
    let request = LookupRequest {
        line: one.to_owned(),
        with: vec![AskedPerson {
            line: other.to_owned(),
            ..AskedPerson::default()
        }],
        between: true,
        ..LookupRequest::default()
    };
    Ok(kept(&site, &visit, request, true))
}

fn kept(site: &Inner, visit: &Visit, request: LookupRequest, pair: bool) -> Response {
    let id = site.questions.keep(Question {
        account: visit.account().to_owned(),
        request,
        purpose: visit.fields.get("purpose").to_owned(),
        incident: visit.fields.get("incident").to_owned(),
        fields: visit.fields.clone(),
        pair,
    });
    Redirect::to(&format!("/answers/{id}")).into_response()
}

/// The question that a form asks; the default when it asks nothing.
fn request(fields: &Fields) -> LookupRequest {
    let text = |name: &str| fields.get(name).to_owned();
    let plate = (!fields.get("plate").is_empty()).then(|| Identifier {
        kind: "plate".to_owned(),
        value: text("plate"),
        issuer: String::new(),
    });
    let mut request = LookupRequest {
        line: text("line"),
        last: text("last"),
        first: text("first"),
        middle: text("middle"),
        suffix: text("suffix"),
        dob: birth(fields),
        dl: text("dl"),
        case_number: text("case_number"),
        registry_number: text("registry_number"),
        identifiers: plate.into_iter().collect(),
        ..LookupRequest::default()
    };
    if request != LookupRequest::default() {
        request.role = text("role");
    }
    request
}

/// A date of birth as far as it was typed: year, month, day.
fn birth(fields: &Fields) -> String {
    let part = |name: &str| match fields.get(name).parse::<u32>() {
        Ok(number) => format!("{number:02}"),
        Err(_) => fields.get(name).to_owned(),
    };
    let parts = [part("dob_year"), part("dob_month"), part("dob_day")];
    parts
        .iter()
        .filter(|part| !part.is_empty())
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(body: &str) -> LookupRequest {
        request(&Fields::read(body.as_bytes()).unwrap())
    }

    #[test]
    fn an_empty_form_asks_nothing_whatever_role_is_chosen() {
        assert_eq!(
            asked("line=+&last=&role=restrained&form_token=x&by=y"),
            LookupRequest::default()
        );
    }

    #[test]
    fn a_date_of_birth_is_asked_as_far_as_it_was_typed() {
        let dob = |body: &str| asked(&format!("last=Doe&{body}")).dob;
        assert_eq!(dob("dob_year=1985&dob_month=3&dob_day=12"), "1985-03-12");
        assert_eq!(dob("dob_year=1985&dob_month=&dob_day="), "1985");
        // What is no number is not guessed at: the registry says what is wrong with it.
        assert_eq!(dob("dob_year=85&dob_month=May"), "85-May");
    }
}
