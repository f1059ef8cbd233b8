//! The version of SQLite.

use tina4_service_queue::EngineError;

use crate::error::unusable;

/// The oldest version that does not corrupt files in WAL mode (<https://sqlite.org/wal.html#walresetbug>),
/// as SQLite numbers it.
const OLDEST: i32 = 3_051_003;

/// Refuses a version that is too old.
pub(crate) fn check(number: i32, name: &str) -> Result<(), EngineError> {
    if number >= OLDEST {
        return Ok(());
    }
    Err(unusable(format!(
        "SQLite {name} can corrupt files in WAL mode; use 3.51.3 or newer, such as that of the feature `bundled`"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_138_a_version_that_corrupts_files_is_refused() {
        for (number, name, expected) in [
            (3_040_001, "3.40.1", false),
            (3_051_002, "3.51.2", false),
            (3_051_003, "3.51.3", true),
            (3_054_001, "3.54.1", true),
            (4_000_000, "4.0.0", true),
        ] {
            assert_eq!(check(number, name).is_ok(), expected, "{name}");
        }
        assert_eq!(
            check(3_040_001, "3.40.1").unwrap_err().to_string(),
            "the store of the engine `sqlite` cannot be used: SQLite 3.40.1 can corrupt files in WAL mode; \
             use 3.51.3 or newer, such as that of the feature `bundled`"
        );
    }
}
