//! A program that depends on a crate with services, but does not name it: see `tests/start.rs`.

fn main() {
    match tina4_service::start_all() {
        Ok(_) => println!("started"),
        Err(error) => println!("{error}"),
    }
}
