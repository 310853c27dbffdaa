//! Writing a trail and finding again what is in it.

use std::fs;
use std::sync::Arc;

use ccpor_audit::{Asked, Entry, Operation, Reading, Search, Trail, readings};
use ccpor_domain::OrderId;
use ccpor_ledger::{VerifyOptions, verify_directory};

use crate::scene::{Scene, look_up, moment, origin, record};

const NOON: &str = "2026-11-25T20:00:00.123Z";

#[test]
fn whoever_looked_for_a_person_is_found_by_the_auditors_and_by_nobody_else() {
    let scene = Scene::new();
    let trail = scene.open(NOON);
    record(&trail, &look_up(&trail, NOON, "O'Neil", "José")).unwrap();
    record(&trail, &look_up(&trail, "2026-11-26T01:00:00Z", "Roe", "Richard")).unwrap();
    trail.close();
    let archive = scene.archive();
    let person = |first: &str, last: &str, dob: &str| Search {
        person: Some((first.into(), last.into(), dob.into())),
        ..Search::default()
    };
    for (search, found) in [
        (person("JOSE", "ONEIL", ""), 1),
        (person("Jose", "O'Neil", "1985-03-12"), 1),
        (person("Jose", "O'Neil", "1985-03-13"), 0),
        (person("Richard", "Roe", ""), 1),
        (person("Alma", "Protegida", ""), 2),
        (
            Search {
                number: Some(("driver_license".into(), "d1234567".into())),
                ..Search::default()
            },
            2,
        ),
        (
            Search {
                order: Some(OrderId([7; 16])),
                since: Some(moment("2026-11-26T00:00:00Z")),
                ..Search::default()
            },
            1,
        ),
        (
            Search {
                user: Some("LEA/alameda-so".into()),
                until: Some(moment("2026-11-26T00:00:00Z")),
                ..Search::default()
            },
            1,
        ),
    ] {
        assert_eq!(archive.search(&search).unwrap().len(), found, "{search:?}");
    }
    let found = archive.search(&person("Alma", "Protegida", "")).unwrap();
    assert!(found.iter().all(|found| found.only_shown));
    let told = found[0].told.as_ref().unwrap();
    assert_eq!(
        (told.purpose.as_str(), told.asked[0].last.as_str()),
        ("traffic stop of Zyxwvut", "O'Neil")
    );
    // Without the auditors' key the times and the agencies are there, and nobody's name.
    let locked = ccpor_audit::Archive::open(scene.path()).unwrap();
    assert!(locked.search(&person("Richard", "Roe", "")).unwrap().is_empty());
    let all = locked.search(&Search::default()).unwrap();
    assert_eq!(all.len(), 2);
    assert!(
        all.iter()
            .all(|found| found.told.is_none() && found.act.states_case)
    );
}

#[test]
fn no_file_of_a_trail_holds_a_name_a_number_or_a_purpose_in_the_clear() {
    let scene = Scene::new();
    let trail = scene.open(NOON);
    for number in 0..20 {
        record(
            &trail,
            &look_up(&trail, NOON, "Qwertyname", &format!("First{number}")),
        )
        .unwrap();
    }
    trail.close();
    let mut files = 0;
    let mut open = vec![scene.path().to_path_buf()];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            continue;
        }
        files += 1;
        let bytes = fs::read(&path).unwrap().to_ascii_lowercase();
        for secret in [
            "qwertyname",
            "first1",
            "d1234567",
            "26-00417",
            "zyxwvut",
            "protegida",
            "1985-03-12",
        ] {
            let found = bytes.windows(secret.len()).any(|part| part == secret.as_bytes());
            assert!(!found, "{secret} stands in {}", path.display());
        }
    }
    assert!(files >= 4, "segments, mark, lock and key");
}

#[test]
fn the_key_of_a_day_goes_when_its_time_is_over_and_what_was_told_with_it() {
    let scene = Scene::new();
    let trail = scene.open("2023-11-20T20:00:00Z");
    record(
        &trail,
        &look_up(&trail, "2023-11-20T20:00:00Z", "Old", "Question"),
    )
    .unwrap();
    record(&trail, &look_up(&trail, NOON, "New", "Question")).unwrap();
    let destroyed = |now| trail.destroy_old_keys(moment(now)).unwrap();
    assert!(
        destroyed("2024-11-19T00:00:00Z").is_empty(),
        "a year is the least"
    );
    assert_eq!(destroyed(NOON), ["2023-11-20"]);
    assert!(destroyed(NOON).is_empty());
    trail.close();
    let archive = scene.archive();
    let told: Vec<bool> = archive
        .search(&Search::default())
        .unwrap()
        .iter()
        .map(|found| found.told.is_some())
        .collect();
    assert_eq!(told, [false, true]);
    assert_eq!(archive.check_keys().unwrap(), 2);
    let options = VerifyOptions {
        trust: Arc::clone(&scene.trust),
        hub_keys: Default::default(),
    };
    let report = verify_directory(scene.path().join("ledger"), &options).unwrap();
    assert_eq!(
        report.origins[0].records, 6,
        "start, two keys, two questions, one key destroyed"
    );
}

#[test]
fn each_start_and_each_day_has_a_key_of_its_own() {
    let scene = Scene::new();
    for at in [NOON, NOON, "2026-11-26T20:00:00Z"] {
        let trail = scene.open(at);
        record(&trail, &look_up(&trail, at, "Roe", "Richard")).unwrap();
        record(&trail, &look_up(&trail, at, "Roe", "Richard")).unwrap();
        trail.close();
    }
    let mut keys = 0;
    scene
        .archive()
        .each(|_, entry| keys += usize::from(matches!(entry, Entry::KeyBegan(_))))
        .unwrap();
    assert_eq!(keys, 3);
    assert_eq!(scene.archive().search(&Search::default()).unwrap().len(), 6);
}

#[test]
fn without_auditors_who_asked_is_recorded_and_not_whom_for() {
    let scene = Scene::new();
    let mut config = scene.config();
    config.auditors = None;
    let trail = Arc::new(Trail::open(config, moment(NOON)).unwrap().0);
    assert!(!trail.seals() && !trail.needs_key(moment(NOON)));
    record(&trail, &look_up(&trail, NOON, "Roe", "Richard")).unwrap();
    trail.close();
    let found = scene.archive().search(&Search::default()).unwrap();
    assert_eq!(found.len(), 1);
    assert!(found[0].act.told.is_none() && found[0].act.asked_tags.is_empty() && found[0].act.states_purpose);
}

#[test]
fn a_damaged_trail_is_set_aside_from_the_damage_on_and_goes_on() {
    let scene = Scene::new();
    let trail = scene.open(NOON);
    for _ in 0..10 {
        record(&trail, &look_up(&trail, NOON, "Roe", "Richard")).unwrap();
    }
    trail.close();
    drop(trail);
    let segment = scene
        .path()
        .join("ledger")
        .join(origin().file_name())
        .join("00000001.segment");
    let mut bytes = fs::read(&segment).unwrap();
    bytes[3_000] ^= 1;
    fs::write(&segment, &bytes).unwrap();
    let (trail, opening) = Trail::open(scene.config(), moment(NOON)).unwrap();
    assert!(opening.damage.is_some() && opening.records < 12);
    let trail = Arc::new(trail);
    record(&trail, &look_up(&trail, NOON, "Roe", "Richard")).unwrap();
    trail.close();
    let mut anew = Vec::new();
    scene
        .archive()
        .each(|_, entry| {
            if let Entry::BeganAnew(began) = entry {
                anew.push(began);
            }
        })
        .unwrap();
    assert_eq!(anew.len(), 1);
    let kept = scene
        .path()
        .join("ledger")
        .join(origin().file_name())
        .join("quarantine")
        .join(&anew[0].kept_in);
    assert!(fs::read_dir(kept).unwrap().count() > 0, "nothing is deleted");
}

#[test]
fn reading_a_trail_is_recorded_under_the_auditors_key_with_the_question_sealed() {
    let scene = Scene::new();
    let trail = scene.open(NOON);
    record(&trail, &look_up(&trail, NOON, "Roe", "Richard")).unwrap();
    // The daemon goes on meanwhile.
    for number in 1..3 {
        let reading = Reading {
            at: moment(NOON),
            user: "auditor".into(),
            auditors: scene.auditors.public().name().into(),
            operation: Operation::AuditSearch,
            reason: "complaint 26-11".into(),
            told: None,
            entries: number,
        };
        let told = Asked {
            last: "Roe".into(),
            ..Asked::default()
        };
        readings(scene.path(), &scene.auditors, reading, &told).unwrap();
    }
    let mut counts = Vec::new();
    scene
        .archive()
        .each(|place, entry| {
            if let Entry::Read(reading) = entry {
                assert_eq!(place.origin.as_str(), "audit/auditors/1");
                assert!(reading.told.is_some());
                counts.push(reading.entries);
            }
        })
        .unwrap();
    assert_eq!(counts, [1, 2]);
    trail.close();
}

#[test]
fn the_reserve_is_held_given_up_and_held_again() {
    let scene = Scene::new();
    let mut config = scene.config();
    config.reserve_bytes = 1 << 20;
    let trail = Trail::open(config, moment(NOON)).unwrap().0;
    let reserve = scene.path().join("reserve");
    for _ in 0..2 {
        trail.hold_reserve();
        assert_eq!(fs::metadata(&reserve).unwrap().len(), 1 << 20);
        assert!(trail.give_up_reserve() && !reserve.exists());
        assert!(!trail.give_up_reserve());
    }
}
