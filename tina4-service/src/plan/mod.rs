//! The check before anything starts: every fault, or the order in which to start.

pub(crate) mod fault;
pub(crate) mod names;
pub(crate) mod plan;
