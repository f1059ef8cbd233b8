//! What happens to a run that exceeds its `timeout`.

use std::fmt;

/// What happens to a run that takes longer than its `timeout` without a heartbeat.
///
/// Either way, it is reported as stuck.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnTimeout {
    /// It is only reported.
    #[default]
    Report,
    /// It is also asked to return, and counts as a crash once it has returned.
    Cancel,
}

impl OnTimeout {
    /// Every value, in the order of the documentation.
    pub const ALL: [Self; 2] = [Self::Report, Self::Cancel];

    /// The value as written in the attribute.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Report => "report",
            Self::Cancel => "cancel",
        }
    }

    /// Parses a value as written in the attribute.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|on_timeout| on_timeout.as_str() == word)
    }
}

impl fmt::Display for OnTimeout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_found_by_its_word() {
        for on_timeout in OnTimeout::ALL {
            assert_eq!(OnTimeout::from_word(&on_timeout.to_string()), Some(on_timeout));
        }
        assert_eq!(OnTimeout::from_word("Cancel"), None);
        assert_eq!(OnTimeout::default(), OnTimeout::Report);
    }
}
