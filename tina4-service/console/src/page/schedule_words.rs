//! Schedules as people say them: `daily at 08:00` instead of `0 8 * * *`.

use maud::{Markup, html};
use tina4_service::Schedule;

/// The schedule in words, if there are simple ones, and otherwise as the log has it. A cron expression that was put into
/// words is in the tooltip.
pub(super) fn schedule(schedule: &Schedule) -> Markup {
    let text = schedule.to_string();
    let cron = text.strip_suffix(')').and_then(|text| text.rsplit_once(" ("));
    let words = cron.and_then(|(expression, zone)| Some((in_words(expression)?, expression, zone)));
    html! {
        @match words {
            Some((words, expression, zone)) => span title=(expression) { (words) " (" (zone) ")" },
            None => (text),
        }
    }
}

/// A cron expression in words; `None`: it says too much for a few words.
fn in_words(expression: &str) -> Option<String> {
    let fields: Vec<&str> = expression.split(' ').collect();
    let [minute, hour, day, "*", weekday] = *fields else { return None };
    if let Some(step) = minute.strip_prefix("*/") {
        let divides = number(step, 59).is_some_and(|step| step > 1 && 60 % step == 0);
        let is_always = hour == "*" && day == "*" && weekday == "*";
        return (divides && is_always).then(|| format!("every {step} min"));
    }
    let minute = number(minute, 59)?;
    if hour == "*" {
        return (day == "*" && weekday == "*").then(|| format!("hourly at :{minute:02}"));
    }
    let time = format!("{:02}:{minute:02}", number(hour, 23)?);
    match (day, weekday) {
        ("*", "*") => Some(format!("daily at {time}")),
        (day, "*") => Some(format!("monthly on day {} at {time}", number(day, 31)?)),
        ("*", weekday) => match weekday.split_once('-') {
            None => Some(format!("{} at {time}", weekday_name(weekday)?)),
            Some((first, last)) => {
                Some(format!("{} to {} at {time}", weekday_name(first)?, weekday_name(last)?))
            }
        },
        (_, _) => None,
    }
}

/// A plain number up to a limit; no list, range or step.
fn number(text: &str, max: u32) -> Option<u32> {
    let is_plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|number| is_plain && *number <= max)
}

fn weekday_name(text: &str) -> Option<&'static str> {
    const NAMES: [&str; 8] =
        ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
    match number(text, 7) {
        Some(day) => usize::try_from(day).ok().and_then(|day| NAMES.get(day).copied()),
        None => {
            let is_short = |name: &&&str| text.len() == 3 && name[..3].eq_ignore_ascii_case(text);
            NAMES.iter().find(is_short).copied()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn simple_cron_expressions_are_put_into_words() {
        for (expression, words) in [
            ("0 8 * * *", "daily at 08:00"),
            ("5 0 1 * *", "monthly on day 1 at 00:05"),
            ("30 6 * * 1", "Monday at 06:30"),
            ("30 6 * * mon-FRI", "Monday to Friday at 06:30"),
            ("0 0 * * 7", "Sunday at 00:00"),
            ("15 * * * *", "hourly at :15"),
            ("*/5 * * * *", "every 5 min"),
        ] {
            assert_eq!(in_words(expression).as_deref(), Some(words), "{expression}");
        }
    }

    #[test]
    fn what_says_more_is_left_as_it_is() {
        // Both day fields restrict each other, a step that does not divide the hour starts anew, and so on.
        for expression in [
            "0 8 1 * 1",
            "*/7 * * * *",
            "*/5 8 * * *",
            "0 8 1 1 *",
            "0 8,20 * * *",
            "0 8-10 * * *",
            "0 0 8 * * *",
            "0 8 L * *",
            "0 8 * * MON#2",
            "0 8 * * 1-",
            "@daily",
            "every 5m",
            "",
        ] {
            assert_eq!(in_words(expression), None, "{expression}");
        }
    }

    #[test]
    fn a_schedule_names_its_time_zone() {
        let cron = Schedule::cron("0 8 * * *", "UTC").unwrap();
        assert_eq!(
            schedule(&cron).into_string(),
            "<span title=\"0 8 * * *\">daily at 08:00 (UTC)</span>"
        );
        let minute = Schedule::interval(std::time::Duration::from_secs(60));
        assert_eq!(schedule(&minute).into_string(), "every 1m");
    }
}
