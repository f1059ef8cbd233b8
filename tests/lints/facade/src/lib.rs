//! A crate that re-exports the runtime, like a framework: its users import only the framework.
#![forbid(unsafe_code)]

pub use tina4_service as svc;
