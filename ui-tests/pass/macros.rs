//! Declared by a macro, from its own words and from words it was given.
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

fn main() {}
