//! Depends on a crate with services, but does not import it: see `tests/it/start/no_services.rs`.
//! With `--none` its runner excludes all declared services; any other argument selects one.

use tina4_service::Runner;

fn main() {
    let started = match std::env::args().nth(1).as_deref() {
        None => tina4_service::start_all(),
        Some("--none") => Runner::builder().only::<&str>([]).build().start_all(),
        Some(name) => Runner::builder().only([name]).build().start_all(),
    };
    match started {
        Ok(_) => println!("started"),
        Err(error) => println!("{error}"),
    }
}
