//! Errors as only a test would write them. What they do to a service is in `tests/tests/endless.rs`.

use super::*;
use crate::panics;

/// An error with this text and this source.
#[derive(Debug)]
struct Link(String, Option<Box<dyn Error + Send + Sync>>);

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Link {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.1.as_ref().map(|source| &**source as _)
    }
}

/// One error in another, the outermost first.
fn chain<T: ToString>(texts: impl DoubleEndedIterator<Item = T>) -> Link {
    let nest = |inner: Option<Link>, text: T| {
        Some(Link(text.to_string(), inner.map(|inner| Box::new(inner) as _)))
    };
    texts.rev().fold(None, nest).expect("one error")
}

fn read(error: &(dyn Error + 'static)) -> ErrorText {
    let mut text = ErrorText::new();
    text.read(error);
    text
}

#[track_caller]
fn check(texts: &[&str], expected: &str) {
    assert_eq!(read(&chain(texts.iter())).finish(), expected, "{texts:?}");
}

#[test]
fn an_error_with_its_sources_each_once() {
    check(&["the order is unreadable"], "the order is unreadable");
    check(&["no order", "no line", "no digit"], "no order: no line: no digit");
    // What an error says in its own text.
    check(&["no order: no digit", "no digit"], "no order: no digit");
    check(&["no order: no line", "no line", "no digit"], "no order: no line: no digit");
    // What was said before.
    check(&["a", "b", "a", "b", "c"], "a: b: c");
    check(&["", "no digit"], "no digit");
    check(&["no order", "", "no digit"], "no order: no digit");
    check(&[""], "");
}

#[test]
fn rule_25_of_many_sources_the_first_32_are_looked_at() {
    let text = |count: usize| read(&chain((0..count).map(|n| format!("<{n}>")))).finish();
    let whole = |count: usize| (0..count).map(|n| format!("<{n}>")).collect::<Vec<_>>().join(": ");
    assert_eq!(text(33), whole(33));
    assert_eq!(text(34), format!("{} [more than 32 sources]", whole(33)));
}

/// An error that is its own source.
#[derive(Debug)]
struct Circle;

impl fmt::Display for Circle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("round and round")
    }
}

impl Error for Circle {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self)
    }
}

#[test]
fn rule_25_sources_in_a_circle_are_shown_once() {
    assert_eq!(read(&Circle).finish(), "round and round [more than 32 sources]");
}

#[test]
fn rule_25_a_chain_of_long_texts_is_cut_off() {
    let long = |letter: char| String::from_iter([letter; LONGEST]);
    // The first is too long by itself, or only with the second.
    for first in [LONGEST, LONGEST - 100] {
        let error = chain([&long('x')[..first], &long('y'), &long('z')].into_iter());
        let text = read(&error).finish();
        assert!(text.len() <= LONGEST && text.len() > LONGEST - 100, "{}", text.len());
        assert_eq!(text.matches("[cut off at 16 KiB]").count(), 1);
        assert_eq!(text.contains('y'), first < LONGEST);
        assert!(!text.contains('z') && text.ends_with("[cut off at 16 KiB]"));
    }
}

#[test]
fn what_was_read_before_a_panic_is_kept() {
    /// Panics when it is asked for its source.
    #[derive(Debug)]
    struct Sore;
    impl fmt::Display for Sore {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("sore")
        }
    }
    impl Error for Sore {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            panic!("do not ask")
        }
    }
    let error = Link("outside".into(), Some(Box::new(Sore)));
    let mut text = ErrorText::new();
    let panic = panics::catch(|| text.read(&error)).expect_err("it panics");
    text.push(panic);
    let text = text.finish();
    assert!(text.starts_with("outside: sore: panicked: do not ask at "), "{text}");
}

#[test]
fn a_crash_without_its_backtrace() {
    let mut text = "panicked: a\nb at src/main.rs:1:2".to_owned();
    let plain = text.clone();
    assert_eq!(without_backtrace(&text), plain);
    add_backtrace(&mut text, "0: x\n".repeat(100_000));
    assert!(text.len() < plain.len() + BACKTRACE.len() + LONGEST_BACKTRACE);
    assert!(text.ends_with("[cut off at 32 KiB]"));
    assert_eq!(without_backtrace(&text), plain);
}
