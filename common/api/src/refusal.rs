//! Why nothing was done at an account: a reason each, so that the pages can say it in the language of whoever reads. It has no words
//! itself, and does not travel: programs are told in the words of the problem.

/// A reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The code of the second factor is not right, or was used before.
    Code,
    /// Codes of authenticators cannot be judged on this machine.
    CodesClosed,
    /// This failure locked the account of whoever tried.
    NowLocked,
    /// The account of whoever tried cannot be used.
    NotUsable,
    /// The password until now is not right.
    OldPassword,
    /// The new password has too few characters.
    PasswordShort,
    /// The new password is too long.
    PasswordLong,
    /// The new password has characters that cannot be printed.
    PasswordNotPrintable,
    /// Many people choose the new password.
    PasswordCommon,
    /// The new password holds the name of the account.
    PasswordIsName,
    /// The name of the account has the wrong shape.
    Name,
    /// The name is in use.
    Taken,
    /// The name was in use less than a year ago.
    TakenLately,
    /// The machine has the most accounts it can have.
    Full,
    /// There is no such role.
    Role,
    /// A court's role without a court.
    NoCourt,
    /// An agency's role without an ORI.
    NoAgency,
    /// A role of neither with one.
    NoPlace,
    /// The court is another one than this machine's.
    OtherCourt,
    /// There is no such account.
    Unknown,
    /// It would leave nobody who can keep the accounts.
    LastAdministrator,
    /// The account is not in the state that the act would end.
    NotSo,
    /// It was not said why.
    NoReason,
    /// The file is larger than is taken.
    FileLarge,
    /// This line of the file is not text in UTF-8.
    FileNotText(u64),
    /// The first line of the file is not the heading.
    FileHeading,
    /// The line of a file cannot be read.
    Malformed,
    /// This earlier line of the file has the same name.
    Twice(u64),
    /// The person's name would be taken for a formula.
    Formula,
    /// The person's name is too long, or has signs that cannot be printed.
    FullName,
    /// The machine could not do it just now.
    NotNow,
}

impl Refusal {
    /// The field that it is about, as problems name it.
    #[must_use]
    pub const fn field(self) -> &'static str {
        match self {
            Self::Code | Self::CodesClosed | Self::NowLocked | Self::NotUsable | Self::NotNow => "code",
            Self::OldPassword
            | Self::PasswordShort
            | Self::PasswordLong
            | Self::PasswordNotPrintable
            | Self::PasswordCommon
            | Self::PasswordIsName => "password",
            Self::Name
            | Self::Taken
            | Self::TakenLately
            | Self::Full
            | Self::Unknown
            | Self::LastAdministrator
            | Self::NotSo => "account",
            Self::Role => "role",
            Self::NoCourt | Self::NoAgency | Self::NoPlace | Self::OtherCourt => "of",
            Self::NoReason => "reason",
            Self::Formula | Self::FullName => "full_name",
            Self::FileLarge | Self::FileNotText(_) | Self::FileHeading | Self::Malformed | Self::Twice(_) => {
                "file"
            }
        }
    }
}
