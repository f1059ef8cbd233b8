//! One service: how it is declared or built, what its function can ask for, and what it may return.

pub(crate) mod builder;
pub(crate) mod context;
pub(crate) mod error_text;
pub(crate) mod instance;
pub(crate) mod outcome;
pub(crate) mod params;
pub(crate) mod permanent;
pub(crate) mod registration;
pub(crate) mod resources;
