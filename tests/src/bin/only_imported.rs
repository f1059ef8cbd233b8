//! Imports a crate with services (`use tests as _`) without using it: see
//! `tests/it/start/no_services.rs`.

use tests as _;

fn main() {
    for (name, state) in tina4_service::status() {
        println!("{name}: {state}");
    }
}
