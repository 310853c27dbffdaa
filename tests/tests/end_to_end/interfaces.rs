//! The two faces of one machine: REST and gRPC do the same, refuse the same and repeat the same; pages are stable; and the
//! interfaces describe themselves.

use std::collections::BTreeSet;
use std::convert::Infallible;

use bytes::Bytes;
use ccpor_api::message::{
    AmendOrderRequest, CourtsAnswer, EndOrderRequest, Ending, FileOrderRequest, GetOrderRequest,
    LookupAnswer, LookupRequest, OrderAnswer, RecordServiceRequest, Service, StatusAnswer, WriteAnswer,
};
use ccpor_api::{CallFailed, Client, Code, Problem};
use ccpor_tests::rest::Rest;
use ccpor_tests::world::{Outcome, World, order};
use http_body_util::StreamBody;
use hyper::body::Frame;
use serde_json::{Value, json};

fn problem<T: std::fmt::Debug>(failed: Result<T, CallFailed>) -> Outcome<Problem> {
    match failed {
        Err(CallFailed::Problem(problem)) => Ok(problem),
        other => Err(format!("{other:?}").into()),
    }
}

/// An answer without what is different each time it is asked.
fn lasting<T: serde::Serialize>(answer: &T) -> Outcome<Value> {
    fn strip(value: &mut Value) {
        match value {
            Value::Object(map) => {
                for name in [
                    "freshness",
                    "query_id",
                    "age_ms",
                    "as_of",
                    "round_trip_us",
                    "disk_free_bytes",
                    "at",
                ] {
                    map.remove(name);
                }
                map.values_mut().for_each(strip);
            }
            Value::Array(list) => list.iter_mut().for_each(strip),
            _ => {}
        }
    }
    let mut value = serde_json::to_value(answer)?;
    strip(&mut value);
    Ok(value)
}

fn filing(key: &str, last: &str, case_number: &str) -> FileOrderRequest {
    FileOrderRequest {
        idempotency_key: key.into(),
        source_id: format!("cms-{case_number}"),
        reason: "signed today".into(),
        order: Some(order(last, "JOSE", case_number)),
        ..FileOrderRequest::default()
    }
}

/// Files by one face, repeats by the other, and goes on through all the writes; each repeated by the other face.
async fn every_write_can_be_repeated(client: &Client, rest: &Rest) -> Outcome<String> {
    let request = filing("write-file-1", "GARCIA LOPEZ", "HF26-1");
    let filed = client.file_order(request.clone()).await?;
    let again = rest.post("/v1/orders", &request).await?;
    assert_eq!(
        (again.status, again.headers["location"].to_str()?),
        (200, &*format!("/v1/orders/{}", filed.order_id))
    );
    assert_eq!(
        WriteAnswer {
            repeated: true,
            ..filed.clone()
        },
        again.message()?
    );
    let fresh = rest
        .post("/v1/orders", &filing("write-file-2", "NGUYEN", "HF26-2"))
        .await?;
    assert_eq!(fresh.status, 201);

    let path = |act: &str| format!("/v1/orders/{}/{act}", filed.order_id);
    let mut changed = order("GARCIA LOPEZ", "JOSE", "HF26-1");
    changed.other_text = "Return the keys.".into();
    let amend = AmendOrderRequest {
        idempotency_key: "write-amend-1".into(),
        order_id: filed.order_id.clone(),
        expected_version: 1,
        order: Some(changed),
        reason: "keys added".into(),
    };
    let amended: WriteAnswer = rest.post(&path("amendments"), &amend).await?.message()?;
    assert_eq!((amended.version, amended.repeated), (2, false));
    assert_eq!(
        WriteAnswer {
            repeated: true,
            ..amended
        },
        client.amend_order(amend.clone()).await?
    );

    let serve = RecordServiceRequest {
        idempotency_key: "write-serve-1".into(),
        order_id: filed.registry_number.clone(),
        service: Some(Service {
            mode: "personal".into(),
            date: "2026-03-02".into(),
            ..Service::default()
        }),
        ..RecordServiceRequest::default()
    };
    let served = client.record_service(serve.clone()).await?;
    let by_number = rest
        .post(&format!("/v1/orders/{}/service", filed.registry_number), &serve)
        .await?;
    assert_eq!(
        WriteAnswer {
            repeated: true,
            ..served
        },
        by_number.message()?
    );

    let end = EndOrderRequest {
        idempotency_key: "write-end-01".into(),
        order_id: filed.order_id.clone(),
        ending: Some(Ending {
            kind: "terminated".into(),
            date: "2026-04-01".into(),
            ..Ending::default()
        }),
        reason: "dismissed".into(),
    };
    let ended: WriteAnswer = rest.post(&path("ending"), &end).await?.message()?;
    assert_eq!(
        WriteAnswer {
            repeated: true,
            ..ended
        },
        client.end_order(end).await?
    );

    // A late repetition of an early act still gives the answer of then, and does nothing again.
    assert_eq!(
        WriteAnswer {
            repeated: true,
            ..filed.clone()
        },
        client.file_order(request).await?
    );
    assert_eq!(client.amend_order(amend).await?.version, 2);
    let shown = client
        .get_order(GetOrderRequest {
            order_id: filed.order_id.clone(),
            ..Default::default()
        })
        .await?;
    assert_eq!(shown.history.len(), 4, "{:?}", shown.history);
    Ok(filed.order_id)
}

async fn answers_are_equal(client: &Client, rest: &Rest, order: &str) -> Outcome<()> {
    let request = GetOrderRequest {
        order_id: order.into(),
        versions: true,
        ..GetOrderRequest::default()
    };
    let by_rest: OrderAnswer = rest
        .get(&format!("/v1/orders/{order}?versions=true"))
        .await?
        .message()?;
    assert!(by_rest.freshness.is_some());
    assert_eq!(lasting(&client.get_order(request).await?)?, lasting(&by_rest)?);
    for question in [
        LookupRequest {
            last: "GARCIA LOPEZ".into(),
            first: "JOSE".into(),
            ..LookupRequest::default()
        },
        LookupRequest {
            case_number: "HF26-2".into(),
            ..LookupRequest::default()
        },
        LookupRequest {
            line: "GARCIA LOPEZ,JOSE 19850312".into(),
            ..LookupRequest::default()
        },
        LookupRequest {
            last: "NOBODY AT ALL".into(),
            ..LookupRequest::default()
        },
    ] {
        let by_rest: LookupAnswer = rest.post("/v1/lookup", &question).await?.message()?;
        assert!(by_rest.freshness.is_some());
        assert_eq!(lasting(&client.lookup(question).await?)?, lasting(&by_rest)?);
    }
    let courts: CourtsAnswer = rest.get("/v1/courts").await?.message()?;
    assert_eq!(courts.courts.len(), client.list_courts().await?.courts.len());
    let (status, by_grpc): (StatusAnswer, _) =
        (rest.get("/v1/status").await?.message()?, client.status().await?);
    assert_eq!(
        (status.identity, status.records, status.caller),
        (by_grpc.identity, by_grpc.records, by_grpc.caller)
    );
    Ok(())
}

async fn refusals_are_equal(client: &Client, rest: &Rest, order: &str) -> Outcome<()> {
    let mut no_name = filing("refuse-0001", "", "");
    no_name.order.as_mut().unwrap().issued = "2026-02-31".into();
    let mut reused = filing("write-file-2", "NGUYEN", "HF26-2");
    reused.order.as_mut().unwrap().other_text = "something else".into();
    let mut elsewhere = filing("refuse-0002", "DOE", "HF26-9");
    elsewhere.order.as_mut().unwrap().court = Some(ccpor_api::message::Court {
        slug: "kern".into(),
        ..Default::default()
    });
    let mut large = filing("refuse-0003", "DOE", "HF26-9");
    large.order.as_mut().unwrap().other_text = "x".repeat(2 << 20);
    for (request, wanted) in [
        (FileOrderRequest::default(), Code::InvalidFields),
        (filing("short", "DOE", "HF26-9"), Code::InvalidFields),
        (no_name, Code::InvalidFields),
        (reused, Code::IdempotencyKeyReused),
        (elsewhere, Code::NotTheIssuingCourt),
    ] {
        let (left, right) = (
            rest.post("/v1/orders", &request).await?.problem()?,
            problem(client.file_order(request).await)?,
        );
        assert_eq!((left.code, &left), (wanted, &right));
        assert!(!left.advice().is_empty());
    }
    // Each face counts the bytes of its own form, and says so in its own words.
    let announced = http::Request::post("/v1/orders")
        .header("content-type", "application/json")
        .header("content-length", 2 << 20);
    let pending = StreamBody::new(futures_util::stream::pending::<Result<Frame<Bytes>, Infallible>>());
    assert_eq!(
        rest.send(announced, pending).await?.problem()?.code,
        Code::TooLarge
    );
    assert_eq!(problem(client.file_order(large).await)?.code, Code::TooLarge);
    let mut fields = filing("refuse-0001", "DOE", "HF26-9");
    fields.order.as_mut().unwrap().issued = "2026-02-31".into();
    fields.order.as_mut().unwrap().restrained.as_mut().unwrap().sex = "perhaps".into();
    let told = problem(client.file_order(fields).await)?;
    let paths: Vec<&str> = told.fields.iter().map(|field| field.path.as_str()).collect();
    assert_eq!(
        paths,
        ["order.issued", "order.restrained.sex"],
        "every bad field is named at once"
    );

    let stale = AmendOrderRequest {
        idempotency_key: "refuse-0004".into(),
        order_id: order.into(),
        expected_version: 1,
        order: Some(ccpor_tests::world::order("GARCIA LOPEZ", "JOSE", "HF26-1")),
        ..AmendOrderRequest::default()
    };
    let path = format!("/v1/orders/{order}/amendments");
    let (left, right) = (
        rest.post(&path, &stale).await?.problem()?,
        problem(client.amend_order(stale).await)?,
    );
    assert_eq!(left, right);
    assert!(
        matches!(left.code, Code::VersionConflict | Code::StateConflict),
        "{left:?}"
    );
    for id in ["0".repeat(32), "AAAA-AAAA-AAAA-A".into(), "nonsense".into()] {
        let request = GetOrderRequest {
            order_id: id.clone(),
            ..GetOrderRequest::default()
        };
        let left = rest.get(&format!("/v1/orders/{id}")).await?.problem()?;
        assert_eq!(
            (left.code, &left),
            (Code::OrderNotFound, &problem(client.get_order(request).await)?)
        );
    }
    for question in [
        LookupRequest::default(),
        LookupRequest {
            last: "DOE".into(),
            dob: "1985-13".into(),
            ..LookupRequest::default()
        },
        LookupRequest {
            last: "DOE".into(),
            limit: 1_000,
            ..LookupRequest::default()
        },
        LookupRequest {
            last: "DOE".into(),
            page_token: "made-up".into(),
            ..LookupRequest::default()
        },
        LookupRequest {
            last: "DOE".into(),
            courts: vec!["the court of Alameda".into()],
            ..LookupRequest::default()
        },
        LookupRequest {
            last: "x".repeat(10_000),
            ..LookupRequest::default()
        },
    ] {
        let left = rest.post("/v1/lookup", &question).await?.problem()?;
        assert_eq!(
            (left.code, &left),
            (Code::InvalidFields, &problem(client.lookup(question).await)?)
        );
    }
    let unknown = rest
        .post("/v1/lookup", &json!({ "lsat": "DOE" }))
        .await?
        .problem()?;
    assert_eq!(unknown.code, Code::InvalidFields);
    Ok(())
}

/// Orders that all match one question; by pages of any size each of them comes once, and orders filed meanwhile disturb none.
async fn pages_are_stable_and_complete(client: &Client, rest: &Rest) -> Outcome<()> {
    const NAMESAKES: usize = 57;
    let mut ids = BTreeSet::new();
    for number in 0..NAMESAKES {
        let request = filing(
            &format!("page-{number:04}"),
            "TORRES MOLINA",
            &format!("PG26-{number}"),
        );
        ids.insert(client.file_order(request).await?.order_id);
    }
    for limit in [1_u32, 7, 20, 57, 200] {
        let mut question = LookupRequest {
            last: "TORRES MOLINA".into(),
            first: "JOSE".into(),
            limit,
            ..LookupRequest::default()
        };
        let (mut seen, mut scores, mut pages) = (Vec::new(), Vec::new(), 0);
        loop {
            // Every second page comes over the other face: a token is good for both.
            let answer: LookupAnswer = if pages % 2 == 0 {
                client.lookup(question.clone()).await?
            } else {
                rest.post("/v1/lookup", &question).await?.message()?
            };
            pages += 1;
            assert!(answer.hits.len() <= limit as usize);
            seen.extend(answer.hits.iter().map(|hit| hit.order_id.clone()));
            scores.extend(answer.hits.iter().map(|hit| hit.score));
            if limit == 7 && pages == 2 {
                let later = filing("page-later-1", "UNRELATED", "PG26-later");
                client.file_order(later).await?;
            }
            if answer.next_page_token.is_empty() {
                break;
            }
            question.page_token = answer.next_page_token;
        }
        let all: BTreeSet<String> = seen.iter().cloned().collect();
        assert_eq!(
            (all.len(), seen.len()),
            (NAMESAKES, NAMESAKES),
            "pages of {limit}"
        );
        assert_eq!(all, ids);
        assert!(
            scores.windows(2).all(|pair| pair[0] >= pair[1]),
            "best first over all pages"
        );
    }
    Ok(())
}

async fn the_interfaces_describe_themselves(rest: &Rest, nobody: &Rest) -> Outcome<()> {
    let document: Value = rest.get("/v1/openapi.json").await?.message()?;
    for (path, method) in [
        ("/v1/orders", "post"),
        ("/v1/orders/{order_id}", "get"),
        ("/v1/orders/{order_id}/amendments", "post"),
        ("/v1/orders/{order_id}/service", "post"),
        ("/v1/orders/{order_id}/ending", "post"),
        ("/v1/orders/{order_id}/images", "put"),
        ("/v1/images/{blake3}", "get"),
        ("/v1/lookup", "post"),
        ("/v1/lookup/batch", "post"),
        ("/v1/courts", "get"),
        ("/v1/status", "get"),
        ("/livez", "get"),
        ("/readyz", "get"),
    ] {
        assert!(document["paths"][path][method].is_object(), "{method} {path}");
    }
    for (who, path, status) in [
        (rest, "/livez", 200),
        (nobody, "/livez", 200),
        (rest, "/readyz", 200),
        (nobody, "/readyz", 401),
    ] {
        assert_eq!(who.get(path).await?.status, status, "{path}");
    }
    // SERVING is 1 in field 1; the name of the service is field 1 of the question.
    let named = [&[0x0a, 17][..], b"ccpor.v1.Registry"].concat();
    for question in [&[][..], &named] {
        let health = rest.grpc("/grpc.health.v1.Health/Check", question).await?;
        assert_eq!(health.body[..], [0, 0, 0, 0, 2, 0x08, 0x01]);
    }
    // Field 7 asks for the list of services.
    let reflection = rest
        .grpc(
            "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
            &[0x3a, 0],
        )
        .await?;
    let listed = String::from_utf8_lossy(&reflection.body).into_owned();
    assert!(
        listed.contains("ccpor.v1.Registry") && listed.contains("grpc.health.v1.Health"),
        "{listed}"
    );
    Ok(())
}

#[tokio::test]
async fn rest_and_grpc_are_one() -> Outcome<()> {
    let mut world = World::start(&["alameda"]).await?;
    let client = world.node(0).await?;
    let node = world.fleet.members()[0].api();
    let rest = Rest::of(&world.desk(node)?, node)?;
    let order = every_write_can_be_repeated(&client, &rest).await?;
    Box::pin(answers_are_equal(&client, &rest, &order)).await?;
    Box::pin(refusals_are_equal(&client, &rest, &order)).await?;
    pages_are_stable_and_complete(&client, &rest).await?;
    the_interfaces_describe_themselves(&rest, &Rest::nobody(world.operator(), node)?).await?;

    // The hub answers the same questions and says that orders are written elsewhere.
    let (hub, hub_rest) = (
        world.hub().await?,
        Rest::of(&world.desk(world.fleet.hub_api())?, world.fleet.hub_api())?,
    );
    ccpor_tests::world::until("the hub holds the order as it ended", || async {
        let request = GetOrderRequest {
            order_id: order.clone(),
            ..GetOrderRequest::default()
        };
        Ok(hub
            .get_order(request)
            .await
            .ok()
            .filter(|shown| shown.history.len() == 4))
    })
    .await?;
    Box::pin(answers_are_equal(&hub, &hub_rest, &order)).await?;
    let request = filing("at-the-hub-1", "DOE", "HF26-9");
    let left = hub_rest.post("/v1/orders", &request).await?.problem()?;
    assert_eq!(
        (left.code, &left),
        (Code::NotOffered, &problem(hub.file_order(request).await)?)
    );
    world.fleet.stop().await;
    Ok(())
}
