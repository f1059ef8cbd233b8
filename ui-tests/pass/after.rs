//! Services in `after`: by path, through modules, renamed, declared later, and by name.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, rust_2018_idioms, unreachable_pub)]

use db::migrations as up;
use tina4_service::service;

mod db {
    use tina4_service::service;

    #[service]
    pub(super) fn migrations() {}

    #[service(after = [super::last, self::migrations])]
    fn seed() {}
}

#[service(after = [db::migrations, crate::last, "mail"])]
fn by_path() {}

#[service(after = [up])]
fn renamed() {}

#[service(name = "mail", after = [r#loop])]
fn mail() {}

#[service]
fn r#loop() {}

#[service]
fn last() {}

fn main() {
    #[service(after = [inner, last])]
    fn outer() {}

    #[service]
    fn inner() {}
}

// rule 158
