//! Names a crate with services, and does nothing else with it: see
//! `tests/it/start/no_services.rs`.

use tests as _;

fn main() {
    for (name, state) in tina4_service::status() {
        println!("{name}: {state}");
    }
}
