//! A small registry in memory behind the interfaces: one court, no ledger, a clock that stands still.

use std::collections::BTreeMap;
use std::sync::Mutex;

use bytes::Bytes;
use ccpor_api::message::*;
use ccpor_api::{
    Arrival, Backend, Caller, Code, ImageBytes, ImageOffer, ImageOut, Knock, Problem, convert, question,
    render,
};
use ccpor_domain as domain;
use domain::{Event, OrderId, OrderState, RequestId, UtcMillis};
use futures_util::StreamExt;
use prost::Message as _;

const ORIGIN: &str = "court/alameda/node/1";

#[derive(Default)]
pub(crate) struct Desk {
    held: Mutex<Held>,
    pub(crate) ready: std::sync::atomic::AtomicBool,
    /// Calls that were turned away before they came here: by whom, and why.
    pub(crate) turned_away: Mutex<Vec<(String, Code)>>,
}

#[derive(Default)]
struct Held {
    orders: BTreeMap<OrderId, (OrderState, Vec<Event>)>,
    done: BTreeMap<String, (Vec<u8>, WriteAnswer)>,
    images: BTreeMap<String, (ImageRef, Bytes)>,
    seq: u64,
}

pub(crate) fn now() -> UtcMillis {
    "2026-10-02T21:15:00Z".parse().unwrap()
}

pub(crate) fn freshness() -> Freshness {
    Freshness {
        as_of: "2026-10-02T21:14:58.000Z".to_owned(),
        complete: false,
        not_current: vec![NotCurrent {
            court: "court/tuolumne".to_owned(),
            reason: "not heard".to_owned(),
            ..Default::default()
        }],
        served_by: ORIGIN.to_owned(),
        source: "owner".to_owned(),
        answered_at: now().to_string(),
        ..Default::default()
    }
}

impl Held {
    /// Applies one event under its key, or repeats what the key did.
    fn write(
        &mut self,
        caller: &Caller,
        key: &str,
        bytes: Vec<u8>,
        reason: &str,
        event: impl FnOnce(&Self, domain::Act) -> Result<Event, Problem>,
    ) -> Result<WriteAnswer, Problem> {
        if let Some((was, answer)) = self.done.get(key) {
            let reused = Problem::new(Code::IdempotencyKeyReused, "the key was used before");
            return if *was == bytes {
                Ok(WriteAnswer {
                    repeated: true,
                    ..answer.clone()
                })
            } else {
                Err(reused)
            };
        }
        let by = domain::Actor {
            identity: caller.identity.clone(),
            ori: Some(caller.ori.clone()).filter(|ori| !ori.is_empty()),
            person: None,
        };
        let act = domain::Act {
            request: RequestId::derive(&caller.identity, key),
            at: now(),
            by,
            reason: reason.to_owned(),
        };
        let event = event(self, act)?;
        let id = event.order_id();
        match (&event, self.orders.get_mut(&id)) {
            (Event::Filed(filed), None) => {
                let state = OrderState::start(filed.clone());
                self.orders.insert(id, (state, vec![event.clone()]));
            }
            (_, Some((state, events))) => {
                state
                    .apply(&event)
                    .map_err(|error| Problem::new(Code::StateConflict, error.to_string()))?;
                events.push(event.clone());
            }
            (_, None) => return Err(not_found(id)),
        }
        self.seq += 1;
        let (state, _) = &self.orders[&id];
        let answer = WriteAnswer {
            order_id: id.to_string(),
            registry_number: id.registry_number().to_string(),
            version: state.version,
            court: "court/alameda".to_owned(),
            position: Some(Position {
                origin: ORIGIN.to_owned(),
                epoch: 1,
                seq: self.seq,
                hash: String::new(),
            }),
            recorded_at: now().to_string(),
            repeated: false,
            warnings: domain::check(&state.order).iter().map(render::warning).collect(),
        };
        self.done.insert(key.to_owned(), (bytes, answer.clone()));
        Ok(answer)
    }

    fn find(&self, text: &str) -> Result<OrderId, Problem> {
        let id = text
            .parse::<OrderId>()
            .map_err(|error| Problem::field("order_id", error.to_string()));
        let id = id.or_else(|problem| {
            let number: domain::RegistryNumber = text.parse().map_err(|_| problem)?;
            self.orders
                .keys()
                .copied()
                .find(|id| id.registry_number() == number)
                .ok_or_else(|| not_found(0u8))
        })?;
        if self.orders.contains_key(&id) {
            Ok(id)
        } else {
            Err(not_found(id))
        }
    }
}

fn not_found(id: impl std::fmt::Display) -> Problem {
    Problem::new(Code::OrderNotFound, format!("order {id} is not known here"))
}

#[tonic::async_trait]
impl Backend for Desk {
    async fn file_order(&self, caller: &Caller, request: FileOrderRequest) -> Result<WriteAnswer, Problem> {
        let bytes = request.encode_to_vec();
        let order = convert::order_from("order", &request.order.unwrap())?;
        assert_ne!(order.other_text, "panic", "as the test wants");
        if order.other_text == "sleep" {
            std::future::pending::<()>().await;
        }
        domain::legal_core(&order).map_err(|missing| convert::core_missing("order", &missing))?;
        let key = request.idempotency_key;
        let order_id = OrderId::derive(ORIGIN, &key);
        let source_id = Some(request.source_id).filter(|id| !id.is_empty());
        self.held
            .lock()
            .unwrap()
            .write(caller, &key, bytes, &request.reason, |_, act| {
                Ok(Event::Filed(domain::Filed {
                    act,
                    order_id,
                    source_id,
                    order,
                }))
            })
    }

    async fn amend_order(&self, caller: &Caller, request: AmendOrderRequest) -> Result<WriteAnswer, Problem> {
        let bytes = request.encode_to_vec();
        let order = convert::order_from("order", &request.order.unwrap())?;
        self.held.lock().unwrap().write(
            caller,
            &request.idempotency_key,
            bytes,
            &request.reason,
            |held, act| {
                let order_id = held.find(&request.order_id)?;
                let found = held.orders[&order_id].0.version;
                if request.expected_version != 0 && request.expected_version != found {
                    return Err(Problem::new(
                        Code::VersionConflict,
                        format!("order {order_id} is at version {found}"),
                    ));
                }
                Ok(Event::Amended(domain::Amended { act, order_id, order }))
            },
        )
    }

    async fn record_service(
        &self,
        caller: &Caller,
        request: RecordServiceRequest,
    ) -> Result<WriteAnswer, Problem> {
        let bytes = request.encode_to_vec();
        let service = convert::service_from("service", &request.service.unwrap())?;
        self.held.lock().unwrap().write(
            caller,
            &request.idempotency_key,
            bytes,
            &request.reason,
            |held, act| {
                Ok(Event::Served(domain::Served {
                    act,
                    order_id: held.find(&request.order_id)?,
                    service,
                }))
            },
        )
    }

    async fn end_order(&self, caller: &Caller, request: EndOrderRequest) -> Result<WriteAnswer, Problem> {
        let bytes = request.encode_to_vec();
        let ending = convert::ending_from("ending", &request.ending.unwrap())?;
        self.held.lock().unwrap().write(
            caller,
            &request.idempotency_key,
            bytes,
            &request.reason,
            |held, act| {
                Ok(Event::Ended(domain::Ended {
                    act,
                    order_id: held.find(&request.order_id)?,
                    ending,
                }))
            },
        )
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
        caller: &Caller,
        offer: ImageOffer,
        mut data: ImageBytes,
    ) -> Result<AttachImageAnswer, Problem> {
        let mut bytes = Vec::new();
        while let Some(piece) = data.next().await {
            match piece {
                Ok(piece) => bytes.extend_from_slice(&piece),
                // Even a careless backend cannot acknowledge an image that was cut off.
                Err(_) if offer.title == "careless" => break,
                Err(problem) => return Err(problem),
            }
        }
        if !bytes.starts_with(b"%PDF") {
            return Err(Problem::new(
                Code::ImageRefused,
                "the content is no PDF, PNG, JPEG or TIFF",
            ));
        }
        let image = domain::ImageRef {
            blake3: domain::ImageDigest(*blake3::hash(&bytes).as_bytes()),
            length: bytes.len() as u64,
            title: offer.title.clone(),
            ..Default::default()
        };
        let mut held = self.held.lock().unwrap();
        let write = held.write(
            caller,
            &offer.idempotency_key,
            bytes.clone(),
            &offer.reason,
            |held, act| {
                let order_id = held.find(&offer.order_id)?;
                Ok(Event::ImageAttached(domain::ImageAttached {
                    act,
                    order_id,
                    image: image.clone(),
                }))
            },
        )?;
        let image = render::image(&image);
        held.images
            .insert(image.blake3.clone(), (image.clone(), bytes.into()));
        Ok(AttachImageAnswer {
            write: Some(write),
            image: Some(image),
        })
    }

    async fn get_order(&self, _caller: &Caller, request: GetOrderRequest) -> Result<OrderAnswer, Problem> {
        let held = self.held.lock().unwrap();
        let id = held.find(&request.order_id)?;
        let (state, events) = &held.orders[&id];
        let history = (1..)
            .zip(events)
            .map(|(number, event)| render::step(number, event, 1, false, request.versions));
        let history = history.collect();
        Ok(OrderAnswer {
            history,
            freshness: Some(freshness()),
            ..render::state(
                state,
                &domain::standing(state, now(), &domain::Calendars::default()),
                now(),
            )
        })
    }

    async fn get_image(&self, _caller: &Caller, blake3: &str) -> Result<ImageOut, Problem> {
        let held = self.held.lock().unwrap();
        let unknown = || Problem::new(Code::ImageNotFound, format!("image {blake3} is not known here"));
        let (image, bytes) = held.images.get(blake3).cloned().ok_or_else(unknown)?;
        let pieces: Vec<Result<Bytes, Problem>> = bytes
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
        let asked = question::question_from(&request)?;
        let held = self.held.lock().unwrap();
        let fits = |state: &&OrderState| {
            state
                .order
                .restrained
                .name
                .last
                .eq_ignore_ascii_case(&asked.name.last)
        };
        let hits: Vec<Hit> = held
            .orders
            .values()
            .map(|(state, _)| state)
            .filter(fits)
            .take(asked.limit)
            .map(|state| Hit {
                order_id: state.order_id.to_string(),
                person: "restrained".to_owned(),
                name: state.order.restrained.name.last_first(),
                score: 1.0,
                why: vec!["same name".to_owned()],
                standing: Some(render::standing(
                    &domain::standing(state, now(), &domain::Calendars::default()),
                    now(),
                )),
                ..Default::default()
            })
            .collect();
        let total = u32::try_from(hits.len()).unwrap();
        let dated = (asked.name.last != "undated").then(freshness);
        Ok(LookupAnswer {
            hits,
            total,
            freshness: dated,
            ..Default::default()
        })
    }

    async fn list_courts(&self, _caller: &Caller) -> Result<CourtsAnswer, Problem> {
        let court = CourtState {
            court: "court/alameda".to_owned(),
            age_ms: Some(12),
            ..Default::default()
        };
        Ok(CourtsAnswer {
            courts: vec![court],
            freshness: Some(freshness()),
        })
    }

    async fn knocked(&self, knock: Knock) {
        if let Arrival::TurnedAway(problem) = knock.arrival {
            let who = knock.caller.unwrap_or_default().identity;
            self.turned_away.lock().unwrap().push((who, problem.code));
        }
    }

    async fn status(&self, _caller: &Caller) -> Result<StatusAnswer, Problem> {
        Ok(StatusAnswer {
            identity: ORIGIN.to_owned(),
            freshness: Some(freshness()),
            ..Default::default()
        })
    }

    async fn enforce(&self, _caller: &Caller, _request: EnforceRequest) -> Result<EnforceAnswer, Problem> {
        Ok(EnforceAnswer {
            freshness: Some(freshness()),
            ..EnforceAnswer::default()
        })
    }

    async fn check_order(
        &self,
        _caller: &Caller,
        _request: CheckOrderRequest,
    ) -> Result<CheckOrderAnswer, Problem> {
        Ok(CheckOrderAnswer {
            freshness: Some(freshness()),
            ..CheckOrderAnswer::default()
        })
    }

    async fn person_history(
        &self,
        _caller: &Caller,
        _request: PersonHistoryRequest,
    ) -> Result<PersonHistoryAnswer, Problem> {
        Ok(PersonHistoryAnswer {
            freshness: Some(freshness()),
            ..PersonHistoryAnswer::default()
        })
    }

    async fn list_overdue(
        &self,
        _caller: &Caller,
        _request: ListOverdueRequest,
    ) -> Result<OverdueAnswer, Problem> {
        Ok(OverdueAnswer {
            freshness: Some(freshness()),
            ..OverdueAnswer::default()
        })
    }

    async fn list_work(&self, _caller: &Caller, _request: ListWorkRequest) -> Result<WorkAnswer, Problem> {
        Ok(WorkAnswer {
            freshness: Some(freshness()),
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
        let ok = self.ready.load(std::sync::atomic::Ordering::SeqCst);
        vec![Check {
            name: "ledger-writable".to_owned(),
            ok,
            words: "on this disk".to_owned(),
            notice: false,
        }]
    }
}
