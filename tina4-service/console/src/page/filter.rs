//! Which services a list shows, as its query says.

use tina4_service::ServiceInfo;

use super::standing::needs_attention;
use super::words::encode;

/// The query of a list. What it does not understand, it ignores.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Filter {
    /// The word of a state, or `attention`; empty: any.
    pub(super) state: String,
    /// A tag; empty: any.
    pub(super) tag: String,
    /// A part of the name, in any case.
    pub(super) part: String,
    /// Counted from 1.
    pub(super) page: usize,
}

impl Filter {
    /// Reads `state=..&tag=..&q=..&page=..`, as a form writes it.
    pub(super) fn parse(query: &str) -> Self {
        let mut filter = Self { page: 1, ..Self::default() };
        for pair in query.split('&') {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = decode(value);
            match key {
                "state" => filter.state = value,
                "tag" => filter.tag = value,
                "q" => filter.part = value.trim().to_owned(),
                "page" => filter.page = value.parse().unwrap_or(1),
                _ => {}
            }
        }
        filter
    }

    pub(super) fn is_active(&self) -> bool {
        !(self.state.is_empty() && self.tag.is_empty() && self.part.is_empty())
    }

    pub(super) fn selects(&self, service: &ServiceInfo) -> bool {
        let Self { state, tag, part, page: _ } = self;
        let in_state = match &**state {
            "" => true,
            "attention" => needs_attention(service),
            state => service.state.to_string() == *state,
        };
        in_state
            && (tag.is_empty() || service.tags.iter().any(|of| of == tag))
            && (part.is_empty() || service.name.to_lowercase().contains(&part.to_lowercase()))
    }

    /// The same query for another page.
    pub(super) fn on_page(&self, page: usize) -> String {
        let Self { state, tag, part, page: _ } = self;
        format!("?state={}&tag={}&q={}&page={page}", encode(state), encode(tag), encode(part))
    }
}

/// Decodes a value of a form: `+` and percent signs. What is no UTF-8 is replaced.
fn decode(value: &str) -> String {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let [first, tail @ ..] = rest {
        let hex = |byte: u8| char::from(byte).to_digit(16);
        rest = tail;
        match (first, tail) {
            (b'+', _) => bytes.push(b' '),
            (b'%', [high, low, after @ ..]) if hex(*high).is_some() && hex(*low).is_some() => {
                let text = [*high, *low];
                let text = std::str::from_utf8(&text).expect("hexadecimal digits are ASCII");
                bytes.push(u8::from_str_radix(text, 16).expect("two hexadecimal digits"));
                rest = after;
            }
            (byte, _) => bytes.push(*byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_read_and_written() {
        let filter = Filter::parse("state=backing+off&tag=a%26b&q=%20M%C3%A4il%20&page=3&other");
        let expected =
            Filter {
                state: "backing off".into(), tag: "a&b".into(), part: "Mäil".into(), page: 3
            };
        assert_eq!(filter, expected);
        assert_eq!(filter.on_page(4), "?state=backing%20off&tag=a%26b&q=M%C3%A4il&page=4");
        assert_eq!(Filter::parse(&filter.on_page(3)[1..]), expected);
    }

    #[test]
    fn a_wrong_query_is_no_fault() {
        let nothing = Filter { page: 1, ..Filter::default() };
        for query in ["", "&&=", "page=-1", "page=99999999999999999999", "state", "x=%"] {
            assert_eq!(Filter::parse(query), nothing, "{query}");
        }
        assert_eq!(Filter::parse("tag=%4").tag, "%4");
        assert_eq!(Filter::parse("tag=%FF%zz%").tag, "\u{fffd}%zz%");
    }
}
