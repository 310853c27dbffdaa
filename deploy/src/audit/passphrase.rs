//! The passphrase of the auditors' key: from a file, or typed without being shown. It is never an argument, which others could see.

use std::path::Path;

use ccpor_daemon::exit::Exit;
use zeroize::Zeroizing;

use crate::failure::Failure;

/// The passphrase of a key that there is.
pub(super) fn known(file: Option<&Path>) -> Result<Zeroizing<String>, Failure> {
    match file {
        Some(file) => from_file(file),
        None => typed("Passphrase of the auditors' key: "),
    }
}

/// A new passphrase; typed, it is asked for twice.
pub(super) fn new(file: Option<&Path>) -> Result<Zeroizing<String>, Failure> {
    if let Some(file) = file {
        return from_file(file);
    }
    let first = typed("New passphrase for the auditors' key: ")?;
    if *first != *typed("The same again: ")? {
        return Err(Failure::usage(
            "the two passphrases differ",
            "Run the command again.",
        ));
    }
    Ok(first)
}

fn from_file(file: &Path) -> Result<Zeroizing<String>, Failure> {
    let text = std::fs::read_to_string(file).map_err(|error| {
        Failure::file(
            "reading",
            file,
            &error,
            "Give a file whose first line is the passphrase.",
        )
    })?;
    let text = Zeroizing::new(text);
    Ok(Zeroizing::new(text.lines().next().unwrap_or_default().to_owned()))
}

fn typed(prompt: &str) -> Result<Zeroizing<String>, Failure> {
    rpassword::prompt_password(prompt)
        .map(Zeroizing::new)
        .map_err(|error| {
            Failure::own(
                Exit::Failed,
                format!("the passphrase could not be asked for: {error}"),
                "Run the command in a terminal, or give --passphrase-file FILE.",
            )
        })
}
