//! Who asked for something, and why.

use std::fmt;
use std::sync::Arc;

use crate::text::one_line::OneLine;

/// How many bytes of each text are kept for past runs.
const MAX_PAST_BYTES: usize = 100;

/// What ends a text that was cut.
const CUT: &str = " [..]";

/// Who asks for something, and why: an operator, a console, another part of the program.
///
/// It is for [`Runner::on_behalf_of`](crate::Runner::on_behalf_of). Names and reasons may come from anywhere, such
/// as a form on a page: control characters are escaped, and only the first 200 characters are kept. So a
/// log line stays one line, whatever somebody typed. Nobody checks who it really is; that is up to whoever creates
/// it. `Display` prints both, as in `alice (the invoice run failed)`.
///
/// ```
/// use tina4_service::Requester;
///
/// let alice = Requester::new("alice").because("the invoice run failed");
/// assert_eq!(alice.name(), "alice");
/// assert_eq!(alice.reason(), Some("the invoice run failed"));
/// assert_eq!(Requester::new("mallory\nservice stopped").name(), r"mallory\nservice stopped");
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Requester(Arc<Texts>);

#[derive(Clone, PartialEq, Eq, Hash)]
struct Texts {
    name: Box<str>,
    reason: Option<Box<str>>,
}

impl Requester {
    /// The requester with this name, such as a user's or `uid 1000`. No reason is given.
    #[must_use]
    pub fn new(name: impl AsRef<str>) -> Self {
        Self(Arc::new(Texts { name: bounded(name.as_ref()), reason: None }))
    }

    /// Adds the reason.
    #[must_use]
    pub fn because(self, reason: impl AsRef<str>) -> Self {
        let name = self.0.name.clone();
        Self(Arc::new(Texts { name, reason: Some(bounded(reason.as_ref())) }))
    }

    /// Whether both are clones of one value, and not only equal. So the requester of a run tells which request it
    /// belongs to, if each request has a requester of its own.
    ///
    /// ```
    /// use tina4_service::Requester;
    ///
    /// let (first, second) = (Requester::new("alice"), Requester::new("alice"));
    /// assert!(first == second && !first.ptr_eq(&second));
    /// assert!(first.ptr_eq(&first.clone()));
    /// ```
    #[must_use]
    pub fn ptr_eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// The same with at most [`MAX_PAST_BYTES`] of each text, for the history, which has a fixed bound.
    pub(crate) fn shortened(self) -> Self {
        let is_short = |text: &str| text.len() <= MAX_PAST_BYTES;
        if is_short(self.name()) && self.reason().is_none_or(is_short) {
            return self;
        }
        Self(Arc::new(Texts { name: cut(self.name()), reason: self.reason().map(cut) }))
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The reason; `None`: none was given.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        self.0.reason.as_deref()
    }
}

fn cut(text: &str) -> Box<str> {
    if text.len() <= MAX_PAST_BYTES {
        return text.into();
    }
    let end = text.floor_char_boundary(MAX_PAST_BYTES - CUT.len());
    format!("{}{CUT}", &text[..end]).into()
}

fn bounded(text: &str) -> Box<str> {
    OneLine(text.trim()).to_string().into()
}

impl fmt::Display for Requester {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self.reason() {
            Some(reason) => write!(f, " ({reason})"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Requester {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Requester")
            .field("name", &self.name())
            .field("reason", &self.reason())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_113_a_requester_is_bounded_text_on_one_line_whatever_was_typed() {
        let hostile = format!("\u{1b}[2J\nroot\u{202e}{}", "€".repeat(1_000_000));
        let requester = Requester::new(&hostile).because(&hostile);
        for text in [requester.name(), requester.reason().unwrap()] {
            assert!(
                text.starts_with("\\u{1b}[2J\\nroot\\u{202e}€") && text.len() < 1_000,
                "{text}"
            );
            assert!(!text.contains(char::is_control), "{text:?}");
        }
        assert!(requester.to_string().len() < 2_000);
    }

    #[test]
    fn rule_110_and_113_a_requester_takes_little_memory_in_the_history() {
        let short = Requester::new("alice").because("no invoices");
        assert!(Arc::ptr_eq(&short.clone().shortened().0, &short.0), "it is shared");
        for text in ["x", "€", "\u{1b}"].map(|text| text.repeat(1_000)) {
            let long = Requester::new(&text).because(&text).shortened();
            for text in [long.name(), long.reason().unwrap()] {
                assert!((90..=MAX_PAST_BYTES).contains(&text.len()), "{text}");
                assert!(text.ends_with(" [..]") && !text.contains(char::is_control), "{text}");
            }
        }
        let long = Requester::new("alice").because("x".repeat(1_000)).shortened();
        assert_eq!((long.name(), long.reason().map(str::len)), ("alice", Some(MAX_PAST_BYTES)));
    }

    #[test]
    fn rule_113_a_requester_has_a_name_and_perhaps_a_reason() {
        let alice = Requester::new(" alice ");
        assert_eq!((alice.name(), alice.reason(), &*alice.to_string()), ("alice", None, "alice"));
        let why = alice.clone().because("no invoices");
        assert_eq!(why.to_string(), "alice (no invoices)");
        assert!(why != alice && why == Requester::new("alice").because("no invoices"));
    }
}
