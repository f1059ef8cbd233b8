//! `gen` as a name, which editions before 2024 allow. Packages in this directory compile it.
#![allow(keyword_idents_2024, reason = "the test is about such names")]

use tina4_service::{Context, Tick, service};

#[service(interval = "1h")]
fn gen(gen: &Context, _: gen_module::gen::Tick) {
    assert!(gen.name().starts_with("gen"));
}

#[service(name = "gen.before", interval = "1h", after = [gen, self::gen_module::yield_of_gen], on_stop = gen)]
fn after_gen(mut gen: Tick) -> Result<(), String> {
    gen.run += 1;
    if gen.run > 0 { Ok(()) } else { Err("no run".to_owned()) }
}

#[service(name = "gen.root", interval = "1h", on_stop = gen_module::generic::<gen_module::gen::Flow>, crate = gen_module::gen)]
fn root(_: Tick) -> Result<gen_module::gen::Flow, String> {
    std::env::var("PATH").map(|_| gen_module::gen::Flow::Wait).map_err(|error| error.to_string())
}

/// With a module of that name.
pub mod gen_module {
    pub use tina4_service as gen;

    #[gen::service(name = "gen.module", interval = "1h", crate = self::gen)]
    pub(super) fn yield_of_gen(_: gen::Tick) {}

    pub(super) fn generic<T>(_: gen::Tick) {}
}
