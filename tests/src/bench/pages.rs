//! The pages: a search with its answer, and an order, through HTTPS with a session as a browser asks for them, every call on record. What
//! is measured is the time from the request to the whole page; a browser's drawing is not in it.

use std::path::Path;
use std::time::Instant;

use super::{Goal, Sheet, court, quantile, restart};
use crate::stand;
use crate::visitor::{Page, Visitor};
use crate::world::Outcome;

/// Searches that warm the connection and the node, and those of a round.
const WARM: usize = 200;
const ROUND: usize = 1_000;
/// What 99 of 100 pages may take, in milliseconds.
const MOST_MS: f64 = 20.0;

/// Measures it over so many orders.
///
/// # Errors
/// When a page is not shown.
pub fn measure(directory: &Path, rounds: usize, orders: usize, sheet: &mut Sheet) -> Outcome<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    let folder = tempfile::tempdir_in(directory)?;
    let filings = court::filings(orders as u64)?;
    let (mut fleet, mut visitor) = runtime.block_on(async {
        let mut fleet = restart::filled(folder.path(), filings).await?;
        // The hub would spend the measurement on taking in the orders.
        if let Some(hub) = fleet.take_hub() {
            hub.stop().await;
        }
        let trust = fleet
            .authority()
            .issue(&"lea/bench".parse()?, &[], &[], &folder.path().join("bench"))?;
        let member = fleet.members().first().ok_or("there is no node")?;
        let settings = member.directory().join("node.toml");
        let person = stand::add(&settings, &trust, member.api(), "bench", "court", true).await?;
        let code = person.codes.first().ok_or("there is no code")?;
        let visitor = Visitor::log_on(&trust, member.api(), (&person.name, &person.password, code)).await?;
        Outcome::Ok((fleet, visitor))
    })?;
    let lines = lines(orders)?;
    let (mut searches, mut views) = (Spans::default(), Spans::default());
    runtime.block_on(async {
        let form = visitor.open("/search").await?;
        for line in lines.iter().cycle().take(WARM) {
            asked(&mut visitor, &form, line).await?;
        }
        for _ in 0..rounds.max(1) {
            let (mut search, mut view) = (Vec::new(), Vec::new());
            for line in lines.iter().cycle().take(ROUND) {
                let start = Instant::now();
                let answer = asked(&mut visitor, &form, line).await?;
                search.push(start.elapsed().as_secs_f64() * 1e3);
                let order = first_order(&answer).ok_or("a person who is listed was not found")?;
                let start = Instant::now();
                let page = visitor.open(&order).await?;
                view.push(start.elapsed().as_secs_f64() * 1e3);
                if page.status != 200 {
                    return Err(format!("an order was answered with {}", page.status).into());
                }
            }
            searches.put(&search);
            views.put(&view);
        }
        Outcome::Ok(())
    })?;
    runtime.block_on(fleet.stop());
    let goal = Some(Goal::AtMost(MOST_MS));
    sheet.put("pages.search_p50_ms", searches.p50, "ms", None);
    sheet.put("pages.search_p99_ms", searches.p99, "ms", goal);
    sheet.put("pages.order_p50_ms", views.p50, "ms", None);
    sheet.put("pages.order_p99_ms", views.p99, "ms", goal);
    Ok(())
}

#[derive(Default)]
struct Spans {
    p50: Vec<f64>,
    p99: Vec<f64>,
}

impl Spans {
    fn put(&mut self, taken: &[f64]) {
        self.p50.push(quantile(taken, 0.5));
        self.p99.push(quantile(taken, 0.99));
    }
}

/// What a dispatcher types for people who are in the orders.
fn lines(orders: usize) -> Outcome<Vec<String>> {
    let people = court::orders(orders.min(ROUND) as u64)?
        .into_iter()
        .map(|order| order.restrained);
    Ok(people
        .filter_map(|person| {
            let born = person.dob?.to_string().replace('-', "");
            Some(format!("{},{} {born}", person.name.last, person.name.first))
        })
        .collect())
}

/// A search: the form, and the page of the answer.
async fn asked(visitor: &mut Visitor, form: &Page, line: &str) -> Outcome<Page> {
    let sent = visitor.submit("/search", form, &[("line", line)]).await?;
    let answer = visitor.open(&sent.location).await?;
    if sent.status != 303 || answer.status != 200 {
        return Err(format!("a search was answered with {} and {}", sent.status, answer.status).into());
    }
    Ok(answer)
}

/// The address of the first order that a page of answers names.
fn first_order(answer: &Page) -> Option<String> {
    let (_, rest) = answer.text.split_once("href=\"/orders/")?;
    let (path, _) = rest.split_once(['"', '?'])?;
    Some(format!("/orders/{path}"))
}
