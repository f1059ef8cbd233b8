//: tina4-service = { path = "$ROOT" }

use std::process::ExitCode;

use tina4_service::service;

#[service(interval = "1s")]
fn hello() {
    println!("hello");
}

fn main() -> ExitCode {
    tina4_service::run()
}
