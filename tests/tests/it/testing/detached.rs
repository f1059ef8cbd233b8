//! Rule 70: bodies that wait for something outside virtual time.

use std::time::Duration;

use tests::{Stopwatch, in_virtual_time};
use tina4_service::{Context, Service, Stopped};

fn consumer(name: &'static str) -> Service {
    Service::new(name, |ctx: &Context| {
        let _ = ctx.stopping().recv();
    })
}

fn compute(length: Duration) {
    let began = Stopwatch::start();
    while began.elapsed() < length {}
}

#[test]
fn a_body_that_only_polls_its_stop_channel_stays_in_virtual_time() {
    let poll = |ctx: &Context| assert!(ctx.stopping().try_recv().is_err());
    let mut t = in_virtual_time([Service::new("polls", poll).interval("10s")]);
    t.advance("1m");
    assert_eq!(t.runs("polls"), 7);
}

/// A polling body may return even while the test kit determines that nothing is left to do.
#[test]
fn a_polling_body_may_return_at_any_moment() {
    let poll = |ctx: &Context| {
        assert!(ctx.stopping().try_recv().is_err());
        compute(Duration::from_nanos(ctx.tick().run % 1_000 * 100));
    };
    let mut t = in_virtual_time([Service::new("polls", poll).interval("10s")]);
    t.advance("30000s");
    assert_eq!(t.runs("polls"), 3_001);
}

/// A body that computes for long stays in virtual time if the operating system reports that its
/// thread is running.
#[test]
#[cfg(target_os = "linux")]
fn a_polling_body_that_computes_stays_in_virtual_time() {
    let poll = |ctx: &Context| {
        assert!(ctx.stopping().try_recv().is_err());
        compute(Duration::from_millis(350));
    };
    let mut t = in_virtual_time([Service::new("polls", poll).interval("10s")]);
    t.advance("20s");
    assert_eq!(t.runs("polls"), 3);
}

#[test]
fn a_detached_body_has_real_time_to_stop() {
    let slow_to_stop = |ctx: &Context| {
        let _ = ctx.stopping().recv();
        // Its flush takes real time, which virtual time waits for.
        tests::pause(Duration::from_millis(1_200));
    };
    let mut t = in_virtual_time([Service::new("consumer", slow_to_stop)]);
    t.advance("1h");
    assert!(matches!(t.stop("consumer"), Ok(Stopped::Ended { .. })), "{}", t.timeline());
}

/// Once a detached body has stopped, the test kit no longer waits for it. Otherwise it would
/// abandon the other services.
#[test]
fn bodies_that_have_stopped_are_no_longer_waited_for() {
    let mut t = in_virtual_time([consumer("a"), consumer("b")]);
    t.advance("1s");
    assert!(matches!(t.stop("a"), Ok(Stopped::Ended { .. })));
    t.advance("1s");
    t.restart("b").unwrap();
    t.advance("1s");
    assert!(t.stop_all().is_clean());
}
