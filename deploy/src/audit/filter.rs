//! What of a trail is wanted, as it is typed.

use ccpor_audit::{Asked, Kind, Search};
use ccpor_domain::{OrderId, RegistryNumber, UtcMillis};
use clap::Args;

use crate::failure::Failure;
use crate::when;

/// What is wanted; everything when nothing is said.
#[derive(Args, Debug, Default)]
pub(crate) struct Filter {
    /// Who was asked for, or named in an answer: LAST,FIRST.
    #[arg(long, value_name = "LAST,FIRST")]
    person: Option<String>,
    /// Together with --person: the date of birth that was asked with, 1985-03-12.
    #[arg(long, value_name = "DATE", requires = "person")]
    dob: Option<String>,
    /// A number that was asked for, with its kind: driver_license=D1234567, cii=..., plate=..., case=...
    #[arg(long, value_name = "KIND=NUMBER", value_parser = number)]
    number: Option<(String, String)>,
    /// An order that was shown or changed: its id or registry number.
    #[arg(long, value_name = "ORDER")]
    order: Option<String>,
    /// Who asked: an account, an identity such as lea/alameda-so, or the machine that passed it on.
    #[arg(long, value_name = "USER")]
    user: Option<String>,
    /// The agency (ORI) that was asked for.
    #[arg(id = "of_ori", long = "of-ori", value_name = "ORI")]
    ori: Option<String>,
    /// Kind of operation: log-on, look-up, view, image-view, change, export, privileged; may be repeated.
    #[arg(long, value_name = "KIND", value_parser = kind)]
    kind: Vec<Kind>,
    /// Not before: 2026-03-01, "2026-03-01 22:15" (California), or RFC 3339.
    #[arg(long, value_name = "MOMENT", value_parser = when::typed)]
    since: Option<String>,
    /// Before this moment.
    #[arg(long, value_name = "MOMENT", value_parser = when::typed)]
    until: Option<String>,
}

impl Filter {
    /// The search, and whom it is for, for the record of readings.
    pub(super) fn search(&self) -> Result<(Search, Asked), Failure> {
        let person = match &self.person {
            Some(text) => Some(name(text)?),
            None => None,
        };
        let dob = self.dob.clone().unwrap_or_default();
        let order: Option<OrderId> = self.order.as_ref().and_then(|text| text.parse().ok());
        let registry_number = match (&self.order, order) {
            (Some(text), None) => Some(text.parse::<RegistryNumber>().map_err(|error| {
                Failure::usage(
                    format!("--order: {error}"),
                    "Give the order's id or its registry number.",
                )
            })?),
            _ => None,
        };
        let moment = |text: &Option<String>| text.as_ref().and_then(|text| text.parse::<UtcMillis>().ok());
        let (last, first) = person.clone().unwrap_or_default();
        let mut numbers: Vec<(String, String)> = self.number.iter().cloned().collect();
        numbers.extend(self.order.iter().map(|order| ("order".to_owned(), order.clone())));
        numbers.extend(self.user.iter().map(|user| ("user".to_owned(), user.clone())));
        let asked = Asked {
            first,
            last,
            dob: dob.clone(),
            numbers,
            ..Asked::default()
        };
        let search = Search {
            person: person.map(|(last, first)| (first, last, dob)),
            number: self.number.clone(),
            order,
            registry_number,
            user: self.user.clone(),
            ori: self.ori.clone(),
            kinds: self.kind.clone(),
            since: moment(&self.since),
            until: moment(&self.until),
            ..Search::default()
        };
        Ok((search, asked))
    }
}

fn name(text: &str) -> Result<(String, String), Failure> {
    let (last, first) = text.split_once(',').unwrap_or((text, ""));
    let (last, first) = (last.trim(), first.trim());
    if last.is_empty() || first.is_empty() {
        return Err(Failure::usage(
            "--person needs a last and a first name",
            "Write it as LAST,FIRST: --person DOE,JANE.",
        ));
    }
    Ok((last.to_owned(), first.to_owned()))
}

const KINDS: [&str; 13] = [
    "driver_license",
    "cii",
    "fbi",
    "social_security",
    "plate",
    "vin",
    "case",
    "registry",
    "fcn",
    "lea_case",
    "order",
    "image",
    "other",
];

fn number(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((kind, value)) if KINDS.contains(&kind) && !value.trim().is_empty() => {
            Ok((kind.to_owned(), value.trim().to_owned()))
        }
        _ => Err(format!(
            "expected KIND=NUMBER with one of the kinds {}",
            KINDS.join(", ")
        )),
    }
}

fn kind(text: &str) -> Result<Kind, String> {
    let found = Kind::ALL.iter().find(|kind| kind.as_str() == text);
    found.copied().ok_or_else(|| {
        let words: Vec<&str> = Kind::ALL.iter().map(|kind| kind.as_str()).collect();
        format!("expected one of {}", words.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_numbers_and_kinds_are_typed_in_one_form() {
        assert_eq!(name("DOE, JANE").unwrap(), ("DOE".into(), "JANE".into()));
        assert!(name("DOE").is_err() && name(",").is_err());
        assert_eq!(number("cii=A1").unwrap(), ("cii".into(), "A1".into()));
        assert!(number("cii").is_err() && number("shoe=44").is_err());
        assert_eq!(kind("look-up"), Ok(Kind::LookUp));
        assert!(kind("lookup").is_err());
    }

    #[test]
    fn an_order_is_named_by_either_of_its_numbers() {
        let id = OrderId([7; 16]);
        let by = |order: String| {
            let filter = Filter {
                order: Some(order),
                ..Filter::default()
            };
            filter
                .search()
                .map(|(search, _)| (search.order, search.registry_number))
        };
        assert_eq!(by(id.to_string()).unwrap(), (Some(id), None));
        let number = id.registry_number();
        assert_eq!(by(number.to_string()).unwrap(), (None, Some(number)));
        assert!(by("BW69".into()).is_err());
    }
}
