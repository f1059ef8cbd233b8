//! Services with names that are similar but not equal.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, rust_2018_idioms, unreachable_pub)]

use tina4_service::service;

#[service(name = "my-mail")]
fn hyphen() {}

#[service(name = "my.mail")]
fn full_stop() {}

#[service(name = "my_mail")]
fn underscore() {}

#[service(name = "My_mail")]
fn capital() {}

#[service(name = "my_hyphen_mail")]
fn word() {}

#[service(name = "either")]
#[cfg(any())]
fn one() {}

#[service(name = "either")]
#[cfg(not(any()))]
fn other() {}

mod inner {
    /// A service whose name resembles that of the macro that makes names unique.
    #[tina4_service::service]
    fn another_service() {
        #[tina4_service::service]
        fn inside() {}
    }
}

fn main() {}

// rule 156
