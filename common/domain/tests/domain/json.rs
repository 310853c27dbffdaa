//! JSON as other systems send it: fields may be left out, words are fixed, impossible values are refused.

use ccpor_domain::*;
use serde_json::json;

#[test]
fn a_short_order_is_enough() {
    let order: Order = serde_json::from_value(json!({
        "form": "DV-110",
        "court": {"slug": "alameda"},
        "case_number": "A-1",
        "issued": "2026-10-01",
        "restrained": {"name": {"last": "Doe"}, "sex": "M"},
        "expires": {"on_date": {"date": "2026-10-22"}},
        "terms": [{"kind": "stay_away", "distance_yards": 100}],
    }))
    .unwrap();
    assert!(legal_core(&order).is_ok());
    assert_eq!(order.restrained.sex, Sex::Male);
    assert_eq!(order.stay_away_yards(), Some(100));
    assert_eq!(
        serde_json::from_value::<Order>(json!({})).unwrap(),
        Order::default()
    );
}

#[test]
fn words_and_days_are_checked() {
    for wrong in [
        json!({"family": "unheard_of"}),
        json!({"issued": "2026-02-30"}),
        json!({"issued_time": "25:00"}),
        json!({"previous": "12"}),
        json!({"expires": {"on_date": {}}}),
    ] {
        assert!(serde_json::from_value::<Order>(wrong.clone()).is_err(), "{wrong}");
    }
}

#[test]
fn a_service_says_its_mode() {
    assert!(serde_json::from_value::<Service>(json!({"date": "2026-10-02"})).is_err());
    let served: Service = serde_json::from_value(json!({"mode": "verbal"})).unwrap();
    assert!(served.mode.gives_notice() && !Service::default().mode.gives_notice());
}

/// What is refused may be a name typed into the wrong field: it must not come back in the message.
#[test]
fn refusals_do_not_repeat_what_was_sent() {
    let told = serde_json::from_value::<Order>(json!({"issued": "Jane Doe"}))
        .unwrap_err()
        .to_string();
    assert!(!told.contains("Jane"), "{told}");
    assert!(told.contains("YYYY-MM-DD"), "{told}");
    let told = "Jane Doe".parse::<Family>().unwrap_err().to_string();
    assert!(
        !told.contains("Jane") && told.contains("domestic_violence"),
        "{told}"
    );
}
