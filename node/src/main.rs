//! `ccpor-node`: the daemon at a courthouse, and its local commands. This file reads the command line and says how it ended.

mod config;

use std::path::PathBuf;
use std::process::ExitCode;

use ccpor_daemon::exit::Exit;
use clap::{Parser, Subcommand};

/// The protective order registry's node at a courthouse: files and finds orders, and replicates them with the hub.
#[derive(Parser)]
#[command(version, after_help = "Examples:\n  ccpor-node enroll ccpor-invite-1.eyJ...\n  ccpor-node run\n  ccpor-node import orders.ndjson\n  ccpor-node config show")]
struct Arguments {
    /// Configuration file (default: /etc/ccpor/node.toml when it exists; drop-ins in node.d/*.toml).
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// One setting, stronger than file and environment; may be repeated.
    #[arg(long, global = true, value_name = "KEY=VALUE", value_parser = setting)]
    set: Vec<(String, String)>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the daemon until it is told to stop.
    Run,
    /// Redeem an invitation: makes the keys here and fetches the certificates.
    Enroll {
        /// The invitation as the operator of the hub gave it.
        invitation: String,
    },
    /// File the orders of an NDJSON or CSV file; may be repeated without harm.
    Import(import::Arguments),
    /// Make the index anew from the ledgers (the daemon must be stopped).
    Rebuild,
    /// Look at the settings.
    Config {
        #[command(subcommand)]
        what: ConfigCommand,
    },
}

#[derive(Subcommand)]
enum ConfigCommand {
    /// Print every setting with its value and where it came from.
    Show {
        /// One JSON array for programs.
        #[arg(long)]
        json: bool,
    },
}

fn setting(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("expected KEY=VALUE, for example api.listen=0.0.0.0:8443".into()),
    }
}
