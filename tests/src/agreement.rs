//! Agreement: at the end of a run every machine holds the same ledgers, each of which proves itself, and in them exactly
//! what clients were told.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ccpor_api::Client;
use ccpor_certs::IdentityDir;
use ccpor_daemon::identity::CertifiedKeys;
use ccpor_ledger::{Ledger, OriginId, VerifyOptions, VerifyingKey, verify_directory};
use tokio::task::JoinSet;

use crate::history::{Case, Found, History, compare};
use crate::world::{Outcome, World, heads, until};

/// Waits until every machine holds the same ledgers and says itself that everything acknowledged is included.
///
/// # Errors
/// When they do not come to the same within a minute.
pub async fn converged(world: &World, history: &History) -> Outcome<()> {
    let machines = machines(world).await?;
    let courts = world.fleet.members().len();
    let last = history.last_moment();
    until("every machine holds the same ledgers", || async {
        let mut same = None;
        for (name, client) in &machines {
            let answer = client.list_courts().await?;
            let heads = heads(&answer);
            let behind = answer.courts.iter().any(|court| court.as_of <= last);
            if behind || heads.len() != courts || same.as_ref().is_some_and(|same| *same != heads) {
                return Err(format!("{name} holds {heads:?}, others {same:?}").into());
            }
            same = Some(heads);
        }
        Ok(Some(()))
    })
    .await
}

/// What a run was found to be.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    /// Orders that are there.
    pub orders: usize,
    /// Deeds in their histories.
    pub deeds: usize,
    /// Deeds that were not acknowledged, and how many of them are there.
    pub unacknowledged: (usize, usize),
}

/// Compares every machine with the history, and the machines with each other.
///
/// # Errors
/// What contradicts, in words.
pub async fn exactly_once(world: &World, history: &History) -> Outcome<Tally> {
    /// Cases compared by one task.
    const PIECE: usize = 64;
    let cases: Arc<Vec<Case>> = Arc::new(history.cases());
    let mut tasks = JoinSet::new();
    for (name, client) in machines(world).await? {
        let (next, cases) = (
            Arc::new(std::sync::atomic::AtomicUsize::new(0)),
            Arc::clone(&cases),
        );
        for _ in 0..4 {
            let (name, client, next, cases) = (
                name.clone(),
                client.clone(),
                Arc::clone(&next),
                Arc::clone(&cases),
            );
            tasks.spawn(async move {
                let mut found = Found::default();
                loop {
                    let piece = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    let Some(piece) = cases.chunks(PIECE).nth(piece) else {
                        return Outcome::Ok((name, found));
                    };
                    found
                        .orders
                        .append(&mut compare(&name, &client, piece).await?.orders);
                }
            });
        }
    }
    let mut everywhere: BTreeMap<String, Found> = BTreeMap::new();
    while let Some(done) = tasks.join_next().await {
        let (name, mut found) = done??;
        everywhere
            .entry(name)
            .or_default()
            .orders
            .append(&mut found.orders);
    }
    let mut machines = everywhere.iter();
    let (first, found) = machines.next().ok_or("there is no machine")?;
    if let Some((other, _)) = machines.find(|(_, other)| *other != found) {
        return Err(format!("{first} and {other} hold different deeds").into());
    }
    Ok(tally(&cases, found))
}

fn tally(cases: &[Case], found: &Found) -> Tally {
    let acts = || cases.iter().flat_map(|case| &case.acts);
    let unacknowledged = acts().filter(|act| act.answer.is_none()).count();
    let deeds = found.orders.values().map(Vec::len).sum::<usize>();
    let acknowledged = acts().count() - unacknowledged;
    Tally {
        orders: found.orders.len(),
        deeds,
        unacknowledged: (unacknowledged, deeds.saturating_sub(acknowledged)),
    }
}

/// Checks the ledgers of every machine as `ccpor verify` does; the machines must be stopped.
///
/// # Errors
/// The first fault, or that two machines hold different ledgers.
pub fn sound(world: &World) -> Outcome<()> {
    let hub = IdentityDir::open(&world.fleet.hub_data().join("identity"))?;
    let key = VerifyingKey::new(hub.record_public_key().ok_or("the hub has no record key")?)?;
    let hub_keys = BTreeMap::from([(hub.identity().path(), key)]);
    let mut same = None;
    for data in data_directories(world) {
        let trust = Arc::new(CertifiedKeys::of(&IdentityDir::open(&data.join("identity"))?));
        let options = VerifyOptions {
            trust,
            hub_keys: hub_keys.clone(),
        };
        let report = verify_directory(data.join("ledger"), &options)?;
        let heads: BTreeMap<_, _> = report
            .origins
            .iter()
            .map(|one| (one.origin.clone(), one.head))
            .collect();
        if same.as_ref().is_some_and(|same| *same != heads) {
            return Err(format!("{} holds {heads:?}, another machine {same:?}", data.display()).into());
        }
        same = Some(heads);
    }
    Ok(())
}

/// Opens a copy of the ledger of `origin` in a data directory, as the daemon would after a crash. Give it to a closure.
///
/// # Errors
/// When it cannot be copied or does not open.
pub fn ledger_after_crash<T>(
    data: &Path,
    origin: &OriginId,
    look: impl FnOnce(&Ledger) -> Outcome<T>,
) -> Outcome<T> {
    let copy = tempfile::tempdir()?;
    let from = data.join("ledger").join(origin.file_name());
    let entries = match std::fs::read_dir(&from) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        entries => Some(entries?),
    };
    for entry in entries.into_iter().flatten() {
        let entry = entry?;
        std::fs::copy(entry.path(), copy.path().join(entry.file_name()))?;
    }
    let trust = Arc::new(CertifiedKeys::of(&IdentityDir::open(&data.join("identity"))?));
    look(&Ledger::open(copy.path(), origin.clone(), trust)?)
}

fn data_directories(world: &World) -> Vec<PathBuf> {
    let nodes = world
        .fleet
        .members()
        .iter()
        .map(|member| member.data().to_owned());
    nodes.chain([world.fleet.hub_data().to_owned()]).collect()
}

/// Every machine by its name.
async fn machines(world: &World) -> Outcome<Vec<(String, Client)>> {
    let mut machines = vec![("hub/1".to_owned(), world.hub().await?)];
    for (node, member) in world.fleet.members().iter().enumerate() {
        machines.push((member.identity().path(), world.node(node).await?));
    }
    Ok(machines)
}

/// Opens what each killed node left behind, once with its index and once without: both find the same people.
///
/// # Errors
/// When a registry does not open, or the two differ.
pub fn indexes_are_as_made_anew(world: &World) -> Outcome<()> {
    for node in world.fleet.members() {
        let identity = IdentityDir::open(&node.directory().join("identity"))?;
        let found = || -> Outcome<[u8; 16]> {
            let registry = crate::bench::court::open(&identity)?;
            let digest = registry.people_digest();
            registry.close();
            Ok(digest)
        };
        let left = found()?;
        std::fs::remove_dir_all(node.data().join("index"))?;
        if found()? != left {
            return Err(format!("the index of {} is not as one made anew", node.identity()).into());
        }
    }
    Ok(())
}
