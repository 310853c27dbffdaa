//! The door: who is let in, what is too large or cannot be read, and how long is waited.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use ccpor_api::message::*;
use ccpor_api::{CallFailed, Client, Code, ImageOffer, Limits, PROBLEM_TRAILER, Problem, Target};
use http_body_util::StreamBody;

use crate::desk::Desk;
use crate::faces::{filing, order};
use crate::house::{Authority, House, client_config, get, post, problem};

pub(crate) async fn open(limits: Limits) -> (House, Arc<Desk>) {
    let desk = Arc::new(Desk::default());
    (House::open(desk.clone(), limits).await, desk)
}

fn text(answer: &http::Response<Bytes>) -> &str {
    std::str::from_utf8(answer.body()).unwrap()
}

fn code(failed: CallFailed) -> Code {
    match failed {
        CallFailed::Problem(problem) => problem.code,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn without_a_certificate_only_liveness_answers() {
    let (house, _) = open(Limits::default()).await;
    for path in [
        "/readyz",
        "/v1/openapi.json",
        "/v1/courts",
        "/v1/status",
        "/nowhere",
    ] {
        let refused = house.call_as(None, get(path), "").await;
        assert_eq!(problem(&refused).code, Code::NotAuthenticated, "{path}");
        assert_eq!(refused.status(), 401);
    }
    assert_eq!(house.call_as(None, get("/livez"), "").await.status(), 200);
    let client = Client::connect(house.target(None)).await.unwrap();
    assert_eq!(code(client.status().await.unwrap_err()), Code::NotAuthenticated);
    let nobody = Client::connect(house.target(Some(&house.stranger)))
        .await
        .unwrap();
    assert_eq!(
        code(nobody.status().await.unwrap_err()),
        Code::CertificateNotAccepted
    );
    let refused = house.call_as(Some(&house.stranger), get("/v1/status"), "").await;
    assert_eq!(problem(&refused).code, Code::CertificateNotAccepted);
}

#[tokio::test]
async fn pages_need_no_certificate_and_the_interfaces_beside_them_still_do() {
    let pages = axum::Router::new().fallback(|request: axum::extract::Request| async move {
        let shown = request.extensions().get::<ccpor_api::Shown>().cloned();
        format!(
            "a page, {:?}",
            shown.unwrap().certificate.map(|caller| caller.identity)
        )
    });
    let house = House::open_with(Arc::new(Desk::default()), Limits::default(), Some(pages)).await;
    for path in ["/", "/search", "/v2", "/livezz"] {
        let page = house.call_as(None, get(path), "").await;
        assert_eq!(
            (page.status().as_u16(), text(&page)),
            (200, "a page, None"),
            "{path}"
        );
        assert_eq!(page.headers()["cache-control"], "no-store");
    }
    let page = house.call_as(Some(&house.dispatch), get("/search"), "").await;
    assert_eq!(text(&page), "a page, Some(\"lea/alameda-so\")");
    for path in [
        "/readyz",
        "/v1/openapi.json",
        "/v1/status",
        "/v1/nowhere",
        "/v1/orders/7K3M",
    ] {
        let refused = house.call_as(None, get(path), "").await;
        assert_eq!(problem(&refused).code, Code::NotAuthenticated, "{path}");
    }
    assert_eq!(text(&house.call_as(None, get("/livez"), "").await), "ok\n");
    let refused = house.call_as(Some(&house.stranger), get("/search"), "").await;
    assert_eq!(problem(&refused).code, Code::CertificateNotAccepted);
}

#[tokio::test]
async fn foreign_and_expired_certificates_and_dead_addresses_are_told_apart() {
    let (house, _) = open(Limits::default()).await;
    let foreign = Authority::new();
    for identity in [foreign.issue(false), house.authority.issue(true)] {
        let failed = match Client::connect(house.target(Some(&identity))).await {
            Ok(client) => client.status().await.unwrap_err(),
            Err(failed) => failed,
        };
        assert!(matches!(failed, CallFailed::Refused { .. }), "{failed:?}");
    }
    let config = client_config(&foreign, Some(&house.system), &[b"h2"]);
    let failed = Client::connect(Target::new(house.address.to_string(), config))
        .await
        .err()
        .unwrap();
    assert!(
        matches!(failed, CallFailed::ServerNotTrusted { .. }),
        "{failed:?}"
    );
    let nowhere = Target {
        endpoint: "https://127.0.0.1:1".to_owned(),
        ..house.target(Some(&house.system))
    };
    let failed = Client::connect(nowhere).await.err().unwrap();
    assert!(matches!(failed, CallFailed::Unreachable { .. }), "{failed:?}");
    for endpoint in ["", "no port", "host", "http://\u{0}:1"] {
        let bad = Target {
            endpoint: endpoint.to_owned(),
            ..house.target(Some(&house.system))
        };
        let failed = Client::connect(bad).await.err().unwrap();
        assert!(
            matches!(failed, CallFailed::BadEndpoint { .. }),
            "{endpoint}: {failed:?}"
        );
    }
}

#[tokio::test]
async fn the_agency_must_be_one_of_the_certificates() {
    let (house, _) = open(Limits::default()).await;
    let asked = |ori: &str| get("/v1/status").header("ccpor-ori", ori);
    let answer = house.call_as(Some(&house.dispatch), asked("ca0010100"), "").await;
    let status: StatusAnswer = serde_json::from_slice(answer.body()).unwrap();
    assert_eq!(status.caller.unwrap().ori, "CA0010100");
    let refused = house.call_as(Some(&house.dispatch), asked("CA0190000"), "").await;
    assert_eq!(problem(&refused).code, Code::OriNotAccepted);
    let target = Target {
        ori: Some("CA0190000".to_owned()),
        ..house.target(Some(&house.dispatch))
    };
    let client = Client::connect(target).await.unwrap();
    assert_eq!(code(client.status().await.unwrap_err()), Code::OriNotAccepted);
    let unnamed = Client::connect(house.target(Some(&house.dispatch)))
        .await
        .unwrap();
    let caller = unnamed.status().await.unwrap().caller.unwrap();
    assert_eq!((caller.ori.as_str(), caller.oris.len()), ("", 2));
}

#[tokio::test]
async fn what_is_too_large_is_cut_off() {
    let (house, _) = open(Limits {
        message_bytes: 80_000,
        ..Limits::default()
    })
    .await;
    let client = house.client().await;
    let big = Order {
        other_text: "x".repeat(90_000),
        ..order()
    };
    let request = FileOrderRequest {
        order: Some(big),
        ..filing("key-0001")
    };
    let body = serde_json::to_vec(&request).unwrap();
    assert_eq!(
        code(client.file_order(request).await.unwrap_err()),
        Code::TooLarge
    );
    let refused = house.call(post("/v1/orders"), body).await;
    assert_eq!(
        (problem(&refused).code, refused.status().as_u16()),
        (Code::TooLarge, 413)
    );

    let lines = http::Request::post("/v1/lookup/batch").header("content-type", "application/x-ndjson");
    let answer = house.call(lines, "x".repeat(70_000)).await;
    let last: LookupAnswer = serde_json::from_slice(answer.body()).unwrap();
    assert_eq!(last.problem.unwrap().code, "too-large");
}

#[tokio::test]
async fn an_image_that_is_too_large_is_cut_off_and_not_kept() {
    let (house, _) = open(Limits {
        image_bytes: 100_000,
        ..Limits::default()
    })
    .await;
    let client = house.client().await;
    let filed = client.file_order(filing("key-0002")).await.unwrap();
    let offer = ImageOffer {
        idempotency_key: "key-0003".to_owned(),
        order_id: filed.order_id.clone(),
        ..ImageOffer::default()
    };
    let image = Bytes::from([b"%PDF".to_vec(), vec![0; 100_000]].concat());
    assert_eq!(
        code(client.attach_image(offer, image.clone()).await.unwrap_err()),
        Code::TooLarge
    );
    let put = || {
        http::Request::put(format!("/v1/orders/{}/images", filed.order_id))
            .header("idempotency-key", "key-0004")
    };
    assert_eq!(
        problem(&house.call(put(), image.clone()).await).code,
        Code::TooLarge
    );
    // Without an announced length, so that only counting finds it.
    let pieces: Vec<Result<_, std::io::Error>> = image
        .chunks(5_000)
        .map(|piece| Ok(hyper::body::Frame::data(Bytes::copy_from_slice(piece))))
        .collect();
    let stream = StreamBody::new(futures_util::stream::iter(pieces));
    assert_eq!(
        problem(&house.call_with(Some(&house.system), put(), stream).await).code,
        Code::TooLarge
    );
    let careless = house
        .call(put().header("ccpor-title", "careless"), image.clone())
        .await;
    assert_eq!(problem(&careless).code, Code::TooLarge);
    let shown = client
        .get_order(GetOrderRequest {
            order_id: filed.order_id.clone(),
            ..Default::default()
        })
        .await
        .unwrap();
    assert_eq!(shown.images, []);
}

#[tokio::test]
async fn what_cannot_be_read_is_told_on_both_faces_and_recorded() {
    let (house, desk) = open(Limits::default()).await;
    for (body, wanted) in [
        ("", Code::MalformedRequest),
        ("{\"last\": ", Code::MalformedRequest),
        ("[1]", Code::InvalidFields),
        ("{\"lsat\": \"DOE\"}", Code::InvalidFields),
        ("{\"limit\": -1}", Code::InvalidFields),
    ] {
        assert_eq!(
            problem(&house.call(post("/v1/lookup"), body).await).code,
            wanted,
            "{body}"
        );
    }
    let plain = http::Request::post("/v1/lookup").header("content-type", "text/plain");
    assert_eq!(
        problem(&house.call(plain, "{}").await).code,
        Code::UnsupportedMediaType
    );
    assert_eq!(
        problem(&house.call(get("/v1/lookup"), "").await).code,
        Code::MethodNotAllowed
    );
    assert_eq!(
        problem(&house.call(get("/v2/lookup"), "").await).code,
        Code::NoSuchOperation
    );
    assert_eq!(
        problem(&house.call(get("/v1/orders/%ff"), "").await).code,
        Code::MalformedRequest
    );
    assert_eq!(
        problem(&house.call(get("/v1/orders/x?when=now"), "").await).code,
        Code::MalformedRequest
    );
    assert_eq!(
        recorded(&desk),
        [
            Code::MalformedRequest,
            Code::MalformedRequest,
            Code::InvalidFields,
            Code::InvalidFields,
            Code::InvalidFields,
            Code::UnsupportedMediaType,
            Code::MethodNotAllowed,
            Code::NoSuchOperation,
            Code::MalformedRequest,
            Code::MalformedRequest,
        ]
    );
}

/// Why calls of the court's system were turned away before they reached the desk.
fn recorded(desk: &Desk) -> Vec<Code> {
    let turned_away = desk.turned_away.lock().unwrap();
    assert!(turned_away.iter().all(|(who, _)| who == "system/alameda-cms"));
    turned_away.iter().map(|(_, code)| *code).collect()
}

#[tokio::test]
async fn a_call_that_reached_the_registry_is_not_recorded_at_the_door_as_well() {
    let (house, desk) = open(Limits::default()).await;
    let client = house.client().await;
    let unknown = GetOrderRequest {
        order_id: "0123456789abcdef0123456789abcdef".into(),
        ..Default::default()
    };
    assert_eq!(
        code(client.get_order(unknown).await.unwrap_err()),
        Code::OrderNotFound
    );
    client.status().await.unwrap();
    assert_eq!(house.call(get("/livez"), "").await.status(), 200);
    assert_eq!(recorded(&desk), []);
    // Without the number of an order it never gets there.
    let nameless = client.get_order(GetOrderRequest::default()).await;
    assert_eq!(code(nameless.unwrap_err()), Code::InvalidFields);
    assert_eq!(recorded(&desk), [Code::InvalidFields]);
}

#[tokio::test]
async fn a_question_of_a_batch_that_cannot_be_read_is_recorded_and_the_others_are_answered() {
    let (house, desk) = open(Limits::default()).await;
    let lines = "{\"last\": \"DOE\"}\n{\"lsat\": \"DOE\"}\n{\"last\": \"ROE\"}\n";
    let batch = http::Request::post("/v1/lookup/batch").header("content-type", "application/x-ndjson");
    let answer = house.call(batch, lines).await;
    assert_eq!(text(&answer).lines().count(), 3, "{}", text(&answer));
    assert_eq!(recorded(&desk), [Code::InvalidFields]);
}

#[tokio::test]
async fn broken_protobuf_and_unknown_methods_get_problems_too() {
    let (house, desk) = open(Limits::default()).await;
    for (path, bytes, wanted) in [
        (
            "/ccpor.v1.Registry/Lookup",
            &[0xff_u8, 0xff, 0xff][..],
            Code::MalformedRequest,
        ),
        ("/ccpor.v1.Registry/LookUp", &[], Code::NoSuchOperation),
        ("/ccpor.v2.Registry/Lookup", &[], Code::NoSuchOperation),
        (
            "/ccpor.v1.Registry/AttachImage",
            &[0xff, 0xff],
            Code::MalformedRequest,
        ),
    ] {
        let answer = house.grpc_bytes(path, bytes).await;
        let status = tonic::Status::from_header_map(answer.headers()).unwrap();
        let told = Problem::from_status(&status).unwrap_or_else(|| panic!("no {PROBLEM_TRAILER} at {path}"));
        assert_eq!((told.code, status.code()), (wanted, wanted.grpc()), "{path}");
        assert_eq!(recorded(&desk).last(), Some(&wanted), "{path}");
    }
}

#[tokio::test]
async fn a_bad_line_gets_its_own_problem_and_the_batch_goes_on() {
    let (house, _) = open(Limits::default()).await;
    let bad_line = http::Request::post("/v1/lookup/batch").header("content-type", "application/x-ndjson");
    let answer = house
        .call(bad_line, "{\"last\":\"DOE\"}\n\nnonsense\n{\"last\":\"ROE\"}")
        .await;
    let lines: Vec<LookupAnswer> = std::str::from_utf8(answer.body())
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(
        lines
            .iter()
            .map(|line| line.problem.is_some())
            .collect::<Vec<_>>(),
        [false, true, false]
    );
    let told = lines[1].problem.clone().unwrap().detail;
    assert!(told.starts_with("line 3: the body is not JSON"), "{told}");
}

#[tokio::test]
async fn the_reason_of_a_call_is_printed_text_of_bounded_length_or_left_out() {
    let (house, _) = open(Limits::default()).await;
    let long = "x".repeat(101);
    for (header, words, taken) in [
        ("ccpor-purpose", "traffic stop", true),
        ("ccpor-purpose", &long[1..], true),
        ("ccpor-purpose", &long, false),
        ("ccpor-purpose", " ", false),
        ("ccpor-case", "26-001234", true),
        ("ccpor-case", "a\tb", false),
        ("ccpor-case", &long[..65], false),
    ] {
        let answer = house.call(get("/v1/status").header(header, words), "").await;
        if taken {
            assert_eq!(answer.status(), 200, "{header}: {words}");
        } else {
            assert_eq!(problem(&answer).fields[0].path, header, "{words}");
        }
    }
    let target = Target {
        purpose: Some("a purpose of more than a hundred characters ".repeat(3)),
        ..house.target(Some(&house.system))
    };
    let client = Client::connect(target).await.unwrap();
    assert_eq!(code(client.status().await.unwrap_err()), Code::InvalidFields);
}

#[tokio::test]
async fn a_path_and_a_body_that_differ_are_refused_and_the_key_may_stand_in_the_header() {
    let (house, _) = open(Limits::default()).await;
    let body = |value: serde_json::Value| value.to_string();
    let differs = body(serde_json::json!({"idempotency_key": "key-0001", "order_id": "b", "order": {}}));
    let refused = problem(&house.call(post("/v1/orders/a/amendments"), differs).await);
    assert_eq!(refused.fields[0].path, "order_id");
    let keyless = body(serde_json::json!({"order": order()}));
    let filed = house
        .call(
            post("/v1/orders").header("idempotency-key", "key-0001"),
            keyless.clone(),
        )
        .await;
    assert_eq!(filed.status(), 201);
    let order_id = serde_json::from_slice::<WriteAnswer>(filed.body())
        .unwrap()
        .order_id;
    assert_eq!(filed.headers()["location"], format!("/v1/orders/{order_id}"));
    let again = house
        .call(post("/v1/orders").header("idempotency-key", "key-0001"), keyless)
        .await;
    assert_eq!(again.status(), 200);
}

#[tokio::test]
async fn a_slow_backend_is_cut_off_and_a_silent_sender_too() {
    let short = Duration::from_millis(200);
    let (house, _) = open(Limits {
        call: short,
        silence: short,
        ..Limits::default()
    })
    .await;
    let slow = FileOrderRequest {
        order: Some(Order {
            other_text: "sleep".to_owned(),
            ..order()
        }),
        ..filing("key-0001")
    };
    let client = house.client().await;
    assert_eq!(code(client.file_order(slow).await.unwrap_err()), Code::Timeout);
    let filed = client.file_order(filing("key-0002")).await.unwrap();
    let put = http::Request::put(format!("/v1/orders/{}/images", filed.order_id))
        .header("idempotency-key", "key-0003");
    let start = futures_util::stream::iter([Ok::<_, std::io::Error>(hyper::body::Frame::data(
        Bytes::from_static(b"%PDF"),
    ))]);
    let silent = StreamBody::new(futures_util::StreamExt::chain(
        start,
        futures_util::stream::pending(),
    ));
    let answer = house.call_with(Some(&house.system), put, silent).await;
    assert_eq!(problem(&answer).code, Code::Timeout);
}

#[tokio::test]
async fn too_many_calls_at_a_time_are_told_so() {
    let (house, _) = open(Limits {
        calls: 0,
        ..Limits::default()
    })
    .await;
    assert_eq!(
        problem(&house.call(get("/v1/status"), "").await).code,
        Code::Unavailable
    );
    assert_eq!(
        code(house.client().await.status().await.unwrap_err()),
        Code::Unavailable
    );
}

#[tokio::test]
async fn half_a_handshake_and_noise_hold_no_place() {
    use tokio::io::AsyncReadExt;
    let (house, _) = open(Limits {
        connections: 1,
        handshake: Duration::from_millis(200),
        ..Limits::default()
    })
    .await;
    let mut silent = tokio::net::TcpStream::connect(house.address).await.unwrap();
    let mut end = Vec::new();
    silent.read_to_end(&mut end).await.unwrap();
    assert_eq!(end, b"");
    let mut noise = tokio::net::TcpStream::connect(house.address).await.unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut noise, b"GET / HTTP/1.1\r\n\r\n")
        .await
        .unwrap();
    let _ = noise.read_to_end(&mut end).await;
    assert_eq!(house.call(get("/livez"), "").await.status(), 200);
}

#[tokio::test]
async fn a_certificate_revoked_in_the_meantime_is_refused_on_the_open_connection() {
    let (house, _) = open(Limits {
        caller_for: Duration::ZERO,
        ..Limits::default()
    })
    .await;
    let client = house.client().await;
    client.status().await.unwrap();
    house.revoked.store(true, Ordering::SeqCst);
    assert_eq!(
        code(client.status().await.unwrap_err()),
        Code::CertificateNotAccepted
    );
}

#[tokio::test]
async fn headers_have_a_limit() {
    let (house, _) = open(Limits::default()).await;
    let large = get("/livez").header("x-large", "x".repeat(20_000));
    assert_eq!(house.call(large, "").await.status(), 431);
    let many = (0..100).fold(get("/livez"), |request, number| {
        request.header(format!("x-{number}"), "x")
    });
    assert_eq!(house.call(many, "").await.status(), 431);
}

#[tokio::test]
async fn one_who_calls_too_often_is_told_so_and_the_others_are_served() {
    let (house, _) = open(Limits {
        calls_per_second: std::num::NonZeroU32::MIN,
        ..Limits::default()
    })
    .await;
    let (wild, calm) = (house.client().await, house.target(Some(&house.dispatch)));
    let mut refused = 0;
    for _ in 0..10 {
        match wild.list_courts().await {
            Ok(_) => {}
            Err(error) => {
                assert_eq!(code(error), Code::TooManyRequests);
                refused += 1;
            }
        }
    }
    // Two at once, and one a second after them: no machine takes eight seconds for ten calls.
    assert!((1..=8).contains(&refused), "{refused}");
    assert!(Client::connect(calm).await.unwrap().list_courts().await.is_ok());
}

#[tokio::test]
async fn figures_for_monitoring_need_a_certificate_like_everything_else() {
    let (house, _) = open(Limits::default()).await;
    let answer = house.call(get("/metrics"), Bytes::new()).await;
    let text = String::from_utf8(answer.body().to_vec()).unwrap();
    assert!(
        answer.headers()["content-type"]
            .to_str()
            .unwrap()
            .starts_with("application/openmetrics-text")
    );
    assert!(
        text.contains("\nccpor_ready ") && text.ends_with("# EOF\n"),
        "{text}"
    );
}
