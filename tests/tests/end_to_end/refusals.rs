//! Which callers are refused: those with the wrong certificate, or with the right one and no right to the act. Each is told
//! what to do, nothing of theirs is kept, and whoever may goes on.

use std::net::SocketAddr;

use ccpor_api::message::{EndOrderRequest, Ending, LookupRequest, RecordServiceRequest, Service};
use ccpor_api::{CallFailed, Client, Code, ImageOffer, Target};
use ccpor_certs::tls::{Expect, client_config};
use ccpor_certs::{Clock, IdentityDir};
use ccpor_tests::lone::{Realm, trusting};
use ccpor_tests::program::Program;
use ccpor_tests::rest::Rest;
use ccpor_tests::world::{Outcome, World, file, lookup, order, until};

async fn as_caller(
    identity: &IdentityDir,
    address: SocketAddr,
    ori: Option<&str>,
) -> Result<Client, CallFailed> {
    let tls = client_config(identity, Expect::AnyServer, &[b"h2"]).unwrap();
    Client::connect(Target {
        ori: ori.map(Into::into),
        ..Target::new(address.to_string(), tls)
    })
    .await
}

/// What a first call with this identity comes to.
async fn status_as(identity: &IdentityDir, address: SocketAddr, ori: Option<&str>) -> Result<(), CallFailed> {
    as_caller(identity, address, ori)
        .await?
        .status()
        .await
        .map(|_| ())
}

fn code<T>(called: Result<T, CallFailed>) -> Option<Code> {
    match called {
        Err(CallFailed::Problem(problem)) => Some(problem.code),
        _ => None,
    }
}

#[tokio::test]
async fn callers_without_the_right_certificate_or_the_right_are_refused() -> Outcome<()> {
    let mut world = World::start(&["alameda", "tuolumne"]).await?;
    let (node, hub) = (world.fleet.members()[0].api(), world.fleet.hub_api());
    let alameda = world.node(0).await?;
    let filed = file(&alameda, "the-honest-1", order("DOE", "JANE", "HF26-1"))
        .await?
        .order_id;

    // No certificate.
    for address in [node, hub] {
        let nobody = Rest::nobody(world.operator(), address)?;
        for path in ["/v1/status", "/v1/courts", "/v1/openapi.json", "/readyz"] {
            let problem = nobody.get(path).await?.problem()?;
            assert_eq!(problem.code, Code::NotAuthenticated, "{path}");
            assert!(problem.advice().contains("client certificate"), "{problem}");
        }
        assert_eq!(nobody.get("/livez").await?.status, 200);
        let question = serde_json::json!({ "last": "DOE" });
        assert_eq!(
            nobody.post("/v1/lookup", &question).await?.problem()?.code,
            Code::NotAuthenticated
        );
    }

    // Another authority: neither side believes the other.
    let foreign = Realm::new(Clock::machine())?;
    let stranger = foreign.issue("operator/stranger", &[])?;
    let failed = status_as(&stranger, node, None).await.unwrap_err();
    assert!(matches!(failed, CallFailed::ServerNotTrusted { .. }), "{failed}");
    let stranger = trusting(
        &stranger,
        world.operator(),
        &world.directory.path().join("stranger"),
    )?;
    for address in [node, hub] {
        let failed = status_as(&stranger, address, None).await.unwrap_err();
        assert!(matches!(failed, CallFailed::Refused { .. }), "{failed}");
        assert!(
            failed.to_string().contains("ask the operator of the registry"),
            "{failed}"
        );
        let told = Program::ask(&stranger, address)?
            .args(["lookup", "DOE,JANE"])
            .run()
            .await?;
        told.said(4, &["refused this certificate", "ask the operator"]);
    }

    // The right authority, and no right to the act.
    let authority = world.fleet.authority();
    let issue = |identity: &str, oris: &[&str]| {
        let oris: Vec<String> = oris.iter().map(|ori| (*ori).to_owned()).collect();
        authority.issue(
            &identity.parse().unwrap(),
            &[],
            &oris,
            &world.directory.path().join(identity.replace('/', "-")),
        )
    };
    let other_node = IdentityDir::open(&world.fleet.members()[1].data().join("identity"))?;
    let (other_system, agency) = (
        issue("system/tuolumne-cms", &[])?,
        issue("lea/alameda-so", &["CA0010000", "CA0010100"])?,
    );
    for identity in [
        &other_node,
        &other_system,
        &agency,
        &issue("system/alamedax", &[])?,
    ] {
        let client = as_caller(identity, node, None).await?;
        assert_eq!(
            lookup(&client, "DOE", "JANE").await?.hits.len(),
            1,
            "everybody here may look"
        );
        let refused = file(&client, "not-allowed", order("MALLORY", "EVE", "HF26-2")).await;
        assert_eq!(code(refused), Some(Code::NotAllowed), "{}", identity.identity());
        let end = EndOrderRequest {
            idempotency_key: "not-allowed".into(),
            order_id: filed.clone(),
            ending: Some(Ending {
                kind: "terminated".into(),
                ..Ending::default()
            }),
            ..EndOrderRequest::default()
        };
        assert_eq!(code(client.end_order(end).await), Some(Code::NotAllowed));
        let offer = ImageOffer {
            order_id: filed.clone(),
            idempotency_key: "not-allowed".into(),
            ..ImageOffer::default()
        };
        assert_eq!(
            code(client.attach_image(offer, "%PDF-1.7".into()).await),
            Some(Code::NotAllowed)
        );
        let serve = RecordServiceRequest {
            idempotency_key: format!("serve-{}", identity.identity().path()),
            order_id: filed.clone(),
            service: Some(Service {
                mode: "personal".into(),
                ..Service::default()
            }),
            ..RecordServiceRequest::default()
        };
        // Law enforcement serves orders, and records that it did; nobody else here does.
        let expected = (identity.identity() != agency.identity()).then_some(Code::NotAllowed);
        assert_eq!(
            code(client.record_service(serve).await),
            expected,
            "{}",
            identity.identity()
        );
    }
    assert_eq!(
        code(
            file(
                &as_caller(&issue("system/alameda-cms", &[])?, node, None).await?,
                "own-system-1",
                order("ROE", "RICHARD", "HF26-3")
            )
            .await
        ),
        None
    );

    // An agency that the certificate does not name.
    assert_eq!(status_as(&agency, node, Some("CA0010100")).await.ok(), Some(()));
    for ori in ["CA0190000", "nonsense", "CA0010000, CA0190000"] {
        assert_eq!(
            code(status_as(&agency, node, Some(ori)).await),
            Some(Code::OriNotAccepted),
            "{ori}"
        );
    }
    assert_eq!(
        code(status_as(&other_system, node, Some("CA0010000")).await),
        Some(Code::OriNotAccepted)
    );
    let told = Program::ask(&agency, node)?
        .args(["--ori", "CA0190000", "lookup", "DOE,JANE"])
        .run()
        .await?;
    told.said(4, &["ccpor-ori", "your certificate names"]);

    // Nothing of it was kept, and the honest go on.
    let again = file(&alameda, "the-honest-2", order("DOE", "JOHN", "HF26-4")).await?;
    let courts = alameda.list_courts().await?;
    let own = courts
        .courts
        .iter()
        .find(|court| court.court == "court/alameda")
        .unwrap();
    // Epoch, three orders, one service.
    assert_eq!(
        (
            own.orders,
            own.head.as_ref().unwrap().seq,
            again.position.unwrap().seq
        ),
        (3, 5, 5)
    );
    assert_eq!(lookup(&alameda, "MALLORY", "EVE").await?.hits, []);
    world.fleet.stop().await;
    Ok(())
}

/// "No match" about a court whose orders are not here would say nothing, and be believed.
#[tokio::test]
async fn a_question_about_a_court_that_is_not_held_is_refused_by_its_field() -> Outcome<()> {
    let mut world = World::start(&["alameda"]).await?;
    let asked = |court: &str| LookupRequest {
        last: "DOE".into(),
        courts: vec!["court/alameda".into(), court.into()],
        ..LookupRequest::default()
    };
    for client in [world.node(0).await?, world.hub().await?] {
        let held = until("the court is held", async || {
            // A ledger that is just begun vouches for nothing yet.
            let fresh = client.list_courts().await?.freshness.unwrap_or_default();
            Ok((!fresh.courts.is_empty()).then_some(()))
        });
        held.await?;
        assert_eq!(client.lookup(asked("court/alameda")).await?.hits, []);
        match client.lookup(asked("court/tuolumne")).await {
            Err(CallFailed::Problem(problem)) => {
                assert_eq!(problem.fields[0].path, "courts", "{problem}");
                assert!(problem.fields[0].reason.contains("court/tuolumne"), "{problem}");
            }
            other => panic!("not refused: {other:?}"),
        }
    }
    world.fleet.stop().await;
    Ok(())
}
