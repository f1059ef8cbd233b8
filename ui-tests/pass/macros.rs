//! Services declared by a macro, from its own tokens and from its arguments.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, rust_2018_idioms, unreachable_pub)]

use tina4_service::{Context, Flow, Res, service};

macro_rules! declare {
    ($name:ident, $text:literal, $every:literal, $parameter:ty, $result:ty, $after:path, $max:expr) => {
        #[service(name = $text, interval = $every, after = [$after], max_restarts = $max)]
        fn $name(_given: $parameter, _own: &$crate::Alias) -> $result {
            Flow::Wait
        }
    };
}

type Alias = Context;

declare!(declared, "by-macro", "30s", Res<u32>, Flow, fixed, 5);

macro_rules! fixed {
    () => {
        #[service(delay = "5s")]
        fn fixed() {}
    };
}

fixed!();

macro_rules! never {
    ($result:ty) => {
        #[service]
        fn never() -> $result {
            loop {
                std::thread::park();
            }
        }
    };
}

never!(!);

/// A framework that re-exports the runtime, with a macro that declares services.
pub mod framework {
    pub use tina4_service as runtime;

    /// Declares a service in the crate of the caller.
    #[macro_export]
    macro_rules! framework_service {
        ($name:ident, $parameter:ty) => {
            #[$crate::framework::runtime::service(
                interval = "30s",
                on_stop = $crate::framework::nothing,
                crate = $crate::framework::runtime
            )]
            fn $name(_given: $parameter) -> Result<(), String> {
                Ok(())
            }
        };
    }

    /// A clean-up hook.
    pub fn nothing() {}
}

mod user {
    crate::framework_service!(of_a_framework, ::tina4_service::Local<u32>);
}

fn main() {}

// rule 150
