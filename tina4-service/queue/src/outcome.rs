//! [`Reject`] and [`Retry`]: errors that say what becomes of their job.

use std::error::Error;
use std::fmt;
use std::iter;
use std::time::Duration;

use crate::end::End;
use crate::retry_policy::RetryPolicy;

type BoxError = Box<dyn Error + Send + Sync>;

/// The longest error text that is stored with a job, in bytes; the rest is cut off.
pub const MAX_ERROR_LEN: usize = 4096;

/// An error after which a job is dead at once, however many attempts are left.
///
/// It is found anywhere in the chain of sources of the error.
///
/// ```
/// use tina4_service_queue::Reject;
///
/// let error = Reject::new("there is no such address");
/// assert_eq!(error.to_string(), "there is no such address");
/// ```
#[derive(Debug)]
pub struct Reject(BoxError);

impl Reject {
    /// Marks an error, or a string, as one that no further attempt can cure.
    #[must_use]
    pub fn new(error: impl Into<BoxError>) -> Self {
        Self(error.into())
    }
}

/// The text of the inner error.
impl fmt::Display for Reject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for Reject {
    /// The source of the inner error, whose own text is that of `self`.
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}

/// An error after which a job waits for a time of its own instead of the usual backoff.
///
/// The attempt counts: after the last one the job is dead. It is found anywhere in the chain of
/// sources of the error.
///
/// ```
/// use std::time::Duration;
/// use tina4_service_queue::Retry;
///
/// let error = Retry::after(Duration::from_secs(300)).because("the server is busy until noon");
/// assert_eq!(error.to_string(), "the server is busy until noon");
/// ```
#[derive(Debug)]
pub struct Retry {
    delay: Duration,
    error: BoxError,
}

impl Retry {
    /// The next attempt follows after this delay.
    #[must_use]
    pub fn after(delay: Duration) -> Self {
        Self { delay, error: "another attempt was asked for".into() }
    }

    /// The reason, which is stored with the job.
    #[must_use]
    pub fn because(self, error: impl Into<BoxError>) -> Self {
        Self { error: error.into(), ..self }
    }
}

/// The text of the reason.
impl fmt::Display for Retry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl Error for Retry {
    /// The source of the reason, whose own text is that of `self`.
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.error.source()
    }
}

/// What an error says about the next attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryRequest {
    /// Nothing: the usual backoff.
    Usual,
    /// There is a [`Retry`] in its chain of sources: another attempt after this time.
    After(Duration),
    /// There is a [`Reject`] in its chain of sources: no further attempt.
    Reject,
}

impl RetryRequest {
    /// What this error says.
    #[must_use]
    pub fn of(error: &(dyn Error + 'static)) -> Self {
        if chain(error).any(|error| error.is::<Reject>()) {
            return Self::Reject;
        }
        let retry = chain(error).find_map(|error| error.downcast_ref::<Retry>());
        retry.map_or(Self::Usual, |retry| Self::After(retry.delay))
    }

    /// How a claim ends after attempt number `attempt` has failed, with the text of the error.
    ///
    /// `random` varies the backoff, see [`RetryPolicy::delay_after`].
    #[must_use]
    pub fn end(self, mut error: String, attempt: u32, policy: &RetryPolicy, random: u64) -> End {
        error.truncate(error.floor_char_boundary(MAX_ERROR_LEN));
        let delay = match self {
            Self::Reject => return End::Dead { error },
            Self::Usual | Self::After(_) if policy.is_last(attempt) => return End::Dead { error },
            Self::Usual => policy.delay_after(attempt, random),
            Self::After(delay) => delay,
        };
        End::Again { delay, error }
    }
}

/// How a claim ends after attempt number `attempt` has failed with this error.
///
/// `random` varies the backoff, see [`RetryPolicy::delay_after`].
///
/// ```
/// use tina4_service_queue::{End, Reject, RetryPolicy, end_after};
///
/// let end = end_after(&Reject::new("no such address"), 1, &RetryPolicy::DEFAULT, 0);
/// assert_eq!(end, End::Dead { error: "no such address".to_owned() });
/// ```
#[must_use]
pub fn end_after(
    error: &(dyn Error + 'static),
    attempt: u32,
    policy: &RetryPolicy,
    random: u64,
) -> End {
    RetryRequest::of(error).end(text(error), attempt, policy, random)
}

/// How many errors of a chain count. A hostile one may have no end.
const MAX_CHAIN: usize = 32;

/// The error and its sources.
fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    iter::successors(Some(error), |error| (*error).source()).take(MAX_CHAIN)
}

/// The texts of the error and its sources.
fn text(error: &(dyn Error + 'static)) -> String {
    let texts: Vec<_> = chain(error).map(ToString::to_string).collect();
    texts.join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Outer<E>(E);

    impl<E> fmt::Display for Outer<E> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("outer")
        }
    }

    impl<E: Error + 'static> Error for Outer<E> {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&self.0)
        }
    }

    const POLICY: RetryPolicy = RetryPolicy { attempts: 3, ..RetryPolicy::DEFAULT };

    fn again(millis: u64, error: &str) -> End {
        End::Again { delay: Duration::from_millis(millis), error: error.into() }
    }

    fn dead(error: &str) -> End {
        End::Dead { error: error.into() }
    }

    #[test]
    fn rule_131_an_error_is_followed_by_another_attempt_until_the_last() {
        let error = fmt::Error;
        let text = error.to_string();
        assert_eq!(end_after(&error, 1, &POLICY, 200), again(2000, &text));
        assert_eq!(end_after(&error, 2, &POLICY, 200), again(4000, &text));
        assert_eq!(end_after(&error, 3, &POLICY, 200), dead(&text));
        assert_eq!(end_after(&error, 9, &POLICY, 200), dead(&text));
    }

    #[test]
    fn rule_131_reject_and_retry_are_found_in_the_chain_of_sources() {
        let retry = || Retry::after(Duration::from_millis(7)).because("busy");
        assert_eq!(end_after(&retry(), 1, &POLICY, 0), again(7, "busy"));
        assert_eq!(end_after(&Outer(retry()), 1, &POLICY, 0), again(7, "outer: busy"));
        assert_eq!(end_after(&retry(), 3, &POLICY, 0), dead("busy"));
        assert_eq!(end_after(&Reject::new("no"), 1, &POLICY, 0), dead("no"));
        let nested = Outer(Outer(Reject::new(Outer(fmt::Error))));
        let text = format!("outer: outer: outer: {}", fmt::Error);
        assert_eq!(end_after(&nested, 1, &POLICY, 0), dead(&text), "each text once");
        let boxed: BoxError = Reject::new("no").into();
        assert_eq!(end_after(&*boxed, 1, &POLICY, 0), dead("no"));
    }

    #[test]
    fn long_errors_are_cut_off_at_a_character() {
        let long = Reject::new("ä".repeat(5000) + "x");
        let End::Dead { error } = end_after(&long, 1, &POLICY, 0) else { panic!("rejected") };
        assert_eq!(error.len(), MAX_ERROR_LEN);
        let odd = Reject::new(format!("x{}", "ä".repeat(5000)));
        let End::Dead { error } = end_after(&odd, 1, &POLICY, 0) else { panic!("rejected") };
        assert_eq!(error.len(), MAX_ERROR_LEN - 1);
    }
}
