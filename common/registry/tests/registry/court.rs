//! A court with a real ledger in a temporary directory, and orders to file at it.

use std::path::Path;
use std::sync::Arc;

use ccpor_domain::{Actor, Date, Expiry, Name, Order, OrderId, Person, Protected, Term, TermKind};
use ccpor_ledger::{OriginId, PinnedKeys, SigningKey};
use ccpor_matching::Query;
use ccpor_registry::{
    Done, IntakeRefused, Opening, OwnLedger, Question, Registry, RegistryConfig, Request, Source,
};

pub(crate) fn origin(court: &str) -> OriginId {
    OriginId::new(&format!("court/{court}/node/1")).unwrap()
}

pub(crate) fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(&[seed; 32]).unwrap()
}

/// Trusts Alameda with key 1, Kern with key 2.
pub(crate) fn trust() -> Arc<PinnedKeys> {
    let alameda = key(1).public();
    let kern = key(2).public();
    Arc::new(
        PinnedKeys::new()
            .with(&origin("alameda"), alameda.as_bytes())
            .with(&origin("kern"), kern.as_bytes()),
    )
}

pub(crate) fn open_court(directory: &Path, court: &str, seed: u8) -> (Arc<Registry>, Opening) {
    Registry::open(RegistryConfig {
        directory: directory.to_owned(),
        identity: origin(court).to_string(),
        source: Source::Node,
        own: Some(OwnLedger {
            origin: origin(court),
            key: key(seed),
            chain: Vec::new(),
            handing_over: None,
        }),
        receipts: None,
        trust: trust(),
        stale_after_ms: 60_000,
        index_cache_bytes: 16 << 20,
        calendars: ccpor_domain::Calendars::default(),
        takes: ccpor_sync::Choice::All,
    })
    .unwrap()
}

pub(crate) fn open_hub(directory: &Path) -> Arc<Registry> {
    let config = RegistryConfig {
        directory: directory.to_owned(),
        identity: "hub/1".into(),
        source: Source::Hub,
        own: None,
        receipts: Some(key(9)),
        trust: trust(),
        stale_after_ms: 60_000,
        index_cache_bytes: 16 << 20,
        calendars: ccpor_domain::Calendars::default(),
        takes: ccpor_sync::Choice::All,
    };
    Registry::open(config).unwrap().0
}

pub(crate) fn request(key: &str) -> Request {
    let by = Actor {
        identity: "system/alameda-cms".into(),
        ..Actor::default()
    };
    Request {
        key: key.to_owned(),
        by,
        reason: String::new(),
    }
}

/// An order against LAST, FIRST with a stay-away term.
pub(crate) fn order(last: &str, first: &str, case: &str) -> Order {
    Order {
        form: "DV-130".into(),
        case_number: case.into(),
        issued: Some(Date::new(2026, 3, 1).unwrap()),
        expires: Expiry::OnDate {
            date: Date::new(2029, 3, 1).unwrap(),
            time: None,
        },
        restrained: Person {
            name: Name::new(first, last),
            dob: Some(Date::new(1985, 3, 12).unwrap()),
            ..Person::default()
        },
        protected: vec![Protected {
            person: Person {
                name: Name::new("ALMA", "PROTEGIDA"),
                ..Person::default()
            },
            ..Protected::default()
        }],
        terms: vec![Term {
            kind: TermKind::StayAway,
            distance_yards: Some(100),
            ..Term::default()
        }],
        ..Order::default()
    }
}

pub(crate) fn file(registry: &Registry, key: &str, order: Order) -> Result<Done, IntakeRefused> {
    registry.file(request(key), None, order)
}

/// The orders that a lookup by name finds, the best first.
pub(crate) fn found(registry: &Registry, last: &str, first: &str) -> Vec<OrderId> {
    let query = Query {
        last: last.into(),
        first: first.into(),
        limit: 50,
        ..Query::default()
    };
    let answer = registry.lookup(&Question {
        query,
        ..Question::default()
    });
    answer.value().found.iter().map(|found| found.order).collect()
}
