//! Order files: an order as JSON, alone or with what is said beside it, read from a file or stdin.

use std::path::Path;

use ccpor_api::message::Order;
use serde::Deserialize;

use crate::failure::Failure;

/// Largest order file in bytes; what the registry takes.
const MOST_ORDER_BYTES: u64 = 1024 * 1024;

/// A file with an order: the order alone, or with what is said beside it.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct OrderFile {
    /// The order.
    pub(crate) order: Order,
    /// What the court's own system calls it.
    pub(crate) source_id: String,
    /// Why it is filed.
    pub(crate) reason: String,
}

/// Reads an order from a file, or from stdin for `-`.
pub(crate) fn read(file: &Path) -> Result<OrderFile, Failure> {
    let advice = "Give a file with the order as JSON, or - for stdin.";
    let failed = |error: std::io::Error| Failure::file("reading", file, &error, advice);
    let mut text = Vec::new();
    let most = MOST_ORDER_BYTES + 1;
    if file.as_os_str() == "-" {
        std::io::Read::read_to_end(&mut std::io::Read::take(std::io::stdin().lock(), most), &mut text)
            .map_err(failed)?;
    } else {
        let opened = std::fs::File::open(file).map_err(failed)?;
        std::io::Read::read_to_end(&mut std::io::Read::take(opened, most), &mut text).map_err(failed)?;
    }
    if text.len() as u64 > MOST_ORDER_BYTES {
        return Err(Failure::usage(
            format!("{} has more than 1 MiB: it is no order", file.display()),
            advice,
        ));
    }
    parse_order(&text)
}

fn parse_order(text: &[u8]) -> Result<OrderFile, Failure> {
    let refused = |error: &serde_json::Error| {
        // Of the library's words only those are told that cannot hold a value of the order.
        let words = error.to_string();
        let words = if words.starts_with("unknown field") {
            words.split(", expected").next().unwrap_or_default().to_owned()
        } else if error.is_data() {
            "a value of the wrong kind".to_owned()
        } else {
            "not JSON".to_owned()
        };
        Failure::usage(
            format!(
                "the order is not understood: {words} (line {}, column {})",
                error.line(),
                error.column()
            ),
            "Correct the file; /v1/openapi.json describes the fields of an Order.",
        )
    };
    let keys: serde_json::Map<String, serde_json::Value> =
        serde_json::from_slice(text).map_err(|error| refused(&error))?;
    if keys.contains_key("order") {
        return serde_json::from_slice(text).map_err(|error| refused(&error));
    }
    let order = serde_json::from_slice(text).map_err(|error| refused(&error))?;
    Ok(OrderFile {
        order,
        ..OrderFile::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_read_alone_or_with_what_is_said_beside_it() {
        let alone = parse_order(b"{\"case_number\": \"A-1\"}").unwrap();
        assert_eq!(alone.order.case_number, "A-1");
        let both = parse_order(b"{\"order\": {\"case_number\": \"A-1\"}, \"source_id\": \"s\"}").unwrap();
        assert_eq!((both.order, both.source_id.as_str()), (alone.order, "s"));
    }

    #[test]
    fn what_is_wrong_with_an_order_is_told_without_its_values() {
        let wrong_kind = parse_order(b"{\"case_number\": \"A-1\",\n \"terms\": \"JANE DOE\"}")
            .unwrap_err()
            .in_words();
        assert!(
            wrong_kind.contains("wrong kind (line 2") && !wrong_kind.contains("JANE"),
            "{wrong_kind}"
        );
        let unknown = parse_order(b"{\"case_numbr\": \"A-1\"}").unwrap_err().in_words();
        assert!(
            unknown.contains("unknown field `case_numbr` (line 1"),
            "{unknown}"
        );
        assert!(parse_order(b"[]").is_err() && parse_order(b"").is_err() && parse_order(b"{").is_err());
    }
}
