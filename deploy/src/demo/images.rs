//! Images: some hundreds of orders get a scan of their paper, as PDF, TIFF, JPEG or PNG.

use ccpor_api::message::LookupRequest;
use ccpor_api::{Client, ImageOffer};
use ccpor_deploy::population::{Filing, scan};

use super::loading::{court_of, orders_of};
use super::reached::{client, failed};
use super::stage::Stage;
use crate::failure::Failure;
use crate::screen::Screen;

/// Images at each court, where it has that many orders.
const EACH: u64 = 75;

/// Attaches an image to the first orders of each court.
pub(super) async fn attach(stage: &Stage, screen: &Screen) -> Result<(), Failure> {
    let members = stage.fleet()?.members();
    let bar = stage.bar("scanning", EACH * members.len() as u64);
    let mut attached = 0_u64;
    for member in members {
        let node = client(&stage.desk(member.api())?, member.api()).await?;
        let own = member.identity().path();
        let courts = node.list_courts().await.map_err(failed)?;
        let orders = courts
            .courts
            .iter()
            .find(|court| court.origin == own)
            .map_or(0, |court| court.orders);
        for filing in orders_of(&court_of(&own)?, EACH.min(orders)) {
            one(&node, &filing).await?;
            attached += 1;
            bar.inc(1);
        }
    }
    bar.finish_and_clear();
    screen.remark(&format!("{attached} orders have an image of their paper."));
    Ok(())
}

async fn one(node: &Client, filing: &Filing) -> Result<(), Failure> {
    let question = LookupRequest {
        case_number: filing.order.case_number.clone(),
        courts: vec![filing.court.to_string()],
        ..LookupRequest::default()
    };
    let answer = node.lookup(question).await.map_err(failed)?;
    let hit = answer.hits.iter().find(|hit| hit.source_id == filing.source_id);
    let order = hit.ok_or_else(|| failed("an imported order is not found by its case number"))?;
    let scan = scan::of(filing).map_err(failed)?;
    let offer = ImageOffer {
        idempotency_key: format!("scan-of-{}", order.order_id),
        order_id: order.order_id.clone(),
        title: format!("{}, signed", filing.order.form),
        ..ImageOffer::default()
    };
    node.attach_image(offer, scan.bytes.into())
        .await
        .map_err(failed)?;
    Ok(())
}
