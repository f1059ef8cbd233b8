//! What a deployment may write, and how it is merged with the code.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::{
    Anchor, Cron, Draft, Key, OnTimeout, Ready, Restart, Schedule, Setting, Spec, Timezone,
};

fn secs(seconds: u64) -> Option<Duration> {
    Some(Duration::from_secs(seconds))
}

fn key(name: &str) -> SettableKey {
    SettableKey::from_name(name).expect("it is a key")
}

/// Parses `key=value key=value ..`, with `~` for a space.
fn layer<S: Copy>(texts: &str, source: S) -> Vec<(Assignment, S)> {
    let assignment = |text: &str| {
        let (name, value) = text.split_once('=').expect("key=value");
        let value = value.replace('~', " ");
        (
            Assignment::parse(key(name), &value).unwrap_or_else(|error| panic!("{text}: {error}")),
            source,
        )
    };
    texts.split_whitespace().map(assignment).collect()
}

fn merged(draft: &Draft, settings: &str, environment: &str) -> Merged<&'static str> {
    let spec = draft.check().unwrap();
    let layers = [layer(settings, "settings"), layer(environment, "environment")];
    merge(&spec, None, &layers, &[]).unwrap_or_else(|faults| panic!("{faults:?}"))
}

/// Each fault as `key (source) related (source): message`.
fn faults(draft: &Draft, settings: &str, environment: &str) -> Vec<String> {
    let spec = draft.check().unwrap();
    let layers = [layer(settings, "settings"), layer(environment, "environment")];
    let shown = |(key, source): (SettableKey, Option<&str>)| {
        format!("{key} ({})", source.unwrap_or("code"))
    };
    let faults = merge(&spec, None, &layers, &[]).expect_err("there are faults");
    let text = |fault: MergeFault<&'static str>| {
        let related = fault.related.map(shown).unwrap_or_default();
        format!("{} {related}: {}", shown(fault.key), fault.message)
    };
    faults.into_iter().map(text).collect()
}

/// What was overridden, as `key: original -> value (source)`.
fn overridden(merged: &Merged<&'static str>) -> Vec<String> {
    let shown = |text: &Option<String>| text.as_deref().unwrap_or("none").to_owned();
    let all = merged.overridden.iter();
    all.map(|Overridden { key, original, value, source }| {
        format!("{key}: {} -> {} ({source})", shown(original), shown(value))
    })
    .collect()
}

fn every(seconds: u64) -> Draft {
    Draft { interval: secs(seconds), ..Draft::default() }
}

fn daily() -> Draft {
    let timezone = Some(Timezone::parse("Europe/Berlin").unwrap());
    Draft { cron: Some(Cron::parse("0 8 * * *").unwrap()), timezone, ..Draft::default() }
}

fn anchored() -> Draft {
    let timezone = Some(Timezone::parse("UTC").unwrap());
    Draft { anchor: Some(Anchor::parse("09:00").unwrap()), timezone, ..every(3_600) }
}

#[test]
fn rule_101_every_settable_key_is_found_by_its_name() {
    for known in SettableKey::all() {
        assert_eq!(SettableKey::from_name(known.as_str()), Ok(known));
    }
    let attribute = |key| Some(SettableKey::Attribute(key));
    for (name, nearest) in [
        ("intervall", attribute(Key::Interval)),
        ("INTERVAL", attribute(Key::Interval)),
        ("every", attribute(Key::Interval)),
        ("max-restarts", attribute(Key::MaxRestarts)),
        ("retries", attribute(Key::MaxRestarts)),
        ("tag", attribute(Key::Tags)),
        ("enable", Some(SettableKey::Enabled)),
        ("port", None),
        ("", None),
    ] {
        assert_eq!(SettableKey::from_name(name), Err(KeyError::Unknown { nearest }), "{name}");
    }
    for name in ["name", "after", "requires", "ready", "on_stop", "critical", "crate"] {
        let key = Key::from_name(name).unwrap();
        assert_eq!(SettableKey::from_name(name), Err(KeyError::Fixed(key)));
        let error = Assignment::parse(SettableKey::Attribute(key), "x").unwrap_err();
        assert!(error.contains("cannot be changed at deployment"), "{error}");
    }
}

#[test]
fn rule_101_values_are_those_of_the_attribute() {
    let set = |setting| Ok(Assignment::Set(setting));
    let second = Duration::from_secs(1);
    for (name, text, expected) in [
        ("interval", "1s", set(Setting::Interval(second))),
        ("interval", "off", Ok(Assignment::Off(Key::Interval))),
        ("delay", "1s", set(Setting::Delay(second))),
        ("delay", "off", Ok(Assignment::Off(Key::Delay))),
        ("cron", "@daily", set(Setting::Cron(Cron::parse("@daily").unwrap()))),
        ("cron", "off", Ok(Assignment::Off(Key::Cron))),
        ("timezone", "UTC", set(Setting::Timezone(Timezone::parse("UTC").unwrap()))),
        ("anchor", "09:00", set(Setting::Anchor(Anchor::parse("09:00").unwrap()))),
        ("anchor", "none", Ok(Assignment::Unset(Key::Anchor))),
        ("tolerance", "none", Ok(Assignment::Unset(Key::Tolerance))),
        ("initial_delay", "0s", set(Setting::InitialDelay(Duration::ZERO))),
        ("jitter", "none", Ok(Assignment::Unset(Key::Jitter))),
        ("timeout", "none", Ok(Assignment::Unset(Key::Timeout))),
        ("on_timeout", "cancel", set(Setting::OnTimeout(OnTimeout::Cancel))),
        ("restart", "never", set(Setting::Restart(Restart::Never))),
        ("max_restarts", "5", set(Setting::MaxRestarts(5))),
        ("max_restarts", "1_000", set(Setting::MaxRestarts(1_000))),
        ("max_restarts", "none", Ok(Assignment::Unset(Key::MaxRestarts))),
        ("restart_window", "none", Ok(Assignment::Unset(Key::RestartWindow))),
        ("backoff", "1s", set(Setting::Backoff(second))),
        ("max_backoff", "1s", set(Setting::MaxBackoff(second))),
        ("stop_timeout", "1s", set(Setting::StopTimeout(second))),
        ("autostart", "false", set(Setting::Autostart(false))),
        ("enabled", "true", Ok(Assignment::Enabled(true))),
        ("tags", "mail, slow", Ok(Assignment::Tags(vec!["mail".to_owned(), "slow".to_owned()]))),
        ("tags", "none", Ok(Assignment::Tags(vec![]))),
        ("interval", "30", Err("`30` has no unit; did you mean `\"30s\"`?")),
        (
            "interval",
            "none",
            Err(
                "a service cannot lose its schedule; write `off` to disable it, or another value for `interval`",
            ),
        ),
        (
            "interval",
            "\"30s\"",
            Err("the quotation marks are part of the value; write `30s` without them"),
        ),
        (
            "interval",
            "'30s'",
            Err("the quotation marks are part of the value; write `30s` without them"),
        ),
        (
            "jitter",
            "off",
            Err("expected a number before `off`; write numbers and units, such as `\"1h 30m\"`"),
        ),
        ("cron", "61 * * * *", Err("`61` is not a minute; write 0 to 59\n    61 * * * *\n    ^^")),
        (
            "timezone",
            "UTC+2",
            Err(
                "`UTC+2` is an offset, not a time zone; name a time zone instead, such as `Europe/Berlin`",
            ),
        ),
        ("timezone", "none", Err("`timezone` always has a value; write one, such as `local`")),
        ("backoff", "none", Err("`backoff` always has a value; write one, such as `1s`")),
        (
            "restart",
            "allways",
            Err("unknown value `\"allways\"` for `restart`; did you mean `\"always\"`?"),
        ),
        (
            "restart",
            "x",
            Err(
                "unknown value `\"x\"` for `restart`; use `\"on-failure\"`, `\"always\"` or `\"never\"`",
            ),
        ),
        (
            "on_timeout",
            "x",
            Err("unknown value `\"x\"` for `on_timeout`; use `\"report\"` or `\"cancel\"`"),
        ),
        (
            "max_restarts",
            "-1",
            Err(
                "`max_restarts` cannot be negative; use `0` to fail at the first crash, or write `none` for no limit",
            ),
        ),
        (
            "max_restarts",
            "4294967296",
            Err(
                "`max_restarts` of `4294967296` is too large; use at most `4294967295`, or write `none` for no limit",
            ),
        ),
        (
            "max_restarts",
            "five",
            Err("expected a whole number, found `five`; write one, such as `5`"),
        ),
        (
            "max_restarts",
            "1.5",
            Err("expected a whole number, found `1.5`; write one, such as `5`"),
        ),
        ("autostart", "yes", Err("expected `true` or `false`, found `yes`; did you mean `true`?")),
        ("enabled", "0", Err("expected `true` or `false`, found `0`; did you mean `false`?")),
        ("enabled", "maybe", Err("expected `true` or `false`, found `maybe`; write one of them")),
        ("tags", "a,,b", Err("the tag is empty; write one, such as `\"mail\"`")),
        ("tags", "a,a", Err("the tag `a` is given more than once; keep one")),
        (
            "tags",
            "tag:a",
            Err("a tag cannot contain `:`; use ASCII letters, digits, `_`, `-` and `.`"),
        ),
    ] {
        let expected = expected.map_err(str::to_owned);
        assert_eq!(Assignment::parse(key(name), text), expected, "{name}={text}");
    }
}

#[test]
fn rule_100_the_higher_layer_wins() {
    let both = merged(&every(30), "interval=20s jitter=2s", "interval=10s");
    assert_eq!(both.spec.schedule, Schedule::Interval(Duration::from_secs(10)));
    assert_eq!(both.spec.jitter, Duration::from_secs(2));
    assert_eq!(
        overridden(&both),
        ["interval: 30s -> 10s (environment)", "jitter: none -> 2s (settings)"]
    );
    assert_eq!(merged(&every(30), "", "").overridden, []);
    let policy = merged(
        &every(30),
        "max_restarts=3 restart_window=1h",
        "max_restarts=none restart_window=none",
    );
    assert_eq!(policy.spec, every(30).check().unwrap());
}

#[test]
fn rule_103_a_schedule_replaces_the_one_of_a_lower_layer() {
    let changed = merged(&daily(), "", "interval=5m");
    assert_eq!(changed.spec.schedule, Schedule::Interval(Duration::from_secs(300)));
    assert_eq!(
        overridden(&changed),
        [
            "interval: none -> 5m (environment)",
            "cron: 0 8 * * * -> none (environment)",
            "timezone: Europe/Berlin -> none (environment)",
        ]
    );
    let delayed = Draft { initial_delay: secs(5), ..every(30) };
    let changed = merged(&delayed, "", "cron=0~8~*~*~*");
    assert_eq!(changed.spec.initial_delay, Duration::ZERO, "`cron` determines the first run");
    // The anchor stays with another interval, and goes with the interval itself.
    let changed = merged(&anchored(), "", "interval=90m");
    assert!(matches!(changed.spec.schedule, Schedule::Calendar(..)));
    let changed = merged(&anchored(), "", "delay=7m");
    assert_eq!(changed.spec.schedule, Schedule::Delay(Duration::from_secs(420)));
    let changed = merged(&anchored(), "", "anchor=none");
    assert_eq!(changed.spec.schedule, Schedule::Interval(Duration::from_secs(3_600)));
    let changed = merged(&every(30), "cron=@daily timezone=UTC", "delay=1m");
    assert_eq!(changed.spec.schedule, Schedule::Delay(Duration::from_secs(60)));
}

#[test]
fn rule_103_what_a_higher_layer_makes_void_is_dropped() {
    let policy = Draft {
        max_restarts: Some(3),
        restart_window: secs(3_600),
        backoff: secs(5),
        timeout: secs(9),
        on_timeout: Some(OnTimeout::Cancel),
        ..every(30)
    };
    let changed = merged(&policy, "", "restart=never timeout=none");
    let expected = Draft { restart: Some(Restart::Never), ..every(30) };
    assert_eq!(changed.spec, expected.check().unwrap());
    assert_eq!(changed.overridden.len(), 6, "{:?}", overridden(&changed));
    let changed = merged(&policy, "", "max_restarts=none");
    assert_eq!(changed.spec.restart_policy.window, None);
}

#[test]
fn rule_103_contradictions_name_both_sources() {
    let jittery = Draft { jitter: secs(5), ..every(30) };
    assert_eq!(
        faults(&jittery, "", "interval=2s"),
        [
            "jitter (code) interval (environment): `jitter` of `5s` is not shorter than the `interval` of `2s`; make `jitter` shorter than `2s`"
        ]
    );
    assert_eq!(
        faults(&every(30), "jitter=5s", "interval=2s"),
        [
            "jitter (settings) interval (environment): `jitter` of `5s` is not shorter than the `interval` of `2s`; make `jitter` shorter than `2s`"
        ]
    );
    assert_eq!(
        faults(&every(30), "", "interval=1s delay=1s"),
        [
            "delay (environment) interval (environment): `interval` and `delay` cannot be combined; keep `interval` for a fixed rate or `delay` for a fixed pause"
        ]
    );
    assert_eq!(
        faults(&daily(), "", "interval=1m timezone=UTC"),
        [
            "timezone (environment) : `timezone` has no effect without `cron` or `anchor`; add one of them or remove `timezone`"
        ]
    );
    assert_eq!(
        faults(&every(30), "timezone=UTC cron=@daily", "interval=1m timezone=UTC"),
        [
            "timezone (environment) : `timezone` has no effect without `cron` or `anchor`; add one of them or remove `timezone`"
        ]
    );
    let [fault] = &faults(&Draft::default(), "", "interval=1m jitter=1s")[..] else {
        panic!("one")
    };
    assert!(
        fault.starts_with(
            "interval (environment) : `interval` cannot be set for a continuous service"
        ),
        "{fault}"
    );
    let finishes = Draft { ready: Some(Ready::Finished), ..Draft::default() };
    let [fault] = &faults(&finishes, "", "restart=always")[..] else { panic!("one") };
    assert!(fault.starts_with("ready (code) restart (environment): "), "{fault}");
    let [fault] = &faults(&anchored(), "", "interval=7m")[..] else { panic!("one") };
    assert!(fault.starts_with("interval (environment) anchor (code): "), "{fault}");
}

/// A schedule that is refused hides no other mistake, and what belongs to it is no mistake of its own.
#[test]
fn rule_30_and_103_a_schedule_for_a_continuous_service_hides_no_other_fault() {
    let continuous = Draft::default();
    let refused = "cannot be set for a continuous service";
    for (texts, others) in [
        ("interval=1m jitter=1s", vec![]),
        ("cron=@daily timezone=UTC tolerance=1s", vec![]),
        ("interval=1m restart_window=1h", vec!["`restart_window` has no effect without"]),
        ("interval=1m delay=off", vec![]),
        ("delay=1m backoff=2m initial_delay=367d", vec!["`initial_delay` of", "`backoff` of"]),
    ] {
        let found = faults(&continuous, "", texts);
        let is_refused = |fault: &&String| fault.contains(refused);
        assert_eq!(found.iter().filter(is_refused).count(), 1, "{texts}: {found:#?}");
        assert_eq!(found.len(), 1 + others.len(), "{texts}: {found:#?}");
        for other in others {
            assert!(found.iter().any(|fault| fault.contains(other)), "{texts}: {found:#?}");
        }
    }
}

/// To remove a variable brings back the value of the code.
#[test]
fn rule_103_what_the_code_sets_is_unset_with_none() {
    let with_anchor = Draft { interval: secs(90 * 60), ..anchored() };
    let [fault] = &faults(&with_anchor, "", "interval=1500ms")[..] else { panic!("one") };
    assert!(fault.ends_with(", or set `anchor` to `none`"), "{fault}");
    for (texts, remedy) in [
        ("timeout=0s", "use at least `1ms`, or write `none`"),
        ("tolerance=0s", "use at least `1ms`, or write `none`"),
        ("interval=0s", "use at least `1ms`, or remove it"),
        ("anchor=00:00 delay=1s", "replace `delay` with `interval`, or remove `anchor`"),
    ] {
        let [fault] = &faults(&every(30), "", texts)[..] else { panic!("{texts}") };
        assert!(fault.ends_with(remedy), "{fault}");
    }
    for value in ["-1", "4294967296"] {
        let parsed = Assignment::parse(key("max_restarts"), value).unwrap_err();
        assert!(parsed.ends_with("or write `none` for no limit"), "{parsed}");
    }
}

#[test]
fn rule_101_off_and_enabled_disable() {
    let by = |settings, environment| merged(&every(30), settings, environment).disabled_by;
    let interval = SettableKey::Attribute(Key::Interval);
    let cron = SettableKey::Attribute(Key::Cron);
    assert_eq!(by("", "enabled=false"), Some((SettableKey::Enabled, "false", "environment")));
    assert_eq!(by("", "interval=off"), Some((interval, "off", "environment")));
    assert_eq!(by("", "cron=off"), Some((cron, "off", "environment")), "any schedule");
    assert_eq!(by("", "enabled=true"), None);
    assert_eq!(by("enabled=false", "enabled=true"), None);
    assert_eq!(
        by("enabled=false", "interval=5s"),
        Some((SettableKey::Enabled, "false", "settings"))
    );
    assert_eq!(by("interval=off", "interval=5s"), None, "the value is replaced");
    assert_eq!(by("interval=off", "enabled=true"), None);
    assert_eq!(by("enabled=true", "cron=off"), Some((cron, "off", "environment")));
    assert_eq!(
        by("", "enabled=false delay=off"),
        Some((SettableKey::Enabled, "false", "environment"))
    );
    assert!(merged(&Draft::default(), "", "interval=off").disabled_by.is_some(), "continuous");
    let off = merged(&every(30), "", "cron=off");
    assert_eq!(off.spec, every(30).check().unwrap(), "the schedule stays");
    assert_eq!(overridden(&off), ["cron: none -> off (environment)"]);
    for contradiction in ["enabled=true interval=off", "interval=off cron=@daily"] {
        let [fault] = &faults(&every(30), "", contradiction)[..] else { panic!("{contradiction}") };
        assert!(fault.contains("is `off`, which disables the service, and"), "{fault}");
    }
}

fn duration() -> impl Strategy<Value = Option<Duration>> {
    prop::option::of((1..100_000_u64).prop_map(Duration::from_millis))
}

fn draft() -> impl Strategy<Value = Draft> {
    let schedule = prop_oneof![
        Just(Draft::default()),
        Just(daily()),
        Just(anchored()),
        duration().prop_map(|interval| Draft { interval, ..Draft::default() }),
        duration().prop_map(|delay| Draft { delay, ..Draft::default() }),
    ];
    let durations = (duration(), duration(), duration(), duration());
    let policy = (
        prop::option::of(prop::sample::select(&Restart::ALL[..])),
        prop::option::of(0..5_u32),
        duration(),
        duration(),
        duration(),
    );
    let flags = (any::<Option<bool>>(), any::<Option<bool>>());
    (schedule, durations, policy, flags).prop_map(|(schedule, durations, policy, flags)| Draft {
        tolerance: durations.0,
        initial_delay: durations.1,
        jitter: durations.2,
        timeout: durations.3,
        restart: policy.0,
        max_restarts: policy.1,
        restart_window: policy.2,
        backoff: policy.3,
        max_backoff: policy.4,
        autostart: flags.0,
        critical: flags.1,
        ..schedule
    })
}

proptest! {
    #![proptest_config(crate::proptest_config::config())]

    /// The single settings of a spec give the same spec, also after each went through its text.
    #[test]
    fn rule_101_the_settings_of_a_spec_give_the_same_spec(draft in draft()) {
        if let Ok(spec) = draft.check() {
            let (mut again, mut parsed) = (Draft::default(), Draft::default());
            for setting in spec.settings() {
                again.set(setting.clone());
                let key = SettableKey::Attribute(setting.key());
                if SettableKey::allows(setting.key()) {
                    prop_assert_eq!(Assignment::parse(key, &setting.to_string()), Ok(Assignment::Set(setting.clone())));
                }
                parsed.set(setting);
            }
            prop_assert_eq!(again.check(), Ok(spec.clone()));
            prop_assert_eq!(parsed.check(), Ok(spec.clone()));
            // Nothing changes without changes.
            let unchanged: Merged<()> = merge(&spec, None, &[], &[]).unwrap();
            prop_assert_eq!(unchanged.spec, spec);
        }
    }

    /// A merge ends, and its result is what the checks accept.
    #[test]
    fn rule_103_a_merge_is_checked(base in draft(), settings in draft(), environment in draft()) {
        let Ok(spec) = base.check() else { return Ok(()) };
        let as_layer = |draft: Draft| -> Vec<(Assignment, ())> {
            let given = Spec { ..draft.check().unwrap_or(Spec::DEFAULT) }.settings();
            let allowed = given.into_iter().filter(|setting| SettableKey::allows(setting.key()));
            allowed.map(|setting| (Assignment::Set(setting), ())).collect()
        };
        if let Ok(merged) = merge(&spec, None, &[as_layer(settings), as_layer(environment)], &[]) {
            let mut again = Draft::default();
            merged.spec.settings().into_iter().for_each(|setting| again.set(setting));
            prop_assert_eq!(again.check(), Ok(merged.spec.clone()));
            prop_assert_eq!(merged.spec.schedule.is_periodic(), spec.schedule.is_periodic());
            prop_assert_eq!(merged.spec.critical, spec.critical);
        }
    }
}
