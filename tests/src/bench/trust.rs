//! Trust: full mutual TLS handshakes at a hub, and the time from an operator's revocation to the end of the connection at the one
//! who was revoked, among 72 connected clients. Both ends run on this machine and share its cores.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use ccpor_certs::authority::Verdict;
use ccpor_certs::listener::{ClientCertificate, Finding, Listener};
use ccpor_certs::tls::{Expect, client_config};
use ccpor_certs::{Authority, Identity, IdentityDir};
use ccpor_daemon::revocation::{Spread, TakesRevocations};
use ccpor_daemon::signing::NobodyAsks;
use ccpor_ledger::{
    Head, OriginId, Position, RunLimit, SignedHeartbeat, SignedReceipt, SignedRecord, Standing,
};
use ccpor_sync::{Ledgers, LoadFailed, Moved, StoreRefused, Stored};
use ccpor_transport::{
    ImageSink, Images, Landing, LandingConfig, Permissions, Services, Uplink, UplinkConfig, UplinkHandle,
    Wanted,
};
use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use tokio_util::sync::CancellationToken;

use super::{Goal, Sheet};
use crate::world::Outcome;

/// Connected clients, as many as there are courts and the busiest agencies.
const CLIENTS: u16 = 72;
/// Clients that shake hands side by side, and for how long.
const DIALLERS: usize = 16;
const FOR: Duration = Duration::from_secs(3);
/// What a revoked client must be cut off within.
const MOST_MS: f64 = 5_000.0;

/// Measures in rounds.
///
/// # Errors
/// When the authority cannot be made, or a client is not cut off at all.
pub fn measure(directory: &Path, rounds: usize, sheet: &mut Sheet) -> Outcome<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    let (mut handshakes, mut closed) = (Vec::new(), Vec::new());
    for _ in 0..rounds.max(1) {
        let place = tempfile::tempdir_in(directory)?;
        let authority = Arc::new(Authority::init(&place.path().join("authority"))?);
        handshakes.push(runtime.block_on(shake_hands(&authority, place.path()))?);
        closed.push(runtime.block_on(revoke_all(&authority, place.path()))?);
    }
    sheet.put("trust.handshakes_per_s", handshakes, "1/s", None);
    sheet.put(
        "trust.revoke_to_closed_p99_ms",
        closed,
        "ms",
        Some(Goal::AtMost(MOST_MS)),
    );
    Ok(())
}

/// Handshakes a second over QUIC, each with certificates on both sides and a byte that comes back.
async fn shake_hands(authority: &Authority, place: &Path) -> Outcome<f64> {
    let alpn: &[&[u8]] = &[b"bench/1"];
    let hub = authority.issue(&Identity::hub(1)?, &[], &[], &place.join("hub-1"))?;
    let node = authority.issue(&Identity::court("bench", 1)?, &[], &[], &place.join("node-1"))?;
    let tls = Listener::of(&hub, ClientCertificate::Required, alpn)?.settings(&Finding::default());
    let config = quinn::ServerConfig::with_crypto(Arc::new(QuicServerConfig::try_from(tls)?));
    let server = quinn::Endpoint::server(config, "127.0.0.1:0".parse()?)?;
    let address = server.local_addr()?;
    let serving = tokio::spawn(async move {
        while let Some(incoming) = server.accept().await {
            tokio::spawn(async move {
                let connection = incoming.await.ok()?;
                let mut stream = connection.open_uni().await.ok()?;
                stream.write_all(b"!").await.ok()?;
                stream.finish().ok()?;
                connection.closed().await;
                Some(())
            });
        }
    });
    let done = Arc::new(AtomicU64::new(0));
    let tls = client_config(&node, Expect::Hub, alpn)?;
    let begun = Instant::now();
    let mut dialling = tokio::task::JoinSet::new();
    for _ in 0..DIALLERS {
        let (tls, done) = (Arc::clone(&tls), Arc::clone(&done));
        dialling.spawn(async move {
            let endpoint = quinn::Endpoint::client("127.0.0.1:0".parse()?)?;
            let config = quinn::ClientConfig::new(Arc::new(QuicClientConfig::try_from(tls)?));
            while begun.elapsed() < FOR {
                let connection = endpoint.connect_with(config.clone(), address, "hub")?.await?;
                // The server has looked at the certificate when the byte is here.
                connection.accept_uni().await?.read_to_end(1).await?;
                connection.close(0_u32.into(), b"");
                done.fetch_add(1, Ordering::Relaxed);
            }
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>(())
        });
    }
    while let Some(ended) = dialling.join_next().await {
        ended?.map_err(|error| error.to_string())?;
    }
    let rate = done.load(Ordering::Relaxed) as f64 / begun.elapsed().as_secs_f64();
    serving.abort();
    Ok(rate)
}

/// Revokes every client one after the other; the 99th percentile of the times until it is cut off, in milliseconds.
async fn revoke_all(authority: &Arc<Authority>, place: &Path) -> Outcome<f64> {
    let hub = authority.issue(&Identity::hub(2)?, &[], &[], &place.join("hub-2"))?;
    let landing = Landing::start(&hub, services(&hub), LandingConfig::hub("127.0.0.1:0".parse()?))?;
    let (landing, stop) = (Arc::new(landing), CancellationToken::new());
    let address = landing.local_addr()?;
    let spread = Spread::new(
        hub.revocations().clone(),
        Some(Arc::clone(authority)),
        Arc::clone(&landing),
        hub.clock().clone(),
    );
    tokio::spawn(spread.run(stop.clone()));
    let mut clients = Vec::new();
    for number in 1..=CLIENTS {
        let identity = Identity::court("bench-client", number)?;
        let directory = authority.issue(&identity, &[], &[], &place.join(format!("client-{number}")))?;
        let own = OriginId::new(&identity.path())?;
        let config = UplinkConfig::new(vec![address.to_string()], Permissions::node(own));
        clients.push((
            identity,
            Uplink::start(directory.clone(), services(&directory), config)?,
        ));
    }
    for (_, link) in &clients {
        until(link, |state| state.up_since.is_some()).await?;
    }
    let mut times = Vec::new();
    for (identity, link) in &clients {
        let begun = Instant::now();
        let (authority, whom) = (Arc::clone(authority), identity.clone());
        tokio::task::spawn_blocking(move || authority.judge(&whom, Verdict::Revoke, "bench").map(drop))
            .await??;
        until(link, |state| state.up_since.is_none()).await?;
        times.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    stop.cancel();
    times.sort_by(f64::total_cmp);
    let at = (times.len() * 99).div_ceil(100).saturating_sub(1);
    Ok(times.get(at).copied().ok_or("nobody was revoked")?)
}

async fn until(link: &UplinkHandle, reached: impl FnMut(&ccpor_transport::LinkState) -> bool) -> Outcome<()> {
    let mut status = link.status();
    tokio::time::timeout(Duration::from_secs(30), status.wait_for(reached))
        .await
        .map_err(|_| "a link did not change within 30 s")??;
    Ok(())
}

fn services(identity: &IdentityDir) -> Services {
    Services {
        ledgers: Arc::new(Nothing),
        images: Arc::new(Nothing),
        answer: Arc::new(TakesRevocations {
            revocations: identity.revocations().clone(),
            otherwise: NobodyAsks,
        }),
    }
}

/// No ledger and no image: the connection is all that is measured.
struct Nothing;

impl Ledgers for Nothing {
    fn heads(&self) -> Vec<(OriginId, Head)> {
        Vec::new()
    }

    fn heard_of(&self, _: &[OriginId]) {}

    fn standing(&self, _: &OriginId, _: &Head) -> Result<Standing, LoadFailed> {
        Ok(Standing::PeerAhead)
    }

    fn load(&self, _: &OriginId, _: Option<Position>, _: RunLimit) -> Result<Vec<SignedRecord>, LoadFailed> {
        Ok(Vec::new())
    }

    fn store(&self, _: &OriginId, _: Vec<SignedRecord>) -> Result<Stored, StoreRefused> {
        Err(StoreRefused::CannotStore)
    }

    fn receipt(&self, _: SignedReceipt) {}

    fn heartbeat(&self, _: SignedHeartbeat) -> bool {
        false
    }

    fn heartbeats(&self) -> Vec<SignedHeartbeat> {
        Vec::new()
    }

    fn watch(&self, _: Box<dyn Fn(&Moved) + Send + Sync>) {}
}

impl Images for Nothing {
    fn open(&self, _: &[u8; 32]) -> Option<(Box<dyn std::io::Read + Send>, u64)> {
        None
    }

    fn wanted(&self) -> Vec<Wanted> {
        Vec::new()
    }

    fn receive(&self, _: &Wanted) -> std::io::Result<Box<dyn ImageSink>> {
        Err(std::io::ErrorKind::Unsupported.into())
    }
}
