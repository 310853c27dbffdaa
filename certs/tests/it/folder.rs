//! Identity directories as they are found after mishaps: each says what is wrong and what to do.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use ccpor_certs::IdentityDir;
use ccpor_certs::folder::IdentityDirError;

use crate::forge::{DAY, Registry, START};

fn refused(dir: &Path) -> IdentityDirError {
    IdentityDir::open(dir).expect_err("the directory opened")
}

#[test]
fn a_missing_or_damaged_file_is_named() {
    let registry = Registry::new();
    let node = registry.issue("court/alameda/node/1");
    for name in [
        "ca.pem",
        "tls.pem",
        "tls.key",
        "record.pem",
        "record.key",
        "identity.json",
    ] {
        let file = node.path().join(name);
        let kept = fs::read(&file).unwrap();

        fs::remove_file(&file).unwrap();
        assert!(matches!(refused(node.path()), IdentityDirError::Missing(found) if found == file));
        fs::write(&file, &kept[..kept.len() / 3]).unwrap();
        let error = refused(node.path());
        assert!(
            matches!(&error, IdentityDirError::Damaged { file: found, .. } if *found == file),
            "{error:?}"
        );
        fs::write(&file, vec![b'x'; 300 * 1024]).unwrap();
        assert!(refused(node.path()).to_string().contains("far too large"));
        fs::remove_file(&file).unwrap();
        fs::create_dir(&file).unwrap();
        assert!(
            matches!(refused(node.path()), IdentityDirError::Unreadable { file: found, .. } if found == file)
        );
        fs::remove_dir(&file).unwrap();

        fs::write(&file, &kept).unwrap();
        IdentityDir::open(node.path()).unwrap();
    }
    let nowhere = registry.path("nowhere");
    assert!(matches!(refused(&nowhere), IdentityDirError::NoDirectory(found) if found == nowhere));
}

#[test]
fn files_of_two_enrolments_do_not_mix() {
    let registry = Registry::new();
    let (one, other) = (
        registry.issue("court/alameda/node/1"),
        registry.issue("court/alameda/node/2"),
    );
    let again = registry.path("again");
    registry
        .authority
        .issue(one.identity(), &[], &[], &again)
        .unwrap();
    let swapped = |from: &Path, name: &str| {
        let (file, kept) = (one.path().join(name), fs::read(one.path().join(name)).unwrap());
        fs::copy(from.join(name), &file).unwrap();
        let error = refused(one.path());
        fs::write(file, kept).unwrap();
        error
    };
    assert!(matches!(
        swapped(&again, "tls.key"),
        IdentityDirError::KeyMismatch { .. }
    ));
    assert!(matches!(
        swapped(&again, "tls.pem"),
        IdentityDirError::KeyMismatch { .. }
    ));
    assert!(matches!(
        swapped(&again, "record.key"),
        IdentityDirError::KeyMismatch { .. }
    ));
    assert!(matches!(
        swapped(other.path(), "tls.pem"),
        IdentityDirError::OtherIdentity { .. }
    ));
    assert!(matches!(
        swapped(other.path(), "identity.json"),
        IdentityDirError::OtherIdentity { .. }
    ));
    let other_registry = Registry::new();
    let elsewhere = other_registry.issue("court/alameda/node/1");
    assert!(matches!(
        swapped(elsewhere.path(), "ca.pem"),
        IdentityDirError::Untrusted { .. }
    ));
    IdentityDir::open(one.path()).unwrap();
}

#[test]
fn a_tls_certificate_is_no_record_certificate() {
    let registry = Registry::new();
    let node = registry.issue("court/alameda/node/1");
    fs::copy(node.path().join("tls.pem"), node.path().join("record.pem")).unwrap();
    fs::copy(node.path().join("tls.key"), node.path().join("record.key")).unwrap();
    assert!(matches!(refused(node.path()), IdentityDirError::Damaged { .. }));
}

#[test]
fn an_expired_identity_opens_and_says_so() {
    let registry = Registry::new();
    let node = registry.issue("court/alameda/node/1");
    assert_eq!(
        (node.days_left(START), node.record_days_left(START)),
        (30, Some(365))
    );
    assert_eq!(node.days_left(START.plus(1)), 29);
    node.validate(START.plus(30 * DAY)).unwrap();
    assert!(node.warnings().is_empty());

    registry.clock.set(START.plus(40 * DAY));
    let node = IdentityDir::open_with(node.path(), registry.clock.clone()).unwrap();
    assert_eq!(node.days_left(registry.clock.now()), -10);
    let error = node.validate(registry.clock.now()).unwrap_err();
    assert!(matches!(&error, IdentityDirError::Expired { since, .. } if *since == START.plus(30 * DAY)));
    assert_eq!(
        error.to_string(),
        "the certificate of court/alameda/node/1 expired on 2026-12-23T00:00:00Z; a node and a hub renew it by themselves, all others with `ccpor certs renew`"
    );
    assert_eq!(
        node.warnings(),
        ["the TLS certificate expired on 2026-12-23T00:00:00Z"]
    );
    let early = node.validate(START.plus(-601)).unwrap_err();
    assert!(matches!(early, IdentityDirError::NotYetValid { .. }));
}

#[test]
fn keys_are_the_owners_alone_and_a_slip_is_warned_about() {
    let registry = Registry::new();
    let node = registry.issue("hub/1");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(node.path()), 0o700);
    for key in ["tls.key", "record.key"] {
        let key = node.path().join(key);
        assert_eq!(mode(&key), 0o600);
        fs::set_permissions(&key, fs::Permissions::from_mode(0o640)).unwrap();
    }
    let warnings = node.warnings();
    assert_eq!(warnings.len(), 2);
    assert!(warnings[0].contains("tls.key: run chmod 600"), "{warnings:?}");
}

#[test]
fn those_who_sign_no_records_have_no_record_key() {
    let registry = Registry::new();
    for path in ["lea/alameda-so", "system/alameda-cms", "operator/jlee"] {
        let client = registry.issue(path);
        assert_eq!(
            (client.record_key_pkcs8(), client.record_public_key()),
            (None, None)
        );
        assert!(client.record_chain().is_empty() && !client.path().join("record.key").exists());
        assert_eq!(client.days_left(START), 90);
    }
}

#[test]
fn no_debug_text_shows_a_key() {
    let registry = Registry::new();
    let node = registry.issue("court/alameda/node/1");
    let texts = format!("{node:?} {:#?} {:?}", node.peer(), registry.authority);
    for key in ["tls.key", "record.key"] {
        let pem = fs::read_to_string(node.path().join(key)).unwrap();
        assert!(
            pem.lines()
                .filter(|line| !line.starts_with('-'))
                .all(|line| !texts.contains(line))
        );
    }
    assert!(texts.contains("keys secret") && texts.contains("key secret"));
}
