//! Strategies for orders and events that no clerk would write: any text, any code, any day. Boxed throughout: unboxed, one
//! strategy of a whole order does not fit a test's stack.

use ccpor_domain::*;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

pub(crate) fn text() -> BoxedStrategy<String> {
    prop_oneof![
        Just(String::new()),
        vec(any::<char>(), 0..8).prop_map(|chars| chars.into_iter().collect()),
        select(vec![
            "DV-130", "cr160", "EPO-001", "GV-110", "W", "BRO", "alameda", "136.2(i)", "  ", "Doe"
        ])
        .prop_map(str::to_owned),
    ]
    .boxed()
}

pub(crate) fn date() -> BoxedStrategy<Date> {
    let year = prop_oneof![4 => 2020i16..2035, 1 => 1i16..=9999, 1 => Just(9999i16)];
    (year, 1u8..=12, 1u8..=31)
        .prop_filter_map("in the calendar", |(year, month, day)| {
            Date::new(year, month, day).ok()
        })
        .boxed()
}

pub(crate) fn time() -> BoxedStrategy<TimeOfDay> {
    (0u8..24, 0u8..60)
        .prop_map(|(hour, minute)| TimeOfDay::new(hour, minute).unwrap())
        .boxed()
}

/// Moments that JSON can express.
pub(crate) fn moment() -> BoxedStrategy<UtcMillis> {
    prop_oneof![
        4 => (1_577_836_800_000i64..2_051_222_400_000).prop_map(UtcMillis),
        1 => (-300_000_000_000_000i64..250_000_000_000_000).prop_map(UtcMillis),
    ]
    .boxed()
}

fn name() -> BoxedStrategy<Name> {
    (text(), text(), text(), text())
        .prop_map(|(first, middle, last, suffix)| Name {
            first,
            middle,
            last,
            suffix,
        })
        .boxed()
}

fn identifier() -> BoxedStrategy<Identifier> {
    (select(IdentifierKind::ALL), text(), text())
        .prop_map(|(kind, value, issuer)| Identifier { kind, value, issuer })
        .boxed()
}

fn vehicle() -> BoxedStrategy<Vehicle> {
    (
        text(),
        text(),
        text(),
        text(),
        text(),
        option::of(any::<u16>()),
        text(),
    )
        .prop_map(|(plate, state, vin, make, model, year, color)| Vehicle {
            plate,
            state,
            vin,
            make,
            model,
            year,
            color,
        })
        .boxed()
}

pub(crate) fn person() -> BoxedStrategy<Person> {
    let who = (
        name(),
        vec(name(), 0..2),
        option::of(date()),
        option::of(any::<u8>()),
        select(Sex::ALL),
    );
    let looks = (
        vec(text(), 0..3),
        option::of(any::<u16>()),
        option::of(any::<u16>()),
        text(),
        text(),
        text(),
        text(),
    );
    let more = (
        vec(identifier(), 0..2),
        vec(vehicle(), 0..2),
        vec(text(), 0..2),
        text(),
    );
    (who.boxed(), looks.boxed(), more.boxed())
        .prop_map(
            |(
                (name, aliases, dob, age_estimate, sex),
                (race, height_inches, weight_pounds, eye, hair, skin, marks),
                (identifiers, vehicles, cautions, language),
            )| Person {
                name,
                aliases,
                dob,
                age_estimate,
                sex,
                race,
                height_inches,
                weight_pounds,
                eye,
                hair,
                skin,
                marks,
                identifiers,
                vehicles,
                cautions,
                language,
            },
        )
        .boxed()
}

fn protected() -> BoxedStrategy<Protected> {
    (
        person(),
        select(ProtectedRole::ALL),
        select(Relationship::ALL),
        any::<bool>(),
        any::<bool>(),
    )
        .prop_map(
            |(person, role, relationship, minor_confidential, safe_at_home)| Protected {
                person,
                role,
                relationship,
                minor_confidential,
                safe_at_home,
            },
        )
        .boxed()
}

fn term() -> BoxedStrategy<Term> {
    let pco = vec(prop_oneof![1u8..=9, any::<u8>()], 0..3);
    (
        select(TermKind::ALL),
        pco,
        option::of(any::<u16>()),
        vec(select(Place::ALL), 0..3),
        text(),
    )
        .prop_map(|(kind, pco, distance_yards, places, text)| Term {
            kind,
            pco,
            distance_yards,
            places,
            text,
        })
        .boxed()
}

fn court() -> BoxedStrategy<Court> {
    (
        text(),
        any::<bool>(),
        text(),
        text(),
        text(),
        text(),
        text(),
        text(),
    )
        .prop_map(
            |(slug, tribal, name, address, phone, department, judge, ori)| Court {
                slug,
                tribal,
                name,
                address,
                phone,
                department,
                judge,
                ori,
            },
        )
        .boxed()
}

fn hearing() -> BoxedStrategy<Hearing> {
    (
        option::of(date()),
        option::of(time()),
        text(),
        text(),
        text(),
        text(),
    )
        .prop_map(|(date, time, department, room, judge, attended)| Hearing {
            date,
            time,
            department,
            room,
            judge,
            attended,
        })
        .boxed()
}

fn expiry() -> BoxedStrategy<Expiry> {
    prop_oneof![
        Just(Expiry::NotStated),
        Just(Expiry::Never),
        (date(), option::of(time())).prop_map(|(date, time)| Expiry::OnDate { date, time }),
    ]
    .boxed()
}

pub(crate) fn order_id() -> BoxedStrategy<OrderId> {
    any::<[u8; 16]>().prop_map(OrderId).boxed()
}

fn foreign() -> BoxedStrategy<ForeignOrder> {
    (text(), text(), option::of(any::<bool>()), option::of(date()))
        .prop_map(
            |(jurisdiction, order_number, valid_on_face, registered)| ForeignOrder {
                jurisdiction,
                order_number,
                valid_on_face,
                registered,
            },
        )
        .boxed()
}

pub(crate) fn order() -> BoxedStrategy<Order> {
    let kind = (select(Family::ALL), select(Stage::ALL), text(), text(), court());
    let numbers = (text(), text(), text(), text(), option::of(text()));
    let days = (
        option::of(date()),
        option::of(time()),
        option::of(date()),
        option::of(time()),
        option::of(hearing()),
        expiry(),
        option::of(any::<bool>()),
    );
    let parties = (person(), vec(protected(), 0..3), vec(term(), 0..4));
    let links = (
        option::of(order_id()),
        option::of(order_id()),
        option::of(foreign()),
        option::of(
            (select(BradyIndicator::ALL), text()).prop_map(|(indicator, reason)| Brady { indicator, reason }),
        ),
    );
    (
        kind.boxed(),
        numbers.boxed(),
        days.boxed(),
        parties.boxed(),
        links.boxed(),
    )
        .prop_map(
            |(
                (family, stage, form, statute, court),
                (case_number, agency_case_number, fcn, other_text, establishment),
                (issued, issued_time, effective, effective_time, hearing, expires, present_at_hearing),
                (restrained, protected, terms),
                (previous, lineage, foreign, brady),
            )| Order {
                family,
                stage,
                form,
                statute,
                court,
                case_number,
                agency_case_number,
                fcn,
                issued,
                issued_time,
                effective,
                effective_time,
                hearing,
                expires,
                restrained,
                present_at_hearing,
                protected,
                establishment,
                terms,
                other_text,
                previous,
                lineage,
                foreign,
                brady,
            },
        )
        .boxed()
}

pub(crate) fn service() -> BoxedStrategy<Service> {
    (
        select(ServiceMode::ALL),
        option::of(date()),
        option::of(time()),
        text(),
        text(),
    )
        .prop_map(|(mode, date, time, agency, place)| Service {
            mode,
            date,
            time,
            agency,
            place,
            ..Service::default()
        })
        .boxed()
}

pub(crate) fn act() -> BoxedStrategy<Act> {
    (
        any::<[u8; 16]>(),
        moment(),
        text(),
        option::of(text()),
        option::of(text()),
        text(),
    )
        .prop_map(|(request, at, identity, ori, person, reason)| Act {
            request: RequestId(request),
            at,
            by: Actor {
                identity,
                ori,
                person,
            },
            reason,
        })
        .boxed()
}

fn image() -> BoxedStrategy<ImageRef> {
    (
        any::<[u8; 32]>(),
        any::<u64>(),
        select(Media::ALL),
        any::<u32>(),
        text(),
    )
        .prop_map(|(bytes, length, media, pages, title)| ImageRef {
            blake3: ImageDigest(bytes),
            sha256: ImageDigest(bytes),
            length,
            media,
            pages,
            title,
        })
        .boxed()
}

fn ending() -> BoxedStrategy<Ending> {
    let kind = prop_oneof![
        Just(EndingKind::Terminated),
        Just(EndingKind::CancelledEntryError),
        order_id().prop_map(|by| EndingKind::Superseded { by }),
    ];
    (kind, option::of(date()), option::of(time()))
        .prop_map(|(kind, date, time)| Ending { kind, date, time })
        .boxed()
}

pub(crate) fn filed() -> BoxedStrategy<Filed> {
    (act(), order_id(), option::of(text()), order())
        .prop_map(|(act, order_id, source_id, order)| Filed {
            act,
            order_id,
            source_id,
            order,
        })
        .boxed()
}

/// Any event about any order.
pub(crate) fn event() -> BoxedStrategy<Event> {
    prop_oneof![
        filed().prop_map(Event::Filed),
        (act(), order_id(), order()).prop_map(|(act, order_id, order)| Event::Amended(Amended {
            act,
            order_id,
            order
        })),
        (act(), order_id(), service()).prop_map(|(act, order_id, service)| Event::Served(Served {
            act,
            order_id,
            service
        })),
        (act(), order_id(), image()).prop_map(|(act, order_id, image)| Event::ImageAttached(ImageAttached {
            act,
            order_id,
            image
        })),
        (act(), order_id(), ending()).prop_map(|(act, order_id, ending)| Event::Ended(Ended {
            act,
            order_id,
            ending
        })),
        (act(), order_id(), option::of(date()), text()).prop_map(|(act, order_id, date, note)| {
            Event::Violated(Violated {
                act,
                order_id,
                violation: Violation {
                    date,
                    note,
                    ..Violation::default()
                },
            })
        }),
        (act(), order_id(), 0..4_u8, option::of(vec(any::<u8>(), 0..40))).prop_map(
            |(act, order_id, sheet, bytes)| {
                Event::Confided(Confided {
                    act,
                    order_id,
                    sheet: SheetId([sheet; 16]),
                    what: bytes.map_or(Confidence::Destroyed, |bytes| {
                        Confidence::Added(Ciphertext(bytes))
                    }),
                })
            }
        ),
        (act(), order_id(), any::<bool>()).prop_map(|(act, order_id, sealed)| Event::Sealing(Sealing {
            act,
            order_id,
            sealed
        })),
    ]
    .boxed()
}

/// The same event about another order, by another request.
pub(crate) fn about(event: Event, order: OrderId, request: RequestId) -> Event {
    match event {
        Event::Filed(mut filed) => {
            (filed.order_id, filed.act.request) = (order, request);
            Event::Filed(filed)
        }
        Event::Amended(mut amended) => {
            (amended.order_id, amended.act.request) = (order, request);
            Event::Amended(amended)
        }
        Event::Served(mut served) => {
            (served.order_id, served.act.request) = (order, request);
            Event::Served(served)
        }
        Event::ImageAttached(mut attached) => {
            (attached.order_id, attached.act.request) = (order, request);
            Event::ImageAttached(attached)
        }
        Event::Violated(mut violated) => {
            (violated.order_id, violated.act.request) = (order, request);
            Event::Violated(violated)
        }
        Event::Confided(mut confided) => {
            (confided.order_id, confided.act.request) = (order, request);
            Event::Confided(confided)
        }
        Event::Sealing(mut sealing) => {
            sealing.order_id = order;
            sealing.act.request = request;
            Event::Sealing(sealing)
        }
        Event::Ended(mut ended) => {
            (ended.order_id, ended.act.request) = (order, request);
            Event::Ended(ended)
        }
    }
}
