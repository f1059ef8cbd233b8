//! The return types of services' functions and of clean-up hooks.

use std::error::Error;

use tina4_service_core::Flow;

/// The error that a run or a clean-up hook returned.
///
/// It is behind one pointer, so that an [`Exit`] fits in two registers.
#[derive(Debug)]
pub struct Cause(Box<Box<dyn Error + Send + Sync>>);

impl Cause {
    #[cold]
    pub(crate) fn new(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(Box::new(error.into()))
    }

    pub(crate) fn error(&self) -> &(dyn Error + 'static) {
        &**self.0
    }
}

/// How a run ended; see [`tina4_service_core::Exit`].
pub type Exit<C = Cause> = tina4_service_core::Exit<C>;

/// Makes the type `!` nameable: stable Rust allows it only as the return type of a function.
///
/// Closures that never return have this type in edition 2024, and `()` in earlier editions.
pub trait FnOutput {
    /// The return type.
    type Output;
}

impl<R> FnOutput for fn() -> R {
    type Output = R;
}

type Never = <fn() -> ! as FnOutput>::Output;

/// A type that a service's function may return: `()`, [`Flow`], `Result<(), E>`, `Result<Flow, E>`, `!`.
///
/// `E` is anything that converts into `Box<dyn Error + Send + Sync>`: every error type, `String`,
/// `&str`, `anyhow::Error`.
#[diagnostic::on_unimplemented(
    message = "a service cannot return `{Self}`",
    label = "not a valid return type for a service",
    note = "return `()`, `Flow`, `Result<(), E>`, `Result<Flow, E>` or `!`",
    note = "`E` is anything that converts into `Box<dyn Error + Send + Sync>`: an error type, `String`, `&str`, `anyhow::Error`"
)]
pub trait Outcome {
    /// Whether it may be a [`Flow`], which a queue service cannot return.
    const HAS_FLOW: bool = false;
    /// Converts the result.
    fn into_exit(self) -> Exit;
}

#[diagnostic::do_not_recommend]
impl Outcome for () {
    fn into_exit(self) -> Exit {
        Exit::Wait
    }
}

#[diagnostic::do_not_recommend]
impl Outcome for Flow {
    const HAS_FLOW: bool = true;
    fn into_exit(self) -> Exit {
        self.into()
    }
}

#[diagnostic::do_not_recommend]
impl<E: Into<Box<dyn Error + Send + Sync>>> Outcome for Result<(), E> {
    fn into_exit(self) -> Exit {
        match self {
            Ok(()) => Exit::Wait,
            Err(error) => Exit::Crashed(Cause::new(error)),
        }
    }
}

#[diagnostic::do_not_recommend]
impl<E: Into<Box<dyn Error + Send + Sync>>> Outcome for Result<Flow, E> {
    const HAS_FLOW: bool = true;
    fn into_exit(self) -> Exit {
        match self {
            Ok(flow) => flow.into(),
            Err(error) => Exit::Crashed(Cause::new(error)),
        }
    }
}

#[diagnostic::do_not_recommend]
impl Outcome for Never {
    fn into_exit(self) -> Exit {
        self
    }
}

/// A service that ends only with an error.
#[diagnostic::do_not_recommend]
impl<E: Into<Box<dyn Error + Send + Sync>>> Outcome for Result<Never, E> {
    fn into_exit(self) -> Exit {
        match self {
            Ok(never) => never,
            Err(error) => Exit::Crashed(Cause::new(error)),
        }
    }
}

/// A type that the function of a queue service may return: `()` or `Result<(), E>`.
#[cfg(feature = "queue")]
#[diagnostic::on_unimplemented(
    message = "a queue service cannot return `{Self}`",
    label = "not a valid return type for a queue service",
    note = "return `()` or `Result<(), E>`; a job that fails is tried again, see `attempts`",
    note = "`E` is anything that converts into `Box<dyn Error + Send + Sync>`: an error type, `String`, `&str`, `anyhow::Error`"
)]
pub trait JobOutcome {
    /// Converts the result.
    fn into_exit(self) -> Exit;
}

#[cfg(feature = "queue")]
#[diagnostic::do_not_recommend]
impl JobOutcome for () {
    fn into_exit(self) -> Exit {
        Exit::Wait
    }
}

#[cfg(feature = "queue")]
#[diagnostic::do_not_recommend]
impl<E: Into<Box<dyn Error + Send + Sync>>> JobOutcome for Result<(), E> {
    fn into_exit(self) -> Exit {
        Outcome::into_exit(self)
    }
}

/// A type that a clean-up hook may return: `()`, `Result<(), E>` or `!`.
#[diagnostic::on_unimplemented(
    message = "a clean-up hook cannot return `{Self}`",
    label = "not a valid return type for a clean-up hook",
    note = "return `()`, `Result<(), E>` or `!`"
)]
pub trait HookOutcome {
    /// Converts the result.
    fn into_result(self) -> Result<(), Cause>;
}

#[diagnostic::do_not_recommend]
impl HookOutcome for () {
    fn into_result(self) -> Result<(), Cause> {
        Ok(())
    }
}

#[diagnostic::do_not_recommend]
impl<E: Into<Box<dyn Error + Send + Sync>>> HookOutcome for Result<(), E> {
    fn into_result(self) -> Result<(), Cause> {
        self.map_err(Cause::new)
    }
}

#[diagnostic::do_not_recommend]
impl HookOutcome for Never {
    fn into_result(self) -> Result<(), Cause> {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exit_fits_in_two_registers() {
        assert_eq!(size_of::<Exit>(), 16);
    }
}
