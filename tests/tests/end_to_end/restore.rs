//! Machines that come back with less than they had: a node from an old copy, with an empty ledger, or new from an invitation;
//! and a hub that is empty or old. With the real programs.

use std::path::Path;
use std::time::Duration;

use ccpor_api::message::GetOrderRequest;
use ccpor_certs::Identity;
use ccpor_tests::agreement::sound;
use ccpor_tests::program::Program;
use ccpor_tests::world::{Outcome, World, connect, file, heads, lookup, order, until};

const OWN: &str = "court/alameda/node/1";

/// Files this order at the node of Alameda, as often as it takes, and waits until the hub shows it.
async fn files(world: &World, number: u32) -> Outcome<()> {
    let what = format!("order {number} is filed");
    until(&what, || async {
        let node = world.node(0).await?;
        let paper = order(&format!("FAMILY{number}"), "PAT", &format!("HF26-{number}"));
        Ok(file(&node, &format!("order-key-{number}"), paper).await.ok())
    })
    .await?;
    shows(world, number, 1).await
}

/// Waits until hub and node find exactly `count` orders of this number.
async fn shows(world: &World, number: u32, count: usize) -> Outcome<()> {
    until(&format!("order {number} is found at both"), || async {
        for machine in [world.hub().await?, world.node(0).await?] {
            let found = lookup(&machine, &format!("FAMILY{number}"), "PAT").await?;
            let case = format!("HF26-{number}");
            if found.hits.iter().filter(|hit| hit.case_number == case).count() != count {
                return Ok(None);
            }
        }
        Ok(Some(()))
    })
    .await
}

/// Waits until the node and the hub hold the same of every court; gives the epoch of Alameda.
async fn level(world: &World) -> Outcome<u32> {
    until("the ledgers are the same", || async {
        let hub = heads(&world.hub().await?.list_courts().await?);
        let node = heads(&world.node(0).await?.list_courts().await?);
        Ok((hub == node).then(|| hub.get(OWN).map(|head| head.0)).flatten())
    })
    .await
}

fn copy(from: &Path, to: &Path) -> Outcome<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// The program of the node of Alameda with these words.
fn program(world: &World, words: &[&str]) -> Outcome<Program> {
    let settings = world
        .fleet
        .members()
        .first()
        .unwrap()
        .directory()
        .join("node.toml");
    Ok(Program::node()?
        .arg("--config")
        .arg(&settings)
        .args(words.iter().copied()))
}

fn forget(data: &Path, parts: &[&str]) -> Outcome<()> {
    for part in parts {
        if data.join(part).exists() {
            std::fs::remove_dir_all(data.join(part))?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_node_that_lost_records_gets_them_back_and_goes_on_in_a_new_epoch() -> Outcome<()> {
    let mut world = World::start(&["alameda", "tuolumne"]).await?;
    for number in 0..4 {
        files(&world, number).await?;
    }
    let data = world.fleet.members().first().unwrap().data().to_owned();
    let (old, hub_data) = (
        world.directory.path().join("old"),
        world.fleet.hub_data().to_owned(),
    );
    world.fleet.take_node(0).unwrap().stop().await;
    copy(&data, &old)?;
    world.fleet.start_node(0).await?;
    for number in 4..8 {
        files(&world, number).await?;
    }
    assert_eq!(level(&world).await?, 1);

    // From an old copy.
    world.fleet.take_node(0).unwrap().kill().await;
    std::fs::remove_dir_all(&data)?;
    copy(&old, &data)?;
    world.fleet.start_node(0).await?;
    shows(&world, 7, 1).await?;
    files(&world, 8).await?;
    assert_eq!(level(&world).await?, 2);

    // The ledgers and everything made of them are gone, the keys are not: nothing filed gives way to the empty ledger.
    world.fleet.take_node(0).unwrap().kill().await;
    forget(&data, &["ledger", "index", "images"])?;
    world.fleet.start_node(0).await?;
    shows(&world, 8, 1).await?;
    files(&world, 9).await?;
    let epoch = level(&world).await?;
    assert!(epoch > 2, "{epoch}");

    // A new machine: an invitation for the same name, and the ledger before the first start.
    world.fleet.take_node(0).unwrap().kill().await;
    forget(&data, &["ledger", "index", "images", "identity"])?;
    let ready = hub_addresses(&hub_data)?;
    let invitation = world.fleet.authority().invite(
        Identity::court("alameda", 1)?,
        &ready.0,
        &ready.1,
        Duration::from_secs(3_600),
    )?;
    let node = |words: &[&str]| program(&world, words);
    node(&["enroll", invitation.text().as_str()])?
        .run()
        .await?
        .said(0, &["enrolled"]);
    let restored = node(&["restore", "--from-hub"])?.run().await?;
    restored.said(0, &["whole again", OWN, "10 orders"]);
    // Again without harm; whether it is whole again or ahead of the hub depends on whether the hub has heard of the new epoch by now.
    node(&["restore", "--from-hub"])?
        .run()
        .await?
        .said(0, &[OWN, "10 orders"]);
    world.fleet.start_node(0).await?;
    files(&world, 10).await?;
    assert!(level(&world).await? > epoch);
    for number in 0..=10 {
        shows(&world, number, 1).await?;
    }
    until("the other node has everything", || async {
        let there = heads(&world.node(1).await?.list_courts().await?);
        Ok((there == heads(&world.hub().await?.list_courts().await?)).then_some(()))
    })
    .await?;
    world.fleet.stop().await;
    sound(&world)
}

#[tokio::test]
async fn a_node_that_is_merely_ahead_of_the_hub_is_told_that_nothing_is_to_be_restored() -> Outcome<()> {
    let mut world = World::start(&["alameda"]).await?;
    files(&world, 0).await?;
    level(&world).await?;
    // So that the hub does not get the rest while it is asked.
    world.set(0, "[sharing]\norders = false\n").await?;
    let node = world.node(0).await?;
    file(&node, "kept-at-home", order("FAMILY1", "PAT", "HF26-1")).await?;
    world.fleet.take_node(0).unwrap().kill().await;
    let restored = program(&world, &["restore", "--from-hub"])?.run().await?;
    restored.said(
        0,
        &["nothing is to be restored", OWN, "2 orders", "ccpor-node run"],
    );
    world.fleet.start_node(0).await?;
    file(
        &world.node(0).await?,
        "filed-again",
        order("FAMILY2", "PAT", "HF26-2"),
    )
    .await?;
    world.set(0, "[sharing]\norders = true\n").await?;
    for number in 0..=2 {
        shows(&world, number, 1).await?;
    }
    level(&world).await?;
    world.fleet.stop().await;
    sound(&world)
}

#[tokio::test]
async fn orders_filed_on_an_old_copy_halt_filing_and_are_filed_again_flagged() -> Outcome<()> {
    files_on_an_old_copy(1).await
}

#[tokio::test]
async fn as_many_orders_filed_on_an_old_copy_as_it_had_lost_halt_filing_and_are_filed_again_flagged()
-> Outcome<()> {
    files_on_an_old_copy(2).await
}

/// A node loses two orders and, while the hub is away, files so many others in their places.
async fn files_on_an_old_copy(others: u32) -> Outcome<()> {
    let mut world = World::start(&["alameda"]).await?;
    files(&world, 0).await?;
    let data = world.fleet.members().first().unwrap().data().to_owned();
    let old = world.directory.path().join("old");
    world.fleet.take_node(0).unwrap().stop().await;
    copy(&data, &old)?;
    world.fleet.start_node(0).await?;
    files(&world, 1).await?;
    files(&world, 2).await?;
    world.fleet.take_node(0).unwrap().stop().await;
    std::fs::remove_dir_all(&data)?;
    copy(&old, &data)?;
    // The hub is away, so nobody can tell the node that it is behind.
    world.fleet.take_hub().unwrap().stop().await;
    world.fleet.start_node(0).await?;
    let node = world.node(0).await?;
    for other in 0..others {
        let case = format!("HF26-M{other}");
        file(
            &node,
            &format!("meanwhile-{other}"),
            order("MEANWHILE", "PAT", &case),
        )
        .await?;
    }
    world.fleet.start_hub().await?;
    let mut attempt = 0;
    let refusal = until("filing is halted", || {
        attempt += 1;
        let (node, key) = (node.clone(), format!("afterwards-{attempt}"));
        async move {
            let filed = file(&node, &key, order("LATER", "PAT", "HF26-L")).await;
            Ok(filed
                .err()
                .map(|error| error.to_string())
                .filter(|error| error.contains("Nothing was changed")))
        }
    })
    .await?;
    assert!(refusal.contains("old copy"), "{refusal}");
    let kept = lookup(&node, "MEANWHILE", "PAT").await?.hits.len();
    assert_eq!(kept, usize::try_from(others)?);
    let hub = world.hub().await?;
    assert_eq!(
        lookup(&hub, "FAMILY2", "PAT")
            .await?
            .hits
            .iter()
            .filter(|hit| hit.case_number == "HF26-2")
            .count(),
        1
    );
    assert!(lookup(&hub, "MEANWHILE", "PAT").await?.hits.is_empty());
    are_reconciled(&mut world, others).await
}

/// An operator sees what was filed meanwhile, and has it filed again behind the hub's copy.
async fn are_reconciled(world: &mut World, others: u32) -> Outcome<()> {
    let api = world.fleet.members().first().unwrap().api();
    let status = connect(world.operator(), api).await?.status().await?;
    let told = status.checks.iter().find(|check| !check.ok).unwrap();
    assert!(told.words.contains("ccpor-node reconcile show"), "{told:?}");
    world.fleet.take_node(0).unwrap().stop().await;
    let reconcile = |word: &'static str| program(world, &["reconcile", word]);
    reconcile("list")?.run().await?.said(0, &["no branch"]);
    let shown = reconcile("show")?.run().await?;
    shown.said(
        0,
        &["behind 1.2", "would be recorded once more", "nothing was changed"],
    );
    // Besides those, some that were taken before the hub was heard.
    let again = shown.text().matches("would be recorded").count();
    assert!(again >= usize::try_from(others)?, "{again}");
    reconcile("run")?
        .run()
        .await?
        .said(0, &["was recorded once more"]);
    reconcile("list")?.run().await?.said(0, &["settled"]);
    reconcile("run")?.run().await?.said(0, &["contradicts nothing"]);
    world.fleet.start_node(0).await?;
    // Everything is there once: what both had, what the hub alone had, and what was filed meanwhile.
    for number in 0..3 {
        shows(world, number, 1).await?;
    }
    for machine in [world.hub().await?, world.node(0).await?] {
        for other in 0..others {
            let case = format!("HF26-M{other}");
            until("what was filed meanwhile is found", || async {
                let hits = lookup(&machine, "MEANWHILE", "PAT").await?.hits;
                Ok((hits.iter().filter(|hit| hit.case_number == case).count() == 1).then_some(()))
            })
            .await?;
        }
    }
    let node = world.node(0).await?;
    for hit in lookup(&node, "MEANWHILE", "PAT").await?.hits {
        let request = GetOrderRequest {
            order_id: hit.order_id,
            ..GetOrderRequest::default()
        };
        let history = node.get_order(request).await?.history;
        assert_eq!(history.len(), 1);
        assert!(
            history[0].reason.starts_with("REFILED-RECONCILE (1."),
            "{history:?}"
        );
    }
    files(world, 9).await?;
    assert!(level(world).await? > 1);
    world.fleet.stop().await;
    sound(world)
}

#[tokio::test]
async fn an_empty_hub_and_an_old_one_are_filled_by_the_nodes_alone() -> Outcome<()> {
    let mut world = World::start(&["alameda", "tuolumne"]).await?;
    files(&world, 0).await?;
    let tuolumne = world.node(1).await?;
    file(&tuolumne, "elsewhere-1", order("ELSEWHERE", "PAT", "TU26-1")).await?;
    level(&world).await?;
    let (data, old) = (
        world.fleet.hub_data().to_owned(),
        world.directory.path().join("old-hub"),
    );
    world.fleet.take_hub().unwrap().stop().await;
    copy(&data, &old)?;
    world.fleet.start_hub().await?;
    files(&world, 1).await?;
    world.fleet.take_hub().unwrap().kill().await;
    for empty in [true, false] {
        forget(&data, &["ledger", "index", "images"])?;
        if !empty {
            for part in ["ledger", "index"] {
                copy(&old.join(part), &data.join(part))?;
            }
        }
        world.fleet.start_hub().await?;
        shows(&world, 0, 1).await?;
        shows(&world, 1, 1).await?;
        let number = if empty { 2 } else { 3 };
        files(&world, number).await?;
        let hub = world.hub().await?;
        until("the other court's order is back", || async {
            Ok((lookup(&hub, "ELSEWHERE", "PAT").await?.hits.len() == 1).then_some(()))
        })
        .await?;
        assert_eq!(level(&world).await?, 1);
        world.fleet.take_hub().unwrap().kill().await;
    }
    world.fleet.start_hub().await?;
    level(&world).await?;
    until("both nodes have everything", || async {
        let there = heads(&world.node(1).await?.list_courts().await?);
        Ok((there == heads(&world.hub().await?.list_courts().await?)).then_some(()))
    })
    .await?;
    world.fleet.stop().await;
    sound(&world)
}

/// Where the hub enrols, and where nodes connect: as it announced when it became ready.
fn hub_addresses(data: &Path) -> Outcome<(String, String)> {
    let ready = ccpor_daemon::ready::Ready::read(data).ok_or("the hub is not ready")?;
    let (enrolment, nodes) = ready.enrolment.zip(ready.nodes).ok_or("the hub enrols nobody")?;
    Ok((enrolment.to_string(), nodes.to_string()))
}
