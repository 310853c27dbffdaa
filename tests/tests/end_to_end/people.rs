//! People, with the real programs: the first administrator, accounts, log-on with a second factor, and locks.

use ccpor_api::message::{OrderAnswer, WriteAnswer};
use ccpor_api::{Code, SessionAnswer, SetUpRequest};
use ccpor_tests::rest::Rest;
use ccpor_tests::world::{Outcome, order, until};

use crate::desks::{House, PASSWORD, Person, code, log_on, set_up_code};

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
        set_up_code: String::new(),
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

/// Everything that stands in the files below a directory.
fn written_below(directory: &std::path::Path) -> Outcome<Vec<u8>> {
    let mut written = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        written.extend(if path.is_dir() {
            written_below(&path)?
        } else {
            std::fs::read(&path)?
        });
    }
    Ok(written)
}

#[tokio::test]
async fn what_authenticators_share_is_sealed_on_the_disk_and_without_its_key_nobody_gets_in() -> Outcome<()> {
    let mut house = House::open("").await?;
    let mut clerk = house.staff("mgarcia", "query", None).await?;
    assert_eq!(clerk.tries(PASSWORD, &clerk.recovery[0]).await?.status, 201);
    house.node.stop().await;
    let shared = totp_rs::Totp::from_url(&clerk.authenticator)?;
    let spelled = clerk.authenticator.split("secret=").nth(1).unwrap();
    let spelled = spelled.split('&').next().unwrap().as_bytes();
    let written = written_below(&house.realm.path(""))?;
    assert!(!written.is_empty() && !clerk.set_up_code.is_empty());
    let secrets = [
        shared.secret(),
        spelled,
        clerk.set_up_code.as_bytes(),
        clerk.recovery[1].as_bytes(),
    ];
    for secret in secrets
        .into_iter()
        .chain([PASSWORD.as_bytes(), clerk.token.as_bytes()])
    {
        assert!(secret.len() > 10 && !written.windows(secret.len()).any(|part| part == secret));
    }

    // The key of another machine: the machine serves, says what is wrong, and lets nobody in with a code.
    std::fs::write(house.node.data().join("second-factors.key"), [7; 32])?;
    house.address = house.node.start().await?;
    clerk.rest = Rest::nobody(&house.court, house.address)?;
    let log = house.node.log();
    assert!(log.contains("is not the key under which they were sealed") && log.contains("users reset NAME"));
    for _ in 0..6 {
        assert_eq!(clerk.tries(PASSWORD, &clerk.code()).await?.status, 401);
    }
    house
        .node
        .run(&["users", "list"])
        .await?
        .said(0, &["mgarcia", "active", "1 accounts", "Put the file back"]);
    assert_eq!(clerk.tries(PASSWORD, &clerk.recovery[1]).await?.status, 201);
    let reset = house.node.run(&["users", "reset", "mgarcia"]).await?;
    house
        .set_up("mgarcia", &set_up_code(&reset.text()))
        .await?
        .log_on()
        .await?;
    house.node.stop().await;
    Ok(())
}
