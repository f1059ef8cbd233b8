//! Services with every key, parameter and result type in edition 2018, under the strictest lints.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, rust_2018_idioms, clippy::all, clippy::pedantic)]

pub use tina4_service as runtime;

#[path = "../../in_a_macro.rs"]
pub mod in_a_macro;
#[path = "../../names.rs"]
pub mod names;
#[path = "../../names_before_2024.rs"]
pub mod names_before_2024;
#[path = "../../never.rs"]
pub mod never;
#[path = "../../shapes.rs"]
pub mod shapes;

/// A value that services share.
#[derive(Debug)]
pub struct Shared(pub u64);
