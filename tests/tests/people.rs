//! People, with the real programs: the first administrator, accounts, log-on with a second factor, locks, and what each role sees
//! of orders that are sealed or over.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helpers as well"
)]

use std::net::SocketAddr;

use bytes::Bytes;
use ccpor_api::message::{
    EndOrderRequest, Ending, EnforceAnswer, LookupAnswer, LookupRequest, OrderAnswer, SealOrderRequest, Term,
    WriteAnswer,
};
use ccpor_api::{Code, LogOnRequest, SessionAnswer, SetUpAnswer, SetUpRequest};
use ccpor_certs::{Clock, IdentityDir};
use ccpor_tests::lone::{Lone, Realm};
use ccpor_tests::rest::{Answer, Rest};
use ccpor_tests::world::{Outcome, connect, file, order, until};
use http_body_util::Full;
use serde::Serialize;

const PASSWORD: &str = "four quiet yellow boats";

/// A machine with people, and its court's own system.
struct House {
    realm: Realm,
    node: Lone,
    address: SocketAddr,
    court: IdentityDir,
}

/// A person with an authenticator, at a browser without a certificate or at a terminal with one.
struct Person {
    rest: Rest,
    name: String,
    authenticator: String,
    recovery: Vec<String>,
    token: String,
}

impl House {
    async fn open(settings: &str) -> Outcome<Self> {
        let realm = Realm::new(Clock::machine())?;
        let court = realm.issue("system/alameda-cms", &[])?;
        let mut node = realm.node("alameda", &format!("[hub]\nconnect = false\n{settings}"))?;
        let address = node.start().await?;
        Ok(Self {
            realm,
            node,
            address,
            court,
        })
    }

    /// Makes an account and sets it up; the person is not logged on yet.
    async fn person(&self, name: &str, role: &str, of: Option<&str>) -> Outcome<Person> {
        let mut words = vec!["users", "add", name, "--role", role];
        words.extend(of.iter().flat_map(|of| ["--of", of]));
        let added = self.node.run(&words).await?;
        self.set_up(name, &set_up_code(&added.said(0, &["has an account"]).text()))
            .await
    }

    async fn set_up(&self, name: &str, set_up_code: &str) -> Outcome<Person> {
        let rest = Rest::nobody(&self.court, self.address)?;
        let request = SetUpRequest {
            name: name.into(),
            set_up_code: ccpor_api::Hidden::new(set_up_code.into()),
            password: ccpor_api::Hidden::new(PASSWORD.into()),
        };
        let answer: SetUpAnswer = rest.post("/v1/account", &request).await?.message()?;
        let codes = answer.recovery_codes.iter().map(|code| code.reveal().to_owned());
        Ok(Person {
            rest,
            name: name.into(),
            authenticator: answer.authenticator.reveal().to_owned(),
            recovery: codes.collect(),
            token: String::new(),
        })
    }

    /// A person of this role, logged on.
    async fn staff(&self, name: &str, role: &str, of: Option<&str>) -> Outcome<Person> {
        let mut person = self.person(name, role, of).await?;
        person.log_on().await?;
        Ok(person)
    }
}

impl Person {
    fn code(&self) -> String {
        totp_rs::Totp::from_url(&self.authenticator)
            .unwrap()
            .generate_current()
            .to_string()
    }

    async fn tries(&self, password: &str, code: &str) -> Outcome<Answer> {
        log_on(&self.rest, &self.name, password, code).await
    }

    async fn log_on(&mut self) -> Outcome<SessionAnswer> {
        let opened: SessionAnswer = self.tries(PASSWORD, &self.code()).await?.message()?;
        self.token = opened.token.as_ref().unwrap().reveal().to_owned();
        Ok(opened)
    }

    async fn get(&self, path: &str) -> Outcome<Answer> {
        self.send(http::Request::get(path), Vec::new()).await
    }

    async fn post(&self, path: &str, message: &impl Serialize) -> Outcome<Answer> {
        let request = http::Request::post(path).header("content-type", "application/json");
        self.send(request, serde_json::to_vec(message)?).await
    }

    async fn send(&self, request: http::request::Builder, body: Vec<u8>) -> Outcome<Answer> {
        let request = request.header("authorization", format!("Bearer {}", self.token));
        self.rest.send(request, Full::new(Bytes::from(body))).await
    }

    async fn session(&self) -> Outcome<Answer> {
        self.get("/v1/session").await
    }

    async fn looks_up(&self, last: &str, limit: u32, purpose: Option<&str>) -> Outcome<LookupAnswer> {
        let question = LookupRequest {
            last: last.into(),
            first: "JANE".into(),
            limit,
            ..LookupRequest::default()
        };
        let mut request = http::Request::post("/v1/lookup").header("content-type", "application/json");
        if let Some(purpose) = purpose {
            request = request.header("ccpor-purpose", purpose);
        }
        self.send(request, serde_json::to_vec(&question)?)
            .await?
            .message()
    }
}

async fn log_on(rest: &Rest, name: &str, password: &str, code: &str) -> Outcome<Answer> {
    let request = LogOnRequest {
        name: name.into(),
        password: ccpor_api::Hidden::new(password.into()),
        code: ccpor_api::Hidden::new(code.into()),
    };
    rest.post("/v1/session", &request).await
}

fn set_up_code(printed: &str) -> String {
    let line = printed.lines().find(|line| line.contains("Set-up code")).unwrap();
    line.rsplit(' ').next().unwrap().to_owned()
}

fn code(answer: &Answer) -> Option<Code> {
    answer.problem().ok().map(|problem| problem.code)
}

#[tokio::test]
async fn a_person_sets_up_an_account_logs_on_with_a_code_and_has_the_rights_of_the_role() -> Outcome<()> {
    let mut house = House::open("").await?;
    let first = house.node.run(&["init"]).await?;
    let admin_code = set_up_code(&first.said(0, &["first administrator", "72 hours"]).text());
    house
        .node
        .run(&["init"])
        .await?
        .said(5, &["has accounts already"]);
    let mut admin = house.set_up("admin", &admin_code).await?;
    admin.log_on().await?;
    let added = house.node.run(&[
        "users",
        "add",
        "mgarcia",
        "--role",
        "court",
        "--full-name",
        "Maria Garcia",
    ]);
    let set_up = set_up_code(&added.await?.said(0, &["mgarcia", "72 hours"]).text());

    // A password that many choose is refused; a wrong set-up code too, in the same words as for nobody's account.
    let nobody = Rest::nobody(&house.court, house.address)?;
    let tried = |name: &str, code: &str, password: &str| SetUpRequest {
        name: name.into(),
        set_up_code: ccpor_api::Hidden::new(code.into()),
        password: ccpor_api::Hidden::new(password.into()),
    };
    let weak = nobody
        .post("/v1/account", &tried("mgarcia", &set_up, "Password1"))
        .await?;
    assert_eq!(weak.problem()?.fields[0].path, "password");
    let wrong = nobody
        .post("/v1/account", &tried("mgarcia", "AAAA-BBBB", PASSWORD))
        .await?;
    let absent = nobody
        .post("/v1/account", &tried("nobody", "AAAA-BBBB", PASSWORD))
        .await?;
    assert_eq!((wrong.status, &wrong.body), (401, &absent.body));
    let mut clerk = house.set_up("mgarcia", &set_up).await?;
    assert_eq!(clerk.recovery.len(), 10);
    let again = nobody
        .post("/v1/account", &tried("mgarcia", &set_up, PASSWORD))
        .await?;
    assert_eq!(again.problem()?.code, Code::LogOnRefused, "the code is good once");

    // Before logging on everybody is told on what terms.
    let notice: SessionAnswer = nobody.get("/v1/session").await?.message()?;
    assert!(!notice.open && notice.banner.contains("monitored and recorded"));
    let wrong = clerk.tries(PASSWORD, "000000").await?;
    let absent = log_on(&nobody, "nobody", PASSWORD, "000000").await?;
    assert_eq!(
        (wrong.status, &wrong.body),
        (401, &absent.body),
        "it is not told whether the name exists"
    );
    let used = clerk.code();
    let opened = clerk.log_on().await?;
    assert_eq!(
        (opened.role.as_str(), opened.of.as_str()),
        ("court", "court/alameda")
    );
    assert!(opened.banner == notice.banner && opened.recovery_codes_left == Some(10));
    let replayed = clerk.tries(PASSWORD, &used).await?;
    assert_eq!(code(&replayed), Some(Code::LogOnRefused), "a code counts once");
    for (recovery, status) in [(0, 201), (0, 401), (1, 201)] {
        assert_eq!(
            clerk.tries(PASSWORD, &clerk.recovery[recovery]).await?.status,
            status
        );
    }

    // The person's role is what counts: a clerk files and finds, and runs no machine; an administrator reads no order.
    let paper =
        serde_json::json!({ "idempotency_key": "by-hand-0001", "order": order("DOE", "JANE", "HF26-1") });
    let filed: WriteAnswer = clerk.post("/v1/orders", &paper).await?.message()?;
    assert_eq!(clerk.looks_up("DOE", 20, None).await?.hits.len(), 1);
    let shown: OrderAnswer = clerk
        .get(&format!("/v1/orders/{}", filed.order_id))
        .await?
        .message()?;
    let by = shown.history[0].by.clone().unwrap();
    assert_eq!(
        (by.identity.as_str(), by.person.as_str()),
        ("court/alameda/node/1", "mgarcia")
    );
    for path in ["/v1/quarantine", "/v1/nowhere"] {
        assert!(clerk.get(path).await?.problem().is_ok(), "{path}");
    }
    assert_eq!(code(&clerk.get("/v1/quarantine").await?), Some(Code::NotAllowed));
    let question = serde_json::json!({ "last": "DOE" });
    assert_eq!(
        code(&admin.post("/v1/lookup", &question).await?),
        Some(Code::NotAllowed)
    );
    assert_eq!(admin.get("/v1/status").await?.status, 200);
    // So it is over a connection with a certificate that may do more.
    let terminal = Person {
        rest: Rest::of(&house.court, house.address)?,
        name: "admin".into(),
        token: admin.token.clone(),
        authenticator: String::new(),
        recovery: Vec::new(),
    };
    assert_eq!(
        code(&terminal.post("/v1/lookup", &question).await?),
        Some(Code::SessionEnded)
    );

    // Another role ends the session; so does logging off.
    house
        .node
        .run(&["users", "role", "mgarcia", "query"])
        .await?
        .said(0, &["query"]);
    assert_eq!(code(&clerk.get("/v1/status").await?), Some(Code::SessionEnded));
    let closed = admin
        .send(http::Request::delete("/v1/session"), Vec::new())
        .await?;
    assert_eq!(closed.status, 204);
    assert_eq!(code(&admin.get("/v1/status").await?), Some(Code::SessionEnded));
    house
        .node
        .run(&["users", "disable", "admin", "--reason", "gone"])
        .await?
        .said(5, &["last administrator"]);
    house
        .node
        .run(&["users", "show", "nobody"])
        .await?
        .said(3, &["no account nobody"]);
    let log = house.node.log();
    house.node.stop().await;
    for secret in [PASSWORD, &clerk.token, &set_up] {
        assert!(!log.contains(secret), "a secret stands in the log");
    }
    Ok(())
}

#[tokio::test]
async fn five_failures_lock_an_account_until_an_administrator_releases_it() -> Outcome<()> {
    let mut house = House::open("").await?;
    let mut clerk = house.person("mgarcia", "query", None).await?;
    for _ in 0..5 {
        assert_eq!(clerk.tries("not the password", &clerk.code()).await?.status, 401);
    }
    let locked = clerk.tries(PASSWORD, &clerk.code()).await?;
    assert!(locked.problem()?.advice().contains("administrator releases it"));
    house
        .node
        .run(&["users", "list"])
        .await?
        .said(0, &["mgarcia", "locked"]);
    house
        .node
        .run(&["users", "release", "mgarcia"])
        .await?
        .said(0, &["released"]);
    clerk.log_on().await?;
    house
        .node
        .run(&["users", "disable", "mgarcia", "--reason", "on leave"])
        .await?
        .said(0, &[]);
    assert_eq!(code(&clerk.get("/v1/status").await?), Some(Code::SessionEnded));
    house
        .node
        .run(&["users", "show", "mgarcia"])
        .await?
        .said(0, &["disabled (on leave)"]);
    house
        .node
        .run(&["users", "enable", "mgarcia"])
        .await?
        .said(0, &[]);
    let reset = house.node.run(&["users", "reset", "mgarcia"]).await?;
    assert_eq!(
        clerk.tries(PASSWORD, &clerk.code()).await?.status,
        401,
        "its password is gone"
    );
    house
        .set_up("mgarcia", &set_up_code(&reset.text()))
        .await?
        .log_on()
        .await?;
    // Whoever guesses without end is told to wait, for a name that there is not as for one that there is.
    let nobody = Rest::nobody(&house.court, house.address)?;
    let guesses =
        futures_util::future::try_join_all((0..24).map(|_| log_on(&nobody, "nobody", "x", "1"))).await?;
    assert!(
        guesses
            .iter()
            .any(|guess| code(guess) == Some(Code::TooManyRequests))
    );
    house.node.stop().await;
    Ok(())
}

#[tokio::test]
async fn an_idle_session_is_over_but_at_a_dispatch_terminal() -> Outcome<()> {
    let settings = "[people]\nidle_lock_seconds = 1\ndispatch_terminals = \"lea/alameda-so\"\n";
    let mut house = House::open(settings).await?;
    let agency = house.realm.issue("lea/alameda-so", &["CA0010000"])?;
    let mut dispatcher = house.person("dispatch7", "lea-query", Some("CA0010000")).await?;
    dispatcher.rest = Rest::of(&agency, house.address)?;
    dispatcher.log_on().await?;
    let clerk = house.staff("mgarcia", "query", None).await?;
    until("the clerk's session is over", || async {
        Ok((code(&clerk.session().await?) == Some(Code::SessionEnded)).then_some(()))
    })
    .await?;
    let session: SessionAnswer = dispatcher.session().await?.message()?;
    assert!(session.open && session.account == "dispatch7");
    assert_eq!(dispatcher.get("/v1/status").await?.status, 200);
    house.node.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_sealed_order_is_not_there_for_who_may_not_see_it_and_is_enforced_all_the_same() -> Outcome<()> {
    let mut house = House::open("").await?;
    let system = connect(&house.court, house.address).await?;
    let query = house.staff("qlook", "query", None).await?;
    let supervisor = house.staff("super", "supervisor", None).await?;
    let officer = house.staff("officer", "lea-query", Some("CA0010000")).await?;
    let before = query.looks_up("SEALED", 1, None).await?;
    let mut paper = order("SEALED", "JANE", "HF26-9");
    paper.terms = vec![Term {
        kind: "no_contact".into(),
        ..Term::default()
    }];
    let filed = file(&system, "to-be-sealed", paper.clone()).await?;
    let (id, number) = (filed.order_id.clone(), filed.registry_number.clone());
    assert_eq!(query.looks_up("SEALED", 1, None).await?.hits.len(), 1);
    let seal = SealOrderRequest {
        idempotency_key: "sealed-0001".into(),
        order_id: id.clone(),
        sealed: true,
        reason: "the court's reason".into(),
    };
    system.seal_order(seal).await?;

    // Not there: in every answer as before it was filed, or as for a number that there is not.
    let after = query.looks_up("SEALED", 1, None).await?;
    assert_eq!(
        (
            after.hits,
            after.total,
            after.next_page_token,
            after.withheld,
            after.understood
        ),
        (
            before.hits,
            before.total,
            before.next_page_token,
            before.withheld,
            before.understood
        )
    );
    let absent = "0".repeat(32);
    for kind in ["", "/enforcement"] {
        let of = |order: &str| format!("/v1/orders/{order}{kind}");
        let hidden = query.get(&of(&id)).await?;
        assert_eq!(code(&hidden), Some(Code::OrderNotFound));
        assert_eq!(hidden.body, query.get(&of(&absent)).await?.body, "{kind}");
        assert_eq!(
            query.get(&of(&number)).await?.body,
            query.get(&of("BW69-MFBY-3D68-M")).await?.body,
            "{kind}"
        );
        // A seal of today hides it at every moment of the past.
        let past = query.get(&format!("{}?at=2099-01-01T00:00:00Z", of(&id))).await?;
        assert_eq!(code(&past), Some(Code::OrderNotFound));
    }
    let person = serde_json::json!({ "person": { "name": { "first": "JANE", "last": "SEALED" } } });
    let history: serde_json::Value = query.post("/v1/persons/history", &person).await?.message()?;
    assert_eq!(history["orders"], serde_json::json!([]));

    // An officer is told what is to be enforced, and nothing else of it.
    let hit = officer.looks_up("SEALED", 1, None).await?.hits.remove(0);
    assert!(
        hit.sealed
            && !hit.has_image
            && hit.radio.contains("SEALED BY COURT")
            && hit.radio.contains("NO CONTACT")
    );
    let shown: OrderAnswer = officer.get(&format!("/v1/orders/{id}")).await?.message()?;
    assert!(shown.history.is_empty() && shown.images.is_empty());
    assert_eq!(shown.sealed.unwrap().reason, "");
    let enforced: EnforceAnswer = officer
        .get(&format!("/v1/orders/{id}/enforcement"))
        .await?
        .message()?;
    assert_eq!(enforced.persons[0].terms[0].topic, "contact");
    let whole: OrderAnswer = supervisor.get(&format!("/v1/orders/{number}")).await?.message()?;
    assert_eq!(whole.sealed.unwrap().reason, "the court's reason");
    assert_eq!(whole.history.len(), 2);

    // Neither the length of a page nor the next one tells of it.
    for open in 0..2 {
        file(
            &system,
            &format!("beside-{open}000"),
            order("SEALED", "JANE", &format!("HF26-1{open}")),
        )
        .await?;
    }
    let all = supervisor.looks_up("SEALED", 2, None).await?;
    assert!(all.hits.len() == 2 && !all.next_page_token.is_empty());
    let open = query.looks_up("SEALED", 2, None).await?;
    assert_eq!(
        (open.hits.len(), open.total, open.next_page_token.as_str()),
        (2, 2, "")
    );
    house.node.stop().await;
    Ok(())
}

#[tokio::test]
async fn an_order_that_is_over_is_shown_to_others_for_a_purpose() -> Outcome<()> {
    let mut house = House::open("").await?;
    let system = connect(&house.court, house.address).await?;
    let clerk = house.staff("mgarcia", "court", None).await?;
    let officer = house.staff("officer", "lea-query", Some("CA0010000")).await?;
    let filed = file(&system, "will-be-over", order("OVER", "JANE", "HF26-7")).await?;
    assert_eq!(officer.looks_up("OVER", 20, None).await?.hits.len(), 1);
    let end = EndOrderRequest {
        idempotency_key: "is-over-0001".into(),
        order_id: filed.order_id.clone(),
        ending: Some(Ending {
            kind: "terminated".into(),
            ..Ending::default()
        }),
        ..EndOrderRequest::default()
    };
    system.end_order(end).await?;
    let path = format!("/v1/orders/{}", filed.order_id);
    assert_eq!(
        clerk.looks_up("OVER", 20, None).await?.hits.len(),
        1,
        "its own court's record"
    );
    let without = officer.looks_up("OVER", 20, None).await?;
    assert!(
        without.hits.is_empty() && without.withheld.contains("purpose"),
        "{without:?}"
    );
    assert_eq!(code(&officer.get(&path).await?), Some(Code::PurposeNeeded));
    let with = officer.looks_up("OVER", 20, Some("homicide inquiry")).await?;
    assert!(with.hits.len() == 1 && with.withheld.is_empty());
    let stated = http::Request::get(&path).header("ccpor-purpose", "homicide inquiry");
    assert_eq!(officer.send(stated, Vec::new()).await?.status, 200);
    house.node.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_file_of_staff_is_tried_before_it_is_taken() -> Outcome<()> {
    let mut house = House::open("").await?;
    let staff = house.realm.path("staff.csv");
    std::fs::write(
        &staff,
        "name,full_name,role,of\njlee,Jin Lee,judge,\nmgarcia,Maria Garcia,court,court/alameda\n\
         far,Far Away,court,court/kern\nboss,The Boss,chief,\n",
    )?;
    let staff = staff.display().to_string();
    let tried = house.node.run(&["users", "import", &staff, "--dry-run"]).await?;
    tried.said(
        9,
        &[
            "jlee would have an account as judge",
            "line 4",
            "court/kern",
            "line 5",
            "not a role",
            "nothing was",
        ],
    );
    house
        .node
        .run(&["users", "list", "--json"])
        .await?
        .said(0, &["[]"]);
    let taken = house.node.run(&["users", "import", &staff]).await?;
    taken.said(9, &["2 made; 2 refused"]);
    let code = taken
        .text()
        .lines()
        .next()
        .unwrap()
        .rsplit(' ')
        .next()
        .unwrap()
        .to_owned();
    house.set_up("jlee", &code).await?.log_on().await?;
    house
        .node
        .run(&["users", "import", &staff])
        .await?
        .said(9, &["jlee is in use", "0 made; 4 refused"]);
    house
        .node
        .run(&["users", "import", "/nonexistent"])
        .await?
        .said(2, &["/nonexistent", "name,full_name,role,of"]);
    house.node.stop().await;
    Ok(())
}
