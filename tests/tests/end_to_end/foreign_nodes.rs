//! Nodes and programs whose certificates are expired, of another authority, or of another court than the records they bring:
//! none of it is taken, and the honest node goes on.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ccpor_api::CallFailed;
use ccpor_certs::{Clock, IdentityDir, Moment};
use ccpor_daemon::replication::{Collect, RegistryImages};
use ccpor_daemon::signing::NobodyAsks;
use ccpor_daemon::{identity, reading};
use ccpor_domain::{Actor, Court, Name, Order, Person};
use ccpor_ledger::{KeyRefused, KeyTrust, OriginId};
use ccpor_registry::{OwnLedger, Registry, RegistryConfig, Request, Source};
use ccpor_sync::{CloseReason, OriginSet};
use ccpor_tests::lone::{Lone, Realm, trusting};
use ccpor_tests::program::Program;
use ccpor_tests::world::{Outcome, connect, file, heads, lookup, order, until};
use ccpor_transport::{OriginTrouble, Permissions, Services, Trouble, Uplink, UplinkConfig, UplinkHandle};

const DAY: i64 = 86_400;

/// Why a caller is refused; that it is shows with its first call.
async fn refusal(identity: &IdentityDir, address: SocketAddr) -> Outcome<CallFailed> {
    use ccpor_certs::tls::{Expect, client_config};
    let tls = client_config(identity, Expect::AnyServer, &[b"h2"])?;
    let failed = match ccpor_api::Client::connect(ccpor_api::Target::new(address.to_string(), tls)).await {
        Ok(client) => client.status().await.err(),
        Err(failed) => Some(failed),
    };
    Ok(failed.ok_or("the caller was let in")?)
}

#[tokio::test]
async fn expired_and_foreign_certificates_are_refused_and_local_work_goes_on() -> Outcome<()> {
    let clock = Clock::standing_at(Moment(Clock::machine().now().0 - 200 * DAY));
    let realm = Realm::new(clock.clone())?;
    let (old_agency, old_node) = (
        realm.issue("lea/alameda-so", &[])?,
        realm.issue("court/kern/node/1", &[])?,
    );
    clock.set(Clock::machine().now());
    let court = realm.issue("system/alameda-test", &[])?;
    let mut hub = realm.hub()?;
    let hub_api = hub.start().await?;
    let link = format!("[hub]\naddress = \"{}\"\n", hub.nodes()?);
    let mut honest = realm.node("alameda", &link)?;
    let alameda = connect(&court, honest.start().await?).await?;

    // To the program on the desk its own certificate is expired; who does not look is refused by the server.
    let told = Program::ask(&old_agency, hub_api)?
        .args(["lookup", "DOE,JANE"])
        .run()
        .await?;
    assert!(
        matches!(told.said(told.code, &["expired"]).code, 1 | 4),
        "{told:?}"
    );
    let failed = refusal(&old_agency, hub_api).await?;
    assert!(
        matches!(failed, CallFailed::Refused { .. }) && failed.to_string().contains("expired"),
        "{failed}"
    );

    let foreign = Realm::new(Clock::machine())?;
    let stranger = trusting(
        &foreign.issue("court/yolo/node/1", &[])?,
        &court,
        &realm.path("stranger"),
    )?;
    for (what, identity, words) in [("kern", &old_node, "expired"), ("yolo", &stranger, "authority")] {
        let mut node = Lone::node(&realm.path(what), identity.path(), &link)?;
        let address = node.start().await?;
        let reason = until("the node tells why it is not connected", || async {
            let log = node.log();
            Ok(log
                .lines()
                .find(|line| line.contains("not connected to the hub"))
                .map(ToOwned::to_owned))
        })
        .await?;
        assert!(reason.contains(words) && reason.contains("remedy"), "{reason}");
        assert!(reason.contains("local work goes on"), "{reason}");
        if what == "yolo" {
            // Where its certificate still counts, it files.
            let client = connect(&foreign.issue("system/yolo-local", &[])?, address).await?;
            file(&client, "local-work-1", order("LOCAL", "ONLY", "YO26-1")).await?;
        }
        node.stop().await;
    }

    file(&alameda, "the-honest-1", order("DOE", "JANE", "HF26-1")).await?;
    let statewide = connect(&court, hub_api).await?;
    until("the hub holds the honest order", || async {
        Ok((lookup(&statewide, "DOE", "JANE").await?.hits.len() == 1).then_some(()))
    })
    .await?;
    let known: Vec<String> = heads(&statewide.list_courts().await?).into_keys().collect();
    assert_eq!(known, ["court/alameda/node/1"]);
    honest.stop().await;
    hub.stop().await;
    Ok(())
}

/// Believes any key, as a machine that was taken over would.
struct Anyone;

impl KeyTrust for Anyone {
    fn admit(&self, _: &OriginId, _: &[u8; 32], _: &[Vec<u8>]) -> Result<(), KeyRefused> {
        Ok(())
    }
}

/// A ledger of `origin` with one order, its records signed with the key of `signer`.
async fn ledger_of(origin: &str, signer: &IdentityDir, directory: &Path) -> Outcome<Arc<Registry>> {
    let (key, chain) = identity::record_key(signer)?;
    let origin = OriginId::new(origin)?;
    let config = RegistryConfig {
        directory: directory.to_owned(),
        identity: origin.to_string(),
        source: Source::Node,
        own: Some(OwnLedger {
            origin: origin.clone(),
            key,
            chain,
            handing_over: None,
        }),
        receipts: None,
        trust: Arc::new(Anyone),
        stale_after_ms: 60_000,
        index_cache_bytes: 16 << 20,
        calendars: ccpor_domain::Calendars::default(),
        takes: ccpor_sync::Choice::All,
    };
    Ok(reading::blocking(move || {
        let (registry, _) = Registry::open(config).unwrap();
        let name = Name {
            first: "EVE".into(),
            last: "MALLORY".into(),
            ..Name::default()
        };
        let paper = Order {
            court: Court {
                slug: origin.court().split_once('/').unwrap().1.to_owned(),
                ..Court::default()
            },
            case_number: "EV26-1".into(),
            issued: "2026-03-01".parse().ok(),
            restrained: Person {
                name,
                ..Person::default()
            },
            ..Order::default()
        };
        let by = Actor {
            identity: origin.to_string(),
            ori: None,
            person: None,
        };
        registry
            .file(
                Request {
                    key: "forged-key-1".into(),
                    by,
                    reason: String::new(),
                },
                None,
                paper,
            )
            .unwrap();
        registry
    })
    .await?)
}

/// Connects to the hub as `identity` and offers all that `registry` holds.
fn offer(identity: &IdentityDir, registry: &Arc<Registry>, hub: SocketAddr) -> Outcome<UplinkHandle> {
    let services = Services {
        ledgers: Arc::<Registry>::clone(registry),
        images: Arc::new(RegistryImages::new(Arc::clone(registry), Collect::OnDemand)),
        answer: Arc::new(NobodyAsks),
    };
    let all = Permissions {
        own: None,
        accepts: OriginSet::All,
        takes: ccpor_sync::Choice::All,
        offers: OriginSet::All,
    };
    Ok(Uplink::start(
        identity.clone(),
        services,
        UplinkConfig::new(vec![hub.to_string()], all),
    )?)
}

#[tokio::test]
async fn records_that_a_node_may_not_write_are_not_taken_from_it() -> Outcome<()> {
    let realm = Realm::new(Clock::machine())?;
    let court = realm.issue("system/alameda-test", &[])?;
    let mut hub = realm.hub()?;
    let hub_api = hub.start().await?;
    let nodes = hub.nodes()?;
    let mut honest = realm.node("alameda", &format!("[hub]\naddress = \"{nodes}\"\n"))?;
    let alameda = connect(&court, honest.start().await?).await?;
    let statewide = connect(&court, hub_api).await?;
    file(&alameda, "the-honest-1", order("DOE", "JANE", "HF26-1")).await?;

    // Another court's ledger, whole and well signed, brought by a node that is not its writer.
    let (kern, yolo) = (
        realm.issue("court/kern/node/1", &[])?,
        realm.issue("court/yolo/node/1", &[])?,
    );
    let stolen = ledger_of("court/yolo/node/1", &yolo, &realm.path("stolen")).await?;
    let link = offer(&kern, &stolen, nodes)?;
    assert_eq!(closed(&link).await?, CloseReason::NotYours);
    link.stop().await;

    // Its own ledger, signed with a key that is certified for another court.
    let forged = ledger_of("court/kern/node/1", &yolo, &realm.path("forged")).await?;
    let link = offer(&kern, &forged, nodes)?;
    let origins = link
        .status()
        .wait_for(|state| !state.troubled_origins.is_empty())
        .await?
        .troubled_origins
        .clone();
    assert!(
        matches!(origins.as_slice(), [OriginTrouble::Refused { by_peer: true, .. }]),
        "{origins:?}"
    );
    link.stop().await;

    // An identity that replicates nothing.
    let agency = realm.issue("lea/alameda-so", &[])?;
    let link = offer(&agency, &forged, nodes)?;
    assert_eq!(closed(&link).await?, CloseReason::NotWelcome);
    link.stop().await;

    file(&alameda, "the-honest-2", order("DOE", "JOHN", "HF26-2")).await?;
    until("the honest node goes on", || async {
        Ok((lookup(&statewide, "DOE", "JOHN").await?.total >= 2).then_some(()))
    })
    .await?;
    assert!(lookup(&statewide, "MALLORY", "EVE").await?.hits.is_empty());
    let held: Vec<String> = heads(&statewide.list_courts().await?).into_keys().collect();
    assert_eq!(held, ["court/alameda/node/1"], "nothing of it was kept");
    for registry in [stolen, forged] {
        reading::blocking(move || registry.close()).await?;
    }
    honest.stop().await;
    hub.stop().await;
    assert!(!hub.log().contains("panicked"), "{}", hub.log());
    Ok(())
}

/// Why the hub closed the connection.
async fn closed(link: &UplinkHandle) -> Outcome<CloseReason> {
    let mut status = link.status();
    let told = status.wait_for(|state| state.last_trouble.is_some());
    let state = tokio::time::timeout(Duration::from_secs(30), told)
        .await??
        .clone();
    match state.last_trouble {
        Some(Trouble::Closed {
            reason,
            by_peer: true,
        }) => Ok(reason),
        other => Err(format!("{other:?}").into()),
    }
}
