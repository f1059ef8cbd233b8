//! What a stop signal means for a runner with a quiesce time, in which its services keep running.

use crate::engine::supervisor::Supervisor;
use crate::engine::supervisor::quiesce::Quiesce;
use crate::process::signals::handler::Signals;
use crate::process::signals::waiters::Waiters;
use tina4_service_core::Nanos;

impl Signals {
    /// After a stop signal: until when the services of this runner keep running; `None`: they are to stop. The next
    /// signal ends that time, and the one after it the process.
    pub(super) fn quiesce(&self, supervisor: &mut Supervisor, now: Nanos) -> Option<Nanos> {
        let state = self.debounce.state();
        match supervisor.quiesce(self.last(), self.count(), now) {
            Quiesce::Begins(until) => {
                self.debounce.await_end_of_quiesce(state);
                Some(until)
            }
            Quiesce::Lasts(until) => Some(until),
            Quiesce::Ends => {
                self.arm();
                None
            }
            Quiesce::Over => None,
        }
    }

    /// Ends the quiesce time of this runner, if it lasts.
    pub(super) fn end_quiesce(&self, supervisor: &mut Supervisor) {
        if supervisor.end_quiesce() {
            self.arm();
        }
    }

    /// Makes the next signal end the process, unless it is to end the quiesce time of another runner.
    fn arm(&self) {
        if !Waiters::get().may_quiesce() {
            self.debounce.arm();
        }
    }
}
