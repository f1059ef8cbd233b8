//! The only owner of signal handlers: the first stop signal asks the program to end; a later one ends
//! the process.
//!
//! The first `run` or `wait_for_signal` installs the handlers, and they stay. A handler is
//! async-signal-safe: for the first signal, it only records it and wakes the signal thread, which
//! notifies the waiters. Under `run` the signal thread requests the stop of the services itself, and
//! ends the process if the thread that called `run` does not (see [`ending`]). It blocks only when it
//! ends the process.
//!
//! # What counts as the first signal
//!
//! GNU `timeout` sends its signal to the process and then to its group, so that it arrives twice
//! within a millisecond; a terminal and a shell can do the same. So a signal within 250 ms of the
//! first one counts as the same request. A later one ends the process inside the handler, even if all
//! threads are blocked.
//!
//! A runner with a quiesce time keeps its services running for that time after the first signal; the second one ends
//! the time, and the third one the process (see [`quiesce`]).
//!
//! After a waiter has received a signal and waits again, the next signal counts as the first, unless
//! another waiter is to receive the same one, or has received it and has not returned yet. A signal that
//! arrives while a runner has no waiter is kept for its next one.
//!
//! SIGUSR1 is handled only if a runner asks for it (see [`dump`]); it stops nothing.
//!
//! From a signal to a waiter: [`handler`] (called by `ffi`) > [`thread`] (woken through `unix` or
//! `windows`) > [`waiters`] > [`waiter_guard`].

mod debounce;
#[cfg(unix)]
pub(crate) mod dump;
#[cfg(unix)]
mod dump_runners;
#[cfg(unix)]
mod dump_table;
mod end_process;
mod ending;
pub(super) mod handler;
mod install;
mod quiesce;
pub(crate) mod run_watch;
mod thread;
#[cfg(unix)]
mod unix;
pub(crate) mod waiter_guard;
mod waiters;
#[cfg(windows)]
mod windows;
