//! Recovery: a million records into a hub that lost everything, from the node that has them, and into a node that lost everything,
//! from the hub; until they are durable there, and until lookups find them.

use std::path::Path;
use std::time::Instant;

use super::ends::{Ground, Machine, holds, land, until, uplink};
use super::{Goal, Sheet, court};
use crate::world::Outcome;

const RECORDS: u64 = 1_000_000;

/// Measures it.
///
/// # Errors
/// When a machine does not connect or a record does not arrive.
pub fn measure(directory: &Path, rounds: usize, sheet: &mut Sheet) -> Outcome<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    let folder = tempfile::tempdir_in(directory)?;
    let ground = Ground::new(folder.path())?;
    let full = ground.machine("court/alameda/node/1")?;
    court::fill(&full.registry, court::filings(RECORDS)?)?;
    let [mut hub_durable, mut hub_found, mut node_durable, mut node_found] = [const { Vec::new() }; 4];
    for round in 0..rounds {
        let hub = ground.machine(&format!("hub/{}", 1 + round))?;
        let node = ground.machine(&format!("court/kern/node/{}", 1 + round))?;
        let (durable, found) = runtime.block_on(into_the_hub(&full, &hub))?;
        hub_durable.push(durable);
        hub_found.push(found);
        let (durable, found) = runtime.block_on(into_a_node(&full, &hub, &node))?;
        node_durable.push(durable);
        node_found.push(found);
        hub.registry.close();
        node.registry.close();
    }
    full.registry.close();
    sheet.put("recovery.empty_hub_durable_s", hub_durable, "s", None);
    sheet.put(
        "recovery.empty_hub_searchable_s",
        hub_found,
        "s",
        Some(Goal::AtMost(60.0)),
    );
    sheet.put("recovery.empty_node_durable_s", node_durable, "s", None);
    sheet.put(
        "recovery.empty_node_searchable_s",
        node_found,
        "s",
        Some(Goal::AtMost(60.0)),
    );
    Ok(())
}

async fn into_the_hub(full: &Machine, hub: &Machine) -> Outcome<(f64, f64)> {
    let landing = land(hub, true)?;
    let start = Instant::now();
    let link = uplink(full, landing.local_addr()?)?;
    let seconds = filled(full, hub, start).await?;
    link.stop().await;
    landing.stop().await;
    Ok(seconds)
}

/// The court that filed the records is not connected: they come from the hub.
async fn into_a_node(full: &Machine, hub: &Machine, node: &Machine) -> Outcome<(f64, f64)> {
    let landing = land(hub, true)?;
    let start = Instant::now();
    let link = uplink(node, landing.local_addr()?)?;
    let seconds = filled(full, node, start).await?;
    link.stop().await;
    landing.stop().await;
    Ok(seconds)
}

/// Seconds until all that `full` holds is durable at a machine, and until lookups there find it.
async fn filled(full: &Machine, machine: &Machine, start: Instant) -> Outcome<(f64, f64)> {
    holds(machine, &[full]).await?;
    let durable = start.elapsed().as_secs_f64();
    let orders = full.registry.counts().orders;
    until(|| machine.registry.counts().orders >= orders).await?;
    Ok((durable, start.elapsed().as_secs_f64()))
}
