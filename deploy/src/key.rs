//! The key of a write: the same key again gets the answer of the first call and does nothing twice.

use ccpor_api::CallFailed;
use clap::Args;

use crate::asking;
use crate::failure::Failure;
use crate::screen::Screen;

/// Key of a write.
#[derive(Args, Debug, Default)]
pub(crate) struct Key {
    /// Key of this act, 8 to 128 visible characters; made at random when not given. Give the same again to ask for a lost answer.
    #[arg(long, value_name = "KEY", value_parser = valid)]
    key: Option<String>,
}

impl Key {
    /// The key that was given, or a new one.
    pub(crate) fn chosen(self) -> String {
        self.key
            .unwrap_or_else(|| format!("{:032x}", rand::random::<u128>()))
    }
}

/// The failure of a write; when it may have been done all the same, says how to ask again.
pub(crate) fn failed(key: &str, failed: CallFailed, screen: &Screen) -> Failure {
    if asking::may_be_done(&failed) {
        screen.insist(&format!(
            "It is not known whether this was done. The same command with --key {key} asks again, safely."
        ));
    }
    failed.into()
}

fn valid(text: &str) -> Result<String, String> {
    if (8..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(text.to_owned())
    } else {
        Err("a key has 8 to 128 visible ASCII characters".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_given_or_made_and_never_made_twice() {
        assert_eq!(
            Key {
                key: Some("12345678".into())
            }
            .chosen(),
            "12345678"
        );
        let (one, other) = (Key::default().chosen(), Key::default().chosen());
        assert!(one != other && valid(&one).is_ok());
        assert!(
            ["", "1234567", "with blank", "ñññññññññ"]
                .into_iter()
                .all(|text| valid(text).is_err())
        );
    }
}
