//! The life of a server as others see it: ready or not, what it offers, and how it stops.

use std::sync::atomic::Ordering;
use std::time::Duration;

use ccpor_api::message::registry_client::RegistryClient;
use ccpor_api::message::*;
use ccpor_api::{CallFailed, Client, Code, Limits, Problem};
use tonic_health::pb::health_client::HealthClient;
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus};
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;

use crate::door::open;
use crate::faces::{filing, order};
use crate::house::get;

#[tokio::test]
async fn health_follows_readiness_and_reflection_names_the_service() {
    let (house, desk) = open(Limits {
        readiness_every: Duration::from_millis(10),
        ..Limits::default()
    })
    .await;
    let not_ready = house.call(get("/readyz"), "").await;
    assert_eq!(not_ready.status(), 503);
    assert_eq!(not_ready.body(), "[-] ledger-writable on this disk\nnot ready\n");
    let channel = house.channel(&house.system).await;
    let mut health = HealthClient::new(channel.clone());
    let mut now = async |service: &str| {
        let request = HealthCheckRequest {
            service: service.to_owned(),
        };
        health.check(request).await.unwrap().into_inner().status()
    };
    assert_eq!(now("ccpor.v1.Registry").await, ServingStatus::NotServing);
    desk.ready.store(true, Ordering::SeqCst);
    while now("").await != ServingStatus::Serving {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(house.call(get("/readyz"), "").await.status(), 200);

    let ask = |request| ServerReflectionRequest {
        host: String::new(),
        message_request: Some(request),
    };
    let questions = [
        ask(MessageRequest::ListServices(String::new())),
        ask(MessageRequest::FileContainingSymbol(
            "ccpor.v1.Registry".to_owned(),
        )),
    ];
    let mut reflection = ServerReflectionClient::new(channel);
    let mut answers = reflection
        .server_reflection_info(futures_util::stream::iter(questions))
        .await
        .unwrap()
        .into_inner();
    let services = match answers
        .message()
        .await
        .unwrap()
        .unwrap()
        .message_response
        .unwrap()
    {
        MessageResponse::ListServicesResponse(list) => {
            list.service.into_iter().map(|service| service.name).collect()
        }
        other => panic!("{other:?}"),
    };
    let services: Vec<String> = services;
    assert!(
        services.contains(&"ccpor.v1.Registry".to_owned())
            && services.contains(&"grpc.health.v1.Health".to_owned())
    );
    let file = answers
        .message()
        .await
        .unwrap()
        .unwrap()
        .message_response
        .unwrap();
    assert!(
        matches!(file, MessageResponse::FileDescriptorResponse(_)),
        "{file:?}"
    );
}

#[tokio::test]
async fn after_the_stop_running_calls_finish_and_new_ones_find_no_door() {
    let (house, _) = open(Limits {
        call: Duration::from_millis(300),
        drain: Duration::from_secs(5),
        ..Limits::default()
    })
    .await;
    let mut running = RegistryClient::new(house.channel(&house.system).await);
    let slow = FileOrderRequest {
        order: Some(Order {
            other_text: "sleep".to_owned(),
            ..order()
        }),
        ..filing("key-0001")
    };
    let call = tokio::spawn(async move { running.file_order(slow).await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    house.stop.cancel();
    let status = call.await.unwrap().unwrap_err();
    assert_eq!(Problem::from_status(&status).unwrap().code, Code::Timeout);
    let target = house.target(Some(&house.system));
    house.done.await.unwrap();
    assert!(matches!(
        Client::connect(target).await,
        Err(CallFailed::Unreachable { .. })
    ));
}
