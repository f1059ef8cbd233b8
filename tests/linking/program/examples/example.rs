//! An example that has a service and names a crate with services; says which it found.
#![forbid(unsafe_code)]

use linking_named as _;

#[tina4_service::service]
fn of_the_example() {}

fn main() {
    for name in tina4_service::status().into_keys() {
        println!("{name}");
    }
}
