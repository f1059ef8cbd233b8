//! Other attributes on the function keep their meaning.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, rust_2018_idioms, unreachable_pub)]

use tina4_service::{Context, service};

/// Documented, and public.
#[service]
pub fn documented() {}

#[service]
#[deprecated]
#[allow(dead_code, reason = "the test is about the attribute")]
fn deprecated() {}

#[deprecated = "before"]
#[service]
fn deprecated_before() {}

#[service]
#[must_use = "a result"]
fn must_use() -> Result<(), String> {
    Ok(())
}

#[service]
#[inline(never)]
fn parameters(#[allow(unused_variables, reason = "the test is about the attribute")] ctx: &Context) {}

#[service]
#[cfg(any())]
fn absent() -> NoSuchType {}

#[cfg(any())]
#[service(no_such_key)]
fn absent_before() -> NoSuchType {}

#[service]
#[cfg_attr(all(), cfg(any()))]
fn absent_by_attribute() -> NoSuchType {}

#[service]
#[cfg(any())]
fn either() -> NoSuchType {}

#[service]
#[cfg(not(any()))]
fn either() {}

#[service(name = "named")]
fn _named() {}

fn main() {}

// rule 154
