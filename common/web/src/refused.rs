//! Refusals at accounts in the language of whoever reads them. The registry says why with a reason, not with words of one language; what
//! has no reason of its own is told by the kind of the problem.

use axum::http::StatusCode;
use ccpor_api::{Code, Problem, Refusal};

use crate::frame::{Trouble, trouble_in_words};
use crate::site::Inner;
use crate::visit::Visit;
use crate::words::{Words, fill};

/// A problem in a line or two.
pub(crate) fn said(problem: &Problem, w: &Words) -> String {
    if let Some(refusal) = problem.refusal {
        return why(refusal, w);
    }
    let kinds = [
        (Code::LogOnRefused, w.refusal_log_on),
        (Code::TooManyRequests, w.refusal_wait),
        (Code::VersionConflict, w.refusal_changed),
        (Code::NotAllowed, w.refusal_not_allowed),
        (Code::NoSuchOperation, w.accounts_none),
        (Code::SessionEnded, w.refusal_session),
        (Code::NotAuthenticated, w.refusal_session),
        (Code::NotRecorded, w.refusal_not_recorded),
        (Code::Timeout, w.refusal_timeout),
    ];
    let kind = kinds.iter().find(|(code, _)| *code == problem.code);
    kind.map_or(w.refusal_not_now, |(_, words)| words).to_owned()
}

/// A reason in words.
pub(crate) fn why(refusal: Refusal, w: &Words) -> String {
    let words = match refusal {
        Refusal::Code => w.refusal_code,
        Refusal::CodesClosed => w.refusal_codes_closed,
        Refusal::NowLocked => w.refusal_now_locked,
        Refusal::NotUsable => w.refusal_not_usable,
        Refusal::OldPassword => w.refusal_old_password,
        Refusal::PasswordShort => w.refusal_password_short,
        Refusal::PasswordLong => w.refusal_password_long,
        Refusal::PasswordNotPrintable => w.refusal_password_not_printable,
        Refusal::PasswordCommon => w.refusal_password_common,
        Refusal::PasswordIsName => w.refusal_password_is_name,
        Refusal::Name => w.refusal_name,
        Refusal::Taken => w.refusal_taken,
        Refusal::TakenLately => w.refusal_taken_lately,
        Refusal::Full => w.refusal_full,
        Refusal::Role => w.refusal_role,
        Refusal::NoCourt => w.refusal_no_court,
        Refusal::NoAgency => w.refusal_no_agency,
        Refusal::NoPlace => w.refusal_no_place,
        Refusal::OtherCourt => w.refusal_other_court,
        Refusal::Unknown => w.accounts_none,
        Refusal::LastAdministrator => w.refusal_last_administrator,
        Refusal::NotSo => w.refusal_not_so,
        Refusal::NoReason => w.refusal_no_reason,
        Refusal::FileLarge => w.refusal_file_large,
        Refusal::FileNotText(line) => return at_line(w.refusal_file_not_text, line),
        Refusal::FileHeading => w.refusal_file_heading,
        Refusal::Malformed => w.refusal_malformed,
        Refusal::Twice(line) => return at_line(w.refusal_twice, line),
        Refusal::Formula => w.refusal_formula,
        Refusal::FullName => w.refusal_full_name,
        Refusal::NotNow => w.refusal_not_now,
    };
    words.to_owned()
}

fn at_line(words: &str, line: u64) -> String {
    fill(words, &[("line", &line.to_string())])
}

/// Why a page of accounts is not shown.
pub(crate) fn trouble(site: &Inner, visit: &Visit, problem: &Problem) -> Trouble {
    let status = StatusCode::from_u16(problem.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    trouble_in_words(site, visit, status, &said(problem, visit.words()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::Language;

    #[test]
    fn a_refusal_is_said_in_the_language_of_the_page_and_never_in_the_words_for_programs() {
        let english = Language::English.words();
        let spanish = Language::Spanish.words();
        let taken = Problem::refused(Refusal::Taken, "words for programs");
        assert_eq!(said(&taken, spanish), spanish.refusal_taken);
        assert!(said(&Problem::refused(Refusal::Twice(7), ""), english).contains('7'));
        for code in Code::ALL {
            let problem = Problem::new(*code, "words for programs").action("more of them");
            let (one, other) = (said(&problem, english), said(&problem, spanish));
            assert!(one != other && !other.contains("programs"), "{code}");
        }
    }
}
