//! `ccpor audit`: the audit trails of a machine for the auditors: keys, check, search, export and the weekly review. It reads the
//! files beside the running daemon; whatever it shows of them is recorded first.

mod weekly;
mod search;
mod verify;
mod export;
mod filter;
mod found;
mod unlocked;
mod unsound;
mod place;
mod keys;
mod passphrase;

use ccpor_daemon::exit::Exit;
use clap::Subcommand;

use crate::failure::Failure;
use crate::screen::Screen;

/// What to do with audit trails.
#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    Search(search::Arguments),
    Verify(verify::Arguments),
    Export(export::Arguments),
    Weekly(weekly::Arguments),
    /// The auditors' key pair.
    #[command(subcommand)]
    Keys(keys::Command),
}

pub(crate) fn run(command: Command, screen: &Screen) -> Result<Exit, Failure> {
    match command {
        Command::Search(arguments) => search::run(&arguments, screen),
        Command::Verify(arguments) => verify::run(&arguments, screen),
        Command::Export(arguments) => export::run(&arguments, screen),
        Command::Weekly(arguments) => weekly::run(&arguments, screen),
        Command::Keys(command) => keys::run(command, screen),
    }
}
