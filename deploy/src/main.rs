//! `ccpor`: the command line for people: dispatch lookups, orders, images, status, certificates. This file reads the command
//! line, hands it to the verb, and says how it ended; it does none of the work.

// A module uses only modules declared below it.
mod demo;
mod audit;
mod certs;
mod context;
mod courts;
mod scans;
mod scrub;
mod quarantine;
mod image;
mod lookup;
mod batch;
mod order;
mod check;
mod violation;
mod confidential;
mod enforce;
mod person;
mod overdue;
mod work;
mod status;
mod verify;
mod write;
mod key;
mod order_file;
mod near;
mod topology;
mod asking;
mod globals;
mod contexts;
mod paper;
mod described;
mod dispatch;
mod as_of;
mod when;
mod table;
mod screen;
mod failure;

use std::process::ExitCode;

use ccpor_daemon::exit::Exit;
use clap::{Parser, Subcommand};

use crate::failure::Failure;
use crate::globals::Globals;
use crate::screen::Screen;

/// The protective order registry on the command line.
#[derive(Parser, Debug)]
#[command(
    name = "ccpor",
    version,
    after_help = "Examples:\n  ccpor context add alameda --endpoint node.alameda.example:8443 --identity ~/ccpor-id\n  \
                  ccpor lookup DOE,JANE 19850312\n\n\
                  Exit codes: 0 done · 1 failed · 2 command line not understood · 3 not found · 4 denied · 5 conflict ·\n\
                  6 works, with warnings · 7 unreachable · 8 stored data damaged · 9 partly done"
)]
struct Arguments {
    #[command(flatten)]
    globals: Globals,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    Lookup(Box<lookup::Arguments>),
    /// Show, file, amend, serve and end orders.
    #[command(subcommand)]
    Order(order::Command),
    /// Attach and fetch images of signed papers.
    #[command(subcommand)]
    Image(image::Command),
    /// The scans that wait for their order.
    #[command(subcommand)]
    Scans(scans::Command),
    Enforce(enforce::Arguments),
    /// What is known of a person.
    #[command(subcommand)]
    Person(person::Command),
    Overdue(overdue::Arguments),
    Work(work::Arguments),
    Status(status::Arguments),
    #[command(visible_alias = "nodes")]
    Courts(courts::Arguments),
    Verify(verify::Arguments),
    /// Who looked: check, search, export and review the audit trails of a machine.
    #[command(subcommand)]
    Audit(audit::Command),
    Scrub(scrub::Arguments),
    /// What was taken out of use because it failed a check.
    #[command(subcommand)]
    Quarantine(quarantine::Command),
    /// The machines of the registry, and which of them is near.
    #[command(subcommand)]
    Topology(topology::Command),
    /// The private authority: make it, invite, issue, list, show.
    #[command(subcommand)]
    Certs(certs::Command),
    Demo(demo::Arguments),
    /// Names for the machines to ask, and for the certificates to ask with.
    #[command(subcommand)]
    Context(context::Command),
}

fn main() -> ExitCode {
    let Arguments { globals, command } = Arguments::parse();
    let screen = Screen::new(globals.json, globals.quiet, globals.no_color);
    let exit = run(command, &globals, &screen).unwrap_or_else(|failure| {
        screen.failure(&failure);
        failure.exit()
    });
    exit.into()
}

fn run(command: Command, globals: &Globals, screen: &Screen) -> Result<Exit, Failure> {
    match command {
        Command::Verify(arguments) => verify::run(&arguments, screen),
        Command::Audit(command) => audit::run(command, screen),
        Command::Context(command) => context::run(command, globals, screen),
        other => {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .enable_all()
                .build()
                .map_err(|error| {
                    Failure::own(Exit::Failed, format!("no threads: {error}"), "Free some memory.")
                })?;
            let exit = runtime.block_on(asked(other, globals, screen));
            // What still reads or waits must not keep the program from ending.
            runtime.shutdown_background();
            exit
        }
    }
}

/// The verbs that talk to another machine.
async fn asked(command: Command, globals: &Globals, screen: &Screen) -> Result<Exit, Failure> {
    match command {
        Command::Lookup(arguments) => lookup::run(*arguments, globals, screen).await,
        Command::Order(command) => Box::pin(order::run(command, globals, screen)).await,
        Command::Image(command) => Box::pin(image::run(command, globals, screen)).await,
        Command::Scans(command) => Box::pin(scans::run(command, globals, screen)).await,
        Command::Enforce(arguments) => Box::pin(enforce::run(arguments, globals, screen)).await,
        Command::Person(command) => Box::pin(person::run(command, globals, screen)).await,
        Command::Overdue(arguments) => Box::pin(overdue::run(arguments, globals, screen)).await,
        Command::Work(work::Arguments {}) => Box::pin(work::run(globals, screen)).await,
        Command::Status(status::Arguments {}) => Box::pin(status::run(globals, screen)).await,
        Command::Courts(courts::Arguments {}) => courts::run(globals, screen).await,
        Command::Scrub(arguments) => Box::pin(scrub::run(&arguments, globals, screen)).await,
        Command::Quarantine(command) => Box::pin(quarantine::run(command, globals, screen)).await,
        Command::Topology(command) => Box::pin(topology::run(command, globals, screen)).await,
        Command::Certs(command) => Box::pin(certs::run(command, screen)).await,
        Command::Demo(arguments) => Box::pin(demo::run(arguments, screen)).await,
        Command::Verify(arguments) => verify::run(&arguments, screen),
        Command::Audit(command) => audit::run(command, screen),
        Command::Context(command) => context::run(command, globals, screen),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound_and_every_leaf_has_two_examples() {
        let mut root = Arguments::command();
        root.build();
        root.clone().debug_assert();
        let mut open = vec![root];
        while let Some(command) = open.pop() {
            let children: Vec<_> = command
                .get_subcommands()
                .filter(|child| child.get_name() != "help")
                .cloned()
                .collect();
            if children.is_empty() {
                let help = command
                    .get_after_help()
                    .map(ToString::to_string)
                    .unwrap_or_default();
                let examples = help.lines().filter(|line| line.contains("ccpor ")).count();
                assert!(
                    help.starts_with("Examples:") && examples >= 2,
                    "{}",
                    command.get_name()
                );
            }
            open.extend(children);
        }
    }

    #[test]
    fn flags_of_every_command_stand_before_or_behind_the_verb() {
        for line in [
            "ccpor --json --context hub status",
            "ccpor status --context hub --json",
        ] {
            let arguments = Arguments::try_parse_from(line.split(' ')).unwrap();
            assert!(arguments.globals.json && arguments.globals.context.as_deref() == Some("hub"));
        }
    }

    #[test]
    fn agencies_of_a_certificate_are_several_and_the_agency_of_a_call_is_one() {
        let line = "ccpor certs issue --authority a lea/x --out o --ori CA0010000 --ori CA0190000";
        let Command::Certs(command) = Arguments::try_parse_from(line.split(' ')).unwrap().command else {
            panic!()
        };
        assert!(format!("{command:?}").contains("oris: [\"CA0010000\", \"CA0190000\"]"));
        let twice = "ccpor courts --ori CA0010000 --ori CA0190000";
        assert!(Arguments::try_parse_from(twice.split(' ')).is_err());
    }

    #[test]
    fn lines_and_batches_do_not_mix() {
        assert!(Arguments::try_parse_from(["ccpor", "lookup", "DOE", "--batch", "-"]).is_err());
        assert!(Arguments::try_parse_from(["ccpor", "lookup", "--batch", "-", "--limit", "5"]).is_ok());
        assert!(Arguments::try_parse_from(["ccpor", "lookup", "--limit", "500", "DOE"]).is_err());
    }
}
