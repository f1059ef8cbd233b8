//! Permanent crashes.

use super::*;

#[test]
fn rule_28_a_permanent_crash_is_final_even_if_restarts_are_left() {
    let schedules = [Schedule::Continuous, Schedule::Interval(secs(10)), Schedule::Delay(secs(1))];
    for (schedule, restart) in schedules.iter().flat_map(|s| Restart::ALL.map(|r| (s.clone(), r))) {
        for hooks in [false, true] {
            let restart_policy =
                RestartPolicy { restart, max_restarts: Some(9), ..RestartPolicy::DEFAULT };
            let mut harness =
                Harness::new(Spec { schedule: schedule.clone(), restart_policy, ..Spec::DEFAULT });
            harness.hooks = hooks;
            harness.start();
            harness.due();
            // A pause does not keep it from failing.
            harness.step(Input::Pause);
            harness.take_transitions();
            let action = harness.step(crashed_permanently());
            assert_eq!(action == Action::CleanUp, hooks, "its hooks run");
            let crashed = Transition::Crashed {
                crash: crash_of(CrashKind::Permanent),
                consecutive_crashes: 1,
                restart_in: None,
            };
            assert!(harness.take_transitions().contains(&crashed));
            harness.hooks = false;
            harness.step(Input::CleanedUp);
            assert_eq!((harness.state(), harness.lifecycle.next_wake_up()), (State::Failed, None));
            // It does not affect the next activation.
            harness.start();
            harness.run(0, SUCCEEDED);
            assert_ne!(harness.state(), State::Failed);
        }
    }
}
