//! A crate with a service that exports nothing to call.
#![forbid(unsafe_code)]

use tina4_service::service;

#[service(interval = "1h")]
fn in_another_crate() {}
