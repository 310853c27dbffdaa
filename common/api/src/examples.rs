//! Worked examples of messages, for the OpenAPI document; invented people.

use crate::message::{
    AmendOrderRequest, CheckOrderRequest, Court, CourtAsOf, EndOrderRequest, Ending, Expiry,
    FileOrderRequest, Freshness, HandleScanRequest, Hit, LookupAnswer, LookupRequest, Name, NotCurrent,
    Order, Person, PersonHistoryRequest, Position, Protected, RecordServiceRequest, RecordViolationRequest,
    SealOrderRequest, Service, Standing, Term, Violation, Warning, WriteAnswer,
};

const ORDER_ID: &str = "5f0c9a3d7e1b4c8896d2a1f0b3e47c55";
const KEY: &str = "cms-2026-10-02-000117";

pub(crate) fn file_order() -> FileOrderRequest {
    FileOrderRequest {
        idempotency_key: KEY.to_owned(),
        order: Some(order()),
        source_id: "CMS-4471".to_owned(),
        reason: String::new(),
        ..FileOrderRequest::default()
    }
}

pub(crate) fn amend_order() -> AmendOrderRequest {
    AmendOrderRequest {
        idempotency_key: "cms-2026-10-09-000020".to_owned(),
        order: Some(order()),
        expected_version: 1,
        reason: "distance corrected".to_owned(),
        ..AmendOrderRequest::default()
    }
}

pub(crate) fn record_service() -> RecordServiceRequest {
    RecordServiceRequest {
        idempotency_key: "cms-2026-10-03-000002".to_owned(),
        service: Some(Service {
            mode: "personal".to_owned(),
            date: "2026-10-03".to_owned(),
            time: "18:40".to_owned(),
            served_by: "Deputy M. Ortiz".to_owned(),
            badge: "1184".to_owned(),
            agency: "Alameda County Sheriff".to_owned(),
            agency_ori: "CA0010000".to_owned(),
            ..Service::default()
        }),
        ..RecordServiceRequest::default()
    }
}

pub(crate) fn record_violation() -> RecordViolationRequest {
    RecordViolationRequest {
        idempotency_key: "so-2026-11-21-000041".to_owned(),
        violation: Some(Violation {
            date: "2026-11-21".to_owned(),
            time: "23:10".to_owned(),
            agency: "Alameda County Sheriff".to_owned(),
            agency_ori: "CA0010000".to_owned(),
            report: "26-000123".to_owned(),
            ..Violation::default()
        }),
        ..RecordViolationRequest::default()
    }
}

pub(crate) fn handle_scan() -> HandleScanRequest {
    HandleScanRequest {
        blake3: String::new(),
        act: "set_aside".to_owned(),
        reason: "a letter, not an order".to_owned(),
        ..HandleScanRequest::default()
    }
}

pub(crate) fn seal_order() -> SealOrderRequest {
    SealOrderRequest {
        idempotency_key: "cms-2026-11-21-000003".to_owned(),
        sealed: true,
        reason: "sealed by the court on 2026-11-21".to_owned(),
        ..SealOrderRequest::default()
    }
}

pub(crate) fn end_order() -> EndOrderRequest {
    EndOrderRequest {
        idempotency_key: "cms-2026-11-20-000008".to_owned(),
        ending: Some(Ending {
            kind: "terminated".to_owned(),
            date: "2026-11-20".to_owned(),
            ..Ending::default()
        }),
        reason: "on request of the protected person".to_owned(),
        ..EndOrderRequest::default()
    }
}

pub(crate) fn write_answer() -> WriteAnswer {
    WriteAnswer {
        order_id: ORDER_ID.to_owned(),
        registry_number: "BW69-MFBY-3D68-M".to_owned(),
        version: 1,
        court: "court/alameda".to_owned(),
        position: Some(Position {
            origin: "court/alameda/node/1".to_owned(),
            epoch: 1,
            seq: 4471,
            hash: "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262".to_owned(),
        }),
        recorded_at: "2026-10-02T21:14:05.120Z".to_owned(),
        repeated: false,
        warnings: vec![Warning {
            field: "restrained.race".to_owned(),
            code: "missing".to_owned(),
            message: "the state system asks for the race of the restrained person".to_owned(),
            rule: "Fam. Code 6380(b)".to_owned(),
        }],
    }
}

pub(crate) fn lookup() -> LookupRequest {
    LookupRequest {
        first: "JOHN".to_owned(),
        last: "DOE".to_owned(),
        dob: "1985-03".to_owned(),
        role: "restrained".to_owned(),
        limit: 5,
        reference: "call-17".to_owned(),
        ..LookupRequest::default()
    }
}

pub(crate) fn lookup_answer() -> LookupAnswer {
    LookupAnswer {
        hits: vec![Hit {
            order_id: ORDER_ID.to_owned(),
            court: "court/alameda".to_owned(),
            case_number: "HF26000117".to_owned(),
            person: "restrained".to_owned(),
            name: "DOE, JOHN".to_owned(),
            dob: "1985-03-12".to_owned(),
            score: 0.97,
            band: "strong".to_owned(),
            why: vec!["same name".to_owned(), "date of birth fits".to_owned()],
            standing: Some(Standing {
                status: "active".to_owned(),
                words: "ACTIVE, NOT SERVED".to_owned(),
                ..Standing::default()
            }),
            ..Hit::default()
        }],
        total: 1,
        reference: "call-17".to_owned(),
        freshness: Some(freshness()),
        ..LookupAnswer::default()
    }
}

fn freshness() -> Freshness {
    let as_of = |court: &str, moment: &str, age_ms| CourtAsOf {
        court: court.to_owned(),
        as_of: moment.to_owned(),
        age_ms: Some(age_ms),
    };
    Freshness {
        as_of: "2026-10-02T21:15:02.000Z".to_owned(),
        complete: false,
        courts: vec![
            as_of("court/alameda", "2026-10-02T21:15:02.000Z", 1_900),
            as_of("court/tuolumne", "2026-10-02T20:34:02.000Z", 2_461_900),
        ],
        not_current: vec![NotCurrent {
            court: "court/tuolumne".to_owned(),
            as_of: "2026-10-02T20:34:02.000Z".to_owned(),
            age_ms: Some(2_461_900),
            reason: "not heard for 41 min".to_owned(),
        }],
        not_covered: Vec::new(),
        served_by: "hub/1".to_owned(),
        source: "hub".to_owned(),
        answered_at: "2026-10-02T21:15:03.900Z".to_owned(),
        also_asked: String::new(),
        left_out: Vec::new(),
    }
}

fn order() -> Order {
    let person = |first: &str, last: &str| Person {
        name: Some(Name {
            first: first.to_owned(),
            last: last.to_owned(),
            ..Name::default()
        }),
        ..Person::default()
    };
    Order {
        family: "domestic_violence".to_owned(),
        stage: "after_hearing".to_owned(),
        form: "DV-130".to_owned(),
        court: Some(Court {
            slug: "alameda".to_owned(),
            department: "103".to_owned(),
            ..Court::default()
        }),
        case_number: "HF26000117".to_owned(),
        issued: "2026-10-02".to_owned(),
        expires: Some(Expiry {
            kind: "on_date".to_owned(),
            date: "2029-10-01".to_owned(),
            time: String::new(),
        }),
        restrained: Some(Person {
            dob: "1985-03-12".to_owned(),
            sex: "male".to_owned(),
            ..person("John", "Doe")
        }),
        protected: vec![Protected {
            person: Some(person("Jane", "Doe")),
            ..Protected::default()
        }],
        terms: vec![
            Term {
                kind: "no_contact".to_owned(),
                ..Term::default()
            },
            Term {
                kind: "stay_away".to_owned(),
                distance_yards: Some(100),
                places: vec!["person".to_owned(), "home".to_owned()],
                ..Term::default()
            },
        ],
        ..Order::default()
    }
}

pub(crate) fn check_order() -> CheckOrderRequest {
    CheckOrderRequest { order: Some(order()) }
}

pub(crate) fn person_history() -> PersonHistoryRequest {
    PersonHistoryRequest {
        person: order().restrained,
        at: String::new(),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_examples_are_taken_by_the_operations_they_stand_for() {
        crate::convert::order_from("order", &super::order()).unwrap();
        crate::convert::service_from("service", &super::record_service().service.unwrap()).unwrap();
        crate::convert::ending_from("ending", &super::end_order().ending.unwrap()).unwrap();
        crate::question::question_from(&super::lookup()).unwrap();
        let written = super::write_answer();
        let id: ccpor_domain::OrderId = written.order_id.parse().unwrap();
        assert_eq!(written.registry_number, id.registry_number().to_string());
    }
}
