//! Second factors on the disk: sealed for their accounts under a key that lies elsewhere, and of no use without it.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helpers as well"
)]

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ccpor_access::Role;
use ccpor_people::{
    CommonPasswords, Hash, NewAccount, Refused, SecondFactor, Secret, Standing, Store, StoreFailed,
    enrolment_uri, hash,
};
use serde_json::Value;
use tempfile::TempDir;

const START: i64 = 1_790_000_000_000;
const STEP: i64 = 30_000;

/// A machine with persons who have authenticators.
struct Machine {
    data: TempDir,
    kept: Hash,
    people: Vec<Member>,
}

struct Member {
    name: &'static str,
    uri: String,
    recovery: Vec<Secret>,
}

impl Member {
    fn totp(&self) -> totp_rs::Totp {
        totp_rs::Totp::from_url(&self.uri).unwrap()
    }

    fn code(&self, at: i64) -> String {
        self.totp()
            .generate(u64::try_from(at / 1_000).unwrap())
            .to_string()
    }

    /// As an earlier version kept it.
    fn shared(&self) -> String {
        STANDARD.encode(self.totp().secret())
    }
}

impl Machine {
    fn with(names: &[&'static str]) -> Self {
        let text = Secret::new("four quiet yellow boats".into());
        let mut machine = Self {
            data: tempfile::tempdir().unwrap(),
            kept: hash(&text, "nobody", &CommonPasswords::default()).unwrap(),
            people: Vec::new(),
        };
        for name in names {
            let new = NewAccount {
                name: (*name).into(),
                full_name: String::new(),
                role: Role::Administrator,
                of: String::new(),
            };
            let code = machine
                .store()
                .change(|book| book.add(new, START))
                .unwrap()
                .unwrap();
            machine.sets_up(name, &code);
        }
        machine
    }

    fn sets_up(&mut self, name: &'static str, code: &Secret) {
        let (factor, recovery) = SecondFactor::generate().unwrap();
        let uri = enrolment_uri(&factor, "CCPOR", name).unwrap().reveal().to_owned();
        let kept = self.kept.clone();
        self.store()
            .change(|book| book.set_up(name, code.reveal(), kept, factor, START))
            .unwrap()
            .unwrap();
        self.people.retain(|one| one.name != name);
        self.people.push(Member { name, uri, recovery });
    }

    fn store(&self) -> Store {
        Store::below(self.data.path())
    }

    fn key(&self) -> PathBuf {
        self.data.path().join("second-factors.key")
    }

    fn member(&self, name: &str) -> &Member {
        self.people.iter().find(|one| one.name == name).unwrap()
    }

    fn tries(&self, name: &str, code: &str, at: i64) -> Result<(), Refused> {
        self.store()
            .change(|book| book.log_on(name, true, Some(&self.kept), code, at))
            .unwrap()
            .map(|_| ())
    }

    fn logs_on(&self, name: &str, at: i64) -> Result<(), Refused> {
        self.tries(name, &self.member(name).code(at), at)
    }

    /// Changes the file of accounts by hand.
    fn rewrites(&self, change: impl FnOnce(&mut Value)) {
        let file = self.data.path().join("accounts/accounts.json");
        let mut written = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        change(&mut written);
        fs::write(&file, serde_json::to_vec(&written).unwrap()).unwrap();
    }

    /// What is shared with authenticators, as the file of accounts has it after `change`.
    fn as_an_earlier_version_wrote_it(&self) {
        self.rewrites(|written| {
            written["version"] = 1.into();
            for one in &self.people {
                *factor_of(written, one.name) = one.shared().into();
            }
        });
    }
}

fn factor_of<'a>(written: &'a mut Value, name: &str) -> &'a mut Value {
    &mut written["book"]["accounts"][name]["proof"]["factor"]["key"]
}

/// Whether any file below a directory has one of these in it.
fn stands_in(directory: &Path, secrets: &[Vec<u8>]) -> bool {
    fs::read_dir(directory).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            return stands_in(&path, secrets);
        }
        let bytes = fs::read(&path).unwrap();
        let has = |secret: &Vec<u8>| bytes.windows(secret.len()).any(|part| part == secret.as_slice());
        secrets.iter().any(has)
    })
}

fn every_form(one: &Member) -> Vec<Vec<u8>> {
    let spelled = one.uri.split("secret=").nth(1).unwrap();
    let spelled = spelled.split('&').next().unwrap().as_bytes().to_vec();
    let raw = one.totp().secret().to_vec();
    vec![raw, one.shared().into_bytes(), spelled]
}

#[test]
fn what_is_shared_with_an_authenticator_stands_nowhere_on_the_disk_in_clear() {
    let machine = Machine::with(&["mgarcia"]);
    assert_eq!(machine.logs_on("mgarcia", START + STEP), Ok(()));
    let forms = every_form(machine.member("mgarcia"));
    assert!(!stands_in(machine.data.path(), &forms));
    machine.as_an_earlier_version_wrote_it();
    assert!(stands_in(machine.data.path(), &forms), "it would be found");
    let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(machine.key()).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn what_an_earlier_version_kept_in_clear_is_sealed_when_it_is_opened_and_counts_as_before() {
    let machine = Machine::with(&["admin", "mgarcia"]);
    fs::remove_file(machine.key()).unwrap();
    machine.as_an_earlier_version_wrote_it();
    assert_eq!(
        machine.logs_on("mgarcia", START + STEP),
        Ok(()),
        "the first act seals"
    );
    machine.as_an_earlier_version_wrote_it();
    assert_eq!(machine.store().seal_factors().unwrap(), 2);
    assert_eq!(machine.store().seal_factors().unwrap(), 0);
    assert_eq!(machine.store().factors_closed().unwrap(), None);
    for name in ["admin", "mgarcia"] {
        assert!(!stands_in(machine.data.path(), &every_form(machine.member(name))));
        assert_eq!(machine.logs_on(name, START + 3 * STEP), Ok(()));
    }
}

#[test]
fn a_second_factor_is_good_for_its_own_account_alone() {
    let machine = Machine::with(&["admin", "mgarcia"]);
    machine.rewrites(|written| {
        let other = factor_of(written, "mgarcia").clone();
        *factor_of(written, "admin") = other;
    });
    let at = START + STEP;
    let moved = machine.member("mgarcia").code(at);
    assert_eq!(machine.tries("admin", &moved, at), Err(Refused::FactorClosed));
    assert_eq!(machine.logs_on("mgarcia", at), Ok(()));
    assert_eq!(machine.store().factors_closed().unwrap().unwrap().accounts, 1);
}

#[test]
fn without_the_right_key_nobody_gets_in_with_a_code_and_it_is_told_what_to_do() {
    let mut machine = Machine::with(&["admin", "mgarcia"]);
    let right = fs::read(machine.key()).unwrap();
    for (bytes, words) in [
        (None, "is missing"),
        (Some(vec![7; 32]), "is not the key"),
        (Some(b"short".to_vec()), "is damaged"),
    ] {
        match &bytes {
            None => fs::remove_file(machine.key()).unwrap(),
            Some(bytes) => fs::write(machine.key(), bytes).unwrap(),
        }
        for attempt in 1..9 {
            let tried = machine.logs_on("mgarcia", START + attempt * STEP);
            assert_eq!(tried, Err(Refused::FactorClosed), "{words}");
        }
        let told = machine.store().factors_closed().unwrap().unwrap().to_string();
        for word in [words, "2 accounts", "backup", "users reset"] {
            assert!(told.contains(word), "{told}");
        }
        assert_eq!(
            fs::read(machine.key()).ok(),
            bytes,
            "what may be put back is not written over"
        );
    }
    // It was nobody's failure, so that nobody is locked; a recovery code is a second factor that needs no key.
    let standing = |machine: &Machine, name: &str| {
        let book = machine.store().book().unwrap();
        book.find(name).unwrap().standing(START + 9 * STEP)
    };
    assert_eq!(standing(&machine, "mgarcia"), Standing::Active);
    let recovery = machine.member("admin").recovery[0].reveal().to_owned();
    assert_eq!(machine.tries("admin", &recovery, START + 9 * STEP), Ok(()));
    assert_eq!(
        machine.tries("admin", &recovery, START + 9 * STEP),
        Err(Refused::Factor)
    );

    // A damaged key is never taken for none: nothing new is sealed before somebody has decided.
    let reset = |machine: &Machine, name: &str| {
        machine
            .store()
            .change(|book| book.reset(name, START))
            .unwrap()
            .unwrap()
    };
    let code = reset(&machine, "mgarcia");
    let kept = machine.kept.clone();
    let (factor, _) = SecondFactor::generate().unwrap();
    let refused = machine
        .store()
        .change(|book| book.set_up("mgarcia", code.reveal(), kept, factor, START));
    assert!(matches!(refused, Err(StoreFailed::NoKey(_))));
    assert_eq!(
        standing(&machine, "mgarcia"),
        Standing::WaitsForSetUp,
        "the code is good still"
    );
    fs::remove_file(machine.key()).unwrap();
    machine.sets_up("mgarcia", &code);
    assert_eq!(machine.logs_on("mgarcia", START + 10 * STEP), Ok(()));
    assert_eq!(machine.store().factors_closed().unwrap().unwrap().accounts, 1);

    // With the key from the backup everything is as it was.
    fs::write(machine.key(), right).unwrap();
    assert_eq!(machine.logs_on("admin", START + 11 * STEP), Ok(()));
}
