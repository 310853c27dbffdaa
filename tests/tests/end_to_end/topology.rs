//! The machines of a registry: told by the nodes, signed by the hub, handed out by every machine, kept by whoever asks, and
//! used when the machine that is usually asked is gone.

use std::path::Path;

use ccpor_api::nearest::Roster;
use ccpor_certs::{Clock, Topology};
use ccpor_tests::program::Program;
use ccpor_tests::world::{Outcome, World, file, lookup, order, until};

/// `ccpor` with a file of contexts of its own.
fn ccpor(contexts: &Path) -> Outcome<Program> {
    Ok(Program::ccpor()?.env("CCPOR_CONFIG", &contexts.display().to_string()))
}

/// What a machine hands out once it names `machines` of them.
async fn handed_out(world: &World, machine: std::net::SocketAddr, machines: usize) -> Outcome<Topology> {
    let client = world.client(machine).await?;
    until("the topology names every machine", || async {
        let fetched = Roster::fetch(&client, world.operator().roots(), None, Clock::machine().now()).await;
        // A node has none until its hub was asked.
        let Ok(roster) = fetched else { return Ok(None) };
        Ok((roster.topology().machines.len() == machines).then(|| roster.topology().clone()))
    })
    .await
}

#[tokio::test]
async fn every_machine_hands_out_the_signed_list_and_a_kept_one_finds_another_machine() -> Outcome<()> {
    let mut world = World::start(&["alameda", "tuolumne"]).await?;
    let hub = world.fleet.hub_api();
    let topology = handed_out(&world, hub, 3).await?;
    for member in world.fleet.members() {
        let address = member.api().to_string();
        assert!(
            topology.machines.iter().any(|machine| machine.address == address),
            "{topology:?}"
        );
    }
    // The last to join: the hub knew all of them when it asked.
    let first = world.fleet.members()[1].api();
    file(
        &world.node(0).await?,
        "topology-one",
        order("GARCIA LOPEZ", "JOSE", "HF26-001"),
    )
    .await?;
    let at_hub = world.client(hub).await?;
    until("the hub holds the order", || async {
        Ok((lookup(&at_hub, "GARCIA LOPEZ", "JOSE").await?.hits.len() == 1).then_some(()))
    })
    .await?;

    let contexts = world.directory.path().join("contexts.json");
    let identity = world.desk(world.fleet.hub_api())?.path().display().to_string();
    let added = ccpor(&contexts)?
        .args([
            "context",
            "add",
            "alameda",
            "--endpoint",
            &first.to_string(),
            "--identity",
            &identity,
        ])
        .run()
        .await?;
    added.said(0, &[]);
    ccpor(&contexts)?
        .args(["topology", "show"])
        .run()
        .await?
        .said(3, &["ccpor topology fetch"]);

    // A node knows the list as soon as it has asked its hub for it; it is asked until it names all three.
    until("the node hands the list out", || async {
        let fetched = ccpor(&contexts)?.args(["topology", "fetch"]).run().await?;
        Ok((fetched.code == 0
            && fetched.text().contains("tuolumne")
            && !fetched.text().contains("not reached"))
        .then_some(()))
    })
    .await?;
    ccpor(&contexts)?
        .args(["topology", "show"])
        .run()
        .await?
        .said(0, &["hub/1", "signed by hub/1"]);
    world.fleet.take_node(1).ok_or("the node runs")?.stop().await;
    let found = ccpor(&contexts)?
        .args(["lookup", "GARCIA LOPEZ,JOSE"])
        .run()
        .await?;
    found.said(0, &["HF26-001", "answered by "]);
    assert!(
        !found.err.contains(&format!("answered by {first}")),
        "{}",
        found.err
    );
    // Who names the machine means that one.
    ccpor(&contexts)?
        .args([
            "--endpoint",
            &first.to_string(),
            "--identity",
            &identity,
            "lookup",
            "GARCIA LOPEZ,JOSE",
        ])
        .run()
        .await?
        .said(7, &["cannot be reached"]);

    // A list that somebody changed on the disk is not used.
    let kept = std::fs::read_dir(world.directory.path())?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| {
            path.file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with("topology-"))
        })
        .ok_or("the list is kept beside the contexts")?;
    let text = std::fs::read_to_string(&kept)?;
    std::fs::write(&kept, text.replacen("127.0.0.1", "127.0.0.2", 1))?;
    ccpor(&contexts)?
        .args(["topology", "show"])
        .run()
        .await?
        .said(3, &["no list of machines"]);
    ccpor(&contexts)?
        .args(["lookup", "GARCIA LOPEZ,JOSE"])
        .run()
        .await?
        .said(7, &["cannot be reached"]);
    Ok(())
}

#[tokio::test]
async fn the_list_outlives_restarts_and_never_goes_back() -> Outcome<()> {
    let mut world = World::start(&["alameda"]).await?;
    let hub = world.fleet.hub_api();
    let before = handed_out(&world, hub, 2).await?;
    let node = world.fleet.members()[0].api();
    assert_eq!(handed_out(&world, node, 2).await?.machines, before.machines);
    if let Some(hub) = world.fleet.take_hub() {
        hub.stop().await;
    }
    // Without its hub a node hands out what it kept, also after a restart.
    world.fleet.take_node(0).ok_or("the node runs")?.stop().await;
    world.fleet.start_node(0).await?;
    let node = world.fleet.members()[0].api();
    assert_eq!(handed_out(&world, node, 2).await?.machines, before.machines);
    world.fleet.start_hub().await?;
    let after = handed_out(&world, world.fleet.hub_api(), 2).await?;
    assert!(
        after.serial > before.serial && after.machines == before.machines,
        "{after:?}"
    );
    Ok(())
}
