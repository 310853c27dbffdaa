//! Who is not let in, and what does not get through: each with its reason, while an honest node goes on.

use std::sync::Arc;
use std::time::Duration;

use ccpor_certs::authority::Verdict;
use ccpor_certs::listener::Unwelcome;
use ccpor_certs::tls::{Expect, client_config};
use ccpor_certs::{Clock, Identity, IdentityDir, Moment};
use ccpor_sync::{CloseReason, OriginSet};
use ccpor_transport::{
    ALPN, CertificateFault, Landing, LandingConfig, OriginTrouble, Permissions, Refusal, TransportChoice,
    Trouble, Uplink, UplinkConfig,
};
use quinn::crypto::rustls::QuicClientConfig;

use crate::memory::Memory;
use crate::realm::{Realm, anywhere, dial, dial_by, dial_with, land, origin, trouble, until_up};

const DAY: i64 = 86_400;

/// An honest node is connected all along, and still is when the other was refused, by either transport for the same reason.
async fn refused(realm: &Realm, other: &IdentityDir) -> Trouble {
    let by_quic = refused_by(realm, other, TransportChoice::Quic).await;
    let by_tcp = refused_by(realm, other, TransportChoice::Tcp).await;
    assert_eq!(by_quic, by_tcp);
    by_quic
}

/// What the hub tells of it, when it was the hub that refused.
fn as_seen_here(why: &Trouble) -> Option<Trouble> {
    match why.clone() {
        Trouble::Certificate { fault, ours: true } => Some(Trouble::Certificate { fault, ours: false }),
        Trouble::Closed {
            reason,
            by_peer: true,
        } => Some(Trouble::Closed {
            reason,
            by_peer: false,
        }),
        _ => None,
    }
}

async fn refused_by(realm: &Realm, other: &IdentityDir, transport: TransportChoice) -> Trouble {
    let (hub, honest) = (Memory::hub(), Memory::node());
    let hub_folder = format!("hub-{transport}");
    let identity = realm.issue(&Identity::hub(1).unwrap(), &hub_folder);
    if let Some(list) = realm.authority.revocations().unwrap() {
        identity.revocations().offer(list.text()).unwrap();
    }
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let config = LandingConfig {
        refusals: Arc::new(move |refusal: &Refusal| tell.send(refusal.clone()).unwrap()),
        ..LandingConfig::hub(anywhere())
    };
    let landing = Landing::start(&identity, hub.services(), config).unwrap();
    let address = landing.local_addr().unwrap();
    let link = dial(
        &realm.issue(
            &Identity::court("honest", 1).unwrap(),
            &format!("honest-{transport}"),
        ),
        &honest,
        address,
    );
    until_up(&link).await;
    let refused = dial_by(other, &Memory::node(), address, transport);
    let why = trouble(&refused).await;
    assert_eq!(refused.status().borrow().up_since, None, "never counted as up");
    refused.stop().await;
    if let Some(here) = as_seen_here(&why) {
        let refusal = tokio::time::timeout(Duration::from_secs(20), told.recv()).await;
        let refusal = refusal.unwrap().unwrap();
        assert!(refusal.address.ip().is_loopback());
        assert_eq!(refusal.why, here);
        on_record(realm, &refusal, other);
    }
    honest.file(&origin("honest"), 2);
    hub.until("the honest node goes on", |hub| hub.len(&origin("honest")) == 2)
        .await;
    assert_eq!(link.status().borrow().last_trouble, None);
    why
}

/// Whose certificate it is, and what it was refused for; of a certificate of another authority neither, whatever it says.
fn on_record(realm: &Realm, refusal: &Refusal, other: &IdentityDir) {
    let peer = other.peer();
    let (who, why) = match &refusal.why {
        Trouble::Certificate {
            fault: CertificateFault::UnknownAuthority,
            ..
        } => (None, None),
        Trouble::Certificate {
            fault: CertificateFault::Expired,
            ..
        } => (Some(peer), Some(Unwelcome::Expired(peer.not_after))),
        Trouble::Certificate {
            fault: CertificateFault::Revoked,
            ..
        } => {
            let list = realm.authority.revocations().unwrap().unwrap();
            let listed = list.list().refuses(peer).map(Unwelcome::Listed);
            assert!(listed.is_some());
            (Some(peer), listed)
        }
        Trouble::Closed { .. } => (Some(peer), None),
        other => panic!("{other:?}"),
    };
    assert_eq!((refusal.peer.as_ref(), refusal.unwelcome), (who, why));
    let cause = why.map(|why| why.cause().to_owned());
    assert_eq!(refusal.cause(), cause.unwrap_or(refusal.why.to_string()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_of_another_authority_is_not_accepted() {
    let why = refused(&Realm::new(), &Realm::new().court("alameda")).await;
    assert_eq!(
        why,
        Trouble::Certificate {
            fault: CertificateFault::UnknownAuthority,
            ours: false
        }
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_of_another_authority_is_refused() {
    let (realm, foreign) = (Realm::new(), Realm::new());
    let folder = foreign.court("alameda").path().to_path_buf();
    // It trusts this registry's hub, but its own certificate comes from elsewhere.
    let ours = realm.court("yolo").path().join("ca.pem");
    let both =
        std::fs::read_to_string(folder.join("ca.pem")).unwrap() + &std::fs::read_to_string(ours).unwrap();
    std::fs::write(folder.join("ca.pem"), both).unwrap();
    let why = refused(&realm, &IdentityDir::open(&folder).unwrap()).await;
    assert_eq!(
        why,
        Trouble::Certificate {
            fault: CertificateFault::UnknownAuthority,
            ours: true
        }
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_certificate_is_refused() {
    let clock = Clock::standing_at(Moment(Clock::machine().now().0 - 200 * DAY));
    let realm = Realm::at(clock.clone());
    let expired = realm.court("alameda");
    clock.set(Clock::machine().now());
    let why = refused(&realm, &expired).await;
    assert_eq!(
        why,
        Trouble::Certificate {
            fault: CertificateFault::Expired,
            ours: true
        }
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_and_a_suspended_node_are_refused_in_the_handshake_and_known_by_name() {
    for (verdict, cause) in [
        (Verdict::Revoke, "the certificate is revoked"),
        (Verdict::Suspend, "the identity is suspended"),
    ] {
        let realm = Realm::new();
        let node = realm.court("alameda");
        let list = realm.authority.judge(node.identity(), verdict, "stolen").unwrap();
        let listed = list.list().refuses(node.peer()).map(Unwelcome::Listed);
        assert_eq!(listed.unwrap().cause(), cause);
        let why = refused(&realm, &node).await;
        assert_eq!(
            why,
            Trouble::Certificate {
                fault: CertificateFault::Revoked,
                ours: true
            }
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_identity_that_may_not_replicate_is_turned_away() {
    let realm = Realm::new();
    let agency = realm.issue(&Identity::lea("alameda-so").unwrap(), "lea");
    let why = refused(&realm, &agency).await;
    assert_eq!(
        why,
        Trouble::Closed {
            reason: CloseReason::NotWelcome,
            by_peer: true
        }
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn records_of_another_court_are_refused() {
    let realm = Realm::new();
    let (hub, node) = (Memory::hub(), Memory::node());
    let landing = land(&realm.hub_identity(), &hub, anywhere());
    node.file(&origin("yolo"), 4);
    let all = Permissions {
        own: None,
        accepts: OriginSet::None,
        takes: ccpor_sync::Choice::All,
        offers: OriginSet::All,
    };
    let link = dial_with(
        &realm.court("alameda"),
        &node,
        landing.local_addr().unwrap(),
        all,
        TransportChoice::Quic,
    );
    assert_eq!(
        trouble(&link).await,
        Trouble::Closed {
            reason: CloseReason::NotYours,
            by_peer: true
        }
    );
    assert_eq!(hub.len(&origin("yolo")), 0);
    let told = &link.status().borrow().troubled_origins.clone();
    assert!(
        matches!(told.as_slice(), [OriginTrouble::Refused { by_peer: true, .. }]),
        "{told:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_of_another_number_is_not_accepted() {
    let realm = Realm::new();
    let landing = land(&realm.hub_identity(), &Memory::hub(), anywhere());
    let config = UplinkConfig {
        expect: Expect::Exactly(Identity::hub(2).unwrap()),
        ..UplinkConfig::new(
            vec![landing.local_addr().unwrap().to_string()],
            Permissions::node(origin("alameda")),
        )
    };
    let link = Uplink::start(realm.court("alameda"), Memory::node().services(), config).unwrap();
    let why = trouble(&link).await;
    assert!(matches!(why, Trouble::Certificate { ours: false, .. }), "{why:?}");
}

async fn connect(
    tls: rustls::ClientConfig,
    to: std::net::SocketAddr,
) -> Result<quinn::Connection, quinn::ConnectionError> {
    let endpoint = quinn::Endpoint::client(anywhere()).unwrap();
    let config = quinn::ClientConfig::new(Arc::new(QuicClientConfig::try_from(tls).unwrap()));
    endpoint.connect_with(config, to, "ccpor").unwrap().await
}

async fn end_of(connection: &quinn::Connection) -> Trouble {
    let end = tokio::time::timeout(Duration::from_secs(20), connection.closed()).await;
    Trouble::from(end.expect("closed within 20 s"))
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_bytes_end_only_their_own_connection() {
    let realm = Realm::new();
    let (hub, honest) = (Memory::hub(), Memory::node());
    let landing = land(&realm.hub_identity(), &hub, anywhere());
    let address = landing.local_addr().unwrap();
    let link = dial(&realm.court("honest"), &honest, address);
    until_up(&link).await;

    let as_court = |slug: &str| client_config(&realm.court(slug), Expect::Hub, &[ALPN]).unwrap();
    let cases: [(&[u8], CloseReason); 4] = [
        (&[0xFF; 64], CloseReason::Malformed),
        (&[0, 0, 0, 5, 1, 2, 3, 4, 5], CloseReason::Malformed),
        (&[0, 0, 0, 0], CloseReason::Malformed),
        // A ping before the greeting.
        (
            &[0, 0, 0, 12, 9, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0],
            CloseReason::OutOfOrder,
        ),
    ];
    for (number, (bytes, reason)) in cases.into_iter().enumerate() {
        // Each another court's machine: one that does it twice is held off.
        let tls = as_court(&format!("evil-{number}"));
        let connection = connect((*tls).clone(), address).await.unwrap();
        let (mut send, _receive) = connection.open_bi().await.unwrap();
        send.write_all(bytes).await.unwrap();
        assert_eq!(
            end_of(&connection).await,
            Trouble::Closed {
                reason,
                by_peer: true
            }
        );
    }
    // Connected, a stream opened, and then nothing.
    let tls = as_court("silent");
    let connection = connect((*tls).clone(), address).await.unwrap();
    let (mut send, _receive) = connection.open_bi().await.unwrap();
    send.write_all(&[0]).await.unwrap();
    assert_eq!(
        end_of(&connection).await,
        Trouble::Closed {
            reason: CloseReason::NoGreeting,
            by_peer: true
        }
    );

    honest.file(&origin("honest"), 2);
    hub.until("the honest node goes on", |hub| hub.len(&origin("honest")) == 2)
        .await;
    assert_eq!(link.status().borrow().last_trouble, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_certificate_and_another_protocol_are_refused() {
    let realm = Realm::new();
    let identity = realm.hub_identity();
    let landing = land(&identity, &Memory::hub(), anywhere());
    let address = landing.local_addr().unwrap();
    let mut roots = rustls::RootCertStore::empty();
    roots.add_parsable_certificates(identity.ca().iter().cloned());
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut bare = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    bare.alpn_protocols = vec![ALPN.to_vec()];
    let connection = connect(bare, address).await.unwrap();
    let missing = Trouble::Certificate {
        fault: CertificateFault::Missing,
        ours: true,
    };
    assert_eq!(end_of(&connection).await, missing);

    let other = client_config(&realm.court("alameda"), Expect::Hub, &[b"other/1"]).unwrap();
    let why = connect((*other).clone(), address).await.unwrap_err();
    assert_eq!(Trouble::from(why), Trouble::OtherProtocol);
}
