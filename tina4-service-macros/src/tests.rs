//! What declarations expand to, and the messages about faulty ones, independent of the toolchain.
//!
//! `ui-tests` checks where the carets are.

use super::*;

/// The messages about a declaration. Checks that its item is passed through unchanged.
fn faults(args: &str, item: &str) -> Vec<String> {
    let item: TokenStream = item.parse().expect("the item lexes");
    let args = args.parse().expect("the arguments lex");
    let expansion = expand_service(args, item.clone()).to_string();
    let (before, rest) = expansion.split_once(&item.to_string()).expect("the item is unchanged");
    assert!(before.is_empty() || before.starts_with("# [allow (clippy ::"), "{before}");
    let file: syn::File = syn::parse_str(rest).expect("items");
    let message = |item: &syn::Item| {
        let syn::Item::Macro(call) = item else {
            return None;
        };
        Some(syn::parse2::<syn::LitStr>(call.mac.tokens.clone()).expect("a message").value())
    };
    file.items.iter().filter_map(message).collect()
}

/// Checks that each list of arguments, on a plain function, has exactly these faults.
fn check(cases: &[(&str, &[&str])]) {
    for (args, expected) in cases {
        assert_eq!(faults(args, "fn heartbeat() {}"), *expected, "#[service({args})]");
    }
}

/// Checks that each item, without arguments, has exactly these faults.
fn check_items(cases: &[(&str, &[&str])]) {
    for (item, expected) in cases {
        assert_eq!(faults("", item), *expected, "{item}");
    }
}

/// The code after a function, without spaces.
fn registration(args: &str, item: &str) -> String {
    assert_eq!(faults(args, item), [""; 0]);
    let expansion = expand_service(args.parse().unwrap(), item.parse().unwrap()).to_string();
    let item = item.parse::<TokenStream>().unwrap().to_string();
    let (_, rest) = expansion.split_once(&item).unwrap();
    rest.replace(' ', "")
}

#[test]
fn a_whole_registration() {
    let found = registration(
        r#"interval = "30s", max_restarts = 5, after = [migrations, db::up, "mail"], on_stop = flush"#,
        "fn sync(ctx: &Context, db: Res<Db>) -> Result<(), DbError> {}",
    );
    let expected = r#"
        const _: () = {
            ::tina4_service::__private::unique! { macro_rules! another_service_is_named_sync { () => {}; } }
            ::tina4_service::__private::submit! {
                ::tina4_service::__private::Registration::new(
                    "sync",
                    ::core::concat!(::core::module_path!(), "::", "sync"),
                    ::core::panic::Location::caller(),
                    &sync,
                    const { &[
                        ::tina4_service::__private::need_of(|tina4_service_parameter| { sync(tina4_service_parameter, ::tina4_service::__private::placeholder()) }),
                        ::tina4_service::__private::need_of(|tina4_service_parameter| { sync(::tina4_service::__private::placeholder(), tina4_service_parameter) })
                    ] },
                    |tina4_service_run| ::tina4_service::__private::outcome(|| { sync(
                        ::tina4_service::__private::param(tina4_service_run),
                        ::tina4_service::__private::param(tina4_service_run)
                    ) }),
                )
                .schedule(::tina4_service::__private::Schedule::Interval(::core::time::Duration::new(30, 0)))
                .max_restarts(5)
                .after(const { &[
                    ::tina4_service::__private::Dependency::Function { id: ::tina4_service::__private::id_of(&migrations), path: "migrations" },
                    ::tina4_service::__private::Dependency::Function { id: ::tina4_service::__private::id_of(&db::up), path: "db::up" },
                    ::tina4_service::__private::Dependency::Name("mail")
                ] })
                .on_stop(const { &::tina4_service::__private::OnStop::new(flush) })
            }
        };"#;
    assert_eq!(found, expected.replace([' ', '\n'], ""));
}

/// Checks that the registration contains this text, ignoring spaces.
fn check_contains(args: &str, item: &str, expected: &str) {
    let found = registration(args, item);
    let expected: String = expected.split_whitespace().collect();
    assert!(found.contains(&expected), "no {expected} in {found}");
}

/// Checks the calls after `Registration::new(..)`, on a plain function.
fn check_settings(args: &str, expected: &str) {
    let found = registration(args, "fn f() {}");
    let (_, found) = found.split_once("outcome(||{f()}),)").expect("a registration");
    assert_eq!(found, expected.replace([' ', '\n'], "") + "}};", "#[service({args})]");
}

#[cfg(feature = "cron")]
#[test]
fn a_cron_expression_becomes_masks() {
    check_contains(
        r#"cron = "30 8 * * MON#2", timezone = "Europe/Berlin""#,
        "fn f() {}",
        r#".schedule(::tina4_service::__private::Schedule::Calendar(
            ::tina4_service::__private::Calendar::Cron(::tina4_service::__private::Cron {
                text: ::tina4_service::__private::Cow::Borrowed("30 8 * * MON#2"),
                seconds: 1u64, minutes: 1073741824u64, hours: 256u32, months: 8190u16,
                days: ::tina4_service::__private::Days {
                    days_of_month: 4294967294u32, days_from_end: 0u32,
                    nearest_weekdays: 0u32, nearest_weekdays_from_end: 0u32,
                    days_of_week: 0u8, nth_days_of_week: [0u8, 2u8, 0u8, 0u8, 0u8],
                    last_days_of_week: 0u8, match_both: true,
                },
                recurring: false,
            }),
            ::tina4_service::__private::Timezone::Named(
                ::tina4_service::__private::Cow::Borrowed("Europe/Berlin")
            )
        ))"#,
    );
    check_contains(
        r#"cron = "@hourly""#,
        "fn f() {}",
        "days: ::tina4_service::__private::Days::ALL",
    );
    check_contains(r#"cron = "@hourly""#, "fn f() {}", "__private::Timezone::Local)");
}

#[cfg(feature = "cron")]
#[test]
fn an_anchor_becomes_a_day_and_a_second() {
    for (args, period, day, second, timezone) in [
        (
            r#"interval = "14d", anchor = "2026-01-02 09:00", timezone = "UTC""#,
            "1209600",
            "::core::option::Option::Some(20455i64)",
            "32400u32",
            "Named(::tina4_service::__private::Cow::Borrowed(\"UTC\"))",
        ),
        (
            r#"anchor = "00:00", interval = "90m""#,
            "5400",
            "::core::option::Option::None",
            "0u32",
            "Local",
        ),
    ] {
        let expected = format!(
            ".schedule(::tina4_service::__private::Schedule::Calendar(
                ::tina4_service::__private::Calendar::Anchored(
                    ::tina4_service::__private::Anchored {{
                        period: ::core::time::Duration::new({period}, 0),
                        anchor: ::tina4_service::__private::Anchor {{ day: {day}, second: {second} }},
                    }}
                ),
                ::tina4_service::__private::Timezone::{timezone}
            ))"
        );
        check_settings(args, &expected);
    }
}

#[test]
fn settings_that_differ_from_the_defaults_become_calls() {
    let duration = "::core::time::Duration::new";
    for (args, expected) in [
        ("", String::new()),
        (
            "delay = \"1500ms\"",
            format!(
                ".schedule(::tina4_service::__private::Schedule::Delay({duration}(1, 500000000)))"
            ),
        ),
        ("initial_delay = \"1s\"", format!(".initial_delay({duration}(1, 0))")),
        ("timeout = \"1s\"", format!(".timeout({duration}(1, 0))")),
        (
            "timeout = \"1s\", on_timeout = \"cancel\"",
            format!(
                ".timeout({duration}(1, 0)).on_timeout(::tina4_service::__private::OnTimeout::Cancel)"
            ),
        ),
        ("timeout = \"1s\", on_timeout = \"report\"", format!(".timeout({duration}(1, 0))")),
        ("stop_timeout = \"1s\"", format!(".stop_timeout({duration}(1, 0))")),
        ("autostart = false, critical = true", ".autostart(false).critical(true)".to_owned()),
        (
            "restart = \"always\"",
            ".restart(::tina4_service::__private::Restart::Always)".to_owned(),
        ),
        ("restart = \"never\"", ".restart(::tina4_service::__private::Restart::Never)".to_owned()),
        ("after = []", String::new()),
    ] {
        check_settings(args, &expected);
    }
    // Defaults that are given explicitly are still defaults.
    let defaults = "stop_timeout = \"10s\", autostart = true, backoff = \"1s\", restart = \"on-failure\", initial_delay = \"0s\"";
    check_settings(defaults, "");
}

#[test]
fn each_setting_becomes_one_call() {
    let args = r#"interval = "9s", tolerance = "8s", initial_delay = "1s", jitter = "2s", timeout = "3s", on_timeout = "cancel", restart = "on-failure",
        max_restarts = 4, restart_window = "1h", backoff = "5s", max_backoff = "6s", stop_timeout = "7s",
        autostart = false, critical = true"#;
    let expected = "
        .schedule(::tina4_service::__private::Schedule::Interval(::core::time::Duration::new(9, 0)))
        .tolerance(::core::time::Duration::new(8, 0))
        .initial_delay(::core::time::Duration::new(1, 0))
        .jitter(::core::time::Duration::new(2, 0))
        .timeout(::core::time::Duration::new(3, 0))
        .on_timeout(::tina4_service::__private::OnTimeout::Cancel)
        .max_restarts(4)
        .restart_window(::core::time::Duration::new(3600, 0))
        .backoff(::core::time::Duration::new(5, 0))
        .max_backoff(::core::time::Duration::new(6, 0))
        .stop_timeout(::core::time::Duration::new(7, 0))
        .autostart(false)
        .critical(true)";
    check_settings(args, expected);
}

#[test]
fn the_registration_has_the_name_of_the_service_and_the_path_of_the_crate() {
    let path = "::core::concat!(::core::module_path!(), \"::\",";
    let location = "::core::panic::Location::caller(),";
    check_contains(
        "name = \"my.name\"",
        "fn f() {}",
        &format!("new(\"my.name\", {path} \"f\"), {location} &f,"),
    );
    check_contains(
        "",
        "fn r#loop() {}",
        &format!("new(\"loop\", {path} \"loop\"), {location} &r#loop,"),
    );
    check_contains(
        "crate = facade::svc",
        "fn f() {}",
        "{facade::svc::__private::Registration::new(",
    );
    check_contains("crate = facade::svc", "fn f() {}", "{facade::svc::__private::unique! {");
    check_contains("crate = crate", "fn f() {}", "{crate::__private::Registration::new(");
}

#[test]
fn a_valid_name_is_reserved_in_the_crate() {
    let reserved = "macro_rules! another_service_is_named_";
    check_contains("", "fn r#loop() {}", &format!("{reserved}loop {{"));
    check_contains(
        "name = \"my.mail-2\"",
        "fn f() {}",
        &format!("{reserved}my_fullstop_mail_hyphen_2 {{"),
    );
    for (args, item) in
        [("", "fn _f() {}"), ("name = 5", "fn f() {}"), ("name = \"\"", "fn f() {}")]
    {
        let expansion = expand_service(args.parse().unwrap(), item.parse().unwrap()).to_string();
        assert!(!expansion.contains("macro_rules"), "{expansion}");
    }
}

#[test]
fn the_function_is_called_with_its_parameters() {
    let outcome = "::tina4_service::__private::outcome";
    let param = "::tina4_service::__private::param(tina4_service_run)";
    for result in ["", "-> Flow", "-> Result<(), E>", "-> !"] {
        check_contains(
            "",
            &format!("fn f() {result} {{}}"),
            &format!("&[], |_| {outcome}(|| {{ f() }}),"),
        );
    }
    check_contains(
        "",
        "fn f(mut a: A, _: B) {}",
        &format!("] }}, |tina4_service_run| {outcome}(|| {{ f({param}, {param}) }}),"),
    );
}

#[test]
fn keywords_of_some_editions_are_names() {
    for word in ["async", "await", "dyn", "gen", "try"] {
        let item = format!(
            "pub(in a::{word}) fn {word}({word}: &Context, mut {word}: {word}::Tick, _: Res<dyn Any>) -> Result<{word}::T, E> {{}}"
        );
        let found = registration(
            &format!("after = [a, a::{word}, {word}::a], on_stop = {word}::f::<dyn Any>"),
            &item,
        );
        let name = format!("new(\"{word}\",");
        assert!(found.contains(&name), "{found}");
        assert!(!found.contains(&format!("({word}")), "{found}");
        for part in ["id_of(&a::r#WORD)", "id_of(&r#WORD::a)", "new(r#WORD::f::<dynAny>)"] {
            let part = part.replace("WORD", word);
            assert!(found.contains(&part), "no {part} in {found}");
        }
        check_contains(
            &format!("crate = {word}::svc"),
            "fn f() {}",
            &format!("{{r#{word}::svc::__private::Registration::new("),
        );
    }
}

/// A crate of edition 2015 cannot resolve `::core`.
#[test]
fn faults_are_reported_in_every_edition() {
    let item = "fn core() {}".parse().unwrap();
    let expansion =
        expand_service("no_such_key, interval = core".parse().unwrap(), item).to_string();
    assert_eq!(expansion.matches(":: std :: compile_error !").count(), 2, "{expansion}");
    assert!(!expansion.contains("core :: compile_error"), "{expansion}");
}

#[test]
fn lints_about_service_parameters_are_allowed() {
    for (item, lints) in [
        ("fn f() {}", None),
        ("fn f(a: &Context) {}", None),
        ("fn f(a: &Context, b: B) {}", Some("clippy::needless_pass_by_value,")),
        (
            "fn f(a: &C, b: &C, c: &C, d: &C, e: &C, f: &C, g: &C, h: &C) {}",
            Some("clippy::too_many_arguments,"),
        ),
    ] {
        let expansion =
            expand_service(TokenStream::new(), item.parse().unwrap()).to_string().replace(' ', "");
        let expected = lints.map_or("fnf".to_owned(), |lints| format!("#[allow({lints}reason="));
        assert!(expansion.starts_with(&expected), "{expansion}");
    }
}

#[test]
fn the_registration_has_the_conditions_of_the_function() {
    let item = r#"#[cfg(unix)] #[doc = "x"] #[cfg_attr(test, cfg(windows), must_use)] #[cfg_attr(test, inline)] fn f() {}"#;
    let found = registration("", item);
    assert!(found.starts_with("#[cfg(unix)]#[cfg_attr(test,cfg(windows))]const_:()"), "{found}");
    for deprecated in ["#[deprecated]", "#[deprecated = \"x\"]", "#[cfg_attr(x, deprecated)]"] {
        let found = registration("", &format!("{deprecated} fn f() {{}}"));
        assert!(found.starts_with("#[allow(deprecated,reason="), "{found}");
    }
}

#[test]
fn functions_may_have_any_visibility_and_a_half_typed_body() {
    for item in
        ["pub fn f() {}", "pub(crate) fn f() { let x = ; foo. }", "pub(in a::b) fn f() { if }"]
    {
        assert_eq!(faults("", item), [""; 0], "{item}");
    }
}

mod arguments;
mod deployment;
mod expanded;
mod items;
