//! Which misspellings are recognised.

use super::*;

#[test]
fn misspelt_keys_are_recognised() {
    for (written, key) in [
        ("intervall", Some(Key::Interval)),
        ("intervl", Some(Key::Interval)),
        ("Interval", Some(Key::Interval)),
        ("dealy", Some(Key::Delay)),
        ("delays", Some(Key::Delay)),
        ("time_out", Some(Key::Timeout)),
        ("ontimeout", Some(Key::OnTimeout)),
        ("timzone", Some(Key::Timezone)),
        ("anchored", Some(Key::Anchor)),
        ("max_retries", Some(Key::MaxRestarts)),
        ("max_restart", Some(Key::MaxRestarts)),
        ("max-restarts", Some(Key::MaxRestarts)),
        ("restarts", Some(Key::Restart)),
        ("window", None),
        ("on_stopped", Some(Key::OnStop)),
        ("onstop", Some(Key::OnStop)),
        ("auto_start", Some(Key::Autostart)),
        ("crit", Some(Key::Critical)),
        ("backof", Some(Key::Backoff)),
        ("maxbackoff", Some(Key::MaxBackoff)),
        ("init_delay", Some(Key::InitialDelay)),
        ("stop_time", Some(Key::StopTimeout)),
        ("every", Some(Key::Interval)),
        ("depends_on", Some(Key::After)),
        ("colour", None),
        ("x", None),
        ("priority", None),
        ("workers", None),
        ("description", None),
        ("threads", None),
        ("group", None),
        ("lazy", None),
    ] {
        assert_eq!(nearest_key(written), key, "{written}");
    }
}

#[test]
fn every_key_has_an_example_and_a_kind_of_value() {
    for key in Key::ALL {
        assert!(!example(key).is_empty() && !kind(key).is_empty(), "{key}");
    }
}
