//! Faults of keys and values.

use super::{check, faults};

#[test]
fn unknown_and_duplicate_keys() {
    check(&[
        ("intervall = \"30s\"", &["unknown key `intervall`; did you mean `interval`?"]),
        ("every = \"30s\"", &["unknown key `every`; did you mean `interval`?"]),
        (
            "colour = 1",
            &[
                "unknown key `colour`; the keys are `name`, `interval`, `delay`, `cron`, `queue`, `timezone`, `anchor`, `tolerance`, `initial_delay`, `jitter`, `timeout`, `on_timeout`, `restart`, `max_restarts`, `restart_window`, `backoff`, `max_backoff`, `stop_timeout`, `attempts`, `concurrency`, `lease`, `poll`, `keep_dead`, `keep_done`, `shared`, `on_dead`, `after`, `requires`, `ready`, `on_stop`, `autostart`, `critical`, `tags`, `crate`",
            ],
        ),
        ("interval = \"1s\", interval = \"2s\"", &["`interval` is given more than once; keep one"]),
        (
            "interval = 1, interval = 2",
            &[
                "expected a duration as a string, found `1`; write `interval = \"1s\"`",
                "`interval` is given more than once; keep one",
            ],
        ),
        (
            "\"30s\"",
            &["expected a key, found `\"30s\"`; write `key = value`, such as `interval = \"30s\"`"],
        ),
        (",", &["expected a key, found `,`; write `key = value`, such as `interval = \"30s\"`"]),
    ]);
}

#[test]
fn faulty_punctuation() {
    check(&[
        ("critical", &["`critical` has no value; write `critical = true`"]),
        ("critical =", &["`critical` has no value; write `critical = true`"]),
        ("critical = , autostart = true", &["`critical` has no value; write `critical = true`"]),
        ("critical: true", &["expected `=` after `critical`, found `:`; write `critical = true`"]),
        ("after(x)", &["expected `=` after `after`, found `(..)`; write `after = [migrations]`"]),
        (
            "interval = \"1s\" jitter = \"5\"",
            &[
                "expected `,` after the value of `interval`, found `jitter`; separate arguments with commas",
                "`5` has no unit; did you mean `\"5s\"`?",
            ],
        ),
        (
            "interval = \"1s\" + \"2s\", critical = true",
            &[
                "expected `,` after the value of `interval`, found `+`; separate arguments with commas",
            ],
        ),
        ("interval = \"1s\",", &[]),
    ]);
}

#[test]
fn values_of_the_wrong_kind() {
    check(&[
        (
            "interval = 30",
            &["expected a duration as a string, found `30`; write `interval = \"30s\"`"],
        ),
        (
            "interval = 30s",
            &["expected a duration as a string, found `30s`; write `interval = \"30s\"`"],
        ),
        (
            "delay = true",
            &["expected a duration as a string, found `true`; write `delay = \"30s\"`"],
        ),
        ("delay = -5", &["expected a duration as a string, found `-`; write `delay = \"30s\"`"]),
        (
            "delay = EVERY",
            &["expected a duration as a string, found `EVERY`; write `delay = \"30s\"`"],
        ),
        ("name = beat", &["expected a name as a string, found `beat`; write `name = \"beat\"`"]),
        ("name = 5", &["expected a name as a string, found `5`; write `name = \"heartbeat\"`"]),
        (
            "critical = \"true\"",
            &["expected `true` or `false`, found `\"true\"`; write `critical = true`"],
        ),
        ("critical = 1", &["expected `true` or `false`, found `1`; write `critical = true`"]),
        ("autostart = no", &["expected `true` or `false`, found `no`; write `autostart = false`"]),
        (
            "max_restarts = \"5\"",
            &["expected a whole number, found `\"5\"`; write `max_restarts = 5`"],
        ),
        ("max_restarts = 1.5", &["expected a whole number, found `1.5`; write `max_restarts = 5`"]),
        (
            "max_restarts = five",
            &["expected a whole number, found `five`; write `max_restarts = 5`"],
        ),
        (
            "restart = never",
            &[
                "expected `\"on-failure\"`, `\"always\"` or `\"never\"`, found `never`; write `restart = \"never\"`",
            ],
        ),
        (
            "timeout = \"1s\", on_timeout = cancel",
            &[
                "expected `\"report\"` or `\"cancel\"`, found `cancel`; write `on_timeout = \"cancel\"`",
            ],
        ),
        (
            "timeout = \"1s\", on_timeout = 5",
            &["expected `\"report\"` or `\"cancel\"`, found `5`; write `on_timeout = \"cancel\"`"],
        ),
        (
            "on_stop = \"flush\"",
            &["expected the path of a function, found `\"flush\"`; write `on_stop = flush`"],
        ),
        (
            "on_stop = |ctx| {}",
            &["expected the path of a function, found `|`; write `on_stop = flush`"],
        ),
        (
            "on_stop = flush()",
            &["expected the path of a function, found a call; write `flush` without parentheses"],
        ),
        (
            "crate = \"facade\"",
            &["expected the path of a crate or module, found `\"facade\"`; write `crate = facade`"],
        ),
        (
            "crate = 5",
            &[
                "expected the path of a crate or module, found `5`; write `crate = facade::tina4_service`",
            ],
        ),
    ]);
}

#[test]
fn faulty_durations_and_names() {
    check(&[
        ("interval = \"30\"", &["`30` has no unit; did you mean `\"30s\"`?"]),
        ("interval = \"0s\"", &["`interval` cannot be zero; use at least `1ms`, or remove it"]),
        (
            "interval = \"1month\"",
            &["unit `month` has no fixed length; use days, or `cron` for calendar time"],
        ),
        ("initial_delay = \"0s\"", &[]),
        ("name = \"\"", &["the name is empty; write one, such as `\"heartbeat\"`"]),
        (
            "name = \"a b\"",
            &["a name cannot contain spaces; use ASCII letters, digits, `_`, `-` and `.`"],
        ),
    ]);
}

#[test]
fn faulty_restart_settings() {
    check(&[
        (
            "max_restarts = -1",
            &[
                "`max_restarts` cannot be negative; use `0` to fail at the first crash, or remove `max_restarts` for no limit",
            ],
        ),
        (
            "max_restarts = 4294967296",
            &[
                "`max_restarts` of `4294967296` is too large; use at most `4294967295`, or remove `max_restarts` for no limit",
            ],
        ),
        (
            "max_restarts = 5i64",
            &[
                "`max_restarts` takes a plain whole number, found the suffix `i64`; write `max_restarts = 5`",
            ],
        ),
        ("max_restarts = 5u32", &[]),
        ("max_restarts = 1_000", &[]),
        (
            "restart = \"nevr\"",
            &["unknown value `\"nevr\"` for `restart`; did you mean `\"never\"`?"],
        ),
        (
            "restart = \"on_failure\"",
            &["unknown value `\"on_failure\"` for `restart`; did you mean `\"on-failure\"`?"],
        ),
        (
            "restart = \"maybe\"",
            &[
                "unknown value `\"maybe\"` for `restart`; use `\"on-failure\"`, `\"always\"` or `\"never\"`",
            ],
        ),
    ]);
}

#[test]
fn faulty_settings_of_the_timeout() {
    check(&[
        ("timeout = \"1s\", on_timeout = \"cancel\"", &[]),
        ("timeout = \"1s\", on_timeout = \"report\"", &[]),
        (
            "timeout = \"1s\", on_timeout = \"cancle\"",
            &["unknown value `\"cancle\"` for `on_timeout`; did you mean `\"cancel\"`?"],
        ),
        (
            "timeout = \"1s\", on_timeout = \"kill\"",
            &["unknown value `\"kill\"` for `on_timeout`; use `\"report\"` or `\"cancel\"`"],
        ),
        (
            "on_timeout = \"cancel\"",
            &["`on_timeout` has no effect without `timeout`; add `timeout` or remove `on_timeout`"],
        ),
        // The timeout is given but faulty.
        (
            "timeout = 1, on_timeout = \"cancel\"",
            &["expected a duration as a string, found `1`; write `timeout = \"1s\"`"],
        ),
        // The value is faulty, so it is not reported as having no effect.
        (
            "on_timeout = \"kill\"",
            &["unknown value `\"kill\"` for `on_timeout`; use `\"report\"` or `\"cancel\"`"],
        ),
    ]);
}

#[test]
fn faulty_lists_of_after() {
    check(&[
        ("after = []", &[]),
        ("after = [a, b::c, ::d::e, \"x\",]", &[]),
        ("after = migrations", &["`after` takes a list in brackets; write `after = [migrations]`"]),
        ("after = a::b", &["`after` takes a list in brackets; write `after = [a::b]`"]),
        ("after = \"x\"", &["`after` takes a list in brackets; write `after = [\"x\"]`"]),
        ("after = 5", &["`after` takes a list in brackets; write `after = [migrations]`"]),
        ("after = {}", &["`after` takes a list in brackets; write `after = [migrations]`"]),
        (
            "after = [5, a b, c()]",
            &[
                "expected the path of a service function or a name as a string, found `5`; write `after = [migrations]`",
                "expected `,` in the list of `after`, found `b`; separate services with commas",
                "expected the path of a function, found a call; write `c` without parentheses",
            ],
        ),
        (
            "after = [heartbeat]",
            &["`heartbeat` cannot come after itself; name another service or remove it"],
        ),
        (
            "after = [self::heartbeat]",
            &["`heartbeat` cannot come after itself; name another service or remove it"],
        ),
        (
            "after = [\"heartbeat\"]",
            &["`heartbeat` cannot come after itself; name another service or remove it"],
        ),
        (
            "name = \"x\", after = [\"x\"]",
            &["`x` cannot come after itself; name another service or remove it"],
        ),
        ("after = [other::heartbeat, super::heartbeat]", &[]),
        ("after = [a, a]", &["`a` is in `after` more than once; keep one"]),
        ("after = [\"a\", b, \"a\"]", &["`\"a\"` is in `after` more than once; keep one"]),
        ("requires = [a, \"b\"], after = [c]", &[]),
        (
            "requires = [heartbeat]",
            &["`heartbeat` cannot require itself; name another service or remove it"],
        ),
        ("requires = [a, a]", &["`a` is in `requires` more than once; keep one"]),
        ("requires = x", &["`requires` takes a list in brackets; write `requires = [x]`"]),
        (
            "requires = [a b]",
            &["expected `,` in the list of `requires`, found `b`; separate services with commas"],
        ),
        (
            "after = [a, r#b], requires = [b, c]",
            &[
                "`r#b` is in `requires` already, which includes what `after` does; remove it from `after`",
            ],
        ),
        ("after = [\"\"]", &["the name is empty; write one, such as `\"heartbeat\"`"]),
    ]);
}

#[test]
fn a_fault_causes_no_follow_up_fault() {
    check(&[
        // The interval is given but faulty, so the jitter is not reported as having no period.
        (
            "interval = 30, jitter = \"1s\"",
            &["expected a duration as a string, found `30`; write `interval = \"30s\"`"],
        ),
        (
            "intervall = \"30s\", jitter = \"1s\"",
            &["unknown key `intervall`; did you mean `interval`?"],
        ),
        (
            "max_restarts = -1, restart_window = \"1h\"",
            &[
                "`max_restarts` cannot be negative; use `0` to fail at the first crash, or remove `max_restarts` for no limit",
            ],
        ),
        ("backoff = \"2\", max_backoff = \"500ms\"", &["`2` has no unit; did you mean `\"2s\"`?"]),
    ]);
}

#[cfg(feature = "cron")]
#[test]
fn faulty_cron_expressions_and_time_zones() {
    check(&[
        ("cron = \"0 8 * * *\", timezone = \"Europe/Berlin\"", &[]),
        ("cron = \"57 23 LW * 2#2\", jitter = \"1m\"", &[]),
        (
            "cron = \"*/90 * * * *\"",
            &[
                "a step of 90 is too large for this field; write 1 to 59, or use `interval`\n    */90 * * * *\n      ^^",
            ],
        ),
        (
            "cron = 8",
            &["expected a cron expression as a string, found `8`; write `cron = \"0 8 * * *\"`"],
        ),
        (
            "timezone = UTC, cron = \"@daily\"",
            &[
                "expected a time zone as a string, found `UTC`; write `timezone = \"Europe/Berlin\"`",
            ],
        ),
        // The expression is given but faulty, so the keys that require it are not reported.
        (
            "cron = \"@dayly\", timezone = \"UTC\", jitter = \"1s\"",
            &["unknown nickname `@dayly`; did you mean `@daily`?\n    @dayly\n    ^^^^^^"],
        ),
        (
            "cron = \"@daily\", timezone = \"Eurpe/Berlin\"",
            &["unknown time zone area `Eurpe`; did you mean `Europe`?"],
        ),
        (
            "interval = \"1h\", timezone = \"UTC\"",
            &[
                "`timezone` has no effect without `cron` or `anchor`; add one of them or remove `timezone`",
            ],
        ),
        (
            "interval = \"1h\", cron = \"@daily\"",
            &["`interval` and `cron` cannot be combined; keep `interval` or `cron`"],
        ),
    ]);
}

#[cfg(feature = "cron")]
#[test]
fn faulty_anchors() {
    check(&[
        ("interval = \"14d\", anchor = \"2026-01-02 09:00\", timezone = \"UTC\"", &[]),
        ("interval = \"90m\", anchor = \"00:00\", jitter = \"1m\"", &[]),
        (
            "interval = \"90m\", anchor = 9",
            &[
                "expected a date and time as a string, found `9`; write `anchor = \"2026-01-02 09:00\"`",
            ],
        ),
        ("interval = \"1d\", anchor = \"24:00\"", &["`24` is not an hour; write 00 to 23"]),
        // The anchor is given but faulty, so the keys that require it are not reported.
        (
            "interval = \"7h\", anchor = \"9\", timezone = \"UTC\"",
            &[
                "`9` is neither a date with a time, such as `2026-01-02 09:00`, nor a time of day, such as `00:00`; write one of these forms",
            ],
        ),
        (
            "interval = \"7h\", ancor = \"09:00\", timezone = \"UTC\"",
            &["unknown key `ancor`; did you mean `anchor`?"],
        ),
        (
            "intervl = \"7h\", anchor = \"09:00\"",
            &["unknown key `intervl`; did you mean `interval`?"],
        ),
        (
            "interval = \"1month\", anchor = \"2026-01-31 09:00\"",
            &["unit `month` has no fixed length; use days, or `cron` for calendar time"],
        ),
    ]);
}

#[cfg(not(feature = "cron"))]
#[test]
fn cron_timezone_and_anchor_need_a_feature() {
    let message = "`cron` needs the feature `cron` of tina4-service, which is turned off; add `features = [\"cron\"]` to `tina4-service` in Cargo.toml";
    check(&[
        ("cron = \"0 8 * * *\"", &[message]),
        ("timezone = \"UTC\"", &[&message.replacen("cron", "timezone", 1)]),
        ("interval = \"1h\", anchor = \"00:00\"", &[&message.replacen("cron", "anchor", 1)]),
    ]);
}

#[test]
fn many_faults_in_one_build() {
    let found = faults(
        r#"name = "7", intervall = "1s", delay = 5, jitter = "0s", timeout = "1y", restart = "nevr", max_restarts = -1,
           backoff = "5m", after = [g, 5, g], critical = "yes""#,
        "const fn f<T>((a, b): (A, B)) {}",
    );
    assert_eq!(found.len(), 14, "{found:#?}");
}

#[test]
fn rule_156_tags_are_a_list_of_names() {
    check(&[
        ("tags = [\"mail\", \"slow\"]", &[]),
        ("tags = []", &[]),
        ("tags = \"mail\"", &["`tags` takes a list in brackets; write `tags = [\"mail\"]`"]),
        ("tags = mail", &["`tags` takes a list in brackets; write `tags = [\"mail\"]`"]),
        ("tags = [mail]", &["expected a tag as a string, found `mail`; write `tags = [\"mail\"]`"]),
        ("tags = [5]", &["expected a tag as a string, found `5`; write `tags = [\"mail\"]`"]),
        (
            "tags = [\"a\" \"b\"]",
            &["expected `,` in the list of `tags`, found `\"b\"`; separate tags with commas"],
        ),
        ("tags = [\"a\", \"b\", \"a\"]", &["`\"a\"` is in `tags` more than once; keep one"]),
        (
            "tags = [\"\", \"e mail\", \"2nd\"]",
            &[
                "the tag is empty; write one, such as `\"mail\"`",
                "a tag cannot contain spaces; use ASCII letters, digits, `_`, `-` and `.`",
                "a tag cannot start with `2`; start it with an ASCII letter",
            ],
        ),
        ("tag = [\"mail\"]", &["unknown key `tag`; did you mean `tags`?"]),
    ]);
    super::check_settings("tags = [\"mail\", \"slow\"]", ".tags(&[\"mail\", \"slow\"])");
}
