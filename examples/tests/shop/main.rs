//! End-to-end tests: the shop is a process that is started, used over HTTP, stopped and killed.
//!
//! One file per guarantee; `fixture.rs` and `http.rs` support them.

mod fixture;
mod http;

mod console;
mod deployment;
mod kill;
mod mail;
mod orders;
mod servers;
#[cfg(unix)]
mod socket;
mod start;
#[cfg(unix)]
mod stop;
