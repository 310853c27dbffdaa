//! Papers of orders, attached and fetched as clients do it.

use ccpor_api::{CallFailed, Client, ImageOffer};
use ccpor_deploy::population::{Filing, Population, scan};
use ccpor_domain::{CourtRef, Media};
use ccpor_tests::world::Outcome;
use futures_util::StreamExt as _;

/// An order whose scans are papers.
pub(crate) fn paper() -> Filing {
    let court: CourtRef = "court/alameda".parse().unwrap();
    Population::new(7).for_court(&court, 1).next().unwrap()
}

/// Attaches a paper to an order and gives its name and its bytes.
pub(crate) async fn attach(client: &Client, order: &str, key: &str) -> Outcome<(String, Vec<u8>)> {
    let bytes = scan::of_kind(&paper(), Media::Pdf)?.bytes;
    let offer = ImageOffer {
        order_id: order.into(),
        idempotency_key: key.into(),
        title: "as filed".into(),
        ..ImageOffer::default()
    };
    let answer = client.attach_image(offer, bytes.clone().into()).await?;
    Ok((answer.image.ok_or("an image")?.blake3, bytes))
}

/// The bytes of an image, which are those that were asked for.
pub(crate) async fn bytes_of(client: &Client, blake3: &str) -> Result<Vec<u8>, CallFailed> {
    let mut image = client.get_image(blake3).await?;
    let mut bytes = Vec::new();
    while let Some(piece) = image.data.next().await {
        bytes.extend(piece?);
    }
    assert_eq!(blake3::hash(&bytes).to_hex().as_str(), blake3);
    Ok(bytes)
}
