//! Configuration of the property tests.

use proptest::prelude::ProptestConfig;

/// The default number of cases, or eight under Miri, which is about a hundred times slower. Miri
/// also isolates tests from the file system, so earlier failures cannot be replayed there.
pub(crate) fn config() -> ProptestConfig {
    if cfg!(miri) {
        ProptestConfig { cases: 8, failure_persistence: None, ..ProptestConfig::default() }
    } else {
        ProptestConfig::default()
    }
}
