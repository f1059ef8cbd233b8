//! The counts of the services themselves, to be compared with those of the runner.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tina4_service::Context;

/// The counts of one service.
#[derive(Debug)]
pub(crate) struct Counters {
    name: String,
    /// Bodies and hooks in progress.
    inside: AtomicU64,
    /// The maximum of `inside`.
    max_inside: AtomicU64,
    begun: AtomicU64,
    good: AtomicU64,
    errors: AtomicU64,
    panics: AtomicU64,
    /// Runs whose future was dropped.
    dropped: AtomicU64,
    /// Runs of the hook declared with the service: one for each activation.
    cleaned_up: AtomicU64,
    /// Hooks registered by bodies: one for each activation with a run.
    registered: AtomicU64,
    /// Registered hooks that have run.
    registered_ran: AtomicU64,
    /// Whether a hook is registered in the current activation.
    is_registered: AtomicBool,
}

impl Counters {
    pub(crate) fn new(name: String) -> Arc<Self> {
        let zero = || AtomicU64::new(0);
        Arc::new(Self {
            name,
            inside: zero(),
            max_inside: zero(),
            begun: zero(),
            good: zero(),
            errors: zero(),
            panics: zero(),
            dropped: zero(),
            cleaned_up: zero(),
            registered: zero(),
            registered_ran: zero(),
            is_registered: AtomicBool::new(false),
        })
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn begun(&self) -> u64 {
        get(&self.begun)
    }

    pub(crate) fn good(&self) -> u64 {
        get(&self.good)
    }

    pub(crate) fn errors(&self) -> u64 {
        get(&self.errors)
    }

    pub(crate) fn panics(&self) -> u64 {
        get(&self.panics)
    }

    pub(crate) fn dropped(&self) -> u64 {
        get(&self.dropped)
    }

    pub(crate) fn crashed(&self) -> u64 {
        self.errors() + self.panics()
    }

    pub(crate) fn cleaned_up(&self) -> u64 {
        get(&self.cleaned_up)
    }

    /// Counts one run of a body.
    pub(crate) fn run<T, E>(
        self: &Arc<Self>,
        ctx: &Context,
        body: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        let _inside = Inside::new(self);
        self.begin(ctx);
        let mut unfinished = Unfinished(Some(self));
        let result = body();
        unfinished.0 = None;
        add(if result.is_ok() { &self.good } else { &self.errors });
        result
    }

    /// Counts one run of an async body.
    pub(crate) async fn run_async<T, E>(
        self: &Arc<Self>,
        ctx: &Context,
        body: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let _inside = Inside::new(self);
        self.begin(ctx);
        let mut unfinished = Unfinished(Some(self));
        let result = body.await;
        unfinished.0 = None;
        add(if result.is_ok() { &self.good } else { &self.errors });
        result
    }

    fn begin(self: &Arc<Self>, ctx: &Context) {
        add(&self.begun);
        if !self.is_registered.swap(true, Ordering::SeqCst) {
            add(&self.registered);
        }
        let hook = Arc::clone(self);
        ctx.on_stop(move || {
            let _inside = Inside::new(&hook);
            add(&hook.registered_ran);
            hook.is_registered.store(false, Ordering::SeqCst);
        });
    }

    /// Counts one run of the declared hook.
    pub(crate) fn clean_up(&self, hook: impl FnOnce()) {
        let _inside = Inside::new(self);
        add(&self.cleaned_up);
        hook();
    }

    /// Checks the counts after everything has stopped.
    pub(crate) fn check(&self) {
        let name = &self.name;
        assert_eq!(get(&self.inside), 0, "{name} is still inside");
        assert!(get(&self.max_inside) <= 1, "{} copies of {name}", get(&self.max_inside));
        let (ran, registered) = (get(&self.registered_ran), get(&self.registered));
        assert_eq!(ran, registered, "hooks that {name} registered");
        let ended = self.good() + self.crashed() + self.dropped();
        assert_eq!(self.begun(), ended, "runs of {name}");
    }
}

fn get(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::SeqCst)
}

fn add(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::SeqCst);
}

/// Counts a panic, or a future that was dropped, if it is dropped before it is disarmed.
struct Unfinished<'a>(Option<&'a Counters>);

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        if let Some(counters) = self.0 {
            let panics = std::thread::panicking();
            add(if panics { &counters.panics } else { &counters.dropped });
        }
    }
}

/// A guard while code of the service runs.
struct Inside<'a>(&'a Counters);

impl<'a> Inside<'a> {
    fn new(counters: &'a Counters) -> Self {
        let inside = counters.inside.fetch_add(1, Ordering::SeqCst) + 1;
        counters.max_inside.fetch_max(inside, Ordering::SeqCst);
        Self(counters)
    }
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.0.inside.fetch_sub(1, Ordering::SeqCst);
    }
}
