//! Refusals at accounts as problems: the words of the rule that was broken, with the reason by which pages say it in other languages.

use ccpor_api::{Problem, Refusal};
use ccpor_people::import::{FileRefused, LineRefused};
use ccpor_people::{AddRefused, ChangeRefused, PasswordRefused, Refused};

/// Why somebody was refused, for the records.
pub(crate) fn reason(refused: Refused) -> String {
    match refused {
        Refused::Unknown => "no such account",
        Refused::Password => "wrong password",
        Refused::Factor => "wrong or used code",
        Refused::FactorClosed => "the second factor cannot be opened on this machine",
        Refused::NotUsable(_) => "the account cannot be used",
        Refused::NowLocked => "the account is locked from now on",
    }
    .to_owned()
}

/// Whoever does something did not show to be that person.
pub(crate) fn not_confirmed(refused: Refused) -> Problem {
    let (why, said) = match refused {
        Refused::NowLocked => (
            Refusal::NowLocked,
            "the account is locked from now on: too many attempts failed".to_owned(),
        ),
        Refused::Password => (
            Refusal::OldPassword,
            "the password until now is not right".to_owned(),
        ),
        Refused::Factor => (
            Refusal::Code,
            "the code is not right, or was used before: wait for the next one".to_owned(),
        ),
        Refused::FactorClosed => (
            Refusal::CodesClosed,
            "codes of authenticators cannot be judged on this machine at the moment: use a recovery code, and tell the operator of \
             this machine"
                .to_owned(),
        ),
        Refused::Unknown | Refused::NotUsable(_) => (Refusal::NotUsable, reason(refused)),
    };
    Problem::refused(why, said)
}

/// A password is not taken.
pub(crate) fn password(refused: PasswordRefused) -> Problem {
    let why = match refused {
        PasswordRefused::Short => Refusal::PasswordShort,
        PasswordRefused::Long => Refusal::PasswordLong,
        PasswordRefused::NotPrintable => Refusal::PasswordNotPrintable,
        PasswordRefused::Common => Refusal::PasswordCommon,
        PasswordRefused::Name => Refusal::PasswordIsName,
        PasswordRefused::NotHashed => Refusal::NotNow,
    };
    Problem::refused(why, refused.to_string())
}

/// An account is not made.
pub(crate) fn added(refused: &AddRefused) -> Problem {
    Problem::refused(why_not_added(refused), refused.to_string())
}

/// An account is not changed.
pub(crate) fn changed(refused: &ChangeRefused) -> Problem {
    let why = match refused {
        ChangeRefused::Unknown(_) => Refusal::Unknown,
        ChangeRefused::LastAdministrator(_) => Refusal::LastAdministrator,
        ChangeRefused::NotSo { .. } => Refusal::NotSo,
        ChangeRefused::Refused(refused) => why_not_added(refused),
    };
    Problem::refused(why, refused.to_string())
}

/// A file gives no accounts at all.
pub(crate) fn file(refused: FileRefused) -> Problem {
    let why = match refused {
        FileRefused::Heading => Refusal::FileHeading,
        FileRefused::NotText(line) => Refusal::FileNotText(line),
    };
    Problem::refused(why, refused.to_string())
}

/// A line of a file gives no account.
pub(crate) fn line(refused: &LineRefused) -> Refusal {
    match refused {
        LineRefused::Malformed => Refusal::Malformed,
        LineRefused::Role(_) => Refusal::Role,
        LineRefused::Refused(refused) => why_not_added(refused),
        LineRefused::Twice(line) => Refusal::Twice(*line),
        LineRefused::OtherCourt { .. } => Refusal::OtherCourt,
        LineRefused::Formula => Refusal::Formula,
        LineRefused::FullName => Refusal::FullName,
    }
}

fn why_not_added(refused: &AddRefused) -> Refusal {
    match refused {
        AddRefused::Name => Refusal::Name,
        AddRefused::Taken(_) => Refusal::Taken,
        AddRefused::TakenLately(_) => Refusal::TakenLately,
        AddRefused::NoCourt(_) => Refusal::NoCourt,
        AddRefused::NoAgency(_) => Refusal::NoAgency,
        AddRefused::NoPlace(_) => Refusal::NoPlace,
        AddRefused::Full => Refusal::Full,
        AddRefused::Random(_) => Refusal::NotNow,
    }
}
