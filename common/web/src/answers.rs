//! The answer to a question: what was found, why, what state it is in, and up to when that holds.

use askama::Template;
use axum::Extension;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect};
use ccpor_api::message::{Hit, LookupAnswer, LookupRequest};
use serde::Deserialize;

use crate::as_of::AsOf;
use crate::ask;
use crate::badge::{self, Badge, badges};
use crate::called::called;
use crate::frame::{Frame, Here, Shown, show, trouble};
use crate::search;
use crate::site::Site;
use crate::visit::Visit;
use crate::words::{Words, fill};

/// Most hits of a page.
const MOST: u32 = 25;

/// What is to be shown of an answer. No personal data.
#[derive(Clone, Default, Deserialize)]
pub(crate) struct Filter {
    #[serde(default)]
    state: String,
    #[serde(default)]
    served: String,
    #[serde(default)]
    role: String,
    #[serde(default)]
    court: String,
    #[serde(default)]
    after: String,
}

impl Filter {
    fn narrows(&self) -> bool {
        [&self.state, &self.served, &self.role, &self.court]
            .iter()
            .any(|part| !part.is_empty())
    }

    fn on(&self, mut request: LookupRequest) -> LookupRequest {
        if self.state == "in_force" {
            request.states = vec!["active".to_owned(), "not_yet_effective".to_owned()];
        }
        if !self.role.is_empty() {
            request.role.clone_from(&self.role);
        }
        if !self.court.is_empty() {
            request.courts = vec![self.court.clone()];
        }
        request.page_token.clone_from(&self.after);
        request.limit = MOST;
        request
    }

    fn keeps(&self, hit: &Hit) -> bool {
        let served = hit.standing.as_ref().is_some_and(|standing| standing.served);
        match self.served.as_str() {
            "yes" => served,
            "no" => !served,
            _ => true,
        }
    }

    /// The same filter with the hits after these, as an address.
    fn following(&self, id: &str, token: &str) -> String {
        let state = &self.state;
        let (served, role, court) = (&self.served, &self.role, &self.court);
        format!("/answers/{id}?state={state}&served={served}&role={role}&court={court}&after={token}")
    }
}

#[derive(Template)]
#[template(path = "answers.html")]
struct AnswersPage<'a> {
    f: Frame<'a>,
    as_of: AsOf,
    id: &'a str,
    heading: String,
    /// What was asked, in the registry's words.
    understood: &'a str,
    query_id: &'a str,
    pair: bool,
    hits: Vec<HitView>,
    filter: &'a Filter,
    /// Whether hits were left out by the filter.
    narrowed: bool,
    courts: Vec<(String, String)>,
    next: Option<String>,
    radio: bool,
    /// What was left out because no purpose was stated, in words.
    withheld: String,
}

struct HitView {
    number: usize,
    path: String,
    registry_number: String,
    badges: Vec<Badge>,
    title: String,
    name: String,
    role: &'static str,
    dob: String,
    restrained: String,
    terms: Vec<String>,
    ends: String,
    court: String,
    court_as_of: String,
    telephone: String,
    case_number: String,
    image: bool,
    band: &'static str,
    why: Vec<String>,
    also: Vec<String>,
    radio: String,
    /// In force and not served: here is what to read aloud.
    notice: bool,
}

impl HitView {
    fn of(hit: Hit, number: usize, as_of: &AsOf, w: &'static Words) -> Self {
        let standing = hit.standing.as_ref();
        let served = standing.is_some_and(|standing| standing.served);
        Self {
            number,
            path: format!("/orders/{}", hit.registry_number),
            badges: badges(standing, hit.sealed, w),
            terms: badge::terms(standing, w),
            ends: badge::ends(standing.and_then(|standing| standing.ends.as_ref()), w),
            notice: badge::in_force(standing) && !served,
            role: role(&hit.person, w),
            band: band(&hit.band, w),
            court_as_of: as_of.of_court(&hit.court).to_owned(),
            also: hit
                .also
                .iter()
                .map(|also| format!("{}: {} {}", role(&also.person, w), also.name, also.dob))
                .collect(),
            court: if hit.court_name.is_empty() {
                called(&hit.court)
            } else {
                hit.court_name
            },
            title: hit.title,
            name: hit.name,
            dob: hit.dob,
            restrained: hit.restrained_name,
            telephone: hit.court_telephone,
            case_number: hit.case_number,
            image: hit.has_image,
            why: hit.why,
            radio: hit.radio,
            registry_number: hit.registry_number,
        }
    }
}

/// Which side of an order somebody is on.
pub(crate) fn role(word: &str, w: &'static Words) -> &'static str {
    match word {
        "protected" => w.protected_person,
        _ => w.restrained_person,
    }
}

fn band(word: &str, w: &'static Words) -> &'static str {
    match word {
        "exact" => w.band_exact,
        "strong" => w.band_strong,
        _ => w.band_possible,
    }
}

/// `GET /answers/{id}`: asks again each time, so that the answer is of now.
pub(crate) async fn page(
    State(site): State<Site>,
    Extension(visit): Extension<Visit>,
    Path(id): Path<String>,
    Query(filter): Query<Filter>,
) -> Shown {
    let Some(question) = visit.question(&site, Some(&id)) else {
        return Ok(Redirect::to("/search").into_response());
    };
    let request = filter.on(question.request.clone());
    let caller = visit
        .caller_for(Some(&question))
        .map_err(|problem| trouble(&site, &visit, &problem))?;
    let answer = match ask::read(&site, site.pages.backend.lookup(&caller, request)).await {
        Ok(answer) => answer,
        Err(problem) if matches!(problem.code.status(), 400 | 422) && !filter.narrows() => {
            return search::not_understood(&site, &visit, &question, &reason(&problem)).await;
        }
        Err(problem) => return Err(trouble(&site, &visit, &problem)),
    };
    let as_of = AsOf::of(answer.freshness.as_ref(), visit.words())
        .map_err(|problem| trouble(&site, &visit, &problem))?;
    let page = answered(
        &Frame::new(&site, &visit, "", Here::Search),
        answer,
        as_of,
        &filter,
    );
    let w = visit.words();
    let here = if question.pair {
        Here::Between
    } else {
        Here::Search
    };
    show(&AnswersPage {
        f: Frame::new(&site, &visit, page.heading.as_str(), here),
        id: &id,
        understood: &page.understood,
        query_id: &page.query_id,
        pair: question.pair,
        withheld: page.withheld,
        radio: visit.session.as_ref().is_some_and(|session| session.desk.radio),
        next: page.next.map(|token| filter.following(&id, &token)),
        narrowed: filter.narrows() || page.left_out > 0,
        heading: if page.left_out > 0 {
            fill(
                w.answers_left_out,
                &[("heading", &page.heading), ("n", &page.left_out.to_string())],
            )
        } else {
            page.heading
        },
        hits: page.hits,
        courts: page.courts,
        as_of: page.as_of,
        filter: &filter,
    })
}

fn reason(problem: &ccpor_api::Problem) -> String {
    let fields: Vec<String> = problem
        .fields
        .iter()
        .map(|field| format!("{}: {}", field.path, field.reason))
        .collect();
    if fields.is_empty() {
        problem.detail.to_string()
    } else {
        fields.join("; ")
    }
}

struct Answered {
    heading: String,
    understood: String,
    query_id: String,
    hits: Vec<HitView>,
    left_out: usize,
    courts: Vec<(String, String)>,
    next: Option<String>,
    withheld: String,
    as_of: AsOf,
}

fn answered(f: &Frame<'_>, answer: LookupAnswer, as_of: AsOf, filter: &Filter) -> Answered {
    let fresh = answer.freshness.unwrap_or_default();
    let courts = fresh
        .courts
        .iter()
        .map(|court| (court.court.clone(), called(&court.court)))
        .collect();
    let all = answer.hits.len();
    let hits: Vec<HitView> = answer
        .hits
        .into_iter()
        .filter(|hit| filter.keeps(hit))
        .enumerate()
        .map(|(place, hit)| HitView::of(hit, place + 1, &as_of, f.w))
        .collect();
    let more = !answer.next_page_token.is_empty();
    Answered {
        heading: heading(hits.len(), more, f.w),
        understood: answer.understood,
        query_id: answer.query_id,
        left_out: all - hits.len(),
        hits,
        courts,
        withheld: answer.withheld,
        next: more.then_some(answer.next_page_token),
        as_of,
    }
}

fn heading(found: usize, more: bool, w: &Words) -> String {
    match (found, more) {
        (0, _) => w.no_match.to_owned(),
        (1, false) => w.one_found.to_owned(),
        (n, false) => fill(w.n_found, &[("n", &n.to_string())]),
        (n, true) => fill(w.first_n_found, &[("n", &n.to_string())]),
    }
}
