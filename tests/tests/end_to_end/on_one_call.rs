//! What a dispatcher asks besides one name: both parties of a dispute, and an answer in which every court is current.

use std::sync::Arc;
use std::time::Duration;

use ccpor_api::Caller;
use ccpor_api::message::{LookupRequest, Name, Order, Person, Protected};
use ccpor_certs::Clock;
use ccpor_daemon::forward;
use ccpor_daemon::identity::CertifiedKeys;
use ccpor_daemon::replication::{Collect, RegistryImages};
use ccpor_daemon::signing::NobodyAsks;
use ccpor_registry::{Registry, RegistryConfig, Source};
use ccpor_sync::OriginSet;
use ccpor_tests::lone::Realm;
use ccpor_tests::program::{Ended, Program};
use ccpor_tests::world::{Outcome, World, connect, file, lookup, order, until};
use ccpor_transport::{AskError, Permissions, Services, Uplink, UplinkConfig};

/// An order of one against another.
fn between(restrained: (&str, &str), protected: (&str, &str), case_number: &str) -> Order {
    Order {
        protected: vec![Protected {
            person: Some(Person {
                name: Some(Name {
                    last: protected.0.into(),
                    first: protected.1.into(),
                    ..Name::default()
                }),
                ..Person::default()
            }),
            ..Protected::default()
        }],
        ..order(restrained.0, restrained.1, case_number)
    }
}

async fn asked(world: &World, arguments: &[&str]) -> Outcome<Ended> {
    let machine = world.fleet.members()[0].api();
    Program::ask(&world.desk(machine)?, machine)?
        .args(arguments.iter().copied())
        .run()
        .await
}

#[tokio::test]
async fn these_two_are_found_whichever_of_them_is_restrained() -> Outcome<()> {
    let world = World::start(&["alameda"]).await?;
    let node = world.node(0).await?;
    let (jose, maria) = (("GARCIA LOPEZ", "JOSE"), ("VALDEZ", "MARIA"));
    for (key, paper) in [
        ("these-two-1", between(jose, maria, "HF26-001")),
        ("these-two-2", between(maria, jose, "HF26-002")),
        ("these-two-3", between(jose, ("OTHER", "PERSON"), "HF26-003")),
    ] {
        file(&node, key, paper).await?;
    }
    let both = ["lookup", "GARCIA LOPEZ,JOSE", "--with", "VALDEZ,MARIA"];
    let told = asked(&world, &both).await?;
    let told = told.said(
        0,
        &[
            "NAMES PERSONS 1 AND 2:",
            "PERSON 1:",
            "AND: PP VALDEZ, MARIA",
            "understood: 1)",
        ],
    );
    let text = String::from_utf8_lossy(&told.out).into_owned();
    let place = |words: &str| text.find(words).unwrap_or_else(|| panic!("{words}: {text}"));
    assert!(place("HF26-001") < place("HF26-003") && place("HF26-002") < place("HF26-003"));
    let alone = asked(&world, &[&both[..], &["--between"]].concat()).await?;
    let alone = alone.said(0, &["HF26-001", "HF26-002"]);
    let text = String::from_utf8_lossy(&alone.out).into_owned();
    assert!(!text.contains("HF26-003"), "{text}");
    let strangers = asked(
        &world,
        &["lookup", "OTHER,PERSON", "--with", "VALDEZ,MARIA", "--between"],
    )
    .await?;
    strangers.said(3, &["NO MATCH FOUND", "AS OF"]);

    // What cannot be answered is refused by its field.
    let refused = |request: LookupRequest| {
        let node = node.clone();
        async move { node.lookup(request).await.unwrap_err().to_string() }
    };
    let one = LookupRequest {
        line: "VALDEZ,MARIA".into(),
        ..LookupRequest::default()
    };
    let alone = refused(LookupRequest {
        between: true,
        ..one.clone()
    })
    .await;
    assert!(alone.contains("second person"), "{alone}");
    let other = ccpor_api::message::AskedPerson {
        line: "1985".into(),
        first: "JOSE".into(),
        ..Default::default()
    };
    let both_ways = refused(LookupRequest {
        with: vec![other.clone()],
        ..one.clone()
    })
    .await;
    assert!(both_ways.contains("with[0].line"), "{both_ways}");
    let nine = refused(LookupRequest {
        with: vec![other; 9],
        ..one
    })
    .await;
    assert!(nine.contains("more than 7"), "{nine}");
    Ok(())
}

#[tokio::test]
async fn an_answer_that_must_be_current_and_is_not_is_shown_and_said_to_lack_a_court() -> Outcome<()> {
    let mut world = World::start(&["alameda", "tuolumne"]).await?;
    let tuolumne = world.node(1).await?;
    file(&tuolumne, "far-away-1", order("DOE", "JANE", "TU26-1")).await?;
    let alameda = world.node(0).await?;
    until("Alameda holds it and every court is current", || async {
        let answer = lookup(&alameda, "DOE", "JANE").await?;
        Ok(
            (answer.hits.len() == 1 && answer.freshness.is_some_and(|freshness| freshness.complete))
                .then_some(()),
        )
    })
    .await?;
    let fresh = asked(
        &world,
        &["lookup", "DOE,JANE", "--require-fresh", "--max-staleness", "1m"],
    )
    .await?;
    fresh.said(0, &["TU26-1", "statewide complete"]);
    world.fleet.take_node(1).ok_or("Tuolumne runs")?.kill().await;
    let hub = world.fleet.hub_api().to_string();
    let ended = until("four seconds have passed since Tuolumne was heard", || async {
        let ended = asked(
            &world,
            &[
                "--server",
                &hub,
                "lookup",
                "DOE,JANE",
                "--require-fresh",
                "--max-staleness",
                "4s",
            ],
        )
        .await?;
        Ok((ended.code == 6).then_some(ended))
    })
    .await?;
    ended.said(
        6,
        &[
            "TU26-1",
            "NOT CURRENT: TUOLUMNE",
            "answered by",
            "may lack their newest orders",
        ],
    );
    // Who does not insist gets the same answer with success.
    asked(&world, &["lookup", "DOE,JANE", "--max-staleness", "4"])
        .await?
        .said(0, &["TU26-1", "NOT CURRENT: TUOLUMNE"]);
    Ok(())
}

#[tokio::test]
async fn the_hub_answers_the_lookups_that_its_nodes_pass_on() -> Outcome<()> {
    let realm = Realm::new(Clock::machine())?;
    let court = realm.issue("system/alameda-test", &[])?;
    let mut hub = realm.hub()?;
    let hub_api = connect(&court, hub.start().await?).await?;
    let link = format!("[hub]\naddress = \"{}\"\n", hub.nodes()?);
    let mut node = realm.node("alameda", &link)?;
    file(
        &connect(&court, node.start().await?).await?,
        "passed-1",
        order("DOE", "JANE", "HF26-1"),
    )
    .await?;
    until("the hub holds the order", || async {
        Ok((lookup(&hub_api, "DOE", "JANE").await?.hits.len() == 1).then_some(()))
    })
    .await?;

    let identity = realm.issue("court/kern/node/1", &[])?;
    let config = RegistryConfig {
        directory: realm.path("kern"),
        identity: identity.identity().path(),
        source: Source::Node,
        own: None,
        receipts: None,
        trust: Arc::new(CertifiedKeys::of(&identity)),
        stale_after_ms: 60_000,
        index_cache_bytes: 1 << 20,
        calendars: ccpor_domain::Calendars::default(),
        takes: ccpor_sync::Choice::All,
    };
    let (registry, _) = tokio::task::spawn_blocking(move || Registry::open(config)).await??;
    let services = Services {
        ledgers: Arc::<Registry>::clone(&registry),
        images: Arc::new(RegistryImages::new(Arc::clone(&registry), Collect::OnDemand)),
        answer: Arc::new(NobodyAsks),
    };
    let nothing = Permissions {
        own: None,
        accepts: OriginSet::All,
        takes: ccpor_sync::Choice::All,
        offers: OriginSet::All,
    };
    let kern = Uplink::start(
        identity,
        services,
        UplinkConfig::new(vec![hub.nodes()?.to_string()], nothing),
    )?;
    let within = Duration::from_secs(10);
    tokio::time::timeout(within, kern.status().wait_for(|state| state.up_since.is_some())).await??;
    let request = LookupRequest {
        line: "DOE,JANE".into(),
        ..LookupRequest::default()
    };
    let agency = Caller {
        identity: "lea/kern-so".into(),
        ..Caller::default()
    };
    let operator = Caller {
        identity: "operator/jlee".into(),
        ..Caller::default()
    };
    let refused = forward::question(&operator, &request).unwrap();
    let refused = kern.ask(&refused, within).await;
    assert!(
        matches!(refused, Err(AskError::Refused)),
        "the rights are the asker's: {refused:?}"
    );
    let question = forward::question(&agency, &request).unwrap();
    let answer =
        forward::read::<LookupRequest>(&kern.ask(&question, within).await?).ok_or("not an answer")??;
    assert_eq!(answer.hits[0].case_number, "HF26-1");
    assert_eq!(answer.freshness.unwrap().served_by, "hub/1");
    let refused = kern.ask(b"lookup/1 {\"request\":", within).await;
    assert!(matches!(refused, Err(AskError::Refused)), "{refused:?}");
    kern.stop().await;
    node.stop().await;
    hub.stop().await;
    Ok(())
}
