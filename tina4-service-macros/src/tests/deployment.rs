//! Whoever deploys a program writes the same values as its author.

use proptest::prelude::*;
use tina4_service_core::deployment::{Assignment, SettableKey};
use tina4_service_core::{Key, Setting};

use crate::args::Args;
use crate::diagnostics::Diagnostics;
use crate::value::Value;
use crate::value_kind::ValueKind;

/// What the attribute makes of a value, or its message.
fn in_attribute(key: Key, text: &str) -> Result<Setting, String> {
    let is_literal = matches!(ValueKind::of(key), ValueKind::Count(_) | ValueKind::Bool(_));
    let value = if is_literal { text.to_owned() } else { format!("{text:?}") };
    let mut diagnostics = Diagnostics::default();
    let tokens = format!("{key} = {value}").parse().map_err(|_| "it does not lex".to_owned())?;
    let Args { values, .. } = Args::read(tokens, &mut diagnostics);
    let faults = diagnostics.into_tokens();
    match values.into_iter().next() {
        Some(Value::Setting(setting)) if faults.is_empty() => Ok(setting),
        _ => Err(faults.to_string()),
    }
}

/// The keys whose value is one setting.
fn keys() -> impl Strategy<Value = Key> {
    let keys: Vec<Key> = SettableKey::all()
        .filter_map(|key| match key {
            SettableKey::Attribute(Key::Tags) | SettableKey::Enabled => None,
            SettableKey::Attribute(key) => Some(key),
        })
        .collect();
    prop::sample::select(keys)
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
    "1.5",
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
];

/// Texts that are values of some key, or nearly.
fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => prop::sample::select(WORDS).prop_map(str::to_owned),
        1 => "[0-9]{1,12}(ms|s|m|h|d|w|x)?",
        1 => "[0-9*/,-]{1,4}( [0-9*/,-]{1,4}){4,5}",
        1 => "[a-zA-Z/_-]{0,12}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// What the attribute accepts, a deployment accepts, with the same result; what one refuses, the other
    /// refuses. Two words, `off` and `none`, have a meaning only at deployment.
    #[cfg(feature = "cron")]
    #[test]
    fn rule_101_the_attribute_and_the_deployment_agree(key in keys(), text in texts()) {
        prop_assume!(text != "off" && text != "none");
        let expected = in_attribute(key, &text);
        let found = Assignment::parse(SettableKey::Attribute(key), &text);
        match (&expected, &found) {
            (Ok(setting), Ok(Assignment::Set(parsed))) => prop_assert_eq!(setting, parsed),
            (Err(_), Err(_)) => {}
            _ => prop_assert!(false, "{} = {:?}: {:?} and {:?}", key, text, expected, found),
        }
    }
}
