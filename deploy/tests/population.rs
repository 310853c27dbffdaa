//! The made-up population: the same for the same seed, as varied as the real thing, and fit to be filed.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

use std::collections::{BTreeMap, BTreeSet};

use ccpor_deploy::population::{Filing, Population, scan};
use ccpor_domain::{CourtRef, Date, Expiry, Family, Form, Media, Order, ServiceMode, Sex, check, legal_core};
use serde_json::Value;

const SEED: u64 = 20_261_122;
const MANY: u64 = 12_000;

fn court(path: &str) -> CourtRef {
    path.parse().unwrap()
}

fn sample() -> Vec<Filing> {
    Population::new(SEED).statewide(MANY).collect()
}

/// How many in a thousand.
fn per_mille(all: &[Filing], which: impl Fn(&Filing) -> bool) -> usize {
    all.iter().filter(|filing| which(filing)).count() * 1000 / all.len()
}

#[test]
fn the_same_seed_gives_the_same_orders() {
    let orders = |seed| {
        Population::new(seed)
            .for_court(&court("court/alameda"), 50)
            .collect::<Vec<_>>()
    };
    assert_eq!(orders(1), orders(1));
    assert_ne!(orders(1), orders(2));
    assert_eq!(
        Population::new(1).for_court(&court("court/atlantis"), 50).count(),
        0
    );
    // Pinned: figures measured on different days speak of the same orders.
    let mut rows = Vec::new();
    Population::new(SEED)
        .statewide(200)
        .for_each(|filing| filing.write_row(&mut rows).unwrap());
    assert_eq!(
        blake3::hash(&rows).to_hex().as_str(),
        "2d0a5695915c071a856b14ec3989a89254623ac3fa749dd276d93579cbb3e696"
    );
}

#[test]
fn a_court_has_the_same_orders_alone_and_among_all() {
    let population = Population::new(SEED);
    let fresno = court("court/fresno");
    let among_all: Vec<_> = population
        .statewide(3_000)
        .filter(|filing| filing.court == fresno)
        .collect();
    assert!(among_all.len() > 30);
    assert_eq!(
        among_all,
        population
            .for_court(&fresno, among_all.len() as u64)
            .collect::<Vec<_>>()
    );
}

#[test]
fn every_kind_of_order_from_every_court_comes_up() {
    let all = sample();
    let families: BTreeSet<_> = all.iter().map(|filing| filing.order.resolved_family()).collect();
    let wanted: BTreeSet<_> = Family::ALL
        .iter()
        .copied()
        .filter(|family| *family != Family::NotStated)
        .collect();
    assert_eq!(families, wanted);
    let courts: BTreeSet<_> = all.iter().map(|filing| filing.court.clone()).collect();
    assert!(courts.len() > 55);
    assert_eq!(Population::courts().len(), 71);
    for filing in &all {
        let order = &filing.order;
        if let Some(form) = Form::find(&order.form) {
            assert_eq!(form.family, order.family);
        }
        assert_eq!(order.court.path(), Some(filing.court.clone()));
        assert_eq!(
            order.protected.is_empty(),
            order.family.protects_no_named_person()
        );
    }
}

#[test]
fn every_order_can_be_filed_and_few_give_cause_for_more_than_a_remark() {
    let all = sample();
    let mut warnings: BTreeMap<String, usize> = BTreeMap::new();
    let mut sound = 0;
    for filing in &all {
        legal_core(&filing.order).unwrap();
        let found = check(&filing.order);
        sound += usize::from(found.is_empty());
        for warning in found {
            *warnings.entry(format!("{:?}", warning.code)).or_default() += 1;
        }
    }
    assert!(
        warnings.values().all(|count| *count < all.len() / 2),
        "{warnings:?}"
    );
    assert!(
        (400..=950).contains(&(sound * 1000 / all.len())),
        "{sound} of {}",
        all.len()
    );
}

#[test]
fn frequencies_are_those_of_a_registry() {
    let all = sample();
    let within = |name: &str, range: std::ops::RangeInclusive<usize>, which: &dyn Fn(&Filing) -> bool| {
        let found = per_mille(&all, which);
        assert!(range.contains(&found), "{name}: {found} of a thousand");
    };
    let notice = |filing: &Filing| filing.service.iter().any(|service| service.mode.gives_notice());
    let mode = |wanted| move |filing: &Filing| filing.service.iter().any(|service| service.mode == wanted);
    within("men", 750..=800, &|filing| {
        filing.order.restrained.sex == Sex::Male
    });
    within("aliases", 280..=320, &|filing| {
        !filing.order.restrained.aliases.is_empty()
    });
    within("born on a known day", 910..=950, &|filing| {
        filing.order.restrained.dob.is_some()
    });
    within("two surnames", 120..=260, &|filing| {
        filing.order.restrained.name.last.contains([' ', '-'])
    });
    within("Los Angeles", 230..=270, &|filing| {
        filing.court.slug() == "los-angeles"
    });
    within("domestic", 480..=560, &|filing| {
        filing.order.family == Family::DomesticViolence
    });
    within("criminal", 180..=230, &|filing| {
        filing.order.family.nature() == ccpor_domain::Nature::Criminal
    });
    within("served", 850..=930, &notice);
    within("served in court", 250..=450, &mode(ServiceMode::InCourt));
    within("told by an officer", 30..=120, &mode(ServiceMode::Verbal));
    within("by mail", 10..=90, &mode(ServiceMode::Mail));
    within("attempts", 60..=220, &mode(ServiceMode::FailedAttempt));
    within("no contact", 600..=800, &|filing| filing.order.forbids_contact());
    within("distance", 780..=900, &|filing| {
        filing.order.stay_away_yards().is_some()
    });
    within("permanent", 5..=30, &|filing| {
        filing.order.expires == Expiry::Never
    });
    within("no date on it", 30..=120, &|filing| {
        filing.order.expires == Expiry::NotStated
    });

    let mut surnames: BTreeMap<&str, usize> = BTreeMap::new();
    for filing in &all {
        *surnames.entry(&filing.order.restrained.name.last).or_default() += 1;
    }
    let mut common: Vec<_> = surnames.iter().map(|(name, count)| (*count, *name)).collect();
    common.sort_unstable();
    let common: Vec<_> = common.iter().rev().take(12).map(|(_, name)| *name).collect();
    for name in ["GARCIA", "HERNANDEZ", "MARTINEZ", "LOPEZ", "SMITH"] {
        assert!(common.contains(&name), "{common:?}");
    }
    assert!(surnames.len() > 4_000, "{}", surnames.len());
}

#[test]
fn some_people_have_several_orders_and_some_in_several_courts() {
    let all = sample();
    let mut orders: BTreeMap<_, BTreeSet<CourtRef>> = BTreeMap::new();
    let mut counts: BTreeMap<_, usize> = BTreeMap::new();
    for filing in &all {
        let person = (filing.order.restrained.name.clone(), filing.order.restrained.dob);
        orders
            .entry(person.clone())
            .or_default()
            .insert(filing.court.clone());
        *counts.entry(person).or_default() += 1;
    }
    let several = counts.values().filter(|count| **count > 1).count() * 100 / counts.len();
    assert!((10..=25).contains(&several), "{several} %");
    assert!(orders.values().filter(|courts| courts.len() > 1).count() > 50);
}

#[test]
fn days_are_in_order_whatever_the_day() {
    let today: Date = "2027-02-28".parse().unwrap();
    let mut sources = BTreeSet::new();
    let mut numbers = BTreeSet::new();
    for filing in Population::new(3)
        .on(today)
        .for_court(&court("court/kern"), 4_000)
    {
        let order = &filing.order;
        let issued = order.issued.unwrap();
        assert!(issued <= today);
        if let Expiry::OnDate { date, .. } = order.expires {
            assert!(date > issued);
        }
        assert!(order.restrained.dob.is_none_or(|dob| dob < issued));
        for service in &filing.service {
            assert!((issued..=today).contains(&service.date.unwrap()));
        }
        assert!(sources.insert(filing.source_id));
        assert!(numbers.insert(order.case_number.clone()));
    }
    let moved = |day: &str| {
        let population = Population::new(3).on(day.parse().unwrap());
        population
            .for_court(&court("court/kern"), 1)
            .next()
            .unwrap()
            .order
            .issued
            .unwrap()
    };
    assert_eq!(moved("2026-03-02").plus_days(7), moved("2026-03-09"));
}

#[test]
fn a_row_is_the_order_in_json() {
    for filing in Population::new(SEED).statewide(300) {
        let mut row = Vec::new();
        filing.write_row(&mut row).unwrap();
        assert_eq!(row.iter().filter(|byte| **byte == b'\n').count(), 1);
        assert!(row.len() < 6_000, "{}", row.len());
        let mut json: Value = serde_json::from_slice(&row).unwrap();
        assert_eq!(json["source_id"], filing.source_id.as_str());
        let service: Vec<ccpor_domain::Service> = serde_json::from_value(json["service"].clone()).unwrap();
        assert_eq!(service, filing.service);
        // The end is written as people write it; everything else as the order itself is.
        let end = match filing.order.expires {
            Expiry::OnDate { date, .. } => Value::from(date.to_string()),
            Expiry::Never => Value::from("never"),
            Expiry::NotStated => Value::Null,
        };
        assert_eq!(json["expires"], end);
        json["expires"] = serde_json::to_value(filing.order.expires).unwrap();
        assert_eq!(serde_json::from_value::<Order>(json).unwrap(), filing.order);
    }
}

#[test]
fn every_scan_is_accepted_and_no_two_are_alike() {
    let mut seen = BTreeSet::new();
    let mut accepted = |scan: scan::Scan| {
        let found = ccpor_registry::image::inspect(&scan.bytes).unwrap();
        assert_eq!((found.media, found.pages), (scan.media, scan.pages));
        assert!(scan.bytes.len() < 400_000, "{}: {}", scan.media, scan.bytes.len());
        assert!(seen.insert(blake3::hash(&scan.bytes).to_hex()));
    };
    let mut kinds = BTreeSet::new();
    for filing in Population::new(SEED).statewide(12) {
        let scan = scan::of(&filing).unwrap();
        assert_eq!(scan, scan::of_kind(&filing, scan.media).unwrap());
        kinds.insert(scan.media);
        accepted(scan);
    }
    assert!(kinds.len() > 2, "{kinds:?}");
    for filing in Population::new(SEED + 1).statewide(2) {
        Media::ALL
            .iter()
            .for_each(|media| accepted(scan::of_kind(&filing, *media).unwrap()));
    }
}
