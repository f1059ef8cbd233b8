//! One service: its declaration, its parameters, its return types, and its state in a runner.

pub(crate) mod body;
pub(crate) mod builder;
pub(crate) mod context;
pub(crate) mod definition;
pub(crate) mod environment;
pub(crate) mod error_text;
#[cfg(feature = "tokio")]
pub(crate) mod future;
pub(crate) mod host;
pub(crate) mod instance;
pub(crate) mod locals;
pub(crate) mod outcome;
pub(crate) mod params;
pub(crate) mod permanent;
pub(crate) mod ready_listener;
pub(crate) mod registered_hooks;
pub(crate) mod registration;
pub(crate) mod resources;
pub(crate) mod settings;
mod standalone;
#[cfg(feature = "tokio")]
pub(crate) mod stop_wait;
#[cfg(feature = "tokio")]
pub(crate) mod task_listener;
pub(crate) mod tick;
pub(crate) mod time_settings;
