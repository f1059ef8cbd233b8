//! Rules 41, 42 and 43 in test time: what becomes of a run that outlives its stop, and when.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tests::secs;
use tina4_service::testing::{Builder, TestRunner};
use tina4_service::{Change, Context, Flow, Service, State, Stopped};

/// No declared services.
fn none() -> Builder {
    TestRunner::builder().only::<&str>([])
}

#[test]
fn rule_43_a_run_has_ten_seconds_or_its_stop_timeout_to_end() {
    for (service, limit) in
        [(Service::new("s", |_| {}), 10), (Service::new("s", |_| {}).stop_timeout("3s"), 3)]
    {
        let mut t = none().service(service.interval("1m")).build().unwrap();
        t.slow_next("s", secs(limit - 1));
        t.advance("0s");
        assert_eq!(t.stop("s").unwrap(), Stopped::Ended { after: secs(limit - 1) });
        t.start("s").unwrap();
        t.slow_next("s", "1h");
        t.advance("7s");
        let before = t.now();
        let Stopped::Abandoned { age, .. } = t.stop("s").unwrap() else { panic!("{t:?}") };
        assert_eq!(age, secs(7 + limit), "the age of the run, not of the stop");
        assert_eq!(t.now(), before + secs(limit));
    }
}

#[test]
fn rule_43_the_late_result_of_an_abandoned_run_is_dropped() {
    type Body = fn() -> Result<Flow, &'static str>;
    let late: [Body; 5] = [
        || Ok(Flow::Wait),
        || Ok(Flow::Again),
        || Ok(Flow::Done),
        || Err("too late"),
        || panic!("too late"),
    ];
    for (case, body) in late.into_iter().enumerate() {
        let cleaned = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&cleaned);
        let clean_up = move |_: &Context| {
            count.fetch_add(1, Ordering::SeqCst);
        };
        let service = Service::new("s", move |_| body()).interval("1h").on_stop(clean_up);
        let mut t = none().service(service.max_restarts(0)).build().unwrap();
        t.slow_next("s", "1m");
        t.advance("0s");
        assert!(matches!(t.stop("s"), Ok(Stopped::Abandoned { .. })), "case {case}");
        t.advance("49s");
        assert_eq!(cleaned.load(Ordering::SeqCst), 0, "case {case}: its run is alive");
        let before = t.events().len();
        t.advance("1d");
        // It ends, is cleaned up, and that is all.
        let after: Vec<Change> =
            t.events().split_off(before).into_iter().map(|e| e.change).collect();
        assert_eq!(after, [Change::LateEnd], "case {case}");
        assert_eq!(cleaned.load(Ordering::SeqCst), 1, "case {case}");
        let known = t.info("s");
        assert_eq!(
            (known.state, known.runs, known.crashes),
            (State::Abandoned, 1, 0),
            "case {case}"
        );
        assert_eq!((known.last_end, known.last_error), (None, None), "case {case}");
        t.stop_all();
        assert_eq!(cleaned.load(Ordering::SeqCst), 1, "case {case}: once");
    }
}

#[test]
fn rule_41_the_deadline_of_25_s_is_one_for_all() {
    let mut test = none();
    for name in ["a", "b", "c"] {
        let service = Service::new(name, |_| {}).stop_timeout("1h");
        test = test.service(if name == "c" { service } else { service.after("c") });
    }
    let mut t = test.build().unwrap();
    for name in ["a", "b", "c"] {
        t.slow_next(name, "1d");
    }
    t.advance("1m");
    let before = t.now();
    let report = t.stop_all();
    assert_eq!((report.took, report.abandoned().count()), (secs(25), 3), "{report}");
    assert_eq!(t.now(), before + secs(25));
}
