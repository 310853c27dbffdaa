//! How a command fails: in words that say what to do, and with the exit code a script can tell it by. Holds no personal data.

use ccpor_api::{Code, Problem};
use ccpor_daemon::exit::Exit;

/// Why a command did not do what was asked.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The registry answered that it would not, or could not be asked.
    Registry(Problem),
    /// The command itself found a reason.
    Own {
        /// How the program ends.
        exit: Exit,
        /// What happened.
        what: String,
        /// What to do about it.
        advice: String,
    },
    /// Whoever read the output closed it (`ccpor ... | head`): nothing is wrong and nobody is left to tell.
    ReaderGone,
}

impl Failure {
    pub(crate) fn own(exit: Exit, what: impl Into<String>, advice: impl Into<String>) -> Self {
        Self::Own {
            exit,
            what: what.into(),
            advice: advice.into(),
        }
    }

    /// The command line asks for something that cannot be.
    pub(crate) fn usage(what: impl Into<String>, advice: impl Into<String>) -> Self {
        Self::own(Exit::Usage, what, advice)
    }

    /// A file or directory could not be read or written.
    pub(crate) fn file(doing: &str, path: &std::path::Path, error: &std::io::Error, advice: &str) -> Self {
        let exit = match error.kind() {
            std::io::ErrorKind::NotFound => Exit::NotFound,
            std::io::ErrorKind::PermissionDenied => Exit::Denied,
            std::io::ErrorKind::AlreadyExists => Exit::Conflict,
            _ => Exit::Failed,
        };
        Self::own(
            exit,
            format!("{doing} {} failed: {error}", path.display()),
            advice,
        )
    }

    /// How the program ends.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Registry(problem) => exit_of(problem.code),
            Self::Own { exit, .. } => *exit,
            Self::ReaderGone => Exit::Done,
        }
    }

    /// The lines for people; empty when there is nothing to say.
    pub(crate) fn in_words(&self) -> String {
        match self {
            Self::ReaderGone => String::new(),
            Self::Own { what, advice, .. } => told(what, &[], advice),
            Self::Registry(problem) => {
                let fields: Vec<String> = match problem.fields.as_slice() {
                    // One field alone is the detail already.
                    [] | [_] => Vec::new(),
                    many => many
                        .iter()
                        .map(|field| format!("{}: {}", field.path, field.reason))
                        .collect(),
                };
                let what = if problem.detail.is_empty() {
                    problem.code.title().to_owned()
                } else {
                    format!("{}: {}", problem.code.title(), problem.detail)
                };
                told(&what, &fields, problem.advice())
            }
        }
    }

    /// The same for programs: a problem document as JSON, on one line.
    pub(crate) fn in_json(&self) -> String {
        let document = match self {
            Self::Registry(problem) => serde_json::to_value(problem.to_message()),
            Self::Own { exit, what, advice } => {
                Ok(serde_json::json!({ "code": word_of(*exit), "detail": what, "action": advice }))
            }
            Self::ReaderGone => return String::new(),
        };
        document.map(|document| document.to_string()).unwrap_or_default()
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::Registry(problem)
    }
}

fn told(what: &str, fields: &[String], advice: &str) -> String {
    let mut text = format!("error: {what}\n");
    for field in fields {
        text.push_str(&format!("  - {field}\n"));
    }
    if !advice.is_empty() {
        text.push_str(&format!("what to do: {advice}\n"));
    }
    text
}

/// The exit code of a kind of problem.
pub(crate) fn exit_of(code: Code) -> Exit {
    match code {
        Code::MalformedRequest | Code::InvalidFields => Exit::Usage,
        Code::OrderNotFound | Code::ImageNotFound => Exit::NotFound,
        Code::NotAuthenticated | Code::CertificateNotAccepted | Code::OriNotAccepted | Code::NotAllowed => {
            Exit::Denied
        }
        Code::IdempotencyKeyReused
        | Code::AlreadyFiled
        | Code::VersionConflict
        | Code::NotTheIssuingCourt
        | Code::StateConflict => Exit::Conflict,
        Code::ImageUnavailable
        | Code::NotRecorded
        | Code::Unavailable
        | Code::Timeout
        | Code::TooManyRequests => Exit::Unreachable,
        Code::IntegrityFailure => Exit::Integrity,
        _ => Exit::Failed,
    }
}

fn word_of(exit: Exit) -> &'static str {
    match exit {
        Exit::Done => "done",
        Exit::Failed => "failed",
        Exit::Usage => "usage",
        Exit::NotFound => "not-found",
        Exit::Denied => "denied",
        Exit::Conflict => "conflict",
        Exit::Degraded => "degraded",
        Exit::Unreachable => "unreachable",
        Exit::Integrity => "integrity",
        Exit::Partial => "partial",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_problem_ends_the_program_with_a_code_of_its_own_meaning() {
        let exits = [
            (Code::NotAllowed, 4),
            (Code::OrderNotFound, 3),
            (Code::VersionConflict, 5),
            (Code::Unavailable, 7),
            (Code::Timeout, 7),
            (Code::IntegrityFailure, 8),
            (Code::InvalidFields, 2),
            (Code::StorageFull, 1),
        ];
        for (code, exit) in exits {
            assert_eq!(exit_of(code) as u8, exit, "{code}");
        }
        assert!(
            Code::ALL.iter().all(|code| exit_of(*code) != Exit::Done),
            "no problem ends as if all were done"
        );
    }

    #[test]
    fn a_problem_is_told_with_its_fields_and_what_to_do() {
        let problem = Problem::invalid(vec![
            ccpor_api::Field {
                path: "order.issued".into(),
                reason: "is not a date".into(),
            },
            ccpor_api::Field {
                path: "order.family".into(),
                reason: "is missing".into(),
            },
        ]);
        let failure = Failure::from(problem);
        assert_eq!(
            failure.in_words(),
            "error: Fields were refused: order.issued: is not a date (and 1 more)\n  - order.issued: is not a date\n  \
             - order.family: is missing\nwhat to do: Correct the fields named and send the request again.\n"
        );
        let document: serde_json::Value = serde_json::from_str(&failure.in_json()).unwrap();
        assert_eq!(document["code"], "invalid-fields");
    }

    #[test]
    fn a_closed_pipe_is_silent_and_no_failure() {
        assert_eq!(Failure::ReaderGone.in_words(), "");
        assert_eq!(Failure::ReaderGone.exit(), Exit::Done);
    }
}
