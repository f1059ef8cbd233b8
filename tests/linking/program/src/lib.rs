//! The library of a program, where most programs keep their services.
//!
//! A doctest is a program, too. It finds the services of the crates that it imports, and its own:
//!
//! ```
//! use linking_program as _;
//!
//! mod services {
//!     #[tina4_service::service]
//!     fn in_the_doctest() {}
//! }
//!
//! let found: Vec<_> = tina4_service::status().into_keys().collect();
//! assert_eq!(found, ["deep_in_the_library", "in_the_doctest", "in_the_library"]);
//! ```
#![forbid(unsafe_code)]

use tina4_service::service;

#[service(interval = "1h")]
fn in_the_library() {}

mod private {
    mod deep {
        mod inside {
            #[tina4_service::service(interval = "1h")]
            fn deep_in_the_library() {}
        }
    }
}
