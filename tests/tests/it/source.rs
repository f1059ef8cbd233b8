//! Rules 51, 62 and 81, as far as the source code shows them.

use tests::sources;

#[test]
fn rule_81_unsafe_code_is_denied_except_in_one_file() {
    let found = sources("tina4-service/src");
    let root = found
        .iter()
        .find(|(path, _)| path == "tina4-service/src/lib.rs")
        .expect("the crate has a root");
    assert!(root.1.contains("#![deny(unsafe_code)]"));
    let files_with_unsafe: Vec<_> = found
        .iter()
        .filter(|(_, text)| text.contains("unsafe_code, reason"))
        .map(|(path, _)| &**path)
        .collect();
    assert_eq!(files_with_unsafe, ["tina4-service/src/process/ffi.rs"]);
}

/// A lock that a panic has poisoned is still usable, so every caller recovers it.
#[test]
fn rule_51_every_poisoned_lock_is_recovered() {
    let mut locks = 0;
    for (path, text) in sources("tina4-service/src") {
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        let code: String = code.split_whitespace().collect();
        for call in [".lock()", ".read()", ".write()"] {
            for (position, _) in code.match_indices(call) {
                let rest = &code[position + call.len()..];
                assert!(
                    ![".unwrap()", ".expect(", "?"].iter().any(|end| rest.starts_with(end)),
                    "{path}: {call}"
                );
                locks += usize::from(rest.starts_with(".unwrap_or_else("));
            }
        }
    }
    assert!(locks >= 5, "only {locks} calls were found");
}

/// Programs filter the log by its target.
#[test]
fn rule_62_every_log_line_and_span_has_the_target_of_the_crate() {
    let mut calls = 0;
    for (path, text) in sources("tina4-service/src") {
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        let code: String = code.flat_map(str::split_whitespace).collect();
        for (position, _) in code.match_indices("tracing::") {
            let rest = &code[position + "tracing::".len()..];
            let Some((name, arguments)) = rest.split_once("!(") else { continue };
            if name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '$') {
                assert!(arguments.starts_with("target:LOG_TARGET,"), "{path}: {name}");
                calls += 1;
            }
        }
    }
    assert!(calls >= 8, "only {calls} calls were found");
}
