//! What each role sees, with the real programs: sealed orders, and orders that are over.

use ccpor_api::Code;
use ccpor_api::message::{EndOrderRequest, Ending, EnforceAnswer, OrderAnswer, SealOrderRequest, Term};
use ccpor_tests::world::{Outcome, connect, file, order};

use crate::desks::{House, code};

#[tokio::test]
async fn a_sealed_order_is_not_there_for_who_may_not_see_it_and_is_enforced_all_the_same() -> Outcome<()> {
    let mut house = House::open("").await?;
    let system = connect(&house.court, house.address).await?;
    let query = house.staff("qlook", "query", None).await?;
    let supervisor = house.staff("super", "supervisor", None).await?;
    let officer = house.staff("officer", "lea-query", Some("CA0010000")).await?;
    let before = query.looks_up("SEALED", 1, None).await?;
    let mut paper = order("SEALED", "JANE", "HF26-9");
    paper.terms = vec![Term {
        kind: "no_contact".into(),
        ..Term::default()
    }];
    let filed = file(&system, "to-be-sealed", paper.clone()).await?;
    let (id, number) = (filed.order_id.clone(), filed.registry_number.clone());
    assert_eq!(query.looks_up("SEALED", 1, None).await?.hits.len(), 1);
    let seal = SealOrderRequest {
        idempotency_key: "sealed-0001".into(),
        order_id: id.clone(),
        sealed: true,
        reason: "the court's reason".into(),
    };
    system.seal_order(seal).await?;

    // Not there: in every answer as before it was filed, or as for a number that there is not.
    let after = query.looks_up("SEALED", 1, None).await?;
    assert_eq!(
        (
            after.hits,
            after.total,
            after.next_page_token,
            after.withheld,
            after.understood
        ),
        (
            before.hits,
            before.total,
            before.next_page_token,
            before.withheld,
            before.understood
        )
    );
    let absent = "0".repeat(32);
    for kind in ["", "/enforcement"] {
        let of = |order: &str| format!("/v1/orders/{order}{kind}");
        let hidden = query.get(&of(&id)).await?;
        assert_eq!(code(&hidden), Some(Code::OrderNotFound));
        assert_eq!(hidden.body, query.get(&of(&absent)).await?.body, "{kind}");
        assert_eq!(
            query.get(&of(&number)).await?.body,
            query.get(&of("BW69-MFBY-3D68-M")).await?.body,
            "{kind}"
        );
        // A seal of today hides it at every moment of the past.
        let past = query.get(&format!("{}?at=2099-01-01T00:00:00Z", of(&id))).await?;
        assert_eq!(code(&past), Some(Code::OrderNotFound));
    }
    let person = serde_json::json!({ "person": { "name": { "first": "JANE", "last": "SEALED" } } });
    let history: serde_json::Value = query.post("/v1/persons/history", &person).await?.message()?;
    assert_eq!(history["orders"], serde_json::json!([]));

    // An officer is told what is to be enforced, and nothing else of it.
    let hit = officer.looks_up("SEALED", 1, None).await?.hits.remove(0);
    assert!(
        hit.sealed
            && !hit.has_image
            && hit.radio.contains("SEALED BY COURT")
            && hit.radio.contains("NO CONTACT")
    );
    let shown: OrderAnswer = officer.get(&format!("/v1/orders/{id}")).await?.message()?;
    assert!(shown.history.is_empty() && shown.images.is_empty());
    assert_eq!(shown.sealed.unwrap().reason, "");
    let enforced: EnforceAnswer = officer
        .get(&format!("/v1/orders/{id}/enforcement"))
        .await?
        .message()?;
    assert_eq!(enforced.persons[0].terms[0].topic, "contact");
    let whole: OrderAnswer = supervisor.get(&format!("/v1/orders/{number}")).await?.message()?;
    assert_eq!(whole.sealed.unwrap().reason, "the court's reason");
    assert_eq!(whole.history.len(), 2);

    // Neither the length of a page nor the next one tells of it.
    for open in 0..2 {
        file(
            &system,
            &format!("beside-{open}000"),
            order("SEALED", "JANE", &format!("HF26-1{open}")),
        )
        .await?;
    }
    let all = supervisor.looks_up("SEALED", 2, None).await?;
    assert!(all.hits.len() == 2 && !all.next_page_token.is_empty());
    let open = query.looks_up("SEALED", 2, None).await?;
    assert_eq!(
        (open.hits.len(), open.total, open.next_page_token.as_str()),
        (2, 2, "")
    );
    house.node.stop().await;
    Ok(())
}

#[tokio::test]
async fn an_order_that_is_over_is_shown_to_others_for_a_purpose() -> Outcome<()> {
    let mut house = House::open("").await?;
    let system = connect(&house.court, house.address).await?;
    let clerk = house.staff("mgarcia", "court", None).await?;
    let officer = house.staff("officer", "lea-query", Some("CA0010000")).await?;
    let filed = file(&system, "will-be-over", order("OVER", "JANE", "HF26-7")).await?;
    assert_eq!(officer.looks_up("OVER", 20, None).await?.hits.len(), 1);
    let end = EndOrderRequest {
        idempotency_key: "is-over-0001".into(),
        order_id: filed.order_id.clone(),
        ending: Some(Ending {
            kind: "terminated".into(),
            ..Ending::default()
        }),
        ..EndOrderRequest::default()
    };
    system.end_order(end).await?;
    let path = format!("/v1/orders/{}", filed.order_id);
    assert_eq!(
        clerk.looks_up("OVER", 20, None).await?.hits.len(),
        1,
        "its own court's record"
    );
    let without = officer.looks_up("OVER", 20, None).await?;
    assert!(
        without.hits.is_empty() && without.withheld.contains("purpose"),
        "{without:?}"
    );
    assert_eq!(code(&officer.get(&path).await?), Some(Code::PurposeNeeded));
    let with = officer.looks_up("OVER", 20, Some("homicide inquiry")).await?;
    assert!(with.hits.len() == 1 && with.withheld.is_empty());
    let stated = http::Request::get(&path).header("ccpor-purpose", "homicide inquiry");
    assert_eq!(officer.send(stated, Vec::new()).await?.status, 200);
    house.node.stop().await;
    Ok(())
}
