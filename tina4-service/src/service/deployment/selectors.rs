//! Which services a runner starts: the words of `only`, `except` and `TINA4_SERVICES`.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::service::deployment::deployed::SettingFault;
use crate::service::deployment::setting_source::SettingSource;
use crate::text::one_line::OneLine;
use tina4_service_core::name;

/// What comes before a tag.
const TAG: &str = "tag:";

/// A selection of services: those that a selector without `!` matches, or all if there is none, except those
/// that a selector with `!` matches.
#[derive(Debug)]
pub(crate) struct Selectors {
    list: Vec<Selector>,
    /// What selects, for messages: `` `TINA4_SERVICES` ``.
    pub(crate) source: String,
    /// The whole selection, for messages: `TINA4_SERVICES=tag:mail`.
    pub(crate) text: String,
    /// The selectors that could not be read.
    pub(crate) faults: Vec<SettingFault>,
    /// Whether it also applies to services that are registered at run time.
    pub(crate) includes_registered: bool,
    /// A word that includes could not be read, so that what remains may include nothing.
    has_unreadable_inclusion: bool,
}

/// One word of a selection.
#[derive(Debug)]
pub(crate) struct Selector {
    pub(crate) pattern: Pattern,
    is_negated: bool,
    /// Whether a service has matched it.
    has_matched: AtomicBool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Pattern {
    All,
    Nothing,
    Tag(String),
    Name(String),
}

impl Selectors {
    /// The selection of the deployment.
    pub(crate) fn of_deployment(text: &str, source: &SettingSource) -> Self {
        let (source, text) = match source {
            SettingSource::Settings => {
                ("`select` in `Settings`".to_owned(), format!("select = {text}"))
            }
            SettingSource::Variable(name) => (format!("`{name}`"), format!("{name}={text}")),
        };
        let words = text.split_once('=').map_or("", |(_, words)| words);
        let words = words.split(',').map(|word| (word.trim().to_owned(), false)).collect();
        Self::new(words, source, OneLine(&text).to_string(), true)
    }

    /// The selection of the code. `None`: it selects all services.
    pub(crate) fn of_code(only: Option<&[String]>, except: &[String]) -> Option<Self> {
        if only.is_none() && except.is_empty() {
            return None;
        }
        let mut words: Vec<_> = except.iter().map(|word| (word.clone(), true)).collect();
        match only {
            Some([]) => words = vec![("none".to_owned(), false)],
            Some(only) => words.extend(only.iter().map(|word| (word.clone(), false))),
            None => {}
        }
        let source = "`only` or `except`".to_owned();
        Some(Self::new(words, source, "`only` and `except`".to_owned(), false))
    }

    /// The services that the readiness of the program needs. `None`: it needs none in particular.
    pub(crate) fn of_ready_needs(words: &[String]) -> Option<Self> {
        if words.is_empty() {
            return None;
        }
        let words = words.iter().map(|word| (word.clone(), false)).collect();
        let source = "`ready_needs`".to_owned();
        Some(Self::new(words, source.clone(), source, false))
    }

    /// `words`: each with whether it excludes.
    fn new(
        words: Vec<(String, bool)>,
        source: String,
        text: String,
        includes_registered: bool,
    ) -> Self {
        let is_alone = words.len() == 1;
        let mut selectors = Self {
            list: Vec::new(),
            source,
            text,
            faults: Vec::new(),
            includes_registered,
            has_unreadable_inclusion: false,
        };
        for (word, excludes) in words {
            match Selector::parse(&word, excludes, is_alone) {
                Ok(selector) => selectors.list.push(selector),
                Err(problem) => {
                    selectors.has_unreadable_inclusion |= !excludes && !word.starts_with('!');
                    let setting = selectors.text.replace('`', "");
                    selectors.faults.push(SettingFault { setting, problem });
                }
            }
        }
        selectors
    }

    /// Whether a service is selected. Records what has matched it.
    pub(crate) fn selects<T: AsRef<str>>(&self, name: &str, tags: &[T]) -> bool {
        // Without a word that includes, everything is included.
        let includes_all = self.list.iter().all(|selector| selector.is_negated);
        let mut is_included = includes_all && !self.has_unreadable_inclusion;
        let mut is_excluded = false;
        for selector in &self.list {
            if selector.matches(name, tags) {
                if selector.is_negated {
                    is_excluded = true;
                } else {
                    is_included = true;
                }
            }
        }
        is_included && !is_excluded
    }

    /// The selectors that no service has matched, although they name one or a tag.
    pub(crate) fn unmatched(&self) -> impl Iterator<Item = &Selector> {
        self.list.iter().filter(|selector| match selector.pattern {
            Pattern::All | Pattern::Nothing => false,
            Pattern::Tag(_) | Pattern::Name(_) => !selector.has_matched.load(Ordering::Relaxed),
        })
    }

    /// Whether it selects nothing on purpose.
    pub(crate) fn is_nothing(&self) -> bool {
        self.list.iter().any(|selector| selector.pattern == Pattern::Nothing)
    }
}

impl Selector {
    /// `excludes`: the word is one of `except`. `is_alone`: it is the only one.
    fn parse(word: &str, excludes: bool, is_alone: bool) -> Result<Self, String> {
        let shown = OneLine(word);
        let (text, is_negated) = match word.strip_prefix('!') {
            Some(_) if excludes => {
                return Err(format!(
                    "`{shown}` would exclude what is excluded; write it without `!`, or in `only`"
                ));
            }
            Some(rest) => (rest.trim(), true),
            None => (word, excludes),
        };
        let pattern = match text {
            "" => return Err("a selector is empty; write names, `tag:` with a tag, `all` or `none`, separated by commas".to_owned()),
            "all" if is_negated => return Err("`all` cannot be excluded; write `none` to select nothing".to_owned()),
            "none" if is_negated => return Err("`none` cannot be excluded; remove it".to_owned()),
            "all" => Pattern::All,
            "none" if is_alone => Pattern::Nothing,
            "none" => return Err("`none` selects nothing and cannot be combined; remove it, or everything else".to_owned()),
            _ => match text.strip_prefix(TAG) {
                Some(tag) => {
                    name::check_tag(tag).map_err(|error| format!("`{shown}`: {error}"))?;
                    Pattern::Tag(tag.to_owned())
                }
                None => {
                    name::check(text).map_err(|error| format!("`{shown}`: {error}"))?;
                    Pattern::Name(text.to_owned())
                }
            },
        };
        Ok(Self { pattern, is_negated, has_matched: AtomicBool::new(false) })
    }

    fn matches<T: AsRef<str>>(&self, name: &str, tags: &[T]) -> bool {
        let matches = match &self.pattern {
            Pattern::All => true,
            Pattern::Nothing => false,
            Pattern::Tag(tag) => tags.iter().any(|known| known.as_ref() == tag),
            Pattern::Name(known) => known == name,
        };
        if matches {
            self.has_matched.store(true, Ordering::Relaxed);
        }
        matches
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn select(text: &str) -> Selectors {
        Selectors::of_deployment(text, &SettingSource::Variable(Arc::from("TINA4_SERVICES")))
    }

    #[test]
    fn rule_102_selectors_add_and_exclude() {
        let services: [(&str, &[&str]); 4] = [
            ("send", &["mail"]),
            ("sort", &["mail", "slow"]),
            ("heartbeat", &[]),
            ("report", &["slow"]),
        ];
        for (text, expected) in [
            ("all", "send sort heartbeat report"),
            ("none", ""),
            ("tag:mail", "send sort"),
            ("tag:mail,heartbeat,!tag:slow", "send heartbeat"),
            ("!tag:slow", "send heartbeat"),
            ("all, ! sort", "send heartbeat report"),
            ("heartbeat , report", "heartbeat report"),
            ("sort,!sort", ""),
        ] {
            let selectors = select(text);
            let selected = services.iter().filter(|(name, tags)| selectors.selects(name, tags));
            let names: Vec<_> = selected.map(|(name, _)| *name).collect();
            assert_eq!(names.join(" "), expected, "{text}");
            assert!(
                selectors.faults.is_empty() && selectors.unmatched().next().is_none(),
                "{text}"
            );
        }
    }

    #[test]
    fn rule_102_a_selector_that_cannot_be_read_is_a_fault() {
        for (text, problem) in [
            ("none,mail", "`none` selects nothing and cannot be combined"),
            ("a,,b", "a selector is empty"),
            ("!", "a selector is empty"),
            ("!all", "`all` cannot be excluded"),
            ("!none", "`none` cannot be excluded"),
            ("tag:", "`tag:`: the tag is empty"),
            ("tag:a b", "`tag:a b`: a tag cannot contain spaces"),
            ("a b", "`a b`: a name cannot contain spaces"),
            ("mail;slow", "`mail;slow`: a name cannot contain `;`"),
        ] {
            let selectors = select(text);
            let [fault] = &selectors.faults[..] else { panic!("{text}: {:?}", selectors.faults) };
            assert!(fault.problem.starts_with(problem), "{text}: {}", fault.problem);
            assert_eq!(fault.setting, format!("TINA4_SERVICES={text}"));
        }
        let double = Selectors::of_code(None, &["!a".to_owned()]).unwrap();
        assert!(double.faults[0].problem.contains("without `!`"));
    }
}
