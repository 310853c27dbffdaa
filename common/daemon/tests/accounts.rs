//! The accounts of a machine behind its pages, with every act on record: a file of accounts, and all open sessions.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use ccpor_access::Role;
use ccpor_api::{
    Accounts, Caller, Code, Hidden, LARGEST_ACCOUNTS_FILE, LogOnRequest, People, Refusal, SetUpRequest,
};
use ccpor_audit::{Archive, AuditorsKey, Found, Operation, Outcome, Search, Trail, TrailConfig};
use ccpor_daemon::audit::{AuditedAccounts, Recorder};
use ccpor_daemon::people::{LocalPeople, PeopleSettings};
use ccpor_ledger::{OriginId, PinnedKeys, SigningKey};
use ccpor_people::{NewAccount, Secret, Store};

const MACHINE: &str = "court/alameda/node/1";
const PASSWORD: &str = "four quiet yellow boats";
const MINUTE: i64 = 60_000;

/// A machine with an administrator; its clock is moved by hand.
struct Scene {
    directory: tempfile::TempDir,
    auditors: AuditorsKey,
    recorder: Arc<Recorder>,
    people: Arc<LocalPeople>,
    accounts: AuditedAccounts,
    clock: Arc<AtomicI64>,
}

/// Somebody who is logged on, with the recovery codes that are left.
struct Desk {
    caller: Caller,
    token: Hidden,
    codes: Vec<Hidden>,
}

impl Scene {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let (auditors, key) = (AuditorsKey::generate().unwrap(), SigningKey::generate().unwrap());
        let origin = OriginId::audit_of(MACHINE).unwrap();
        let config = TrailConfig {
            directory: directory.path().join("audit"),
            identity: MACHINE.into(),
            trust: Arc::new(PinnedKeys::new().with(&origin, key.public().as_bytes())),
            key: Arc::new(key),
            chain: Vec::new(),
            auditors: Some(auditors.public().clone()),
            keep_days: 0,
            reserve_bytes: 0,
        };
        let (trail, _) = Trail::open(config, ccpor_registry::now()).unwrap();
        let recorder = Arc::new(Recorder::new(Arc::new(trail), MACHINE.into(), false));
        let clock = Arc::new(AtomicI64::new(ccpor_registry::now().0));
        let now = Arc::clone(&clock);
        let people = LocalPeople::new(
            Store::below(directory.path()),
            PeopleSettings::default(),
            MACHINE.into(),
            recorder.witness(),
            Arc::new(move || now.load(Ordering::Relaxed)),
        );
        let people = Arc::new(people.unwrap());
        Self {
            accounts: AuditedAccounts::new(Arc::clone(&people) as Arc<dyn Accounts>, Arc::clone(&recorder)),
            directory,
            auditors,
            recorder,
            people,
            clock,
        }
    }

    fn added(&self, name: &str, role: Role) -> Secret {
        let new = NewAccount {
            name: name.into(),
            full_name: name.to_uppercase(),
            role,
            of: if role.is_of_a_court() {
                "court/alameda".into()
            } else {
                String::new()
            },
        };
        let now = self.clock.load(Ordering::Relaxed);
        Store::below(self.directory.path())
            .change(|book| book.add(new, now))
            .unwrap()
            .unwrap()
    }

    async fn set_up(&self, name: &str, code: &str) -> Vec<Hidden> {
        let request = SetUpRequest {
            name: name.into(),
            set_up_code: Hidden::new(code.to_owned()),
            password: Hidden::new(PASSWORD.into()),
        };
        self.people.set_up(request).await.unwrap().recovery_codes
    }

    async fn logged_on(&self, name: &str, mut codes: Vec<Hidden>) -> Desk {
        let request = LogOnRequest {
            name: name.into(),
            password: Hidden::new(PASSWORD.into()),
            code: codes.pop().unwrap(),
        };
        let opened = self.people.log_on(None, request).await.unwrap();
        assert_eq!(opened.recovery_codes_left, u32::try_from(codes.len()).ok());
        let token = opened.token.unwrap();
        Desk {
            caller: self.people.caller(None, &token).await.unwrap(),
            token,
            codes,
        }
    }

    async fn desk(&self, name: &str, role: Role) -> Desk {
        let code = self.added(name, role);
        let codes = self.set_up(name, code.reveal()).await;
        self.logged_on(name, codes).await
    }

    /// Everything on record about these operations, once what waits is written.
    async fn found(&self, operations: &[Operation]) -> Vec<Found> {
        self.recorder.close().await;
        let mut archive = Archive::open(&self.directory.path().join("audit")).unwrap();
        archive.unlock(&self.auditors).unwrap();
        let mut found = archive.search(&Search::default()).unwrap();
        found.retain(|found| operations.contains(&found.act.operation));
        found
    }
}

const FILE: &str =
    "name,full_name,role,of\njlee,Jin Lee,judge,\nfar,Far Away,court,court/kern\nmnunez,María Núñez,court,\n";

#[tokio::test]
async fn a_file_is_judged_without_making_anything_and_made_once_with_a_code_each_account_on_record() {
    let scene = Scene::new();
    let mut keeper = scene.desk("admin", Role::Administrator).await;
    let import = async |code: Option<Hidden>| {
        let csv = FILE.as_bytes().to_vec();
        scene.accounts.import_accounts(&keeper.caller, csv, code).await
    };
    let judged = import(None).await.unwrap();
    let told: Vec<_> = judged.iter().map(|line| (line.number, line.refused)).collect();
    assert_eq!(told, [(2, None), (3, Some(Refusal::OtherCourt)), (4, None)]);
    assert!(judged.iter().all(|line| line.code.is_none()));
    let count = async || scene.accounts.accounts(&keeper.caller).await.unwrap().len();
    assert_eq!(count().await, 1);
    let wrong = import(Some(Hidden::new("000000".into()))).await.unwrap_err();
    assert_eq!(
        (wrong.code, wrong.refusal),
        (Code::InvalidFields, Some(Refusal::Code))
    );
    assert_eq!(count().await, 1);
    let code = keeper.codes.pop().unwrap();
    let made = import(Some(code.clone())).await.unwrap();
    assert_eq!(
        (made[0].full_name.as_str(), made[2].of.as_str()),
        ("Jin Lee", "court/alameda")
    );
    // The code is used up, and with another one every name is in use.
    let again = import(Some(code)).await.unwrap_err();
    assert_eq!(again.refusal, Some(Refusal::Code));
    let again = import(keeper.codes.pop()).await.unwrap();
    assert!(
        again
            .iter()
            .all(|line| line.code.is_none() && line.refused.is_some())
    );
    assert_eq!(count().await, 3);
    let set_up = made[0].code.as_ref().unwrap().reveal();
    let codes = scene.set_up("jlee", set_up).await;
    scene.logged_on("jlee", codes).await;

    let found = scene
        .found(&[Operation::ImportAccounts, Operation::ChangeAccount])
        .await;
    let told: Vec<(Operation, bool, u32)> = found
        .iter()
        .map(|found| {
            (
                found.act.operation,
                found.act.outcome == Outcome::Done,
                found.act.hits,
            )
        })
        .collect();
    let file = Operation::ImportAccounts;
    assert_eq!(
        told,
        [
            (file, true, 0),
            (file, false, 0),
            (file, true, 2),
            (Operation::ChangeAccount, true, 1),
            (Operation::ChangeAccount, true, 1),
            (file, false, 0),
            (file, true, 0),
        ]
    );
    let mut names: Vec<_> = found[3..5]
        .iter()
        .flat_map(|found| &found.told.as_ref().unwrap().asked[0].numbers)
        .map(|(_, name)| name.as_str())
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["jlee", "mnunez"]);
}

#[tokio::test]
async fn a_file_that_is_too_large_or_of_no_such_shape_gives_no_account_and_who_keeps_none_is_refused() {
    let scene = Scene::new();
    let keeper = scene.desk("admin", Role::Administrator).await;
    let clerk = scene.desk("mgarcia", Role::Supervisor).await;
    let import = async |by: &Desk, csv: &[u8]| {
        let lines = scene
            .accounts
            .import_accounts(&by.caller, csv.to_vec(), None)
            .await;
        lines.map_err(|problem| (problem.code, problem.refusal))
    };
    let invalid = |refusal| Err((Code::InvalidFields, Some(refusal)));
    let mut large = FILE.as_bytes().to_vec();
    large.resize(LARGEST_ACCOUNTS_FILE, b'\n');
    assert_eq!(import(&keeper, &large).await.unwrap().len(), 3);
    large.push(b'\n');
    assert_eq!(import(&keeper, &large).await, invalid(Refusal::FileLarge));
    assert_eq!(
        import(&keeper, b"user;role\n").await,
        invalid(Refusal::FileHeading)
    );
    let latin = b"name,full_name,role,of\nx.lee,N\xf1,court,\n";
    assert_eq!(import(&keeper, latin).await, invalid(Refusal::FileNotText(2)));
    assert_eq!(
        import(&clerk, FILE.as_bytes()).await,
        Err((Code::NotAllowed, None))
    );
    let sessions = scene.accounts.open_sessions(&clerk.caller).await;
    assert_eq!(sessions.unwrap_err().code, Code::NotAllowed);
}

#[tokio::test]
async fn all_open_sessions_are_seen_and_one_that_is_over_or_whose_account_was_changed_is_not_among_them() {
    let scene = Scene::new();
    let keeper = scene.desk("admin", Role::Administrator).await;
    let clerk = scene.desk("mgarcia", Role::Court).await;
    scene.desk("jlee", Role::Judge).await;
    let open = async || {
        let open = scene.accounts.open_sessions(&keeper.caller).await.unwrap();
        open.into_iter().map(|one| one.account).collect::<Vec<_>>()
    };
    assert_eq!(open().await, ["admin", "jlee", "mgarcia"]);
    scene.clock.fetch_add(1, Ordering::Relaxed);
    let now = scene.clock.load(Ordering::Relaxed);
    Store::below(scene.directory.path())
        .change(|book| book.disable("jlee", "left".into(), now))
        .unwrap()
        .unwrap();
    assert_eq!(open().await, ["admin", "mgarcia"]);
    let session = clerk.caller.person.as_ref().unwrap().session.clone();
    let ended = scene
        .accounts
        .end_sessions(&keeper.caller, "mgarcia", Some(&session))
        .await;
    assert_eq!(ended, Ok(1));
    assert_eq!(open().await, ["admin"]);
    scene.clock.fetch_add(31 * MINUTE, Ordering::Relaxed);
    assert!(open().await.is_empty());
    let found = scene.found(&[Operation::ListSessions]).await;
    let hits: Vec<u32> = found.iter().map(|found| found.act.hits).collect();
    assert_eq!(hits, [3, 2, 1, 0]);
}

#[tokio::test]
async fn a_session_that_is_used_tells_how_many_recovery_codes_are_left() {
    let scene = Scene::new();
    let mut clerk = scene.desk("mgarcia", Role::Court).await;
    let left = async |desk: &Desk| {
        let told = scene.people.session(None, Some(&desk.token)).await.unwrap();
        told.recovery_codes_left
    };
    assert_eq!(left(&clerk).await, Some(9));
    let code = clerk.codes.pop().unwrap();
    let fresh = scene
        .accounts
        .renew_recovery_codes(&clerk.caller, code)
        .await
        .unwrap();
    assert_eq!((fresh.len(), left(&clerk).await), (10, Some(10)));
    assert_eq!(
        scene
            .people
            .session(None, None)
            .await
            .unwrap()
            .recovery_codes_left,
        None
    );
}
