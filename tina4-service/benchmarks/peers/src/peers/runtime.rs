//! Shared by the asynchronous peers: a runtime like that of `#[tokio::main]`, and tasks on it.

use std::future::Future;

use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;

use crate::peer::{Running, Unavailable};

pub(super) fn new() -> Runtime {
    Builder::new_multi_thread().enable_all().build().expect("a runtime")
}

/// Tasks that stop by being dropped at their next `await`.
pub(super) struct Tasks {
    runtime: Runtime,
    set: JoinSet<()>,
}

impl Tasks {
    pub(super) fn new() -> Self {
        Self { runtime: new(), set: JoinSet::new() }
    }

    pub(super) fn spawn(&mut self, task: impl Future<Output = ()> + Send + 'static) {
        self.set.spawn_on(task, self.runtime.handle());
    }
}

impl Running for Tasks {
    fn stop(&mut self) -> Result<(), Unavailable> {
        self.runtime.block_on(self.set.shutdown());
        Ok(())
    }
}
