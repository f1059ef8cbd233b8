//! Services with every type of result.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, rust_2018_idioms, unreachable_pub)]

use std::error::Error;

use tina4_service::{Flow, Permanent, service};

#[service]
fn nothing() {}

#[service]
fn unit() -> () {}

#[service]
fn flow() -> Flow {
    Flow::Done
}

#[service]
fn error_type() -> Result<(), std::fmt::Error> {
    Ok(())
}

#[service]
fn error_text() -> Result<(), String> {
    Err("text".to_owned())
}

#[service]
fn error_literal() -> Result<(), &'static str> {
    Err("text")
}

#[service]
fn error_boxed() -> Result<(), Box<dyn Error + Send + Sync>> {
    Err("text")?
}

#[service]
fn error_hidden() -> Result<(), impl Error + Send + Sync> {
    Err(std::fmt::Error)
}

#[service]
fn error_permanent() -> Result<(), Permanent> {
    Err(Permanent::new("text"))
}

#[service]
fn flow_or_error() -> Result<Flow, std::io::Error> {
    Ok(Flow::Again)
}

#[service]
fn never() -> ! {
    loop {
        std::thread::park();
    }
}

fn main() {}

// rule 153
