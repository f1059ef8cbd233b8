//! The shop as its users see it: a process that is started, talked to over HTTP, stopped, killed.
//!
//! One file per promise; `fixture.rs` and `http.rs` are what they stand on.

mod fixture;
mod http;

mod kill;
mod mail;
mod orders;
mod start;
#[cfg(unix)]
mod stop;
