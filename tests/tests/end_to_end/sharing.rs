//! What a court keeps to itself, with the real programs: elsewhere it is said that the court is not covered, and at its own node
//! everything is answered.

use ccpor_api::message::{EndOrderRequest, Ending, GetOrderRequest};
use ccpor_api::{CallFailed, Client, Code, ImageOffer};
use ccpor_certs::{Clock, IdentityDir};
use ccpor_deploy::population::{Population, scan};
use ccpor_domain::{CourtRef, Media};
use ccpor_tests::lone::{Lone, Realm};
use ccpor_tests::world::{Outcome, connect, file, lookup, order, until};

/// A tribal court's node with these switches, and a connection of its own system.
async fn tribe(
    realm: &Realm,
    name: &str,
    link: &str,
    sharing: &str,
) -> Outcome<(Lone, std::net::SocketAddr, Client)> {
    let identity = realm.issue(&format!("tribal/{name}/node/1"), &[])?;
    let mut node = Lone::node(
        &realm.path(name),
        identity.path(),
        &format!("{link}[sharing]\n{sharing}"),
    )?;
    let address = node.start().await?;
    let system = realm.issue(&format!("system/{name}-cms"), &[])?;
    Ok((node, address, connect(&system, address).await?))
}

async fn end(court: &Client, order_id: &str) -> Result<(), CallFailed> {
    let ending = EndOrderRequest {
        idempotency_key: "is-over-0001".into(),
        order_id: order_id.into(),
        ending: Some(Ending {
            kind: "terminated".into(),
            ..Ending::default()
        }),
        ..EndOrderRequest::default()
    };
    court.end_order(ending).await.map(|_| ())
}

async fn not_covered(client: &Client) -> Outcome<Vec<String>> {
    Ok(client.status().await?.freshness.unwrap_or_default().not_covered)
}

#[tokio::test]
async fn what_a_court_keeps_back_is_said_to_be_not_covered_elsewhere_and_answered_at_its_own_node()
-> Outcome<()> {
    let realm = Realm::new(Clock::machine())?;
    let mut hub = realm.hub()?;
    let hub_api = hub.start().await?;
    let link = format!("[hub]\naddress = \"{}\"\n", hub.nodes()?);
    let mut county = realm.node("humboldt", &link)?;
    let county_api = county.start().await?;
    let (mut yurok, yurok_api, court) =
        tribe(&realm, "yurok", &link, "images = false\nhistory = false\n").await?;
    let (mut hoopa, hoopa_api, apart) = tribe(&realm, "hoopa", &link, "orders = false\n").await?;

    let active = file(&court, "in-force-001", order("RIVER", "JANE", "Y-1")).await?;
    let over = file(&court, "is-over-0000", order("LAKE", "JANE", "Y-2")).await?;
    end(&court, &over.order_id).await?;
    let paper = Population::new(7)
        .for_court(&"court/alameda".parse::<CourtRef>()?, 1)
        .next()
        .unwrap();
    let bytes = scan::of_kind(&paper, Media::Png)?.bytes;
    let offer = ImageOffer {
        idempotency_key: "image-000001".into(),
        order_id: active.order_id.clone(),
        ..ImageOffer::default()
    };
    let image = court
        .attach_image(offer, bytes.into())
        .await?
        .image
        .unwrap()
        .blake3;
    file(&apart, "kept-at-home", order("MOUNTAIN", "JANE", "H-1")).await?;

    let dispatch: IdentityDir = realm.issue("lea/humboldt-so", &["CA0120000"])?;
    let both = ["tribal/hoopa".to_owned(), "tribal/yurok".to_owned()];
    for address in [hub_api, county_api] {
        let elsewhere = connect(&dispatch, address).await?;
        until("the decision of both courts is known", || async {
            Ok((not_covered(&elsewhere).await? == both).then_some(()))
        })
        .await?;
        until("the order that is shared is found", || async {
            let found = lookup(&elsewhere, "RIVER", "JANE").await?;
            let shown = elsewhere.get_order(named(&active.order_id)).await;
            let whole = shown.is_ok_and(|order| order.history.len() == 2);
            Ok((found.hits.len() == 1 && !found.hits[0].has_image && whole).then_some(()))
        })
        .await?;
        let refused = elsewhere.get_image(&image).await.err();
        let Some(CallFailed::Problem(problem)) = refused else {
            return Err("the image was given".into());
        };
        assert_eq!(problem.code, Code::ImageUnavailable);
        assert!(
            problem.detail.contains("tribal/yurok shares no images"),
            "{problem}"
        );
        for name in ["LAKE", "MOUNTAIN"] {
            let answer = lookup(&elsewhere, name, "JANE").await?;
            assert!(answer.hits.is_empty() && answer.withheld.is_empty(), "{name}");
            assert_eq!(answer.freshness.unwrap().not_covered, both, "{name}");
        }
        let known = elsewhere.list_courts().await?.courts;
        assert!(
            known.iter().all(|court| court.court != "tribal/hoopa"),
            "its ledger did not leave it"
        );
    }

    // Asked directly, they answer.
    let at_yurok = connect(&dispatch, yurok_api).await?;
    assert_eq!(lookup(&at_yurok, "LAKE", "JANE").await?.hits.len(), 1);
    assert!(lookup(&at_yurok, "RIVER", "JANE").await?.hits[0].has_image);
    at_yurok.get_image(&image).await?;
    until("only the other one keeps something back there", || async {
        Ok((not_covered(&at_yurok).await? == ["tribal/hoopa"]).then_some(()))
    })
    .await?;
    let at_hoopa = connect(&dispatch, hoopa_api).await?;
    assert_eq!(lookup(&at_hoopa, "MOUNTAIN", "JANE").await?.hits.len(), 1);
    for node in [&mut yurok, &mut hoopa, &mut county, &mut hub] {
        node.stop().await;
    }
    Ok(())
}

fn named(id: &str) -> GetOrderRequest {
    GetOrderRequest {
        order_id: id.into(),
        ..GetOrderRequest::default()
    }
}
