//! Rule 62: what the log says of starts, stops, recoveries and skipped due times.

use super::*;
use crate::observe::log::recorder::{Seen, written};
use crate::observe::notice::{Notice, NoticeKind};
use crate::observe::notice_queue::NoticeQueue;

/// The log lines since the last call.
fn log(supervisor: &mut Supervisor) -> Vec<Seen> {
    let Some(deferred) = supervisor.deferred_mut().take() else { return Vec::new() };
    let lines = written(|| deferred.flush());
    supervisor.deferred_mut().flushed(true);
    lines
}

/// The level and the start of the message of each line.
fn said(lines: &[Seen]) -> Vec<String> {
    let up_to = |text: &str| text.split([':', ';']).next().unwrap_or_default().to_owned();
    lines.iter().map(|line| format!("{}: {}", line.level, up_to(&line.message))).collect()
}

/// Takes the next work that is due; there is no deferred effect that would come first.
#[track_caller]
fn take_now(supervisor: &mut Supervisor, now: Nanos) -> WorkItem {
    let id = supervisor.take_due(now).expect("something is due");
    supervisor.begin(id)
}

#[test]
fn rule_62_up_to_fifty_services_are_started_with_a_line_each() {
    let services = (0..50).map(|number| service(format!("s{number}")).interval("30s"));
    let mut supervisor = supervisor(services);
    supervisor.start_all(0).unwrap();
    let lines = log(&mut supervisor);
    assert_eq!(said(&lines), vec!["info: service started"; 50]);
    let line = lines.iter().find(|line| line.value("service") == "s7").expect("one is about it");
    assert_eq!(line.value("schedule"), "every 30s");
    assert_eq!(line.value("next"), "1970-01-01T00:00:00Z");
}

#[test]
fn rule_62_more_than_fifty_services_are_started_with_one_line() {
    let hourly =
        (0..49).map(|number| service(format!("s{number}")).interval("1h").initial_delay("5s"));
    let others =
        [service("continuous").initial_delay("7s"), service("waits").delay("1h").after("s0")];
    let mut supervisor = supervisor(hourly.chain(others));
    supervisor.start_all(0).unwrap();
    let lines = log(&mut supervisor);
    let (all, each) = lines.split_first().expect("a line");
    assert_eq!(said(std::slice::from_ref(all)), ["info: services started"]);
    assert_eq!(all.value("count"), "51");
    assert_eq!(all.value("schedules"), "49 interval, 1 continuous, 1 delay");
    assert_eq!(all.value("waiting"), "1");
    assert_eq!(all.value("next"), "1970-01-01T00:00:05Z");
    assert_eq!(said(each), vec!["debug: service started"; 51]);
    // The first run of each waits for the line that announces it.
    let is_logged = |index: u32| supervisor.registry.get(index).instance.is_start_logged();
    assert!((0..51).all(is_logged));
    // One more gets a line of its own.
    supervisor.stop_all(LIMIT, None, SECOND);
    log(&mut supervisor);
    supervisor.start("s0", SECOND).unwrap();
    assert_eq!(said(&log(&mut supervisor)), ["info: service started"]);
}

/// A waiter asks at the instants that it is told.
#[test]
fn rule_41_and_62_a_slow_shutdown_says_which_services_it_waits_for() {
    let services =
        ["a", "b", "base"].map(|name| service(name).ready(Ready::Started).stop_timeout("1h"));
    let [a, b, base] = services;
    let mut supervisor = supervisor([a.after("base"), b.after("base"), base]);
    supervisor.start_all(0).unwrap();
    log(&mut supervisor);
    let mut running = vec![take_now(&mut supervisor, 0)];
    log(&mut supervisor);
    running.extend([take_now(&mut supervisor, 0), take_now(&mut supervisor, 0)]);
    supervisor.stop_all(LIMIT, None, 10 * SECOND);
    let (mut now, mut lines) = (10 * SECOND, Vec::new());
    while let Some(at) = supervisor.advance_shutdown(now).filter(|at| *at <= 34 * SECOND) {
        assert!(at > now, "{at}");
        let new = log(&mut supervisor);
        lines.extend(new.into_iter().filter(|line| line.level == "info").map(|line| (now, line)));
        now = at;
    }
    let shown: Vec<_> = lines
        .iter()
        .map(|(at, line)| {
            (at / SECOND, line.value("services"), line.value("waited"), line.value("left"))
        })
        .collect();
    let expected = [(11, "1s", "24s"), (12, "2s", "23s"), (14, "4s", "21s"), (18, "8s", "17s")];
    assert_eq!(
        shown,
        expected.map(|(at, waited, left)| (at, "a, b".into(), waited.into(), left.into()))
    );
    assert_eq!(lines[0].1.value("behind"), "1");
}

#[test]
fn rule_41_and_62_a_slow_shutdown_says_when_the_first_service_is_abandoned() {
    let mut supervisor = supervisor([service("a"), service("b").stop_timeout("5s")]);
    supervisor.start_all(0).unwrap();
    log(&mut supervisor);
    let _running = [take_now(&mut supervisor, 0), take_now(&mut supervisor, 0)];
    supervisor.stop_all(LIMIT, None, 0);
    log(&mut supervisor);
    assert_eq!(supervisor.advance_shutdown(0), Some(SECOND));
    supervisor.advance_shutdown(SECOND);
    let lines = log(&mut supervisor);
    let waits = lines.iter().find(|line| line.message.starts_with("stop waits")).unwrap();
    assert_eq!((waits.value("services"), waits.value("left")), ("a, b".into(), "4s".into()));
}

#[test]
fn rule_62_a_slow_stop_of_one_service_says_so() {
    let mut supervisor = supervisor([service("a").stop_timeout("20s"), service("b")]);
    supervisor.start_all(0).unwrap();
    log(&mut supervisor);
    let _run = take_now(&mut supervisor, 0);
    let StopResponse::Pending(stop) = supervisor.request_stop("a", 0).unwrap() else {
        panic!("it is active")
    };
    let (mut now, mut waited) = (0, Vec::new());
    while let Poll::Pending(Some(at)) = supervisor.stop_result(&stop, None, now) {
        let lines = log(&mut supervisor);
        let lines = lines.iter().filter(|line| line.message.starts_with("stop waits"));
        waited.extend(lines.map(|line| (line.value("services"), line.value("waited"))));
        now = at;
    }
    let expected = ["1s", "2s", "4s", "8s", "16s"];
    assert_eq!(waited, expected.map(|waited| ("a".to_owned(), waited.to_owned())));
    assert_eq!(now, 20 * SECOND);
}

#[test]
fn rule_21_and_62_a_recovery_is_logged_with_the_number_of_crashes() {
    let mut supervisor = supervisor([service("s").interval("10s")]);
    supervisor.start_all(0).unwrap();
    log(&mut supervisor);
    for now in [0, 1, 3] {
        let run = take_now(&mut supervisor, now * SECOND);
        finish(&mut supervisor, run, crash(), now * SECOND);
        assert_eq!(said(&log(&mut supervisor)), ["warn: service crashed"]);
    }
    let run = take_now(&mut supervisor, 7 * SECOND);
    finish(&mut supervisor, run, Completion::Ran(Exit::Wait), 7 * SECOND);
    let lines = log(&mut supervisor);
    assert_eq!(said(&lines), ["info: service recovered"]);
    assert_eq!(lines[0].value("crashes"), "3");
    let run = take_now(&mut supervisor, 10 * SECOND);
    finish(&mut supervisor, run, Completion::Ran(Exit::Wait), 10 * SECOND);
    assert_eq!(said(&log(&mut supervisor)), [""; 0], "it had recovered before");
}

#[test]
fn rule_62_a_continuous_service_that_runs_again_is_logged_with_the_number_of_crashes() {
    let mut supervisor = supervisor([service("s")]);
    supervisor.start_all(0).unwrap();
    log(&mut supervisor);
    let run = take_now(&mut supervisor, 0);
    finish(&mut supervisor, run, crash(), 0);
    log(&mut supervisor);
    assert!(supervisor.take_due(SECOND).is_some());
    let lines = log(&mut supervisor);
    assert_eq!(said(&lines), ["info: service runs again"]);
    assert_eq!(lines[0].value("crashes"), "1");
}

#[test]
fn rule_5_and_62_skipped_due_times_are_logged_once_a_minute_and_at_the_end() {
    let mut supervisor = supervisor([service("s").interval("1s")]);
    supervisor.start_all(0).unwrap();
    log(&mut supervisor);
    let mut lines = Vec::new();
    // Each run takes two and a half seconds, so two due times are skipped.
    for run in 0..50 {
        let began = run * 3 * SECOND;
        let item = take_now(&mut supervisor, began);
        let ended = began + 5 * SECOND / 2;
        finish(&mut supervisor, item, Completion::Ran(Exit::Wait), ended);
        lines.extend(log(&mut supervisor));
    }
    supervisor.stop_all(LIMIT, None, 149 * SECOND);
    let end = log(&mut supervisor);
    assert_eq!(
        said(&end),
        ["debug: service stopping", "warn: due times were skipped", "info: service stopped"]
    );
    lines.push(end[1].clone());
    let shown: Vec<_> = lines
        .iter()
        .map(|line| (line.value("count"), line.value("due"), line.value("next")))
        .map(|(count, due, next)| {
            format!("{count} from {} before {}", &due[14..19], next.get(14..19).unwrap_or("?"))
        })
        .collect();
    let expected = [
        "2 from 00:01 before 00:03",
        "40 from 00:04 before 01:03",
        "40 from 01:04 before 02:03",
        "18 from 02:04 before ?",
    ];
    assert_eq!(shown, expected);
    assert_eq!(supervisor.registry.get(0).failures().skipped, 100);
}

#[test]
fn rule_62_crashes_do_not_flood_the_log_and_the_last_one_is_written() {
    let flaky = service("s").backoff("10ms").max_backoff("10ms").max_restarts(29);
    let mut supervisor = supervisor([flaky.interval("1h")]);
    supervisor.start_all(0).unwrap();
    log(&mut supervisor);
    let mut lines = Vec::new();
    for run in 0..30 {
        let now = run * SECOND / 100;
        let item = take_now(&mut supervisor, now);
        finish(&mut supervisor, item, crash(), now);
        lines.extend(log(&mut supervisor));
    }
    let mut expected = vec!["warn: service crashed"; 11];
    expected.push("error: service failed");
    assert_eq!(said(&lines), expected);
    let in_a_row: Vec<_> = lines[..11].iter().map(|line| line.value("in_a_row")).collect();
    assert_eq!(in_a_row, ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "30"]);
}

#[test]
fn rule_62_and_118_the_log_says_that_a_hook_that_is_too_slow_is_not_told_of_everything() {
    let mut supervisor = supervisor([service("fails").max_restarts(0)]);
    let hook = Arc::new(NoticeQueue::default());
    let notice = Notice {
        service: "other".into(),
        at: SystemTime::UNIX_EPOCH,
        kind: NoticeKind::Failed { cause: "no".into() },
        left_out: 0,
        missed: 0,
    };
    while hook.push(&notice) {}
    supervisor.add_hook(Arc::clone(&hook), 0);
    supervisor.start_all(0).unwrap();
    log(&mut supervisor);
    let item = take_now(&mut supervisor, 0);
    finish(&mut supervisor, item, crash(), SECOND);
    let lines = log(&mut supervisor);
    let lost = lines.iter().find(|line| line.message.starts_with("notices were lost"));
    let lost = lost.expect("a line about it");
    assert_eq!((&*lost.level, lost.value("count")), ("warn", "1".to_owned()));
    assert_eq!(hook.missed(), 2);
}
