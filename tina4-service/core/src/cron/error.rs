//! What is wrong with a cron expression, and where.

use std::error::Error;
use std::fmt;
use std::ops::Range;

/// A longer expression is not shown: nobody could see the line under it.
const MAX_SHOWN: usize = 200;
/// So many characters of what was found are excerpt.
const MAX_EXCERPT: usize = 40;

/// What was found, as it appears in a message.
pub(super) fn excerpt(found: &str) -> String {
    match found.char_indices().nth(MAX_EXCERPT) {
        Some((end, _)) => format!("{}..", found[..end].escape_debug()),
        None => found.escape_debug().to_string(),
    }
}

/// Why a text is not a cron expression.
///
/// Its text is `problem; remedy`. With `{:#}` it also shows the expression, with a line under the
/// guilty part:
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

    /// The guilty part of the expression, in bytes.
    #[must_use]
    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }
}

impl fmt::Display for CronError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        let has_picture = (1..=MAX_SHOWN).contains(&self.expression.trim().len());
        if !f.alternate() || !has_picture {
            return Ok(());
        }
        // A tab would move the line under it, a line break would end it.
        let plain = |c: char| if c.is_control() || c.is_whitespace() { ' ' } else { c };
        let expression: String = self.expression.chars().map(plain).collect();
        let before = self.expression[..self.span.start].chars().count();
        let guilty = self.expression[self.span.clone()].chars().count().max(1);
        let expression = expression.trim_end();
        write!(f, "\n    {expression}\n    {}{}", " ".repeat(before), "^".repeat(guilty))
    }
}

impl Error for CronError {}
