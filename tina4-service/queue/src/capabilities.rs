//! [`Capabilities`]: what an engine can do.

use crate::engine_error::EngineError;
use crate::feature::Feature;

/// The set of features that an engine supports.
///
/// ```
/// use tina4_service_queue::{Capabilities, Feature};
///
/// let capabilities = Capabilities::ALL.without(Feature::Priority);
/// assert!(capabilities.has(Feature::Delay));
/// let error = capabilities.require("nats", Feature::Priority).unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "the engine `nats` does not support priorities; use a queue for each priority, or another engine"
/// );
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities(u16);

impl Capabilities {
    /// No feature: push, claim, retry and finish only.
    pub const NONE: Self = Self(0);

    /// Every feature.
    pub const ALL: Self = {
        let mut bits = 0;
        let mut at = 0;
        while at < Feature::ALL.len() {
            bits |= Feature::ALL[at].bit();
            at += 1;
        }
        Self(bits)
    };

    /// These features and one more.
    #[must_use]
    pub const fn with(self, feature: Feature) -> Self {
        Self(self.0 | feature.bit())
    }

    /// These features except one.
    #[must_use]
    pub const fn without(self, feature: Feature) -> Self {
        Self(self.0 & !feature.bit())
    }

    /// Whether the set has this feature.
    #[must_use]
    pub const fn has(self, feature: Feature) -> bool {
        self.0 & feature.bit() != 0
    }

    /// Refuses a feature that the set does not have.
    ///
    /// # Errors
    ///
    /// [`EngineError::Unsupported`], with the name of the engine.
    pub fn require(self, engine: &'static str, feature: Feature) -> Result<(), EngineError> {
        if self.has(feature) { Ok(()) } else { Err(EngineError::Unsupported { engine, feature }) }
    }
}
