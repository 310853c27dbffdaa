//! Links through TCP: everything that goes over UDP goes through it, in the same order of priority; and a link that may use
//! both uses UDP whenever it passes.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ccpor_certs::Identity;
use ccpor_certs::tls::{Expect, client_config};
use ccpor_sync::CloseReason;
use ccpor_transport::{TUNNEL_ALPN, Transport, TransportChoice, Trouble, Wanted, limits, reach};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream, UdpSocket};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;

use crate::memory::Memory;
use crate::realm::{Realm, anywhere, dial, dial_by, land, origin, trouble, until, until_up};

/// A firewall before a hub: lets TCP through, at most so many bytes a second each way, and UDP only when it is told to.
struct Firewall {
    address: SocketAddr,
    udp_passes: Arc<AtomicBool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Firewall {
    async fn before(hub: SocketAddr, bytes_a_second: usize) -> Self {
        let (listener, udp) = loop {
            let socket = short_buffers();
            socket.bind(anywhere()).unwrap();
            let listener = socket.listen(16).unwrap();
            if let Ok(udp) = UdpSocket::bind(listener.local_addr().unwrap()).await {
                break (listener, udp);
            }
        };
        let address = listener.local_addr().unwrap();
        let udp_passes = Arc::new(AtomicBool::new(false));
        let tcp = tokio::spawn(async move {
            let mut streams = Vec::new();
            while let Ok((near, _)) = listener.accept().await {
                let far = short_buffers().connect(hub).await.unwrap();
                let ((near_read, near_write), (far_read, far_write)) = (near.into_split(), far.into_split());
                streams.push(Piece(tokio::spawn(pass(near_read, far_write, bytes_a_second))));
                streams.push(Piece(tokio::spawn(pass(far_read, near_write, bytes_a_second))));
            }
        });
        let datagrams = tokio::spawn(forward(udp, hub, Arc::clone(&udp_passes)));
        Self {
            address,
            udp_passes,
            tasks: vec![tcp, datagrams],
        }
    }
}

impl Drop for Firewall {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

/// What waits on the way waits in the sender, as before a slow line, and not in the system's buffers of this one.
fn short_buffers() -> TcpSocket {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(8 << 10).unwrap();
    socket.set_send_buffer_size(8 << 10).unwrap();
    socket
}

/// A direction of a connection, which ends with the firewall.
struct Piece(JoinHandle<()>);

impl Drop for Piece {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Carries bytes at a pace, a little at a time, as a slow line does.
async fn pass(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin, bytes_a_second: usize) {
    let begun = Instant::now();
    let (mut bytes, mut carried) = (vec![0; 4_096], 0_usize);
    while let Ok(length @ 1..) = from.read(&mut bytes).await {
        carried += length;
        tokio::time::sleep_until(begun + Duration::from_secs_f64(carried as f64 / bytes_a_second as f64))
            .await;
        if to.write_all(&bytes[..length]).await.is_err() {
            return;
        }
    }
}

/// Carries datagrams of one client while they may pass.
async fn forward(near: UdpSocket, hub: SocketAddr, passes: Arc<AtomicBool>) {
    let far = UdpSocket::bind(anywhere()).await.unwrap();
    let (mut client, mut out, mut back) = (None, vec![0; 65_536], vec![0; 65_536]);
    loop {
        tokio::select! {
            Ok((length, from)) = near.recv_from(&mut out) => if passes.load(Ordering::Relaxed) {
                client = Some(from);
                let _ = far.send_to(&out[..length], hub).await;
            },
            Ok((length, _)) = far.recv_from(&mut back) => if let Some(client) = client {
                let _ = near.send_to(&back[..length], client).await;
            },
        }
    }
}

const FAST: usize = 1 << 30;

#[tokio::test(flavor = "multi_thread")]
async fn records_receipts_images_and_questions_go_through_tcp() {
    let realm = Realm::new();
    let (hub, node) = (Memory::hub(), Memory::node());
    node.file(&origin("alameda"), 3_000);
    let image: Vec<u8> = (0..2_000_000_u32).map(|byte| (byte % 251) as u8).collect();
    let name = node.put_image(&image);
    hub.want_image(
        Wanted {
            origin: origin("alameda"),
            blake3: name,
            len: image.len() as u64,
        },
        &[],
    );
    let landing = land(&realm.hub_identity(), &hub, anywhere());
    let address = landing.local_addr().unwrap();
    let link = dial_by(&realm.court("alameda"), &node, address, TransportChoice::Tcp);
    hub.until("the backlog", |hub| hub.len(&origin("alameda")) == 3_000)
        .await;
    hub.until("the image", |hub| hub.image(&name).is_some()).await;
    assert_eq!(hub.image(&name), Some(image));
    node.until("a receipt", |node| node.receipts() > 0).await;
    assert_eq!(until_up(&link).await.transport, Some(Transport::Tcp));
    let [(peer, state)] = &landing.peers()[..] else {
        panic!("one peer")
    };
    assert_eq!(state.transport, Some(Transport::Tcp));
    let within = Duration::from_secs(10);
    assert_eq!(
        link.ask(b"hello", within).await.unwrap(),
        b"court/alameda/node/1: hello"
    );
    assert_eq!(
        landing.ask(peer, b"hello", within).await.unwrap(),
        b"hub/1: hello"
    );
    // The farewell comes through with its reason.
    let (state, ()) = tokio::join!(
        until(&link, "down", |state| state.up_since.is_none()),
        landing.stop()
    );
    assert_eq!(
        state.last_trouble,
        Some(Trouble::Closed {
            reason: CloseReason::Leaving,
            by_peer: true
        })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_slow_line_a_filing_overtakes_an_image() {
    let realm = Realm::new();
    let (hub, node) = (Memory::hub(), Memory::node());
    // Four seconds of the line.
    let image = vec![7; 2_000_000];
    let name = node.put_image(&image);
    hub.want_image(
        Wanted {
            origin: origin("alameda"),
            blake3: name,
            len: 2_000_000,
        },
        &[],
    );
    let landing = land(&realm.hub_identity(), &hub, anywhere());
    let line = Firewall::before(landing.local_addr().unwrap(), 500_000).await;
    let link = dial_by(&realm.court("alameda"), &node, line.address, TransportChoice::Tcp);
    until_up(&link).await;
    hub.until("some of the image", |hub| hub.image_bytes_received() > 300_000)
        .await;
    let filed = Instant::now();
    node.file(&origin("alameda"), 1);
    hub.until("the filing", |hub| hub.len(&origin("alameda")) == 1)
        .await;
    let took = filed.elapsed();
    assert!(hub.image(&name).is_none(), "the image was not through yet");
    assert!(took < Duration::from_millis(1_500), "{took:?}");
    hub.until("the image", |hub| hub.image(&name).is_some()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_udp_is_swallowed_tcp_carries_the_link_until_udp_passes() {
    let realm = Realm::new();
    let (hub, node) = (Memory::hub(), Memory::node());
    let landing = land(&realm.hub_identity(), &hub, anywhere());
    let firewall = Firewall::before(landing.local_addr().unwrap(), FAST).await;
    let identity = realm.court("alameda");
    assert_eq!(
        reach(&identity, &firewall.address.to_string(), Transport::Quic).await,
        Err(Trouble::NoAnswer)
    );
    let reached = reach(&identity, &firewall.address.to_string(), Transport::Tcp).await;
    assert_eq!(reached.unwrap().hub, Identity::hub(1).unwrap());
    let link = dial_by(&identity, &node, firewall.address, TransportChoice::Auto);
    assert_eq!(until_up(&link).await.transport, Some(Transport::Tcp));
    node.file(&origin("alameda"), 10);
    hub.until("what was filed over TCP", |hub| hub.len(&origin("alameda")) == 10)
        .await;
    firewall.udp_passes.store(true, Ordering::Relaxed);
    until(&link, "back on QUIC", |state| {
        state.up_since.is_some() && state.transport == Some(Transport::Quic)
    })
    .await;
    node.file(&origin("alameda"), 10);
    hub.until("what was filed over QUIC", |hub| {
        hub.len(&origin("alameda")) == 20
    })
    .await;
    // And to TCP again, while the link is up.
    firewall.udp_passes.store(false, Ordering::Relaxed);
    node.file(&origin("alameda"), 10);
    hub.until("what was filed meanwhile", |hub| {
        hub.len(&origin("alameda")) == 30
    })
    .await;
    assert_eq!(until_up(&link).await.transport, Some(Transport::Tcp));
    link.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn quic_alone_never_goes_by_tcp() {
    let realm = Realm::new();
    let landing = land(&realm.hub_identity(), &Memory::hub(), anywhere());
    let firewall = Firewall::before(landing.local_addr().unwrap(), FAST).await;
    let link = dial_by(
        &realm.court("alameda"),
        &Memory::node(),
        firewall.address,
        TransportChoice::Quic,
    );
    assert_eq!(trouble(&link).await, Trouble::NoAnswer);
    assert!(landing.peers().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tcp_line_that_is_cut_is_known_at_once() {
    let realm = Realm::new();
    let landing = land(&realm.hub_identity(), &Memory::hub(), anywhere());
    let line = Firewall::before(landing.local_addr().unwrap(), FAST).await;
    let link = dial_by(
        &realm.court("alameda"),
        &Memory::node(),
        line.address,
        TransportChoice::Tcp,
    );
    until_up(&link).await;
    let mut changes = landing.changes();
    changes.mark_unchanged();
    drop(line);
    let cut = Instant::now();
    assert_eq!(trouble(&link).await, Trouble::Lost);
    if landing.peers()[0].1.up_since.is_some() {
        changes.changed().await.unwrap();
    }
    assert!(cut.elapsed() < limits::IDLE / 2, "{:?}", cut.elapsed());
}

/// Reads until the other side ends the connection, and gives how long that took.
async fn ended(mut stream: impl AsyncRead + Unpin) -> Duration {
    let begun = Instant::now();
    let mut bytes = Vec::new();
    let end = timeout(Duration::from_secs(30), stream.read_to_end(&mut bytes)).await;
    match end.expect("the hub ends the connection") {
        Ok(_) => {}
        Err(cut) => assert!(
            matches!(cut.kind(), ErrorKind::ConnectionReset | ErrorKind::UnexpectedEof),
            "{cut}"
        ),
    }
    begun.elapsed()
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_says_nothing_or_nonsense_in_a_tcp_connection_loses_it_and_nobody_else_does() {
    let realm = Realm::new();
    let (hub, honest) = (Memory::hub(), Memory::node());
    let landing = land(&realm.hub_identity(), &hub, anywhere());
    let address = landing.local_addr().unwrap();
    let link = dial(&realm.court("honest"), &honest, address);
    until_up(&link).await;

    let mut all = JoinSet::new();
    for (bytes, within) in [
        (&b""[..], limits::HANDSHAKE * 2),
        (b"GET / HTTP/1.1\r\n\r\n", limits::HANDSHAKE),
    ] {
        all.spawn(async move {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(bytes).await.unwrap();
            let took = ended(stream).await;
            assert!(took < within, "{took:?} for {bytes:?} without TLS");
        });
    }
    let tls = client_config(&realm.court("evil"), Expect::Hub, &[TUNNEL_ALPN]).unwrap();
    let connector = TlsConnector::from(tls);
    // Longer than any datagram; datagrams that are none; a length and nothing after it; nothing at all.
    let long = [&[0xFF, 0xFF][..], &[0; 100]].concat();
    let noise = [&[0, 40][..], &[0xA5; 40]].concat();
    for (bytes, within) in [
        (long, limits::HANDSHAKE),
        (noise, limits::HANDSHAKE * 2),
        (vec![0x0F, 0xFF, 1], limits::HANDSHAKE * 2),
        (Vec::new(), limits::HANDSHAKE * 2),
    ] {
        let connector = connector.clone();
        all.spawn(async move {
            let stream = TcpStream::connect(address).await.unwrap();
            let name = rustls::pki_types::ServerName::try_from("ccpor").unwrap();
            let mut stream = connector.connect(name, stream).await.unwrap();
            stream.write_all(&bytes).await.unwrap();
            let took = ended(stream).await;
            assert!(took < within, "{took:?} for {bytes:?}");
        });
    }
    while let Some(one) = all.join_next().await {
        one.unwrap();
    }

    honest.file(&origin("honest"), 2);
    hub.until("the honest node goes on", |hub| hub.len(&origin("honest")) == 2)
        .await;
    assert_eq!(link.status().borrow().last_trouble, None);
}
