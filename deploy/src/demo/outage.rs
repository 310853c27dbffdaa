//! The outage: the hub goes away, two courts go on filing and finding, the hub comes back, and all converge.

use ccpor_api::Client;
use ccpor_api::message::{FileOrderRequest, LookupRequest, Name, Order, Person, Protected};

use super::converging;
use super::reached::{client, failed};
use super::stage::Stage;
use crate::as_of;
use crate::failure::Failure;
use crate::screen::Screen;

/// Orders that each of the two courts files while the hub is away.
const EACH: usize = 5;

/// Plays it; what is filed meanwhile is looked for everywhere at the end.
pub(super) async fn play(stage: &mut Stage, screen: &Screen) -> Result<(), Failure> {
    let hub = stage
        .fleet_mut()?
        .take_hub()
        .ok_or_else(|| failed("the hub is not running"))?;
    screen.text("The hub is stopped.\n")?;
    hub.stop().await;
    let addresses: Vec<_> = stage
        .fleet()?
        .members()
        .iter()
        .take(2)
        .map(|member| (member.identity().path(), member.api()))
        .collect();
    let mut filed = Vec::new();
    for (court, address) in &addresses {
        let node = client(&stage.desk(*address)?, *address).await?;
        for number in 0..EACH {
            filed.push(file(&node, court, number).await?);
        }
        let last = filed.last().map(|(name, _)| name.clone()).unwrap_or_default();
        let found = find(&node, &last).await?;
        screen.text(&format!(
            "{court} filed {EACH} orders without the hub and finds them: {found} hit(s).\n"
        ))?;
        let others = node
            .lookup(LookupRequest {
                last: "GARCIA".into(),
                ..LookupRequest::default()
            })
            .await;
        let others = others.map_err(failed)?;
        let fresh = as_of::of(others.freshness.as_ref())?;
        screen.text(&format!(
            "{court} still answers for all courts: {} hit(s). {}\n",
            others.hits.len(),
            as_of::line(fresh, &others.query_id)
        ))?;
    }
    stage.fleet_mut()?.start_hub().await.map_err(failed)?;
    screen.text("The hub is started again.\n")?;
    converging::wait(stage, screen).await?;
    let mut everywhere: Vec<_> = stage
        .fleet()?
        .members()
        .iter()
        .map(|member| (member.identity().path(), member.api()))
        .collect();
    everywhere.push(("hub/1".into(), stage.fleet()?.hub_api()));
    for (machine, address) in everywhere {
        let machine_client = client(&stage.desk(address)?, address).await?;
        for (name, order_id) in &filed {
            let question = LookupRequest {
                last: name.clone(),
                ..LookupRequest::default()
            };
            let answer = machine_client.lookup(question).await.map_err(failed)?;
            let times = answer
                .hits
                .iter()
                .filter(|hit| hit.order_id == *order_id && hit.person == "restrained")
                .count();
            if times != 1 {
                return Err(failed(format!(
                    "{machine} finds order {order_id} {times} times instead of once"
                )));
            }
        }
        screen.text(&format!(
            "{machine} finds all {} of them, each once.\n",
            filed.len()
        ))?;
    }
    Ok(())
}

/// Files one invented order; gives the restrained person's surname and the order's identifier.
async fn file(node: &Client, court: &str, number: usize) -> Result<(String, String), Failure> {
    let letters = ["ALFA", "BRAVO", "CHARLY", "DELTA", "ECHO"];
    let letter = letters.get(number).copied().unwrap_or("ZULU");
    let slug = court
        .split('/')
        .nth(1)
        .unwrap_or_default()
        .replace('-', "")
        .to_uppercase();
    let last = format!("{letter}OUTAGE{slug}");
    let name = |first: &str, last: &str| {
        Some(Name {
            first: first.into(),
            last: last.into(),
            ..Name::default()
        })
    };
    let order = Order {
        form: "EPO-001".into(),
        case_number: format!("OUTAGE-{number:03}"),
        issued: today(),
        restrained: Some(Person {
            name: name("OTTO", &last),
            ..Person::default()
        }),
        protected: vec![Protected {
            person: Some(Person {
                name: name("PAULA", "PROTECTED"),
                ..Person::default()
            }),
            ..Protected::default()
        }],
        ..Order::default()
    };
    let request = FileOrderRequest {
        idempotency_key: format!("outage-{court}-{number}"),
        order: Some(order),
        ..FileOrderRequest::default()
    };
    let answer = node.file_order(request).await.map_err(failed)?;
    Ok((last, answer.order_id))
}

/// Today in California.
fn today() -> String {
    ccpor_domain::UtcMillis(jiff::Timestamp::now().as_millisecond())
        .in_pacific()
        .0
        .to_string()
}

async fn find(node: &Client, last: &str) -> Result<usize, Failure> {
    let question = LookupRequest {
        last: last.into(),
        ..LookupRequest::default()
    };
    Ok(node.lookup(question).await.map_err(failed)?.hits.len())
}
