//! A crate with services and without anything to call.
#![forbid(unsafe_code)]

use tina4_service::service;

#[service(interval = "1h")]
fn of_another_crate() {}
