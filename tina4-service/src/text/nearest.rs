//! Suggestions for unknown names.

use crate::text::one_line::OneLine;

/// The similarity, from 0 to 1, above which one name is likely to be a misspelling of the other.
#[cfg(feature = "cron")]
const MIN_SIMILARITY: f64 = 0.9;

/// The known name that is most similar to `name`, if one is similar enough; the first one on a tie.
/// Case does not matter.
#[cfg(feature = "cron")]
pub(crate) fn nearest<N: AsRef<str>>(name: &str, known: impl IntoIterator<Item = N>) -> Option<N> {
    let lower = name.to_ascii_lowercase();
    let mut best = None;
    let mut best_similarity = MIN_SIMILARITY;
    for candidate in known {
        // There may be thousands of names; this rules out nearly all of them without a comparison.
        if max_similarity(name, candidate.as_ref()) <= best_similarity {
            continue;
        }
        let found = strsim::jaro_winkler(&lower, &candidate.as_ref().to_ascii_lowercase());
        if found > best_similarity {
            (best, best_similarity) = (Some(candidate), found);
        }
    }
    best
}

/// An upper bound on the similarity of two ASCII names, from their lengths and first letters alone. It
/// assumes that the longer name contains every letter of the shorter one.
#[cfg(feature = "cron")]
fn max_similarity(a: &str, b: &str) -> f64 {
    let (short, long) = (a.len().min(b.len()), a.len().max(b.len()));
    let share = short as f64 / long.max(1) as f64;
    let common = a.bytes().zip(b.bytes()).take(4).take_while(|(a, b)| a.eq_ignore_ascii_case(b));
    let prefix = [0.0, 0.1, 0.2, 0.3, 0.4][common.count()];
    let jaro = (2.0 + share) / 3.0;
    jaro + prefix * (1.0 - jaro)
}

/// Never finds a name: the comparison needs `strsim`, which comes with the feature `cron`.
#[cfg(not(feature = "cron"))]
pub(crate) fn nearest<N: AsRef<str>>(_: &str, _: impl IntoIterator<Item = N>) -> Option<N> {
    None
}

/// The maximum number of names that a message lists.
const MAX_LISTED: usize = 20;

/// The remedy for an unknown service name: the name that was probably meant, or the names that exist.
pub(crate) fn remedy<N: AsRef<str>>(name: &str, known: &[N]) -> String {
    remedy_of(name, known, "services")
}

/// [`remedy`] for names of something else; `plural`: what they are.
pub(crate) fn remedy_of<N: AsRef<str>>(name: &str, known: &[N], plural: &str) -> String {
    if let Some(meant) = nearest(name, known) {
        return format!("did you mean `{}`?", OneLine(meant.as_ref()));
    }
    let shown = known.iter().take(MAX_LISTED).map(|name| format!("`{}`", OneLine(name.as_ref())));
    let listed: Vec<_> = shown.collect();
    match (listed.as_slice(), known.len() - listed.len()) {
        ([], _) => "register a service first".to_owned(),
        ([only], _) => format!("the only {} is {only}", plural.trim_end_matches('s')),
        ([first @ .., last], 0) => format!("the {plural} are {} and {last}", first.join(", ")),
        (_, more) => format!("the {plural} are {} and {more} more", listed.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(feature = "cron")]
    #[test]
    fn rule_82_a_misspelt_name_is_recognised() {
        let known = ["heartbeat", "daily_report", "import-berlin", "import-oslo", "mail", "b"];
        for (name, meant) in [
            ("hartbeat", Some("heartbeat")),
            ("Heartbeat", Some("heartbeat")),
            ("haertbeat", Some("heartbeat")),
            ("xheartbeat", Some("heartbeat")),
            ("heart", Some("heartbeat")),
            ("daily-report", Some("daily_report")),
            ("dailyreport", Some("daily_report")),
            ("import-belrin", Some("import-berlin")),
            ("import-osl", Some("import-oslo")),
            ("mails", Some("mail")),
            ("nobody", None),
            ("a", None),
            ("", None),
            ("report", None),
        ] {
            assert_eq!(nearest(name, known), meant, "{name}");
        }
        assert_eq!(
            nearest("worker-3", ["worker-1", "worker-2"]),
            Some("worker-1"),
            "the first one on a tie"
        );
        let endless = "heartbeat".repeat(100_000);
        assert_eq!(nearest(&endless, known), None);
    }

    /// This guarantees that the shortcut does not rule out a name that the comparison would find.
    #[cfg(feature = "cron")]
    #[test]
    fn max_similarity_is_an_upper_bound() {
        let names = ["a", "ab", "abc", "heartbeat", "Heart", "hartbeat", "beat", "daily_report"];
        for a in names {
            for b in names {
                let (a_lower, b_lower) = (a.to_ascii_lowercase(), b.to_ascii_lowercase());
                let alike = strsim::jaro_winkler(&a_lower, &b_lower);
                assert!(alike <= max_similarity(a, b) + 1e-9, "{a} and {b}: {alike}");
            }
        }
    }

    #[test]
    fn a_long_list_is_shortened() {
        let many: Vec<_> = (0..1_000).map(|number| format!("{number}")).collect();
        let text = remedy("heartbeat", &many);
        assert!(text.ends_with(", `18`, `19` and 980 more"), "{text}");
        assert_eq!(remedy("heartbeat", &many[..3]), "the services are `0`, `1` and `2`");
        assert_eq!(remedy("heartbeat", &many[..2]), "the services are `0` and `1`");
        assert_eq!(remedy("heartbeat", &many[..1]), "the only service is `0`");
        assert_eq!(remedy::<&str>("heartbeat", &[]), "register a service first");
    }
}
