//! A court with a real ledger, and callers of every role.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use ccpor_access::Role;
use ccpor_api::{Caller, Person};
use ccpor_daemon::sharing::{Shares, Sharing};
use ccpor_domain::{Actor, Calendars};
use ccpor_ledger::{OriginId, PinnedKeys, SigningKey};
use ccpor_registry::{OwnLedger, Registry, RegistryConfig, Request, Source};

pub(crate) const OWN: &str = "court/alameda";
pub(crate) const OTHER: &str = "court/kern";

pub(crate) fn open(directory: &Path) -> Arc<Registry> {
    let origin = OriginId::new("court/alameda/node/1").unwrap();
    let key = SigningKey::from_seed(&[1; 32]).unwrap();
    let trust = PinnedKeys::new().with(&origin, key.public().as_bytes());
    let config = RegistryConfig {
        directory: directory.to_owned(),
        identity: origin.to_string(),
        source: Source::Node,
        own: Some(OwnLedger {
            origin,
            key,
            chain: Vec::new(),
            handing_over: None,
        }),
        receipts: None,
        trust: Arc::new(trust),
        stale_after_ms: 60_000,
        index_cache_bytes: 16 << 20,
        calendars: Calendars::default(),
        takes: ccpor_sync::Choice::All,
    };
    Registry::open(config).unwrap().0
}

/// Nobody keeps anything back.
pub(crate) fn sharing(directory: &Path) -> Arc<Sharing> {
    Arc::new(Sharing::open(directory, None))
}

/// As a machine was told by its hub that a court shares this much.
pub(crate) fn sharing_told(directory: &Path, court: &str, shares: Shares) -> Arc<Sharing> {
    let less = [(court, shares)]
        .into_iter()
        .filter(|(_, shares)| *shares != Shares::default());
    let told = serde_json::to_vec(&less.collect::<BTreeMap<_, _>>()).unwrap();
    let sharing = sharing(directory);
    sharing.take("hub/1", 1, &told).unwrap();
    sharing
}

pub(crate) fn request(key: &str) -> Request {
    Request {
        key: key.to_owned(),
        by: Actor::default(),
        reason: String::new(),
    }
}

/// A person of this role, of this court where the role belongs to one.
pub(crate) fn caller(role: Role, court: &str, purpose: bool) -> Caller {
    let of = if role.is_of_a_court() {
        court.to_owned()
    } else if role.is_of_an_agency() {
        "CA0010000".to_owned()
    } else {
        String::new()
    };
    Caller {
        identity: "court/alameda/node/1".into(),
        purpose: if purpose {
            "an inquiry".into()
        } else {
            String::new()
        },
        case_number: if purpose {
            "26-001234".into()
        } else {
            String::new()
        },
        person: Some(Person {
            account: "somebody".into(),
            role: role.as_str().into(),
            of,
            session: String::new(),
        }),
        ..Caller::default()
    }
}
