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
    let mut block = Block(String::with_capacity(USUAL_BYTES));
    block.say(format_args!(
        "{nth}/{of} {}  {}  RP: ",
        standing.status.words(),
        order.title()
    ));
    block.described(&order.restrained);
    block.word("\n    PP: ");
    block.protected(order);
    block.word("   ");
    block.terms(order, standing);
    block.word("\n    ");
    block.served(standing.served_how.as_ref());
    block.word("   ");
    block.expires(standing);
    block.word("   ");
    block.court(state);
    block.word(if state.images.is_empty() {
        "  IMAGE: NO"
    } else {
        "  IMAGE: YES"
    });
    if state.sealed.is_some() {
        block.word("  SEALED BY COURT");
    }
    if standing.custody_remains {
        block.word("  CUSTODY TERMS MAY STILL STAND, ASK COURT");
    }
    for (number, code) in order.restrained.cautions.iter().enumerate() {
        block.word(if number == 0 { "\n    CAUTION: " } else { " · " });
        block.plain(CodeTable::Caution.find(code).map_or(code, |entry| entry.words));
    }
    block.0
}

/// Room for most blocks.
const USUAL_BYTES: usize = 384;
/// Characters of a text of the record that are written.
const LONGEST: usize = 80;

/// A text of the record that is being written into a block.
#[derive(Default)]
struct Line {
    /// Characters.
    written: usize,
    /// Where the last of them stands.
    last: usize,
}

impl Line {
    /// Writes one more character. False when there is no room for it: then the line ends with a mark that it was cut.
    fn put(&mut self, block: &mut String, c: char) -> bool {
        if self.written == LONGEST {
            block.truncate(self.last);
            block.push('…');
            return false;
        }
        (self.written, self.last) = (self.written + 1, block.len());
        block.push(c);
        true
    }
}

/// A block that is being written.
struct Block(String);

impl Block {
    fn word(&mut self, word: &str) {
        self.0.push_str(word);
    }

    fn say(&mut self, words: std::fmt::Arguments<'_>) {
        // Writing into a String cannot fail.
        let _ = self.0.write_fmt(words);
    }

    /// A text of the record in capitals on one line: no control characters, single blanks, at most [`LONGEST`] characters.
    fn plain(&mut self, text: &str) {
        let mut line = Line::default();
        let mut blank = false;
        for c in text.chars() {
            if c == ' ' || c.is_whitespace() || !is_printed(c) {
                blank = line.written > 0;
                continue;
            }
            if std::mem::take(&mut blank) && !line.put(&mut self.0, ' ') {
                return;
            }
            let whole = match c.is_ascii() {
                true => line.put(&mut self.0, c.to_ascii_uppercase()),
                false => c.to_uppercase().all(|c| line.put(&mut self.0, c)),
            };
            if !whole {
                return;
            }
        }
    }

    /// As [`Block::plain`], or other words where the text says nothing.
    fn plain_or(&mut self, text: &str, instead: &str) {
        let begin = self.0.len();
        self.plain(text);
        if self.0.len() == begin {
            self.word(instead);
        }
    }

    /// `DOE, JOHN  DOB 1985-03-12 M W 6'01 190`; what is not known is left out, but for the date of birth.
    fn described(&mut self, person: &Person) {
        self.plain_or(&person.name.last_first(), "NAME NOT STATED");
        match (person.dob, person.age_estimate) {
            (Some(dob), _) => self.say(format_args!("  DOB {dob}")),
            (None, Some(age)) => self.say(format_args!("  AGE ABOUT {age}")),
            (None, None) => self.word("  DOB NOT STATED"),
        }
        if !person.sex.code().is_empty() {
            self.say(format_args!(" {}", person.sex.code()));
        }
        let race = person.race.iter().filter(|code| !code.trim().is_empty());
        for (number, code) in race.enumerate() {
            self.word(if number == 0 { " " } else { "/" });
            self.plain(code);
        }
        if let Some(inches) = person.height_inches {
            self.say(format_args!(" {}'{:02}", inches / 12, inches % 12));
        }
        if let Some(pounds) = person.weight_pounds {
            self.say(format_args!(" {pounds}"));
        }
    }

    /// `DOE, JANE +2`: the first protected person of item 1, and how many more.
    fn protected(&mut self, order: &Order) {
        let mut all = order.protected.iter();
        let first = all.find(|one| one.role == ProtectedRole::Primary);
        let Some(first) = first.or(order.protected.first()) else {
            return self.plain_or(order.establishment.as_deref().unwrap_or_default(), "NONE NAMED");
        };
        if first.minor_confidential {
            self.word("CONFIDENTIAL MINOR");
        } else {
            self.plain_or(&first.person.name.last_first(), "NAME NOT STATED");
        }
        if order.protected.len() > 1 {
            self.say(format_args!(" +{}", order.protected.len() - 1));
        }
    }

    /// `NO CONTACT · STAY AWAY 100 YDS · MOVE-OUT · NO FIREARMS`, in the order in which an officer needs them.
    fn terms(&mut self, order: &Order, standing: &Standing) {
        let distance = standing.stay_away_yards;
        let said = [
            (standing.no_contact, "NO CONTACT"),
            (
                distance.is_some() || order.terms.iter().any(Term::commands_distance),
                "STAY AWAY",
            ),
            (order.terms.iter().any(Term::commands_move_out), "MOVE-OUT"),
            (standing.firearms, "NO FIREARMS"),
        ];
        let begin = self.0.len();
        for (_, words) in said.into_iter().filter(|(holds, _)| *holds) {
            if self.0.len() > begin {
                self.word(" · ");
            }
            self.word(words);
            if let (Some(yards), "STAY AWAY") = (distance, words) {
                self.say(format_args!(" {yards} YDS"));
            }
        }
        if self.0.len() == begin {
            self.word(if order.terms.is_empty() {
                "TERMS NOT RECORDED, SEE IMAGE"
            } else {
                "SEE TERMS"
            });
        }
    }

    /// `SERVED 2026-10-02 KERN SO`.
    fn served(&mut self, notice: Option<&Notice>) {
        let Some(notice) = notice else {
            return self.word("NOT SERVED");
        };
        let how = match notice.mode {
            ServiceMode::InCourt => " IN COURT",
            ServiceMode::Verbal => " VERBALLY",
            ServiceMode::Mail => " BY MAIL",
            ServiceMode::NotRecorded => " (HOW NOT RECORDED)",
            ServiceMode::Personal | ServiceMode::FailedAttempt => "",
        };
        self.say(format_args!("SERVED{how} {} ", notice.date));
        self.plain(&notice.agency);
        self.0.truncate(self.0.trim_end_matches(' ').len());
    }

    /// `EXPIRES 2029-10-01`, with the rule when the order does not say so itself.
    fn expires(&mut self, standing: &Standing) {
        let End::At { date, time, rule } = standing.ends else {
            return self.word(if standing.ends == End::Never {
                "NO EXPIRATION"
            } else {
                "EXPIRATION NOT STATED, ASK COURT"
            });
        };
        self.word(if standing.status == Status::Expired {
            "EXPIRED"
        } else {
            "EXPIRES"
        });
        self.say(format_args!(" {date}"));
        if let Some(time) = time {
            self.say(format_args!(" {time}"));
        }
        if rule != EndRule::OnFace {
            self.word(" (");
            self.plain(rule.words());
            self.word(")");
        }
    }

    /// `KERN SUPERIOR COURT CASE BFL-26-001234  TEL 661-555-0100  REG 7K3Q-9D2M-0VXR-4`.
    fn court(&mut self, state: &OrderState) {
        let court = &state.order.court;
        self.plain_or(&court.display_name(), "COURT NOT STATED");
        self.word(" CASE ");
        self.plain_or(&state.order.case_number, "NOT STATED");
        let begin = self.0.len();
        self.word("  TEL ");
        let number = self.0.len();
        self.plain(&court.phone);
        if self.0.len() == number {
            self.0.truncate(begin);
        }
        self.say(format_args!("  REG {}", state.order_id.registry_number()));
    }
}
