//! `ccpor-node reconcile`: what was filed here on a branch of this court's ledger that the hub's copy contradicts. It is shown, kept,
//! and recorded once more behind the hub's copy. It names orders by their numbers alone; `ccpor order show` tells what is in them.

use std::sync::Arc;
use std::time::Duration;

use ccpor_daemon::exit::Exit;
use ccpor_daemon::identity;
use ccpor_daemon::reading::blocking;
use ccpor_registry::{Planned, Reconciled, Registry, Shelved, Verdict, shelved};
use clap::Subcommand;

use crate::config::Settings;
use crate::daemon::{NodeFailed, open_registry};
use crate::hubs;
use crate::uplink::Link;

/// How long the hub may take to answer at all.
const CONNECT_WITHIN: Duration = Duration::from_secs(60);

/// What is to be done.
#[derive(Subcommand)]
pub(crate) enum Reconcile {
    /// The branches that are kept here, and whether something about them is left to be done.
    #[command(
        after_help = "Examples:\n  ccpor-node reconcile list\n  ccpor-node --config /etc/ccpor/node.toml reconcile list\n\n\
                      Ends with 6 when a branch waits."
    )]
    List,
    /// What would become of each record that the hub's copy contradicts, and of those that wait; changes nothing (the daemon must be
    /// stopped).
    #[command(
        after_help = "Examples:\n  ccpor-node reconcile show\n  ccpor-node --set hub.address=hub.courts.example:4433 reconcile show"
    )]
    Show,
    /// Keep the branch apart, go on from the hub's copy in a new epoch, and record once more, flagged, what the branch tells of orders
    /// (the daemon must be stopped). May be repeated without harm.
    #[command(
        after_help = "Examples:\n  ccpor-node reconcile run\n  ccpor-node --config /etc/ccpor/node.toml reconcile run\n\n\
                      Make sure first that no second machine runs under this name.\n\
                      Ends with 6 when some of it is left to a person."
    )]
    Run,
    /// Say that a person has dealt with what was left of a branch. It stays kept.
    #[command(
        after_help = "Examples:\n  ccpor-node reconcile close 1.641-0a1b2c3d\n  ccpor-node --config /etc/ccpor/node.toml reconcile close 1.641-0a1b2c3d"
    )]
    Close {
        /// The branch, as `list` names it.
        branch: String,
    },
}

impl Reconcile {
    pub(crate) async fn run(self, settings: &Settings) -> Result<Exit, NodeFailed> {
        match self {
            Self::List => list(settings),
            Self::Close { branch } => close(settings, &branch),
            Self::Show => {
                let (registry, link) = connected(settings).await?;
                let shown = show(&registry, &link).await;
                closed(registry, link).await?;
                shown
            }
            Self::Run => {
                let (registry, link) = connected(settings).await?;
                let done = reconcile(&registry, &link).await;
                closed(registry, link).await?;
                done
            }
        }
    }
}

fn list(settings: &Settings) -> Result<Exit, NodeFailed> {
    let branches = shelved(&settings.data.directory).map_err(unusable)?;
    if branches.is_empty() {
        println!("no branch of this court's ledger is kept here");
    }
    for branch in &branches {
        let state = if branch.settled { "settled" } else { "waits" };
        println!(
            "{:<24} {:>6} records   {state}",
            branch.name,
            branch.deeds().map_err(unusable)?
        );
    }
    Ok(if branches.iter().all(|branch| branch.settled) {
        Exit::Done
    } else {
        Exit::Degraded
    })
}

fn close(settings: &Settings, name: &str) -> Result<Exit, NodeFailed> {
    let branches = shelved(&settings.data.directory).map_err(unusable)?;
    let branch = branches.into_iter().find(|branch| branch.name == name);
    let mut branch = branch.ok_or_else(|| {
        NodeFailed::NotReconciled(format!(
            "no branch {name} is kept here; `ccpor-node reconcile list` names them"
        ))
    })?;
    if !branch.settled {
        branch.settle().map_err(unusable)?;
    }
    println!("{name} is settled and stays kept");
    Ok(Exit::Done)
}

async fn show(registry: &Arc<Registry>, link: &Link) -> Result<Exit, NodeFailed> {
    let diverging = link
        .with_copy(registry, |registry, ask| registry.diverging(ask))
        .await
        .map_err(NodeFailed::Fault)??;
    let waiting = blocking({
        let registry = Arc::clone(registry);
        move || weighed(&registry)
    });
    let waiting = waiting
        .await
        .map_err(|problem| NodeFailed::Fault(problem.to_string()))??;
    if diverging.is_none() && waiting.is_empty() {
        println!("the hub's copy contradicts nothing that was filed here, and no branch waits");
    }
    if let Some(diverging) = &diverging {
        match diverging.parted {
            Some(parted) => println!("the hub's copy goes another way behind {parted}; here follow:"),
            None => println!("the hub's copy goes another way from the beginning; here stand:"),
        }
        tell(
            &diverging.records,
            ["would be recorded once more", "is there already"],
        );
        println!("nothing was changed; `ccpor-node reconcile run` does it");
    }
    for (branch, plan) in &waiting {
        println!("branch {} waits:", branch.name);
        tell(&plan.records, ["would be recorded once more", "is there"]);
    }
    Ok(Exit::Done)
}

/// The branches that wait, with what becomes of them.
fn weighed(registry: &Registry) -> Result<Vec<(Shelved, Reconciled)>, NodeFailed> {
    let branches = shelved(registry.directory()).map_err(unusable)?.into_iter();
    let waiting = branches.filter(|branch| !branch.settled);
    waiting
        .map(|branch| {
            let plan = registry.weigh(&branch)?;
            Ok((branch, plan))
        })
        .collect()
}

async fn reconcile(registry: &Arc<Registry>, link: &Link) -> Result<Exit, NodeFailed> {
    let done = link
        .with_copy(registry, |registry, ask| registry.reconcile(ask))
        .await
        .map_err(NodeFailed::Fault)??;
    if done.is_empty() {
        println!("the hub's copy contradicts nothing that was filed here, and no branch waits");
    }
    for (branch, plan) in &done {
        println!("branch {}:", branch.name);
        tell(&plan.records, ["was recorded once more", "is there"]);
        if plan.leaves_some() {
            println!(
                "what is left waits for a person; afterwards: ccpor-node reconcile close {}",
                branch.name
            );
        }
    }
    println!("start the node with: ccpor-node run");
    Ok(if done.iter().any(|(_, plan)| plan.leaves_some()) {
        Exit::Degraded
    } else {
        Exit::Done
    })
}

fn tell(records: &[Planned], [again, there]: [&str; 2]) {
    for planned in records {
        let order = planned.order.map(|order| order.to_string()).unwrap_or_default();
        let becomes = match &planned.verdict {
            Verdict::Again(event) if Some(event.order_id()) == planned.order => again.to_owned(),
            Verdict::Again(event) => format!("{again}, as order {}", event.order_id()),
            Verdict::There => there.to_owned(),
            Verdict::Left(reason) => format!("LEFT TO A PERSON: {reason}"),
        };
        println!(
            "  {:<10} {order}  {:<24} {becomes}",
            planned.position, planned.what
        );
    }
}

/// The first hub that is connected.
async fn connected(settings: &Settings) -> Result<(Arc<Registry>, Link), NodeFailed> {
    let registry = open_registry(settings).await?;
    let identity = identity::open(&settings.data.identity_directory())?;
    let hubs = hubs::connect(settings, &identity, &registry)?;
    let mut reason = "hub.connect is false".to_owned();
    for link in hubs.links() {
        match link.connected(CONNECT_WITHIN).await {
            Ok(()) => return Ok((registry, link.clone())),
            Err(not_connected) => reason = not_connected,
        }
    }
    Err(NodeFailed::NotReconciled(reason))
}

async fn closed(registry: Arc<Registry>, link: Link) -> Result<(), NodeFailed> {
    drop(link);
    let closed = blocking(move || registry.close()).await;
    closed.map_err(|problem| NodeFailed::Fault(problem.to_string()))
}

fn unusable(error: std::io::Error) -> NodeFailed {
    NodeFailed::NotReconciled(format!("the shelf of branches cannot be used: {error}"))
}
