//! The node's settings: what an operator may choose, with the value that stands when nothing is chosen.

use std::path::PathBuf;

use ccpor_daemon::audit::AuditSettings;
use ccpor_daemon::logs::LogSettings;
use ccpor_daemon::people::PeopleSettings;
use ccpor_daemon::scrub::ScrubSettings;
use ccpor_daemon::sections::{ApiSettings, CalendarSettings, DataSettings, LookupSettings};
use ccpor_daemon::settings::Layers;
use ccpor_daemon::sharing::Shares;
use ccpor_transport::TransportChoice;
use serde::{Deserialize, Serialize};

use crate::chosen::ReplicaSettings;

/// All settings of a node.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// Ledger, index, images and identity.
    pub data: DataSettings,
    /// The court as it is printed on answers.
    pub court: CourtSettings,
    /// The programming interfaces.
    pub api: ApiSettings,
    /// The keys of confidential information.
    #[serde(default)]
    pub confidential: ConfidentialSettings,
    /// Replication with the hub.
    pub hub: HubSettings,
    /// Where the hubs are, when there are several; `hub.address` and `hub.enrolment_address` stay empty then.
    #[serde(default)]
    pub hubs: Vec<HubPlace>,
    /// What this court shares with the machines of others.
    pub sharing: Shares,
    /// Which other courts' orders this node holds.
    #[serde(default)]
    pub replica: ReplicaSettings,
    /// What lookups say about their freshness.
    pub lookup: LookupSettings,
    /// Days on which courts are closed beside the State's holidays.
    #[serde(default)]
    pub court_calendar: CalendarSettings,
    /// Scans that come before their orders.
    #[serde(default)]
    pub scans: ScansSettings,
    /// Reading everything again, to find damage.
    pub scrub: ScrubSettings,
    /// People who log on at this machine.
    pub people: PeopleSettings,
    /// The record of who looked.
    pub audit: AuditSettings,
    /// Logs.
    pub log: LogSettings,
}

/// The court that this node serves. Its identity comes from the certificate; this fills what an order does not bring.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CourtSettings {
    /// Full name; empty: made from the identity.
    pub name: String,
    /// The court's originating agency identifier.
    pub ori: String,
    /// Telephone that is answered 24 hours a day.
    pub phone: String,
    /// Street address.
    pub address: String,
}

/// The keys of confidential information.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConfidentialSettings {
    /// A directory on another disk for the recovery copies of the keys; without it nothing confidential is taken.
    pub recovery_directory: PathBuf,
}

/// Scans that come before their orders.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ScansSettings {
    /// A folder into which scanners put PDF, TIFF, PNG and JPEG files; empty: none is watched. Files are removed from it when they
    /// are durable here, so it must be writable for the node.
    pub folder: PathBuf,
    /// Seconds between two looks into it. A file is taken when it has not changed between two looks.
    pub every_seconds: u64,
    /// Seconds that a file which is no readable scan stays in the folder unchanged before it is set aside.
    pub patience_seconds: u64,
}

impl Default for ScansSettings {
    fn default() -> Self {
        Self {
            folder: PathBuf::new(),
            every_seconds: 5,
            patience_seconds: 60,
        }
    }
}

/// The link to the hub.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HubSettings {
    /// `host:port` of the hub; empty: as the invitation said.
    pub address: String,
    /// `host:port` at which the hub enrols and renews (TCP); empty: as the invitation said.
    pub enrolment_address: String,
    /// What carries the link: `quic` (UDP), `tcp`, or `auto`: TCP as long as UDP does not pass.
    pub transport: TransportChoice,
    /// False keeps the node from connecting at all, for a court that is being set up.
    pub connect: bool,
    /// Milliseconds between two heartbeats; the freshness of answers elsewhere cannot be better than this.
    pub heartbeat_ms: u64,
}

/// Where one of several hubs is.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HubPlace {
    /// `host:port` at which it takes nodes.
    pub address: String,
    /// `host:port` at which it enrols and renews (TCP); empty: it does neither.
    #[serde(default)]
    pub enrolment_address: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            data: DataSettings {
                directory: "/var/lib/ccpor-node".into(),
                identity: PathBuf::new(),
                index_cache_mb: 64,
            },
            court: CourtSettings::default(),
            confidential: ConfidentialSettings::default(),
            api: ApiSettings {
                listen: "127.0.0.1:8443".into(),
                public: String::new(),
            },
            hub: HubSettings {
                address: String::new(),
                enrolment_address: String::new(),
                transport: TransportChoice::Auto,
                connect: true,
                heartbeat_ms: 2_000,
            },
            hubs: Vec::new(),
            sharing: Shares::default(),
            replica: ReplicaSettings::default(),
            lookup: LookupSettings::default(),
            court_calendar: CalendarSettings::default(),
            scans: ScansSettings::default(),
            scrub: ScrubSettings::default(),
            people: PeopleSettings::default(),
            audit: AuditSettings::default(),
            log: LogSettings::default(),
        }
    }
}

/// The layers of a node's settings.
pub(crate) fn layers(file: Option<PathBuf>, flags: Vec<(String, String)>) -> Layers {
    Layers {
        environment: "CCPOR_NODE",
        file,
        usual_file: "/etc/ccpor/node.toml".into(),
        flags,
    }
}
