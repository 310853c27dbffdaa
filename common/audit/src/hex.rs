//! Bytes as hexadecimal digits, where people read and type them.

/// The digits.
pub(crate) fn written(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes of exactly so many digits, in either case.
pub(crate) fn read<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = text.as_bytes();
    if digits.len() != 2 * N {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let [high, low] = pair else { return None };
        let value = char::from(*high).to_digit(16)? * 16 + char::from(*low).to_digit(16)?;
        *byte = u8::try_from(value).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    #[test]
    fn digits_give_the_bytes_they_were_made_of() {
        assert_eq!(super::written(&[0, 0x5a, 0xff]), "005aff");
        assert_eq!(super::read::<3>("005AFF"), Some([0, 0x5a, 0xff]));
        for bad in ["", "005af", "005aff0", "005agg", "00é5a"] {
            assert_eq!(super::read::<3>(bad), None, "{bad}");
        }
    }
}
