//! Real TLS handshakes in memory: who is let in, who is not, and what each side is told.

use std::sync::Arc;

use ccpor_certs::listener::{ClientCertificate, Finding, Listener};
use ccpor_certs::tls::{Expect, client_config, in_words, peer_of};
use ccpor_certs::{IdentityDir, Moment, Peer};
use rcgen::ExtendedKeyUsagePurpose::{ClientAuth, ServerAuth};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{
    CertificateError, ClientConfig, ClientConnection, Connection, DigitallySignedStruct, Error,
    HandshakeKind, ProtocolVersion, ServerConfig, ServerConnection, SignatureScheme,
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use crate::forge::{DAY, Leaf, Registry, START, identity};

const ALPN: &[&[u8]] = &[b"ccpor-sync/1"];

/// What both sides came to, after as many flights as they wanted.
pub(crate) struct Outcome {
    pub(crate) client: Result<ClientConnection, Error>,
    pub(crate) server: Result<ServerConnection, Error>,
}

impl Outcome {
    /// Who the server takes the client for.
    pub(crate) fn client_seen(&self) -> Option<Peer> {
        peer_of(self.server.as_ref().unwrap().peer_certificates()).unwrap()
    }

    /// What the server held against the client's certificate.
    fn server_refusal(&self) -> &Error {
        self.server.as_ref().expect_err("the server let the client in")
    }

    /// What the client held against the server's certificate.
    fn client_refusal(&self) -> &Error {
        self.client.as_ref().expect_err("the client accepted the server")
    }
}

pub(crate) fn handshake(client: &Arc<ClientConfig>, server: &Arc<ServerConfig>) -> Outcome {
    let name = ServerName::try_from("does-not-matter.example").unwrap();
    let mut client: Connection = ClientConnection::new(Arc::clone(client), name).unwrap().into();
    let mut server: Connection = ServerConnection::new(Arc::clone(server)).unwrap().into();
    let (mut client_error, mut server_error) = (None, None);
    for _ in 0..6 {
        carry(&mut client, &mut server, &mut server_error);
        carry(&mut server, &mut client, &mut client_error);
    }
    let client = match (client_error, client) {
        (None, Connection::Client(client)) if !client.is_handshaking() => Ok(client),
        (error, _) => Err(error.expect("the client waits for nothing")),
    };
    let server = match (server_error, server) {
        (None, Connection::Server(server)) if !server.is_handshaking() => Ok(server),
        (error, _) => Err(error.expect("the server waits for nothing")),
    };
    Outcome { client, server }
}

fn carry(from: &mut Connection, to: &mut Connection, error: &mut Option<Error>) {
    let mut wire = Vec::new();
    while from.wants_write() {
        from.write_tls(&mut wire).unwrap();
    }
    let mut wire = wire.as_slice();
    while !wire.is_empty() && error.is_none() {
        to.read_tls(&mut wire).unwrap();
        *error = to.process_new_packets().err();
    }
}

pub(crate) fn listener(directory: &IdentityDir, client: ClientCertificate) -> Listener {
    Listener::of(directory, client, ALPN).unwrap()
}

pub(crate) fn server(directory: &IdentityDir) -> Arc<ServerConfig> {
    listener(directory, ClientCertificate::Required).settings(&Finding::default())
}

pub(crate) fn client(directory: &IdentityDir, expect: Expect) -> Arc<ClientConfig> {
    client_config(directory, expect, ALPN).unwrap()
}

/// A client that presents any chain, whether or not it has the key of it, and believes any server.
pub(crate) fn careless_client(leaf: Option<Leaf>) -> Arc<ClientConfig> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(BelievesAll));
    let mut config = match leaf {
        Some(leaf) => {
            let key = any_supported_type(&leaf.key).unwrap();
            let presented = SingleCertAndKey::from(CertifiedKey::new(leaf.chain, key));
            builder.with_client_cert_resolver(Arc::new(presented))
        }
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = vec![ALPN[0].to_vec()];
    Arc::new(config)
}

/// A server that presents any chain and asks for nothing.
fn careless_server(leaf: Leaf) -> Arc<ServerConfig> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder =
        ServerConfig::builder_with_provider(provider).with_protocol_versions(&[&rustls::version::TLS13]);
    let mut config = builder
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(leaf.chain, leaf.key)
        .unwrap();
    config.alpn_protocols = vec![ALPN[0].to_vec()];
    Arc::new(config)
}

#[derive(Debug)]
struct BelievesAll;

impl ServerCertVerifier for BelievesAll {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ECDSA_NISTP256_SHA256, SignatureScheme::ED25519]
    }
}

#[test]
fn node_and_hub_know_each_other_and_never_resume() {
    let registry = Registry::new();
    let (hub, node) = (registry.issue("hub/1"), registry.issue("court/alameda/node/1"));
    let (server, client) = (server(&hub), client(&node, Expect::Hub));
    for _ in 0..2 {
        let outcome = handshake(&client, &server);
        assert_eq!(outcome.client_seen().as_ref(), Some(node.peer()));
        let connection = outcome.client.unwrap();
        assert_eq!(connection.protocol_version(), Some(ProtocolVersion::TLSv1_3));
        assert_eq!(connection.alpn_protocol(), Some(ALPN[0]));
        assert_eq!(connection.handshake_kind(), Some(HandshakeKind::Full));
        assert_eq!(connection.tls13_tickets_received(), 0);
        assert_eq!(
            peer_of(connection.peer_certificates()).unwrap().as_ref(),
            Some(hub.peer())
        );
    }
    assert_eq!(server.max_early_data_size, 0);
    assert!(!client.enable_early_data);
}

#[test]
fn an_agency_and_its_oris_are_seen_by_a_node() {
    let registry = Registry::new();
    let node = registry.issue("tribal/yurok/node/1");
    let oris = ["CA0010000".to_owned(), "CA0019999".to_owned()];
    let agency = identity("lea/alameda-so");
    let agency = registry
        .authority
        .issue(&agency, &[], &oris, &registry.path("so"))
        .unwrap();
    let outcome = handshake(&client(&agency, Expect::AnyServer), &server(&node));
    assert_eq!(outcome.client_seen().unwrap().oris, oris);
}

#[test]
fn another_authority_is_refused_on_both_sides() {
    let (ours, theirs) = (Registry::new(), Registry::new());
    let (hub, stranger) = (ours.issue("hub/1"), theirs.issue("court/alameda/node/1"));
    let outcome = handshake(
        &careless_client(Some(Leaf::from_files(stranger.path(), "tls"))),
        &server(&hub),
    );
    assert!(matches!(
        outcome.server_refusal(),
        Error::InvalidCertificate(CertificateError::UnknownIssuer)
    ));
    let told = in_words(outcome.client_refusal());
    assert!(told.contains("another authority"), "{told}");

    let outcome = handshake(&client(&stranger, Expect::Hub), &server(&hub));
    assert!(in_words(outcome.client_refusal()).contains("another authority"));
}

#[test]
fn a_forged_signature_under_our_names_is_refused() {
    let registry = Registry::new();
    let hub = registry.issue("hub/1");
    let forged = registry.impostor(&["spiffe://ccpor/court/alameda/node/1"], &[ClientAuth]);
    let outcome = handshake(&careless_client(Some(forged)), &server(&hub));
    assert!(matches!(
        outcome.server_refusal(),
        Error::InvalidCertificate(CertificateError::BadSignature)
    ));
}

#[test]
fn an_expired_client_is_refused_and_told() {
    let registry = Registry::new();
    let (hub, node) = (registry.issue("hub/1"), registry.issue("court/alameda/node/1"));
    let (server, client) = (server(&hub), client(&node, Expect::Hub));
    registry.clock.set(START.plus(30 * DAY));
    assert!(handshake(&client, &server).server.is_ok());
    registry.clock.set(START.plus(30 * DAY + 1));
    let outcome = handshake(&client, &server);
    let logged = in_words(outcome.server_refusal());
    assert!(logged.contains("expired on 2026-12-23T00:00:00Z"), "{logged}");
    let told = in_words(outcome.client_refusal());
    assert!(
        told.contains("refused this side's certificate") && told.contains("enrol again"),
        "{told}"
    );
}

#[test]
fn a_certificate_from_the_future_is_refused_and_slow_clocks_are_forgiven() {
    let registry = Registry::new();
    let (hub, node) = (registry.issue("hub/1"), registry.issue("court/alameda/node/1"));
    let (server, client) = (server(&hub), client(&node, Expect::Hub));
    registry.clock.set(START.plus(-600));
    assert!(handshake(&client, &server).server.is_ok());
    registry.clock.set(START.plus(-601));
    let told = in_words(handshake(&client, &server).client_refusal());
    assert!(
        told.contains("valid from") && told.contains("set the clock"),
        "{told}"
    );
}

#[test]
fn an_expired_server_is_refused() {
    let registry = Registry::new();
    let (node, hub) = (registry.issue("court/alameda/node/1"), registry.issue("hub/1"));
    let (server, client) = (server(&node), client(&hub, Expect::AnyServer));
    registry.clock.set(START.plus(31 * DAY));
    assert!(in_words(handshake(&client, &server).client_refusal()).contains("expired on"));
}

#[test]
fn a_good_server_of_another_name_is_refused() {
    let registry = Registry::new();
    let (hub, node) = (registry.issue("hub/1"), registry.issue("court/alameda/node/1"));
    let told =
        |expect, directory| in_words(handshake(&client(&node, expect), &server(directory)).client_refusal());
    assert!(told(Expect::Hub, &node).contains("court/alameda/node/1, but a hub was expected"));
    let second = Expect::Exactly(identity("hub/2"));
    assert!(told(second, &hub).contains("hub/1, but hub/2 was expected"));
    let exactly = Expect::Exactly(identity("hub/1"));
    assert!(handshake(&client(&node, exactly), &server(&hub)).client.is_ok());
}

#[test]
fn an_agency_cannot_serve() {
    let registry = Registry::new();
    let (node, agency) = (
        registry.issue("court/alameda/node/1"),
        registry.issue("lea/alameda-so"),
    );
    let serving = careless_server(Leaf::from_files(agency.path(), "tls"));
    let outcome = handshake(&client(&node, Expect::AnyServer), &serving);
    assert!(in_words(outcome.client_refusal()).contains("not made for this use"));
    // Nor one whose certificate allows it but whose identity does not.
    let forged = registry.forge(&["spiffe://ccpor/lea/alameda-so"], &[ServerAuth]);
    let outcome = handshake(&client(&node, Expect::AnyServer), &careless_server(forged));
    assert!(in_words(outcome.client_refusal()).contains("a node or hub was expected"));
}

#[test]
fn clients_with_other_purposes_or_names_are_refused() {
    let registry = Registry::new();
    let hub = registry.issue("hub/1");
    let (court, other) = (
        "spiffe://ccpor/court/alameda/node/1",
        "spiffe://ccpor/court/kern/node/1",
    );
    for (uris, usages, words) in [
        (vec![court], vec![ServerAuth], "not made for this use"),
        (vec![court, other], vec![ClientAuth], "names 2 identities"),
        (vec![], vec![ClientAuth], "names no registry identity"),
        (
            vec!["https://alameda.example/"],
            vec![ClientAuth],
            "names no registry identity",
        ),
        (
            vec!["spiffe://elsewhere/court/alameda/node/1"],
            vec![ClientAuth],
            "another registry",
        ),
        (
            vec!["spiffe://ccpor/court/ALAMEDA/node/1"],
            vec![ClientAuth],
            "malformed",
        ),
        (vec![court, "urn:ccpor:ori:short"], vec![ClientAuth], "ORI"),
    ] {
        let outcome = handshake(
            &careless_client(Some(registry.forge(&uris, &usages))),
            &server(&hub),
        );
        let reason = in_words(outcome.server_refusal());
        assert!(reason.contains(words), "{uris:?}: {reason}");
        assert!(outcome.client.is_err(), "{uris:?}");
    }
    let good = registry.forge(&[court], &[ClientAuth]);
    assert!(
        handshake(&careless_client(Some(good)), &server(&hub))
            .server
            .is_ok()
    );
}

#[test]
fn a_record_certificate_opens_no_connection() {
    let registry = Registry::new();
    let (hub, node) = (registry.issue("hub/1"), registry.issue("court/alameda/node/1"));
    let record = || Leaf::from_files(node.path(), "record");
    let outcome = handshake(&careless_client(Some(record())), &server(&hub));
    let reason = in_words(outcome.server_refusal());
    assert!(reason.contains("not made for this use"), "{reason}");
    let outcome = handshake(&client(&node, Expect::AnyServer), &careless_server(record()));
    assert!(in_words(outcome.client_refusal()).contains("not made for this use"));
}

#[test]
fn a_missing_certificate_matters_only_where_it_is_required() {
    let registry = Registry::new();
    let node = registry.issue("court/alameda/node/1");
    let outcome = handshake(&careless_client(None), &server(&node));
    assert!(in_words(outcome.server_refusal()).contains("presented no certificate"));
    assert!(in_words(outcome.client_refusal()).contains("give this program its identity directory"));

    let optional = listener(&node, ClientCertificate::Optional).settings(&Finding::default());
    assert_eq!(handshake(&careless_client(None), &optional).client_seen(), None);
    let agency = registry.issue("lea/alameda-so");
    let outcome = handshake(&client(&agency, Expect::AnyServer), &optional);
    assert_eq!(
        outcome.client_seen().unwrap().identity,
        identity("lea/alameda-so")
    );
    let other_registry = Registry::new();
    let stranger = other_registry.issue("lea/alameda-so");
    let stranger = careless_client(Some(Leaf::from_files(stranger.path(), "tls")));
    assert!(handshake(&stranger, &optional).server.is_err());
}

#[test]
fn a_chain_without_the_issuing_certificate_leads_nowhere() {
    let registry = Registry::new();
    let (hub, node) = (registry.issue("hub/1"), registry.issue("court/alameda/node/1"));
    let mut leaf = Leaf::from_files(node.path(), "tls");
    leaf.chain.truncate(1);
    let outcome = handshake(&careless_client(Some(leaf)), &server(&hub));
    assert!(matches!(
        outcome.server_refusal(),
        Error::InvalidCertificate(CertificateError::UnknownIssuer)
    ));
}

#[test]
fn another_protocol_is_refused() {
    let registry = Registry::new();
    let (hub, node) = (registry.issue("hub/1"), registry.issue("court/alameda/node/1"));
    let other = client_config(&node, Expect::Hub, &[b"h2"]).unwrap();
    let outcome = handshake(&other, &server(&hub));
    assert!(in_words(outcome.client_refusal()).contains("check the port"));
    assert!(in_words(outcome.server_refusal()).contains("wrong port"));
}

#[test]
fn settings_work_for_a_machine_clock_too() {
    let dir = tempfile::tempdir().unwrap();
    let authority = ccpor_certs::Authority::init(&dir.path().join("ca")).unwrap();
    let hub = authority
        .issue(&identity("hub/1"), &[], &[], &dir.path().join("hub"))
        .unwrap();
    assert!(hub.peer().not_after > Moment(1_700_000_000));
    assert!(
        handshake(&client(&hub, Expect::Hub), &server(&hub))
            .server
            .is_ok()
    );
}

#[test]
fn a_certificate_replaced_on_disk_is_presented_from_the_next_handshake_on() {
    let registry = Registry::new();
    let name = identity("court/alameda/node/1");
    let (hub, node) = (registry.issue("hub/1"), registry.issue("court/alameda/node/1"));
    let (client, server) = (client(&node, Expect::Hub), server(&hub));
    let first = handshake(&client, &server).client_seen().unwrap().serial;
    let newer = registry
        .authority
        .issue(&name, &[], &[], &registry.path("newer"))
        .unwrap();
    let put = |file: &str| std::fs::copy(newer.path().join(file), node.path().join(file)).unwrap();
    put("tls.key");
    // The key came without its certificate: what belongs together stays in use.
    assert_eq!(handshake(&client, &server).client_seen().unwrap().serial, first);
    put("tls.pem");
    let second = handshake(&client, &server).client_seen().unwrap().serial;
    assert_eq!(second, newer.peer().serial);
    assert_ne!(second, first);
    // Another court's files are never taken up.
    let other = registry.issue("court/kern/node/1");
    for file in ["tls.key", "tls.pem"] {
        std::fs::copy(other.path().join(file), node.path().join(file)).unwrap();
    }
    assert_eq!(handshake(&client, &server).client_seen().unwrap().serial, second);
}
