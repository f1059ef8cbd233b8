//! An example with a service, which imports a crate with services; prints the services that it
//! finds.
#![forbid(unsafe_code)]

use linking_named as _;

#[tina4_service::service]
fn in_the_example() {}

fn main() {
    for name in tina4_service::status().into_keys() {
        println!("{name}");
    }
}
