//! The hub's settings: what an operator may choose, with the value that stands when nothing is chosen.

use std::path::PathBuf;

use ccpor_daemon::audit::AuditSettings;
use ccpor_daemon::logs::LogSettings;
use ccpor_daemon::people::PeopleSettings;
use ccpor_daemon::scrub::ScrubSettings;
use ccpor_daemon::sections::{ApiSettings, CalendarSettings, DataSettings, LookupSettings};
use ccpor_daemon::settings::Layers;
use serde::{Deserialize, Serialize};

/// All settings of a hub.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// Ledgers, index, images and identity.
    pub data: DataSettings,
    /// The programming interfaces.
    pub api: ApiSettings,
    /// Replication with the nodes.
    pub nodes: NodesSettings,
    /// Enrolment of new nodes.
    pub enrolment: EnrolmentSettings,
    /// What lookups say about their freshness.
    pub lookup: LookupSettings,
    /// Days on which courts are closed beside the State's holidays.
    #[serde(default)]
    pub court_calendar: CalendarSettings,
    /// Reading everything again, to find damage.
    pub scrub: ScrubSettings,
    /// People who log on at this machine.
    pub people: PeopleSettings,
    /// The record of who looked.
    pub audit: AuditSettings,
    /// Logs.
    pub log: LogSettings,
}

/// The port for nodes.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NodesSettings {
    /// Address and port at which the nodes connect: UDP, and TCP for those whose firewalls block UDP.
    pub listen: String,
}

/// The port for enrolment.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EnrolmentSettings {
    /// Address and TCP port at which invitations are redeemed.
    pub listen: String,
    /// Directory of the issuing authority, made by `ccpor certs init`; empty: this hub enrols nobody.
    pub authority: PathBuf,
    /// Days after the end of its certificate in which a machine renews it by itself; until 90 days with an operator's approval.
    pub renew_days_after_end: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            data: DataSettings {
                directory: "/var/lib/ccpor-hub".into(),
                identity: PathBuf::new(),
                index_cache_mb: 512,
            },
            api: ApiSettings {
                listen: "127.0.0.1:8444".into(),
                public: String::new(),
            },
            nodes: NodesSettings {
                listen: "0.0.0.0:4433".into(),
            },
            enrolment: EnrolmentSettings {
                listen: "0.0.0.0:4434".into(),
                authority: PathBuf::new(),
                renew_days_after_end: 30,
            },
            lookup: LookupSettings::default(),
            court_calendar: CalendarSettings::default(),
            scrub: ScrubSettings::default(),
            people: PeopleSettings::default(),
            audit: AuditSettings::default(),
            log: LogSettings::default(),
        }
    }
}

/// The layers of a hub's settings.
pub(crate) fn layers(file: Option<PathBuf>, flags: Vec<(String, String)>) -> Layers {
    Layers {
        environment: "CCPOR_HUB",
        file,
        usual_file: "/etc/ccpor/hub.toml".into(),
        flags,
    }
}
