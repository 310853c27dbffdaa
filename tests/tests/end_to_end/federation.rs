//! The main road: an order filed at a court is found at the hub and at another court, and stays findable when the hub is gone.

use ccpor_tests::world::{Outcome, World, file, heads, lookup, order, until};

#[tokio::test]
async fn an_order_filed_at_one_court_is_found_everywhere_and_outlives_the_hub() -> Outcome<()> {
    let mut world = World::start(&["alameda", "tuolumne"]).await?;
    let (alameda, tuolumne) = (world.node(0).await?, world.node(1).await?);
    let filed = file(
        &alameda,
        "first-order-1",
        order("GARCIA LOPEZ", "JOSE", "HF26-001"),
    )
    .await?;
    assert!(!filed.repeated);
    let hub = world.hub().await?;
    for (name, client) in [("the hub", &hub), ("Tuolumne", &tuolumne)] {
        let found = until(&format!("{name} finds it"), || async {
            let answer = lookup(client, "GARCIA LOPEZ", "JOSE").await?;
            Ok(answer.hits.into_iter().next())
        })
        .await?;
        assert_eq!(found.order_id, filed.order_id);
        assert_eq!(found.court, "court/alameda");
    }
    let hub_process = world.fleet.take_hub().ok_or("the hub runs")?;
    hub_process.kill().await;
    let second = file(&alameda, "second-order", order("NGUYEN", "LINH", "HF26-002")).await?;
    let here = lookup(&alameda, "NGUYEN", "LINH").await?;
    assert_eq!(
        here.hits.first().map(|hit| hit.order_id.as_str()),
        Some(second.order_id.as_str())
    );
    let there = lookup(&tuolumne, "GARCIA LOPEZ", "JOSE").await?;
    assert_eq!(there.hits.len(), 1);
    assert!(there.freshness.is_some());
    world.fleet.start_hub().await?;
    let hub = world.hub().await?;
    until("all hold the same", || async {
        let (a, t, h) = (
            alameda.list_courts().await?,
            tuolumne.list_courts().await?,
            hub.list_courts().await?,
        );
        let same = heads(&a) == heads(&h) && heads(&t) == heads(&h) && heads(&h).len() == 2;
        Ok(same.then_some(()))
    })
    .await?;
    let everywhere = lookup(&tuolumne, "NGUYEN", "LINH").await?;
    assert_eq!(
        everywhere.hits.first().map(|hit| hit.order_id.as_str()),
        Some(second.order_id.as_str())
    );
    world.fleet.stop().await;
    Ok(())
}
