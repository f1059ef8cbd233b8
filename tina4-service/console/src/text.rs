//! Percent-encoding, queries and forms.

/// Decodes percent-encoding. `None`: it is malformed, or not UTF-8.
pub(crate) fn decode(text: &str, plus_is_space: bool) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        match first {
            b'%' => {
                let [high, low, after @ ..] = rest else { return None };
                let digit = |byte: &u8| char::from(*byte).to_digit(16);
                bytes.push(u8::try_from(digit(high)? * 16 + digit(low)?).ok()?);
                rest = after;
            }
            b'+' if plus_is_space => bytes.push(b' '),
            _ => bytes.push(*first),
        }
    }
    String::from_utf8(bytes).ok()
}

/// The pairs of a query or of a form. `None`: one of them is malformed.
pub(crate) fn pairs(text: &str) -> Option<Vec<(String, String)>> {
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    let decoded = pairs.map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        Some((decode(name, true)?, decode(value, true)?))
    });
    decoded.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percent_encoding_as_browsers_write_it() {
        assert_eq!(decode("a%20b%C3%A9+c", false).as_deref(), Some("a bé+c"));
        assert_eq!(decode("a+b", true).as_deref(), Some("a b"));
        for wrong in ["%", "%4", "%zz", "%+1", "%ff", "a%"] {
            assert_eq!(decode(wrong, false), None, "{wrong}");
        }
        let form = pairs("reason=disk+full%21&back=list&&empty").unwrap();
        let form: Vec<_> = form.iter().map(|(name, value)| (&**name, &**value)).collect();
        assert_eq!(form, [("reason", "disk full!"), ("back", "list"), ("empty", "")]);
        assert_eq!(pairs("a=%"), None);
    }
}
