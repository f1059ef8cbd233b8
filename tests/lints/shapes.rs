//! Services with every key, parameter and result type. The packages in this directory compile it in
//! every edition, under the strictest lints.

use std::num::ParseIntError;
use std::sync::atomic::{AtomicU64, Ordering};

use tina4_service::{Context, Flow, Local, Res, Runner, Tick, service};

/// A value that services share.
#[derive(Debug, Default)]
pub struct Db {
    rows: AtomicU64,
}

impl Db {
    fn write(&self) -> Result<u64, DbError> {
        let before = self.rows.fetch_add(1, Ordering::Relaxed);
        if before == u64::MAX { Err(DbError) } else { Ok(before + 1) }
    }
}

/// Why a value could not be written.
#[derive(Debug)]
pub struct DbError;

impl std::fmt::Display for DbError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the database is full")
    }
}

impl std::error::Error for DbError {}

/// Provides the values that the services need.
pub fn provide(runner: &Runner) {
    runner.provide(Db::default());
    runner.provide("a name");
}

/// Services with every key.
pub mod keys {
    use super::{Db, Res, service};

    /// Public, documented, and with most keys.
    #[service(
        name = "keys.all-of-them",
        interval = "1h 30m",
        initial_delay = "1ms",
        jitter = "1ms",
        timeout = "2h",
        on_timeout = "cancel",
        restart = "on-failure",
        max_restarts = 5,
        restart_window = "1h",
        backoff = "500ms",
        max_backoff = "2s",
        stop_timeout = "5s",
        after = [pause, super::results::flow, "keys.by-name"],
        on_stop = super::hooks::flush,
        autostart = true,
        critical = true,
        crate = ::tina4_service
    )]
    pub fn all() {}

    #[service(delay = "5s", initial_delay = "0s", jitter = "1ms")]
    pub(crate) fn pause() {}

    /// A cron expression with every kind of special day.
    #[service(
        cron = "0 30 8,20 L-1 JAN-NOV 5L,MON#2",
        timezone = "Europe/Berlin",
        jitter = "1ms",
        autostart = false
    )]
    pub(crate) fn by_the_calendar() {}

    /// An interval on the wall clock.
    #[service(
        interval = "14d",
        anchor = "2026-01-02 09:00",
        timezone = "UTC",
        jitter = "1ms",
        autostart = false
    )]
    pub(crate) fn every_second_friday() {}

    #[service(cron = "@every_second")]
    pub(crate) fn each_second() {}

    #[service(name = "keys.by-name", interval = "30s", max_restarts = 4_294_967_295)]
    fn by_name() {}

    #[service(restart = "always", max_restarts = 0, autostart = false)]
    fn always() {}

    #[service(restart = "never", after = [])]
    fn never_again() {}

    #[service(on_stop = super::hooks::generic::<Db>)]
    fn with_a_generic_hook(db: Res<Db>) {
        drop(db);
    }
}

/// Every parameter.
pub mod parameters {
    use super::{Context, Db, DbError, Local, Res, Tick, service};

    #[service]
    fn context(ctx: &Context) {
        while ctx.sleep(std::time::Duration::from_hours(1)) {}
    }

    #[service(interval = "1h")]
    fn tick(tick: Tick) {
        assert!(tick.run > 0);
    }

    #[service(interval = "1h")]
    fn shared(db: Res<Db>) -> Result<(), DbError> {
        db.write().map(drop)
    }

    #[service(interval = "1h")]
    fn maybe_shared(db: Option<Res<Db>>, nothing: Option<Res<String>>) {
        assert!(db.is_some() && nothing.is_none());
    }

    #[service(interval = "1h")]
    fn own(mut count: Local<u64>) {
        *count += 1;
    }

    #[service(interval = "1h")]
    fn unused(_: &Context, _tick: Tick, _db: Res<Db>) {}

    /// The maximum number of parameters.
    ///
    /// # Panics
    ///
    /// If the two handles differ.
    #[service(interval = "1h")]
    pub fn eight(
        ctx: &Context,
        again: &Context,
        tick: Tick,
        db: Res<Db>,
        name: Res<&'static str>,
        maybe: Option<Res<Db>>,
        mut count: Local<u64>,
        mut names: Local<Vec<String>>,
    ) {
        *count += tick.run;
        names.push(format!("{} {} {}", ctx.name(), again.name(), *name));
        assert!(maybe.is_some_and(|maybe| maybe.rows.as_ptr() == db.rows.as_ptr()));
    }
}

/// Every result.
pub mod results {
    use super::{Flow, Local, ParseIntError, service};

    #[service(ready = "finished")]
    pub(super) fn flow() -> Flow {
        Flow::Done
    }

    #[service(interval = "1h")]
    fn error_type(text: Local<String>) -> Result<(), ParseIntError> {
        if text.is_empty() { Ok(()) } else { text.parse::<u64>().map(drop) }
    }

    #[service(interval = "1h")]
    fn error_text(text: Local<String>) -> Result<(), String> {
        if text.is_empty() { Ok(()) } else { Err(text.clone()) }
    }

    #[service(interval = "1h")]
    fn error_literal(text: Local<String>) -> Result<Flow, &'static str> {
        if text.is_empty() { Ok(Flow::Wait) } else { Err("there is text") }
    }

    #[service(interval = "1h")]
    fn error_boxed(text: Local<String>) -> Result<Flow, Box<dyn std::error::Error + Send + Sync>> {
        if !text.is_empty() {
            text.parse::<u64>()?;
        }
        Ok(Flow::After(std::time::Duration::from_hours(1)))
    }

    /// It would never end, so it is not started.
    #[service(autostart = false)]
    fn never() -> ! {
        loop {
            std::thread::park();
        }
    }
}

/// Clean-up hooks.
pub mod hooks {
    use super::{Context, Db, DbError, Local, Res};

    #[expect(
        clippy::needless_pass_by_value,
        reason = "hooks take their parameters by value, and have no attribute that allows it"
    )]
    pub(super) fn flush(ctx: &Context, db: Res<Db>, count: Local<u64>) -> Result<(), DbError> {
        assert!(ctx.is_stopping() && *count == 0);
        db.write().map(drop)
    }

    pub(super) fn generic<T>() {
        assert!(size_of::<T>() > 0);
    }
}

/// Services with other attributes, and inside functions.
pub mod attributes {
    use super::service;

    #[service]
    #[cfg(any())]
    fn absent() {}

    #[service]
    #[deprecated = "does nothing any more"]
    fn deprecated() {}

    #[service]
    #[inline(never)]
    fn inlined_never() {}

    #[service]
    fn r#loop() {
        #[service]
        fn in_a_function() {}
    }
}
