//! Restart: a node with many records is killed with SIGKILL and started again; told is the time until it answers every lookup.

use std::path::Path;

use ccpor_deploy::fleet::Fleet;
use ccpor_deploy::population::Filing;

use super::{Goal, Sheet, court};
use crate::world::{Outcome, join};

/// Measures it.
///
/// # Errors
/// When the node does not start.
pub fn measure(directory: &Path, rounds: usize, sheet: &mut Sheet) -> Outcome<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    for (name, records, goal) in [
        ("restart.ready_s_100k", 100_000, 1.0),
        ("restart.ready_s_1m", 1_000_000, 5.0),
    ] {
        let seconds = runtime.block_on(killed_and_started(directory, records, rounds))?;
        sheet.put(name, seconds, "s", Some(Goal::AtMost(goal)));
    }
    Ok(())
}

async fn killed_and_started(directory: &Path, records: u64, rounds: usize) -> Outcome<Vec<f64>> {
    let folder = tempfile::tempdir_in(directory)?;
    let mut fleet = filled(folder.path(), court::filings(records)?).await?;
    let mut seconds = Vec::new();
    for _ in 0..rounds {
        if let Some(node) = fleet.take_node(0) {
            node.kill().await;
        }
        let start = std::time::Instant::now();
        fleet.start_node(0).await?;
        seconds.push(start.elapsed().as_secs_f64());
    }
    fleet.stop().await;
    Ok(seconds)
}

/// A hub and a node that holds these orders, running.
pub(super) async fn filled(
    directory: &Path,
    filings: impl Iterator<Item = Filing> + Send + 'static,
) -> Outcome<Fleet> {
    let mut fleet = Fleet::start(directory).await?;
    let number = join(&mut fleet, "alameda").await?;
    if let Some(node) = fleet.take_node(number) {
        node.stop().await;
    }
    let identity = {
        let member = fleet.members().get(number).ok_or("there is no court")?;
        ccpor_certs::IdentityDir::open(&member.directory().join("identity"))?
    };
    let filling = tokio::task::spawn_blocking(move || -> Outcome<()> {
        let registry = court::open(&identity)?;
        court::fill(&registry, filings)?;
        registry.close();
        Ok(())
    });
    filling.await??;
    fleet.start_node(number).await?;
    Ok(fleet)
}
