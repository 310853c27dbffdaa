//! The stage: the directory, the authority, the hub and the courts of a demonstration.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ccpor_certs::{Identity, IdentityDir};
use ccpor_deploy::fleet::Fleet;
use ccpor_deploy::population::Population;
use ccpor_domain::CourtRef;
use indicatif::{ProgressBar, ProgressStyle};

use super::reached::failed;
use crate::failure::Failure;
use crate::screen::Screen;

/// The courts that come first; the others follow in the order of the table.
const FIRST: [&str; 4] = [
    "court/alameda",
    "court/los-angeles",
    "court/tuolumne",
    "tribal/yurok",
];

/// Where a demonstration keeps its files.
pub(super) enum Place {
    Kept(PathBuf),
    Passing(tempfile::TempDir),
}

/// A new directory, or the one that is to be kept.
pub(super) fn place(keep: Option<&Path>) -> Result<Place, Failure> {
    let Some(keep) = keep else {
        return tempfile::Builder::new()
            .prefix("ccpor-demo-")
            .tempdir()
            .map(Place::Passing)
            .map_err(failed);
    };
    std::fs::create_dir_all(keep).map_err(failed)?;
    let mut entries = std::fs::read_dir(keep).map_err(failed)?;
    if entries.next().is_some() {
        return Err(Failure::usage(
            format!("{} is not empty", keep.display()),
            "Name a directory that is empty or does not exist; a demonstration begins anew.",
        ));
    }
    std::path::absolute(keep).map(Place::Kept).map_err(failed)
}

/// The running registry.
pub(super) struct Stage {
    place: Place,
    fleet: Option<Fleet>,
    dispatch: PathBuf,
    draws: bool,
}

impl Stage {
    pub(super) fn new(place: Place, screen: &Screen) -> Self {
        Self {
            place,
            fleet: None,
            dispatch: PathBuf::new(),
            draws: screen.draws_progress(),
        }
    }

    pub(super) fn directory(&self) -> &Path {
        match &self.place {
            Place::Kept(directory) => directory,
            Place::Passing(directory) => directory.path(),
        }
    }

    /// Makes the authority, starts the hub, invites and starts the courts.
    pub(super) async fn raise(&mut self, nodes: usize, screen: &Screen) -> Result<(), Failure> {
        screen.remark(&format!("A registry in {}", self.directory().display()));
        let bar = self.bar("starting", nodes as u64 + 1);
        let directory = self.directory().to_owned();
        let fleet = self.fleet.insert(Fleet::start(&directory).await.map_err(failed)?);
        bar.inc(1);
        for court in courts(nodes) {
            let identity: Identity = format!("{court}/node/1").parse().map_err(failed)?;
            fleet
                .join(identity, &court.display_name())
                .await
                .map_err(failed)?;
            bar.inc(1);
        }
        let dispatch: Identity = "lea/demo-dispatch".parse().map_err(failed)?;
        self.dispatch = directory.join("dispatch");
        let authority = fleet.authority();
        authority
            .issue(&dispatch, &[], &["CA0010000".into()], &self.dispatch)
            .map_err(failed)?;
        bar.finish_and_clear();
        screen.remark(&format!(
            "One hub and {nodes} courts are running; every court enrolled with an invitation."
        ));
        Ok(())
    }

    pub(super) fn fleet(&self) -> Result<&Fleet, Failure> {
        self.fleet
            .as_ref()
            .ok_or_else(|| failed("the registry is not running"))
    }

    pub(super) fn fleet_mut(&mut self) -> Result<&mut Fleet, Failure> {
        self.fleet
            .as_mut()
            .ok_or_else(|| failed("the registry is not running"))
    }

    /// The identity that the demonstration itself uses at a machine: of the court whose node it is, at the hub of the first court.
    pub(super) fn desk(&self, address: SocketAddr) -> Result<IdentityDir, Failure> {
        let members = self.fleet()?.members();
        let own = members.iter().find(|member| member.api() == address);
        let court = own
            .or(members.first())
            .ok_or_else(|| failed("there is no court"))?;
        IdentityDir::open(&court.data().join("identity")).map_err(failed)
    }

    /// The identity directory of a dispatch centre, for the commands that are printed at the end.
    pub(super) fn dispatch(&self) -> &Path {
        &self.dispatch
    }

    /// A progress bar, seen only on a terminal.
    pub(super) fn bar(&self, what: &'static str, length: u64) -> ProgressBar {
        if !self.draws {
            return ProgressBar::hidden();
        }
        let bar = ProgressBar::new(length).with_message(what);
        let style = ProgressStyle::with_template("{msg:12} [{bar:40}] {human_pos}/{human_len}  {elapsed}");
        if let Ok(style) = style {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        bar
    }

    /// Stops every process; removes the files unless they are to be kept.
    pub(super) async fn clear(mut self, screen: &Screen) {
        if let Some(fleet) = &mut self.fleet {
            fleet.stop().await;
        }
        match self.place {
            Place::Kept(directory) => {
                screen.remark(&format!("Everything is kept in {}", directory.display()))
            }
            Place::Passing(directory) => {
                if let Err(error) = directory.close() {
                    screen.insist(&format!(
                        "the files of the demonstration could not be removed: {error}"
                    ));
                }
            }
        }
    }
}

/// The courts of a demonstration: three counties and a tribal court, then the rest of the counties, then other tribes.
fn courts(count: usize) -> Vec<CourtRef> {
    let mut courts: Vec<CourtRef> = if count < FIRST.len() {
        ["court/alameda", "tribal/yurok", "court/tuolumne"]
            .iter()
            .filter_map(|path| path.parse().ok())
            .collect()
    } else {
        FIRST.iter().filter_map(|path| path.parse().ok()).collect()
    };
    for court in Population::courts() {
        if !courts.contains(&court) {
            courts.push(court);
        }
    }
    courts.truncate(count);
    courts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_demonstration_has_a_tribal_court_and_no_court_twice() {
        for count in 2..=64 {
            let courts = courts(count);
            assert_eq!(courts.len(), count);
            assert!(courts.iter().any(CourtRef::tribal), "{count}");
            let mut sorted = courts.clone();
            sorted.sort();
            sorted.dedup();
            assert_eq!(sorted.len(), count);
        }
    }
}
