//! [`EngineError`]: why an engine did not do what it was asked.

use std::error::Error;
use std::fmt;

use crate::feature::Feature;
use crate::job_error::JobError;

/// Why an engine did not do what it was asked.
#[derive(Debug)]
#[non_exhaustive]
pub enum EngineError {
    /// The engine cannot do this. Nothing has been changed.
    Unsupported {
        /// The name of the engine.
        engine: &'static str,
        /// What it cannot do.
        feature: Feature,
    },
    /// The job is malformed. Nothing has been changed.
    Invalid(JobError),
    /// The store cannot be used as it is, such as one of a newer version. Nothing has been changed.
    Unusable {
        /// The name of the engine.
        engine: &'static str,
        /// What is wrong, and what to do.
        problem: String,
    },
    /// The store was not asked, such as because no connection could be made in time, or has refused. Nothing has been
    /// changed, so the same can be asked again.
    Unchanged {
        /// The name of the engine.
        engine: &'static str,
        /// What is in the way.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The store failed.
    ///
    /// Whether the change was made is unknown: a push may have stored its jobs, a finish may have
    /// taken effect.
    Failed {
        /// The name of the engine.
        engine: &'static str,
        /// The error of the store.
        source: Box<dyn Error + Send + Sync>,
    },
}

impl EngineError {
    /// Whether it is certain that nothing has been changed. Otherwise the engine may have done what it was asked.
    #[must_use]
    pub fn is_unchanged(&self) -> bool {
        match self {
            Self::Unsupported { .. }
            | Self::Invalid(_)
            | Self::Unusable { .. }
            | Self::Unchanged { .. } => true,
            Self::Failed { .. } => false,
        }
    }

    /// The error of a call that has made several steps, of which one before this one has changed something: then it is not
    /// one that says that nothing was changed. For authors of engines.
    ///
    /// ```
    /// use tina4_service_queue::EngineError;
    ///
    /// let error = EngineError::Unchanged { engine: "mine", source: "no connection".into() };
    /// assert!(error.is_unchanged());
    /// assert!(!error.after_changes("mine").is_unchanged());
    /// ```
    #[must_use]
    pub fn after_changes(self, engine: &'static str) -> Self {
        match self {
            Self::Unsupported { .. } | Self::Invalid(_) => {
                Self::Failed { engine, source: self.into() }
            }
            Self::Unusable { problem, .. } => Self::Failed { engine, source: problem.into() },
            Self::Unchanged { source, .. } => Self::Failed { engine, source },
            Self::Failed { .. } => self,
        }
    }
}

impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsupported { engine, feature } => {
                let remedy = feature.remedy();
                write!(
                    f,
                    "the engine `{engine}` does not support {feature}; {remedy}, or another engine"
                )
            }
            Self::Invalid(error) => error.fmt(f),
            Self::Unusable { engine, problem } => {
                write!(f, "the store of the engine `{engine}` cannot be used: {problem}")
            }
            Self::Unchanged { engine, source } => write!(
                f,
                "the engine `{engine}` failed: {source}; nothing was changed, so try again when its store works"
            ),
            Self::Failed { engine, source } => {
                write!(f, "the engine `{engine}` failed: {source}; try again when its store works")
            }
        }
    }
}

impl Error for EngineError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Unsupported { .. } | Self::Unusable { .. } => None,
            Self::Invalid(error) => error.source(),
            // `Display` has the text of the error already.
            Self::Unchanged { source, .. } | Self::Failed { source, .. } => source.source(),
        }
    }
}

impl From<JobError> for EngineError {
    fn from(error: JobError) -> Self {
        Self::Invalid(error)
    }
}
