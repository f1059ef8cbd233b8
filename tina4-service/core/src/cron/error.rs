//! The error of parsing a cron expression: the fault and its position in the text.

use std::error::Error;
use std::fmt;
use std::ops::Range;

/// The longest expression, in bytes, that is printed with its underline: on a screen, a longer one
/// wraps, and the underline does not line up.
const MAX_SHOWN: usize = 200;
/// The longest excerpt of the expression that a message quotes, in characters.
const MAX_EXCERPT: usize = 40;

/// The text to quote in a message, escaped and truncated.
pub(super) fn excerpt(found: &str) -> String {
    match found.char_indices().nth(MAX_EXCERPT) {
        Some((end, _)) => format!("{}..", found[..end].escape_debug()),
        None => found.escape_debug().to_string(),
    }
}

/// The reason why a string is not a cron expression.
///
/// Displayed as `problem; remedy`. The alternate form `{:#}` also prints the expression and
/// underlines the part that is wrong:
///
/// ```
/// use tina4_service_core::Cron;
///
/// let error = Cron::parse("60 * * * *").unwrap_err();
/// assert_eq!(error.span(), 0..2);
/// assert_eq!(
///     format!("{error:#}"),
///     "`60` is not a minute; write 0 to 59\n    60 * * * *\n    ^^",
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CronError {
    expression: String,
    span: Range<usize>,
    message: String,
}

impl CronError {
    pub(super) fn new(expression: &str, span: Range<usize>, message: String) -> Self {
        Self { expression: expression.to_owned(), span, message }
    }

    /// The byte range of the part that is wrong.
    #[must_use]
    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }
}

impl fmt::Display for CronError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        let fits_on_a_line = (1..=MAX_SHOWN).contains(&self.expression.trim().len());
        if !f.alternate() || !fits_on_a_line {
            return Ok(());
        }
        // Tabs and line breaks would misalign the underline.
        let plain = |c: char| if c.is_control() || c.is_whitespace() { ' ' } else { c };
        let expression: String = self.expression.chars().map(plain).collect();
        let before = self.expression[..self.span.start].chars().count();
        let width = self.expression[self.span.clone()].chars().count().max(1);
        let expression = expression.trim_end();
        write!(f, "\n    {expression}\n    {}{}", " ".repeat(before), "^".repeat(width))
    }
}

impl Error for CronError {}
