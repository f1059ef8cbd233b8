//! Services with each type of parameter alone, and with eight parameters.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, rust_2018_idioms, unreachable_pub)]

use tina4_service::{Context, Local, Res, Tick, service};

struct Db;

#[service]
fn none() {}

#[service]
fn context(_: &Context) {}

#[service]
fn context_with_a_lifetime(_ctx: &'_ Context) {}

#[service]
fn tick(_tick: Tick) {}

#[service]
fn shared(_db: Res<Db>) {}

#[service]
fn maybe_shared(_db: Option<Res<Db>>) {}

#[service]
fn own(mut count: Local<u64>) {
    *count += 1;
}

#[service]
fn long_paths(_ctx: &tina4_service::Context, _db: ::tina4_service::Res<crate::Db>) {}

#[service]
fn eight(
    _ctx: &Context,
    _again: &Context,
    _tick: Tick,
    _db: Res<Db>,
    _name: Res<&'static str>,
    _maybe: Option<Res<Db>>,
    _count: Local<u64>,
    _names: Local<Vec<String>>,
) {
}

fn main() {}

// rule 151
