//! `ccpor topology`: which machines the registry has, as a hub signed it. Once fetched, lookups that go by a context ask the
//! nearest of them by themselves.

use std::path::PathBuf;

use ccpor_api::Target;
use ccpor_api::nearest::Roster;
use ccpor_certs::tls::{Expect, client_config};
use ccpor_certs::{Clock, IdentityDir, Machine, Roots};
use ccpor_daemon::exit::Exit;
use clap::Subcommand;
use serde::Serialize;

use crate::contexts::Contexts;
use crate::failure::Failure;
use crate::globals::Globals;
use crate::screen::Screen;
use crate::table::Table;
use crate::{asking, when};

/// A kept list that is older is fetched again after a lookup.
const DAY_SECONDS: i64 = 24 * 3600;
/// How long that may keep the command from ending.
const AFTERWARDS: std::time::Duration = std::time::Duration::from_millis(500);

/// What may be done.
#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Fetch the list of machines, measure how near each is, and keep it; any node or hub hands it out.
    #[command(
        after_help = "Examples:\n  ccpor topology fetch\n  ccpor --context hub topology fetch --quiet\n\n\
                      Ends with 4 when the list is not signed by a hub of this registry."
    )]
    Fetch,
    /// Show the list that is kept, the nearest machine first.
    #[command(
        after_help = "Examples:\n  ccpor topology show\n  ccpor topology show --json | jq -r '.[].address'"
    )]
    Show,
}

/// One machine of the list.
#[derive(Serialize)]
struct Listed<'a> {
    identity: String,
    address: &'a str,
    /// Milliseconds until a line was open; absent when it was not reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    reached_in_ms: Option<f64>,
}

pub(crate) async fn run(command: Command, globals: &Globals, screen: &Screen) -> Result<Exit, Failure> {
    let identity = IdentityDir::open(&globals.reach()?.identity)?;
    let file = kept_at(identity.roots())?;
    let kept = Roster::load(&file, identity.roots());
    let roster = match command {
        Command::Fetch => {
            let client = asking::client(globals).await?;
            let now = Clock::machine().now();
            let fetched = Roster::fetch(&client, identity.roots(), kept.as_ref(), now).await;
            let mut roster = fetched.map_err(|error| match error {
                ccpor_api::nearest::RosterFailed::Call(error) => Failure::from(error),
                refused => Failure::own(
                    Exit::Denied,
                    refused.to_string(),
                    "Ask another machine, and tell the operator of the registry.",
                ),
            })?;
            roster
                .measure(|machine| target(machine, &identity, globals))
                .await;
            save(&roster, &file)?;
            screen.remark(&format!("kept in {}", file.display()));
            roster
        }
        Command::Show => kept.ok_or_else(|| {
            Failure::own(
                Exit::NotFound,
                "no list of machines is kept for this registry".to_owned(),
                "Fetch it with: ccpor topology fetch",
            )
        })?,
    };
    show(&roster, screen)?;
    Ok(Exit::Done)
}

fn show(roster: &Roster, screen: &Screen) -> Result<(), Failure> {
    let machines = roster.nearest(usize::MAX);
    let listed: Vec<Listed<'_>> = machines
        .iter()
        .map(|machine| Listed {
            identity: machine.identity.path(),
            address: &machine.address,
            reached_in_ms: roster.reached_in(machine).map(|time| time.as_secs_f64() * 1e3),
        })
        .collect();
    if screen.json {
        return screen.document(&listed);
    }
    let mut table = Table::new(&["MACHINE", "ADDRESS", ">REACHED IN"]);
    for listed in listed {
        let reached = listed
            .reached_in_ms
            .map_or_else(|| "not reached".to_owned(), |ms| format!("{ms:.1} ms"));
        table.row([listed.identity, listed.address.to_owned(), reached]);
    }
    screen.text(&format!(
        "{}signed by {} as number {}, fetched {}\n",
        table.text(),
        roster.topology().hub,
        roster.topology().serial,
        when::read(&roster.fetched().to_string()),
    ))
}

/// The machines of the kept list that a question is put to besides the one of the context; none when no list is kept.
pub(crate) fn nearest(identity: &IdentityDir, globals: &Globals, count: usize) -> Vec<Target> {
    let roster = kept_at(identity.roots())
        .ok()
        .and_then(|file| Roster::load(&file, identity.roots()));
    let machines = roster.iter().flat_map(|roster| roster.nearest(count));
    machines
        .filter_map(|machine| target(machine, identity, globals))
        .collect()
}

/// After a lookup: fetches the list again when the kept one is more than a day old. What fails is tried next time.
pub(crate) async fn refresh(globals: &Globals) {
    let Some((identity, file, kept)) = old(globals) else {
        return;
    };
    let fetched = async {
        let client = asking::client(globals).await.ok()?;
        let now = Clock::machine().now();
        Roster::fetch(&client, identity.roots(), Some(&kept), now)
            .await
            .ok()
    };
    if let Ok(Some(roster)) = tokio::time::timeout(AFTERWARDS, fetched).await {
        let _ = roster.save(&file);
    }
}

fn old(globals: &Globals) -> Option<(IdentityDir, PathBuf, Roster)> {
    let identity = IdentityDir::open(&globals.reach().ok()?.identity).ok()?;
    let file = kept_at(identity.roots()).ok()?;
    let kept = Roster::load(&file, identity.roots())?;
    let age = Clock::machine().now().since(kept.fetched());
    (age > DAY_SECONDS).then_some((identity, file, kept))
}

/// A machine of the list is asked under the very identity that the hub signed.
fn target(machine: &Machine, identity: &IdentityDir, globals: &Globals) -> Option<Target> {
    let expect = Expect::Exactly(machine.identity.clone());
    let tls = client_config(identity, expect, &[b"h2"]).ok()?;
    Some(asking::bounded(
        Target {
            ori: globals
                .reach()
                .ok()
                .map(|reach| reach.ori)
                .filter(|ori| !ori.is_empty()),
            ..Target::new(machine.address.clone(), tls)
        },
        globals,
    ))
}

/// Beside the contexts, one file a registry.
fn kept_at(roots: &Roots) -> Result<PathBuf, Failure> {
    let name: String = roots.fingerprint().chars().take(16).collect();
    Ok(Contexts::usual_path()?.with_file_name(format!("topology-{name}.json")))
}

fn save(roster: &Roster, file: &std::path::Path) -> Result<(), Failure> {
    let failed = |error: std::io::Error| {
        Failure::file(
            "keeping the list of machines",
            file,
            &error,
            "See that this user may write there, and that there is room.",
        )
    };
    if let Some(directory) = file.parent() {
        std::fs::create_dir_all(directory).map_err(failed)?;
    }
    roster.save(file).map_err(failed)
}
