//! Injects the faults that a test has requested into a run.

use std::sync::Arc;

use crate::service::instance::{InjectedFault, Instance};
use crate::service::outcome::Cause;
use tina4_service_core::nanos;

/// Applies the next fault that a test has requested, if any, to the run that is about to begin.
pub(super) fn inject(instance: &Instance) -> Result<(), Cause> {
    match instance.take_injected() {
        None => Ok(()),
        Some(InjectedFault::Crash) => Err(Cause::new("a crash that the test asked for")),
        // Without the panic hook, because the test expects the panic.
        Some(InjectedFault::Panic) => {
            std::panic::resume_unwind(Box::new("a panic that the test asked for"))
        }
        Some(InjectedFault::Slow(time)) => {
            if let Some(clock) = instance.env.clock.as_virtual() {
                Arc::clone(clock).sleep_through(clock.now().saturating_add(nanos(time)));
            }
            Ok(())
        }
    }
}
