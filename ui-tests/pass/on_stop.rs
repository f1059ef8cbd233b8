//! Clean-up hooks with every kind of parameter and result.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, rust_2018_idioms, unreachable_pub)]

use tina4_service::{Context, Local, Res, Tick, service};

struct Db;

#[service(on_stop = plain)]
fn one() {}

fn plain() {}

#[service(on_stop = flush::all)]
fn two(_db: Res<Db>) {}

mod flush {
    use super::{Context, Db, Local, Res, Tick};

    pub(super) fn all(
        _ctx: &Context,
        _tick: Tick,
        _db: Res<Db>,
        _maybe: Option<Res<Db>>,
        _count: Local<u64>,
    ) -> Result<(), String> {
        Ok(())
    }
}

#[service(on_stop = generic::<u32>)]
fn three() {}

fn generic<T>() {}

#[service(on_stop = twice)]
fn four() {}

#[service(on_stop = twice)]
fn five() {}

fn twice(_ctx: &Context) -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}

// rules 151, 153
