//! Gives up a runner on a thread of this crate.

use std::sync::Arc;

use crate::engine::Engine;
use crate::sys::threads::start_thread;

/// Drops a reference to a runner's services, on another thread if it is the last one: the last owner
/// drops the user's values, which can block or panic.
pub(crate) fn release(engine: Arc<Engine>) {
    if let Some(engine) = Arc::into_inner(engine) {
        let last = Box::new(move || drop(engine));
        let _ = start_thread("tina4-drop".to_owned(), last);
    }
}
