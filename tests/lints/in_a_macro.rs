//! Services written by a `macro_rules!` macro, with the runtime crate at a given path. The packages
//! in this directory compile it under the strictest lints.

/// Declares services; `$root` is the path of the runtime crate.
macro_rules! declare {
    ($name:ident, $root:path, [$($parts:tt)*]) => {
        /// Services written by a macro.
        pub mod $name {
            use $root as svc;

            /// Its names and values come from the macro.
            ///
            /// # Errors
            ///
            /// If it has another name.
            #[svc::service(crate = $root, interval = "1h", jitter = "1ms", on_stop = clean_up, after = [other, "macro.named"])]
            pub fn written(ctx: &svc::Context, mut count: $($parts)*::Local<u64>) -> Result<svc::Flow, String> {
                *count += 1;
                if ctx.name() == "written" { Ok(svc::Flow::Wait) } else { Err(ctx.name().to_owned()) }
            }

            declare!(@one $root, other, "30s", 5, crate::Shared);

            #[$($parts)*::service(name = "macro.named", restart = "never", ready = "finished", crate = $($parts)*)]
            fn named() {}

            fn clean_up(shared: svc::Res<crate::Shared>) {
                assert_eq!(shared.0, 42);
            }
        }
    };
    (@one $root:path, $name:ident, $delay:literal, $most:literal, $shared:ty) => {
        #[svc::service(delay = $delay, max_restarts = $most, crate = $root)]
        fn $name(shared: svc::Res<$shared>) {
            assert_eq!(shared.0, 42);
        }
    };
}

declare!(declared, crate::runtime, [crate::runtime]);
