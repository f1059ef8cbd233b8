//! The clean-up hooks that a service has registered with `Context::on_stop`.

use std::panic::Location;

use crate::service::outcome::Cause;

/// A clean-up hook that a run registered.
pub(crate) struct RegisteredHook {
    /// The call that registered it. A later hook from the same call replaces it.
    pub(crate) place: &'static Location<'static>,
    pub(crate) hook: Box<dyn FnOnce() -> Result<(), Cause> + Send>,
}

/// The hooks of one activation, in the order of registration.
#[derive(Default)]
pub(crate) struct RegisteredHooks(Vec<RegisteredHook>);

impl RegisteredHooks {
    /// Adds a hook. An earlier one from the same place in the source is replaced and returned.
    ///
    /// The caller drops the result after releasing the lock.
    pub(crate) fn add(&mut self, hook: RegisteredHook) -> Option<RegisteredHook> {
        let known = self.0.iter().position(|known| known.place == hook.place);
        let replaced = known.map(|position| self.0.remove(position));
        self.0.push(hook);
        replaced
    }

    /// Removes the hook that was registered last.
    pub(crate) fn pop(&mut self) -> Option<RegisteredHook> {
        self.0.pop()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
