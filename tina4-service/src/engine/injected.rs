//! Injects the faults that a test has requested into a run.

use std::sync::Arc;

use crate::service::instance::{InjectedFault, Instance};
use crate::service::outcome::Cause;
#[cfg(feature = "tokio")]
use crate::service::outcome::Exit;
#[cfg(feature = "tokio")]
use crate::service::params::Invocation;
use tina4_service_core::nanos;

/// Applies the next fault that a test has requested, if any, to the run that is about to begin.
pub(super) fn inject(instance: &Instance) -> Result<(), Cause> {
    match instance.take_injected() {
        None => Ok(()),
        Some(InjectedFault::Crash) => Err(crash()),
        Some(InjectedFault::Panic) => panic(),
        Some(InjectedFault::Slow(time)) => {
            if let Some(clock) = instance.env.clock.as_virtual() {
                Arc::clone(clock).sleep_through(clock.now().saturating_add(nanos(time)));
            }
            Ok(())
        }
        // Jobs only; see `jobs`.
        #[cfg(feature = "queue")]
        Some(InjectedFault::Kill) => Ok(()),
    }
}

/// [`inject`] for the run of an async function.
#[cfg(feature = "tokio")]
pub(super) async fn inject_async<'r>(
    instance: &'r Instance,
    fault: InjectedFault,
    invocation: &'r Invocation<'r>,
) -> Exit {
    match fault {
        InjectedFault::Crash => return Exit::Crashed(crash()),
        InjectedFault::Panic => panic(),
        InjectedFault::Slow(time) => {
            let clock = &instance.env.clock;
            clock.sleep_async(clock.now().saturating_add(nanos(time))).await;
        }
        // Jobs only; see `jobs`.
        #[cfg(feature = "queue")]
        InjectedFault::Kill => {}
    }
    instance.definition.future(invocation).await
}

fn crash() -> Cause {
    Cause::new("a crash that the test asked for")
}

/// Without the panic hook, because the test expects the panic.
fn panic() -> ! {
    std::panic::resume_unwind(Box::new("a panic that the test asked for"))
}
