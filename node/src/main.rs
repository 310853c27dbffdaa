//! `ccpor-node`: the daemon at a courthouse, and its local commands. This file reads the command line and says how it ended.

mod import;
mod reconcile;
mod preflight;
mod restore;
mod daemon;
mod service;
mod confidential;
mod scans;
mod intake;
mod topology;
mod sharing;
mod trail_copy;
mod revocations;
mod hubs;
mod uplink;
mod config;
mod chosen;

use std::path::PathBuf;
use std::process::ExitCode;

use ccpor_daemon::exit::Exit;
use ccpor_daemon::users::{self, Office};
use ccpor_daemon::{lifetime, logs, settings};
use clap::{Parser, Subcommand};

use crate::config::Settings;

/// An answer is many small pieces of memory; the system's allocator took a sixth of the time of a lookup.
#[global_allocator]
static MEMORY: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The protective order registry's node at a courthouse: files and finds orders, and replicates them with the hub.
#[derive(Parser)]
#[command(
    version,
    after_help = "Examples:\n  ccpor-node enroll ccpor-invite-1.eyJ...\n  ccpor-node run\n  ccpor-node import orders.ndjson\n  ccpor-node config show"
)]
struct Arguments {
    /// Configuration file (default: /etc/ccpor/node.toml when it exists; drop-ins in node.d/*.toml).
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// One setting, stronger than file and environment; may be repeated.
    #[arg(long, global = true, value_name = "KEY=VALUE", value_parser = settings::flag)]
    set: Vec<(String, String)>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the daemon until it is told to stop.
    #[command(after_help = "Examples:\n  ccpor-node run\n  ccpor-node --set log.level=debug run")]
    Run,
    /// Redeem an invitation: makes the keys here and fetches the certificates.
    #[command(
        after_help = "Examples:\n  ccpor-node enroll ccpor-invite-1.eyJ...\n  ccpor-node --set data.directory=/srv/ccpor enroll ccpor-invite-1.eyJ..."
    )]
    Enroll {
        /// The invitation as the operator of the hub gave it.
        invitation: String,
    },
    /// Find out what passes the firewalls on the way to the hub, and what the link will be carried by.
    #[command(
        after_help = "Examples:\n  ccpor-node preflight\n  ccpor-node --set hub.transport=tcp preflight\n\nEnds with 0 when every hub is reached as it should be, with 6 when only over TCP because UDP does not pass, with 7 when one is not."
    )]
    Preflight,
    /// File the orders of an NDJSON or CSV file; may be repeated without harm.
    Import(import::Arguments),
    /// Make the index anew from the ledgers (the daemon must be stopped).
    #[command(
        after_help = "Examples:\n  ccpor-node rebuild\n  ccpor-node --config /etc/ccpor/node.toml rebuild"
    )]
    Rebuild,
    /// Put this court's records back from the hub, on a new or emptied machine (the daemon must be stopped).
    #[command(
        after_help = "Examples:\n  ccpor-node restore --from-hub\n  ccpor-node --config /etc/ccpor/node.toml restore --from-hub"
    )]
    Restore {
        /// Take the records from the hub's copy.
        #[arg(long, required = true)]
        from_hub: bool,
    },
    /// Orders that were filed here on an old copy of this court's ledger: see them, and file them again.
    #[command(subcommand)]
    Reconcile(reconcile::Reconcile),
    /// Make the first account, an administrator's; prints its set-up code.
    #[command(
        after_help = "Examples:\n  ccpor-node init\n  ccpor-node init --admin mgarcia --full-name 'Maria Garcia'"
    )]
    Init(users::Init),
    /// The accounts of the people who log on at this machine.
    #[command(subcommand)]
    Users(users::Users),
    /// The court's key of confidential information.
    #[command(subcommand)]
    Confidential(confidential::Office),
    /// Look at the settings.
    Config {
        #[command(subcommand)]
        what: settings::Look,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let layers = config::layers(arguments.config, arguments.set);
    let loaded = match settings::load::<Settings>(&layers) {
        Ok(loaded) => loaded,
        Err(error) => return say(&error, Exit::Usage),
    };
    if let Command::Config { what } = &arguments.command {
        return what.print(&loaded.values).into();
    }
    if let Err(error) = logs::start(&loaded.settings.log) {
        return say(&error, Exit::Usage);
    }
    let runtime = match lifetime::runtime() {
        Ok(runtime) => runtime,
        Err(error) => return say(&error, Exit::Failed),
    };
    runtime.block_on(carry_out(arguments.command, loaded.settings))
}

async fn carry_out(command: Command, settings: Settings) -> ExitCode {
    match command {
        Command::Run => match daemon::run(settings).await {
            Ok(()) => Exit::Done.into(),
            Err(error) => say(&error, error.exit()),
        },
        Command::Enroll { invitation } => {
            let directory = settings.data.identity_directory();
            match ccpor_certs::enrolment::enroll(&invitation, &directory).await {
                Ok(identity) => {
                    println!(
                        "enrolled as {}; start the node with: ccpor-node run",
                        identity.identity().path()
                    );
                    Exit::Done.into()
                }
                Err(error) => say(&error, Exit::Denied),
            }
        }
        Command::Preflight => match preflight::run(&settings).await {
            Ok(found) => {
                print!("{found}");
                found.exit().into()
            }
            Err(error) => say(&error, error.exit()),
        },
        Command::Import(arguments) => import::run(&settings, arguments).await.into(),
        Command::Rebuild => match daemon::rebuild(&settings).await {
            Ok(records) => {
                println!("the index was made anew from {records} records");
                Exit::Done.into()
            }
            Err(error) => say(&error, error.exit()),
        },
        Command::Restore { .. } => match restore::from_hub(&settings).await {
            Ok(restored) => {
                println!("{restored}");
                Exit::Done.into()
            }
            Err(error) => say(&error, error.exit()),
        },
        Command::Reconcile(reconcile) => match reconcile.run(&settings).await {
            Ok(exit) => exit.into(),
            Err(error) => say(&error, error.exit()),
        },
        Command::Init(init) => office(&settings).init(init).into(),
        Command::Users(users) => office(&settings).run(users).into(),
        Command::Confidential(office) => {
            let recovery = &settings.confidential.recovery_directory;
            match office.run(&settings.data.directory.join("confidential"), recovery) {
                Ok(exit) => exit.into(),
                Err(error) => say(&error, Exit::Failed),
            }
        }
        Command::Config { .. } => Exit::Done.into(),
    }
}

/// Where this node keeps its accounts. Before it is enrolled it is no court's.
fn office(settings: &Settings) -> Office<'_> {
    let identity = ccpor_certs::IdentityDir::open(&settings.data.identity_directory()).ok();
    let court = identity.map(|identity| identity.identity().path());
    Office {
        data: &settings.data.directory,
        court: court.and_then(|path| path.split("/node/").next().map(ToOwned::to_owned)),
        program: "ccpor-node",
    }
}

fn say(error: &dyn std::fmt::Display, exit: Exit) -> ExitCode {
    eprintln!("ccpor-node: {error}");
    exit.into()
}
