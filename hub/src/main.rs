//! `ccpor-hub`: the daemon at the state's data centre, and its local commands. This file reads the command line and says
//! how it ended.

mod daemon;
mod service;
mod landing;
mod enrolment;
mod config;

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

/// The protective order registry's statewide hub: holds every court's ledger, answers statewide lookups, enrols nodes.
#[derive(Parser)]
#[command(
    version,
    after_help = "Examples:\n  ccpor-hub run\n  ccpor-hub --config /etc/ccpor/hub.toml --set api.listen=0.0.0.0:8444 run\n  ccpor-hub config show"
)]
struct Arguments {
    /// Configuration file (default: /etc/ccpor/hub.toml when it exists; drop-ins in hub.d/*.toml).
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
    #[command(after_help = "Examples:\n  ccpor-hub run\n  ccpor-hub --set log.level=debug run")]
    Run,
    /// Make the index anew from the ledgers (the daemon must be stopped).
    #[command(
        after_help = "Examples:\n  ccpor-hub rebuild\n  ccpor-hub --config /etc/ccpor/hub.toml rebuild"
    )]
    Rebuild,
    /// Make the first account, an administrator's; prints its set-up code.
    #[command(
        after_help = "Examples:\n  ccpor-hub init\n  ccpor-hub init --admin mgarcia --full-name 'Maria Garcia'"
    )]
    Init(users::Init),
    /// The accounts of the people who log on at this machine.
    #[command(subcommand)]
    Users(users::Users),
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
    match arguments.command {
        Command::Run => match runtime.block_on(daemon::run(loaded.settings)) {
            Ok(()) => Exit::Done.into(),
            Err(error) => say(&error, error.exit()),
        },
        Command::Rebuild => match runtime.block_on(daemon::rebuild(&loaded.settings)) {
            Ok(records) => {
                println!("the index was made anew from {records} records");
                Exit::Done.into()
            }
            Err(error) => say(&error, error.exit()),
        },
        Command::Init(init) => office(&loaded.settings).init(init).into(),
        Command::Users(users) => office(&loaded.settings).run(users).into(),
        Command::Config { .. } => Exit::Done.into(),
    }
}

/// Where the hub keeps its accounts: of any court's people, and of the State's.
fn office(settings: &Settings) -> Office<'_> {
    Office {
        data: &settings.data.directory,
        court: None,
        program: "ccpor-hub",
    }
}

fn say(error: &dyn std::fmt::Display, exit: Exit) -> ExitCode {
    eprintln!("ccpor-hub: {error}");
    exit.into()
}
