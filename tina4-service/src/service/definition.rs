//! The definition of a service, whether it was declared or built.

use std::any::TypeId;
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use tina4_service_core::lifecycle::RunKind;
use tina4_service_core::{Key, Spec};
#[cfg(feature = "queue")]
use tina4_service_queue::Queues;

use crate::service::body::{Body, DeclaredBody};
use crate::service::deployment::Deployment;
use crate::service::deployment::deployed::{Configured, Deployed};
#[cfg(feature = "tokio")]
use crate::service::future::{BoxFuture, HookResult};
#[cfg(feature = "queue")]
use crate::service::job_slot::Decode;
use crate::service::outcome::{Cause, Exit};
#[cfg(feature = "queue")]
use crate::service::params::Parameter;
use crate::service::params::hook::{DeclaredHook, DynHook};
use crate::service::params::{Invocation, Need};
#[cfg(feature = "queue")]
use crate::service::queue_binding::QueueBinding;
use crate::service::registration::{Dependency, Registration};
#[cfg(feature = "queue")]
use crate::service::resources::Res;
use crate::service::settings::{ColdSettings, Settings};
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

/// A service built at run time; or a declared one of which the deployment has changed a setting, so that no
/// run of any other one has to look for changes.
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
    /// A declared service, with the settings that the deployment has changed.
    pub(crate) fn declared(registration: &'static Registration, deployment: &Deployment) -> Self {
        let Registration { name, spec, place, tags, .. } = registration;
        let Some(Configured { spec: changed, tags: new_tags, deployed }) =
            deployment.configure(name, spec, tags)
        else {
            return Self::Declared(registration);
        };
        let own_tags = || tags.iter().map(|tag| Cow::Borrowed(*tag)).collect();
        let mut cold = ColdSettings::default();
        cold.on_stop = registration.on_stop.map(|hook| Box::new(DeclaredHook(hook)) as Box<_>);
        #[cfg(feature = "queue")]
        {
            cold.queue = registration.queue;
            cold.on_dead = registration.on_dead.map(|hook| Box::new(DeclaredHook(hook)) as Box<_>);
        }
        cold.tags = new_tags.unwrap_or_else(own_tags);
        cold.deployed = Some(deployed);
        let spec = changed.unwrap_or_else(|| spec.clone());
        let settings = Settings { place: *place, spec, cold: Some(Box::new(cold)) };
        Self::Built(Built {
            name: Cow::Borrowed(name),
            settings: Arc::new(settings),
            body: Box::new(DeclaredBody(registration)),
        })
    }

    /// The declaration, if there is one.
    fn registration(&self) -> Option<&'static Registration> {
        match self {
            Self::Declared(registration) => Some(registration),
            Self::Built(built) => built.body.registration(),
        }
    }

    fn cold(&self) -> Option<&ColdSettings> {
        match self {
            Self::Declared(_) => None,
            Self::Built(built) => built.settings.cold.as_deref(),
        }
    }

    /// Whether it has only settings that were valid when it was built, and a function that needs no values.
    pub(crate) fn is_plain(&self) -> bool {
        match self {
            Self::Declared(_) => false,
            Self::Built(built) => built.settings.cold.is_none() && built.body.needs().is_empty(),
        }
    }

    /// What the deployment has changed, if anything.
    pub(crate) fn deployed(&self) -> Option<&Deployed> {
        self.cold()?.deployed.as_ref()
    }

    /// The setting of the deployment that disables the service, if there is one.
    pub(crate) fn disabled(&self) -> Option<&Arc<str>> {
        self.deployed()?.disabled.as_ref()
    }

    /// The groups that it belongs to.
    pub(crate) fn tags(&self) -> Vec<Cow<'static, str>> {
        match self {
            Self::Declared(registration) => {
                registration.tags.iter().map(|tag| Cow::Borrowed(*tag)).collect()
            }
            Self::Built(_) => self.cold().map(|cold| cold.tags.clone()).unwrap_or_default(),
        }
    }

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
            Self::Built(built) => built.settings.place,
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
        self.registration().map(|registration| registration.id)
    }

    /// Whether it names services in `after` or `requires`.
    pub(crate) fn has_dependencies(&self) -> bool {
        match self.registration() {
            Some(Registration { after, requires, .. }) => !after.is_empty() || !requires.is_empty(),
            None => {
                self.cold().is_some_and(|cold| !cold.after.is_empty() || !cold.requires.is_empty())
            }
        }
    }

    /// The services that it depends on, each with the key that names it: `after` or `requires`.
    pub(crate) fn dependencies(&self) -> Vec<(Key, Dependency<'_>)> {
        match self.registration() {
            Some(registration) => {
                let after = registration.after.iter().map(|entry| (Key::After, *entry));
                let required = registration.requires.iter().map(|entry| (Key::Requires, *entry));
                after.chain(required).collect()
            }
            None => {
                let Some(cold) = self.cold() else { return Vec::new() };
                let after = cold.after.iter().map(|name| (Key::After, name));
                let required = cold.requires.iter().map(|name| (Key::Requires, name));
                let all = after.chain(required);
                all.map(|(key, name)| (key, Dependency::Name(name))).collect()
            }
        }
    }

    /// The needs of the parameters of the function, of its `on_stop` and of its `on_dead`.
    pub(crate) fn needs(&self) -> impl Iterator<Item = &'static Need> {
        let on_dead = self.on_dead_needs();
        self.body_needs()
            .iter()
            .chain(self.on_stop_needs())
            .chain(on_dead)
            .chain(self.queue_needs())
    }

    /// The needs of the parameters of the function.
    pub(crate) fn body_needs(&self) -> &'static [Need] {
        match self {
            Self::Declared(registration) => registration.needs,
            Self::Built(built) => built.body.needs(),
        }
    }

    /// The needs of the parameters of its `on_stop`.
    pub(crate) fn on_stop_needs(&self) -> &'static [Need] {
        self.hook().map_or(&[], DynHook::needs)
    }

    /// The needs of the parameters of its `on_dead`.
    fn on_dead_needs(&self) -> &'static [Need] {
        #[cfg(feature = "queue")]
        if let Some(on_dead) = self.on_dead() {
            return on_dead.needs();
        }
        &[]
    }

    /// The engine, if it has a queue.
    fn queue_needs(&self) -> &'static [Need] {
        #[cfg(feature = "queue")]
        if self.queue().is_some() {
            const QUEUES: &[Need] = &[<Res<Queues> as Parameter<'static>>::NEED];
            return QUEUES;
        }
        &[]
    }

    /// The queue whose jobs it works on.
    #[cfg(feature = "queue")]
    pub(crate) fn queue(&self) -> Option<&QueueBinding> {
        match self {
            Self::Declared(registration) => registration.queue.as_ref(),
            Self::Built(built) => built.settings.cold.as_ref()?.queue.as_ref(),
        }
    }

    /// The function that is told of each dead job.
    #[cfg(feature = "queue")]
    pub(crate) fn on_dead(&self) -> Option<&(dyn DynHook + 'static)> {
        match self {
            Self::Declared(registration) => registration.on_dead,
            Self::Built(built) => built.settings.cold.as_ref()?.on_dead.as_deref(),
        }
    }

    /// How its `on_dead` is called.
    #[cfg(all(feature = "queue", feature = "tokio"))]
    pub(crate) fn on_dead_kind(&self) -> RunKind {
        self.on_dead().map_or(RunKind::Call, DynHook::run_kind)
    }

    /// How the jobs of its queue are read.
    #[cfg(feature = "queue")]
    pub(crate) fn decode(&self) -> Option<Decode> {
        self.body_needs().iter().find_map(|need| match need {
            Need::Job { decode, .. } => Some(*decode),
            Need::Nothing | Need::Resource { .. } | Need::Local | Need::DeadJob => None,
        })
    }

    /// Whether its function may return a `Flow`. Of a declared one, the compiler has checked that.
    #[cfg(feature = "queue")]
    pub(crate) fn may_return_flow(&self) -> bool {
        match self {
            Self::Declared(_) => false,
            Self::Built(built) => built.body.returns_flow(),
        }
    }

    /// The faults in its settings, without those of the deployment. There are none in a declared service,
    /// whose settings are checked at compile time.
    pub(crate) fn faults(&self) -> &[String] {
        self.cold().map_or(&[], |cold| &cold.faults)
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
