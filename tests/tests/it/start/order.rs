//! Services that are linked by `after`, or share a name, while others come, fail and restart.

use tests::{secs, staged};
use tina4_service::{Change, Context, Service, State};

/// A body that leaves when it is asked to.
fn obedient(ctx: &Context) {
    while ctx.sleep(secs(3_600)) {}
}

#[test]
fn rule_30_status_names_the_service_that_requests_reach() {
    let mut t = staged([Service::new("s", obedient)]);
    t.advance("0s");
    t.runner().register(Service::new("s", obedient));
    assert!(t.runner().is_running("s"));
    assert_eq!(t.runner().status()["s"], State::Running);
}

#[test]
fn rule_32_and_41_a_fault_elsewhere_does_not_untie_a_newcomer() {
    for (base, runs) in [(Service::new("base", obedient).initial_delay("10s"), 0), {
        (Service::new("base", obedient), 1)
    }] {
        let mut t = staged([base, Service::new("on", obedient)]);
        t.advance("0s");
        t.runner().register(Service::new("faulty", obedient).interval("0s"));
        t.runner().register(Service::new("then", obedient).after("base"));
        t.start("then").unwrap();
        t.advance("0s");
        assert_eq!(t.runs("then"), runs, "held until `base` is up");
        t.stop_all();
        let events = t.events();
        let place = |name: &str, change: &Change| {
            events
                .iter()
                .position(|event| event.service == name && event.change == *change)
                .unwrap()
        };
        let last = place("then", &Change::Stopped);
        assert!(last < place("base", &Change::Stopping), "{}", t.timeline());
    }
}

#[test]
fn rule_32_a_restart_of_what_is_coming_up_lets_nobody_go_ahead() {
    for hook in [false, true] {
        let first = Service::new("first", obedient).initial_delay("10s");
        let first = if hook { first.on_stop(|_| {}) } else { first };
        let mut t = staged([first, Service::new("then", obedient).after("first")]);
        t.advance("5s");
        t.restart("first").unwrap();
        t.advance("9s");
        assert_eq!(t.runs("then"), 0, "{}", t.timeline());
        t.advance("1s");
        assert_eq!(t.runs("then"), 1, "{}", t.timeline());
    }
}

#[test]
fn rule_41_the_report_keeps_the_order_of_ends_at_one_instant() {
    let mut t = staged([Service::new("a", obedient), Service::new("b", obedient).after("a")]);
    t.advance("0s");
    let report = t.stop_all();
    let names: Vec<_> = report.services.iter().map(|service| &*service.name).collect();
    assert_eq!(names, ["b", "a"]);
}
