//! A crate of services, and of nothing that anybody would call.
#![forbid(unsafe_code)]

use tina4_service::service;

#[service(interval = "1h")]
fn of_another_crate() {}
