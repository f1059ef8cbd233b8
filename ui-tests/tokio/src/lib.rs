//! The compiler messages for every mistake in an async service, as `ui-tests` has them for plain ones.
#![forbid(unsafe_code)]
