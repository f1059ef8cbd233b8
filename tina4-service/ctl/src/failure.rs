//! Why a command fails, and with which exit code.

use std::fmt;

use serde_json::json;

use crate::exit::Exit;

/// Why a command fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    /// What is wrong.
    pub(crate) problem: String,
    /// What to do about it.
    pub(crate) hint: Option<String>,
}

impl Failure {
    pub(crate) fn new(exit: Exit, problem: impl Into<String>) -> Self {
        Self { exit, problem: problem.into(), hint: None }
    }

    #[must_use]
    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// For `--json`.
    pub(crate) fn json(&self) -> serde_json::Value {
        json!({ "error": self.problem, "hint": self.hint, "exit": self.exit.code() })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What comes from another process may contain anything.
        let escape = |text: &str| text.chars().flat_map(escaped).collect::<String>();
        f.write_str(&escape(&self.problem))?;
        match &self.hint {
            Some(hint) => write!(f, "; {}", escape(hint)),
            None => Ok(()),
        }
    }
}

/// A character, or what stands for it if it would move the cursor or change a terminal's colours.
pub(crate) fn escaped(c: char) -> impl Iterator<Item = char> {
    let is_shown = !c.is_control()
        && !matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let (shown, escape) = if is_shown { (Some(c), None) } else { (None, Some(c.escape_default())) };
    shown.into_iter().chain(escape.into_iter().flatten())
}
