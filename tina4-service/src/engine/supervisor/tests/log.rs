//! Rule 62: what the log says of starts, stops, recoveries and skipped due times.

use super::*;
use crate::Settings;
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

/// A supervisor with these services as a deployment has changed them.
fn deployed(settings: Settings, services: impl IntoIterator<Item = Service>) -> Supervisor {
    let deployment = Deployment::new(Default::default(), settings);
    let mut supervisor = supervisor([]);
    for service in services {
        let definition = service.into_definition(&SettingsCache::default(), &deployment);
        let instance = Arc::new(Instance::new(definition, Arc::clone(&supervisor.env)));
        supervisor.register(&instance, 0).unwrap();
    }
    supervisor
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

#[cfg(feature = "cron")]
#[test]
fn rule_62_the_line_about_many_services_names_the_first_due_time_on_either_clock() {
    // A cron service is due on the wall clock, the others on the monotonic one.
    for (delay, first) in [("5s", "1970-01-01T00:00:05Z"), ("90s", "1970-01-01T00:01:00Z")] {
        let hourly =
            (0..50).map(|number| service(format!("s{number}")).interval("1h").initial_delay(delay));
        let each_minute = service("cron").cron("* * * * *").timezone("UTC");
        let mut supervisor = supervisor(hourly.chain([each_minute]));
        supervisor.start_all(0).unwrap();
        assert_eq!(log(&mut supervisor)[0].value("next"), first);
    }
}

#[test]
fn rule_62_and_34_a_start_of_many_services_says_which_ones_they_do_not_wait_for() {
    let on = (0..60).map(|number| service(format!("s{number:02}")).delay("1h"));
    let with_after = on.enumerate().map(|(number, service)| match number {
        0..30 => service.after("off"),
        _ => service,
    });
    let mut supervisor =
        deployed(Settings::new().disable("off"), with_after.chain([service("off").delay("1h")]));
    supervisor.start_all(0).unwrap();
    let lines = log(&mut supervisor);
    let info: Vec<_> = lines.iter().filter(|line| line.level == "info").cloned().collect();
    assert_eq!(said(&info), ["info: services started", "info: services disabled"]);
    assert_eq!((info[1].value("count"), info[1].value("services")), ("1".into(), "off".into()));
    assert_eq!(info[0].value("not_waited_for"), "off");
}

#[test]
fn rule_62_many_services_that_are_disabled_share_a_line() {
    for (count, lines_at_info) in [(50, 50), (51, 1)] {
        let names: Vec<_> = (0..count).map(|number| format!("s{number:02}")).collect();
        let settings = names.iter().fold(Settings::new(), |all, name| all.disable(name));
        let mut supervisor = deployed(settings, names.into_iter().map(service));
        supervisor.start_all(0).unwrap();
        let lines = log(&mut supervisor);
        let info: Vec<_> = lines.iter().filter(|line| line.level == "info").collect();
        assert_eq!(info.len(), lines_at_info);
        if count == 51 {
            let (all, each) = lines.split_first().unwrap();
            assert_eq!(all.message, "services disabled");
            assert_eq!(all.value("count"), "51");
            assert!(all.value("services").ends_with("s09 and 41 more"), "{all:?}");
            assert_eq!(said(each), vec!["debug: service disabled"; 51]);
            assert_eq!(each[7].value("reason"), "services.s07.enabled = false");
        }
    }
}

#[test]
fn rule_62_and_185_a_start_of_many_services_shows_their_present_schedules() {
    let services = (0..51).map(|number| service(format!("s{number:02}")).interval("1h"));
    let mut supervisor = supervisor(services);
    let new = Schedule::Delay(Duration::from_secs(5));
    supervisor.reschedule("s07", Ok((new, None)), 0).unwrap();
    log(&mut supervisor);
    supervisor.start_all(0).unwrap();
    let lines = log(&mut supervisor);
    assert_eq!(lines[0].value("schedules"), "50 interval, 1 delay");
    let line = lines[1..].iter().find(|line| line.value("service") == "s07").unwrap();
    assert_eq!(line.value("schedule"), "5s after each run");
}

#[test]
fn rule_62_more_than_fifty_services_are_stopped_with_one_line() {
    for count in [50, 51] {
        let services = (0..count).map(|number| service(format!("s{number:02}")).interval("1h"));
        let mut supervisor = supervisor(services);
        supervisor.start_all(0).unwrap();
        log(&mut supervisor);
        let run = take_now(&mut supervisor, 0);
        supervisor.stop_all(LIMIT, None, SECOND);
        let before = log(&mut supervisor);
        finish(&mut supervisor, run, Completion::Ran(Exit::Wait), 3 * SECOND);
        let after = log(&mut supervisor);
        if count == 50 {
            assert_eq!(said(&after), ["info: service stopped"]);
            let info = before.iter().filter(|line| line.level == "info");
            assert_eq!(info.count(), 49);
            continue;
        }
        assert_eq!(said(&before), [""; 0]);
        let (all, each) = after.split_first().unwrap();
        assert_eq!(said(std::slice::from_ref(all)), ["info: services stopped"]);
        assert_eq!((all.value("count"), all.value("took")), ("51".into(), "2s".into()));
        assert_eq!(said(each), vec!["debug: service stopped"; 51]);
        // What needs attention has a line of its own, and so does a service that is stopped alone.
        supervisor.start_all(4 * SECOND).unwrap();
        log(&mut supervisor);
        let _run = take_now(&mut supervisor, 4 * SECOND);
        let _ = supervisor.request_stop("s50", 4 * SECOND).unwrap();
        assert_eq!(said(&log(&mut supervisor))[1..], ["info: service stopped"]);
    }
}

/// One that hangs is not hidden among the others.
#[test]
fn rule_43_and_62_a_stop_of_many_services_names_those_that_are_abandoned() {
    let services = (0..60).map(|number| service(format!("s{number:02}")).interval("1h"));
    let mut supervisor = supervisor(services);
    supervisor.start_all(0).unwrap();
    log(&mut supervisor);
    let _run = take_now(&mut supervisor, 0);
    supervisor.stop_all(LIMIT, None, 0);
    supervisor.advance_shutdown(LIMIT.as_secs() * SECOND);
    let lines = log(&mut supervisor);
    let shown: Vec<_> = lines.iter().filter(|line| line.level != "debug").cloned().collect();
    assert_eq!(said(&shown), ["error: service abandoned", "info: services stopped"]);
    assert_eq!(shown[1].value("count"), "59");
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
    assert_eq!((lines[9].value("left_out"), lines[10].value("left_out")), ("".into(), "19".into()));
}

/// Making the table of a hundred thousand services must not hold up their runs.
#[cfg(all(unix, feature = "signals"))]
#[test]
fn rule_62_the_table_of_all_services_is_made_in_steps() {
    let services = (0..25).map(|number| service(format!("s{number:02}")).interval("1h"));
    let mut supervisor = supervisor(services);
    supervisor.start_all(0).unwrap();
    let (mut rows, mut from, mut steps) = (Vec::new(), Some(0), Vec::new());
    while let Some(index) = from {
        let (step, next) = supervisor.table_rows(index, 10, 0);
        steps.push(step.len());
        rows.extend(step);
        from = next;
    }
    assert_eq!(steps, [10, 10, 5]);
    assert!(rows.iter().all(|row| row.is_healthy && row.state == State::Waiting));
    // One is unregistered between two steps, and another one takes its place.
    supervisor.stop_all(LIMIT, None, 0);
    let mut removal = supervisor.begin_unregister("s07", None, 0).unwrap();
    ready(supervisor.unregister_result(&mut removal, None, 0)).unwrap();
    let known = supervisor.table_infos(&rows[5..10], 0);
    let names: Vec<_> = known.iter().map(|info| info.name.clone()).collect();
    assert_eq!(names, ["s05", "s06", "s08", "s09"]);
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
