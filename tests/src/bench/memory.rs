//! Memory: what a node that holds 100,000 orders keeps resident, some seconds after its start.

use std::path::Path;

use super::{Goal, Sheet, court, restart};
use crate::world::Outcome;

const ORDERS: u64 = 100_000;

/// Measures it.
///
/// # Errors
/// When the node does not start.
pub fn measure(directory: &Path, rounds: usize, sheet: &mut Sheet) -> Outcome<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    let folder = tempfile::tempdir_in(directory)?;
    let megabytes = runtime.block_on(async {
        let mut fleet = restart::filled(folder.path(), court::filings(ORDERS)?).await?;
        let mut megabytes = Vec::new();
        for _ in 0..rounds {
            if let Some(node) = fleet.take_node(0) {
                node.stop().await;
            }
            fleet.start_node(0).await?;
            // The link to the hub comes up and its backlog flows; both belong to a node at work.
            tokio::time::sleep(std::time::Duration::from_secs(3)).await;
            let pid = fleet
                .members()
                .first()
                .and_then(|node| node.daemon()?.pid())
                .ok_or("the node does not run")?;
            megabytes.push(resident_mb(pid)?);
        }
        fleet.stop().await;
        Outcome::Ok(megabytes)
    })?;
    sheet.put("memory.node_100k_mb", megabytes, "MB", Some(Goal::AtMost(250.0)));
    Ok(())
}

fn resident_mb(pid: u32) -> Outcome<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .ok_or("no VmRSS")?;
    let kilobytes: f64 = line.split_whitespace().nth(1).ok_or("no figure")?.parse()?;
    Ok(kilobytes * 1024.0 / 1e6)
}
