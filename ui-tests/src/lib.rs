//! The compiler messages for every mistake in `#[service(..)]`.
//!
//! `fail/` has one program per mistake, named `<subject>-<fault>.rs`, with the messages in the file
//! beside it; `pass/` has programs that must compile under strict lints. A comment at the end of
//! each program names the rules of `tests/RULES.md` that it proves.
//!
//! After a change of a message, run `TRYBUILD=overwrite cargo test -p ui-tests` and read the
//! difference: is the caret at the wrong word in the attribute, does the text say what to do, is
//! there exactly one error?
#![forbid(unsafe_code)]
