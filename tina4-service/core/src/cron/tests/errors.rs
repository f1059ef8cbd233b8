//! Invalid expressions: the span and the message of each error.

use super::super::Cron;

#[test]
fn each_mistake_has_a_span_and_a_message_of_its_own() {
    for (expression, wrong_part, message) in [
        ("", "", "the cron expression is empty; write five fields, such as `0 8 * * *`"),
        (
            "* * *",
            "* * *",
            "the expression has only 3 fields; write five (minute, hour, day of the month, month, day of the week), or six, beginning with the seconds",
        ),
        (
            "0 0 8 * * * 2026",
            "2026",
            "the expression has 7 fields, and there is no field for the year; write five (minute, hour, day of the month, month, day of the week), or six, beginning with the seconds",
        ),
        ("60 * * * *", "60", "`60` is not a minute; write 0 to 59"),
        ("0 24 * * *", "24", "`24` is not an hour; write 0 to 23"),
        ("0 0 0 * *", "0", "`0` is not a day of the month; write 1 to 31"),
        ("0 0 * 13 *", "13", "`13` is not a month; write 1 to 12 or JAN to DEC"),
        (
            "0 0 * * 8",
            "8",
            "`8` is not a day of the week; write 0 to 7 (0 and 7 are Sunday) or SUN to SAT",
        ),
        (
            "*/90 * * * *",
            "90",
            "a step of 90 is too large for this field; write 1 to 59, or use `interval`",
        ),
        ("*/0 * * * *", "0", "a step of 0 never advances; write 1 or more"),
        ("*/ * * * *", "*/", "the step is missing; write a number after `/`, such as `*/5`"),
        ("*/x * * * *", "x", "`x` is not a step; write a number from 1 to 59"),
        (
            "1,,2 * * * *",
            "1,,2",
            "a minute is missing next to a comma; write one, or remove the comma",
        ),
        ("0 0 * * MON-", "MON-", "the range `MON-` has no end; write both ends, such as `MON-FRI`"),
        ("0 -1 * * *", "-1", "the range `-1` has no start; write both ends, such as `9-17`"),
        ("- * * * *", "-", "the range `-` has no ends; write both ends, such as `0-29`"),
        ("0 0-24 * * *", "24", "`24` is not an hour; write 0 to 23"),
        ("?  * * * *", "?", "`?` is allowed only in the two day fields; write `*` for any value"),
        ("0 0 ?/2 * *", "?/2", "`?` cannot be combined with anything; write `*`"),
        (
            "L * * * *",
            "L",
            "`L` is not a minute, because `L`, `W` and `#` are for days; write 0 to 59",
        ),
        (
            "0 0 * * L",
            "L",
            "`L` needs a day of the week before it; write `5L` for the last Friday of the month, or `SAT` for every Saturday",
        ),
        (
            "0 0 * * MON#6",
            "MON#6",
            "`#6` is not an occurrence in the month; write `#1` to `#5`, or `5L` for the last Friday",
        ),
        (
            "0 0 L-31 * *",
            "L-31",
            "`L-31` is not a valid day counted back from the end of the month; write `L-1` to `L-30`",
        ),
        (
            "0 0 1-2W * *",
            "1-2W",
            "`1-2W` does not name a nearest weekday; write `W` after a single day, as in `15W` or `LW`",
        ),
        ("0 0 1,LW * *", "LW", "`LW` cannot be part of a list; write `W` after a single day"),
        ("0 0 * * SUNDAY", "SUNDAY", "`SUNDAY` is too long; names have three letters: write `SUN`"),
        (
            "0 0 30 2 *",
            "30 2 *",
            "no day ever matches `30 2 *`; check the day of the month against the month",
        ),
        (
            "@reboot",
            "@reboot",
            "`@reboot` does not name a calendar time; remove `cron`, and the service runs when it is started",
        ),
        ("@every 5m", "@every 5m", "`@every 5m` does not name a calendar time; use `interval`"),
        (" @dayly", "@dayly", "unknown nickname `@dayly`; did you mean `@daily`?"),
        (
            "0 0 * * ä",
            "ä",
            "`ä` is not a day of the week; write 0 to 7 (0 and 7 are Sunday) or SUN to SAT",
        ),
        (
            "0 0 1 1 * 2027",
            "2027",
            "`2027` is not a day of the week, and there is no field for the year; write 0 to 7 (0 and 7 are Sunday) or SUN to SAT",
        ),
        ("99999999999 * * * *", "99999999999", "`99999999999` is not a minute; write 0 to 59"),
    ] {
        let error = Cron::parse(expression).unwrap_err();
        let found = (&expression[error.span()], error.to_string());
        assert_eq!(found, (wrong_part, message.to_owned()), "{expression:?}");
    }
}

#[test]
fn the_wrong_part_is_underlined() {
    let error = Cron::parse(" 0\t8 * * MOM").unwrap_err();
    assert_eq!(
        format!("{error:#}"),
        "`MOM` is not a day of the week; write 0 to 7 (0 and 7 are Sunday) or SUN to SAT\n     0 8 * * MOM\n             ^^^",
    );
}

#[test]
fn long_texts_are_truncated() {
    let error = Cron::parse(&format!("{} * * * *", "9".repeat(70_000))).unwrap_err();
    let text = format!("{error:#}");
    assert_eq!(text, format!("`{}..` is not a minute; write 0 to 59", "9".repeat(40)));
}
