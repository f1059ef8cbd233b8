//! Rule 25: errors that misbehave in `Display`, `source` or `Drop` are crashes like any other, with
//! a text of at most 16 KiB.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use crossbeam_channel::bounded;
use tests::{Ctx, EventWatcher, Hooks, Kind, TIMEOUT, both_kinds, info};
use tina4_service::{Change, Context, Runner, State};

both_kinds! {
    rule_25_a_hostile_error_is_a_crash_like_any_other,
    rule_25_and_42_a_hook_with_a_hostile_error_fails_like_any_other,
    rule_25_and_26_a_hostile_error_after_a_stop_request_is_not_a_crash,
    rule_25_a_long_panic_text_is_truncated_and_its_place_kept,
}

/// The longest text of a crash, without its backtrace.
const LONGEST: usize = 16 * 1024;

/// The text without the backtrace, which a panic has if the environment asks for one.
#[track_caller]
fn bounded_text(text: &str) -> &str {
    let text = text.split("\nstack backtrace:\n").next().unwrap();
    assert!(text.len() <= LONGEST, "{} bytes: {}", text.len(), &text[..200]);
    text
}

/// An error with this text and this source.
#[derive(Debug)]
struct Circle(&'static str, fn() -> &'static Circle);

static HEADS: Circle = Circle("heads", || &TAILS);
static TAILS: Circle = Circle("tails", || &HEADS);
static ITSELF: Circle = Circle("itself", || &ITSELF);

impl fmt::Display for Circle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Error for Circle {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some((self.1)())
    }
}

/// A chain of errors, each the source of the one before.
#[derive(Debug)]
struct Deep(u32, Option<Box<Deep>>);

impl Deep {
    fn new(depth: u32) -> Self {
        let nest = |inner, level| Some(Box::new(Self(level, inner)));
        *(1..=depth).rev().fold(None, nest).expect("at least one")
    }
}

impl Drop for Deep {
    /// Iterative, because ten thousand levels would overflow the stack.
    fn drop(&mut self) {
        let mut next = self.1.take();
        while let Some(mut inner) = next {
            next = inner.1.take();
        }
    }
}

impl fmt::Display for Deep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "level {}", self.0)
    }
}

impl Error for Deep {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.1.as_deref().map(|inner| inner as _)
    }
}

/// An error that misbehaves as configured.
#[derive(Debug)]
struct Bad {
    text: Text,
    panics_in_source: bool,
    panics_in_drop: bool,
}

#[derive(Clone, Copy, Debug)]
enum Text {
    Plain,
    Endless,
    Fails,
    Panics,
}

impl fmt::Display for Bad {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.text {
            Text::Plain => f.write_str("plain"),
            Text::Endless => loop {
                f.write_str("more and ")?;
            },
            Text::Fails => Err(fmt::Error),
            Text::Panics => panic!("no text"),
        }
    }
}

impl Error for Bad {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        assert!(!self.panics_in_source, "no source");
        None
    }
}

impl Drop for Bad {
    fn drop(&mut self) {
        assert!(!self.panics_in_drop, "no drop");
    }
}

type BoxedError = Box<dyn Error + Send + Sync>;

/// An error, and the text of its crash.
struct Case {
    what: &'static str,
    error: fn() -> BoxedError,
    /// The beginning and the end of the text.
    expected: [&'static str; 2],
    /// Whether the text or a source panics.
    panics: bool,
}

fn bad(text: Text, panics_in_source: bool, panics_in_drop: bool) -> BoxedError {
    Box::new(Bad { text, panics_in_source, panics_in_drop })
}

const CASES: [Case; 12] = [
    Case {
        what: "its own source",
        error: || Box::new(Circle("first", || &ITSELF)),
        expected: ["first: itself [more than 32 sources]", ""],
        panics: false,
    },
    Case {
        what: "two errors that are the source of each other",
        error: || Box::new(Circle("first", || &HEADS)),
        expected: ["first: heads: tails [more than 32 sources]", ""],
        panics: false,
    },
    Case {
        what: "ten thousand sources",
        error: || Box::new(Deep::new(10_000)),
        expected: ["level 1: level 2: level 3: ", ": level 33 [more than 32 sources]"],
        panics: false,
    },
    Case {
        what: "megabytes in one piece",
        error: || "ä".repeat(5_000_000).into(),
        expected: ["ää", "ä [cut off at 16 KiB]"],
        panics: false,
    },
    Case {
        what: "megabytes behind another error",
        error: || anyhow::Error::msg("x".repeat(5_000_000)).context("the first").into(),
        expected: ["the first: xx", "x [cut off at 16 KiB]"],
        panics: false,
    },
    Case {
        what: "an endless text",
        error: || bad(Text::Endless, false, false),
        expected: ["more and more and ", " [cut off at 16 KiB]"],
        panics: false,
    },
    Case {
        what: "a text that fails",
        error: || bad(Text::Fails, false, false),
        expected: [" [its `Display` failed]", ""],
        panics: false,
    },
    Case {
        what: "a text that panics",
        error: || bad(Text::Panics, false, false),
        expected: [concat!("panicked: no text at ", file!(), ":"), ""],
        panics: true,
    },
    Case {
        what: "a source that panics",
        error: || bad(Text::Plain, true, false),
        expected: [concat!("plain: panicked: no source at ", file!(), ":"), ""],
        panics: true,
    },
    Case {
        what: "a destructor that panics",
        error: || bad(Text::Plain, false, true),
        expected: ["plain", ""],
        panics: false,
    },
    Case {
        what: "a text and a destructor that panic",
        error: || bad(Text::Panics, false, true),
        expected: [concat!("panicked: no text at ", file!(), ":"), ""],
        panics: true,
    },
    Case {
        what: "a source and a destructor that panic, and an endless text",
        error: || bad(Text::Endless, true, true),
        expected: ["more and more and ", " [cut off at 16 KiB]"],
        panics: true,
    },
];

impl Case {
    #[track_caller]
    fn check(&self, text: &str) {
        let (text, what) = (bounded_text(text), self.what);
        let [begin, end] = self.expected;
        assert!(text.starts_with(begin) && text.ends_with(end), "{what}: {text}");
    }
}

fn rule_25_a_hostile_error_is_a_crash_like_any_other(kind: Kind) {
    for case in &CASES {
        let runner = Runner::new();
        let mut watcher = EventWatcher::new(&runner);
        let error = case.error;
        let service = kind.service("s", move |_| Err::<(), _>(error()));
        runner.register(service.backoff("1ms").max_restarts(2)).unwrap();
        runner.register(kind.sleeper("other")).unwrap();
        runner.start_all().unwrap();
        for in_a_row in 1..=3 {
            let Change::Crashed { in_a_row: counted, cause, .. } =
                watcher.wait_for_crash("s").change
            else {
                unreachable!("it was asked for")
            };
            assert_eq!(counted, in_a_row, "{}", case.what);
            case.check(&cause);
        }
        let failed = watcher.wait_for("s", |change| matches!(change, Change::Failed { .. }));
        let info = info(&runner, "s");
        assert_eq!((info.state, info.runs, info.crashes), (State::Failed, 3, 3));
        let last = info.last_error.clone().unwrap();
        case.check(&last);
        assert_eq!(failed.change, Change::Failed { cause: last });
        assert!(runner.is_running("other"), "{}", case.what);
        assert!(runner.stop_all().is_clean(), "{}", case.what);
    }
}

fn rule_25_and_42_a_hook_with_a_hostile_error_fails_like_any_other(kind: Kind) {
    for case in &CASES {
        let runner = Runner::new();
        let mut watcher = EventWatcher::new(&runner);
        let (error, (done, last)) = (case.error, bounded(1));
        let body = move |ctx: &Context| {
            let done = done.clone();
            ctx.on_stop(move || done.send("the other hook"));
            ctx.on_stop(move || Err::<(), _>(error()));
        };
        runner
            .register(kind.service("s", body).hook(kind, move |_| Err::<(), _>(error())))
            .unwrap();
        runner.start_all().unwrap();
        watcher.wait_for_change("s", &Change::Finished);
        let causes: Vec<_> = watcher.changes("s").into_iter().filter_map(hook_failure).collect();
        assert_eq!(causes.len(), 2, "{}", case.what);
        causes.iter().for_each(|cause| case.check(cause));
        assert_eq!(last.recv_timeout(TIMEOUT), Ok("the other hook"));
    }
}

fn hook_failure(change: Change) -> Option<Arc<str>> {
    if let Change::HookFailed { cause } = change { Some(cause) } else { None }
}

fn rule_25_and_26_a_hostile_error_after_a_stop_request_is_not_a_crash(kind: Kind) {
    for case in &CASES {
        let runner = Runner::new();
        let mut watcher = EventWatcher::new(&runner);
        let error = case.error;
        let body = async move |ctx: Ctx<'_>| {
            ctx.until_stopped().await;
            Err::<(), _>(error())
        };
        runner.register(kind.waiting("s", body)).unwrap();
        runner.start_all().unwrap();
        watcher.wait_for_run_begin("s");
        runner.stop("s").unwrap();
        let info = info(&runner, "s");
        assert_eq!((info.state, info.crashes), (State::Stopped, 0), "{}", case.what);
        // A panic is still reported.
        let panicked = |change| {
            if let Change::PanickedWhileStopping { cause } = change { Some(cause) } else { None }
        };
        let panicked: Vec<_> = watcher.changes("s").into_iter().filter_map(panicked).collect();
        assert_eq!(panicked.len(), usize::from(case.panics), "{}", case.what);
        panicked.iter().for_each(|cause| case.check(cause));
    }
}

fn rule_25_a_long_panic_text_is_truncated_and_its_place_kept(kind: Kind) {
    let runner = Runner::new();
    let line = line!() + 1;
    let body = |_: &Context| panic!("{}", "boom ".repeat(1_000_000));
    runner.register(kind.service::<(), _>("s", body).max_restarts(0)).unwrap();
    runner.start_all().unwrap();
    tests::wait(&runner);
    let error = info(&runner, "s").last_error.unwrap();
    let text = bounded_text(&error);
    let place = format!(" [cut off at 15 KiB] at {}:{line}:", file!());
    assert!(text.starts_with("panicked: boom boom ") && text.contains(&place), "{text}");
}
