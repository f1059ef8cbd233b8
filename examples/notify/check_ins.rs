//! Check-ins in the manner of Sentry's cron monitors. Each tells when the service runs, so that whoever receives them knows
//! when one is missing; nothing has to be configured there.

use std::io;
use std::thread;
use std::time::SystemTime;

use serde_json::{Value, json};
use tina4_service::{Change, RunOutcome, Runner, Schedule};

use crate::http;

/// How many minutes late a run may be.
const MARGIN_MINUTES: u32 = 5;

/// Sends the check-ins of all services with a suitable schedule, from a thread of its own that ends with the runner. In the
/// address, `{service}` stands for the name, as in `http://<host>/api/<project>/cron/{service}/<key>/`. Call it when all
/// services are registered.
#[expect(clippy::disallowed_methods, reason = "a thread of the program, not of the crate")]
pub(crate) fn install(runner: &Runner, url: String) -> io::Result<()> {
    let services = runner.services().into_iter();
    let monitors: Vec<_> =
        services.filter_map(|info| Some((info.name, monitor(&info.schedule)?))).collect();
    let events = runner.subscribe();
    thread::Builder::new().name("check-ins".to_owned()).spawn(move || {
        for event in events {
            let Some((service, monitor)) = monitors.iter().find(|(name, _)| *name == event.service)
            else {
                continue;
            };
            let status = if let Change::RunBegan { .. } = event.change {
                "in_progress"
            } else if let Change::RunEnded { outcome, .. } = event.change {
                // The service is stopping; this run is neither.
                if outcome == RunOutcome::Stopped {
                    continue;
                }
                if outcome == RunOutcome::Ok { "ok" } else { "error" }
            } else {
                continue;
            };
            let body = json!({ "status": status, "monitor_config": monitor }).to_string();
            if let Err(error) =
                http::post(&url.replace("{service}", service), "application/json", &body)
            {
                tracing::warn!(service = &**service, %error, "a check-in could not be sent");
            }
        }
    })?;
    Ok(())
}

/// What the receiver must know of a schedule; `None`: it cannot express it.
pub(crate) fn monitor(schedule: &Schedule) -> Option<Value> {
    let text = schedule.to_string();
    let (rule, timezone) = match text.strip_suffix(')').and_then(|text| text.rsplit_once(" (")) {
        // Sentry knows the five fields of a crontab, without `L`, `W`, `#` and `?`.
        Some((cron, zone))
            if cron.split(' ').count() == 5 && !cron.contains(['L', 'W', '#', '?']) =>
        {
            (
                json!({ "type": "crontab", "value": cron }),
                Some(zone).filter(|zone| *zone != "local"),
            )
        }
        Some(_) => return None,
        None => (interval(schedule)?, None),
    };
    let mut monitor = json!({ "schedule": rule, "checkin_margin": MARGIN_MINUTES });
    if let Some(timezone) = timezone {
        monitor["timezone"] = timezone.into();
    }
    Some(monitor)
}

/// An interval or a delay of whole minutes.
fn interval(schedule: &Schedule) -> Option<Value> {
    let [first, second] = schedule.upcoming(SystemTime::UNIX_EPOCH, 2)[..] else { return None };
    let seconds = second.duration_since(first).ok()?.as_secs();
    let is_whole = seconds >= 60 && seconds.is_multiple_of(60);
    is_whole.then(|| json!({ "type": "interval", "value": seconds / 60, "unit": "minute" }))
}
