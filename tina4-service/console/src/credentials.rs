//! What the header `authorization` says.

/// The credentials of a request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Credentials {
    /// The name that Basic authentication sends along; nobody checks it.
    pub(crate) user: Option<String>,
    /// Whether a browser sends them by itself, also for pages of other sites.
    pub(crate) is_basic: bool,
    /// The token, or the password of Basic authentication.
    pub(crate) secret: Vec<u8>,
}

impl Credentials {
    /// Reads the header's value; `None`: it is neither `Bearer` nor `Basic`.
    pub(crate) fn parse(value: &str) -> Option<Self> {
        let (scheme, rest) = value.trim().split_once(' ')?;
        let rest = rest.trim();
        if scheme.eq_ignore_ascii_case("bearer") {
            return Some(Self { user: None, is_basic: false, secret: rest.as_bytes().to_vec() });
        }
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let decoded = decode_base64(rest)?;
        let colon = decoded.iter().position(|byte| *byte == b':')?;
        let (user, secret) = (&decoded[..colon], &decoded[colon + 1..]);
        let user = String::from_utf8_lossy(user).trim().to_owned();
        let user = Some(user).filter(|user| !user.is_empty());
        Some(Self { user, is_basic: true, secret: secret.to_vec() })
    }
}

/// Decodes base64 in its standard alphabet, padded or not.
fn decode_base64(text: &str) -> Option<Vec<u8>> {
    let digits = text.trim_end_matches('=').bytes();
    let mut decoded = Vec::with_capacity(digits.len() * 3 / 4);
    let (mut bits, mut count) = (0_u32, 0);
    for digit in digits {
        let value = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a' + 26,
            b'0'..=b'9' => digit - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = (bits << 6 | u32::from(value)) & 0xff_ffff;
        count += 6;
        if count >= 8 {
            count -= 8;
            decoded.push((bits >> count & 0xff) as u8);
        }
    }
    // A single digit at the end is no byte.
    (count < 6).then_some(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_is_read_as_browsers_and_curl_write_it() {
        let bearer = Credentials::parse("Bearer abc").unwrap();
        assert_eq!((bearer.user, &*bearer.secret), (None, &b"abc"[..]));
        // `alice:secret:with:colons`, and one without a user.
        let basic = Credentials::parse("basic YWxpY2U6c2VjcmV0OndpdGg6Y29sb25z").unwrap();
        assert_eq!(basic.user.as_deref(), Some("alice"));
        assert_eq!(basic.secret, b"secret:with:colons");
        let basic = Credentials::parse("Basic OnNlY3JldA==").unwrap();
        assert_eq!((basic.user, &*basic.secret), (None, &b"secret"[..]));
        for wrong in ["", "Bearer", "Digest x", "Basic !!!!", "Basic A", "Basic YWxpY2U="] {
            assert_eq!(Credentials::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn base64_as_in_its_standard() {
        let vectors =
            [("", ""), ("Zg==", "f"), ("Zm8=", "fo"), ("Zm9v", "foo"), ("Zm9vYmFy", "foobar")];
        for (encoded, decoded) in vectors {
            assert_eq!(decode_base64(encoded).as_deref(), Some(decoded.as_bytes()), "{encoded}");
        }
        assert_eq!(decode_base64("+/+/").as_deref(), Some(&[0xfb, 0xff, 0xbf][..]));
    }
}
