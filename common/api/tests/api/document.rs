//! The OpenAPI document: complete, and true to what the server does.

use std::collections::BTreeSet;
use std::sync::Arc;

use ccpor_api::{Code, Limits, Problem};
use serde_json::Value;

use crate::desk::Desk;
use crate::house::{House, get};

fn document() -> Value {
    serde_json::from_str(&ccpor_api::openapi::document().to_json().unwrap()).unwrap()
}

fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::String(reference)) = fields.get("$ref") {
                found.insert(reference.trim_start_matches("#/components/schemas/").to_owned());
            }
            fields.values().for_each(|field| references(field, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

#[test]
fn every_schema_that_is_named_is_there_and_every_field_is_described() {
    let document = document();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let mut named = BTreeSet::new();
    references(&document, &mut named);
    for name in &named {
        assert!(schemas.contains_key(name), "{name}");
    }
    for (name, schema) in schemas {
        let Some(fields) = schema["properties"].as_object() else {
            continue;
        };
        for (field, words) in fields {
            let described = words["description"].is_string() || words["oneOf"][0]["description"].is_string();
            assert!(described, "{name}.{field}: {words}");
        }
    }
}

#[tokio::test]
async fn every_path_answers_as_the_document_says() {
    let house = House::open(Arc::new(Desk::default()), Limits::default()).await;
    let served = house.call(get("/v1/openapi.json"), "").await;
    let served: Value = serde_json::from_slice(served.body()).unwrap();
    assert!(
        served == document(),
        "the served document differs from the made one"
    );
    let paths = served["paths"].as_object().unwrap();
    for (path, methods) in paths {
        let real = path
            .replace("{order_id}", &"0".repeat(32))
            .replace("{blake3}", &"0".repeat(64));
        for (method, operation) in methods.as_object().unwrap() {
            let request = http::Request::builder()
                .method(method.to_uppercase().as_str())
                .uri(&real);
            let answer = house.call(request, "").await;
            let status = answer.status().as_u16().to_string();
            assert!(
                operation["responses"].get(&status).is_some(),
                "{method} {path} gave {status}"
            );
            if let Ok(problem) = Problem::from_json(answer.body()) {
                assert!(
                    ![Code::NoSuchOperation, Code::MethodNotAllowed].contains(&problem.code),
                    "{method} {path}"
                );
            }
        }
    }
}
