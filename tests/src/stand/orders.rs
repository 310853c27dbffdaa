//! The orders of the stand: each there for something that a page has to show. Nobody in them is real.

use bytes::Bytes;
use ccpor_api::message::{FileOrderRequest, Order, RecordServiceRequest, Service, WriteAnswer};
use ccpor_api::{Client, ImageOffer, convert};
use ccpor_deploy::population::{Filing, scan};
use ccpor_domain::{CourtRef, Media};
use serde::Serialize;
use serde_json::{Value, json};

use crate::world::Outcome;

/// The registry numbers of the orders, by what they are there for.
#[derive(Debug, Default, Serialize)]
pub struct Filed {
    /// In force, not served, with a TIFF of several pages.
    pub unserved: String,
    /// The same case again, for each test that records service.
    pub to_serve: Vec<String>,
    /// A criminal order against the same man, served, of another court, with a PNG.
    pub criminal: String,
    /// Over.
    pub expired: String,
    /// With a script for a name, and a PDF.
    pub script: String,
}

/// Files everything at two courts.
///
/// # Errors
/// As the nodes say.
pub async fn file_all(alameda: &Client, kern: &Client) -> Outcome<Filed> {
    let mut filed = Filed {
        unserved: file(alameda, "unserved", doe("FL-26-004417"), Some(Media::Tiff))
            .await?
            .registry_number,
        ..Filed::default()
    };
    for number in 0..6 {
        let order = to_serve(number);
        let answer = file(alameda, &format!("to-serve-{number}"), order, None).await?;
        filed.to_serve.push(answer.registry_number);
    }
    let criminal = file(kern, "criminal", criminal(), Some(Media::Png)).await?;
    serve(kern, &criminal.order_id, "2026-10-02").await?;
    filed.criminal = criminal.registry_number;
    filed.expired = file(kern, "expired", expired(), None).await?.registry_number;
    filed.script = file(alameda, "script", script(), Some(Media::Pdf))
        .await?
        .registry_number;
    Ok(filed)
}

async fn file(client: &Client, key: &str, order: Value, media: Option<Media>) -> Outcome<WriteAnswer> {
    let order: Order = serde_json::from_value(order)?;
    let request = FileOrderRequest {
        idempotency_key: format!("stand-{key}"),
        order: Some(order.clone()),
        ..FileOrderRequest::default()
    };
    let answer = client.file_order(request).await?;
    let Some(media) = media else { return Ok(answer) };
    let filing = Filing {
        source_id: key.to_owned(),
        court: CourtRef::new(false, "alameda")?,
        order: convert::order_from("order", &order)?,
        service: Vec::new(),
    };
    let offer = ImageOffer {
        idempotency_key: format!("stand-image-{key}"),
        order_id: answer.order_id.clone(),
        title: format!("{}, signed", order.form),
        reason: String::new(),
    };
    let bytes = Bytes::from(scan::of_kind(&filing, media)?.bytes);
    client.attach_image(offer, bytes).await?;
    Ok(answer)
}

async fn serve(client: &Client, order: &str, day: &str) -> Outcome<()> {
    let request = RecordServiceRequest {
        idempotency_key: format!("stand-service-{order}"),
        order_id: order.to_owned(),
        service: Some(Service {
            mode: "personal".into(),
            date: day.into(),
            time: "18:40".into(),
            served_by: "D. Ramos".into(),
            badge: "4471".into(),
            agency: "Kern County Sheriff".into(),
            ..Service::default()
        }),
        reason: String::new(),
    };
    client.record_service(request).await?;
    Ok(())
}

fn john() -> Value {
    json!({
        "name": {"first": "John", "middle": "Allen", "last": "Doe"}, "dob": "1985-03-12", "sex": "male", "race": ["W"],
        "height_inches": 73, "weight_pounds": 190, "hair": "BRO", "eye": "BLU", "marks": "Tattoo of an anchor, left arm",
        "aliases": [{"first": "Johnny", "last": "Doe"}],
        "identifiers": [{"kind": "driver_license", "value": "D4471882", "issuer": "CA"}],
        "vehicles": [{"plate": "8ABC123", "state": "CA", "make": "Ford", "model": "F-150", "year": 2019, "color": "gray"}],
        "cautions": ["00"]
    })
}

fn jane() -> Value {
    json!({
        "person": {"name": {"first": "Jane", "last": "Doe"}, "dob": "1987-06-30", "sex": "female"},
        "role": "primary", "relationship": "spouse"
    })
}

fn doe(case: &str) -> Value {
    json!({
        "form": "DV-130", "family": "domestic_violence", "stage": "after_hearing", "statute": "Fam. Code 6340",
        "case_number": case, "issued": "2026-11-20", "issued_time": "10:30",
        "court": {"name": "Alameda Superior Court", "phone": "510-555-0117", "department": "503", "judge": "Hon. M. Ito"},
        "expires": {"kind": "on_date", "date": "2029-11-20"},
        "restrained": john(), "protected": [jane(), {
            "person": {"name": {"first": "Lily", "last": "Doe"}, "dob": "2015-02-03"},
            "role": "additional", "relationship": "child"
        }],
        "terms": [
            {"kind": "conduct", "pco": [1]}, {"kind": "no_contact", "pco": [4]},
            {"kind": "stay_away", "pco": [5], "distance_yards": 100, "places": ["person", "home", "work", "children_school"]},
            {"kind": "move_out"}, {"kind": "firearms", "pco": [7]}
        ]
    })
}

/// Orders against people of their own, so that one test does not change what another sees.
fn to_serve(number: usize) -> Value {
    let last = ["Abbott", "Becker", "Castillo", "Dominguez", "Easton", "Fuentes"]
        .get(number)
        .copied();
    let restrained = json!({"name": {"first": "Sam", "last": last.unwrap_or("Grant")}, "dob": "1979-01-05", "sex": "male"});
    let protected = json!([{"person": {"name": {"first": "Alma", "last": "Reyes"}}, "role": "primary"}]);
    let mut order = doe(&format!("FL-26-10{number}"));
    if let Some(fields) = order.as_object_mut() {
        fields.insert("restrained".to_owned(), restrained);
        fields.insert("protected".to_owned(), protected);
    }
    order
}

fn criminal() -> Value {
    json!({
        "form": "CR-160", "family": "criminal_domestic", "stage": "after_hearing", "statute": "Pen. Code 136.2",
        "case_number": "BF-26-019", "issued": "2026-09-28",
        "court": {"name": "Kern Superior Court", "phone": "661-555-0162", "department": "12"},
        "expires": {"kind": "on_date", "date": "2027-09-28"},
        "restrained": john(), "protected": [jane()],
        "terms": [
            {"kind": "peaceful_contact", "text": "Peaceful contact for the safe exchange of children"},
            {"kind": "stay_away", "distance_yards": 50, "places": ["person", "home"]}, {"kind": "firearms"}
        ]
    })
}

fn expired() -> Value {
    json!({
        "form": "CH-130", "family": "civil_harassment", "stage": "after_hearing", "case_number": "BCV-21-100884",
        "issued": "2021-05-04", "expires": {"kind": "on_date", "date": "2024-05-04"},
        "restrained": {"name": {"first": "John", "last": "Doe"}, "dob": "1962-11-01", "sex": "male"},
        "protected": [{"person": {"name": {"first": "Omar", "last": "Haddad"}}, "role": "primary", "relationship": "neighbor"}],
        "terms": [{"kind": "no_contact"}, {"kind": "stay_away", "distance_yards": 25, "places": ["person"]}]
    })
}

fn script() -> Value {
    json!({
        "form": "DV-130", "case_number": "FL-26-<b>1</b>", "issued": "2026-11-02",
        "restrained": {"name": {"first": "<script>document.title='taken'</script>", "last": "Mallory\"><img src=x onerror=alert(1)>"}, "dob": "1990-01-01"},
        "protected": [{"person": {"name": {"first": "Alma", "last": "<svg onload=alert(2)>"}}, "role": "primary"}],
        "terms": [{"kind": "other", "text": "</pre><script>alert(3)</script>"}], "other_text": "{{ 7 * 7 }} <script>alert(4)</script>"
    })
}
