//! Registry numbers: read in any hand, wrong in no single character.

use ccpor_domain::*;
use proptest::prelude::*;

const ALPHABET: &str = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

#[test]
fn people_write_it_in_many_ways() {
    let number = RegistryNumber::of(OrderId([0x08; 16]));
    let text = number.to_string();
    assert_eq!(text.len(), 16);
    let spoken = text
        .to_lowercase()
        .replace('-', " ")
        .replace('0', "o")
        .replace('1', "l");
    for way in [text.clone(), text.replace('-', ""), spoken, format!("  {text} ")] {
        assert_eq!(way.parse::<RegistryNumber>(), Ok(number), "{way}");
    }
    assert_eq!("".parse::<RegistryNumber>(), Err(NumberRefused::Shape));
    assert_eq!(text[..15].parse::<RegistryNumber>(), Err(NumberRefused::Shape));
    assert_eq!(
        format!("{text}0").parse::<RegistryNumber>(),
        Err(NumberRefused::Shape)
    );
    assert_eq!(
        "UUUU-UUUU-UUUU-U".parse::<RegistryNumber>(),
        Err(NumberRefused::Shape)
    );
}

#[test]
fn an_order_and_a_request_never_share_a_name() {
    let order = OrderId::derive("court/kern/node/1", "1");
    assert_eq!(order, OrderId::derive("court/kern/node/1", "1"));
    assert_ne!(order.0, RequestId::derive("court/kern/node/1", "1").0);
    assert_ne!(order, OrderId::derive("court/kern/node/", "11"));
    assert_eq!(order.to_string().to_uppercase().parse::<OrderId>(), Ok(order));
    assert_eq!("xyz".parse::<OrderId>(), Err(HexRefused));
    assert_eq!(
        format!("+{}", &order.to_string()[1..]).parse::<OrderId>(),
        Err(HexRefused)
    );
}

proptest! {
    #[test]
    fn one_wrong_character_or_one_swap_is_found(
        id in any::<[u8; 16]>(),
        place in 0usize..13,
        other in 0usize..13,
        letter in 0usize..32,
    ) {
        let number = RegistryNumber::of(OrderId(id));
        let right: Vec<char> = number.to_string().replace('-', "").chars().collect();
        let parsed = |letters: &[char]| letters.iter().collect::<String>().parse::<RegistryNumber>();
        prop_assert_eq!(parsed(&right), Ok(number));
        let mut wrong = right.clone();
        wrong[place] = ALPHABET.chars().nth(letter).unwrap();
        if wrong != right {
            prop_assert_eq!(parsed(&wrong), Err(NumberRefused::Check));
        }
        let mut swapped = right.clone();
        swapped.swap(place, other);
        if swapped != right {
            prop_assert_eq!(parsed(&swapped), Err(NumberRefused::Check));
        }
    }
}
