//! What a hub costs while nothing happens: the real program with 72 connected nodes that send heartbeats alone.

use std::path::Path;
use std::time::Duration;

use ccpor_certs::Identity;
use ccpor_deploy::fleet::Fleet;
use ccpor_deploy::population::Population;
use tokio::runtime::Runtime;

use crate::bench::ends::{Machine, up, uplink};
use crate::bench::{Goal, Sheet, court, cpu};
use crate::world::Outcome;

const NODES: usize = 72;
/// How often a node says that nothing is new, by default.
const BEAT: Duration = Duration::from_secs(2);
/// All links are up for so long before it is looked.
const SETTLES: Duration = Duration::from_secs(5);
const LOOKED_AT: Duration = Duration::from_secs(20);

pub(super) fn measure(runtime: &Runtime, directory: &Path, sheet: &mut Sheet) -> Outcome<()> {
    let folder = tempfile::tempdir_in(directory)?;
    let percent = runtime.block_on(percent(folder.path()))?;
    sheet.put(
        "replicate.idle_hub_cpu_percent",
        vec![percent],
        "%",
        Some(Goal::AtMost(2.0)),
    );
    Ok(())
}

async fn percent(directory: &Path) -> Outcome<f64> {
    let mut fleet = Fleet::start(directory).await?;
    let hub = fleet.hub().ok_or("the hub does not run")?;
    let (pid, address) = hub.pid().zip(hub.ready().nodes).ok_or("the hub takes no nodes")?;
    let (mut links, mut beating) = (Vec::new(), tokio::task::JoinSet::new());
    for (number, court) in Population::courts().into_iter().take(NODES).enumerate() {
        let identity: Identity = format!("{court}/node/1").parse()?;
        let place = directory.join(format!("node-{number}")).join("identity");
        std::fs::create_dir_all(place.parent().ok_or("no folder")?)?;
        let identity = fleet.authority().issue(&identity, &[], &[], &place)?;
        let registry = court::open(&identity)?;
        let node = Machine { identity, registry };
        links.push(uplink(&node, address)?);
        beating.spawn(async move {
            // Not all in the same moment.
            tokio::time::sleep(BEAT * u32::try_from(number).unwrap_or(0) / 72).await;
            let mut ticks = tokio::time::interval(BEAT);
            loop {
                ticks.tick().await;
                let registry = std::sync::Arc::clone(&node.registry);
                let _ = tokio::task::spawn_blocking(move || registry.sign_heartbeat().map(drop)).await;
            }
        });
    }
    for link in &links {
        up(link).await?;
    }
    tokio::time::sleep(SETTLES).await;
    let before = cpu::of(pid)?;
    tokio::time::sleep(LOOKED_AT).await;
    let used = cpu::of(pid)? - before;
    beating.shutdown().await;
    for link in links {
        link.stop().await;
    }
    fleet.stop().await;
    Ok(used.as_secs_f64() / LOOKED_AT.as_secs_f64() * 100.0)
}
