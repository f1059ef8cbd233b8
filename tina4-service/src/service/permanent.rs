//! An error that a restart cannot fix, and the search for it inside other errors.

use std::cell::Cell;
use std::error::Error;
use std::fmt::{self, Write};

/// An error that a restart cannot fix: the service fails immediately.
///
/// Return it for a failure that would happen again, such as a missing setting, a revoked key or a
/// file in the wrong format. The run is not retried, regardless of `restart` and `max_restarts`: the
/// service is `failed` until it is started by name. The text of its crash begins with
/// `permanent error: `.
///
/// To the function that returns it, it is an ordinary error, so `?` propagates it:
///
/// ```
/// use std::error::Error;
/// use tina4_service::{Permanent, Runner, Service, State};
///
/// fn import() -> Result<(), Box<dyn Error + Send + Sync>> {
///     let limit = "ten".parse::<u32>().map_err(Permanent::new)?;
///     println!("at most {limit}");
///     Ok(())
/// }
///
/// let runner = Runner::new();
/// runner.register(Service::new("import", |_ctx| import()).interval("1m")).unwrap();
/// runner.start_all()?;
/// runner.wait();
/// let import = &runner.services()[0];
/// assert_eq!((import.state, import.runs), (State::Failed, 1));
/// assert_eq!(
///     import.last_error.as_deref(),
///     Some("permanent error: invalid digit found in string"),
/// );
/// # Ok::<(), tina4_service::StartError>(())
/// ```
///
/// It is also found among the first 32 [sources](Error::source) of the returned error, and inside a
/// wrapper that displays the text of its inner error: `anyhow::Error`,
/// [`io::Error`](std::io::Error), a variant with `#[error(transparent)]`. To look inside, the runner
/// may call the `Display` of an error, and of its sources, twice. It cannot see inside a wrapper that
/// stores the text that it first printed, but it does check the sources of that wrapper.
///
/// A service that was asked to stop does not crash, no matter what its run returns. In a clean-up
/// hook, this is an ordinary error.
///
/// By contrast, [`Flow::Done`](crate::Flow::Done) is success, and the service is `finished`.
#[derive(Debug)]
pub struct Permanent(Box<dyn Error + Send + Sync>);

impl Permanent {
    /// Marks an error, or a string, as permanent.
    #[must_use]
    pub fn new(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(error.into())
    }

    /// The inner error.
    #[must_use]
    pub fn get_ref(&self) -> &(dyn Error + Send + Sync + 'static) {
        &*self.0
    }

    /// Returns the inner error, which is then no longer permanent.
    #[must_use]
    pub fn into_inner(self) -> Box<dyn Error + Send + Sync> {
        self.0
    }
}

/// The text of the inner error.
impl fmt::Display for Permanent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if SEARCHING.get() { f.write_str(MARKER) } else { self.0.fmt(f) }
    }
}

impl Error for Permanent {
    /// The source of the inner error.
    ///
    /// Not the inner error itself: it has the same text as `self`, which would be printed twice.
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}

thread_local! {
    /// Whether this thread is inside [`is_permanent`].
    static SEARCHING: Cell<bool> = const { Cell::new(false) };
}

/// The text that a [`Permanent`] prints inside [`is_permanent`].
const MARKER: &str = "\u{0}tina4-service: permanent\u{0}";

/// Whether this error is a [`Permanent`], or a transparent wrapper of one.
///
/// Wrappers like `anyhow::Error` and `io::Error` hide their inner error: they cannot be downcast to
/// it, and their `source` is the source of the inner error. But they do print its text. So a
/// `Permanent` prints a marker while this function runs, and an error whose entire text is the marker
/// is, or wraps, a `Permanent`.
///
/// A wrapper may store the first text that it prints, so the caller must have read the real text
/// beforehand.
pub(crate) fn is_permanent(error: &(dyn Error + 'static)) -> bool {
    if error.is::<Permanent>() {
        return true;
    }
    /// A guard that resets the flag even if `Display` panics.
    struct Searching;
    impl Drop for Searching {
        fn drop(&mut self) {
            SEARCHING.set(false);
        }
    }
    let mut printed = Printed::Nothing;
    SEARCHING.set(true);
    let searching = Searching;
    let _ = write!(printed, "{error}");
    drop(searching);
    printed == Printed::Marker
}

/// The output of an error so far.
#[derive(Debug, PartialEq, Eq)]
enum Printed {
    Nothing,
    Marker,
    Other,
}

impl Write for Printed {
    /// Fails on everything but the marker, so that the error stops printing a long text.
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if text.is_empty() {
            return Ok(());
        }
        if *self == Self::Nothing && text == MARKER {
            *self = Self::Marker;
            return Ok(());
        }
        *self = Self::Other;
        Err(fmt::Error)
    }
}
