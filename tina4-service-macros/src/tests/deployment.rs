//! Whoever deploys a program writes the same values as its author: what the attribute makes of a key and what a
//! deployment makes of it, in random services and with random values.

use proptest::prelude::*;
use tina4_service_core::deployment::{Assignment, SettableKey, merge};
use tina4_service_core::{Key, Spec};

use crate::args::Args;
use crate::check::check;
use crate::diagnostics::Diagnostics;
use crate::function::Function;
use crate::value_kind::ValueKind;

/// A service: its keys with their values, as they are written at deployment.
type Written = [(Key, &'static str)];

/// Services to which a key is added, or in which it is changed. None has a setting that a change of another one makes
/// void: at deployment it would be dropped, in the attribute it is a contradiction.
const SERVICES: &[&Written] = &[
    &[],
    &[(Key::Interval, "30s")],
    &[(Key::Interval, "30s"), (Key::MaxRestarts, "5"), (Key::Timeout, "10s")],
    &[(Key::Interval, "90m"), (Key::Anchor, "00:00"), (Key::Timezone, "UTC")],
    &[(Key::Delay, "1m"), (Key::InitialDelay, "5s")],
    &[(Key::Cron, "0 8 * * *"), (Key::Timeout, "10s")],
    &[(Key::Cron, "*/10 * * * * *"), (Key::Timezone, "Europe/Berlin"), (Key::Jitter, "1s")],
    #[cfg(feature = "queue")]
    &[(Key::Queue, "JOBS")],
    #[cfg(feature = "queue")]
    &[(Key::Queue, "JOBS"), (Key::Attempts, "3"), (Key::KeepDone, "1d")],
    #[cfg(feature = "queue")]
    &[(Key::Queue, "JOBS"), (Key::Concurrency, "4"), (Key::Lease, "1m"), (Key::Timeout, "10s")],
];

/// The result of all settings of a service together: those that the core crate checks, and the tags.
type Outcome = Result<(Spec, Vec<String>), String>;

/// A key and its value, as the attribute has them.
fn argument((key, text): (Key, &str)) -> String {
    match ValueKind::of(key) {
        ValueKind::Count(_) | ValueKind::Bool(_) | ValueKind::Queue => format!("{key} = {text}"),
        ValueKind::Tags => {
            let tags: Vec<_> = text.split(',').map(|tag| format!("{:?}", tag.trim())).collect();
            format!("{key} = [{}]", tags.join(", "))
        }
        ValueKind::Name
        | ValueKind::Duration(_)
        | ValueKind::Cron
        | ValueKind::Timezone
        | ValueKind::Anchor
        | ValueKind::Restart
        | ValueKind::OnTimeout
        | ValueKind::Services
        | ValueKind::Ready
        | ValueKind::OnStop
        | ValueKind::OnDead
        | ValueKind::Crate => format!("{key} = {text:?}"),
    }
}

/// What the attribute makes of a service, or its messages.
fn in_attribute(service: &[(Key, &str)]) -> Outcome {
    let arguments: Vec<_> = service.iter().copied().map(argument).collect();
    let arguments = arguments.join(", ").parse().map_err(|_| "it does not lex".to_owned())?;
    let has_queue = service.iter().any(|(key, _)| *key == Key::Queue);
    let item = if has_queue { "fn f(job: Job<u32>) {}" } else { "fn f() {}" };
    let mut diagnostics = Diagnostics::default();
    let args = Args::read(arguments, &mut diagnostics);
    let function = Function::read(item.parse().expect("a function"), &mut diagnostics);
    let checked = check(args, function, &mut diagnostics);
    let faults = diagnostics.into_tokens();
    match checked {
        Some(checked) if faults.is_empty() => {
            Ok((checked.spec, checked.tags.iter().map(syn::LitStr::value).collect()))
        }
        _ => Err(faults.to_string()),
    }
}

/// What a deployment makes of a service of which it sets one key, or its messages.
fn at_deployment(service: &[(Key, &str)], key: Key, text: &str) -> Outcome {
    let (spec, tags) = in_attribute(service).expect("a service without faults");
    let assignment = Assignment::parse(SettableKey::Attribute(key), text)?;
    let merged = merge(&spec, None, &[vec![(assignment, ())]], &[]);
    let merged = merged
        .map_err(|faults| faults.iter().map(|fault| fault.message.as_str()).collect::<String>())?;
    Ok((merged.spec, merged.tags.unwrap_or(tags)))
}

/// The service with one more key, or with another value of one that it has.
fn with<'t>(service: &[(Key, &'t str)], key: Key, text: &'t str) -> Vec<(Key, &'t str)> {
    let others = service.iter().copied().filter(|(known, _)| *known != key);
    others.chain([(key, text)]).collect()
}

/// Whether the two are to agree on this value of this key in this service.
fn is_comparable(service: &[(Key, &str)], key: Key, text: &str) -> bool {
    // Numbers and words without quotation marks are tokens, so what is around them is no part of them.
    let is_token =
        |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || "_-+.".contains(c));
    let is_literal = matches!(ValueKind::of(key), ValueKind::Count(_) | ValueKind::Bool(_));
    // Two words have a meaning only at deployment.
    (!is_literal || is_token(text))
        && text != "off"
        && text != "none"
        && is_changed_alike(service, key)
}

/// Whether a deployment changes this key of this service as its author would: it replaces a whole schedule, gives none to
/// a continuous service, and drops what the code says about restarts if there are none.
fn is_changed_alike(service: &[(Key, &str)], key: Key) -> bool {
    let has = |key| service.iter().any(|(known, _)| *known == key);
    let is_schedule = matches!(key, Key::Interval | Key::Delay | Key::Cron);
    let drops_restarts = key == Key::Restart && has(Key::MaxRestarts);
    key != Key::Queue && (!is_schedule || has(key)) && !drops_restarts
}

/// The keys that the attribute and a deployment know.
fn keys() -> Vec<Key> {
    let of_attribute = |key| match key {
        SettableKey::Attribute(key) => Some(key),
        SettableKey::Enabled => None,
    };
    SettableKey::all().filter_map(of_attribute).collect()
}

/// Values of some key, or nearly.
const WORDS: &[&str] = &[
    "30s",
    "1h 30m",
    "0s",
    "1us",
    "367days",
    "1month",
    "30",
    "",
    " ",
    "-5s",
    "5",
    "0",
    "-1",
    "4294967295",
    "4294967296",
    "1_000",
    "1_000_",
    "0x10",
    "0b11",
    "0o17",
    "0xFFFF_FFFF",
    "0x1_0000_0000",
    "5u32",
    "5_u32",
    "0x5u32",
    "5u64",
    "5i32",
    "0b2",
    "0x",
    "007",
    "1.5",
    "1e3",
    "true",
    "false",
    "True",
    "never",
    "always",
    "on-failure",
    "on_failure",
    "report",
    "cancel",
    "UTC",
    "local",
    "Europe/Berlin",
    "UTC+2",
    "09:00",
    "2026-01-02 09:00",
    "2026-02-30 09:00",
    "0 8 * * *",
    "*/5 * * * * *",
    "@daily",
    "61 * * * *",
    "0 0 30 2 *",
    "mail",
    "mail,slow",
    "mail, slow",
    "mail,mail",
    "a,,b",
    "2nd",
];

/// Values of this key, or nearly, and texts of all kinds.
fn values(key: Key) -> BoxedStrategy<String> {
    let duration = || "[1-9][0-9]{0,3}(ms|s|m|min|h|d|days)( [1-9][0-9]{0,2}(ms|s|m|h))?";
    let of_kind: BoxedStrategy<String> = match ValueKind::of(key) {
        ValueKind::Duration(_) => duration().boxed(),
        ValueKind::Count(_) => prop_oneof![
            "[0-9]{1,5}",
            "[0-9_]{1,12}",
            "0[xob][0-9a-fA-F_]{1,9}(u32)?",
            (0..=u64::from(u32::MAX) + 2).prop_map(|number| number.to_string()),
        ]
        .boxed(),
        ValueKind::Bool(_) => prop::sample::select(vec!["true", "false", "yes"])
            .prop_map(str::to_owned)
            .boxed(),
        ValueKind::Cron => prop_oneof![
            "[0-9*/,-]{1,4}( [0-9*/,-]{1,4}){4,5}",
            "(\\*|[0-5]?[0-9]|\\*/[1-9]) (\\*|1?[0-9]) (\\*|1?[0-9]|L|15W) (\\*|[1-9]) (\\*|[0-7]|MON-FRI|5L|MON#2)",
        ]
        .boxed(),
        ValueKind::Tags => "[a-z0-9]{1,3}(, ?[a-z][a-z0-9-]{0,3}){0,3}".boxed(),
        ValueKind::Anchor => "(20[0-9]{2}-[01][0-9]-[0-3][0-9] )?[0-2][0-9]:[0-5]0(:[0-5]0)?".boxed(),
        ValueKind::Timezone | ValueKind::Restart | ValueKind::OnTimeout => {
            prop::sample::select(vec!["UTC", "local", "Asia/Tokyo", "never", "always", "cancel", "report"])
                .prop_map(str::to_owned)
                .boxed()
        }
        ValueKind::Name
        | ValueKind::Queue
        | ValueKind::Services
        | ValueKind::Ready
        | ValueKind::OnStop
        | ValueKind::OnDead
        | ValueKind::Crate => "[a-zA-Z/_-]{0,12}".boxed(),
    };
    prop_oneof![
        3 => of_kind,
        2 => prop::sample::select(WORDS).prop_map(str::to_owned),
        1 => duration(),
        1 => "[0-9]{1,12}(ms|s|m|h|d|w|x)?",
        1 => "[ -~]{0,8}",
    ]
    .boxed()
}

/// A service, a key, and a text.
fn cases() -> impl Strategy<Value = (&'static Written, Key, String)> {
    let keys: Vec<_> = keys().into_iter().filter(|key| *key != Key::Queue).collect();
    prop::sample::select(keys)
        .prop_flat_map(|key| {
            let services: Vec<_> =
                SERVICES.iter().copied().filter(|service| is_changed_alike(service, key)).collect();
            (prop::sample::select(services), Just(key), values(key))
        })
        .prop_filter("another value", |(service, key, text)| is_comparable(service, *key, text))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, failure_persistence: None, ..ProptestConfig::default() })]

    /// What the attribute accepts, a deployment accepts, with the same result; what one refuses, the other
    /// refuses.
    #[cfg(feature = "cron")]
    #[test]
    fn rule_101_the_attribute_and_the_deployment_agree((service, key, text) in cases()) {
        let expected = in_attribute(&with(service, key, &text));
        let found = at_deployment(service, key, &text);
        match (&expected, &found) {
            (Ok(expected), Ok(found)) => prop_assert_eq!(expected, found, "{} = {:?} in {:?}", key, text, service),
            (Err(_), Err(_)) => {}
            _ => prop_assert!(false, "{} = {:?} in {:?}: {:?} and {:?}", key, text, service, expected, found),
        }
    }
}

/// Otherwise the property would hold because everything is refused.
#[cfg(feature = "cron")]
#[test]
fn rule_101_every_key_is_compared_with_values_that_are_right_and_wrong() {
    use proptest::strategy::ValueTree as _;
    use proptest::test_runner::TestRunner;

    let mut runner = TestRunner::deterministic();
    let mut accepted = std::collections::BTreeMap::<Key, [u32; 2]>::new();
    for _ in 0..2_500 {
        let (service, key, text) = cases().new_tree(&mut runner).expect("a case").current();
        let is_right = in_attribute(&with(service, key, &text)).is_ok();
        accepted.entry(key).or_default()[usize::from(is_right)] += 1;
    }
    let is_of_queue = |key: &Key| matches!(ValueKind::feature_of(*key), Some(("queue", false)));
    for key in keys().into_iter().filter(|key| *key != Key::Queue && !is_of_queue(key)) {
        let [wrong, right] = accepted[&key];
        assert!(wrong >= 2 && right >= 2, "{key}: {wrong} wrong, {right} right");
    }
}
