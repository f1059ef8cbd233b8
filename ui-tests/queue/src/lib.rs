//! The compiler messages for every mistake in a queue service, as `ui-tests` has them for other services.
#![forbid(unsafe_code)]
