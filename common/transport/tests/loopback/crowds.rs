//! Crowds and bad company: handshakes that are begun and left, peers that never read, frames that were said before. Honest nodes
//! hardly notice, and memory stays within its bounds.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ccpor_certs::IdentityDir;
use ccpor_certs::tls::{Expect, client_config};
use ccpor_ledger::{Head, RunLimit};
use ccpor_sync::{
    Backoff, CloseReason, Frame, Hello, Ledgers, Run, WIRE_VERSION, encode, limits as protocol,
};
use ccpor_transport::{ALPN, Landing, LandingConfig, Trouble, limits};
use quinn::crypto::rustls::QuicClientConfig;
use quinn::{Connection, Endpoint, TransportConfig};

use crate::memory::Memory;
use crate::realm::{Realm, anywhere, dial, land, origin, until_up};

/// Handshakes that are begun; `CCPOR_CROWD` sets another number.
const CROWD: usize = 400;
/// Filings that are timed, quietly and in the crowd.
const FILINGS: usize = 60;
/// A filing that takes no longer than this is at its usual pace, on whatever machine.
const PACE: Duration = Duration::from_millis(100);
/// What the whole process, both ends of everything in it, may grow by.
const GROWTH_MOST: usize = 160 << 20;

/// How long each of some filings takes until the hub holds it.
async fn filings(node: &Memory, hub: &Memory) -> Vec<Duration> {
    let own = origin("honest");
    let mut taken = Vec::with_capacity(FILINGS);
    for _ in 0..FILINGS {
        let begun = Instant::now();
        node.file(&own, 1);
        let filed = node.len(&own);
        hub.until("the filing at the hub", |hub| hub.len(&own) == filed)
            .await;
        taken.push(begun.elapsed());
    }
    taken
}

/// What 99 of 100 do not pass.
fn p99(mut taken: Vec<Duration>) -> Duration {
    taken.sort();
    taken[(taken.len() * 99).div_ceil(100) - 1]
}

/// First packets of so many connections, each of another one.
async fn first_packets(count: usize) -> Vec<Vec<u8>> {
    let realm = Realm::new();
    let tls = client_config(&realm.court("stranger"), Expect::Hub, &[ALPN]).unwrap();
    let config = quinn::ClientConfig::new(Arc::new(QuicClientConfig::try_from((*tls).clone()).unwrap()));
    let sink = UdpSocket::bind(anywhere()).unwrap();
    sink.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let (to, mut packets, mut bytes) = (sink.local_addr().unwrap(), Vec::new(), [0; 2_048]);
    let endpoint = Endpoint::client(anywhere()).unwrap();
    while packets.len() < count {
        let connecting = endpoint.connect_with(config.clone(), to, "ccpor").unwrap();
        let receiving = sink.try_clone().unwrap();
        let packet = tokio::task::spawn_blocking(move || {
            let length = receiving.recv(&mut bytes).unwrap();
            bytes[..length].to_vec()
        });
        packets.push(packet.await.unwrap());
        drop(connecting);
    }
    packets
}

/// Bytes of this process that are resident.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 1_024
}

fn crowd() -> usize {
    std::env::var("CCPOR_CROWD").map_or(CROWD, |text| text.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn handshakes_that_are_begun_and_left_neither_slow_honest_nodes_nor_keep_new_ones_out() {
    let realm = Realm::new();
    let (hub, honest) = (Memory::hub(), Memory::node());
    let landing = land(&realm.hub_identity(), &hub, anywhere());
    let address = landing.local_addr().unwrap();
    let link = dial(&realm.court("honest"), &honest, address);
    until_up(&link).await;
    filings(&honest, &hub).await;
    let usual = p99(filings(&honest, &hub).await);
    let packets = first_packets(crowd()).await;
    let before = resident();
    let throwing = tokio::task::spawn_blocking(move || {
        // Each from an address of its own, again and again as long as handshakes may take.
        let sockets: Vec<UdpSocket> = (0..16).map(|_| UdpSocket::bind(anywhere()).unwrap()).collect();
        for (packet, socket) in packets.iter().zip(sockets.iter().cycle()) {
            // The system may refuse a datagram when the last one was turned away; that is an answer too.
            let _refused = socket.send_to(packet, address);
            std::thread::sleep(Duration::from_millis(2));
        }
    });
    let mut crowded = filings(&honest, &hub).await;
    let late = Memory::node();
    let other = dial(&realm.court("late"), &late, address);
    until_up(&other).await;
    while !throwing.is_finished() {
        crowded.extend(filings(&honest, &hub).await);
    }
    throwing.await.unwrap();
    let crowded = p99(crowded);
    println!("usually {usual:?}, in the crowd {crowded:?}");
    assert!(
        crowded <= (2 * usual).max(PACE),
        "usually {usual:?}, in the crowd {crowded:?}"
    );
    let grown = resident().saturating_sub(before);
    assert!(grown < GROWTH_MOST, "{grown} bytes for {} handshakes", crowd());
    assert_eq!(link.status().borrow().last_trouble, None);
}

/// A connection as this court, with its first stream.
async fn company(realm: &Realm, slug: &str, to: SocketAddr) -> (Endpoint, Connection) {
    company_with(realm, slug, to, TransportConfig::default()).await
}

async fn company_with(
    realm: &Realm,
    slug: &str,
    to: SocketAddr,
    transport: TransportConfig,
) -> (Endpoint, Connection) {
    company_as(&realm.court(slug), to, transport).await
}

async fn company_as(
    identity: &IdentityDir,
    to: SocketAddr,
    transport: TransportConfig,
) -> (Endpoint, Connection) {
    let tls = client_config(identity, Expect::Hub, &[ALPN]).unwrap();
    let mut config = quinn::ClientConfig::new(Arc::new(QuicClientConfig::try_from((*tls).clone()).unwrap()));
    config.transport_config(Arc::new(transport));
    let endpoint = Endpoint::client(anywhere()).unwrap();
    let connection = endpoint.connect_with(config, to, "ccpor").unwrap().await.unwrap();
    (endpoint, connection)
}

fn hello(heads: Vec<ccpor_sync::OriginHead>) -> Vec<u8> {
    let hello = Hello {
        oldest: WIRE_VERSION,
        newest: WIRE_VERSION,
        receive_window: u32::try_from(protocol::RECEIVE_MOST).unwrap(),
        heads,
    };
    encode(&Frame::Hello(hello)).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_never_reads_is_dropped_and_costs_no_more_than_its_windows() {
    let realm = Realm::new();
    let (hub, honest) = (Memory::hub(), Memory::node());
    // Far more than all windows together is there for whoever connects.
    honest.file(&origin("honest"), 60_000);
    let landing = land(&realm.hub_identity(), &hub, anywhere());
    let address = landing.local_addr().unwrap();
    let link = dial(&realm.court("honest"), &honest, address);
    hub.until("the backlog", |hub| hub.len(&origin("honest")) == 60_000)
        .await;
    let before = resident();
    let mut deaf = Vec::new();
    for number in 0..4 {
        let (endpoint, connection) = company(&realm, &format!("deaf-{number}"), address).await;
        let (mut send, receive) = connection.open_bi().await.unwrap();
        send.write_all(&hello(Vec::new())).await.unwrap();
        deaf.push((endpoint, connection, send, receive));
    }
    let beside = p99(filings(&honest, &hub).await);
    for (_, connection, ..) in &deaf {
        let end = tokio::time::timeout(Duration::from_secs(30), connection.closed()).await;
        let why = Trouble::from(end.expect("dropped within 30 s"));
        assert!(matches!(why, Trouble::Closed { by_peer: true, .. }), "{why:?}");
    }
    let grown = resident().saturating_sub(before);
    assert!(grown < GROWTH_MOST, "{grown} bytes for four peers");
    assert!(beside < PACE * 5, "{beside:?}");
    assert_eq!(link.status().borrow().last_trouble, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_that_were_sent_before_and_runs_that_were_changed_alter_nothing() {
    let realm = Realm::new();
    let (hub, evil) = (Memory::hub(), Memory::node());
    let own = origin("evil");
    evil.file(&own, 40);
    let landing = land(&realm.hub_identity(), &hub, anywhere());
    let records = evil
        .load(
            &own,
            None,
            RunLimit {
                records: 40,
                bytes: protocol::RUN_BYTES_MOST,
            },
        )
        .unwrap();
    let last = Head {
        position: records.last().unwrap().outline().unwrap().position,
        hash: records.last().unwrap().hash(),
    };
    let run = Run {
        origin: own.clone(),
        after: None,
        last,
        records,
    };
    let said = encode(&Frame::Run(run.clone())).unwrap();
    let (_endpoint, connection) = company(&realm, "evil", landing.local_addr().unwrap()).await;
    let (mut send, _receive) = connection.open_bi().await.unwrap();
    send.write_all(&hello(Vec::new())).await.unwrap();
    for _ in 0..200 {
        send.write_all(&said).await.unwrap();
    }
    hub.until("the run", |hub| hub.len(&own) == 40).await;
    let heads = hub.heads();
    // The same in other words: a record left out, two in each other's place, one with a bit turned over.
    let mut gap = run.clone();
    gap.records.remove(7);
    let mut swapped = run.clone();
    swapped.records.swap(3, 4);
    let mut flipped = run;
    flipped.records[5].bytes[30] ^= 1;
    for changed in [gap, swapped, flipped] {
        let said = encode(&Frame::Run(changed)).unwrap();
        // The hub may have ended the connection by now; that is an answer too.
        let _ended = send.write_all(&said).await;
    }
    let honest = Memory::node();
    let link = dial(&realm.court("honest"), &honest, landing.local_addr().unwrap());
    honest.file(&origin("honest"), 3);
    hub.until("the honest node goes on", |hub| hub.len(&origin("honest")) == 3)
        .await;
    assert_eq!(hub.len(&own), 40);
    assert!(heads.iter().all(|head| hub.heads().contains(head)));
    until_up(&link).await;
}

/// Asks on a stream of its own and reads only the first byte of the answer, if it comes in time.
async fn half_asked(connection: &Connection, within_ms: u32) -> (Option<u8>, quinn::RecvStream) {
    let (mut send, mut receive) = connection.open_bi().await.unwrap();
    let question = [&[2][..], &within_ms.to_be_bytes(), &[0x5a; 200_000]].concat();
    send.write_all(&question).await.unwrap();
    send.finish().unwrap();
    let mut status = [0];
    let read = tokio::time::timeout(Duration::from_secs(5), receive.read_exact(&mut status)).await;
    (read.ok().and_then(Result::ok).map(|()| status[0]), receive)
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_a_peer_does_not_take_stand_in_its_own_way_alone() {
    const ANSWERED: u8 = 0;
    const LATE: u8 = 2;
    let realm = Realm::new();
    let (hub, honest) = (Memory::hub(), Memory::node());
    let landing = land(&realm.hub_identity(), &hub, anywhere());
    let address = landing.local_addr().unwrap();
    let link = dial(&realm.court("honest"), &honest, address);
    until_up(&link).await;
    let mut narrow = TransportConfig::default();
    narrow.stream_receive_window(4_096_u32.into());
    let (_endpoint, connection) = company_with(&realm, "deaf", address, narrow).await;
    let (mut send, mut receive) = connection.open_bi().await.unwrap();
    send.write_all(&hello(Vec::new())).await.unwrap();
    // Up is who has been greeted.
    receive.read_exact(&mut [0; 4]).await.unwrap();
    let mut kept = Vec::new();
    for _ in 0..limits::QUESTIONS_AT_ONCE {
        let (status, rest) = half_asked(&connection, 2_000).await;
        assert_eq!(status, Some(ANSWERED));
        kept.push(rest);
    }
    assert_eq!(half_asked(&connection, 300).await.0, Some(LATE));
    let answer = link.ask(b"how are you", Duration::from_secs(5)).await.unwrap();
    assert!(!answer.is_empty());
    // One answer is taken: there is a turn again.
    kept.pop().unwrap().read_to_end(1 << 20).await.unwrap();
    assert_eq!(half_asked(&connection, 2_000).await.0, Some(ANSWERED));
}

/// What a connection that says `bytes` first ends with.
async fn ended_with(identity: &IdentityDir, to: SocketAddr, bytes: &[u8]) -> CloseReason {
    let (_endpoint, connection) = company_as(identity, to, TransportConfig::default()).await;
    if let Ok((mut send, _receive)) = connection.open_bi().await {
        // The hub may have turned it away by now; that is an answer too.
        let _ended = send.write_all(bytes).await;
        let end = tokio::time::timeout(Duration::from_secs(20), connection.closed()).await;
        return reason_of(end.expect("ended within 20 s"));
    }
    reason_of(connection.closed().await)
}

fn reason_of(end: quinn::ConnectionError) -> CloseReason {
    match Trouble::from(end) {
        Trouble::Closed {
            reason,
            by_peer: true,
        } => reason,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_breaks_the_protocol_again_and_again_is_held_off_longer_each_time_and_honest_ones_are_not()
 {
    const FIRST: Duration = Duration::from_millis(600);
    let realm = Realm::new();
    let (hub, honest) = (Memory::hub(), Memory::node());
    let config = LandingConfig {
        held_off: Backoff {
            first_ms: 600,
            most_ms: 1_200,
        },
        ..LandingConfig::hub(anywhere())
    };
    let landing = Landing::start(&realm.hub_identity(), hub.services(), config).unwrap();
    let address = landing.local_addr().unwrap();
    let link = dial(&realm.court("honest"), &honest, address);
    until_up(&link).await;
    let (machine, own) = (realm.court("evil"), origin("evil"));
    let evil = Memory::node();
    evil.file(&own, 3);
    let mut records = evil
        .load(
            &own,
            None,
            RunLimit {
                records: 3,
                bytes: usize::MAX,
            },
        )
        .unwrap();
    let last = Head {
        position: records[2].outline().unwrap().position,
        hash: records[2].hash(),
    };
    // A record that belongs to somebody else: nothing proves it.
    let strange = Memory::node();
    strange.file(&origin("somebody"), 1);
    let stranger = strange
        .load(
            &origin("somebody"),
            None,
            RunLimit {
                records: 1,
                bytes: usize::MAX,
            },
        )
        .unwrap();
    records[0] = stranger[0].clone();
    let wrong_chain = [
        hello(Vec::new()),
        encode(&Frame::Run(Run {
            origin: own.clone(),
            after: None,
            last,
            records,
        }))
        .unwrap(),
        vec![0, 0, 0, 0],
    ]
    .concat();
    let offences: [(&[u8], CloseReason); 4] = [
        (&[0xFF; 64], CloseReason::Malformed),
        (&wrong_chain, CloseReason::Malformed),
        (
            &[0, 0, 0, 12, 9, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0],
            CloseReason::OutOfOrder,
        ),
        (&[0, 0, 0, 0], CloseReason::Malformed),
    ];
    let mut held = Vec::new();
    for (bytes, reason) in offences {
        let waiting = Instant::now();
        while let Some(why) = Some(ended_with(&machine, address, bytes).await)
            && why != reason
        {
            assert_eq!(why, CloseReason::HeldOff);
            honest.file(&origin("honest"), 1);
        }
        held.push(waiting.elapsed());
    }
    // The first time costs nothing, and neither does the attempt that follows it.
    assert!(held[0] < FIRST && held[1] < FIRST, "{held:?}");
    // Some of the hold was over before the next attempt, but not more than attempts take.
    assert!(
        held[2] > FIRST / 2 && held[3] > FIRST && held[3] > held[2],
        "{held:?}"
    );
    let filed = honest.len(&origin("honest"));
    assert!(filed > 0, "it knocked while it was held off");
    hub.until("what the honest node filed meanwhile", |hub| {
        hub.len(&origin("honest")) == filed
    })
    .await;
    assert_eq!(
        (hub.len(&own), link.status().borrow().last_trouble.clone()),
        (0, None)
    );
}
