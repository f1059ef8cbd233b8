//! The variables of `.ci/servers`.

use std::io::{self, Write as _};

/// The value of a variable of `.ci/servers`; `None` if it is not set and servers are not required.
pub(crate) fn variable(name: &str) -> Option<String> {
    let value = std::env::var(name).ok();
    if value.is_none() {
        let required = std::env::var("TINA4_TEST_SERVERS").is_ok();
        assert!(
            !required,
            "servers are required, and `{name}` is not set; run `.ci/servers cargo test`"
        );
        // Not with `eprintln!`, whose output is shown for failed tests only.
        let _ = writeln!(
            io::stderr(),
            "left out: tests of the engine `redis`, because `{name}` is not set; run `.ci/servers cargo test`"
        );
    }
    value
}
