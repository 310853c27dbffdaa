//! Both faces give equal answers and equal problems for every operation.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use ccpor_api::message::*;
use ccpor_api::{CallFailed, Client, Code, ImageOffer, Limits, Problem};
use futures_util::StreamExt;
use serde_json::{Value, json};

use crate::desk::Desk;
use crate::house::{Answer, House, get, post, problem};

enum Call {
    File(FileOrderRequest),
    Amend(AmendOrderRequest),
    Serve(RecordServiceRequest),
    End(EndOrderRequest),
    Attach(ImageOffer, Bytes),
    Show(GetOrderRequest),
    Image(String),
    Lookup(LookupRequest),
    Batch(Vec<LookupRequest>),
    Courts,
    Status,
}

type Outcome = Result<Value, Problem>;

async fn by_grpc(client: &Client, call: &Call) -> Outcome {
    let done = match call {
        Call::File(message) => client.file_order(message.clone()).await.map(|done| json!(done)),
        Call::Amend(message) => client.amend_order(message.clone()).await.map(|done| json!(done)),
        Call::Serve(message) => client
            .record_service(message.clone())
            .await
            .map(|done| json!(done)),
        Call::End(message) => client.end_order(message.clone()).await.map(|done| json!(done)),
        Call::Attach(offer, data) => client
            .attach_image(offer.clone(), data.clone())
            .await
            .map(|done| json!(done)),
        Call::Show(message) => client.get_order(message.clone()).await.map(|done| json!(done)),
        Call::Image(blake3) => match client.get_image(blake3).await {
            Ok(mut image) => {
                let mut bytes = BytesMut::new();
                while let Some(piece) = image.data.next().await {
                    bytes.extend_from_slice(&piece.unwrap());
                }
                Ok(json!([image.image.media, bytes.to_vec()]))
            }
            Err(failed) => Err(failed),
        },
        Call::Lookup(message) => client.lookup(message.clone()).await.map(|done| json!(done)),
        Call::Batch(questions) => {
            let answers = client
                .lookup_batch(futures_util::stream::iter(questions.clone()))
                .await
                .unwrap();
            Ok(json!(
                answers.map(|answer| answer.unwrap()).collect::<Vec<_>>().await
            ))
        }
        Call::Courts => client.list_courts().await.map(|done| json!(done)),
        Call::Status => client.status().await.map(|done| json!(done)),
    };
    done.map_err(|failed| match failed {
        CallFailed::Problem(problem) => problem,
        other => panic!("{other}"),
    })
}

async fn by_rest(house: &House, call: &Call) -> Outcome {
    let send = |path: String, message: Value| async move {
        outcome(house.call(post(&path), message.to_string()).await)
    };
    match call {
        Call::File(message) => send("/v1/orders".to_owned(), json!(message)).await,
        Call::Amend(message) => {
            send(
                format!("/v1/orders/{}/amendments", message.order_id),
                json!(message),
            )
            .await
        }
        Call::Serve(message) => {
            send(format!("/v1/orders/{}/service", message.order_id), json!(message)).await
        }
        Call::End(message) => send(format!("/v1/orders/{}/ending", message.order_id), json!(message)).await,
        Call::Attach(offer, data) => {
            let request = http::Request::put(format!("/v1/orders/{}/images", offer.order_id))
                .header("idempotency-key", &offer.idempotency_key)
                .header("ccpor-title", offer.title.as_bytes());
            outcome(house.call(request, data.clone()).await)
        }
        Call::Show(message) => {
            let path = format!(
                "/v1/orders/{}?at={}&versions={}",
                message.order_id, message.at, message.versions
            );
            outcome(house.call(get(&path), "").await)
        }
        Call::Image(blake3) => {
            let answer = house.call(get(&format!("/v1/images/{blake3}")), "").await;
            if !answer.status().is_success() {
                return Err(problem(&answer));
            }
            assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
            assert_eq!(answer.headers()["content-type"], "application/pdf");
            let disposition = answer.headers()["content-disposition"].to_str().unwrap();
            assert_eq!(
                disposition,
                format!("attachment; filename=\"{}.pdf\"", &blake3[..16])
            );
            Ok(json!(["pdf", answer.body().to_vec()]))
        }
        Call::Lookup(message) => send("/v1/lookup".to_owned(), json!(message)).await,
        Call::Batch(questions) => {
            let lines: Vec<String> = questions
                .iter()
                .map(|question| json!(question).to_string())
                .collect();
            let request =
                http::Request::post("/v1/lookup/batch").header("content-type", "application/x-ndjson");
            let answer = house.call(request, lines.join("\n")).await;
            let text = std::str::from_utf8(answer.body()).unwrap();
            Ok(text
                .lines()
                .map(|line| serde_json::from_str::<Value>(line).unwrap())
                .collect())
        }
        Call::Courts => outcome(house.call(get("/v1/courts"), "").await),
        Call::Status => outcome(house.call(get("/v1/status"), "").await),
    }
}

fn outcome(answer: Answer) -> Outcome {
    assert_eq!(answer.headers()["cache-control"], "no-store");
    if !answer.status().is_success() {
        return Err(problem(&answer));
    }
    let value: Value = serde_json::from_slice(answer.body()).unwrap();
    if let Some(freshness) = value.get("freshness") {
        assert_eq!(
            answer.headers()["ccpor-as-of"],
            freshness["as_of"].as_str().unwrap()
        );
        assert_eq!(answer.headers()["ccpor-completeness"], "degraded");
        assert_eq!(answer.headers()["ccpor-not-current"], "court/tuolumne");
    }
    Ok(value)
}

/// Runs the calls on both faces, each over a registry of its own, and gives what came of them.
async fn both(calls: &[Call]) -> Vec<Outcome> {
    let (one, other) = (open().await, open().await);
    let client = one.client().await;
    let mut outcomes = Vec::new();
    for (number, call) in calls.iter().enumerate() {
        let (grpc, rest) = (by_grpc(&client, call).await, by_rest(&other, call).await);
        assert_eq!(grpc, rest, "call {number}");
        outcomes.push(grpc);
    }
    outcomes
}

async fn open() -> House {
    House::open(Arc::new(Desk::default()), Limits::default()).await
}

pub(crate) fn order() -> Order {
    let name = |last: &str| {
        Some(Name {
            first: "Jo".to_owned(),
            last: last.to_owned(),
            ..Default::default()
        })
    };
    Order {
        form: "DV-130".to_owned(),
        court: Some(Court {
            slug: "alameda".to_owned(),
            ..Default::default()
        }),
        case_number: "HF26000117".to_owned(),
        issued: "2026-10-02".to_owned(),
        restrained: Some(Person {
            name: name("Doe"),
            ..Default::default()
        }),
        protected: vec![Protected {
            person: Some(Person {
                name: name("Roe"),
                ..Default::default()
            }),
            ..Default::default()
        }],
        ..Default::default()
    }
}

pub(crate) fn filing(key: &str) -> FileOrderRequest {
    FileOrderRequest {
        idempotency_key: key.to_owned(),
        order: Some(order()),
        ..Default::default()
    }
}

fn id(key: &str) -> String {
    ccpor_domain::OrderId::derive("court/alameda/node/1", key).to_string()
}

fn codes(outcomes: &[Outcome]) -> Vec<Option<Code>> {
    outcomes
        .iter()
        .map(|outcome| outcome.as_ref().err().map(|problem| problem.code))
        .collect()
}

fn key(number: usize) -> String {
    format!("key-000{number}")
}

fn last(last: &str) -> LookupRequest {
    LookupRequest {
        last: last.to_owned(),
        reference: "r1".to_owned(),
        ..Default::default()
    }
}

fn show(order_id: &str) -> Call {
    Call::Show(GetOrderRequest {
        order_id: order_id.to_owned(),
        versions: true,
        ..Default::default()
    })
}

fn serve(number: usize, order_id: &str, mode: &str) -> Call {
    let service = Service {
        mode: mode.to_owned(),
        date: "2026-10-02".to_owned(),
        ..Default::default()
    };
    Call::Serve(RecordServiceRequest {
        idempotency_key: key(number),
        order_id: order_id.to_owned(),
        service: Some(service),
        ..Default::default()
    })
}

fn end(number: usize, order_id: &str, kind: &str) -> Call {
    Call::End(EndOrderRequest {
        idempotency_key: key(number),
        order_id: order_id.to_owned(),
        ending: Some(Ending {
            kind: kind.to_owned(),
            ..Default::default()
        }),
        reason: "asked for".to_owned(),
    })
}

fn amend(number: usize, order_id: &str, expected_version: u32) -> Call {
    Call::Amend(AmendOrderRequest {
        idempotency_key: key(number),
        order_id: order_id.to_owned(),
        order: Some(Order {
            other_text: "changed".to_owned(),
            ..order()
        }),
        expected_version,
        reason: String::new(),
    })
}

fn attach(key: &str, order_id: &str, data: &Bytes) -> Call {
    let offer = ImageOffer {
        idempotency_key: key.to_owned(),
        order_id: order_id.to_owned(),
        title: "Señor, signed".to_owned(),
        reason: String::new(),
    };
    Call::Attach(offer, data.clone())
}

fn file(order: Order) -> Call {
    Call::File(FileOrderRequest {
        order: Some(order),
        ..filing("key-0009")
    })
}

#[tokio::test]
async fn the_whole_life_of_an_order() {
    let order_id = id(&key(1));
    let pdf = Bytes::from([b"%PDF".to_vec(), vec![7; 150_000]].concat());
    let outcomes = both(&[
        Call::File(filing(&key(1))),
        Call::File(filing(&key(1))),
        serve(2, &order_id, "personal"),
        amend(3, &order_id, 1),
        amend(4, &order_id, 1),
        attach(&key(5), &order_id, &pdf),
        Call::Image(blake3::hash(&pdf).to_hex().to_string()),
        Call::Lookup(last("DOE")),
        Call::Batch(vec![last("doe"), LookupRequest::default(), last("nobody")]),
        end(6, &order_id, "terminated"),
        end(7, &order_id, "terminated"),
        show(&order_id),
        Call::Courts,
        Call::Status,
    ])
    .await;
    let mut expected = vec![None; outcomes.len()];
    expected[4] = Some(Code::VersionConflict);
    expected[10] = Some(Code::StateConflict);
    assert_eq!(codes(&outcomes), expected);
    let answer = |number: usize| outcomes[number].clone().unwrap();
    assert_eq!(answer(1)["repeated"], true);
    assert_eq!(answer(7)["hits"][0]["order_id"], order_id);
    assert_eq!(answer(8)[1]["problem"]["code"], "invalid-fields");
    assert_eq!(answer(8)[2]["hits"], json!([]));
    assert_eq!(answer(11)["standing"]["words"], "TERMINATED, SERVED");
    assert_eq!(answer(11)["history"].as_array().unwrap().len(), 5);
    assert_eq!(answer(11)["history"][4]["reason"], "asked for");
    assert_eq!(answer(11)["history"][1]["by"]["ori"], "CA001015J");
    assert_eq!(answer(11)["images"][0]["title"], "Señor, signed");
    assert_eq!(answer(13)["caller"]["identity"], "system/alameda-cms");
}

#[tokio::test]
async fn refused_fields_are_the_same_and_repeat_nothing_of_a_person() {
    let broken = Order {
        issued: "2026-02-30".to_owned(),
        family: "dv".to_owned(),
        restrained: Some(Person {
            dob: "1985-02-30".to_owned(),
            sex: "Jane".to_owned(),
            ..Default::default()
        }),
        ..order()
    };
    let endless = Term {
        places: vec!["where she lives".to_owned(); 5_000],
        ..Default::default()
    };
    let unknown = "00".repeat(16);
    let outcomes = both(&[
        file(broken),
        file(Order {
            terms: vec![endless],
            ..order()
        }),
        file(Order::default()),
        Call::File(FileOrderRequest::default()),
        Call::File(filing("short")),
        attach("", &unknown, &Bytes::from_static(b"%PDF")),
        show("nonsense"),
        Call::Image("nonsense".to_owned()),
        Call::Lookup(LookupRequest {
            dob: "1985-13".to_owned(),
            role: "judge".to_owned(),
            ..Default::default()
        }),
        Call::Lookup(LookupRequest::default()),
        serve(1, &unknown, ""),
        end(2, &unknown, "superseded"),
    ])
    .await;
    assert_eq!(codes(&outcomes), vec![Some(Code::InvalidFields); 12]);
    let told: Vec<String> = outcomes
        .iter()
        .flat_map(|outcome| outcome.clone().unwrap_err().fields)
        .map(|field| format!("{}: {}", field.path, field.reason))
        .collect();
    for begin in [
        "order.issued: \"2026-02-30\" is no date: there is no such day",
        "order.restrained.dob: there is no such day",
        "order.terms[0].places[15]: not a place: write one of person",
        "order.case_number: is missing",
        "idempotency_key: must be 8 to 128",
        "service.mode: is missing",
        "ending.by: is missing",
    ] {
        assert!(
            told.iter().any(|line| line.starts_with(begin)),
            "{begin}: {told:?}"
        );
    }
    assert!(
        ["Jane", "1985", "she"]
            .iter()
            .all(|word| !told.concat().contains(word)),
        "{told:?}"
    );
}

#[tokio::test]
async fn other_problems_are_the_same() {
    let (order_id, unknown) = (id(&key(1)), "00".repeat(16));
    let outcomes = both(&[
        Call::File(filing(&key(1))),
        Call::File(FileOrderRequest {
            reason: "other".to_owned(),
            ..filing(&key(1))
        }),
        attach(&key(2), &order_id, &Bytes::from_static(b"<html>")),
        show(&unknown),
        serve(3, &unknown, "verbal"),
        Call::Image("0f".repeat(32)),
        Call::Lookup(last("undated")),
        file(Order {
            other_text: "panic".to_owned(),
            ..order()
        }),
    ])
    .await;
    let expected = [
        None,
        Some(Code::IdempotencyKeyReused),
        Some(Code::ImageRefused),
        Some(Code::OrderNotFound),
        Some(Code::OrderNotFound),
        Some(Code::ImageNotFound),
        Some(Code::Internal),
        Some(Code::Internal),
    ];
    assert_eq!(codes(&outcomes), expected);
}
