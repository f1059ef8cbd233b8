//! The definition of a service, whether it was declared or built.

use std::any::TypeId;
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use tina4_service_core::lifecycle::RunKind;
use tina4_service_core::{Key, Spec};

use crate::service::body::Body;
#[cfg(feature = "tokio")]
use crate::service::future::{BoxFuture, HookResult};
use crate::service::outcome::{Cause, Exit};
use crate::service::params::hook::DynHook;
use crate::service::params::{Invocation, Need};
use crate::service::registration::{Dependency, Registration};
use crate::service::settings::Settings;
use crate::sys::panics;
use crate::sys::place::Place;

/// The definition of a service: declared with the attribute, or built at run time.
///
/// An enum rather than a trait with two implementations: a trait would need more code, and `spec` and
/// `has_on_stop` are called several times per run.
pub(crate) enum Definition {
    Declared(&'static Registration),
    Built(Built),
}

/// A service built at run time.
pub(crate) struct Built {
    pub(crate) name: Cow<'static, str>,
    pub(crate) settings: Arc<Settings>,
    pub(crate) body: Box<dyn Body>,
}

/// Takes the place of a body that is being dropped.
struct NoBody;

impl Body for NoBody {
    fn run_kind(&self) -> RunKind {
        RunKind::Call
    }

    fn call(&self, _: &Invocation<'_>) -> Exit {
        Exit::Done
    }

    fn needs(&self) -> &'static [Need] {
        &[]
    }

    fn path(&self) -> &'static str {
        ""
    }
}

/// The last owner of a service that was unregistered may be a thread of the pool, so a panic in a
/// destructor of the body must not leave it. The panic hook reports it.
impl Drop for Built {
    fn drop(&mut self) {
        // This does not allocate, because `NoBody` has no size.
        let body = std::mem::replace(&mut self.body, Box::new(NoBody));
        let _ = panics::catch(|| drop(body));
    }
}

impl Definition {
    pub(crate) fn name(&self) -> Cow<'static, str> {
        match self {
            Self::Declared(registration) => Cow::Borrowed(registration.name),
            Self::Built(built) => built.name.clone(),
        }
    }

    pub(crate) fn name_str(&self) -> &str {
        match self {
            Self::Declared(registration) => registration.name,
            Self::Built(built) => &built.name,
        }
    }

    pub(crate) fn spec(&self) -> &Spec {
        match self {
            Self::Declared(registration) => &registration.spec,
            Self::Built(built) => &built.settings.spec,
        }
    }

    pub(crate) fn place(&self) -> Place {
        match self {
            Self::Declared(registration) => registration.place,
            Self::Built(built) => built.settings.place.into(),
        }
    }

    pub(crate) fn path(&self) -> &'static str {
        match self {
            Self::Declared(registration) => registration.path,
            Self::Built(built) => built.body.path(),
        }
    }

    /// The type of the declared function, which identifies it in the `after` of other services.
    pub(crate) fn id(&self) -> Option<TypeId> {
        match self {
            Self::Declared(registration) => Some(registration.id),
            Self::Built(_) => None,
        }
    }

    /// Whether it names services in `after` or `requires`.
    pub(crate) fn has_dependencies(&self) -> bool {
        match self {
            Self::Declared(Registration { after, requires, .. }) => {
                !after.is_empty() || !requires.is_empty()
            }
            Self::Built(built) => built
                .settings
                .cold
                .as_ref()
                .is_some_and(|cold| !cold.after.is_empty() || !cold.requires.is_empty()),
        }
    }

    /// The services that it depends on, each with the key that names it: `after` or `requires`.
    pub(crate) fn dependencies(&self) -> Vec<(Key, Dependency<'_>)> {
        match self {
            Self::Declared(registration) => {
                let after = registration.after.iter().map(|entry| (Key::After, *entry));
                let required = registration.requires.iter().map(|entry| (Key::Requires, *entry));
                after.chain(required).collect()
            }
            Self::Built(built) => {
                let Some(cold) = &built.settings.cold else { return Vec::new() };
                let after = cold.after.iter().map(|name| (Key::After, name));
                let required = cold.requires.iter().map(|name| (Key::Requires, name));
                let all = after.chain(required);
                all.map(|(key, name)| (key, Dependency::Name(name))).collect()
            }
        }
    }

    /// The needs of the parameters of the function and of its `on_stop`.
    pub(crate) fn needs(&self) -> impl Iterator<Item = &'static Need> {
        let body = match self {
            Self::Declared(registration) => registration.needs,
            Self::Built(built) => built.body.needs(),
        };
        let hook: &'static [Need] = self.hook().map_or(&[], DynHook::needs);
        body.iter().chain(hook)
    }

    /// The faults in its settings. There are none in a declared service, whose settings are checked at
    /// compile time.
    pub(crate) fn faults(&self) -> &[String] {
        match self {
            Self::Declared(_) => &[],
            Self::Built(built) => built.settings.cold.as_ref().map_or(&[], |cold| &cold.faults),
        }
    }

    /// How runs are executed: with [`Definition::call`] or with `Definition::future`.
    pub(crate) fn run_kind(&self) -> RunKind {
        match self {
            Self::Declared(registration) => registration.run_kind(),
            Self::Built(built) => built.body.run_kind(),
        }
    }

    /// Calls the service's async function once.
    #[cfg(feature = "tokio")]
    pub(crate) fn future<'r>(&'r self, invocation: &'r Invocation<'r>) -> BoxFuture<'r, Exit> {
        match self {
            Self::Declared(registration) => registration.future(invocation),
            Self::Built(built) => built.body.future(invocation),
        }
    }

    /// Calls the service's plain function once.
    pub(crate) fn call(&self, invocation: &Invocation<'_>) -> Exit {
        match self {
            Self::Declared(registration) => (registration.call)(invocation),
            Self::Built(built) => built.body.call(invocation),
        }
    }

    /// The clean-up hook of the definition, if there is one.
    fn hook(&self) -> Option<&(dyn DynHook + 'static)> {
        match self {
            Self::Declared(registration) => registration.on_stop,
            Self::Built(built) => built.settings.on_stop(),
        }
    }

    pub(crate) fn has_on_stop(&self) -> bool {
        self.hook().is_some()
    }

    /// How the clean-up hook of the definition is executed: with [`Definition::on_stop`] or with
    /// `Definition::on_stop_future`.
    pub(crate) fn on_stop_kind(&self) -> RunKind {
        self.hook().map_or(RunKind::Call, DynHook::run_kind)
    }

    /// Calls the async clean-up hook of the definition, if there is one.
    #[cfg(feature = "tokio")]
    pub(crate) fn on_stop_future<'r>(
        &'r self,
        invocation: &'r Invocation<'r>,
    ) -> BoxFuture<'r, HookResult> {
        match self.hook() {
            Some(hook) => hook.future(invocation),
            None => Box::pin(std::future::ready(Ok(()))),
        }
    }

    /// Calls the plain clean-up hook of the definition, if there is one.
    pub(crate) fn on_stop(&self, invocation: &Invocation<'_>) -> Result<(), Cause> {
        self.hook().map_or(Ok(()), |hook| hook.call(invocation))
    }
}

impl fmt::Debug for Definition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Definition").field("name", &self.name_str()).finish_non_exhaustive()
    }
}
