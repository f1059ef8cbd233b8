//! What the compiler says about every mistake in `#[service(..)]`.
//!
//! `fail/` has one program per mistake, named `<subject>-<fault>.rs`, with what the compiler says
//! about it; `pass/` has programs that must compile, with lints that forbid nearly everything.
//! After a change of a message: `TRYBUILD=overwrite cargo test -p ui-tests`, then read the
//! difference: is the caret on the guilty word, does the text say what to do, is there one error
//! and no more?
#![forbid(unsafe_code)]
