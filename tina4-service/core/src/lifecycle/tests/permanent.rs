//! A crash that no restart follows.

use super::*;

#[test]
fn rule_28_a_permanent_crash_is_final_whatever_restarts_are_left() {
    let schedules = [Schedule::Continuous, Schedule::Interval(secs(10)), Schedule::Delay(secs(1))];
    for (schedule, restart) in schedules.iter().flat_map(|s| Restart::ALL.map(|r| (s.clone(), r))) {
        for hooks in [false, true] {
            let restart =
                RestartPolicy { restart, max_restarts: Some(9), ..RestartPolicy::DEFAULT };
            let mut life = Life::new(Spec { schedule: schedule.clone(), restart, ..Spec::DEFAULT });
            life.hooks = hooks;
            life.start();
            life.due();
            // Asked for meanwhile, and of no avail.
            life.step(Input::Pause);
            life.take_notes();
            let action = life.step(crashed_permanently());
            assert_eq!(action == Action::CleanUp, hooks, "its hooks run");
            let crashed = Transition::Crashed {
                crash: crash_of(CrashKind::Permanent),
                in_a_row: 1,
                restart_in: None,
            };
            assert!(life.take_notes().contains(&crashed));
            life.hooks = false;
            life.step(Input::CleanedUp);
            assert_eq!((life.state(), life.life.deadline()), (State::Failed, None));
            // A new activation is as good as any.
            life.start();
            life.run(0, GOOD);
            assert_ne!(life.state(), State::Failed);
        }
    }
}
