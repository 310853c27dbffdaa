//! One order on one page: what is to be enforced now, whom it names, service, its whole history with the state of each
//! signature, and the scan beside the data.

use askama::Template;
use axum::Extension;
use axum::extract::{Path, Query, State};
use ccpor_api::message::{
    CourtState, EnforceAnswer, EnforceRequest, EnforcedFor, EnforcedTerm, GetOrderRequest, Order,
    OrderAnswer, OrderInBrief, Person, Protected, Step, TermSetAside,
};

use crate::actions::actions;
use crate::as_of::AsOf;
use crate::ask;
use crate::badge::{self, Badge, badges};
use crate::called::called;
use crate::described::{self, Described};
use crate::frame::{Frame, Here, Shown, show, trouble};
use crate::moment;
use crate::proofs::{Scan, Served, scan, service};
use crate::site::Site;
use crate::visit::Visit;
use crate::words::{Words, fill};

#[derive(Template)]
#[template(path = "order.html")]
struct OrderPage<'a> {
    f: Frame<'a>,
    as_of: AsOf,
    number: &'a str,
    badges: Vec<Badge>,
    title: String,
    ends: String,
    court: String,
    court_as_of: String,
    telephone: String,
    case_number: String,
    facts: Vec<(&'static str, String)>,
    restrained: Described,
    protected: Vec<(Described, String)>,
    other_text: String,
    persons: Vec<For>,
    everywhere: Vec<Enforced>,
    others: Vec<Brief>,
    possibly: usize,
    enforce_problem: Option<String>,
    service: Vec<Served>,
    may_serve: bool,
    may_attach: bool,
    notice: bool,
    scans: Vec<Scan>,
    steps: Vec<Recorded>,
    damaged: usize,
    printed: String,
    /// What was just done, in words.
    done: Option<&'static str>,
    /// What else this person is offered to do with it.
    actions: Vec<(String, &'static str)>,
}

/// What is to be enforced for one protected person.
struct For {
    name: String,
    terms: Vec<Enforced>,
    aside: Vec<Aside>,
}

struct Enforced {
    words: String,
    law: String,
    why: String,
    order: String,
    /// Whether it stands in the order of this page.
    own: bool,
    after_notice: bool,
    tie: bool,
}

struct Aside {
    words: String,
    why: String,
    law: String,
    order: String,
}

struct Brief {
    number: String,
    title: String,
    court: String,
    badges: Vec<Badge>,
}

/// A record of the history.
struct Recorded {
    what: &'static str,
    at: String,
    by: String,
    reason: String,
    place: String,
    hash: String,
    hub: &'static str,
    confirmed: bool,
}

/// How the page was come to.
#[derive(Default, serde::Deserialize)]
pub(crate) struct Opened {
    /// The question whose answer named the order: its stated purpose holds for the order as well.
    from: Option<String>,
    /// What was just done: `filed`, `service`, `scan` and so on.
    done: Option<String>,
}

/// `GET /orders/{number}`.
pub(crate) async fn page(
    State(site): State<Site>,
    Extension(visit): Extension<Visit>,
    Path(number): Path<String>,
    Query(opened): Query<Opened>,
) -> Shown {
    let told = |problem| trouble(&site, &visit, &problem);
    let question = visit.question(&site, opened.from.as_deref());
    let caller = visit.caller_for(question.as_ref()).map_err(told)?;
    let wanted = GetOrderRequest {
        order_id: number.clone(),
        ..GetOrderRequest::default()
    };
    let asked = EnforceRequest {
        order_id: number,
        language: visit.language.code().to_owned(),
        ..EnforceRequest::default()
    };
    let backend = &site.pages.backend;
    let order = ask::read(&site, backend.get_order(&caller, wanted))
        .await
        .map_err(told)?;
    // These two explain the order; without them it is shown all the same.
    let enforce = ask::read(&site, backend.enforce(&caller, asked)).await;
    let courts = ask::read(&site, backend.list_courts(&caller))
        .await
        .map(|answer| answer.courts);
    let as_of = AsOf::of(order.freshness.as_ref(), visit.words()).map_err(told)?;
    let (enforce, problem) = match enforce {
        Ok(answer) => (answer, None),
        Err(problem) => (EnforceAnswer::default(), Some(problem.to_string())),
    };
    let serves = visit.session.as_ref().is_some_and(|session| session.desk.service);
    let page = of(
        Frame::new(&site, &visit, order.registry_number.as_str(), Here::Search),
        &order,
        enforce,
        &courts.unwrap_or_default(),
        as_of,
    );
    show(&OrderPage {
        enforce_problem: problem,
        may_serve: serves,
        may_attach: visit.session.as_ref().is_some_and(|session| session.desk.entry),
        done: done(opened.done.as_deref(), visit.words()),
        actions: visit
            .session
            .as_ref()
            .map_or_else(Vec::new, |session| actions(session, &order, visit.words())),
        ..page
    })
}

fn of<'a>(
    f: Frame<'a>,
    answer: &'a OrderAnswer,
    enforce: EnforceAnswer,
    courts: &[CourtState],
    as_of: AsOf,
) -> OrderPage<'a> {
    let w = f.w;
    let standing = answer.standing.as_ref();
    let nothing = Order::default();
    let order = answer.order.as_ref().unwrap_or(&nothing);
    let court = order.court.clone().unwrap_or_default();
    let here = answer
        .freshness
        .as_ref()
        .map_or(String::new(), |fresh| fresh.served_by.clone());
    let number = |id: &str| number_of(id, answer, &enforce.orders);
    let enforced = |terms: &[EnforcedTerm]| -> Vec<Enforced> {
        terms.iter().map(|term| enforced(term, answer, &number)).collect()
    };
    let brief = enforce
        .orders
        .iter()
        .find(|brief| brief.order_id == answer.order_id);
    let served = standing.is_some_and(|standing| standing.served);
    OrderPage {
        court_as_of: as_of.of_court(&answer.court).to_owned(),
        as_of,
        number: &answer.registry_number,
        badges: badges(standing, answer.sealed.is_some(), w),
        title: brief.map_or_else(|| order.form.clone(), |brief| brief.title.clone()),
        ends: badge::ends(standing.and_then(|standing| standing.ends.as_ref()), w),
        court: if court.name.is_empty() {
            called(&answer.court)
        } else {
            court.name
        },
        telephone: court.phone,
        case_number: order.case_number.clone(),
        facts: facts(order, answer, w),
        restrained: described::person(order.restrained.as_ref().unwrap_or(&Person::default()), w),
        protected: order
            .protected
            .iter()
            .map(|person| protected(person, w))
            .collect(),
        other_text: order.other_text.clone(),
        persons: enforce
            .persons
            .iter()
            .map(|person| for_person(person, &enforced, &number, w))
            .collect(),
        everywhere: enforced(&enforce.everywhere),
        others: enforce
            .orders
            .iter()
            .filter(|brief| brief.order_id != answer.order_id)
            .map(|order| brief_view(order, w))
            .collect(),
        possibly: enforce.possibly.len(),
        enforce_problem: None,
        service: answer.service.iter().map(|record| service(record, w)).collect(),
        may_serve: false,
        may_attach: false,
        notice: badge::in_force(standing) && !served,
        scans: answer.images.iter().map(scan).collect(),
        steps: answer
            .history
            .iter()
            .map(|step| step_view(step, &here, courts, w))
            .collect(),
        damaged: answer.unreadable.len(),
        done: None,
        actions: Vec::new(),
        printed: standing.map_or(String::new(), |standing| moment::whole(&standing.at)),
        f,
    }
}

fn done(what: Option<&str>, w: &'static Words) -> Option<&'static str> {
    match what? {
        "filed" => Some(w.done_filed),
        "service" => Some(w.done_service),
        "scan" => Some(w.done_scan),
        "amended" => Some(w.done_amended),
        "end" => Some(w.done_ended),
        "cancel" => Some(w.done_cancelled),
        "seal" => Some(w.done_sealed),
        "unseal" => Some(w.done_unsealed),
        _ => None,
    }
}

/// The number for people of an order that an answer names.
fn number_of(id: &str, answer: &OrderAnswer, orders: &[OrderInBrief]) -> String {
    if id == answer.order_id {
        return answer.registry_number.clone();
    }
    let known = orders.iter().find(|order| order.order_id == id);
    known.map_or_else(|| id.to_owned(), |order| order.registry_number.clone())
}

fn enforced(term: &EnforcedTerm, answer: &OrderAnswer, number: &impl Fn(&str) -> String) -> Enforced {
    Enforced {
        words: term.words.clone(),
        law: term.law.clone(),
        why: term.rule_words.clone(),
        order: number(&term.order_id),
        own: term.order_id == answer.order_id || term.also.contains(&answer.order_id),
        after_notice: term.after_notice,
        tie: term.tie,
    }
}

fn for_person(
    person: &EnforcedFor,
    enforced: &impl Fn(&[EnforcedTerm]) -> Vec<Enforced>,
    number: &impl Fn(&str) -> String,
    w: &Words,
) -> For {
    let aside = |term: &TermSetAside| Aside {
        words: term.words.clone(),
        why: term.rule_words.clone(),
        law: term.law.clone(),
        order: number(&term.order_id),
    };
    For {
        name: if person.name.is_empty() {
            w.confidential_minor.to_owned()
        } else {
            person.name.clone()
        },
        terms: enforced(&person.terms),
        aside: person.set_aside.iter().map(aside).collect(),
    }
}

fn brief_view(order: &OrderInBrief, w: &'static Words) -> Brief {
    Brief {
        number: order.registry_number.clone(),
        title: order.title.clone(),
        court: if order.court_name.is_empty() {
            called(&order.court)
        } else {
            order.court_name.clone()
        },
        badges: badges(order.standing.as_ref(), false, w),
    }
}

fn facts(order: &Order, answer: &OrderAnswer, w: &'static Words) -> Vec<(&'static str, String)> {
    let court = order.court.clone().unwrap_or_default();
    let day = |date: &str, time: &str| format!("{date} {time}").trim().to_owned();
    let hearing = order.hearing.clone().unwrap_or_default();
    let facts = [
        (w.fact_form, order.form.clone()),
        (w.fact_statute, order.statute.clone()),
        (w.fact_issued, day(&order.issued, &order.issued_time)),
        (w.fact_effective, day(&order.effective, &order.effective_time)),
        (w.fact_judge, court.judge),
        (w.fact_department, court.department),
        (w.fact_hearing, day(&hearing.date, &hearing.time)),
        (w.fact_agency_case, order.agency_case_number.clone()),
        (w.fact_fcn, order.fcn.clone()),
        (w.fact_filed, moment::whole(&answer.filed_at)),
    ];
    facts.into_iter().filter(|(_, value)| !value.is_empty()).collect()
}

fn protected(protected: &Protected, w: &'static Words) -> (Described, String) {
    let nobody = Person::default();
    let person = described::person(protected.person.as_ref().unwrap_or(&nobody), w);
    let relationship = protected.relationship.replace('_', " ");
    (
        person,
        if relationship == "not stated" {
            String::new()
        } else {
            relationship
        },
    )
}

fn step_view(step: &Step, here: &str, courts: &[CourtState], w: &'static Words) -> Recorded {
    let by = step.by.clone().unwrap_or_default();
    let position = step.position.clone().unwrap_or_default();
    // What another court wrote came here through the hub.
    let came_by_hub = position.origin != here;
    let covered = courts
        .iter()
        .filter(|court| court.origin == position.origin)
        .filter_map(|court| court.receipt.as_ref())
        .any(|receipt| (receipt.epoch, receipt.seq) >= (position.epoch, position.seq));
    let confirmed = came_by_hub || covered;
    let person = if by.person.is_empty() {
        by.identity
    } else {
        format!("{} ({})", by.person, by.identity)
    };
    Recorded {
        what: what(&step.what, w),
        at: moment::whole(&step.at),
        by: person,
        reason: step.reason.clone(),
        place: fill(
            w.step_place,
            &[
                ("origin", position.origin.as_str()),
                ("epoch", &position.epoch.to_string()),
                ("seq", &position.seq.to_string()),
            ],
        ),
        hash: position.hash,
        hub: if confirmed {
            w.step_confirmed
        } else {
            w.step_not_confirmed
        },
        confirmed,
    }
}

fn what(what: &str, w: &'static Words) -> &'static str {
    match what {
        "filed" => w.step_filed,
        "amended" => w.step_amended,
        "served" => w.step_served,
        "image_attached" => w.step_image_attached,
        "ended" => w.step_ended,
        "sealed" => w.step_sealed,
        "unsealed" => w.step_unsealed,
        "violated" => w.step_violated,
        _ => w.step_other,
    }
}
