//! The recorder: what becomes of calls that are carried out, refused, cut off, or cannot be recorded, and of people at the door.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use ccpor_api::{Caller, Code, Person, Problem, TrailQuestion, Trails};
use ccpor_audit::{Archive, Asked, AuditorsKey, Found, Operation, Outcome, Search, Trail, TrailConfig};
use ccpor_certs::{Moment, Peer};
use ccpor_daemon::audit::{AuditedTrails, Call, Recorder, Seen};
use ccpor_daemon::witness::{PersonAct, PersonEvent};
use ccpor_domain::OrderId;
use ccpor_ledger::{OriginId, PinnedKeys, SigningKey};

const MACHINE: &str = "court/alameda/node/1";

struct Scene {
    directory: tempfile::TempDir,
    auditors: AuditorsKey,
    recorder: Arc<Recorder>,
}

impl Scene {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let (auditors, key) = (AuditorsKey::generate().unwrap(), SigningKey::generate().unwrap());
        let origin = OriginId::audit_of(MACHINE).unwrap();
        let config = TrailConfig {
            directory: directory.path().to_path_buf(),
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
        Self {
            directory,
            auditors,
            recorder,
        }
    }

    /// Everything on record, once what waits is written.
    async fn found(&self) -> Vec<Found> {
        self.recorder.close().await;
        let mut archive = Archive::open(self.directory.path()).unwrap();
        archive.unlock(&self.auditors).unwrap();
        archive.search(&Search::default()).unwrap()
    }
}

fn officer() -> Caller {
    Caller {
        identity: MACHINE.into(),
        purpose: "welfare check".into(),
        source: "192.0.2.7:4711".into(),
        person: Some(Person {
            account: "jdoe".into(),
            role: "clerk".into(),
            of: "court/alameda".into(),
            session: "s-1".into(),
        }),
        ..Caller::default()
    }
}

fn call(caller: &Caller, operation: Operation) -> Call<'_> {
    let asked = Asked {
        last: "Roe".into(),
        ..Asked::default()
    };
    Call {
        caller,
        operation,
        asked: vec![asked],
    }
}

#[tokio::test]
async fn an_answer_and_a_refusal_are_on_record_with_the_person_who_asked() {
    let (scene, caller) = (Scene::new(), officer());
    let seen = |_: &u8| Seen {
        orders: vec![OrderId([7; 16])],
        hits: 1,
        ..Seen::default()
    };
    let answered = scene
        .recorder
        .around(call(&caller, Operation::LookUp), async { Ok(1) }, seen)
        .await;
    assert_eq!(answered, Ok(1));
    let no = || Problem::new(Code::NotAllowed, "no");
    let refused = scene
        .recorder
        .around(call(&caller, Operation::OrderView), async { Err(no()) }, seen)
        .await;
    assert_eq!(refused, Err(no()));
    let found = scene.found().await;
    assert_eq!(found.len(), 2);
    assert_eq!(found[0].act.by.name(), "jdoe@court/alameda");
    assert_eq!(
        (&found[0].act.outcome, found[0].act.orders.len()),
        (&Outcome::Done, 1)
    );
    assert_eq!(found[1].act.outcome, Outcome::Refused("not-allowed".into()));
    let told = found[0].told.as_ref().unwrap();
    assert_eq!(
        (told.purpose.as_str(), told.asked[0].last.as_str()),
        ("welfare check", "Roe")
    );
}

#[tokio::test]
async fn a_call_that_is_cut_off_is_on_record_all_the_same() {
    let (scene, caller) = (Scene::new(), officer());
    for _ in 0..2 {
        let never = scene.recorder.around(
            call(&caller, Operation::LookUp),
            pending::<Result<u8, Problem>>(),
            |_| Seen::default(),
        );
        assert!(
            tokio::time::timeout(Duration::from_millis(20), never)
                .await
                .is_err()
        );
    }
    let found = scene.found().await;
    assert!(found.len() == 2 && found.iter().all(|found| found.act.outcome == Outcome::CutOff));
}

#[tokio::test]
async fn nothing_is_answered_once_the_trail_is_closed() {
    let (scene, caller) = (Scene::new(), officer());
    scene.recorder.close().await;
    let answer = scene
        .recorder
        .around(call(&caller, Operation::LookUp), async { Ok(1) }, |_| {
            Seen::default()
        })
        .await;
    assert_eq!(answer.unwrap_err().code, Code::NotRecorded);
    assert!(!scene.recorder.check().ok);
    // A change is not even begun then.
    let mut begun = false;
    let change = async {
        begun = true;
        Ok(1)
    };
    let refused = scene
        .recorder
        .around(call(&caller, Operation::FileOrder), change, |_| Seen::default())
        .await;
    assert_eq!((refused.unwrap_err().code, begun), (Code::NotRecorded, false));
}

#[tokio::test]
async fn the_state_of_machines_is_recorded_only_when_it_is_refused() {
    let (scene, caller) = (Scene::new(), officer());
    let status = |result: Result<u8, Problem>| {
        scene
            .recorder
            .around(call(&caller, Operation::Status), async { result }, |_| {
                Seen::default()
            })
    };
    assert_eq!(status(Ok(1)).await, Ok(1));
    assert!(status(Err(Problem::new(Code::NotAllowed, "no"))).await.is_err());
    assert_eq!(scene.found().await.len(), 1);
}

#[tokio::test]
async fn people_who_sign_in_and_those_who_are_refused_are_on_record() {
    let scene = Scene::new();
    let witness = scene.recorder.witness();
    let event = |refused: Option<&str>| PersonEvent {
        account: Some("jdoe".into()),
        what: PersonAct::LogOn,
        refused: refused.map(Into::into),
        certificate: None,
        session: None,
    };
    witness(event(None)).await.unwrap();
    for _ in 0..100 {
        witness(event(Some("wrong password"))).await.unwrap();
    }
    let found = scene.found().await;
    let refused = found
        .iter()
        .filter(|found| found.act.outcome == Outcome::Refused("wrong password".into()));
    assert!(
        found
            .iter()
            .any(|found| found.act.outcome == Outcome::Done && found.act.by.user == "jdoe")
    );
    assert_eq!(refused.count(), 60, "a flood is counted and not written out");
    assert!(found.iter().all(|found| found.act.operation == Operation::SignIn));
}

#[tokio::test]
async fn a_machine_that_is_refused_on_the_link_or_not_enrolled_is_on_record_with_its_address() {
    let scene = Scene::new();
    let from = "192.0.2.9:4433".parse().unwrap();
    let clone = Peer {
        identity: "court/kern/node/1".parse().unwrap(),
        oris: Vec::new(),
        not_before: Moment(0),
        not_after: Moment(0),
        serial: "4b1f".into(),
        fingerprint: String::new(),
    };
    scene
        .recorder
        .link_refused(from, Some(&clone), "the certificate is revoked");
    scene.recorder.link_refused(from, None, "another authority");
    scene.recorder.not_enrolled(from, None, "enrolment-used").await;
    let found = scene.found().await;
    let said: Vec<_> = found
        .iter()
        .map(|found| {
            let act = &found.act;
            (
                act.by.identity.as_str(),
                act.by.source.as_str(),
                act.outcome.clone(),
            )
        })
        .collect();
    let refused = |why: &str| Outcome::Refused(why.to_owned());
    assert_eq!(
        said,
        [
            (
                "court/kern/node/1",
                "192.0.2.9:4433",
                refused("the certificate is revoked; certificate 4b1f")
            ),
            ("", "192.0.2.9:4433", refused("another authority")),
            ("", "192.0.2.9:4433", refused("enrolment-used")),
        ]
    );
}

#[tokio::test]
async fn whoever_signs_in_is_answered_when_that_is_durable_and_not_when_it_cannot_be_recorded() {
    let scene = Scene::new();
    let witness = scene.recorder.witness();
    let event = || PersonEvent {
        account: Some("jdoe".into()),
        what: PersonAct::LogOn,
        refused: None,
        certificate: None,
        session: Some("s-1".into()),
    };
    witness(event()).await.unwrap();
    let ledger = scene.recorder.trail().ledger();
    let durable = ledger.head().unwrap().position.seq;
    witness(event()).await.unwrap();
    assert!(ledger.head().unwrap().position.seq > durable);
    scene.recorder.close().await;
    let problem = witness(event()).await.unwrap_err();
    assert_eq!(problem.code, Code::NotRecorded);
}

fn auditor(role: &str) -> Caller {
    Caller {
        purpose: "complaint 26-11".into(),
        person: Some(Person {
            account: "audra".into(),
            role: role.into(),
            of: String::new(),
            session: "s-2".into(),
        }),
        ..officer()
    }
}

#[tokio::test]
async fn an_auditor_reads_the_trail_and_nobody_else_does_and_both_are_on_record() {
    let scene = Scene::new();
    let by = officer();
    let seen = |_: &()| Seen {
        orders: vec![OrderId([7; 16])],
        hits: 1,
        ..Seen::default()
    };
    for operation in [Operation::LookUp, Operation::OrderView, Operation::Enforce] {
        let mut call = call(&by, operation);
        call.asked = vec![Asked {
            last: "Zyxwvut".into(),
            ..Asked::default()
        }];
        scene.recorder.around(call, async { Ok(()) }, seen).await.unwrap();
    }
    let trails = AuditedTrails::new(Arc::clone(&scene.recorder), None);
    for role in ["supervisor", "administrator", "operator", "judge"] {
        let refused = trails.read(&auditor(role), TrailQuestion::default()).await;
        assert_eq!(refused.unwrap_err().code, Code::NotAllowed, "{role}");
    }
    let question = TrailQuestion {
        who: "jdoe".into(),
        operation: "order-view".into(),
        order: OrderId([7; 16]).registry_number().to_string(),
        ..TrailQuestion::default()
    };
    let page = trails.read(&auditor("auditor"), question.clone()).await.unwrap();
    let [row] = page.rows.as_slice() else {
        panic!("one row: {page:?}");
    };
    assert_eq!(
        (row.operation.as_str(), row.sealed, row.states_purpose),
        ("order-view", true, true)
    );
    assert!(!format!("{page:?}").contains("Zyxwvut"));
    assert!(page.onward.is_empty() && page.trails.len() == 1 && page.trails[0].trouble.is_empty());
    let table = TrailQuestion {
        export: true,
        ..question
    };
    trails.read(&auditor("auditor"), table).await.unwrap();
    let found = scene.found().await;
    let readings: Vec<_> = found
        .iter()
        .filter(|found| found.act.by.user == "audra")
        .map(|found| (found.act.operation, found.act.outcome.word(), found.act.hits))
        .collect();
    let mut expected = vec![(Operation::AuditSearch, "refused", 0); 4];
    expected.extend([
        (Operation::AuditSearch, "done", 1),
        (Operation::AuditExport, "done", 1),
    ]);
    assert_eq!(readings, expected);
    let told = found.last().unwrap().told.as_ref().unwrap();
    assert_eq!(told.purpose, "complaint 26-11");
    assert!(told.asked[0].numbers.contains(&("user".into(), "jdoe".into())));
}

#[tokio::test]
async fn nothing_of_the_trail_is_given_when_that_it_is_read_cannot_be_recorded() {
    let scene = Scene::new();
    let trails = AuditedTrails::new(Arc::clone(&scene.recorder), None);
    scene.recorder.close().await;
    let refused = trails.read(&auditor("auditor"), TrailQuestion::default()).await;
    assert_eq!(refused.unwrap_err().code, Code::NotRecorded);
}

#[tokio::test]
async fn what_is_not_understood_of_a_question_is_named() {
    let scene = Scene::new();
    let trails = AuditedTrails::new(Arc::clone(&scene.recorder), None);
    let wrong = |change: fn(&mut TrailQuestion)| {
        let mut question = TrailQuestion::default();
        change(&mut question);
        question
    };
    for (path, question) in [
        ("order", wrong(|question| question.order = "BW69".into())),
        ("since", wrong(|question| question.since = "yesterday".into())),
        ("operation", wrong(|question| question.operation = "look".into())),
        ("outcome", wrong(|question| question.outcome = "well".into())),
        (
            "machine",
            wrong(|question| question.machine = "court/kern/node/1".into()),
        ),
    ] {
        let refused = trails.read(&auditor("auditor"), question).await.unwrap_err();
        let paths: Vec<&str> = refused.fields.iter().map(|field| field.path.as_str()).collect();
        assert_eq!((refused.code, paths), (Code::InvalidFields, vec![path]));
    }
}
