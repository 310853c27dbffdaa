//! Sections of the settings that node and hub share.

use std::collections::BTreeMap;
use std::path::PathBuf;

use ccpor_domain::{Calendars, CourtCalendar, Date, TimeOfDay};
use serde::{Deserialize, Serialize};

/// Where the program keeps its files.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataSettings {
    /// The directory of the ledgers, the index and the images; on a local disk, not on NFS.
    pub directory: PathBuf,
    /// The directory of certificates and keys. Empty: `identity` below the data directory.
    pub identity: PathBuf,
    /// Memory that the index may use for its page cache, in megabytes.
    pub index_cache_mb: u64,
}

impl DataSettings {
    /// Where the certificates and keys lie.
    #[must_use]
    pub fn identity_directory(&self) -> PathBuf {
        if self.identity.as_os_str().is_empty() {
            self.directory.join("identity")
        } else {
            self.identity.clone()
        }
    }
}

/// The port for programs: gRPC and REST.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiSettings {
    /// Address and port; port 0 takes a free one.
    pub listen: String,
    /// `host:port` at which programs elsewhere reach this machine; it is told to the hub, which tells everybody. Empty: the
    /// address of `listen`, unless that means nothing elsewhere (loopback, or all addresses); then it is not told.
    pub public: String,
}

/// How lookups judge freshness.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LookupSettings {
    /// A court not heard of for longer than this is listed as not current, in seconds.
    pub stale_after_seconds: u64,
}

impl Default for LookupSettings {
    fn default() -> Self {
        Self {
            stale_after_seconds: 60,
        }
    }
}

/// Days on which courts are closed, by the stable name of the court: `court/alameda`, `tribal/yurok`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CalendarSettings(BTreeMap<String, CourtDays>);

/// What one court adds to the State's holidays.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct CourtDays {
    /// Days on which it is closed.
    closed: Vec<Date>,
    /// When its business closes.
    closes: Option<TimeOfDay>,
}

impl CalendarSettings {
    /// The calendars as the law counts with them.
    #[must_use]
    pub fn calendars(&self) -> Calendars {
        let calendar = |(court, days): (&String, &CourtDays)| {
            (
                court.clone(),
                CourtCalendar::new(days.closed.clone(), days.closes),
            )
        };
        Calendars::new(self.0.iter().map(calendar).collect())
    }
}
