use tina4_service::service;

#[service]
pub use std::thread;

fn main() {}

// rule 150
