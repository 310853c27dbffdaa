//! Two hubs that know nothing of each other: every court's node replicates to both, one of them may be away, and whichever knows
//! more is asked.

use std::net::SocketAddr;

use ccpor_api::Client;
use ccpor_api::message::{CourtState, CourtsAnswer, Link};
use ccpor_certs::{Clock, IdentityDir, Moment};
use ccpor_tests::line::{Line, Weather};
use ccpor_tests::lone::{Lone, Realm};
use ccpor_tests::program::Program;
use ccpor_tests::world::{Outcome, connect, file, heads, lookup, order, until};

const QUICK: &str = "[hub]\nheartbeat_ms = 200\n";

/// The settings of a node that replicates to these hubs.
fn to_all(hubs: &[SocketAddr]) -> String {
    let place = |hub: &SocketAddr| format!("[[hubs]]\naddress = \"{hub}\"\n");
    QUICK.to_owned() + &hubs.iter().map(place).collect::<String>()
}

/// A connection of a court's own system to a machine, as the court sees it.
async fn system(realm: &Realm, court: &str, machine: SocketAddr) -> Outcome<Client> {
    connect(&realm.issue(&format!("system/{court}-cms"), &[])?, machine).await
}

/// The link to a hub, once it is in a state.
async fn link(node: &Client, hub: &str, state: &str) -> Outcome<Link> {
    until(&format!("the link to {hub} is {state}"), || async {
        let links = node.status().await?.links;
        Ok(links
            .into_iter()
            .find(|link| link.peer == hub && link.state == state))
    })
    .await
}

async fn found(client: &Client, last: &str, hits: usize) -> Outcome<()> {
    until(&format!("{last} is found"), || async {
        Ok((lookup(client, last, "JOSE").await?.hits.len() == hits).then_some(()))
    })
    .await
}

/// What a node says of its own ledger once the newest record is confirmed by a hub.
async fn confirmed(node: &Client, origin: &str) -> Outcome<CourtState> {
    until("the newest record is statewide", || async {
        let courts = node.list_courts().await?.courts;
        let own = courts.into_iter().find(|court| court.origin == origin);
        Ok(own.filter(|own| own.receipt.is_some() && own.unconfirmed == 0))
    })
    .await
}

/// Waits until all hold the same two ledgers, hash by hash.
async fn the_same(machines: &[&Client]) -> Outcome<()> {
    until("every machine holds the same", || async {
        let mut all: Vec<CourtsAnswer> = Vec::new();
        for machine in machines {
            all.push(machine.list_courts().await?);
        }
        let first = heads(&all[0]);
        Ok((first.len() == 2 && all.iter().all(|one| heads(one) == first)).then_some(()))
    })
    .await
}

/// Records of Alameda's audit trail in a hub's copy.
async fn copied(realm: &Realm, hub: &Lone) -> Outcome<u64> {
    let verify = Program::ccpor()?.args(["--json", "audit", "verify", "--ca"]);
    let verify = verify.arg(realm.path("identity-hub-1").join("ca.pem"));
    let report: serde_json::Value = verify.arg(hub.data()).run().await?.json()?;
    let trails = report["trails"].as_array().ok_or("no trails")?;
    let trail = trails
        .iter()
        .find(|trail| trail["trail"] == "audit/court/alameda/node/1");
    Ok(trail
        .and_then(|trail| trail["records"].as_u64())
        .unwrap_or_default())
}

async fn both_hubs(realm: &Realm) -> Outcome<[Lone; 2]> {
    let authority = format!("authority = {:?}\n", realm.path("authority"));
    let mut hubs = [realm.hub_with(1, &authority)?, realm.hub_with(2, "")?];
    for hub in &mut hubs {
        hub.start().await?;
        hub.keep_ports()?;
    }
    Ok(hubs)
}

#[tokio::test]
async fn a_hub_that_was_away_catches_up_and_nobody_waits_for_it_meanwhile() -> Outcome<()> {
    let realm = Realm::new(Clock::machine())?;
    let [mut first, mut second] = both_hubs(&realm).await?;
    let (first_api, second_api) = (first.daemon()?.ready().api, second.daemon()?.ready().api);
    let settings = to_all(&[first.nodes()?, second.nodes()?]);
    let mut nodes = [
        realm.node("alameda", &settings)?,
        realm.node("tuolumne", &settings)?,
    ];
    let (alameda_api, tuolumne_api) = (nodes[0].start().await?, nodes[1].start().await?);
    nodes[0].keep_ports()?;
    let alameda = system(&realm, "alameda", alameda_api).await?;
    let tuolumne = system(&realm, "tuolumne", tuolumne_api).await?;
    let at_first = system(&realm, "alameda-at-first", first_api).await?;
    let at_second = system(&realm, "alameda-at-second", second_api).await?;
    for node in [&alameda, &tuolumne] {
        for hub in ["hub/1", "hub/2"] {
            link(node, hub, "up").await?;
        }
    }
    file(&alameda, "with-both-1", order("GARCIA LOPEZ", "JOSE", "HF26-001")).await?;
    for machine in [&at_first, &at_second, &tuolumne] {
        found(machine, "GARCIA LOPEZ", 1).await?;
    }
    let own = confirmed(&alameda, "court/alameda/node/1").await?;
    assert!(own.receipt_hub.starts_with("hub/"), "{own:?}");

    // One hub is away. Nobody waits for it: what is filed is elsewhere, and statewide, by the other one.
    second.stop().await;
    for node in [&alameda, &tuolumne] {
        link(node, "hub/2", "connecting").await?;
        link(node, "hub/1", "up").await?;
    }
    for number in 0..20 {
        let case = format!("HF26-1{number:02}");
        file(
            &alameda,
            &format!("with-one-{number}"),
            order("NGUYEN", "JOSE", &case),
        )
        .await?;
    }
    file(&tuolumne, "with-one-too", order("TRAN", "JOSE", "TU26-1")).await?;
    found(&tuolumne, "NGUYEN", 20).await?;
    found(&alameda, "TRAN", 1).await?;
    assert_eq!(
        confirmed(&alameda, "court/alameda/node/1").await?.receipt_hub,
        "hub/1"
    );
    // A node that starts while it is away knows it by its address alone.
    nodes[0].stop().await;
    nodes[0].start().await?;
    let alameda = system(&realm, "alameda-again", alameda_api).await?;
    let away = format!("hub at {}", second_api.ip());
    until("both links are shown", || async {
        let links = alameda.status().await?.links;
        let up = links
            .iter()
            .any(|link| link.peer == "hub/1" && link.state == "up");
        let down = links
            .iter()
            .any(|link| link.peer.starts_with(&away) && link.state != "up" && !link.reason.is_empty());
        Ok((links.len() == 2 && up && down).then_some(()))
    })
    .await?;

    // It comes back and gets everything; then the other one may go.
    second.start().await?;
    let at_second = system(&realm, "alameda-at-second-again", second_api).await?;
    the_same(&[&at_first, &at_second, &alameda, &tuolumne]).await?;
    assert_eq!(at_second.status().await?.orders, 22);
    for hub in [&first, &second] {
        until("each hub has a copy of the audit trail", || async {
            // One record for each filing, at the least.
            Ok((copied(&realm, hub).await? > 21).then_some(()))
        })
        .await?;
    }
    first.stop().await;
    file(&alameda, "with-other-1", order("SILVA", "JOSE", "HF26-201")).await?;
    found(&tuolumne, "SILVA", 1).await?;
    assert_eq!(
        confirmed(&alameda, "court/alameda/node/1").await?.receipt_hub,
        "hub/2"
    );
    first.start().await?;
    let at_first = system(&realm, "alameda-at-first-again", first_api).await?;
    the_same(&[&at_first, &at_second, &alameda, &tuolumne]).await?;
    for node in &mut nodes {
        node.stop().await;
    }
    for hub in [&mut first, &mut second] {
        hub.stop().await;
        let data = hub.data().display().to_string();
        let ca = realm.path("identity-hub-1").join("ca.pem").display().to_string();
        let verify = Program::ccpor()?.args(["verify", &data, "--ca", &ca]);
        let verified = verify.run().await?;
        verified.said(0, &["SOUND"]);
    }
    Ok(())
}

#[tokio::test]
async fn a_lookup_that_is_passed_on_is_answered_by_the_hub_that_knows_more() -> Outcome<()> {
    let realm = Realm::new(Clock::machine())?;
    let [mut first, mut second] = both_hubs(&realm).await?;
    // Alameda tells the first hub alone, and often.
    let only_first = format!("[hub]\nheartbeat_ms = 100\naddress = \"{}\"\n", first.nodes()?);
    let mut alameda = realm.node("alameda", &only_first)?;
    let cms = system(&realm, "alameda", alameda.start().await?).await?;
    file(&cms, "far-away-1", order("DOE", "JOSE", "HF26-1")).await?;
    // To Tuolumne everything of that hub comes late, so that the hub always knows more; and nothing is fresh enough for it.
    let line = Line::to(first.nodes()?, 1).await?;
    line.set(Weather {
        delay_ms: (150, 150),
        ..Weather::FAIR
    });
    let hubs = to_all(&[second.nodes()?, line.address()]);
    let settings = format!("{hubs}[lookup]\nstale_after_seconds = 0\n");
    let mut node = realm.node("tuolumne", &settings)?;
    let tuolumne = system(&realm, "tuolumne", node.start().await?).await?;
    let asks = async |hub: &'static str| {
        until("the lookup is passed on", || async {
            let answer = lookup(&tuolumne, "DOE", "JOSE").await?;
            let fresh = answer.freshness.unwrap_or_default();
            let alameda = fresh.courts.iter().any(|court| court.court == "court/alameda");
            Ok((answer.hits.len() == 1 && alameda && fresh.also_asked.contains(hub)).then_some(fresh))
        })
        .await
    };
    let fresh = asks("hub/1").await?;
    let stale = |court: &str| fresh.not_current.iter().any(|other| other.court == court);
    assert!(!stale("court/alameda"), "{fresh:?}");

    // Without it the answer says what it lacks, and with it again it lacks nothing.
    first.stop().await;
    link(&tuolumne, "hub/1", "connecting").await?;
    let alone = lookup(&tuolumne, "DOE", "JOSE").await?;
    assert_eq!(alone.hits.len(), 1);
    let fresh = alone.freshness.unwrap_or_default();
    assert!(
        fresh
            .not_current
            .iter()
            .any(|court| court.court == "court/alameda")
            && !fresh.also_asked.contains("hub/1"),
        "{fresh:?}"
    );
    first.start().await?;
    asks("hub/1").await?;
    for lone in [&mut alameda, &mut node, &mut first, &mut second] {
        lone.stop().await;
    }
    Ok(())
}

#[tokio::test]
async fn a_hub_without_the_authority_hears_of_a_revocation_through_the_nodes() -> Outcome<()> {
    let realm = Realm::new(Clock::machine())?;
    let [mut first, mut second] = both_hubs(&realm).await?;
    let settings = to_all(&[first.nodes()?, second.nodes()?]);
    let mut node = realm.node("alameda", &settings)?;
    let cms = system(&realm, "alameda", node.start().await?).await?;
    for hub in ["hub/1", "hub/2"] {
        link(&cms, hub, "up").await?;
    }
    let agency = realm.issue("lea/alameda-so", &["CA0010000"])?;
    let second_api = second.daemon()?.ready().api;
    let caller = connect(&agency, second_api).await?;
    caller.list_courts().await?;
    let authority = realm.path("authority").display().to_string();
    let revoke = Program::ccpor()?.args(["certs", "revoke", "--authority", &authority]);
    let revoked = revoke
        .args(["lea/alameda-so", "--reason", "stolen"])
        .run()
        .await?;
    revoked.said(0, &["lea/alameda-so"]);
    until("the other hub refuses the agency", || async {
        let open = caller.list_courts().await.is_ok();
        let new = match connect(&agency, second_api).await {
            Ok(client) => client.list_courts().await.is_ok(),
            Err(_) => false,
        };
        Ok((!open && !new).then_some(()))
    })
    .await?;
    for lone in [&mut node, &mut first, &mut second] {
        lone.stop().await;
    }
    Ok(())
}

#[tokio::test]
async fn a_machine_that_lost_its_ledger_gets_back_what_either_hub_holds() -> Outcome<()> {
    let realm = Realm::new(Clock::machine())?;
    let [mut first, mut second] = both_hubs(&realm).await?;
    let settings = to_all(&[first.nodes()?, second.nodes()?]);
    let mut node = realm.node("alameda", &settings)?;
    let api = node.start().await?;
    node.keep_ports()?;
    let cms = system(&realm, "alameda", api).await?;
    file(&cms, "with-both-1", order("GARCIA LOPEZ", "JOSE", "HF26-1")).await?;
    confirmed(&cms, "court/alameda/node/1").await?;
    let second_api = second.daemon()?.ready().api;
    found(&system(&realm, "at-second", second_api).await?, "GARCIA LOPEZ", 1).await?;
    // The first hub misses the last order, and the machine loses everything.
    first.stop().await;
    file(&cms, "with-one-1", order("NGUYEN", "JOSE", "HF26-2")).await?;
    assert_eq!(
        confirmed(&cms, "court/alameda/node/1").await?.receipt_hub,
        "hub/2"
    );
    node.stop().await;
    std::fs::remove_dir_all(node.data())?;
    std::fs::create_dir(node.data())?;
    // Not from one hub alone: the other may hold what this one lacks.
    first.start().await?;
    second.stop().await;
    let refused = node.run(&["restore", "--from-hub"]).await?;
    refused.said(1, &["hub at", "not connected", "not restored"]);
    second.start().await?;
    let restored = node.run(&["restore", "--from-hub"]).await?;
    restored.said(0, &["whole again", "2 orders"]);
    node.start().await?;
    let cms = system(&realm, "alameda-again", api).await?;
    for last in ["GARCIA LOPEZ", "NGUYEN"] {
        found(&cms, last, 1).await?;
    }
    file(&cms, "after-it-1", order("TRAN", "JOSE", "HF26-3")).await?;
    let first_api = first.daemon()?.ready().api;
    let at_first = system(&realm, "at-first", first_api).await?;
    let at_second = system(&realm, "at-second-again", second_api).await?;
    for hub in [&at_first, &at_second] {
        for last in ["GARCIA LOPEZ", "NGUYEN", "TRAN"] {
            found(hub, last, 1).await?;
        }
    }
    // The same without a command: started empty, it heals itself, whichever hub it meets first.
    node.stop().await;
    std::fs::remove_dir_all(node.data())?;
    std::fs::create_dir(node.data())?;
    node.start().await?;
    let cms = system(&realm, "alameda-once-more", node.daemon()?.ready().api).await?;
    for last in ["GARCIA LOPEZ", "NGUYEN", "TRAN"] {
        found(&cms, last, 1).await?;
    }
    until("it files again", || async {
        let filed = file(&cms, "after-all-1", order("SILVA", "JOSE", "HF26-4")).await;
        Ok(filed.is_ok().then_some(()))
    })
    .await?;
    for hub in [&at_first, &at_second] {
        found(hub, "SILVA", 1).await?;
        assert_eq!(hub.status().await?.orders, 4);
    }
    for lone in [&mut node, &mut first, &mut second] {
        lone.stop().await;
    }
    Ok(())
}

#[tokio::test]
async fn a_node_that_starts_empty_is_filled_by_the_hub_that_is_there_and_once_only() -> Outcome<()> {
    const ORDERS: usize = 40;
    let realm = Realm::new(Clock::machine())?;
    let [mut first, mut second] = both_hubs(&realm).await?;
    let settings = to_all(&[first.nodes()?, second.nodes()?]);
    let mut nodes = [
        realm.node("alameda", &settings)?,
        realm.node("tuolumne", &settings)?,
    ];
    let alameda = system(&realm, "alameda", nodes[0].start().await?).await?;
    for number in 0..ORDERS {
        let case = format!("HF26-{number}");
        file(
            &alameda,
            &format!("backlog-{number:04}"),
            order("NGUYEN", "JOSE", &case),
        )
        .await?;
    }
    let (first_api, second_api) = (first.daemon()?.ready().api, second.daemon()?.ready().api);
    let at_first = system(&realm, "at-first", first_api).await?;
    found(&at_first, "NGUYEN", ORDERS).await?;
    found(&system(&realm, "at-second", second_api).await?, "NGUYEN", ORDERS).await?;
    second.stop().await;

    // From the first moment at which it says that the court is current, everything is there.
    let tuolumne = system(&realm, "tuolumne", nodes[1].start().await?).await?;
    until("the other court is current", || async {
        let answer = lookup(&tuolumne, "NGUYEN", "JOSE").await?;
        let fresh = answer.freshness.unwrap_or_default();
        let of_alameda = |court: &str| court == "court/alameda";
        let known = fresh.courts.iter().any(|court| of_alameda(&court.court));
        let current = known && !fresh.not_current.iter().any(|court| of_alameda(&court.court));
        assert!(
            answer.hits.len() == ORDERS || !current,
            "{} {fresh:?}",
            answer.hits.len()
        );
        assert!(known || answer.hits.is_empty(), "{fresh:?}");
        Ok(current.then_some(()))
    })
    .await?;
    let status = until("the hub that is away is named with a reason", || async {
        let status = tuolumne.status().await?;
        let away = status.links.iter().find(|link| link.peer != "hub/1");
        let away = away.ok_or("both hubs are named")?;
        assert_ne!(away.state, "up");
        Ok((!away.reason.is_empty()).then_some(status))
    })
    .await?;
    assert!(status.ready && status.orders == ORDERS as u64, "{status:?}");
    assert!(status.freshness.is_some_and(|fresh| fresh.complete));
    file(&tuolumne, "with-one-only", order("TRAN", "JOSE", "TU26-1")).await?;
    assert_eq!(
        confirmed(&tuolumne, "court/tuolumne/node/1").await?.receipt_hub,
        "hub/1"
    );

    // The other one comes: each has everything, and nothing twice.
    let before = tuolumne.status().await?.records;
    second.start().await?;
    link(&tuolumne, "hub/2", "up").await?;
    let at_second = system(&realm, "at-second-again", second_api).await?;
    the_same(&[&at_first, &at_second, &alameda, &tuolumne]).await?;
    for machine in [&at_first, &at_second, &alameda, &tuolumne] {
        found(machine, "NGUYEN", ORDERS).await?;
        let status = machine.status().await?;
        assert_eq!((status.orders, status.records), (ORDERS as u64 + 1, before));
    }
    for lone in nodes.iter_mut().chain([&mut first, &mut second]) {
        lone.stop().await;
    }
    Ok(())
}

#[tokio::test]
async fn a_certificate_is_renewed_at_whichever_hub_answers() -> Outcome<()> {
    /// Of thirty.
    const DAYS_AGO: i64 = 25;
    let issued = Moment(Clock::machine().now().0 - DAYS_AGO * 86_400);
    let realm = Realm::new(Clock::standing_at(issued))?;
    let mut hub = realm.hub_with(1, &format!("authority = {:?}\n", realm.path("authority")))?;
    hub.start().await?;
    let ready = hub.daemon()?.ready();
    let (nodes, enrolment) = (ready.nodes.ok_or("a hub")?, ready.enrolment.ok_or("it enrols")?);
    // The first one in the list is gone.
    let place = |nodes: &str, enrolment: &str| {
        format!("[[hubs]]\naddress = \"{nodes}\"\nenrolment_address = \"{enrolment}\"\n")
    };
    let gone = place("127.0.0.1:1", "127.0.0.1:1");
    let settings = gone + &place(&nodes.to_string(), &enrolment.to_string());
    let mut node = realm.node("alameda", &settings)?;
    node.start().await?;
    let identity = IdentityDir::open(&realm.path("identity-court-alameda-node-1"))?;
    let before = identity.peer().not_after;
    until("the certificate is renewed", || async {
        let now = IdentityDir::open(identity.path())?.peer().not_after;
        Ok((now.since(before) >= (DAYS_AGO - 1) * 86_400).then_some(()))
    })
    .await?;
    node.stop().await;
    hub.stop().await;
    Ok(())
}
