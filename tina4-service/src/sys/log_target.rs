//! The target of every log line and every span of this crate.

/// Programs filter by it, so it stays the same wherever a line is written.
pub(crate) const LOG_TARGET: &str = "tina4_service";
