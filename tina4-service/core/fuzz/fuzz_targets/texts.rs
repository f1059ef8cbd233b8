//! Fuzzes the parsers of durations, names, time zones and anchors: any text is valid, or an error says
//! why not.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tina4_service_core::{Anchor, Timezone, duration, name};

fuzz_target!(|text: &str| {
    match duration::parse(text) {
        // The formatted duration parses to the same value.
        Ok(found) => assert_eq!(duration::parse(&duration::format(found)), Ok(found)),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    if let Err(error) = name::check(text) {
        assert!(!error.to_string().is_empty());
    }
    match Anchor::parse(text) {
        // The printed anchor parses to the same value.
        Ok(anchor) => assert_eq!(Anchor::parse(&anchor.to_string()), Ok(anchor)),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    match Timezone::parse(text) {
        Ok(zone) => assert!(zone.to_string().eq_ignore_ascii_case(text)),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});
