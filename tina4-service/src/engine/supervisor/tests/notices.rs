//! Rules 8 and 118: services are looked at only when they could be overdue.

use super::super::notices::Notices;
use super::*;
use crate::observe::notice_queue::{Next, NoticeQueue};

const HOUR: Nanos = 3_600 * SECOND;

#[test]
fn rule_8_and_118_services_are_looked_at_when_they_could_be_overdue_and_not_before() {
    let hourly = (0..1_000).map(|number| service(format!("s{number}")).interval("1h"));
    let mut supervisor = supervisor(hourly);
    assert_eq!(supervisor.next_notice_look(), None, "there is no hook");
    supervisor.add_hook(Arc::new(NoticeQueue::default()), 0);
    assert_eq!(supervisor.next_notice_look(), None, "nobody expects them to run");
    supervisor.start_all(0).unwrap();
    assert_eq!(supervisor.next_notice_look(), Some(HOUR + 1));
    while let Some(item) = take(&mut supervisor, 0) {
        finish(&mut supervisor, item, Completion::Ran(Exit::Wait), 0);
    }
    // All of them are looked at once, a hundred at a time, and then not for an hour.
    let mut looks = 0;
    while supervisor.next_notice_look() == Some(HOUR + 1) {
        supervisor.look_for_notices(HOUR + 1);
        looks += 1;
    }
    assert_eq!(looks, 10);
    assert_eq!(supervisor.next_notice_look(), Some(2 * HOUR + 1));
    supervisor.stop_all(LIMIT, None, HOUR + 2);
    supervisor.look_for_notices(2 * HOUR + 1);
}

#[test]
fn rule_118_a_service_that_runs_every_second_is_looked_at_every_ten_seconds() {
    let mut supervisor = supervisor([service("s").interval("1s")]);
    supervisor.add_hook(Arc::new(NoticeQueue::default()), 0);
    supervisor.start_all(0).unwrap();
    let mut looks = Vec::new();
    for now in (0..60).map(|second| second * SECOND) {
        let item = take(&mut supervisor, now).expect("it is due");
        finish(&mut supervisor, item, Completion::Ran(Exit::Wait), now);
        if supervisor.next_notice_look().is_some_and(|at| at <= now) {
            supervisor.look_for_notices(now);
            looks.push(now / SECOND);
        }
    }
    assert_eq!(looks, [2, 12, 22, 32, 42, 52]);
}

/// A notice that several hooks lose counts for each of them, also while no line is written.
#[test]
fn rule_118_the_log_says_how_many_notices_were_lost() {
    let mut notices = Notices::default();
    let mut said: Vec<_> = (0..30).filter_map(|n| notices.count_lost(3, n * SECOND)).collect();
    assert_eq!(notices.count_lost(0, 100 * SECOND), None);
    said.extend(notices.count_lost(2, 100 * SECOND));
    assert_eq!(said.len(), 11);
    assert_eq!(said.iter().sum::<u64>(), 30 * 3 + 2);
}

/// Otherwise, a service that has failed for good would make each run of all others more expensive.
#[test]
fn rule_8_and_118_ends_of_runs_are_looked_at_only_while_an_active_service_is_not_well() {
    let broken = service("broken").interval("1h").backoff("1s").max_restarts(0);
    let mut supervisor = supervisor([broken, service("other").interval("1h")]);
    supervisor.add_hook(Arc::new(NoticeQueue::default()), 0);
    let end_all = |supervisor: &mut Supervisor, fails: bool, now| {
        while let Some(item) = take(supervisor, now) {
            let is_broken = fails && item.index == 0;
            let end = if is_broken { crash() } else { Completion::Ran(Exit::Wait) };
            finish(supervisor, item, end, now);
        }
    };
    let wants = |supervisor: &Supervisor| {
        assert!(!supervisor.journal.has_subscribers());
        supervisor.journal.wants_run_ends()
    };
    supervisor.start_all(0).unwrap();
    end_all(&mut supervisor, true, 0);
    assert_eq!(supervisor.registry.get(0).life.state(), State::Failed);
    assert!(!wants(&supervisor), "nothing is expected of a service that has failed");
    supervisor.start("broken", SECOND).unwrap();
    assert!(wants(&supervisor), "it may recover");
    end_all(&mut supervisor, false, SECOND);
    assert!(!wants(&supervisor), "it has recovered");
    // The same for one that is stopped while it is overdue.
    supervisor.look_for_notices(3 * HOUR);
    assert!(wants(&supervisor), "it is overdue");
    supervisor.stop_all(LIMIT, None, 3 * HOUR);
    assert!(!wants(&supervisor), "it is stopped");
    supervisor.start_all(3 * HOUR).unwrap();
    assert!(wants(&supervisor), "it is to run");
    end_all(&mut supervisor, false, 3 * HOUR);
    supervisor.look_for_notices(3 * HOUR);
    assert!(!wants(&supervisor), "it is no longer overdue");
}

/// What a hook was told of; it is removed.
fn told(hook: &NoticeQueue) -> Vec<String> {
    hook.close(false);
    let next = || match hook.next(|_| None) {
        Next::Call(notice) => Some(notice.to_string()),
        Next::Look | Next::End => None,
    };
    std::iter::from_fn(next).collect()
}

#[test]
fn rule_118_a_hook_is_told_of_a_recovery_only_if_it_was_told_of_the_trouble() {
    let mut supervisor = supervisor([service("s").interval("1h").max_restarts(0)]);
    let [early, late] = [(); 2].map(|()| Arc::new(NoticeQueue::default()));
    supervisor.add_hook(Arc::clone(&early), 0);
    supervisor.start_all(0).unwrap();
    let run = |supervisor: &mut Supervisor, end, now| {
        let item = take(supervisor, now).expect("it is due");
        finish(supervisor, item, end, now);
    };
    run(&mut supervisor, crash(), 0);
    supervisor.add_hook(Arc::clone(&late), 0);
    supervisor.start("s", SECOND).unwrap();
    run(&mut supervisor, Completion::Ran(Exit::Wait), SECOND);
    // Overdue, with both of them, and with one.
    let overdue = |supervisor: &mut Supervisor, begin: Nanos, add: Option<&Arc<NoticeQueue>>| {
        supervisor.look_for_notices(begin + 3 * HOUR);
        add.into_iter().for_each(|hook| supervisor.add_hook(Arc::clone(hook), begin + 3 * HOUR));
        run(supervisor, Completion::Ran(Exit::Wait), begin + 3 * HOUR);
        supervisor.look_for_notices(begin + 3 * HOUR);
    };
    overdue(&mut supervisor, SECOND, None);
    let last = Arc::new(NoticeQueue::default());
    overdue(&mut supervisor, 4 * HOUR, Some(&last));
    let all = told(&early);
    let of_overdue = |notice: &String| notice.contains("overdue");
    assert_eq!(all[0], "`s` failed: no");
    assert!(all[1].starts_with("`s` recovered after 1 crash and 1s"), "{all:?}");
    assert!(all.len() == 6 && all[2..].iter().all(of_overdue), "{all:?}");
    assert_eq!(told(&late), all[2..]);
    assert_eq!(told(&last), [""; 0]);
}

#[test]
fn rule_8_and_118_nothing_is_followed_once_all_hooks_were_removed() {
    let mut supervisor = supervisor([service("s").interval("1h")]);
    let [first, second] = [(); 2].map(|()| Arc::new(NoticeQueue::default()));
    for hook in [&first, &second] {
        supervisor.add_hook(Arc::clone(hook), 0);
    }
    supervisor.start_all(0).unwrap();
    let item = take(&mut supervisor, 0).expect("it is due");
    supervisor.look_for_notices(3 * HOUR);
    first.close(true);
    supervisor.forget_removed_hooks();
    assert!(supervisor.notices.is_some() && supervisor.journal.wants_run_ends());
    second.close(true);
    supervisor.forget_removed_hooks();
    assert!(supervisor.notices.is_none() && !supervisor.journal.wants_run_ends());
    finish(&mut supervisor, item, Completion::Ran(Exit::Wait), 3 * HOUR);
    let third = Arc::new(NoticeQueue::default());
    supervisor.add_hook(Arc::clone(&third), 3 * HOUR);
    assert!(supervisor.next_notice_look().is_some(), "it begins anew");
    assert_eq!(told(&third), [""; 0]);
}
