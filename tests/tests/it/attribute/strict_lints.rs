//! Rule 80: the generated code passes the lints that strict crates enable (`clippy::pedantic`,
//! `missing_docs`). Every key except `cron`, `timezone` and `anchor`, and every kind of function,
//! is used below.
#![deny(warnings, missing_docs, clippy::all, clippy::pedantic)]

use tests::EventWatcher;
use tina4_service::{Change, Runner};

/// Services of a crate with strict lints.
pub mod services {
    use tina4_service::{Context, Flow, Local, Res, Tick, service};

    /// A heartbeat.
    #[service(interval = "10ms", initial_delay = "1ms", jitter = "2ms", timeout = "1s")]
    pub fn strict_beat() {}

    /// Runs at a fixed delay.
    ///
    /// # Errors
    ///
    /// Never.
    #[service(
        name = "strict.pauses",
        delay = "1h 30m",
        timeout = "1h",
        on_timeout = "cancel",
        restart = "on-failure",
        max_restarts = 5,
        restart_window = "10m",
        backoff = "2s",
        max_backoff = "40s",
        stop_timeout = "3s",
        after = [strict_beat, "strict.always"],
        on_stop = clean,
        autostart = false,
        critical = true,
        crate = ::tina4_service
    )]
    pub fn pauses(ctx: &Context, own: Local<u8>, shared: Option<Res<u8>>) -> Result<(), String> {
        drop((own, shared));
        ctx.heartbeat();
        Ok(())
    }

    fn clean(own: Local<u8>, ctx: &Context) -> Result<(), String> {
        let kept = *own;
        drop(own);
        if kept > 0 { Err(ctx.name().to_owned()) } else { Ok(()) }
    }

    /// Runs until it is stopped.
    #[service(name = "strict.always", restart = "always", ready = "started")]
    pub fn always(ctx: &Context) -> Flow {
        while ctx.sleep(std::time::Duration::from_hours(1)) {}
        Flow::Wait
    }

    /// Never returns.
    ///
    /// # Panics
    ///
    /// Always.
    #[service(name = "strict.never", restart = "never", autostart = false)]
    pub fn never() -> ! {
        panic!("never");
    }

    /// The maximum number of parameters, all by value.
    ///
    /// # Errors
    ///
    /// If its parameters have other values than expected.
    #[service(name = "strict.eight", max_restarts = 0, autostart = false)]
    pub fn eight(
        one: Local<String>,
        two: Local<String>,
        three: Local<String>,
        four: Local<String>,
        five: Option<Res<String>>,
        six: Res<String>,
        seven: Tick,
        eight: &Context,
    ) -> Result<Flow, std::num::ParseIntError> {
        let all = [&one, &two, &three, &four].map(|text| text.len());
        let expected = five.is_some() && !six.is_empty() && eight.tick().run == seven.run;
        if expected && all == [0; 4] {
            Ok(Flow::Done)
        } else {
            six.parse::<u8>().map(|_| Flow::Wait)
        }
    }

    /// Deprecated.
    #[deprecated]
    #[service(name = "strict.old", autostart = false)]
    pub fn old() {}

    /// Compiled out.
    #[cfg(any())]
    #[service(name = "strict.absent")]
    pub fn absent(_: NoSuchType) {}
}

#[test]
fn rule_80_services_pass_strict_lints_and_run() {
    let names = ["strict_beat", "strict.pauses", "strict.always", "strict.eight"];
    let runner = Runner::builder().only(names).build();
    let mut watcher = EventWatcher::new(&runner);
    runner.provide("text".to_owned());
    runner.start_all().unwrap();
    watcher.wait_for_run_end("strict_beat");
    watcher.wait_for_run_begin("strict.always");
    runner.start("strict.eight").unwrap();
    watcher.wait_for_change("strict.eight", &Change::Finished);
    runner.start("strict.pauses").unwrap();
    watcher.wait_for_run_end("strict.pauses");
    assert!(runner.stop_all().is_clean());
    assert!(!Runner::builder().build().status().contains_key("strict.absent"));
}
