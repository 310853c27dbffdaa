//! The history between two people for the bench: every order of any court that names both, whole and with its papers, on one page to
//! read or to print. It asks again each time, so that what is printed says its own moment.

use askama::Template;
use axum::Extension;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect};
use ccpor_api::Caller;
use ccpor_api::message::{GetOrderRequest, Hit, LookupRequest, OrderAnswer};

use crate::as_of::AsOf;
use crate::ask;
use crate::frame::{Frame, Here, Shown, show, trouble};
use crate::moment;
use crate::paper::Paper;
use crate::proofs::{Scan, Served, scan, service};
use crate::site::{Inner, Site};
use crate::visit::Visit;
use crate::words::Words;

/// Most orders of the page.
const MOST: u32 = 50;

#[derive(Template)]
#[template(path = "bench.html")]
struct BenchPage<'a> {
    f: Frame<'a>,
    as_of: AsOf,
    id: &'a str,
    understood: String,
    query_id: String,
    orders: Vec<Entry>,
    /// Orders that were found and cannot be shown here.
    unreadable: Vec<String>,
    withheld: String,
    more: bool,
    printed: String,
}

/// One order between the two.
struct Entry {
    paper: Paper,
    service: Vec<Served>,
    scans: Vec<Scan>,
    issued: String,
}

/// `GET /answers/{id}/bench`.
pub(crate) async fn page(
    State(site): State<Site>,
    Extension(visit): Extension<Visit>,
    Path(id): Path<String>,
) -> Shown {
    let told = |problem| trouble(&site, &visit, &problem);
    let Some(question) = visit.question(&site, Some(&id)).filter(|question| question.pair) else {
        return Ok(Redirect::to("/between").into_response());
    };
    let w = visit.words();
    let caller = visit.caller_for(Some(&question)).map_err(told)?;
    let request = LookupRequest {
        limit: MOST,
        ..question.request.clone()
    };
    let answer = ask::read(&site, site.pages.backend.lookup(&caller, request))
        .await
        .map_err(told)?;
    let as_of = AsOf::of(answer.freshness.as_ref(), w).map_err(told)?;
    let (mut orders, mut unreadable) = (Vec::new(), Vec::new());
    for hit in &answer.hits {
        match read(&site, &caller, hit).await {
            Some(order) => orders.push(entry(&order, hit, w, visit.language.code())),
            None => unreadable.push(hit.registry_number.clone()),
        }
    }
    orders.sort_by(|one, other| other.issued.cmp(&one.issued));
    let asked_at = answer
        .freshness
        .map(|fresh| fresh.answered_at)
        .unwrap_or_default();
    show(&BenchPage {
        f: Frame::new(&site, &visit, w.bench_title, Here::Between),
        as_of,
        id: &id,
        understood: answer.understood,
        query_id: answer.query_id,
        orders,
        unreadable,
        withheld: answer.withheld,
        more: !answer.next_page_token.is_empty(),
        printed: moment::whole(&asked_at),
    })
}

/// The order of a hit, when it can be shown.
async fn read(site: &Inner, caller: &Caller, hit: &Hit) -> Option<OrderAnswer> {
    let wanted = GetOrderRequest {
        order_id: hit.order_id.clone(),
        ..GetOrderRequest::default()
    };
    ask::read(site, site.pages.backend.get_order(caller, wanted))
        .await
        .ok()
}

fn entry(answer: &OrderAnswer, hit: &Hit, w: &'static Words, language: &str) -> Entry {
    let order = answer.order.clone().unwrap_or_default();
    Entry {
        paper: Paper::of(answer, &hit.title, language, w),
        service: answer.service.iter().map(|record| service(record, w)).collect(),
        scans: answer.images.iter().map(scan).collect(),
        issued: format!("{} {}", order.issued, order.issued_time),
    }
}
