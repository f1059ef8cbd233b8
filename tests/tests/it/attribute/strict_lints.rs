//! Rule 80: what the attribute leaves behind passes the strictest lints a user may have. Every key
//! and every shape is used below. Rules 51, 81 and 82 as far as they can be seen from outside.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, clippy::all, clippy::pedantic)]

use tests::{Watch, sources};
use tina4_service::{Change, Runner, Service};

/// Services of a careful crate.
pub mod services {
    use tina4_service::{Context, Flow, Local, Res, Tick, service};

    /// Beats.
    #[service(interval = "10ms", initial_delay = "1ms", jitter = "2ms", timeout = "1s")]
    pub fn boundaries_beat() {}

    /// Pauses in between.
    ///
    /// # Errors
    ///
    /// None, so far.
    #[service(
        name = "boundaries.pauses",
        delay = "1h 30m",
        restart = "on-failure",
        max_restarts = 5,
        restart_window = "10m",
        backoff = "2s",
        max_backoff = "40s",
        stop_timeout = "3s",
        after = [boundaries_beat, "boundaries.always"],
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

    /// Runs for ever.
    #[service(name = "boundaries.always", restart = "always")]
    pub fn always(ctx: &Context) -> Flow {
        while ctx.sleep(std::time::Duration::from_hours(1)) {}
        Flow::Wait
    }

    /// Never returns.
    ///
    /// # Panics
    ///
    /// Always.
    #[service(name = "boundaries.never", restart = "never", autostart = false)]
    pub fn never() -> ! {
        panic!("never");
    }

    /// As many parameters as there may be, and all by value.
    ///
    /// # Errors
    ///
    /// If it is not called as it wants to be.
    #[service(name = "boundaries.eight", max_restarts = 0, autostart = false)]
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
        let known = five.is_some() && !six.is_empty() && eight.tick().run == seven.run;
        if known && all == [0; 4] { Ok(Flow::Done) } else { six.parse::<u8>().map(|_| Flow::Wait) }
    }

    /// Old, and about to go.
    #[deprecated]
    #[service(name = "boundaries.old", autostart = false)]
    pub fn old() {}

    /// Not in this program.
    #[cfg(any())]
    #[service(name = "boundaries.absent")]
    pub fn absent(_: NoSuchType) {}
}

#[test]
fn rule_80_services_of_a_careful_crate_run() {
    let names = ["boundaries_beat", "boundaries.pauses", "boundaries.always", "boundaries.eight"];
    let runner = Runner::builder().only(names).build();
    let mut watch = Watch::new(&runner);
    runner.provide("text".to_owned());
    runner.start_all().unwrap();
    watch.ended("boundaries_beat");
    watch.began("boundaries.always");
    runner.start("boundaries.eight").unwrap();
    watch.change("boundaries.eight", &Change::Finished);
    runner.start("boundaries.pauses").unwrap();
    watch.ended("boundaries.pauses");
    assert!(runner.stop_all().is_clean());
    assert!(!Runner::builder().build().status().contains_key("boundaries.absent"));
}

#[test]
fn rule_81_unsafe_code_is_denied_but_for_one_door() {
    let found = sources("tina4-service/src");
    let root = found
        .iter()
        .find(|(path, _)| path == "tina4-service/src/lib.rs")
        .expect("the crate has a root");
    assert!(root.1.contains("#![deny(unsafe_code)]"));
    let doors: Vec<_> = found
        .iter()
        .filter(|(_, text)| text.contains("unsafe_code, reason"))
        .map(|(path, _)| &**path)
        .collect();
    assert_eq!(doors, ["tina4-service/src/ffi.rs"]);
}

/// A lock that a panic has poisoned is as good as before: nobody gives up on one.
#[test]
fn rule_51_no_lock_is_given_up_for_being_poisoned() {
    let mut locks = 0;
    for (path, text) in sources("tina4-service/src") {
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        let code: String = code.split_whitespace().collect();
        for call in [".lock()", ".read()", ".write()"] {
            for (place, _) in code.match_indices(call) {
                let rest = &code[place + call.len()..];
                assert!(
                    ![".unwrap()", ".expect(", "?"].iter().any(|end| rest.starts_with(end)),
                    "{path}: {call}"
                );
                locks += usize::from(rest.starts_with(".unwrap_or_else("));
            }
        }
    }
    assert!(locks >= 5, "they are found: {locks}");
}

#[test]
fn rule_82_every_wrong_setting_is_a_fault_that_says_what_to_do() {
    type Case = (fn() -> Service, &'static [&'static str]);
    let new = || Service::new("s", |_| {});
    assert!(check(new()).is_empty());
    let cases: [Case; 16] = [
        (|| Service::new("", |_| {}), &["name"]),
        (|| Service::new("2nd", |_| {}), &["cannot start with `2`"]),
        (|| Service::new("a b", |_| {}), &["cannot contain spaces"]),
        (|| Service::new("x".repeat(65), |_| {}), &["65"]),
        (|| Service::new("s", |_| {}).interval("30"), &["`interval`", "did you mean `\"30s\"`?"]),
        (|| Service::new("s", |_| {}).interval(""), &["`interval`"]),
        (|| Service::new("s", |_| {}).interval("0s"), &["`interval`"]),
        (|| Service::new("s", |_| {}).interval("1us"), &["`interval`", "1ms"]),
        (|| Service::new("s", |_| {}).delay("367 days"), &["`delay`", "366"]),
        (|| Service::new("s", |_| {}).interval("1 month"), &["`interval`", "month"]),
        (|| Service::new("s", |_| {}).interval("1s").delay("1s"), &["exclude each other"]),
        (|| Service::new("s", |_| {}).interval("1s").jitter("1s"), &["`jitter`", "shorter"]),
        (|| Service::new("s", |_| {}).jitter("1s"), &["`jitter`", "continuous"]),
        (|| Service::new("s", |_| {}).backoff("2m"), &["`backoff`", "`max_backoff`"]),
        (
            || Service::new("s", |_| {}).max_restarts(3).restart_window("2s"),
            &["`restart_window`", "`1s`, `2s`, `4s`"],
        ),
        (
            || Service::new("s", |_| {}).timeout("soon").stop_timeout("later"),
            &["`timeout`", "`stop_timeout`"],
        ),
    ];
    for (make, words) in cases {
        let faults = check(make());
        assert!(!faults.is_empty(), "{words:?} is no fault");
        for word in words {
            assert!(faults.contains(word), "`{word}` is not in: {faults}");
        }
    }
}

/// One mistake is one fault: a value that cannot be read must not cause complaints about others.
#[test]
fn rule_82_one_mistake_is_told_once() {
    for service in [
        Service::new("s", |_| {}).interval("abc").jitter("1s"),
        Service::new("s", |_| {}).max_restarts(3).restart_window("abc"),
        Service::new("s", |_| {}).backoff("abc").max_backoff("500ms"),
    ] {
        let faults = check(service);
        assert_eq!(faults.lines().count(), 2, "a head and one fault: {faults}");
    }
}

/// What `check` says about a service; nothing if it is well.
fn check(service: Service) -> String {
    let runner = Runner::new();
    runner.register(service);
    runner.check().err().map(|error| error.to_string()).unwrap_or_default()
}
