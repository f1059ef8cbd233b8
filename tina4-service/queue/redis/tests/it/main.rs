//! The engine on the servers of `.ci/servers`. Without them, these tests do nothing and say so.

mod endurance;
mod faults;
mod many;
mod next_due;
mod options;
#[cfg(target_os = "linux")]
mod pauses;
mod push_async;
mod servers;
mod settings;
mod silence;
mod stored;
mod variable;
mod waking;
