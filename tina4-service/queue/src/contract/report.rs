//! [`Report`].

/// The results of a run of the suite.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The cases that passed.
    pub passed: Vec<&'static str>,
    /// The cases that do not apply to this engine.
    pub left_out: Vec<&'static str>,
    /// The cases that failed, with their messages.
    pub failed: Vec<(&'static str, String)>,
}

impl Report {
    /// Checks that at least one case passed and none failed.
    ///
    /// # Panics
    ///
    /// If not, with the names and messages of those that failed.
    pub fn assert_passed(&self) {
        let failed: Vec<_> =
            self.failed.iter().map(|(name, text)| format!("{name}: {text}")).collect();
        assert!(failed.is_empty(), "{} cases failed:\n{}", failed.len(), failed.join("\n"));
        assert!(!self.passed.is_empty(), "no case applies to this engine");
    }
}
