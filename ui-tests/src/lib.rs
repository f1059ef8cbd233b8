//! The compiler messages for every mistake in `#[service(..)]`.
//!
//! `fail/` has one program per mistake, named `<subject>-<fault>.rs`, with the messages in the file
//! next to it; `pass/` has programs that must compile under strict lints. A comment at the end of
//! each program names the rules of `tests/RULES.md` that it checks.
//!
//! After changing a message, run `TRYBUILD=overwrite cargo test -p ui-tests` and read the diff: does
//! the caret point at the word that is wrong, does the text say what to do, is there exactly one
//! error?
#![forbid(unsafe_code)]
