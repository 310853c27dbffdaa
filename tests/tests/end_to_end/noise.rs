//! Noise at every port: garbage, half handshakes, oversized and malformed frames. It ends with itself; honest machines and
//! callers go on, and new ones are let in.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use ccpor_certs::IdentityDir;
use ccpor_certs::tls::{Expect, client_config};
use ccpor_tests::rest::Rest;
use ccpor_tests::world::{Outcome, World, file, join, lookup, order, until};
use ccpor_transport::ALPN;
use quinn::crypto::rustls::QuicClientConfig;
use quinn::{Connection, ConnectionError, Endpoint};
use rand::rngs::StdRng;
use rand::{Rng, RngCore, SeedableRng};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const SEED: u64 = 20_260_302;
const END_WITHIN: Duration = Duration::from_secs(30);

fn anywhere() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

/// Datagrams of every size: noise, and noise that begins like the first packet of a connection.
fn throw_datagrams(to: SocketAddr) -> Outcome<()> {
    let (socket, mut dice) = (UdpSocket::bind(anywhere())?, StdRng::seed_from_u64(SEED));
    for round in 0..400_usize {
        let mut bytes = vec![0; dice.random_range(0..1_452)];
        dice.fill_bytes(&mut bytes);
        if round % 2 == 0 && bytes.len() > 6 {
            bytes[..6].copy_from_slice(&[0xC3, 0, 0, 0, 1, 8]);
        }
        // The system may refuse a datagram when the last one was turned away; that is an answer too.
        let _refused = socket.send_to(&bytes, to);
    }
    Ok(())
}

fn dialler(identity: &IdentityDir) -> Outcome<Endpoint> {
    let tls = client_config(identity, Expect::Hub, &[ALPN])?;
    let mut endpoint = Endpoint::client(anywhere())?;
    endpoint.set_default_client_config(quinn::ClientConfig::new(Arc::new(QuicClientConfig::try_from(
        (*tls).clone(),
    )?)));
    Ok(endpoint)
}

async fn ended_by_hub(connection: &Connection) -> Outcome<u64> {
    match tokio::time::timeout(END_WITHIN, connection.closed()).await? {
        ConnectionError::ApplicationClosed(close) => Ok(close.error_code.into_inner()),
        other => Err(format!("{other}").into()),
    }
}

/// Nodes that are certified and talk nonsense. Each does so once: one that does it again is held off, and its noise not read.
async fn talk_nonsense(identities: &[IdentityDir; 7], hub: SocketAddr) -> Outcome<()> {
    let [babbler, talkers @ ..] = identities;
    let endpoint = dialler(babbler)?;
    for _ in 0..20 {
        // Dropped while the handshake is under way.
        drop(endpoint.connect(hub, "ccpor")?);
    }
    let mut dice = StdRng::seed_from_u64(SEED);
    let mut noise = vec![0; 4 << 20];
    dice.fill_bytes(&mut noise);
    let oversized = [&[0xFF, 0xFF, 0xFF, 0xFF][..], &noise].concat();
    let long = [&[0x00, 0x3F, 0xFF, 0xFF][..], &noise].concat();
    let cases: [&[u8]; 6] = [
        &oversized,
        &long,
        &[0, 0, 0, 0],
        &[0, 0, 0, 5, 1, 2, 3, 4, 5],
        &[0, 0, 0, 12, 9, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0],
        &noise,
    ];
    for (number, (bytes, talker)) in cases.into_iter().zip(talkers).enumerate() {
        let connection = dialler(talker)?.connect(hub, "ccpor")?.await?;
        let (mut send, _receive) = connection.open_bi().await?;
        // The hub may end the connection in the middle of it.
        let _cut = send.write_all(bytes).await;
        let code = ended_by_hub(&connection)
            .await
            .map_err(|error| format!("case {number}: {error}"))?;
        assert_ne!(code, 0, "case {number}: ended as if it were leaving");
    }
    // Streams of every kind without end, none of them a greeting.
    let connection = endpoint.connect(hub, "ccpor")?.await?;
    for kind in 0..=255_u8 {
        let opened = tokio::time::timeout(Duration::from_millis(50), connection.open_bi()).await;
        let Ok(Ok((mut send, _receive))) = opened else {
            break;
        };
        let _cut = send.write_all(&[kind]).await;
    }
    ended_by_hub(&connection).await?;
    Ok(())
}

/// Bytes that are no TLS, or half of it; the machine must hang up by itself.
async fn shout(port: SocketAddr) -> Outcome<()> {
    let mut dice = StdRng::seed_from_u64(SEED);
    let mut noise = vec![0; 70_000];
    dice.fill_bytes(&mut noise);
    let hello = [&[22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3][..], &noise[..300]].concat();
    let huge = [&[22, 3, 3, 255, 255][..], &noise].concat();
    let mut callers = Vec::new();
    for bytes in [
        &noise[..],
        b"GET /v1/status HTTP/1.1\r\nhost: x\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        &hello,
        &huge,
        &[],
    ] {
        let mut socket = TcpStream::connect(port).await?;
        let _cut = socket.write_all(bytes).await;
        callers.push(socket);
    }
    for (number, mut socket) in callers.into_iter().enumerate() {
        let mut answer = Vec::new();
        let ended = tokio::time::timeout(END_WITHIN, socket.read_to_end(&mut answer)).await;
        assert!(ended.is_ok(), "{port} still holds caller {number}");
        assert!(answer.len() < 100, "no more than an alert");
    }
    Ok(())
}

/// What comes after a good handshake and is no call.
async fn call_nonsense(rest: &Rest) -> Outcome<()> {
    let mut dice = StdRng::seed_from_u64(SEED);
    let mut noise = vec![0; 100_000];
    dice.fill_bytes(&mut noise);
    let many = format!("GET /livez HTTP/1.1\r\n{}\r\n", "x-noise: 1\r\n".repeat(20_000));
    let long = format!("GET /livez HTTP/1.1\r\nx-noise: {}\r\n\r\n", "x".repeat(200_000));
    let path = format!("GET /{} HTTP/1.1\r\nhost: x\r\n\r\n", "x".repeat(200_000));
    let frames = [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", &noise[..]].concat();
    for (protocol, bytes) in [
        (&b"http/1.1"[..], &noise[..]),
        (b"http/1.1", many.as_bytes()),
        (b"http/1.1", long.as_bytes()),
        (b"http/1.1", path.as_bytes()),
        (b"http/1.1", b"POST /v1/lookup HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n-1\r\n"),
        (b"h2", &noise),
        (b"h2", &frames),
    ] {
        let mut stream = rest.connect(protocol).await?;
        let _cut = stream.write_all(bytes).await;
        let _cut = stream.flush().await;
        let mut answer = Vec::new();
        let ended = tokio::time::timeout(END_WITHIN, stream.read_to_end(&mut answer)).await;
        assert!(ended.is_ok(), "it still listens to {} bytes of nonsense", bytes.len());
        assert!(!answer.starts_with(b"HTTP/1.1 2"), "{}", String::from_utf8_lossy(&answer));
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn noise_ends_with_itself() -> Outcome<()> {
    let mut world = World::start(&["alameda"]).await?;
    let (alameda, hub) = (world.node(0).await?, world.hub().await?);
    let ready = world.fleet.hub().ok_or("the hub runs")?.ready().clone();
    let (nodes, enrolment) = (ready.nodes.ok_or("nodes")?, ready.enrolment.ok_or("enrolment")?);
    let mut evil = Vec::new();
    for number in 1..=7 {
        let identity = format!("court/kern/node/{number}").parse()?;
        let directory = world.directory.path().join(format!("evil-{number}"));
        evil.push(world.fleet.authority().issue(&identity, &[], &[], &directory)?);
    }
    let evil: [IdentityDir; 7] = evil.try_into().map_err(|_| "seven identities")?;
    let node = world.fleet.members()[0].api();
    let rest = Rest::of(&world.desk(node)?, node)?;

    let (spoken, shouted) = tokio::join!(
        async {
            throw_datagrams(nodes)?;
            talk_nonsense(&evil, nodes).await?;
            call_nonsense(&rest).await?;
            call_nonsense(&Rest::of(&world.desk(ready.api)?, ready.api)?).await
        },
        async {
            tokio::try_join!(shout(node), shout(ready.api), shout(enrolment))?;
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>(())
        }
    );
    spoken?;
    shouted?;

    file(&alameda, "after-noise-1", order("DOE", "JANE", "HF26-1")).await?;
    until("the hub holds the honest order", || async {
        Ok((lookup(&hub, "DOE", "JANE").await?.hits.len() == 1).then_some(()))
    })
    .await?;
    let courts = hub.list_courts().await?.courts;
    let origins: Vec<&str> = courts.iter().map(|court| court.origin.as_str()).collect();
    assert_eq!(origins, ["court/alameda/node/1"], "nothing of the noise was kept");
    join(&mut world.fleet, "tuolumne").await?;
    let tuolumne = world.node(1).await?;
    until("a court that enrolled after the noise has it too", || async {
        Ok((lookup(&tuolumne, "DOE", "JANE").await?.hits.len() == 1).then_some(()))
    })
    .await?;
    for log in [
        world.fleet.directory().join("hub/hub.log"),
        world.fleet.members()[0].directory().join("node.log"),
    ] {
        let text = std::fs::read_to_string(log)?;
        assert!(!text.contains("panicked"), "{text}");
    }
    world.fleet.stop().await;
    Ok(())
}
