//! Splits Rust source into words and punctuation, without comments and literals.

/// Splits a source into identifiers and keywords, `::`, and single punctuation characters. Comments
/// and lifetimes are left out; each literal is replaced by `""`.
pub(crate) fn tokens(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let (token, length) = match next {
            '/' if rest.starts_with("//") => ("", rest.find('\n').unwrap_or(rest.len())),
            '/' if rest.starts_with("/*") => ("", comment(rest)),
            '"' => ("\"\"", quoted(rest, '"')),
            '\'' => apostrophe(rest),
            ':' if rest.starts_with("::") => ("::", 2),
            _ if is_word(next) => word(rest),
            _ if next.is_whitespace() => ("", next.len_utf8()),
            _ => (&rest[..next.len_utf8()], next.len_utf8()),
        };
        if !token.is_empty() {
            found.push(token);
        }
        rest = &rest[length..];
    }
    found
}

fn is_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

/// The length of a block comment, which may contain others.
fn comment(text: &str) -> usize {
    let (mut depth, mut at) = (0_u32, 0);
    loop {
        if text[at..].starts_with("/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if text[at..].starts_with("*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                return at;
            }
        } else {
            let Some(next) = text[at..].chars().next() else { return at };
            at += next.len_utf8();
        }
    }
}

/// The length of a literal that begins and ends with `quote`, and may have escapes.
fn quoted(text: &str, quote: char) -> usize {
    let mut chars = text.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        if c == '\\' {
            chars.next();
        } else if c == quote {
            return at + c.len_utf8();
        }
    }
    text.len()
}

/// The token and the length of a character literal or a lifetime.
fn apostrophe(text: &str) -> (&str, usize) {
    let mut chars = text.chars().skip(1);
    let (first, second) = (chars.next(), chars.next());
    if first == Some('\\') || second == Some('\'') {
        return ("\"\"", quoted(text, '\''));
    }
    let name = text[1..].chars().take_while(|c| is_word(*c)).map(char::len_utf8).sum::<usize>();
    ("", 1 + name)
}

/// The token and the length of a word, or of a literal that begins with letters: `b"..."`,
/// `r#"..."#`. The token of a raw identifier is the word without its prefix.
fn word(text: &str) -> (&str, usize) {
    let length = text.find(|c| !is_word(c)).unwrap_or(text.len());
    let (name, rest) = text.split_at(length);
    let hashes = rest.len() - rest.trim_start_matches('#').len();
    match (name, &rest[hashes..]) {
        ("r" | "br" | "cr", body) if body.starts_with('"') => {
            let end = format!("\"{}", "#".repeat(hashes));
            let body_length = body[1..].find(&end).map_or(body.len(), |at| 1 + at + end.len());
            ("\"\"", length + hashes + body_length)
        }
        ("b" | "c", body) if hashes == 0 && body.starts_with('"') => {
            ("\"\"", length + quoted(body, '"'))
        }
        ("b", body) if hashes == 0 && body.starts_with('\'') => {
            ("\"\"", length + quoted(body, '\''))
        }
        ("r", body) if hashes == 1 && body.starts_with(is_word) => {
            let raw = body.find(|c| !is_word(c)).unwrap_or(body.len());
            (&body[..raw], length + hashes + raw)
        }
        _ => (name, length),
    }
}

#[test]
fn a_source_is_split_into_words_and_punctuation() {
    for (source, expected) in [
        ("use a::{b, c};", "use a :: { b , c } ;"),
        ("x // crate::a\ny /* crate::b /* c */ d */ z", "x y z"),
        (r#"f("crate::a \" b", b"c", c"d")"#, r#"f ( "" , "" , "" )"#),
        ("r#\"crate::a\" \"# + br\"\\\" + r#type", "\"\" + \"\" + type"),
        (r"'a' '\'' '\\' '\u{1f}' b'x' ' '", r#""" "" "" "" "" """#),
        ("fn f<'a>(x: &'a T, y: &'_ U) -> 'z'", "fn f < > ( x : & T , y : & U ) - > \"\""),
        ("für::élan", "für :: élan"),
    ] {
        assert_eq!(tokens(source).join(" "), expected);
    }
}
