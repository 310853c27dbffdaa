//! Sections of the settings that node and hub share.

use std::path::PathBuf;

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
