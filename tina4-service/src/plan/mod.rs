//! The check before anything starts: every fault, or the order in which to start.

pub(crate) mod fault;
pub(crate) mod instances;
pub(crate) mod names;
pub(crate) mod order;
pub(crate) mod plan;
pub(crate) mod resolve;
pub(crate) mod selection;
pub(crate) mod start_error;
