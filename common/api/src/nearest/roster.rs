//! The machines of a registry as a program keeps them between its runs: the topology that a hub signed, checked against the
//! registry's root each time it is read, and how long it took to reach each machine. It chooses; it asks no question.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use ccpor_certs::topology::TopologyRefused;
use ccpor_certs::{Machine, Moment, Roots, SignedTopology, Topology};
use futures_util::StreamExt;
use serde::{Deserialize, Serialize};

use crate::client::{CallFailed, Client};
use crate::target::Target;

/// Machines that are measured at one time.
const AT_A_TIME: usize = 32;
/// A machine that takes longer is not near.
const FAR: Duration = Duration::from_secs(3);

/// Why there is no newer roster.
#[derive(Debug, thiserror::Error)]
pub enum RosterFailed {
    /// The machine gave no topology.
    #[error(transparent)]
    Call(#[from] CallFailed),
    /// What it gave is not believed.
    #[error("{endpoint} gave a list of machines that is not believed: {reason}")]
    Refused {
        /// Who gave it.
        endpoint: String,
        /// Why not.
        reason: TopologyRefused,
    },
    /// What it gave is older than what is kept.
    #[error("{endpoint} gave an older list of machines than the one that is kept, which stays in use")]
    Older {
        /// Who gave it.
        endpoint: String,
    },
}

/// The machines of one registry.
#[derive(Clone, Debug, PartialEq)]
pub struct Roster {
    kept: Kept,
    topology: Topology,
}

/// As it lies in a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Kept {
    signed: SignedTopology,
    /// When it was fetched, by this machine's clock.
    fetched: Moment,
    /// Microseconds until a line was open, by address; a machine that was not reached is missing.
    reached_in: BTreeMap<String, u64>,
}

impl Roster {
    /// Asks a machine for its topology and takes it when it is genuine and not older than `kept`.
    ///
    /// # Errors
    /// [`RosterFailed`].
    pub async fn fetch(
        client: &Client,
        roots: &Roots,
        kept: Option<&Self>,
        now: Moment,
    ) -> Result<Self, RosterFailed> {
        let endpoint = || client.endpoint().to_owned();
        let answer = client.get_topology().await?;
        let signed = SignedTopology {
            document: answer.document,
            signature: answer.signature,
            key: answer.key,
            chain: answer.chain,
        };
        let topology = signed.verify(roots).map_err(|reason| RosterFailed::Refused {
            endpoint: endpoint(),
            reason,
        })?;
        if kept
            .is_some_and(|kept| kept.topology.hub == topology.hub && kept.topology.serial > topology.serial)
        {
            return Err(RosterFailed::Older { endpoint: endpoint() });
        }
        let reached_in = kept.map(|kept| kept.kept.reached_in.clone()).unwrap_or_default();
        Ok(Self {
            kept: Kept {
                signed,
                fetched: now,
                reached_in,
            },
            topology,
        })
    }

    /// Reads what [`Roster::save`] wrote; none when there is no file, or one that is not of this registry.
    #[must_use]
    pub fn load(file: &Path, roots: &Roots) -> Option<Self> {
        let kept: Kept = serde_json::from_slice(&std::fs::read(file).ok()?).ok()?;
        let topology = kept.signed.verify(roots).ok()?;
        Some(Self { kept, topology })
    }

    /// Writes it to `file`, whole or not at all, for this user alone.
    ///
    /// # Errors
    /// The system's.
    pub fn save(&self, file: &Path) -> io::Result<()> {
        let directory = file.parent().filter(|parent| !parent.as_os_str().is_empty());
        let mut staged = tempfile::NamedTempFile::new_in(directory.unwrap_or(Path::new(".")))?;
        serde_json::to_writer_pretty(&mut staged, &self.kept)?;
        staged.flush()?;
        staged.persist(file).map_err(|error| error.error)?;
        Ok(())
    }

    /// What the hub signed.
    #[must_use]
    pub fn topology(&self) -> &Topology {
        &self.topology
    }

    /// When it was fetched.
    #[must_use]
    pub fn fetched(&self) -> Moment {
        self.kept.fetched
    }

    /// How long it took to open a line to `machine`, when it was reached.
    #[must_use]
    pub fn reached_in(&self, machine: &Machine) -> Option<Duration> {
        let micros = self.kept.reached_in.get(&machine.address)?;
        Some(Duration::from_micros(*micros))
    }

    /// Opens a line to every machine, some at a time, and notes how long each took. `target_of` says as whom.
    pub async fn measure(&mut self, target_of: impl Fn(&Machine) -> Option<Target>) {
        let targets = self
            .topology
            .machines
            .iter()
            .filter_map(target_of)
            .map(|target| Target {
                connect: FAR,
                ..target
            });
        let reached = futures_util::stream::iter(targets)
            .map(|target| async move {
                let (address, start) = (target.endpoint.clone(), Instant::now());
                Client::connect(target).await.ok()?;
                let micros = u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX);
                Some((address, micros))
            })
            .buffer_unordered(AT_A_TIME);
        self.kept.reached_in = reached.filter_map(std::future::ready).collect().await;
    }

    /// The `count` machines to ask: the quickest to reach, with a hub among them when there is one, since it is the freshest.
    #[must_use]
    pub fn nearest(&self, count: usize) -> Vec<&Machine> {
        let mut machines: Vec<&Machine> = self.topology.machines.iter().collect();
        machines.sort_by_key(|machine| self.reached_in(machine).unwrap_or(Duration::MAX));
        let hub = machines.iter().position(|machine| machine.identity.is_hub());
        if let Some(hub) = hub.filter(|hub| *hub >= count && count > 0) {
            machines.swap(hub, count - 1);
        }
        machines.truncate(count);
        machines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roster(reached: &[(&str, Option<u64>)]) -> Roster {
        let machines = reached.iter().enumerate().map(|(number, (identity, _))| Machine {
            identity: identity.parse().unwrap(),
            address: format!("m{number}:1"),
        });
        let topology = Topology {
            hub: "hub/1".parse().unwrap(),
            serial: 1,
            made: Moment(0),
            machines: machines.collect(),
        };
        let times = topology.machines.iter().zip(reached);
        let times = times.filter_map(|(machine, (_, micros))| Some((machine.address.clone(), (*micros)?)));
        Roster {
            kept: Kept {
                signed: SignedTopology {
                    document: String::new(),
                    signature: String::new(),
                    key: String::new(),
                    chain: Vec::new(),
                },
                fetched: Moment(0),
                reached_in: times.collect(),
            },
            topology,
        }
    }

    fn chosen(reached: &[(&str, Option<u64>)], count: usize) -> Vec<String> {
        let roster = roster(reached);
        let nearest = roster.nearest(count).into_iter();
        nearest.map(|machine| machine.identity.path()).collect()
    }

    #[test]
    fn the_quickest_are_asked_and_a_hub_is_always_among_them() {
        let far_hub = [
            ("court/a/node/1", Some(30)),
            ("court/b/node/1", Some(10)),
            ("court/c/node/1", None),
            ("court/d/node/1", Some(20)),
            ("hub/1", Some(90)),
        ];
        assert_eq!(chosen(&far_hub, 3), ["court/b/node/1", "court/d/node/1", "hub/1"]);
        assert_eq!(chosen(&far_hub, 1), ["hub/1"]);
        let near_hub = [("court/a/node/1", Some(30)), ("hub/1", Some(10))];
        assert_eq!(chosen(&near_hub, 1), ["hub/1"]);
        assert_eq!(chosen(&near_hub, 9), ["hub/1", "court/a/node/1"]);
        assert!(chosen(&[], 3).is_empty() && chosen(&near_hub, 0).is_empty());
    }
}
