//! Rule 101: a right value is in force, and not only accepted. A service whose deployment sets it behaves in
//! virtual time as one whose code does, and differently from one without it.

use std::time::Duration;

use tests::{starts, virtual_time_builder};
use tina4_service::queue::{Engine as _, NewJob, Timestamp};
use tina4_service::testing::TestRunner;
use tina4_service::{Context, Flow, Job, MemoryEngine, OnTimeout, Restart, Service, State};
use tina4_service_core::deployment::{Assignment, SettableKey};
use tina4_service_core::{Setting, duration};

use super::values::{CASES, JOBS, Kind};

/// How many runs a timeline has at most.
const RUNS: usize = 12;

/// Crashes until the longest backoff, and then takes long once, so that every setting about that shows.
fn repeated(ctx: &Context) -> Result<Flow, &'static str> {
    match ctx.tick().run {
        ..=8 => Err("no"),
        9 => {
            let _ = ctx.sleep(tests::secs(90));
            Ok(Flow::Wait)
        }
        _ => Ok(Flow::Wait),
    }
}

/// Crashes as often, and then runs for a while until it returns.
fn continuous(ctx: &Context) -> Result<Flow, &'static str> {
    match ctx.tick().run {
        ..=8 => Err("no"),
        _ => {
            let _ = ctx.sleep(tests::secs(90));
            Ok(Flow::Wait)
        }
    }
}

/// Fails, after long enough that jobs overlap.
fn job(_: Job<String>, ctx: &Context) -> Result<(), &'static str> {
    let _ = ctx.sleep(tests::secs(90));
    Err("no")
}

/// The service of a kind, with one more setting in the code.
fn in_code(kind: Kind, key: &str, value: &str) -> Service {
    let every = |service: Service| service.interval("30s");
    let number = || match Assignment::parse(SettableKey::from_name(key).unwrap(), value) {
        Ok(Assignment::Set(
            Setting::MaxRestarts(number) | Setting::Attempts(number) | Setting::Concurrency(number),
        )) => number,
        other => panic!("a number: {other:?}"),
    };
    let new = || match kind {
        Kind::Once => Service::new("s", continuous),
        Kind::Queued => Service::of("s", job).queue(JOBS),
        Kind::Every | Kind::Timed | Kind::Limited | Kind::Pauses | Kind::Daily | Kind::Anchored => {
            Service::new("s", repeated)
        }
    };
    match (kind, key) {
        (Kind::Anchored, "interval") => {
            return new().interval(value).anchor("00:00").timezone("UTC");
        }
        (_, "interval") => return new().interval(value),
        (_, "delay") => return new().delay(value),
        (_, "cron") => return new().cron(value),
        (Kind::Anchored, "anchor") if value == "none" => return new().interval("90m"),
        (Kind::Anchored, "anchor") => return new().interval("90m").anchor(value).timezone("UTC"),
        (Kind::Anchored, "timezone") => {
            return new().interval("90m").anchor("00:00").timezone(value);
        }
        _ => {}
    };
    let service = match kind {
        Kind::Every => every(new()),
        Kind::Timed if key == "timeout" => every(new()),
        Kind::Timed => every(new()).timeout("10s"),
        Kind::Limited if key == "max_restarts" => every(new()),
        Kind::Limited => every(new()).max_restarts(5),
        Kind::Pauses => new().delay("30s"),
        Kind::Daily => new().cron("0 8 * * *"),
        Kind::Anchored => new().interval("90m").anchor("00:00").timezone("UTC"),
        Kind::Once | Kind::Queued => new(),
    };
    if value == "none" {
        return service;
    }
    match key {
        "timezone" => service.timezone(value),
        "anchor" => service.anchor(value),
        "tolerance" => service.tolerance(value),
        "initial_delay" => service.initial_delay(value),
        "jitter" => service.jitter(value),
        "timeout" => service.timeout(value),
        "on_timeout" if value == "cancel" => service.on_timeout(OnTimeout::Cancel),
        "restart" => service.restart(match value {
            "never" => Restart::Never,
            "always" => Restart::Always,
            _ => Restart::OnFailure,
        }),
        "max_restarts" => service.max_restarts(number()),
        "restart_window" => service.restart_window(value),
        "backoff" => service.backoff(value),
        "max_backoff" => service.max_backoff(value),
        "stop_timeout" => service.stop_timeout(value),
        "attempts" => service.attempts(number()),
        "concurrency" => service.concurrency(number()),
        "lease" => service.lease(value),
        "poll" => service.poll(value),
        "keep_dead" => service.keep_dead(value),
        "keep_done" => service.keep_done(value),
        "autostart" => service.autostart(value == "true"),
        "tags" => service.tags(value.split(',').map(|tag| tag.trim().to_owned())),
        "" | "enabled" | "on_timeout" => service,
        _ => panic!("`{key}` cannot be set"),
    }
}

fn variable(key: &str, value: &str) -> (String, String) {
    (format!("TINA4_SERVICES__S__{}", key.to_uppercase()), value.to_owned())
}

fn test_runner(service: Service, variables: Vec<(String, String)>) -> TestRunner {
    let builder = virtual_time_builder().queues(MemoryEngine::new());
    let builder = builder.env_vars(variables).service(service);
    builder.build().unwrap_or_else(|error| panic!("{error}"))
}

/// What happens to the service in some of its runs, and when it is stopped in the middle of one.
fn timeline(test: impl Fn() -> TestRunner, kind: Kind) -> String {
    let (mut runs, mut stopped) = (test(), test());
    let origin = runs.now();
    stopped.slow_next("s", "2h");
    match kind {
        Kind::Queued => {
            for text in ["a", "b", "c"] {
                runs.push(JOBS, &text.to_owned());
            }
            stopped.push(JOBS, &"a".to_owned());
            // Until the attempts of all jobs are used up.
            runs.advance("1h");
            stopped.advance("1s");
        }
        Kind::Every
        | Kind::Timed
        | Kind::Limited
        | Kind::Pauses
        | Kind::Daily
        | Kind::Anchored
        | Kind::Once => {
            for _ in 0..RUNS {
                runs.run_next();
            }
            stopped.run_next();
        }
    }
    stopped.stop_all();
    let starts = starts(&runs, "s", origin);
    format!("{}{starts:?}{}", runs.timeline(), stopped.timeline())
}

/// Whether a timeline shows nothing of this value.
fn is_invisible(key: &str, value: &str) -> bool {
    match (key, value) {
        // It makes due times of several services share a wake-up.
        ("tolerance", _) => true,
        // Ten attempts are over before the backoff is that long.
        ("max_backoff", "1d") => true,
        // No service crashes that often.
        ("max_restarts", "1_000" | "4294967295" | "0x10") => true,
        // All restarts are in the window.
        ("restart_window", _) => true,
        // This is what the code has anyway; the test is in UTC.
        ("restart", "on-failure")
        | ("on_timeout", "report")
        | ("autostart" | "enabled", "true")
        | ("concurrency", "1")
        | ("initial_delay", "0s")
        | ("timezone", "UTC" | "local")
        | (_, "none") => true,
        _ => false,
    }
}

#[test]
fn rule_101_every_right_value_is_in_force() {
    let (mut compared, mut different) = (0, 0);
    let mut without_effect = Vec::new();
    for (kind, key, value, fault) in CASES {
        if fault.is_some() {
            continue;
        }
        let case = format!("{kind:?} {key}={value}");
        let (name, text) = variable(key, value);
        let deployed = || test_runner(in_code(*kind, "", ""), vec![(name.clone(), text.clone())]);
        // It is shown, with its source and in the words of the attribute.
        let info = deployed().runner().services().remove(0);
        let shown = info.overridden.iter().find(|setting| setting.key == *key);
        let shown = shown.unwrap_or_else(|| panic!("{case}: {:?}", info.overridden));
        let assignment = Assignment::parse(SettableKey::from_name(key).unwrap(), value).unwrap();
        let expected = match assignment {
            Assignment::Set(setting) => Some(setting.to_string()),
            Assignment::Unset(_) => None,
            Assignment::Off(_) => Some("off".to_owned()),
            Assignment::Enabled(enabled) => Some(enabled.to_string()),
            Assignment::Tags(tags) => (!tags.is_empty()).then(|| tags.join(", ")),
        };
        assert_eq!(
            (&shown.value, shown.source.to_string()),
            (&expected, format!("`{name}`")),
            "{case}"
        );
        if *key == "tags" {
            let expected: Vec<String> = match *value {
                "none" => Vec::new(),
                tags => tags.split(',').map(|tag| tag.trim().to_owned()).collect(),
            };
            assert_eq!(info.tags, expected, "{case}");
            continue;
        }
        if is_about_the_store(key) {
            // See below.
            continue;
        }
        if *value == "off" || (*key, *value) == ("enabled", "false") {
            assert_eq!(info.state, State::Disabled, "{case}");
            assert!(!timeline(deployed, *kind).contains("run 1"), "{case}");
            continue;
        }
        let deployed = timeline(deployed, *kind);
        let coded = timeline(|| test_runner(in_code(*kind, key, value), Vec::new()), *kind);
        assert_eq!(deployed, coded, "{case}");
        compared += 1;
        let unchanged = timeline(|| test_runner(in_code(*kind, "", ""), Vec::new()), *kind);
        if deployed != unchanged {
            different += 1;
        } else if !is_invisible(key, value) {
            without_effect.push(case);
        }
    }
    assert!(without_effect.is_empty(), "{without_effect:#?}");
    assert!(compared >= 60 && different >= 40, "{compared}, {different}");
}

/// Whether a key shows in the store only: how long claims, dead jobs and copies of done ones are kept, and how often the
/// store is asked.
fn is_about_the_store(key: &str) -> bool {
    matches!(key, "lease" | "poll" | "keep_dead" | "keep_done")
}

/// A queue service of which the deployment sets a key, and the store as another process has it.
fn queue_test(service: Service, key: &str, value: &str) -> (TestRunner, MemoryEngine) {
    let engine = MemoryEngine::new();
    let other = engine.sibling();
    let builder = virtual_time_builder().queues(engine).env_vars([variable(key, value)]);
    (builder.service(service).build().unwrap_or_else(|error| panic!("{error}")), other)
}

fn quick(body: fn(Job<String>) -> Result<(), &'static str>) -> Service {
    Service::of("s", body).queue(JOBS).attempts(1)
}

/// How many jobs were done.
fn done(t: &TestRunner) -> u64 {
    t.info("s").queue.expect("it has a queue").counters.done
}

/// The job of a process that vanished comes back when its claim ends.
fn lease_is_in_force(value: &str) {
    let lease = duration::parse(value).unwrap();
    let (mut t, _) = queue_test(quick(|_| Ok(())).attempts(5), "lease", value);
    t.kill_next("s");
    t.push(JOBS, &"a".to_owned());
    t.advance(lease - Duration::from_millis(1));
    assert_eq!(done(&t), 0, "{value}: the claim has not ended yet");
    // The next poll finds it, after a backoff.
    t.advance("5s");
    assert_eq!(done(&t), 1, "{value}");
}

/// What another process pushes is found by the next poll, not before.
fn poll_is_in_force(value: &str) {
    let poll = duration::parse(value).unwrap();
    let (mut t, other) = queue_test(quick(|_| Ok(())), "poll", value);
    // Right after a poll.
    t.advance("1ms");
    t.advance(poll * 3);
    let before = t.runs("s");
    other.push(&[NewJob::new("jobs", "\"a\"")], Timestamp::default()).unwrap();
    t.advance(poll / 2);
    assert_eq!(t.runs("s"), before, "{value}: found too early");
    t.advance(poll / 2 + Duration::from_millis(1));
    assert_eq!(t.runs("s"), before + 1, "{value}: found too late");
}

/// What has ended is kept that long, and removed within an hour and a poll after that.
fn is_kept_for(key: &str, value: &str) {
    let is_dead = key == "keep_dead";
    let body = if is_dead { |_| Err("no") } else { |_| Ok(()) };
    let (mut t, _) = queue_test(quick(body).poll("1h"), key, value);
    t.push(JOBS, &"a".to_owned());
    t.advance("1s");
    let kept = |t: &TestRunner| if is_dead { t.dead(JOBS).len() } else { t.done(JOBS).len() };
    if value == "none" {
        assert_eq!(kept(&t), 0, "{key}={value}");
        return;
    }
    let age = duration::parse(value).unwrap();
    t.advance(age - Duration::from_secs(2));
    assert_eq!(kept(&t), 1, "{key}={value}: removed too early");
    t.advance("2h 1m");
    assert_eq!(kept(&t), 0, "{key}={value}: kept too long");
}

#[test]
fn rule_101_every_right_value_about_the_store_is_in_force() {
    let mut keys = std::collections::BTreeSet::new();
    for (_, key, value, fault) in CASES {
        match *key {
            _ if fault.is_some() => continue,
            "lease" => lease_is_in_force(value),
            "poll" => poll_is_in_force(value),
            "keep_dead" | "keep_done" => is_kept_for(key, value),
            _ => continue,
        }
        keys.insert(*key);
    }
    assert!(keys.iter().all(|key| is_about_the_store(key)) && keys.len() == 4, "{keys:?}");
}
