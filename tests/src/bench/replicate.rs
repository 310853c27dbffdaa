//! Replication over real QUIC on loopback: a backlog into an empty hub, durable and verified; and the time from filing at one
//! court to visible at another, through the hub.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ccpor_certs::IdentityDir;
use ccpor_daemon::replication::{Collect, RegistryImages};
use ccpor_daemon::signing::{NobodyAsks, OwnKey};
use ccpor_ledger::OriginId;
use ccpor_registry::Registry;
use ccpor_sync::Ledgers;
use ccpor_transport::{
    Landing, LandingConfig, LandingHandle, Permissions, Services, Uplink, UplinkConfig, UplinkHandle,
};

use super::{Goal, Sheet, court, disk, median, quantile};
use crate::world::Outcome;

const BACKLOG: u64 = 100_000;
const PER_SECOND: u64 = 100;
const FILINGS: u64 = 1_000;

/// Measures it.
///
/// # Errors
/// When a machine does not connect or a record does not arrive.
pub fn measure(directory: &Path, rounds: usize, sheet: &mut Sheet) -> Outcome<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    let raw = disk::append_and_sync(directory, 4_096, Duration::from_secs(2))?;
    sheet.put("replicate.raw_fsync_p50_us", vec![median(&raw) * 1e6], "us", None);
    let folder = tempfile::tempdir_in(directory)?;
    let authority = court::authority(folder.path())?;
    let alameda = court::identity(&authority, "court/alameda/node/1", folder.path())?;
    let kern = court::identity(&authority, "court/kern/node/1", folder.path())?;
    let node = court::open(&alameda)?;
    court::fill(&node, court::filings(BACKLOG)?)?;
    let (mut durable, mut searchable) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        let place = folder.path().join(format!("round-{round}"));
        std::fs::create_dir_all(&place)?;
        let hub_identity = court::identity(&authority, "hub/1", &place)?;
        let hub = court::open(&hub_identity)?;
        let (stored, applied) = runtime.block_on(backlog(&alameda, &node, &hub_identity, &hub))?;
        durable.push(stored);
        searchable.push(applied);
        hub.close();
    }
    sheet.put(
        "replicate.backlog_records_per_s",
        durable,
        "1/s",
        Some(Goal::AtLeast(50_000.0)),
    );
    sheet.put("replicate.backlog_searchable_per_s", searchable, "1/s", None);
    let hub_identity = court::identity(&authority, "hub/2", folder.path())?;
    let hub = court::open(&hub_identity)?;
    let other = court::open(&kern)?;
    let (mut p50, mut p99) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        let lags = runtime.block_on(visible(
            &alameda,
            &node,
            &kern,
            &other,
            &hub_identity,
            &hub,
            round,
        ))?;
        p50.push(median(&lags));
        p99.push(quantile(&lags, 0.99));
    }
    sheet.put("replicate.visible_p50_ms", p50, "ms", None);
    sheet.put("replicate.visible_p99_ms", p99, "ms", Some(Goal::AtMost(100.0)));
    for registry in [node, hub, other] {
        registry.close();
    }
    Ok(())
}

/// Records per second from an uplink's start until the hub holds the whole backlog durably, and until it can be looked up.
async fn backlog(
    node_identity: &IdentityDir,
    node: &Arc<Registry>,
    hub_identity: &IdentityDir,
    hub: &Arc<Registry>,
) -> Outcome<(f64, f64)> {
    let landing = land(hub_identity, hub)?;
    let start = Instant::now();
    let link = uplink(node_identity, node, &landing)?;
    let records = records(node);
    let mut stored = None;
    while stored.is_none() || hub.counts().orders < BACKLOG {
        if stored.is_none() && hub.heads() == node.heads() {
            stored = Some(records / start.elapsed().as_secs_f64());
        }
        if start.elapsed() > Duration::from_secs(300) {
            return Err("the backlog did not arrive within five minutes".into());
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let searchable = records / start.elapsed().as_secs_f64();
    link.stop().await;
    landing.stop().await;
    Ok((stored.unwrap_or(f64::NAN), searchable))
}

/// Milliseconds from the call that files an order at one court until another court's lookups include it.
async fn visible(
    from: &IdentityDir,
    node: &Arc<Registry>,
    to: &IdentityDir,
    other: &Arc<Registry>,
    hub_identity: &IdentityDir,
    hub: &Arc<Registry>,
    round: usize,
) -> Outcome<Vec<f64>> {
    let landing = land(hub_identity, hub)?;
    let (up, down) = (uplink(from, node, &landing)?, uplink(to, other, &landing)?);
    let start = Instant::now();
    while other.counts().orders < node.counts().orders {
        if start.elapsed() > Duration::from_secs(300) {
            return Err("the other court did not catch up within five minutes".into());
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let orders = court::orders(FILINGS)?;
    let mut lags = Vec::new();
    let mut ticks = tokio::time::interval(Duration::from_millis(1_000 / PER_SECOND));
    let (done, mut waited) = tokio::sync::mpsc::unbounded_channel();
    for (number, order) in orders.into_iter().enumerate() {
        ticks.tick().await;
        let request = court::request(1_000_000_000 + round as u64 * FILINGS + number as u64);
        let (node, other, done) = (Arc::clone(node), Arc::clone(other), done.clone());
        tokio::task::spawn_blocking(move || {
            let begun = Instant::now();
            let lag = match node.file(request, None, order) {
                Ok(filed) => {
                    while other.show(filed.order, None).value().is_err() && begun.elapsed().as_secs() < 10 {
                        std::thread::sleep(Duration::from_micros(200));
                    }
                    begun.elapsed().as_secs_f64() * 1e3
                }
                Err(_) => f64::INFINITY,
            };
            let _receiver_gone = done.send(lag);
        });
    }
    drop(done);
    while let Some(lag) = waited.recv().await {
        lags.push(lag);
    }
    up.stop().await;
    down.stop().await;
    landing.stop().await;
    Ok(lags)
}

fn records(node: &Registry) -> f64 {
    node.ledgers().iter().map(|ledger| ledger.records).sum::<u64>() as f64
}

fn land(identity: &IdentityDir, hub: &Arc<Registry>) -> Outcome<LandingHandle> {
    let services = Services {
        ledgers: Arc::<Registry>::clone(hub),
        images: Arc::new(RegistryImages::new(Arc::clone(hub), Collect::Everything)),
        answer: Arc::new(OwnKey::of(identity)),
    };
    Ok(Landing::start(
        identity,
        services,
        LandingConfig::hub(([127, 0, 0, 1], 0).into()),
    )?)
}

fn uplink(identity: &IdentityDir, node: &Arc<Registry>, landing: &LandingHandle) -> Outcome<UplinkHandle> {
    let own = OriginId::new(&identity.identity().path())?;
    let services = Services {
        ledgers: Arc::<Registry>::clone(node),
        images: Arc::new(RegistryImages::new(Arc::clone(node), Collect::OnDemand)),
        answer: Arc::new(NobodyAsks),
    };
    let address = landing.local_addr()?.to_string();
    let config = UplinkConfig::new(vec![address], Permissions::node(own));
    Ok(Uplink::start(identity.clone(), services, config)?)
}
