//! The check before anything starts: every fault, or the order in which to start.

pub(crate) mod check;
pub(crate) mod directory;
pub(crate) mod fault;
pub(crate) mod names;
pub(crate) mod order;
pub(crate) mod plan;
#[cfg(feature = "queue")]
mod queue_check;
pub(crate) mod register_error;
pub(crate) mod selection;
pub(crate) mod services;
pub(crate) mod start_error;
