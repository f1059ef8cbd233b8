//! Changing the schedule of a service.

use super::Supervisor;
use super::supervised::NewSchedule;
use crate::engine::control_error::ControlError;
use crate::service::time_settings::tolerance;
use crate::time::zone::Zone;
use tina4_service_core::lifecycle::Input;
use tina4_service_core::{Nanos, Schedule, nanos};

impl Supervisor {
    /// Changes the schedule of one service, which follows it from now on. `schedule`: with its time zone,
    /// or why it is unusable.
    pub(crate) fn reschedule(
        &mut self,
        name: &str,
        schedule: Result<(Schedule, Option<Zone>), String>,
        now: Nanos,
    ) -> Result<(), ControlError> {
        let index = self.find(name)?;
        let service = self.registry.get_mut(index);
        let place = service.instance.definition.place();
        let refused = |problem| ControlError::Schedule { name: name.to_owned(), place, problem };
        let (schedule, zone) = schedule.map_err(refused)?;
        // Otherwise a program that sets its schedules from a file, again and again, would put off every
        // run.
        if service.spec().schedule == schedule && service.has_usable_zone() {
            return Ok(());
        }
        let spec = service.spec().with_schedule(schedule);
        let spec = spec.map_err(|fault| refused(fault.to_string()))?;
        let tolerance = nanos(tolerance(&spec, &self.env));
        service.set_schedule(NewSchedule { spec, zone, tolerance });
        self.registry.note_change();
        self.apply(index, Input::Rescheduled, now);
        Ok(())
    }
}
