//! A machine's trail in a directory, with keys of its own and auditors.

use std::path::Path;
use std::sync::{Arc, mpsc};

use ccpor_audit::{
    Act, Archive, Asked, AuditorsKey, Draft, NotRecorded, Operation, Outcome, ShownNames, Told, Trail,
    TrailConfig, Who,
};
use ccpor_domain::{OrderId, UtcMillis};
use ccpor_ledger::{KeyTrust, OriginId, PinnedKeys, SigningKey};

/// One machine.
pub(crate) struct Scene {
    pub(crate) directory: tempfile::TempDir,
    pub(crate) auditors: AuditorsKey,
    pub(crate) trust: Arc<dyn KeyTrust>,
}

pub(crate) const IDENTITY: &str = "court/alameda/node/1";

pub(crate) fn origin() -> OriginId {
    OriginId::audit_of(IDENTITY).unwrap()
}

fn key() -> SigningKey {
    SigningKey::from_seed(&[9; 32]).unwrap()
}

impl Scene {
    pub(crate) fn new() -> Self {
        let trust = PinnedKeys::new().with(&origin(), key().public().as_bytes());
        Self {
            directory: tempfile::tempdir().unwrap(),
            auditors: AuditorsKey::generate().unwrap(),
            trust: Arc::new(trust),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn config(&self) -> TrailConfig {
        TrailConfig {
            directory: self.path().to_path_buf(),
            identity: IDENTITY.into(),
            key: Arc::new(key()),
            chain: Vec::new(),
            trust: Arc::clone(&self.trust),
            auditors: Some(self.auditors.public().clone()),
            keep_days: 0,
            reserve_bytes: 0,
        }
    }

    pub(crate) fn open(&self, now: &str) -> Arc<Trail> {
        Arc::new(Trail::open(self.config(), moment(now)).unwrap().0)
    }

    /// The trails, unlocked.
    pub(crate) fn archive(&self) -> Archive {
        let mut archive = Archive::open(self.path()).unwrap();
        assert_eq!(archive.unlock(&self.auditors).unwrap(), 0);
        archive
    }
}

pub(crate) fn moment(text: &str) -> UtcMillis {
    text.parse().unwrap()
}

/// A look-up by an agency, for `LAST, FIRST`.
pub(crate) fn look_up(trail: &Trail, at: &str, last: &str, first: &str) -> Draft {
    Draft {
        act: Act {
            at: moment(at),
            request: trail.next_request(),
            by: Who {
                identity: "lea/alameda-so".into(),
                agency: "lea/alameda-so".into(),
                ori: "CA0010000".into(),
                source: "192.0.2.7:51234".into(),
                ..Who::default()
            },
            operation: Operation::LookUp,
            outcome: Outcome::Done,
            orders: vec![OrderId([7; 16])],
            image: None,
            hits: 1,
            took_us: 900,
            served_by: IDENTITY.into(),
            also_asked: String::new(),
            states_purpose: false,
            states_case: false,
            emergency: false,
            times: 1,
            key: None,
            told: None,
            asked_tags: Vec::new(),
            shown_tags: Vec::new(),
        },
        told: Told {
            purpose: "traffic stop of Zyxwvut".into(),
            case_number: "26-00417".into(),
            asked: vec![Asked {
                first: first.into(),
                last: last.into(),
                dob: "1985-03-12".into(),
                numbers: vec![("driver_license".into(), "D1234567".into())],
                ..Asked::default()
            }],
        },
        shown: ShownNames(vec!["PROTEGIDA, ALMA".into()]),
    }
}

/// Records a draft and waits until it is durable.
pub(crate) fn record(trail: &Arc<Trail>, draft: &Draft) -> Result<(), NotRecorded> {
    if trail.needs_key(draft.act.at) {
        trail.open_key(draft.act.at)?;
    }
    let (done, recorded) = mpsc::channel();
    trail.append(None, trail.entry(&mut draft.clone())?, move |result| {
        done.send(result).unwrap()
    });
    recorded.recv().unwrap()
}
