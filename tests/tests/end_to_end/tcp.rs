//! Where UDP is blocked: the registry over TCP alone, with everything that goes over a link; and a link that uses TCP only as long
//! as UDP does not pass.

use ccpor_api::Client;
use ccpor_api::message::Link;
use ccpor_api::nearest::Roster;
use ccpor_certs::{Clock, IdentityDir};
use ccpor_tests::line::{Line, Weather};
use ccpor_tests::program::Program;
use ccpor_tests::world::{Outcome, World, connect, file, heads, lookup, order, until};
use ccpor_transport::limits;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::papers::{attach, bytes_of};

/// The link to `peer` as a machine shows it, once it is up over `transport`.
async fn over(client: &Client, peer: &str, transport: &str) -> Outcome<Link> {
    until(&format!("{peer} is connected over {transport}"), || async {
        let links = client.status().await?.links;
        let found = links
            .into_iter()
            .find(|link| link.peer == peer && link.state == "up" && link.transport == transport);
        Ok(found)
    })
    .await
}

async fn found(client: &Client, last: &str) -> Outcome<()> {
    until(&format!("{last} is found"), || async {
        Ok((lookup(client, last, "JOSE").await?.hits.len() == 1).then_some(()))
    })
    .await
}

#[tokio::test]
async fn over_tcp_alone_the_registry_is_what_it_is_over_udp() -> Outcome<()> {
    let mut world = World::start(&["alameda", "tuolumne"]).await?;
    for node in 0..2 {
        world.set(node, "[hub]\ntransport = \"tcp\"\n").await?;
    }
    let (alameda, tuolumne, hub) = (world.node(0).await?, world.node(1).await?, world.hub().await?);
    for node in [&alameda, &tuolumne] {
        over(node, "hub/1", "tcp").await?;
    }
    for node in ["court/alameda/node/1", "court/tuolumne/node/1"] {
        over(&hub, node, "tcp").await?;
    }

    // Records, and receipts for them.
    let filed = file(&alameda, "over-tcp-1", order("GARCIA LOPEZ", "JOSE", "HF26-001")).await?;
    found(&hub, "GARCIA LOPEZ").await?;
    found(&tuolumne, "GARCIA LOPEZ").await?;
    until("the receipt", || async {
        let courts = alameda.list_courts().await?.courts;
        let own = courts.iter().find(|court| court.origin == "court/alameda/node/1");
        Ok(own
            .is_some_and(|own| own.receipt.is_some() && own.unconfirmed == 0)
            .then_some(()))
    })
    .await?;

    // Images: fetched by the hub from the court, and by a node from the hub.
    let (name, bytes) = attach(&alameda, &filed.order_id, "tcp-image-1").await?;
    for machine in [&hub, &tuolumne] {
        let got = until("the image is there", || async {
            Ok(bytes_of(machine, &name).await.ok())
        })
        .await?;
        assert_eq!(got, bytes);
    }

    // Questions: a node has the list of machines from nowhere but its hub.
    until("the list of machines at a node", || async {
        let operator = world.operator();
        let fetched = Roster::fetch(&tuolumne, operator.roots(), None, Clock::machine().now()).await;
        Ok(fetched
            .is_ok_and(|roster| roster.topology().machines.len() == 3)
            .then_some(()))
    })
    .await?;

    // The hub dies and comes back.
    world.fleet.take_hub().ok_or("the hub runs")?.kill().await;
    file(&alameda, "over-tcp-2", order("NGUYEN", "JOSE", "HF26-002")).await?;
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
    found(&tuolumne, "NGUYEN").await?;
    over(&hub, "court/tuolumne/node/1", "tcp").await?;

    // Revocation closes the connection, and lets in no other. The node itself no longer answers its own certificate then.
    let port = world.fleet.members().get(1).ok_or("Tuolumne runs")?.api();
    let tuolumne = connect(world.operator(), port).await?;
    let authority = world.fleet.directory().join("authority").display().to_string();
    let revoke = Program::ccpor()?.args(["certs", "revoke", "--authority", &authority]);
    revoke
        .args(["court/tuolumne/node/1", "--reason", "stolen"])
        .run()
        .await?
        .said(0, &["court/tuolumne/node/1"]);
    let link = until("the hub has cut it off", || async {
        let links = tuolumne.status().await?.links;
        let down = links
            .into_iter()
            .find(|link| link.state != "up" && link.reason.contains("revoked"));
        Ok(down)
    })
    .await?;
    assert_eq!(link.transport, "");
    let links = hub.status().await?.links;
    assert!(
        links
            .iter()
            .all(|link| (link.state == "up") == (link.peer == "court/alameda/node/1")),
        "{links:?}"
    );
    world.fleet.stop().await;
    Ok(())
}

#[tokio::test]
async fn where_udp_is_swallowed_the_link_goes_over_tcp_and_comes_back_to_quic_by_itself() -> Outcome<()> {
    let mut world = World::start(&["alameda"]).await?;
    let line = Line::to(world.fleet.hub_nodes(), 1).await?;
    line.set(Weather::NO_UDP);
    let address = line.address().to_string();
    world.set(0, &format!("[hub]\naddress = \"{address}\"\n")).await?;
    let (node, hub) = (world.node(0).await?, world.hub().await?);
    over(&node, "hub/1", "tcp").await?;
    file(&node, "blocked-1", order("GARCIA LOPEZ", "JOSE", "HF26-001")).await?;
    found(&hub, "GARCIA LOPEZ").await?;
    let preflight = |transport: &'static str| {
        let file = world.fleet.members()[0].directory().join("node.toml");
        let program = Program::node()?.arg("--config").arg(file);
        Outcome::Ok(program.args(["--set", transport, "preflight"]))
    };
    let told = preflight("hub.transport=auto")?.run().await?;
    let says = [
        "UDP   nobody answers",
        "TCP   hub/1 answers",
        "LINK  over tcp",
        &address,
    ];
    told.said(6, &says);
    let told = preflight("hub.transport=quic")?.run().await?;
    told.said(7, &["UDP   nobody answers", "LINK  none"]);
    let status = || async {
        let asked = Program::ask(
            &IdentityDir::open(world.operator().path())?,
            world.fleet.members()[0].api(),
        )?;
        asked.arg("status").run().await
    };
    let shown = status().await?.text();
    assert!(
        shown.contains("hub/1 up since") && shown.contains("over tcp"),
        "{shown}"
    );

    // Filed all the while: nothing acknowledged is lost on the way back.
    line.set(Weather::FAIR);
    let mut filed = 0;
    until("the link is back on QUIC", || {
        filed += 1;
        let key = format!("on-the-way-{filed}");
        let (node, paper) = (&node, order("NGUYEN", "JOSE", &format!("HF26-1{filed:04}")));
        async move {
            file(node, &key, paper).await?;
            let links = node.status().await?.links;
            Ok(links
                .iter()
                .any(|link| link.state == "up" && link.transport == "quic")
                .then_some(()))
        }
    })
    .await?;
    // What is durable there is counted a moment later.
    until("the hub holds and counts all of it", || async {
        let (here, there) = (node.list_courts().await?, hub.list_courts().await?);
        let counted = hub.status().await?.orders;
        Ok((heads(&here) == heads(&there) && counted == filed + 1).then_some(()))
    })
    .await?;
    let told = preflight("hub.transport=auto")?.run().await?;
    told.said(
        0,
        &["UDP   hub/1 answers", "TCP   hub/1 answers", "LINK  over quic"],
    );
    let shown = status().await?.text();
    assert!(shown.contains("over quic"), "{shown}");
    world.fleet.stop().await;
    Ok(())
}

#[tokio::test]
async fn tcp_connections_that_say_nothing_are_bounded_and_keep_no_node_out() -> Outcome<()> {
    let mut world = World::start(&["alameda"]).await?;
    let mut silent = Vec::new();
    for _ in 0..limits::HANDSHAKES_MOST + 64 {
        silent.push(TcpStream::connect(world.fleet.hub_nodes()).await?);
    }
    world.set(0, "[hub]\ntransport = \"quic\"\n").await?;
    let node = world.node(0).await?;
    over(&node, "hub/1", "quic").await?;
    for mut stream in silent {
        let ended = timeout(limits::HANDSHAKE * 2, stream.read_u8()).await?;
        assert!(ended.is_err(), "the hub says nothing to whoever says nothing");
    }
    world.set(0, "[hub]\ntransport = \"tcp\"\n").await?;
    over(&world.node(0).await?, "hub/1", "tcp").await?;
    world.fleet.stop().await;
    Ok(())
}
