//! The same with the programs themselves: an operator revokes an agency and a node at the hub's authority.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use ccpor_certs::{Authority, IdentityDir};
use ccpor_tests::program::Program;
use ccpor_tests::world::{Outcome, World, connect, file, lookup, order, until};

#[tokio::test]
async fn certificate_life_ends_for_revoked_callers_and_nodes_of_running_programs() -> Outcome<()> {
    // The hub is asked as the first of them, which stays.
    let world = World::start(&["yolo", "alameda"]).await?;
    let authority_dir = world.fleet.directory().join("authority");
    let at = authority_dir.display().to_string();
    let authority = Authority::open(&authority_dir)?;
    let agency = authority.issue(
        &"lea/alameda-so".parse()?,
        &[],
        &["CA0010000".to_owned()],
        &world.fleet.directory().join("agency"),
    )?;
    let hub = world.fleet.hub_api();
    let caller = connect(&agency, hub).await?;
    caller.list_courts().await?;
    until("both nodes have said which list they have", || async {
        let told = authority.acknowledged()?;
        Ok((told.iter().filter(|one| one.list == Some(0)).count() == 2).then_some(()))
    })
    .await?;

    let certs = |verb: &str, more: &[&str]| {
        let program = Program::ccpor()?.args(["certs", verb, "--authority", &at]);
        Ok::<_, Box<dyn std::error::Error + Send + Sync>>(program.args(more.iter().copied()))
    };
    // A caller whose connection is open: the next call finds it cut, and no new one is let in.
    let begun = Instant::now();
    let told = certs("suspend", &["lea/alameda-so", "--reason", "laptop missing"])?
        .run()
        .await?;
    told.said(0, &["lea/alameda-so is suspended: 2/2 peers have list 1"]);
    until("the caller is refused", || async {
        Ok(caller.list_courts().await.is_err().then_some(()))
    })
    .await?;
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    let node = world.fleet.members()[0].api();
    assert!(refused(&agency, node).await, "the nodes have the list as well");
    certs("resume", &["lea/alameda-so"])?
        .run()
        .await?
        .said(0, &["list 2"]);
    connect(&agency, hub).await?.list_courts().await?;

    // A node: what it filed stays, and it is cut off.
    let alameda = world.node(1).await?;
    file(&alameda, "before-it-was-1", order("DOE", "JANE", "HF26-1")).await?;
    let statewide = world.hub().await?;
    until("the order at the hub", || async {
        Ok((lookup(&statewide, "DOE", "JANE").await?.hits.len() == 1).then_some(()))
    })
    .await?;
    let told = certs(
        "revoke",
        &["court/alameda/node/1", "--reason", "stolen", "--json"],
    )?
    .run()
    .await?;
    let told: serde_json::Value = told.json()?;
    assert_eq!(told["list"], 3);
    until("the hub has cut it off", || async {
        let links = statewide.status().await?.links;
        Ok(links
            .iter()
            .all(|link| link.peer != "court/alameda/node/1" || link.state != "up")
            .then_some(()))
    })
    .await?;
    assert_eq!(
        lookup(&statewide, "DOE", "JANE").await?.hits.len(),
        1,
        "the order stays"
    );
    certs("list", &[])?
        .run()
        .await?
        .said(0, &["1/1 peers have list 3"]);
    certs("revoked", &[])?
        .run()
        .await?
        .said(0, &["court/alameda/node/1", "revoked", "stolen"]);
    let crl = world.fleet.directory().join("ccpor.crl");
    certs("export-crl", &["--out", &crl.display().to_string()])?
        .run()
        .await?
        .said(0, &[]);
    assert!(std::fs::read_to_string(crl)?.contains("X509 CRL"));
    world.succeeded();
    Ok(())
}

async fn refused(identity: &IdentityDir, address: SocketAddr) -> bool {
    match connect(identity, address).await {
        Ok(client) => client.status().await.is_err(),
        Err(_) => true,
    }
}
