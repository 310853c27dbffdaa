//! Images from a node to the hub, beside as many bytes through QUIC alone in the same round, both in memory; and to the hub's disk,
//! durable.

use std::collections::BTreeMap;
use std::io::{self, Cursor, Read};
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use ccpor_certs::listener::{ClientCertificate, Finding, Listener};
use ccpor_certs::tls::{Expect, client_config};
use ccpor_daemon::replication::{Collect, RegistryImages};
use ccpor_daemon::signing::NobodyAsks;
use ccpor_registry::Registry;
use ccpor_transport::{
    ImageSink, Images, Landing, LandingConfig, Permissions, Services, Uplink, UplinkConfig, Wanted, limits,
};
use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use rand::RngCore;
use rand::SeedableRng;
use rand::rngs::StdRng;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use crate::bench::ends::{Ground, Machine, up};
use crate::bench::{Goal, Sheet, cpu};
use crate::world::Outcome;

/// Scans of a mebibyte each.
const SCANS: usize = 256;
const BYTES: usize = 1 << 20;

pub(super) fn measure(runtime: &Runtime, ground: &Ground, rounds: usize, sheet: &mut Sheet) -> Outcome<()> {
    let node = ground.machine("court/del-norte/node/1")?;
    let [
        mut raw,
        mut in_memory,
        mut on_disk,
        mut over,
        mut raw_cpu,
        mut our_cpu,
        mut cpu_over,
    ] = [const { Vec::new() }; 7];
    for round in 0..rounds {
        let scans = Scans::invent(u64::try_from(round)?);
        let hub = ground.machine(&format!("hub/{}", 300 + round))?;
        runtime.block_on(async {
            let bytes = (SCANS * BYTES) as f64 / f64::from(1 << 20);
            let spent = cpu::own();
            let bare = bytes / quic_alone(&node, &hub).await?;
            let bare_ms = (cpu::own() - spent).as_secs_f64() * 1e3 / bytes;
            let spent = cpu::own();
            let ours = bytes / fetched(&node, &hub, &scans, Arc::new(Nowhere)).await?;
            let ours_ms = (cpu::own() - spent).as_secs_f64() * 1e3 / bytes;
            raw_cpu.push(bare_ms);
            our_cpu.push(ours_ms);
            cpu_over.push(bare_ms / ours_ms);
            let store = RegistryImages::new(Arc::clone(&hub.registry), Collect::OnDemand);
            on_disk.push(bytes / fetched(&node, &hub, &scans, Arc::new(store)).await?);
            raw.push(bare);
            in_memory.push(ours);
            over.push(ours / bare);
            Outcome::Ok(())
        })?;
        hub.registry.close();
    }
    sheet.put("replicate.quinn_mib_per_s", raw, "MiB/s", None);
    sheet.put(
        "replicate.image_mib_per_s",
        in_memory,
        "MiB/s",
        Some(Goal::AtLeast(400.0)),
    );
    sheet.put(
        "replicate.image_over_quinn",
        over,
        "ratio",
        Some(Goal::AtLeast(0.8)),
    );
    // What a busy machine changes less: the processor time of both ends together.
    sheet.put("replicate.quinn_cpu_ms_per_mib", raw_cpu, "ms", None);
    sheet.put("replicate.image_cpu_ms_per_mib", our_cpu, "ms", None);
    sheet.put("replicate.image_cpu_over_quinn", cpu_over, "ratio", None);
    sheet.put("replicate.image_durable_mib_per_s", on_disk, "MiB/s", None);
    node.registry.close();
    Ok(())
}

/// Seconds that all scans take from a node to the hub, as many at a time as the hub fetches by itself.
async fn fetched(node: &Machine, hub: &Machine, scans: &Arc<Scans>, to: Arc<dyn Images>) -> Outcome<f64> {
    let services = |machine: &Machine, images: Arc<dyn Images>| Services {
        ledgers: Arc::<Registry>::clone(&machine.registry),
        images,
        answer: Arc::new(NobodyAsks),
    };
    let landing = Landing::start(
        &hub.identity,
        services(hub, to),
        LandingConfig::hub(([127, 0, 0, 1], 0).into()),
    )?;
    let address = landing.local_addr()?.to_string();
    let origin = node.origin()?;
    let link = Uplink::start(
        node.identity.clone(),
        services(node, Arc::<Scans>::clone(scans)),
        UplinkConfig::new(vec![address], Permissions::node(origin.clone())),
    )?;
    up(&link).await?;
    let landing = Arc::new(landing);
    let mut waiting = scans.0.keys().copied();
    let mut fetches = JoinSet::new();
    let start = Instant::now();
    loop {
        while fetches.len() < limits::FETCHES_AT_ONCE
            && let Some(blake3) = waiting.next()
        {
            let wanted = Wanted {
                origin: origin.clone(),
                blake3,
                len: BYTES as u64,
            };
            let (landing, owner) = (Arc::clone(&landing), node.identity.identity().clone());
            fetches.spawn(async move { landing.fetch_image(&owner, wanted).await });
        }
        match fetches.join_next().await {
            Some(fetched) => fetched??,
            None => break,
        }
    }
    let seconds = start.elapsed().as_secs_f64();
    link.stop().await;
    if let Some(landing) = Arc::into_inner(landing) {
        landing.stop().await;
    }
    Ok(seconds)
}

/// Seconds that as many bytes take through one stream of a connection with the same certificates and windows.
async fn quic_alone(node: &Machine, hub: &Machine) -> Outcome<f64> {
    let alpn: &[&[u8]] = &[b"bench/1"];
    let mut transport = quinn::TransportConfig::default();
    transport
        .stream_receive_window(limits::STREAM_WINDOW.into())
        .receive_window(limits::CONNECTION_WINDOW.into())
        .send_window(limits::SEND_WINDOW);
    let transport = Arc::new(transport);
    let listener = Listener::of(&hub.identity, ClientCertificate::Required, alpn)?;
    let tls = listener.settings(&Finding::default());
    let mut config = quinn::ServerConfig::with_crypto(Arc::new(QuicServerConfig::try_from(tls)?));
    config.transport_config(Arc::clone(&transport));
    let server = quinn::Endpoint::server(config, ([127, 0, 0, 1], 0).into())?;
    let address = server.local_addr()?;
    let reading = tokio::spawn(async move {
        let connection = server.accept().await.ok_or("no connection")?.await?;
        let mut stream = connection.accept_uni().await?;
        let mut left = SCANS * BYTES;
        while let Some(chunk) = stream.read_chunk(limits::IMAGE_CHUNK, true).await? {
            left -= chunk.bytes.len();
        }
        connection.close(0_u32.into(), b"");
        Outcome::Ok(left)
    });
    let tls = client_config(&node.identity, Expect::Hub, alpn)?;
    let mut config = quinn::ClientConfig::new(Arc::new(QuicClientConfig::try_from(tls)?));
    config.transport_config(transport);
    let endpoint = quinn::Endpoint::client(([127, 0, 0, 1], 0).into())?;
    let connection = endpoint.connect_with(config, address, "hub")?.await?;
    let mut stream = connection.open_uni().await?;
    let chunk = Bytes::from(vec![0x5a; limits::IMAGE_CHUNK]);
    let start = Instant::now();
    for _ in 0..SCANS * BYTES / limits::IMAGE_CHUNK {
        stream.write_chunk(chunk.clone()).await?;
    }
    stream.finish()?;
    let left = reading.await??;
    match left {
        0 => Ok(start.elapsed().as_secs_f64()),
        _ => Err("QUIC lost bytes".into()),
    }
}

/// Invented scans by their BLAKE3, in memory.
struct Scans(BTreeMap<[u8; 32], Bytes>);

impl Scans {
    fn invent(seed: u64) -> Arc<Self> {
        let mut random = StdRng::seed_from_u64(seed);
        let scans = (0..SCANS).map(|_| {
            let mut bytes = vec![0; BYTES];
            random.fill_bytes(&mut bytes);
            (*blake3::hash(&bytes).as_bytes(), Bytes::from(bytes))
        });
        Arc::new(Self(scans.collect()))
    }
}

impl Images for Scans {
    fn open(&self, blake3: &[u8; 32]) -> Option<(Box<dyn Read + Send>, u64)> {
        let bytes = self.0.get(blake3)?.clone();
        let length = bytes.len() as u64;
        Some((Box::new(Cursor::new(bytes)), length))
    }

    fn wanted(&self) -> Vec<Wanted> {
        Vec::new()
    }

    fn receive(&self, _: &Wanted) -> io::Result<Box<dyn ImageSink>> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// Takes images and keeps nothing of them.
struct Nowhere;

impl Images for Nowhere {
    fn open(&self, _: &[u8; 32]) -> Option<(Box<dyn Read + Send>, u64)> {
        None
    }

    fn wanted(&self) -> Vec<Wanted> {
        Vec::new()
    }

    fn receive(&self, _: &Wanted) -> io::Result<Box<dyn ImageSink>> {
        Ok(Box::new(Self))
    }
}

impl ImageSink for Nowhere {
    fn kept(&self) -> u64 {
        0
    }

    fn read_kept(&mut self) -> io::Result<Box<dyn Read + Send + '_>> {
        Ok(Box::new(io::empty()))
    }

    fn write(&mut self, _: &[u8]) -> io::Result<()> {
        Ok(())
    }

    fn finish(self: Box<Self>) -> io::Result<()> {
        Ok(())
    }

    fn discard(self: Box<Self>) {}
}
