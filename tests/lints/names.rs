//! Services, parameters and modules with names that the expansion might use itself, and with raw
//! identifiers. The packages in this directory compile it in every edition, under the strictest lints.

/// Named like the variables, functions and items of the expansion.
pub mod values {
    use tina4_service::{Context, Flow, Tick, service};

    #[service(interval = "1h")]
    fn run(run: &Context, parameter: Tick) -> Result<Flow, String> {
        if run.name() == "run" && parameter.run > 0 {
            Ok(Flow::Wait)
        } else {
            Err(run.name().into())
        }
    }

    #[service(interval = "1h", after = [run], on_stop = context)]
    fn parameter(parameter: Tick, ctx: &Context, context: Tick) {
        assert!(parameter.run == context.run && ctx.name() == "parameter");
    }

    #[service(interval = "1h")]
    pub(super) fn service() {}

    #[service(name = "values.context", interval = "1h")]
    fn context(_: &Context) {}

    #[service(interval = "1h")]
    fn outcome() {}

    #[service(name = "values.registration", interval = "1h")]
    fn tina4_service_registration() {}

    #[service(name = "values.ctor", interval = "1h", after = [__inventory], on_stop = __ctor)]
    fn __ctor(_: Tick) {}

    #[service(name = "values.inventory", interval = "1h")]
    fn __inventory(_: Tick) {}
}

/// Constants and types named like the variables of the expansion: a pattern would match them.
pub mod patterns {
    #![allow(non_upper_case_globals, non_camel_case_types, reason = "the test is about such names")]

    use tina4_service::{Tick, service};

    const run: u64 = 1;

    struct parameter(u64);

    #[service(name = "patterns.constant", interval = "1h")]
    fn constant(tick: Tick) {
        assert!(tick.run == run);
    }

    #[service(name = "patterns.type", interval = "1h")]
    fn structure(tick: Tick) {
        assert!(tick.run >= parameter(run).0);
    }

    /// The same names for a static and a unit struct.
    pub mod others {
        use tina4_service::{Tick, service};

        static run: u64 = 1;

        #[derive(PartialEq)]
        struct parameter;

        #[service(name = "patterns.static", interval = "1h", on_stop = flush)]
        fn constant(tick: Tick) {
            assert!(tick.run == run);
        }

        fn flush() {
            assert!(parameter == parameter {});
        }
    }
}

/// Named like items of the prelude.
#[allow(non_snake_case, reason = "the test is about such names")]
pub mod prelude {
    use tina4_service::{Tick, service};

    #[service(name = "prelude.some", interval = "1h")]
    fn Some(_: Tick) {}

    #[service(name = "prelude.none", interval = "1h")]
    fn None() {}

    #[service(name = "prelude.ok", interval = "1h", after = [Some, None])]
    fn Ok() {}

    #[service(name = "prelude.registration", interval = "1h")]
    fn Registration() {}

    #[service(interval = "1h", jitter = "1ms", max_restarts = 4)]
    fn u32(u64: Tick) {
        assert!(u64.run > 0);
    }

    #[service(name = "prelude.bool", interval = "1h", critical = true)]
    fn bool() {}
}

/// Macros named like those of the expansion.
pub mod macros {
    macro_rules! concat {
        () => {};
    }
    macro_rules! module_path {
        () => {};
    }
    macro_rules! submit {
        () => {};
    }
    concat!();
    module_path!();
    submit!();

    #[::tina4_service::service(name = "macros", interval = "1h")]
    fn of_this_name() {}
}

/// Modules named like the crates of the expansion.
pub mod crates {
    /// A module and a service, each with the name of a standard crate.
    pub mod core {
        #[::tina4_service::service(interval = "1h")]
        pub(super) fn std() {}
    }

    /// A module and a service, each with the name of a standard crate.
    pub mod std {
        #[::tina4_service::service(interval = "1h", after = [super::core::std])]
        fn core(_: ::tina4_service::Tick) {}
    }

    /// A module and a service named like the crate `inventory`.
    pub mod inventory {
        #[::tina4_service::service(interval = "1h")]
        fn inventory(_: ::tina4_service::Tick) {}
    }

    /// A module and a service named like the runtime crate.
    pub mod tina4_service {
        #[::tina4_service::service(interval = "1h")]
        fn tina4_service(_: ::tina4_service::Tick) {}
    }

    /// A service named `main` that is not the entry point of the program.
    pub mod main {
        #[::tina4_service::service(interval = "1h")]
        fn main() {}
    }
}

/// A module without the prelude.
#[no_implicit_prelude]
pub mod no_prelude {
    #[::tina4_service::service(interval = "1h", after = [super::values::service])]
    fn bare(_: ::tina4_service::Tick) -> ::tina4_service::Flow {
        ::tina4_service::Flow::Wait
    }
}

/// Keywords as names.
pub mod raw {
    use tina4_service::{Context, Tick, service};

    #[service(interval = "1h")]
    fn r#type(r#type: &Context, r#gen: Tick) {
        assert!(r#type.name() == "type" && r#gen.run > 0);
    }

    #[service(name = "raw.async", interval = "1h", after = [r#type, self::r#mod::r#match, "match"], on_stop = r#mod::r#impl::<r#mod::r#struct>)]
    fn r#async(mut r#dyn: Tick) -> r#mod::r#struct {
        r#dyn.run += 1;
        if r#dyn.run > 0 { r#mod::r#struct::Wait } else { r#mod::r#struct::Done }
    }

    #[service(name = "raw.gen", interval = "1h", after = [r#async], on_stop = r#gen, crate = self::r#mod::r#gen)]
    fn r#gen(_: Tick) {}

    /// A module.
    pub mod r#mod {
        pub use tina4_service as r#gen;

        #[::tina4_service::service(interval = "1h")]
        pub(super) fn r#match(_: ::tina4_service::Tick) {}

        pub(super) fn r#impl<T>(_: ::tina4_service::Tick) {
            assert!(::std::mem::size_of::<T>() > 0);
        }

        #[allow(non_camel_case_types, reason = "the test is about such names")]
        pub(super) type r#struct = ::tina4_service::Flow;
    }
}
