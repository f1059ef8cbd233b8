//! The function stays as it was written: it can be called, tested, documented and re-exported.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, rust_2018_idioms, unreachable_pub)]

pub use services::heartbeat;
use tina4_service::Local;

mod services {
    use tina4_service::{Local, service};

    /// Counts its runs.
    #[service(interval = "30s")]
    pub fn heartbeat(mut runs: Local<u64>) -> Result<(), String> {
        *runs += 1;
        if *runs == 42 { Err("enough".to_owned()) } else { Ok(()) }
    }
}

fn main() {
    let call: fn(Local<u64>) -> Result<(), String> = heartbeat;
    assert_eq!(call(Local::new(1)), Ok(()));
    assert_eq!(heartbeat(Local::new(41)), Err("enough".to_owned()));
}

// rule 154
