//! Hostile errors. `hostile_errors.rs` in the integration tests shows how they affect a service.

use super::*;
use crate::service::permanent::Permanent;
use crate::sys::panics;

/// An error with this text and this source.
#[derive(Debug)]
struct ChainedError(String, Option<Box<dyn Error + Send + Sync>>);

impl fmt::Display for ChainedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for ChainedError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.1.as_ref().map(|source| &**source as _)
    }
}

/// Nested errors, the outermost first.
fn chain<T: ToString>(texts: impl DoubleEndedIterator<Item = T>) -> ChainedError {
    let nest = |inner: Option<ChainedError>, text: T| {
        Some(ChainedError(text.to_string(), inner.map(|inner| Box::new(inner) as _)))
    };
    texts.rev().fold(None, nest).expect("one error")
}

fn read(error: &(dyn Error + 'static)) -> ErrorText {
    let mut text = ErrorText::new();
    assert!(text.read(error).is_none());
    text
}

#[track_caller]
fn check(texts: &[&str], expected: &str) {
    assert_eq!(read(&chain(texts.iter())).finish(), expected, "{texts:?}");
}

#[test]
fn each_text_of_an_error_and_its_sources_appears_once() {
    check(&["the order is unreadable"], "the order is unreadable");
    check(&["no order", "no line", "no digit"], "no order: no line: no digit");
    // An error repeats its source in its own text.
    check(&["no order: no digit", "no digit"], "no order: no digit");
    check(&["no order: no line", "no line", "no digit"], "no order: no line: no digit");
    // A text appeared before.
    check(&["a", "b", "a", "b", "c"], "a: b: c");
    check(&["", "no digit"], "no digit");
    check(&["no order", "", "no digit"], "no order: no digit");
    check(&[""], "");
}

#[test]
fn rule_25_at_most_32_sources_are_read() {
    let text = |count: usize| read(&chain((0..count).map(|n| format!("<{n}>")))).finish();
    let whole = |count: usize| (0..count).map(|n| format!("<{n}>")).collect::<Vec<_>>().join(": ");
    assert_eq!(text(33), whole(33));
    assert_eq!(text(34), format!("{} [more than 32 sources]", whole(33)));
}

/// An error that is its own source.
#[derive(Debug)]
struct Cycle;

impl fmt::Display for Cycle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("round and round")
    }
}

impl Error for Cycle {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self)
    }
}

#[test]
fn rule_25_sources_in_a_cycle_are_shown_once() {
    assert_eq!(read(&Cycle).finish(), "round and round [more than 32 sources]");
}

#[test]
fn rule_25_a_chain_of_long_texts_is_truncated_but_read_to_its_end() {
    let long = |letter: char| String::from_iter([letter; MAX_TEXT_BYTES]);
    // Either the first text alone is too long, or the first two together are.
    for first in [MAX_TEXT_BYTES, MAX_TEXT_BYTES - 100] {
        let mut error = chain([&long('x')[..first], &long('y'), &long('z')].into_iter());
        let end = error.1.as_mut().expect("it has a source");
        let end: &mut ChainedError = end.downcast_mut().expect("a `ChainedError`");
        end.1 = Some(Box::new(Permanent::new("at the end")));
        let read = read(&error);
        assert!(read.is_permanent());
        let text = read.finish();
        assert!(
            text.len() <= MAX_TEXT_BYTES && text.len() > MAX_TEXT_BYTES - 100,
            "{}",
            text.len()
        );
        assert_eq!(text.matches("[cut off at 16 KiB]").count(), 1);
        assert_eq!(text.contains('y'), first < MAX_TEXT_BYTES);
        assert!(!text.contains('z') && text.ends_with("[cut off at 16 KiB]"));
    }
}

#[test]
fn the_text_read_before_a_panic_is_kept() {
    /// Panics in `source`.
    #[derive(Debug)]
    struct PanicsInSource;
    impl fmt::Display for PanicsInSource {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("sore")
        }
    }
    impl Error for PanicsInSource {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            panic!("do not ask")
        }
    }
    let error = ChainedError("outside".into(), Some(Box::new(Permanent::new(PanicsInSource))));
    let mut text = ErrorText::new();
    let panic = text.read(&error).expect("it panics");
    assert_eq!(panic.to_string().split(" at ").next(), Some("panicked: do not ask"));
    assert!(text.is_permanent());
    let text = text.finish();
    assert!(text.starts_with("outside: sore: panicked: do not ask at "), "{text}");
}

/// Displays its inner error, but does not return it from `source`.
#[derive(Debug)]
struct Transparent(Permanent);

impl fmt::Display for Transparent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl Error for Transparent {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}

#[test]
fn rule_28_a_permanent_error_is_found_anywhere_in_the_chain() {
    let permanent = || Permanent::new(chain(["no key", "no file"].into_iter()));
    let inside = |error: Box<dyn Error + Send + Sync>| ChainedError("no start".into(), Some(error));
    let text = "no key: no file";
    let deep = "no start: no key: no file";
    let cases: [(Box<dyn Error>, &str); 7] = [
        (Box::new(permanent()), text),
        (Box::new(Permanent::new(permanent())), text),
        (Box::new(Transparent(permanent())), text),
        (Box::new(std::io::Error::other(permanent())), text),
        (Box::new(std::sync::Arc::new(permanent())), text),
        (Box::new(inside(Box::new(permanent()))), deep),
        (Box::new(inside(Box::new(Transparent(permanent())))), deep),
    ];
    for (error, text) in cases {
        let read = read(&*error);
        assert!(read.is_permanent(), "{error:?}");
        assert_eq!(read.finish(), text);
    }
}

/// Displays its inner error, and stores the text.
#[derive(Debug)]
struct Caching(Box<dyn Error + Send + Sync>, std::sync::OnceLock<String>);

impl fmt::Display for Caching {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.1.get_or_init(|| self.0.to_string()))
    }
}

impl Error for Caching {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.0)
    }
}

#[test]
fn a_wrapper_that_stores_its_text_stores_the_real_one() {
    let caching = || Caching(Permanent::new("no key").into(), std::sync::OnceLock::new());
    let error = caching();
    let text = read(&error);
    assert!(text.is_permanent(), "its source is permanent");
    assert_eq!((text.finish(), error.to_string()), ("no key".into(), "no key".into()));
    // The wrapper may also be a source, even of an error whose text is too long.
    for first in ["no start".to_owned(), "x".repeat(2 * MAX_TEXT_BYTES)] {
        let error = ChainedError(first, Some(Box::new(caching())));
        let text = read(&error);
        assert!(text.is_permanent() && !text.finish().contains("tina4"));
        assert_eq!(error.source().unwrap().to_string(), "no key");
    }
}

#[derive(Debug)]
struct PanicsInDisplay;
impl fmt::Display for PanicsInDisplay {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("no words")
    }
}
impl Error for PanicsInDisplay {}

#[test]
fn a_hidden_permanent_error_is_found_although_its_display_panics() {
    let mut text = ErrorText::new();
    assert!(text.read(&Transparent(Permanent::new(PanicsInDisplay))).is_some());
    assert!(text.is_permanent());
    assert!(text.finish().starts_with("panicked: no words at "));
}

#[test]
fn rule_28_an_error_that_only_sounds_permanent_is_not() {
    /// Prints more than its permanent inner error.
    #[derive(Debug)]
    struct Adds(Permanent);
    impl fmt::Display for Adds {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "{}!", self.0)
        }
    }
    impl Error for Adds {}
    let no_key = || Permanent::new("no key");
    let cases: [Box<dyn Error>; 4] = [
        Box::new(chain(["permanent error: no key"].into_iter())),
        Box::new(chain([no_key().to_string()].into_iter())),
        Box::new(Adds(no_key())),
        no_key().into_inner(),
    ];
    for error in cases {
        assert!(!read(&*error).is_permanent(), "{error:?}");
    }
    // Outside the search, a permanent error prints its own text.
    assert_eq!(no_key().to_string(), "no key");
    assert_eq!(format!("{:>8}|{:?}", no_key(), no_key()), "  no key|Permanent(\"no key\")");
}

#[test]
fn a_display_that_panics_during_the_search_does_not_leave_the_marker_on() {
    panics::catch(|| is_permanent(&PanicsInDisplay)).expect_err("it panics");
    assert_eq!(Permanent::new("no key").to_string(), "no key");
}

#[test]
fn a_backtrace_is_bounded_and_can_be_removed() {
    let mut text = "panicked: a\nb at src/main.rs:1:2".to_owned();
    let plain = text.clone();
    assert_eq!(without_backtrace(&text), plain);
    add_backtrace(&mut text, "0: x\n".repeat(100_000));
    assert!(text.len() < plain.len() + BACKTRACE.len() + MAX_BACKTRACE_BYTES);
    assert!(text.ends_with("[cut off at 32 KiB]"));
    assert_eq!(without_backtrace(&text), plain);
}
