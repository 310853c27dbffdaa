//! The block that a dispatcher reads aloud: one order, a few lines of plain text. What it is current as of is said by the
//! answer it stands in, not here.

use std::fmt::Write;

use crate::code::CodeTable;
use crate::expiry::{End, EndRule};
use crate::order::Order;
use crate::party::{Person, ProtectedRole};
use crate::phrase::is_printed;
use crate::service::ServiceMode;
use crate::standing::{Notice, Standing, Status};
use crate::state::OrderState;
use crate::term::Term;

/// The block for the `nth` of `of` orders, with its standing at the moment asked for: three lines, and a fourth when officers should be careful.
///
/// ```text
/// 1/2 ACTIVE  DV RESTRAINING ORDER AFTER HEARING  RP: DOE, JOHN  DOB 1985-03-12 M W 6'01 190
///     PP: DOE, JANE +2   NO CONTACT · STAY AWAY 100 YDS · MOVE-OUT · NO FIREARMS
///     SERVED 2026-10-02 KERN SO   EXPIRES 2029-10-01   KERN SUPERIOR COURT CASE BFL-26-001234  IMAGE: YES
/// ```
///
/// Texts of the record are written without control characters and cut after 80 characters, so that no record can change
/// the shape of the block. A minor whom a court made confidential is not named.
#[must_use]
pub fn radio_block(state: &OrderState, standing: &Standing, nth: usize, of: usize) -> String {
    let order = &state.order;
    let mut block = format!(
        "{nth}/{of} {}  {}  RP: {}\n    PP: {}   {}\n    {}   {}   {}  IMAGE: {}{}",
        standing.status.words(),
        order.title(),
        described(&order.restrained),
        protected(order),
        terms(order, standing),
        served(standing.served_how.as_ref()),
        expires(standing),
        court(state),
        if state.images.is_empty() { "NO" } else { "YES" },
        if state.sealed.is_some() {
            "  SEALED BY COURT"
        } else {
            ""
        },
    );
    if standing.custody_remains {
        block.push_str("  CUSTODY TERMS MAY STILL STAND, ASK COURT");
    }
    let cautions: Vec<String> = order
        .restrained
        .cautions
        .iter()
        .map(|code| caution(code))
        .collect();
    if !cautions.is_empty() {
        // Writing into a String cannot fail.
        let _ = write!(block, "\n    CAUTION: {}", cautions.join(" · "));
    }
    block
}

/// `DOE, JOHN  DOB 1985-03-12 M W 6'01 190`; what is not known is left out, but for the date of birth.
fn described(person: &Person) -> String {
    let mut line = or_else(plain(&person.name.last_first()), "NAME NOT STATED");
    line.push_str("  ");
    line.push_str(&match (person.dob, person.age_estimate) {
        (Some(dob), _) => format!("DOB {dob}"),
        (None, Some(age)) => format!("AGE ABOUT {age}"),
        (None, None) => "DOB NOT STATED".to_owned(),
    });
    let race: Vec<String> = person.race.iter().map(|code| plain(code)).collect();
    let height = person
        .height_inches
        .map(|inches| format!("{}'{:02}", inches / 12, inches % 12));
    let weight = person.weight_pounds.map(|pounds| pounds.to_string());
    let rest = [
        person.sex.code().to_owned(),
        race.join("/"),
        height.unwrap_or_default(),
        weight.unwrap_or_default(),
    ];
    for part in rest.iter().filter(|part| !part.is_empty()) {
        line.push(' ');
        line.push_str(part);
    }
    line
}

/// `DOE, JANE +2`: the first protected person of item 1, and how many more.
fn protected(order: &Order) -> String {
    let first = order
        .protected
        .iter()
        .find(|one| one.role == ProtectedRole::Primary)
        .or(order.protected.first());
    let Some(first) = first else {
        let establishment = order.establishment.as_deref().map(plain).unwrap_or_default();
        return or_else(establishment, "NONE NAMED");
    };
    let name = if first.minor_confidential {
        "CONFIDENTIAL MINOR".to_owned()
    } else {
        or_else(plain(&first.person.name.last_first()), "NAME NOT STATED")
    };
    match order.protected.len() {
        1 => name,
        all => format!("{name} +{}", all - 1),
    }
}

/// `NO CONTACT · STAY AWAY 100 YDS · MOVE-OUT · NO FIREARMS`, in the order in which an officer needs them.
fn terms(order: &Order, standing: &Standing) -> String {
    let mut said = Vec::new();
    if standing.no_contact {
        said.push("NO CONTACT".to_owned());
    }
    match standing.stay_away_yards {
        Some(yards) => said.push(format!("STAY AWAY {yards} YDS")),
        None if order.terms.iter().any(Term::commands_distance) => said.push("STAY AWAY".to_owned()),
        None => {}
    }
    if order.terms.iter().any(Term::commands_move_out) {
        said.push("MOVE-OUT".to_owned());
    }
    if standing.firearms {
        said.push("NO FIREARMS".to_owned());
    }
    if said.is_empty() {
        said.push(
            if order.terms.is_empty() {
                "TERMS NOT RECORDED, SEE IMAGE"
            } else {
                "SEE TERMS"
            }
            .to_owned(),
        );
    }
    said.join(" · ")
}

/// `SERVED 2026-10-02 KERN SO`.
fn served(notice: Option<&Notice>) -> String {
    let Some(notice) = notice else {
        return "NOT SERVED".to_owned();
    };
    let how = match notice.mode {
        ServiceMode::InCourt => " IN COURT",
        ServiceMode::Verbal => " VERBALLY",
        ServiceMode::Mail => " BY MAIL",
        ServiceMode::NotRecorded => " (HOW NOT RECORDED)",
        ServiceMode::Personal | ServiceMode::FailedAttempt => "",
    };
    let agency = plain(&notice.agency);
    let by = if agency.is_empty() {
        String::new()
    } else {
        format!(" {agency}")
    };
    format!("SERVED{how} {}{by}", notice.date)
}

/// `EXPIRES 2029-10-01`, with the rule when the order does not say so itself.
fn expires(standing: &Standing) -> String {
    let verb = if standing.status == Status::Expired {
        "EXPIRED"
    } else {
        "EXPIRES"
    };
    match standing.ends {
        End::Never => "NO EXPIRATION".to_owned(),
        End::NotStated => "EXPIRATION NOT STATED, ASK COURT".to_owned(),
        End::At { date, time, rule } => {
            let time = time.map(|time| format!(" {time}")).unwrap_or_default();
            let why = if rule == EndRule::OnFace {
                String::new()
            } else {
                format!(" ({})", plain(rule.words()))
            };
            format!("{verb} {date}{time}{why}")
        }
    }
}

/// `KERN SUPERIOR COURT CASE BFL-26-001234  TEL 661-555-0100  REG 7K3Q-9D2M-0VXR-4`.
fn court(state: &OrderState) -> String {
    let court = &state.order.court;
    let name = or_else(plain(&court.display_name()), "COURT NOT STATED");
    let case = or_else(plain(&state.order.case_number), "NOT STATED");
    let phone = plain(&court.phone);
    let phone = if phone.is_empty() {
        phone
    } else {
        format!("  TEL {phone}")
    };
    format!(
        "{name} CASE {case}{phone}  REG {}",
        state.order_id.registry_number()
    )
}

fn caution(code: &str) -> String {
    CodeTable::Caution
        .find(code)
        .map_or_else(|| plain(code), |entry| plain(entry.words))
}

fn or_else(text: String, instead: &str) -> String {
    if text.is_empty() { instead.to_owned() } else { text }
}

/// Capitals on one line: no control characters, single blanks, at most 80 characters.
fn plain(text: &str) -> String {
    const LONGEST: usize = 80;
    let one_line: String = text
        .chars()
        .map(|c| if is_printed(c) { c } else { ' ' })
        .collect();
    let capitals = one_line
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .to_uppercase();
    if capitals.chars().count() <= LONGEST {
        return capitals;
    }
    capitals.chars().take(LONGEST - 1).chain(['…']).collect()
}
