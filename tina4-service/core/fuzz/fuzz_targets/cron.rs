//! Fuzzes the cron parser: any text is an expression with occurrences, or an error with a valid span.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tina4_service_core::{Cron, Utc};

const DAY: i64 = 86_400;

fuzz_target!(|text: &str| {
    let cron = match Cron::parse(text) {
        Ok(cron) => cron,
        Err(error) => {
            assert!(text.get(error.span()).is_some(), "{error:?}");
            assert!(!format!("{error:#}").is_empty());
            return;
        }
    };
    // The stored text parses to the same expression.
    assert_eq!(Cron::parse(&cron.text).as_ref(), Ok(&cron));
    // It has occurrences, in ascending order, and the count agrees with them.
    let next = |after: &i64| cron.next_after(*after, &Utc);
    let due: Vec<i64> = std::iter::successors(next(&-1), next).take(50).collect();
    assert_eq!(due.len(), 50, "it never ends");
    assert!(due.is_sorted_by(|a, b| a < b));
    let last = due[due.len() - 1];
    assert_eq!(cron.count_between(0, last + 1, &Utc), 50);
    // The calendar repeats after 400 years.
    assert_eq!(cron.next_after(last + 146_097 * DAY - 1, &Utc), Some(last + 146_097 * DAY));
});
