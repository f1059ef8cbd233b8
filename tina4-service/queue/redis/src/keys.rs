//! [`Keys`]: the names of everything that is stored.

use tina4_service_queue::EngineError;

use crate::error::unusable;

/// What the scripts know by number, in the order of `common.lua`. The list of the owner's claims follows, and then
/// `DONE_NAMES`.
const NAMES: [&str; 11] = [
    "id",
    "rows",
    "payloads",
    "ready",
    "later",
    "claimed",
    "dead",
    "dead-rows",
    "keys",
    "windows",
    "window-ends",
];

/// What only the scripts know that have to do with copies of done jobs.
const DONE_NAMES: [&str; 3] = ["done", "done-rows", "done-at"];

/// The prefix of an engine without settings.
pub(crate) const PREFIX: &str = "tina4";

/// The longest prefix, in bytes.
const MAX_PREFIX_LEN: usize = 128;

/// The keys of one prefix, as one owner uses them.
///
/// The prefix is in braces, a hash tag, so that all keys are in one slot of a cluster: a script must not touch two.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    prefix: String,
    /// The keys of each script, and those of copies.
    all: Vec<String>,
}

/// Whether a script has to do with copies of done jobs. Most do not, and need not name their keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Copies {
    Untouched,
    Used,
}

impl Keys {
    pub(crate) fn new(prefix: &str, owner: &str) -> Self {
        let of_prefix = |name: &&str| format!("{{{prefix}}}:{name}");
        let of_scripts = NAMES.iter().map(of_prefix).chain([format!("{{{prefix}}}:owner:{owner}")]);
        let all = of_scripts.chain(DONE_NAMES.iter().map(of_prefix)).collect();
        Self { prefix: prefix.to_owned(), all }
    }

    /// The keys of a script.
    pub(crate) fn of_script(&self, copies: Copies) -> &[String] {
        match copies {
            Copies::Untouched => &self.all[..=NAMES.len()],
            Copies::Used => &self.all,
        }
    }

    /// The key of the version.
    pub(crate) fn version(&self) -> String {
        format!("{{{}}}:version", self.prefix)
    }

    /// The channel, whose messages are names of queues.
    pub(crate) fn channel(&self) -> String {
        format!("{{{}}}:wake", self.prefix)
    }
}

/// Refuses a prefix that cannot be a hash tag.
pub(crate) fn check(prefix: &str) -> Result<(), EngineError> {
    let is_valid = (1..=MAX_PREFIX_LEN).contains(&prefix.len())
        && prefix.chars().all(|c| c.is_ascii_graphic() && !matches!(c, '{' | '}'));
    if is_valid {
        return Ok(());
    }
    Err(unusable(format!(
        "the prefix `{}` of its keys is not valid; use 1 to {MAX_PREFIX_LEN} ASCII characters without braces and spaces",
        prefix.escape_debug()
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_keys_have_the_same_hash_tag() {
        let keys = Keys::new("shop", "owner");
        let all =
            keys.of_script(Copies::Used).iter().cloned().chain([keys.version(), keys.channel()]);
        for key in all {
            assert!(key.starts_with("{shop}:"), "{key}");
        }
        let usual = keys.of_script(Copies::Untouched);
        assert_eq!((usual.len(), &*usual[11]), (12, "{shop}:owner:owner"));
        assert_eq!(
            keys.of_script(Copies::Used)[12..],
            ["{shop}:done", "{shop}:done-rows", "{shop}:done-at"]
        );
    }

    #[test]
    fn rule_138_a_prefix_that_is_no_hash_tag_is_refused() {
        check("shop:test-1").unwrap();
        for prefix in ["", "a b", "{a}", "größer", "a\n", &"x".repeat(129)] {
            let error = check(prefix).unwrap_err().to_string();
            assert!(error.ends_with("without braces and spaces"), "{error}");
        }
    }
}
