//! What a service says about its next run, and how its results become one thing.

use std::error::Error;
use std::fmt;
use std::time::Duration;

/// What a run wants to happen next.
///
/// A function that returns `()` or `Result<(), E>` means [`Flow::Wait`].
///
/// ```
/// use tina4_service::Flow;
///
/// /// Handles one letter; comes back at once while there are more.
/// fn mail(letters: &mut Vec<&str>) -> Flow {
///     match letters.pop() {
///         Some(letter) => { println!("{letter}"); Flow::Again }
///         None => Flow::Wait,
///     }
/// }
/// assert_eq!(mail(&mut vec!["hello"]), Flow::Again);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Flow {
    /// Run again as scheduled.
    #[default]
    Wait,
    /// Run again at once; the grid of an interval stays where it is.
    Again,
    /// Run again after this pause, once; the grid of an interval stays where it is.
    After(Duration),
    /// The work is done: the service is `finished`.
    Done,
}

/// Why a run crashed.
#[derive(Debug)]
pub enum Cause {
    /// It returned an error.
    Error(Box<dyn Error + Send + Sync>),
    /// It panicked.
    Panic(crate::panics::Panic),
}

impl fmt::Display for Cause {
    /// The error with its sources, or the panic text with its place; one line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Error(error) => {
                write!(f, "{error}")?;
                let mut shown = error.to_string();
                let mut source = error.source();
                while let Some(inner) = source {
                    let text = inner.to_string();
                    // Many errors repeat their source in their own text.
                    if !shown.contains(&text) {
                        write!(f, ": {text}")?;
                    }
                    shown = text;
                    source = inner.source();
                }
                Ok(())
            }
            Self::Panic(panic) => write!(f, "{panic}"),
        }
    }
}

/// How a run ended.
pub type Exit = Result<Flow, Cause>;

/// The results that a service may have: `()`, [`Flow`], `Result<(), E>`, `Result<Flow, E>`.
///
/// `E` is anything that converts into `Box<dyn Error + Send + Sync>`: every error type, `String`,
/// `&str`, `anyhow::Error`. A function that returns `!` is fine too.
#[diagnostic::on_unimplemented(
    message = "a service cannot return `{Self}`",
    label = "not a result of a service",
    note = "return `()`, `Flow`, `Result<(), E>`, `Result<Flow, E>` or `!`",
    note = "`E` is anything that converts into `Box<dyn Error + Send + Sync>`: an error type, `String`, `&str`, `anyhow::Error`"
)]
pub trait Outcome {
    /// Converts the result.
    fn into_exit(self) -> Exit;
}

#[diagnostic::do_not_recommend]
impl Outcome for () {
    fn into_exit(self) -> Exit {
        Ok(Flow::Wait)
    }
}

#[diagnostic::do_not_recommend]
impl Outcome for Flow {
    fn into_exit(self) -> Exit {
        Ok(self)
    }
}

#[diagnostic::do_not_recommend]
impl<E: Into<Box<dyn Error + Send + Sync>>> Outcome for Result<(), E> {
    fn into_exit(self) -> Exit {
        self.map(|()| Flow::Wait).map_err(|error| Cause::Error(error.into()))
    }
}

#[diagnostic::do_not_recommend]
impl<E: Into<Box<dyn Error + Send + Sync>>> Outcome for Result<Flow, E> {
    fn into_exit(self) -> Exit {
        self.map_err(|error| Cause::Error(error.into()))
    }
}

/// The results that a clean-up hook may have: `()` and `Result<(), E>`.
#[diagnostic::on_unimplemented(
    message = "an `on_stop` function cannot return `{Self}`",
    label = "not a result of a clean-up",
    note = "return `()` or `Result<(), E>`"
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
        self.map_err(|error| Cause::Error(error.into()))
    }
}
