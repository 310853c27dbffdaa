//! The answer to a lookup as a dispatcher reads it out: numbered blocks, best first, and the line up to when it holds. It
//! asks nobody and decides nothing.

use ccpor_api::message::{AlsoNamed, End, Freshness, Hit, LookupAnswer, Standing};

use crate::as_of;

/// The whole answer as text.
pub(crate) fn answer(answer: &LookupAnswer, freshness: &Freshness) -> String {
    if answer.hits.is_empty() {
        return as_of::no_match(freshness, &answer.query_id) + "\n";
    }
    let shown = answer.hits.len();
    let mut text = String::new();
    let several = answer
        .hits
        .iter()
        .any(|hit| hit.asked > 0 || !hit.also.is_empty());
    let mut before = None;
    for (place, hit) in answer.hits.iter().enumerate() {
        if several && before.replace(section(hit)) != Some(section(hit)) {
            text.push_str(&section(hit));
        }
        text.push_str(&block(place + 1, shown, hit));
    }
    text.push_str(&as_of::line(freshness, &answer.query_id));
    text.push('\n');
    text
}

/// Of several people asked for, whom the hits below are about.
fn section(hit: &Hit) -> String {
    if hit.also.is_empty() {
        format!("PERSON {}:\n", hit.asked + 1)
    } else {
        let others: Vec<String> = hit.also.iter().map(|also| (also.asked + 1).to_string()).collect();
        format!("NAMES PERSONS {} AND {}:\n", hit.asked + 1, others.join(" AND "))
    }
}

/// One hit: `1/2 ` before the first line, the others set in by as much.
fn block(number: usize, of: usize, hit: &Hit) -> String {
    let mark = format!("{number}/{of} ");
    let indent = " ".repeat(mark.len());
    let mut text = String::new();
    let body = if hit.radio.trim().is_empty() {
        made_from_fields(hit)
    } else {
        unnumbered(&hit.radio).to_owned()
    };
    let why = why(hit, &body);
    let also: Vec<String> = hit.also.iter().map(also).collect();
    for (place, line) in body
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .chain([why.as_str()])
        .chain(also.iter().map(String::as_str))
        .enumerate()
    {
        text.push_str(if place == 0 { &mark } else { &indent });
        text.push_str(line);
        text.push('\n');
    }
    text
}

/// The words for the radio without the number that the machine gave them: here they are numbered as they are listed.
fn unnumbered(radio: &str) -> &str {
    let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match radio.trim_start().split_once(' ') {
        Some((mark, rest))
            if mark
                .split_once('/')
                .is_some_and(|(nth, of)| number(nth) && number(of)) =>
        {
            rest
        }
        _ => radio,
    }
}

/// Which person matched and why, and the number by which the order can be asked for where `said` has not told it.
fn why(hit: &Hit, said: &str) -> String {
    let mut text = format!("MATCH: {}", matched(&hit.person, &hit.name, &hit.dob));
    text.push_str(&how(&hit.band, hit.score, &hit.why));
    if !said.contains(&hit.registry_number) {
        text.push_str(&format!("   REG {}", hit.registry_number));
    }
    text
}

/// A further person of those asked for whom the order names.
fn also(also: &AlsoNamed) -> String {
    let who = matched(&also.person, &also.name, &also.dob);
    format!("  AND: {who}{}", how(&also.band, also.score, &also.why))
}

fn matched(person: &str, name: &str, dob: &str) -> String {
    let person = match person {
        "restrained" => "RP",
        "protected" => "PP",
        other => other,
    };
    let dob = if dob.is_empty() {
        String::new()
    } else {
        format!(" DOB {dob}")
    };
    format!("{person} {name}{dob}")
}

fn how(band: &str, score: f32, why: &[String]) -> String {
    let why = if why.is_empty() {
        String::new()
    } else {
        format!(" ({})", why.join("; "))
    };
    format!(" · {band} {score:.2}{why}")
}

/// The block of an answer that brings no words for the radio.
fn made_from_fields(hit: &Hit) -> String {
    let standing = hit.standing.clone().unwrap_or_default();
    let title = if hit.title.is_empty() {
        &hit.family
    } else {
        &hit.title
    };
    let mut text = format!(
        "{}  {title}  RP: {}\n",
        status(&standing.status),
        hit.restrained_name
    );
    let terms = terms(&standing);
    if !terms.is_empty() {
        text.push_str(&terms.join(" · "));
        text.push('\n');
    }
    let served = if standing.served { "SERVED" } else { "NOT SERVED" };
    let ends = match ends(standing.ends.as_ref()).as_str() {
        "never" => "NO EXPIRATION".to_owned(),
        "not stated" => "EXPIRATION NOT STATED, ASK COURT".to_owned(),
        end => format!("EXPIRES {end}"),
    };
    let court = if hit.court_name.is_empty() {
        &hit.court
    } else {
        &hit.court_name
    };
    let image = if hit.has_image { "YES" } else { "NO" };
    text.push_str(&format!(
        "{served}   {ends}   {court} CASE {}   IMAGE: {image}",
        hit.case_number
    ));
    if !hit.court_telephone.is_empty() {
        text.push_str(&format!("   COURT TEL {}", hit.court_telephone));
    }
    text
}

/// When an order ends of itself: its last day, with the minute when it ends within the day; `never` or `not stated`.
pub(crate) fn ends(end: Option<&End>) -> String {
    match end {
        Some(end) if end.kind == "at" => format!("{} {}", end.date, end.time).trim().to_owned(),
        Some(end) if end.kind == "never" => "never".to_owned(),
        _ => "not stated".to_owned(),
    }
}

/// The state as it is said: `active` is `ACTIVE`, `not_yet_effective` is `NOT YET EFFECTIVE`.
pub(crate) fn status(word: &str) -> String {
    if word.is_empty() {
        "STATUS UNKNOWN".to_owned()
    } else {
        word.replace('_', " ").to_uppercase()
    }
}

/// What is forbidden, in the words of the radio.
pub(crate) fn terms(standing: &Standing) -> Vec<String> {
    let mut terms = Vec::new();
    if standing.no_contact {
        terms.push("NO CONTACT".to_owned());
    }
    if let Some(yards) = standing.stay_away_yards {
        terms.push(format!("STAY AWAY {yards} YDS"));
    }
    if standing.firearms {
        terms.push("NO FIREARMS".to_owned());
    }
    terms
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::as_of::tests::{fresh, stale};

    fn hit() -> Hit {
        Hit {
            registry_number: "7K3M-99QD-0TB2-X".into(),
            court: "court/kern".into(),
            court_name: "KERN SUPERIOR".into(),
            court_telephone: "661-555-0100".into(),
            case_number: "BFL-26-001234".into(),
            person: "restrained".into(),
            name: "DOE, JOHN".into(),
            dob: "1985-03-12".into(),
            score: 0.987,
            band: "strong".into(),
            why: vec!["same last name".into(), "first name sounds alike".into()],
            standing: Some(Standing {
                status: "active".into(),
                served: true,
                no_contact: true,
                firearms: true,
                stay_away_yards: Some(100),
                ends: Some(End { kind: "at".into(), date: "2029-10-01".into(), ..End::default() }),
                ..Standing::default()
            }),
            title: "DV RESTRAINING ORDER AFTER HEARING".into(),
            restrained_name: "DOE, JOHN".into(),
            has_image: true,
            radio: "1/20 ACTIVE  DV RESTRAINING ORDER AFTER HEARING  RP: DOE, JOHN  DOB 1985-03-12 M W 6'01 190\n\
                    PP: DOE, JANE +2 children   NO CONTACT · STAY AWAY 100 YDS · MOVE-OUT · NO FIREARMS\n\
                    SERVED 2026-10-02 KERN SO   EXPIRES 2029-10-01   KERN SUPERIOR CASE BFL-26-001234  IMAGE: YES\n"
                .into(),
            ..Hit::default()
        }
    }

    #[test]
    fn the_block_of_a_dispatcher() {
        let found = LookupAnswer {
            hits: vec![hit()],
            query_id: "Q-7F3K-22".into(),
            ..LookupAnswer::default()
        };
        let expected = "\
1/1 ACTIVE  DV RESTRAINING ORDER AFTER HEARING  RP: DOE, JOHN  DOB 1985-03-12 M W 6'01 190
    PP: DOE, JANE +2 children   NO CONTACT · STAY AWAY 100 YDS · MOVE-OUT · NO FIREARMS
    SERVED 2026-10-02 KERN SO   EXPIRES 2029-10-01   KERN SUPERIOR CASE BFL-26-001234  IMAGE: YES
    MATCH: RP DOE, JOHN DOB 1985-03-12 · strong 0.99 (same last name; first name sounds alike)   REG 7K3M-99QD-0TB2-X
AS OF 02:14:07 PST (2 s) · statewide complete · ref Q-7F3K-22
";
        assert_eq!(answer(&found, &fresh()), expected);
    }

    #[test]
    fn a_block_without_words_for_the_radio_is_made_from_the_fields() {
        let mut bare = hit();
        bare.radio.clear();
        let found = LookupAnswer {
            hits: vec![bare],
            ..LookupAnswer::default()
        };
        let expected = "\
1/1 ACTIVE  DV RESTRAINING ORDER AFTER HEARING  RP: DOE, JOHN
    NO CONTACT · STAY AWAY 100 YDS · NO FIREARMS
    SERVED   EXPIRES 2029-10-01   KERN SUPERIOR CASE BFL-26-001234   IMAGE: YES   COURT TEL 661-555-0100
    MATCH: RP DOE, JOHN DOB 1985-03-12 · strong 0.99 (same last name; first name sounds alike)   REG 7K3M-99QD-0TB2-X
AS OF 02:14:07 PST (2 s) · statewide complete
";
        assert_eq!(answer(&found, &fresh()), expected);
    }

    #[test]
    fn an_end_is_its_last_day_or_its_minute_or_said_to_be_none() {
        let end = |kind: &str, time: &str| {
            ends(Some(&End {
                kind: kind.into(),
                date: "2029-10-01".into(),
                time: time.into(),
                ..End::default()
            }))
        };
        assert_eq!(
            [end("at", ""), end("at", "17:00"), end("never", "")],
            ["2029-10-01", "2029-10-01 17:00", "never"]
        );
        assert_eq!([end("not_stated", ""), ends(None)], ["not stated", "not stated"]);
    }

    #[test]
    fn the_registry_number_is_told_once() {
        let mut told = hit();
        told.radio.push_str("REG 7K3M-99QD-0TB2-X");
        let found = LookupAnswer {
            hits: vec![told],
            ..LookupAnswer::default()
        };
        assert_eq!(answer(&found, &fresh()).matches("7K3M-99QD-0TB2-X").count(), 1);
        assert_eq!(
            [unnumbered("2/3 ACTIVE x"), unnumbered("N/A ACTIVE x")],
            ["ACTIVE x", "N/A ACTIVE x"]
        );
    }

    #[test]
    fn ten_hits_are_numbered_and_set_in_alike() {
        let found = LookupAnswer {
            hits: vec![hit(); 10],
            ..LookupAnswer::default()
        };
        let text = answer(&found, &stale());
        assert!(text.contains("\n10/10 ACTIVE") && text.contains("\n      PP: DOE"));
        assert!(text.lines().last().unwrap().contains("NOT CURRENT: YUROK"));
    }

    #[test]
    fn nothing_found_is_said_with_its_moment() {
        let nothing = LookupAnswer {
            query_id: "Q-1".into(),
            ..LookupAnswer::default()
        };
        assert_eq!(
            answer(&nothing, &fresh()),
            "NO MATCH FOUND AS OF 02:14:07 PST (2 s) · statewide complete · ref Q-1\n"
        );
    }
}
