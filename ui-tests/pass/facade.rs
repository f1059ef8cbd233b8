//! Services with the runtime under another path, for crates that re-export it.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, rust_2018_idioms, unreachable_pub)]

mod facade {
    pub(crate) use tina4_service as svc;
}

#[facade::svc::service(interval = "30s", crate = facade::svc)]
fn through_a_module() {}

#[facade::svc::service(after = [through_a_module], crate = crate::facade::svc)]
fn from_the_root(_ctx: &facade::svc::Context) {}

/// Modules with names that the expansion might use.
mod core {}
mod std {}
mod tina4_service {}

fn main() {}

// rule 159
