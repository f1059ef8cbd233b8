//! How many random cases a test tries.

use proptest::prelude::ProptestConfig;

/// As many as usual. Under Miri, which is some hundred times slower, a few; and no earlier failures
/// are read from a file, because Miri keeps a test away from the files of the machine.
pub(crate) fn config() -> ProptestConfig {
    if cfg!(miri) {
        ProptestConfig { cases: 8, failure_persistence: None, ..ProptestConfig::default() }
    } else {
        ProptestConfig::default()
    }
}
