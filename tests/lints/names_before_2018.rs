//! `async`, `await`, `dyn` and `try` as names, which edition 2015 allows. A package in this directory
//! compiles it.
#![allow(keyword_idents_2018, reason = "the test is about such names")]

use tina4_service::{Context, Tick, service};

#[service(interval = "1h")]
fn async(await: &Context, mut dyn: Tick, _: async::try) -> Result<try::async, String> {
    dyn.run += 1;
    if dyn.run > 0 { Ok(try::async::Wait) } else { Err(await.name().to_owned()) }
}

#[service(interval = "1h", after = [async, self::dyn::try], on_stop = dyn)]
fn await(try: Tick, _: dyn::Tick) {
    assert!(try.run > 0);
}

#[service(interval = "1h", after = [dyn::try, ::names_before_2018::async], on_stop = dyn::await::<u32>)]
fn dyn(async: Tick) {
    assert!(async.run > 0);
}

mod async {
    mod inner {
        #[::tina4_service::service(interval = "1h")]
        pub(in names_before_2018::async) fn visible() {}
    }

    #[allow(non_camel_case_types, reason = "the test is about such names")]
    pub(super) type try = ::tina4_service::Tick;
}

mod try {
    #[allow(non_camel_case_types, reason = "the test is about such names")]
    pub(super) type async = ::tina4_service::Flow;
}

/// A module of that name.
pub mod dyn {
    pub use tina4_service::Tick;

    #[::tina4_service::service(interval = "1h", on_stop = ::names_before_2018::dyn::await::<u64>)]
    pub(super) fn try() {}

    pub(super) fn await<T>(_: ::tina4_service::Tick) {}
}
