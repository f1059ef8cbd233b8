//! The engine on the servers of `.ci/servers`. Without them, these tests do nothing and say so.

mod async_transactions;
mod contract;
mod endurance;
mod faults;
mod marks;
mod next_due;
mod pages;
mod push_async;
mod rows;
mod servers;
mod silence;
mod transactions;
mod turns;
mod waking;
