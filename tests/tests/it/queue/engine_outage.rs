//! What becomes of the jobs of a service while its engine is away: nothing that is claimed is lost, and nothing
//! that has ended is forgotten, as long as the engine is back in time.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tests::virtual_time_builder;
use tina4_service::{Context, Job, Service, State, Stopped};

use super::engine_failure::{Flaky, WORDS, crashes, flaky, push};

/// How long a job with this word takes.
fn length(word: &str) -> Duration {
    Duration::from_secs(word.parse().unwrap_or(0))
}

fn take(ctx: &Context, job: Job<String>) {
    let _ = ctx.sleep(length(&job));
}

async fn take_async(ctx: &Context, job: Job<String>) {
    let _ = ctx.sleep_async(length(&job)).await;
}

fn plain() -> Service {
    Service::of("words", take).queue(WORDS)
}

fn asynchronous() -> Service {
    Service::of("words", take_async).queue(WORDS)
}

const BOTH: [fn() -> Service; 2] = [plain, asynchronous];

#[test]
fn rule_137_claims_are_renewed_while_the_service_backs_off() {
    for service in BOTH {
        let (builder, is_broken, _) = flaky(false);
        let mut t = builder.service(service().lease("30s")).build().unwrap();
        push(&mut t, "100");
        t.advance("5s");
        is_broken.store(true, Ordering::Relaxed);
        // The renewal fails at 10 s, 11, 13, 17 and 25; the backoff ends at 41 s, but the lease at 30 s.
        t.advance("21s");
        assert_eq!(t.state("words"), State::BackingOff);
        is_broken.store(false, Ordering::Relaxed);
        t.advance("100s");
        let counters = t.jobs(WORDS).counters;
        assert_eq!((counters.done, counters.lost, counters.stale), (1, 0, 0), "{counters:?}");
        assert_eq!(crashes(&t), [10, 11, 13, 17, 25]);
    }
}

#[test]
fn rule_137_what_has_ended_is_settled_as_soon_as_the_engine_works() {
    for service in BOTH {
        let (builder, is_broken, _) = flaky(false);
        let mut t = builder.service(service()).build().unwrap();
        push(&mut t, "20");
        t.advance("15s");
        is_broken.store(true, Ordering::Relaxed);
        // It ends at 20 s; the turns of the run fail then, at 21, 23 and 27 s. The next is at 35 s.
        t.advance("13s");
        push(&mut t, "0");
        assert_eq!((t.state("words"), t.jobs(WORDS).counters.done), (State::BackingOff, 0));
        is_broken.store(false, Ordering::Relaxed);
        t.advance("1500ms");
        // The engine works, so the service does, too.
        assert_eq!((t.state("words"), t.jobs(WORDS).counters.done), (State::Running, 2));
        assert_eq!(crashes(&t), [20, 21, 23, 27]);
    }
}

#[test]
fn rule_137_a_push_ends_the_wait_for_the_engine() {
    for service in BOTH {
        let (builder, is_broken, _) = flaky(false);
        let mut t = builder.service(service()).build().unwrap();
        is_broken.store(true, Ordering::Relaxed);
        t.advance("40s");
        assert_eq!(crashes(&t), [0, 1, 3, 7, 15, 31]);
        is_broken.store(false, Ordering::Relaxed);
        push(&mut t, "0");
        t.advance("0s");
        assert_eq!((t.state("words"), t.jobs(WORDS).counters.done), (State::Running, 1));
    }
}

#[test]
fn rule_137_pushes_do_not_make_a_service_try_a_failing_engine_all_the_time() {
    for service in BOTH {
        let (builder, is_broken, turns) = flaky(false);
        let mut t = builder.service(service()).build().unwrap();
        is_broken.store(true, Ordering::Relaxed);
        t.advance("40s");
        turns.store(0, Ordering::Relaxed);
        // Pushes reach the store, turns do not.
        for _ in 0..100 {
            push(&mut t, "0");
            t.advance("100ms");
        }
        let turns = turns.load(Ordering::Relaxed);
        assert!((10..=11).contains(&turns), "{turns} turns in ten seconds");
    }
}

#[test]
fn rule_134_a_stop_settles_until_its_timeout_has_passed() {
    for service in BOTH {
        let engine = Flaky::new(false);
        let (is_broken, recovers_after) =
            (Arc::clone(&engine.is_broken), Arc::clone(&engine.recovers_after));
        let service = service().concurrency(2);
        let mut t = virtual_time_builder().queues(engine).service(service).build().unwrap();
        push(&mut t, "20");
        t.advance("5s");
        is_broken.store(true, Ordering::Relaxed);
        recovers_after.store(5, Ordering::Relaxed);
        let stopped = t.stop("words").unwrap();
        assert!(matches!(stopped, Stopped::Ended { .. }), "{stopped:?}");
        let stats = t.jobs(WORDS);
        assert_eq!((stats.counters.done, stats.backlog.claimed), (1, 0));
    }
}

#[test]
fn rule_134_what_has_ended_during_a_backoff_is_settled_by_the_stop() {
    for service in BOTH {
        let (builder, is_broken, _) = flaky(false);
        let mut t = builder.service(service()).build().unwrap();
        push(&mut t, "20");
        t.advance("15s");
        is_broken.store(true, Ordering::Relaxed);
        t.advance("7500ms");
        assert_eq!((t.state("words"), t.jobs(WORDS).backlog.claimed), (State::BackingOff, 1));
        is_broken.store(false, Ordering::Relaxed);
        let stopped = t.stop("words").unwrap();
        assert!(matches!(stopped, Stopped::Ended { .. }), "{stopped:?}");
        let stats = t.jobs(WORDS);
        assert_eq!((stats.counters.done, stats.backlog.claimed), (1, 0));
    }
}

#[test]
fn rule_134_a_stop_ends_in_time_although_the_engine_does_not_come_back() {
    for service in BOTH {
        let (builder, is_broken, _) = flaky(false);
        let mut t = builder.service(service().stop_timeout("20s")).build().unwrap();
        push(&mut t, "20");
        t.advance("5s");
        let before = t.now();
        is_broken.store(true, Ordering::Relaxed);
        let stopped = t.stop("words").unwrap();
        assert!(matches!(stopped, Stopped::Ended { .. }), "{stopped:?}");
        assert_eq!(t.state("words"), State::Stopped);
        let took = t.now() - before;
        assert!(
            (Duration::from_secs(18)..Duration::from_secs(20)).contains(&took),
            "it tried until shortly before the end: {took:?}"
        );
    }
}

/// The engine answers, but cannot make the end.
#[test]
fn rule_134_a_stop_ends_in_time_although_another_transaction_has_locked_the_job() {
    for service in BOTH {
        for released in [false, true] {
            let engine = Flaky::new(false);
            let is_locked = Arc::clone(&engine.is_locked);
            let service = service().stop_timeout("20s");
            let mut t = virtual_time_builder().queues(engine).service(service).build().unwrap();
            push(&mut t, "1");
            t.advance("500ms");
            is_locked.store(true, Ordering::Relaxed);
            t.advance("5s");
            is_locked.store(!released, Ordering::Relaxed);
            let before = t.now();
            let stopped = t.stop("words").unwrap();
            assert!(matches!(stopped, Stopped::Ended { .. }), "{stopped:?}");
            assert_eq!(t.state("words"), State::Stopped);
            let (took, stats) = (t.now() - before, t.jobs(WORDS));
            let expected = if released { (0, 250) } else { (19_750, 20_000) };
            let expected = Duration::from_millis(expected.0)..=Duration::from_millis(expected.1);
            assert!(expected.contains(&took), "released: {released}: {took:?}");
            let expected = if released { (1, 0) } else { (0, 1) };
            assert_eq!((stats.counters.done, stats.backlog.claimed), expected);
        }
    }
}

#[test]
fn rule_137_a_pause_during_a_backoff_forgets_nothing() {
    for service in BOTH {
        let (builder, is_broken, _) = flaky(false);
        let mut t = builder.service(service()).build().unwrap();
        push(&mut t, "60");
        t.advance("5s");
        is_broken.store(true, Ordering::Relaxed);
        t.advance("7s");
        t.pause("words").unwrap();
        t.advance("15s");
        is_broken.store(false, Ordering::Relaxed);
        t.advance("60s");
        assert_eq!(t.state("words"), State::Paused);
        let stats = t.jobs(WORDS);
        assert_eq!((stats.counters.done, stats.counters.lost, stats.backlog.claimed), (1, 0, 0));
    }
}
