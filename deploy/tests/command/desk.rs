//! A machine whose answers are known: it holds no order, and says for each name what the test of that name is about.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use ccpor_api::message::{
    AmendOrderRequest, AttachImageAnswer, Check, CheckOrderAnswer, CheckOrderRequest, ConfideRequest,
    ConfidentialAnswer, CourtState, CourtsAnswer, DestroyConfidentialRequest, EndOrderRequest, EnforceAnswer,
    EnforceRequest, FileOrderRequest, Freshness, GetOrderRequest, Hit, ImageRef, ListOverdueRequest,
    ListWorkRequest, LookupAnswer, LookupRequest, NotCurrent, OrderAnswer, OverdueAnswer,
    PersonHistoryAnswer, PersonHistoryRequest, Position, QuarantineAnswer, ReadConfidentialRequest,
    RecordServiceRequest, RecordViolationRequest, ScrubAnswer, ScrubRequest, SealOrderRequest, Service,
    ServiceRecord, StatusAnswer, TopologyAnswer, WorkAnswer, WriteAnswer,
};
use ccpor_api::{Backend, Caller, Code, ImageBytes, ImageOffer, ImageOut, Problem};
use futures_util::StreamExt;

pub(crate) const REGISTRY_NUMBER: &str = "7K3M-99QD-0TB2-X";

#[derive(Default)]
pub(crate) struct Desk {
    images: Mutex<BTreeMap<String, (ImageRef, Bytes)>>,
    keys: Mutex<Vec<String>>,
}

pub(crate) fn freshness(stale: bool) -> Freshness {
    let silent = NotCurrent {
        court: "tribal/yurok".into(),
        age_ms: Some(11_100_000),
        ..NotCurrent::default()
    };
    Freshness {
        as_of: "2026-12-02T10:14:07.000Z".into(),
        answered_at: "2026-12-02T10:14:09.000Z".into(),
        complete: !stale,
        not_current: if stale { vec![silent] } else { Vec::new() },
        served_by: "court/kern/node/1".into(),
        source: "owner".into(),
        ..Freshness::default()
    }
}

impl Desk {
    fn write(&self, key: &str, order_id: &str) -> WriteAnswer {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        let repeated = keys.iter().any(|known| known == key);
        keys.push(key.to_owned());
        let position = Position {
            origin: "court/kern/node/1".into(),
            epoch: 1,
            seq: 7,
            hash: "9c".repeat(32),
        };
        WriteAnswer {
            order_id: order_id.to_owned(),
            registry_number: REGISTRY_NUMBER.into(),
            version: 1,
            court: "court/kern".into(),
            position: Some(position),
            recorded_at: "2026-12-02T10:14:07.000Z".into(),
            repeated,
            warnings: Vec::new(),
        }
    }
}

#[tonic::async_trait]
impl Backend for Desk {
    async fn file_order(&self, _caller: &Caller, request: FileOrderRequest) -> Result<WriteAnswer, Problem> {
        match request.order.unwrap_or_default().case_number.as_str() {
            "LOST" => Err(Problem::new(Code::Timeout, "the disk is slow")),
            "TWICE" => Err(Problem::new(Code::AlreadyFiled, "filed before")),
            "FULL" => Err(Problem::new(Code::StorageFull, "no room")),
            _ => Ok(self.write(&request.idempotency_key, "00ff")),
        }
    }

    async fn amend_order(
        &self,
        _caller: &Caller,
        request: AmendOrderRequest,
    ) -> Result<WriteAnswer, Problem> {
        if request.expected_version == 9 {
            return Err(Problem::new(
                Code::VersionConflict,
                "version 10 has come in between",
            ));
        }
        Ok(self.write(&request.idempotency_key, &request.order_id))
    }

    async fn record_service(
        &self,
        caller: &Caller,
        request: RecordServiceRequest,
    ) -> Result<WriteAnswer, Problem> {
        let service = request.service.unwrap_or_default();
        assert_eq!(
            (service.mode.as_str(), service.agency_ori.as_str()),
            ("failed_attempt", "CA0150100")
        );
        assert_eq!(caller.ori, "CA0150000");
        Ok(self.write(&request.idempotency_key, &request.order_id))
    }

    async fn end_order(&self, _caller: &Caller, request: EndOrderRequest) -> Result<WriteAnswer, Problem> {
        assert_eq!(request.ending.unwrap_or_default().kind, "cancelled_entry_error");
        Err(Problem::new(Code::NotAllowed, "an agency ends no order"))
    }

    async fn record_violation(
        &self,
        _caller: &Caller,
        _request: RecordViolationRequest,
    ) -> Result<WriteAnswer, Problem> {
        Ok(WriteAnswer::default())
    }

    async fn seal_order(&self, _caller: &Caller, _request: SealOrderRequest) -> Result<WriteAnswer, Problem> {
        Ok(WriteAnswer::default())
    }

    async fn attach_image(
        &self,
        _: &Caller,
        offer: ImageOffer,
        mut data: ImageBytes,
    ) -> Result<AttachImageAnswer, Problem> {
        let mut bytes = Vec::new();
        while let Some(piece) = data.next().await {
            bytes.extend_from_slice(&piece?);
        }
        let blake3 = blake3::hash(&bytes).to_hex().to_string();
        let length = bytes.len() as u64;
        let image = ImageRef {
            blake3: blake3.clone(),
            length,
            media: "pdf".into(),
            title: offer.title,
            ..ImageRef::default()
        };
        if bytes.starts_with(b"damaged") {
            bytes.reverse();
        }
        let mut images = self.images.lock().unwrap_or_else(PoisonError::into_inner);
        images.insert(blake3, (image.clone(), bytes.into()));
        Ok(AttachImageAnswer {
            write: Some(self.write(&offer.idempotency_key, &offer.order_id)),
            image: Some(image),
        })
    }

    async fn get_order(&self, _caller: &Caller, request: GetOrderRequest) -> Result<OrderAnswer, Problem> {
        if request.order_id != REGISTRY_NUMBER {
            return Err(Problem::new(Code::OrderNotFound, request.order_id));
        }
        let service = Service {
            mode: "personal".into(),
            date: "2026-10-02".into(),
            ..Service::default()
        };
        Ok(OrderAnswer {
            registry_number: REGISTRY_NUMBER.into(),
            service: vec![ServiceRecord {
                service: Some(service),
                ..ServiceRecord::default()
            }],
            filed_at: request.at,
            freshness: Some(freshness(false)),
            ..OrderAnswer::default()
        })
    }

    async fn get_image(&self, _caller: &Caller, blake3: &str) -> Result<ImageOut, Problem> {
        let images = self.images.lock().unwrap_or_else(PoisonError::into_inner);
        let (image, bytes) = images
            .get(blake3)
            .cloned()
            .ok_or_else(|| Problem::new(Code::ImageNotFound, blake3.to_owned()))?;
        let pieces: Vec<_> = bytes
            .chunks(1000)
            .map(|piece| Ok(Bytes::copy_from_slice(piece)))
            .collect();
        Ok(ImageOut {
            image,
            data: Box::pin(futures_util::stream::iter(pieces)),
            also_asked: String::new(),
        })
    }

    async fn lookup(&self, _caller: &Caller, request: LookupRequest) -> Result<LookupAnswer, Problem> {
        if request.dob == "1985-13" {
            return Err(Problem::field("dob", "is not a date"));
        }
        let hit = Hit {
            order_id: "00ff".into(),
            registry_number: REGISTRY_NUMBER.into(),
            source_id: format!("source-{}", request.last),
            person: "restrained".into(),
            name: "DOE, JOHN\u{1b}[2J".into(),
            score: 0.75,
            band: "strong".into(),
            radio: format!(
                "1/1 ACTIVE  DV RESTRAINING ORDER  RP: DOE, JOHN\n    KERN SUPERIOR COURT  REG {REGISTRY_NUMBER}"
            ),
            ..Hit::default()
        };
        let found = request.last != "NOBODY";
        Ok(LookupAnswer {
            hits: if found { vec![hit] } else { Vec::new() },
            total: u32::from(found),
            freshness: Some(freshness(request.last == "NOBODY")),
            ..LookupAnswer::default()
        })
    }

    async fn list_courts(&self, _caller: &Caller) -> Result<CourtsAnswer, Problem> {
        let kern = CourtState {
            court: "court/kern".into(),
            age_ms: Some(10),
            current: true,
            orders: 1234,
            ..CourtState::default()
        };
        let yurok = CourtState {
            court: "tribal/yurok".into(),
            reason: "no heartbeat".into(),
            ..CourtState::default()
        };
        Ok(CourtsAnswer {
            courts: vec![kern, yurok],
            freshness: Some(freshness(true)),
        })
    }

    async fn status(&self, _caller: &Caller) -> Result<StatusAnswer, Problem> {
        Ok(StatusAnswer {
            identity: "court/kern/node/1".into(),
            kind: "node".into(),
            ready: true,
            freshness: Some(freshness(false)),
            ..StatusAnswer::default()
        })
    }

    async fn enforce(&self, _caller: &Caller, _request: EnforceRequest) -> Result<EnforceAnswer, Problem> {
        Ok(EnforceAnswer {
            freshness: Some(freshness(false)),
            ..EnforceAnswer::default()
        })
    }

    async fn check_order(
        &self,
        _caller: &Caller,
        _request: CheckOrderRequest,
    ) -> Result<CheckOrderAnswer, Problem> {
        Ok(CheckOrderAnswer {
            freshness: Some(freshness(false)),
            ..CheckOrderAnswer::default()
        })
    }

    async fn person_history(
        &self,
        _caller: &Caller,
        _request: PersonHistoryRequest,
    ) -> Result<PersonHistoryAnswer, Problem> {
        Ok(PersonHistoryAnswer {
            freshness: Some(freshness(false)),
            ..PersonHistoryAnswer::default()
        })
    }

    async fn list_overdue(
        &self,
        _caller: &Caller,
        _request: ListOverdueRequest,
    ) -> Result<OverdueAnswer, Problem> {
        Ok(OverdueAnswer {
            freshness: Some(freshness(false)),
            ..OverdueAnswer::default()
        })
    }

    async fn list_work(&self, _caller: &Caller, _request: ListWorkRequest) -> Result<WorkAnswer, Problem> {
        Ok(WorkAnswer {
            freshness: Some(freshness(false)),
            ..WorkAnswer::default()
        })
    }

    async fn scrub(&self, _caller: &Caller, request: ScrubRequest) -> Result<ScrubAnswer, Problem> {
        Ok(ScrubAnswer {
            running: request.begin,
            records: 3,
            ..ScrubAnswer::default()
        })
    }

    async fn list_quarantine(&self, _caller: &Caller) -> Result<QuarantineAnswer, Problem> {
        Ok(QuarantineAnswer::default())
    }

    async fn confide(&self, _: &Caller, _: ConfideRequest) -> Result<WriteAnswer, Problem> {
        Err(Problem::new(Code::NotOffered, "no key here"))
    }

    async fn read_confidential(
        &self,
        _: &Caller,
        _: ReadConfidentialRequest,
    ) -> Result<ConfidentialAnswer, Problem> {
        Err(Problem::new(Code::NotOffered, "no key here"))
    }

    async fn destroy_confidential(
        &self,
        _: &Caller,
        _: DestroyConfidentialRequest,
    ) -> Result<WriteAnswer, Problem> {
        Err(Problem::new(Code::NotOffered, "no key here"))
    }

    async fn get_topology(&self, _caller: &Caller) -> Result<TopologyAnswer, Problem> {
        Ok(TopologyAnswer::default())
    }

    async fn readiness(&self) -> Vec<Check> {
        Vec::new()
    }
}
