//! Services that are created from functions, with every kind of parameter and result.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, rust_2018_idioms, unreachable_pub)]

use std::error::Error;

use tina4_service::{Context, Flow, Local, Res, Service, Tick, service};

struct Db;
trait Store: Send + Sync {}

#[service]
fn declared(_db: Res<Db>) {}

fn all(
    _ctx: &Context,
    _tick: Tick,
    _db: Res<Db>,
    _maybe: Option<Res<Db>>,
    _store: Res<dyn Store>,
    _maybe_store: Option<Res<dyn Store>>,
    _count: Local<u64>,
    _text: Local<String>,
) -> Result<Flow, Box<dyn Error + Send + Sync>> {
    Ok(Flow::Done)
}

fn result(_ctx: &Context) -> Result<(), String> {
    Ok(())
}

fn never() -> ! {
    loop {}
}

fn named<'a>(_one: &'a Context, _two: &'a Context) {}

fn generic<T: Default + Send + 'static>(_own: Local<T>) {}

fn main() {
    let text = "captured".to_owned();
    let services = [
        Service::of("declared", declared),
        Service::of("all", all).on_stop_of(result),
        Service::of("result", result).on_stop_of(never),
        Service::of("never", never).on_stop_of(declared),
        Service::of("named", named),
        Service::of("generic", generic::<u8>),
        Service::of("closure", move |_ctx: &Context, _db: Res<Db>| println!("{text}")),
        Service::of("no parameters", || Flow::Done),
        Service::of("pointer", result as fn(&Context) -> Result<(), String>),
    ];
    assert_eq!(services.len(), 9);
}

// rules 151, 153, 180
