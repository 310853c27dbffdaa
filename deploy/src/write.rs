//! What the verbs that write have in common: their days and minutes, and how they say that it was done.

use ccpor_api::CallFailed;
use ccpor_api::message::WriteAnswer;
use ccpor_daemon::exit::Exit;
use ccpor_domain::{Date, TimeOfDay};

use crate::failure::Failure;
use crate::screen::Screen;
use crate::{key, paper};

/// Tells what a write did, or how to ask again.
pub(crate) fn done(
    what: &str,
    key: &str,
    answer: Result<WriteAnswer, CallFailed>,
    screen: &Screen,
) -> Result<Exit, Failure> {
    let answer = answer.map_err(|failed| key::failed(key, failed, screen))?;
    if screen.json {
        screen.document(&answer)?;
    } else {
        screen.text(&paper::written(what, &answer))?;
    }
    Ok(Exit::Done)
}

/// A day, as it is written on orders.
pub(crate) fn day(text: &str) -> Result<String, String> {
    text.parse::<Date>()
        .map(|date| date.to_string())
        .map_err(|error| error.to_string())
}

/// A minute of the day.
pub(crate) fn minute(text: &str) -> Result<String, String> {
    text.parse::<TimeOfDay>()
        .map(|time| time.to_string())
        .map_err(|error| error.to_string())
}
