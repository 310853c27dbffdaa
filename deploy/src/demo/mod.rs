//! `ccpor demo`: a whole registry on this machine, made of the real programs: an authority, a hub and courts that enrol by
//! invitation, import invented orders, and answer. This file is the road; each stop is a file of its own.

// A module uses only modules declared below it.
mod outage;
mod closing;
mod converging;
mod images;
mod loading;
mod reached;
mod stage;

use std::path::PathBuf;
use std::time::Instant;

use ccpor_daemon::exit::Exit;
use clap::Args;

use crate::failure::Failure;
use crate::screen::Screen;

/// Run a whole registry on this machine, filled with invented orders: a hub, courts and a tribal court, on loopback.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  ccpor demo\n  ccpor demo --orders 100000 --nodes 8 --keep /tmp/registry\n  ccpor demo --outage"
)]
pub(crate) struct Arguments {
    /// Orders to import, spread over the courts by the number of their people.
    #[arg(long, default_value_t = 10_000, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=5_000_000))]
    orders: u64,
    /// Courts' nodes to start, one of them a tribal court's.
    #[arg(long, default_value_t = 4, value_name = "N", value_parser = clap::value_parser!(u64).range(2..=64))]
    nodes: u64,
    /// Keep everything in this directory, which must be empty or missing; otherwise it is removed at the end.
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// Stop the hub, file and look up without it, start it again, show that all converge; then end.
    #[arg(long)]
    outage: bool,
}

/// Plays the demonstration. Whatever ends it, every process that it started is stopped.
pub(crate) async fn run(arguments: Arguments, screen: &Screen) -> Result<Exit, Failure> {
    let place = stage::place(arguments.keep.as_deref())?;
    let mut stage = stage::Stage::new(place, screen);
    let played = tokio::select! {
        played = play(&arguments, &mut stage, screen) => played,
        _ = tokio::signal::ctrl_c() => {
            screen.remark("\nInterrupted.");
            Ok(Exit::Failed)
        }
    };
    stage.clear(screen).await;
    played
}

async fn play(arguments: &Arguments, stage: &mut stage::Stage, screen: &Screen) -> Result<Exit, Failure> {
    let started = Instant::now();
    stage
        .raise(usize::try_from(arguments.nodes).unwrap_or(usize::MAX), screen)
        .await?;
    let example = loading::load(stage, arguments.orders, screen).await?;
    images::attach(stage, screen).await?;
    converging::wait(stage, screen).await?;
    closing::table(stage, screen).await?;
    screen.remark(&format!("Ready in {:.1} s.", started.elapsed().as_secs_f64()));
    if arguments.outage {
        outage::play(stage, screen).await?;
        screen.text("converged\n")?;
        return Ok(Exit::Done);
    }
    closing::commands(stage, &example, screen)?;
    // The select above ends this wait.
    let () = std::future::pending().await;
    Ok(Exit::Done)
}
