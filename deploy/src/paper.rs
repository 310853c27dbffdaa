//! An order as a person reads it on a screen: what it means, what it says, what was done with it. It asks nobody.

use ccpor_api::message::{
    Freshness, ImageRef, Order, OrderAnswer, Position, Service, ServiceRecord, Step, ViolationRecord,
    WriteAnswer,
};

use crate::described::{person, said};
use crate::dispatch::{ends, status, terms};
use crate::table::{Table, count, short_hash};
use crate::{as_of, when};

/// The whole order with its status, papers and history.
pub(crate) fn order(answer: &OrderAnswer, freshness: &Freshness) -> String {
    let mut sheet = Sheet::default();
    heading(&mut sheet, answer);
    if let Some(order) = &answer.order {
        face(&mut sheet, order);
        people(&mut sheet, order);
        commands(&mut sheet, order);
        suggested(&mut sheet, answer);
    }
    sheet.list("SERVICE", answer.service.iter().map(recorded));
    sheet.list("VIOLATIONS", answer.violations.iter().map(violation));
    sheet.list("IMAGES", answer.images.iter().map(image));
    if let Some(ending) = answer.ending.as_ref().and_then(|record| record.ending.as_ref()) {
        sheet.line(
            "ENDED",
            said([&status(&ending.kind), &ending.date, &ending.time, &ending.by]),
        );
    }
    damage(&mut sheet, answer);
    format!(
        "{}\n{}\n{}\n",
        sheet.0,
        steps(&answer.history),
        as_of::line(freshness, "")
    )
}

/// A violation that was reported.
fn violation(record: &ViolationRecord) -> String {
    let violation = record.violation.clone().unwrap_or_default();
    said([
        &violation.date,
        &violation.time,
        &violation.agency,
        &violation.report,
        &violation.note,
    ])
}

/// What the record shows of the federal firearms bar, when nobody has decided.
fn suggested(sheet: &mut Sheet, answer: &OrderAnswer) {
    let decided = answer.order.as_ref().is_some_and(|order| order.brady.is_some());
    let Some(seen) = answer.brady_suggestion.as_ref().filter(|_| !decided) else {
        return;
    };
    let met = seen
        .reasons
        .iter()
        .filter(|reason| reason.met == Some(true))
        .count();
    sheet.line(
        "BRADY",
        format!(
            "not decided; suggested: {} ({met} of {} conditions recorded)",
            seen.indicator,
            seen.reasons.len()
        ),
    );
}

/// The history alone.
pub(crate) fn history(answer: &OrderAnswer, freshness: &Freshness) -> String {
    let mut sheet = Sheet::default();
    heading(&mut sheet, answer);
    damage(&mut sheet, answer);
    format!(
        "{}\n{}\n{}\n",
        sheet.0,
        steps(&answer.history),
        as_of::line(freshness, "")
    )
}

/// What a write did.
pub(crate) fn written(done: &str, answer: &WriteAnswer) -> String {
    let mut sheet = Sheet::default();
    let done = if answer.repeated {
        format!("{done} (by an earlier call with the same key)")
    } else {
        done.to_owned()
    };
    sheet.line("DONE", done);
    sheet.line(
        "ORDER",
        said([&answer.registry_number, &format!("(id {})", answer.order_id)]),
    );
    sheet.line("VERSION", answer.version.to_string());
    sheet.line(
        "DURABLE",
        format!(
            "{} at {}",
            when::read(&answer.recorded_at),
            place(answer.position.as_ref())
        ),
    );
    sheet.list(
        "LOOK AT",
        answer
            .warnings
            .iter()
            .map(|one| said([&one.field, &one.message, &one.rule])),
    );
    sheet.0
}

/// An image in a line.
pub(crate) fn image(image: &ImageRef) -> String {
    let pages = if image.pages == 0 {
        String::new()
    } else {
        format!("{} pages", image.pages)
    };
    let size = format!("{} bytes", count(image.length));
    said([&image.blake3, &image.media, &pages, &size, &image.title])
}

fn heading(sheet: &mut Sheet, answer: &OrderAnswer) {
    let version = format!("version {}", answer.version);
    sheet.line(
        "ORDER",
        said([
            &answer.registry_number,
            &version,
            &answer.court,
            &format!("(id {})", answer.order_id),
        ]),
    );
    let Some(standing) = &answer.standing else { return };
    let mut parts = vec![status(&standing.status)];
    parts.push(match &standing.served_how {
        _ if !standing.served => "NOT SERVED".to_owned(),
        None => "SERVED".to_owned(),
        Some(notice) => format!("SERVED {} {} {}", notice.date, notice.time, notice.agency)
            .trim_end()
            .to_owned(),
    });
    parts.extend(terms(standing));
    sheet.line(
        "STATUS",
        format!("{}  (at {})", parts.join(" · "), when::read(&standing.at)),
    );
    if let Some(seal) = &answer.sealed {
        sheet.line("SEALED", said([&when::read(&seal.at), &seal.reason]));
    }
    let rule = standing.ends.clone().unwrap_or_default();
    sheet.line(
        "ENDS",
        said([&ends(standing.ends.as_ref()), &rule.rule_words, &rule.law]),
    );
}

fn face(sheet: &mut Sheet, order: &Order) {
    sheet.line(
        "PAPER",
        said([&order.form, &order.family, &order.stage, &order.statute]),
    );
    if let Some(court) = &order.court {
        sheet.line(
            "COURT",
            said([
                &court.name,
                &court.department,
                &court.judge,
                &court.phone,
                &court.ori,
            ]),
        );
    }
    sheet.line("CASE", said([&order.case_number, &order.agency_case_number]));
    sheet.line("FCN", order.fcn.clone());
    sheet.line("ISSUED", said([&order.issued, &order.issued_time]));
    sheet.line("EFFECTIVE", said([&order.effective, &order.effective_time]));
    if let Some(hearing) = &order.hearing {
        sheet.line(
            "HEARING",
            said([
                &hearing.date,
                &hearing.time,
                &hearing.department,
                &hearing.room,
                &hearing.judge,
            ]),
        );
    }
    if let Some(foreign) = &order.foreign {
        sheet.line(
            "FOREIGN",
            said([&foreign.jurisdiction, &foreign.order_number, &foreign.registered]),
        );
    }
    if let Some(brady) = &order.brady {
        sheet.line("BRADY", said([&brady.indicator, &brady.reason]));
    }
    sheet.line("FOLLOWS", order.previous.clone());
}

fn people(sheet: &mut Sheet, order: &Order) {
    if let Some(restrained) = &order.restrained {
        sheet.list("RESTRAINED", person(restrained).into_iter());
    }
    for protected in &order.protected {
        let mut lines = protected.person.as_ref().map(person).unwrap_or_default();
        let minor = if protected.minor_confidential {
            "CONFIDENTIAL MINOR"
        } else {
            ""
        };
        let safe = if protected.safe_at_home {
            "address confidential (Safe at Home)"
        } else {
            ""
        };
        lines.push(said([&protected.role, &protected.relationship, minor, safe]));
        sheet.list("PROTECTED", lines.into_iter());
    }
    sheet.line("PROTECTS", order.establishment.clone());
}

fn commands(sheet: &mut Sheet, order: &Order) {
    sheet.list(
        "TERMS",
        order.terms.iter().map(|term| {
            let codes: Vec<String> = term.pco.iter().map(|code| format!("PCO {code}")).collect();
            let yards = term
                .distance_yards
                .map(|yards| format!("{yards} yards"))
                .unwrap_or_default();
            said([
                &term.kind,
                &yards,
                &term.places.join(", "),
                &codes.join(", "),
                &term.text,
            ])
        }),
    );
    sheet.line("OTHER", order.other_text.clone());
}

fn recorded(record: &ServiceRecord) -> String {
    let linked = if record.linked {
        "recorded by another court"
    } else {
        ""
    };
    said([&record.service.as_ref().map(service).unwrap_or_default(), linked])
}

/// Records that cannot be shown: what they say is missing above.
fn damage(sheet: &mut Sheet, answer: &OrderAnswer) {
    sheet.list(
        "DAMAGED",
        answer
            .unreadable
            .iter()
            .map(|one| said([&place(one.position.as_ref()), &one.reason])),
    );
}

fn service(service: &Service) -> String {
    let ori = if service.agency_ori.is_empty() {
        String::new()
    } else {
        format!("ORI {}", service.agency_ori)
    };
    let badge = if service.badge.is_empty() {
        String::new()
    } else {
        format!("badge {}", service.badge)
    };
    said([
        &service.mode,
        &service.date,
        &service.time,
        &service.served_by,
        &badge,
        &service.agency,
        &ori,
        &service.place,
        &service.note,
    ])
}

fn steps(history: &[Step]) -> String {
    let mut table = Table::new(&[">NO", "AT", "WHAT", "VERSION", "BY", "RECORD", "REASON"]);
    for step in history {
        let what = match (&step.service, &step.image, &step.ending) {
            (Some(service), _, _) => format!("{} ({})", step.what, service.mode),
            (_, Some(image), _) => format!("{} ({})", step.what, image.media),
            (_, _, Some(ending)) => format!("{} ({})", step.what, ending.kind),
            _ => step.what.clone(),
        };
        let by = step
            .by
            .as_ref()
            .map(|by| said([&by.identity, &by.ori, &by.person]))
            .unwrap_or_default();
        table.row([
            step.number.to_string(),
            when::read(&step.at),
            what,
            step.version.to_string(),
            by,
            place(step.position.as_ref()),
            step.reason.clone(),
        ]);
    }
    table.text()
}

/// `court/alameda/node/1 1:48213 (9c1e…77)`.
pub(crate) fn place(position: Option<&Position>) -> String {
    position.map_or_else(
        || "-".to_owned(),
        |at| format!("{} {}:{} ({})", at.origin, at.epoch, at.seq, short_hash(&at.hash)),
    )
}

/// Lines with a word before each: `STATUS      ACTIVE`.
#[derive(Default)]
struct Sheet(String);

impl Sheet {
    /// A line; left out when it says nothing. Further lines of the text are set in.
    fn line(&mut self, word: &str, text: String) {
        for (place, line) in text.lines().filter(|line| !line.trim().is_empty()).enumerate() {
            let word = if place == 0 { word } else { "" };
            self.0.push_str(&format!("{word:<11} {}\n", line.trim_end()));
        }
    }

    fn list(&mut self, word: &str, lines: impl Iterator<Item = String>) {
        self.line(word, lines.collect::<Vec<_>>().join("\n"));
    }
}

#[cfg(test)]
mod tests {
    use ccpor_api::message::{Actor, End, Name, Person, Protected, Standing, Term};

    use super::*;
    use crate::as_of::tests::fresh;

    fn someone(first: &str) -> Person {
        let name = Name {
            first: first.into(),
            last: "DOE".into(),
            suffix: "JR".into(),
            ..Name::default()
        };
        Person {
            name: Some(name),
            dob: "1985-03-12".into(),
            height_inches: Some(73),
            ..Person::default()
        }
    }

    fn shown() -> OrderAnswer {
        let position = Position {
            origin: "court/kern/node/1".into(),
            epoch: 1,
            seq: 7,
            hash: "9c1e00aa00bb00cc77".into(),
        };
        OrderAnswer {
            order_id: "00ff".into(),
            registry_number: "7K3M-99QD-0TB2-X".into(),
            court: "court/kern".into(),
            version: 2,
            order: Some(Order {
                form: "DV-130".into(),
                case_number: "BFL-26-001234".into(),
                issued: "2026-10-01".into(),
                restrained: Some(someone("JOHN")),
                protected: vec![Protected {
                    person: Some(someone("JANE")),
                    relationship: "spouse".into(),
                    ..Protected::default()
                }],
                terms: vec![Term {
                    kind: "stay_away".into(),
                    distance_yards: Some(100),
                    places: vec!["home".into(), "work".into()],
                    ..Term::default()
                }],
                ..Order::default()
            }),
            standing: Some(Standing {
                at: "2026-12-02T10:14:07.000Z".into(),
                status: "active".into(),
                no_contact: true,
                ends: Some(End {
                    kind: "at".into(),
                    date: "2029-10-01".into(),
                    rule_words: "as the order says".into(),
                    ..End::default()
                }),
                ..Standing::default()
            }),
            history: vec![Step {
                number: 1,
                what: "filed".into(),
                at: "2026-10-02T22:15:00.000Z".into(),
                by: Some(Actor {
                    identity: "system/kern-cms".into(),
                    ..Actor::default()
                }),
                position: Some(position),
                version: 1,
                ..Step::default()
            }],
            ..OrderAnswer::default()
        }
    }

    #[test]
    fn an_order_on_a_screen() {
        let expected = "\
ORDER       7K3M-99QD-0TB2-X · version 2 · court/kern · (id 00ff)
STATUS      ACTIVE · NOT SERVED · NO CONTACT  (at 2026-12-02 02:14 PST)
ENDS        2029-10-01 · as the order says
PAPER       DV-130
CASE        BFL-26-001234
ISSUED      2026-10-01
RESTRAINED  DOE JR, JOHN · DOB 1985-03-12 · 6'01\"
PROTECTED   DOE JR, JANE · DOB 1985-03-12 · 6'01\"
            spouse
TERMS       stay_away · 100 yards · home, work

NO  AT                    WHAT   VERSION  BY               RECORD                           REASON
 1  2026-10-02 15:15 PDT  filed  1        system/kern-cms  court/kern/node/1 1:7 (9c1e…77)

AS OF 02:14:07 PST (2 s) · statewide complete
";
        assert_eq!(order(&shown(), &fresh()), expected);
    }

    #[test]
    fn a_write_is_told_with_its_place_and_what_to_look_at() {
        let answer = WriteAnswer {
            order_id: "00ff".into(),
            registry_number: "7K3M-99QD-0TB2-X".into(),
            version: 1,
            recorded_at: "2026-10-02T22:15:00.000Z".into(),
            position: shown().history[0].position.clone(),
            repeated: true,
            ..WriteAnswer::default()
        };
        let text = written("filed", &answer);
        assert!(
            text.starts_with("DONE        filed (by an earlier call with the same key)\nORDER       7K3M")
        );
        assert!(text.contains("DURABLE     2026-10-02 15:15 PDT at court/kern/node/1 1:7 (9c1e…77)\n"));
    }
}
