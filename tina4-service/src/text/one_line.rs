//! Untrusted text on one line: control characters are escaped, and long text is truncated.

use std::fmt::{self, Write};

/// The maximum number of characters shown.
const MAX_CHARS: usize = 200;

/// Shows the start of a text, with escapes such as `\n` for characters that are not plain.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OneLine<'a>(pub(crate) &'a str);

impl fmt::Display for OneLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut chars = self.0.chars();
        for c in chars.by_ref().take(MAX_CHARS) {
            if is_plain(c) {
                f.write_char(c)?;
            } else {
                write!(f, "{}", c.escape_default())?;
            }
        }
        if chars.next().is_some() { f.write_str(" [..]") } else { Ok(()) }
    }
}

/// Whether a character can be printed safely: it does not end a line or change the text direction, and
/// is not a control character, which could begin a terminal escape sequence.
fn is_plain(c: char) -> bool {
    !c.is_control()
        && !matches!(
            c,
            '\u{61c}'
                | '\u{200b}'
                | '\u{200e}'
                | '\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_60_a_text_stays_on_its_line_and_is_short() {
        for (text, shown) in [
            ("", ""),
            ("the disk is full", "the disk is full"),
            ("it's a `\\\"path\"`", "it's a `\\\"path\"`"),
            ("a\nb\r\nc\td\u{b}e\u{c}f", "a\\nb\\r\\nc\\td\\u{b}e\\u{c}f"),
            ("\u{85}\u{2028}\u{2029}", "\\u{85}\\u{2028}\\u{2029}"),
            ("\u{1b}[31mred\u{7}\u{0}\u{9b}", "\\u{1b}[31mred\\u{7}\\u{0}\\u{9b}"),
            ("\u{202e}txt\u{2066}\u{feff}", "\\u{202e}txt\\u{2066}\\u{feff}"),
            // Letters of any script are kept, with their accents, and so are joined emoji.
            (
                "für e\u{301}té हिन्दी 👩\u{200d}🚀 می\u{200c}خواهم",
                "für e\u{301}té हिन्दी 👩\u{200d}🚀 می\u{200c}خواهم",
            ),
        ] {
            assert_eq!(OneLine(text).to_string(), shown, "{text:?}");
        }
        let long = "ä".repeat(MAX_CHARS);
        assert_eq!(OneLine(&long).to_string(), long);
        assert_eq!(OneLine(&format!("{long}ä")).to_string(), format!("{long} [..]"));
    }
}
