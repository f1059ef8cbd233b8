//! Which services a command is about.

use crate::client::Client;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::shown::{List, Service};

/// Names of services, as they are written on the command line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Names<'a>(pub(crate) &'a [String]);

impl Names<'_> {
    /// Whether one of them names this service.
    pub(crate) fn name(self, service: &Service) -> bool {
        self.0.iter().any(|pattern| matches(pattern, service))
    }

    /// Selects from all services; all of them if there are no names.
    pub(crate) fn select(self, client: &Client, all: List) -> Result<Vec<Service>, Failure> {
        let mut services = all.services;
        if self.0.is_empty() {
            return Ok(services);
        }
        for pattern in self.0 {
            if !services.iter().any(|service| matches(pattern, service)) {
                return Err(no_match(client, pattern));
            }
        }
        services.retain(|service| self.name(service));
        Ok(services)
    }

    /// The names of the services. A name without a wildcard is not looked up: the console knows whether there is
    /// such a service, and which name is similar.
    pub(crate) fn resolve(self, client: &Client) -> Result<Vec<String>, Failure> {
        let mut names: Vec<String> = Vec::new();
        let mut add = |name: &str| {
            if !names.iter().any(|known| known == name) {
                names.push(name.to_owned());
            }
        };
        if self.0.iter().all(|pattern| !is_wild(pattern)) {
            self.0.iter().for_each(|name| add(name));
            return Ok(names);
        }
        let all = List::get(client)?;
        for pattern in self.0 {
            if !is_wild(pattern) {
                add(pattern);
                continue;
            }
            let mut found =
                all.services.iter().filter(|service| matches(pattern, service)).peekable();
            if found.peek().is_none() {
                return Err(no_match(client, pattern));
            }
            found.for_each(|service| add(&service.name));
        }
        Ok(names)
    }
}

/// The path of a service, or of something of it.
pub(crate) fn path(name: &str, rest: &str) -> String {
    format!("/services/{}{rest}", encoded(name))
}

/// Percent-encodes what is in a path or a query.
pub(crate) fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

fn no_match(client: &Client, pattern: &str) -> Failure {
    if !is_wild(pattern)
        && let Err(failure) = client.get(&path(pattern, ""))
    {
        return failure;
    }
    let what = match pattern.strip_prefix("tag:") {
        Some(tag) => format!("no service has the tag `{tag}`"),
        None => format!("no service matches `{pattern}`"),
    };
    Failure::new(Exit::Unknown, what).hint("`list` shows all of them")
}

fn is_wild(pattern: &str) -> bool {
    pattern.contains('*') || pattern.starts_with("tag:")
}

fn matches(pattern: &str, service: &Service) -> bool {
    match pattern.strip_prefix("tag:") {
        Some(tag) => service.tags.iter().any(|own| own == tag),
        None => is_match(pattern, &service.name),
    }
}

/// Whether a text matches a pattern in which `*` stands for any characters.
fn is_match(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        match text.find(part) {
            Some(at) => text = &text[at + part.len()..],
            None => return false,
        }
    }
    text.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_115_a_star_stands_for_any_characters() {
        for (pattern, text, expected) in [
            ("mail", "mail", true),
            ("mail", "mail.send", false),
            ("mail*", "mail", true),
            ("mail*", "mail.send", true),
            ("*", "anything", true),
            ("*.send", "mail.send", true),
            ("m*l*d", "mail.send", true),
            ("m*x*d", "mail.send", false),
            ("a*a", "a", false),
            ("a*a", "aa", true),
            ("*a*b*", "xaxbx", true),
            ("*a*b*", "xbxax", false),
            ("**", "", true),
        ] {
            assert_eq!(is_match(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn rule_115_a_name_is_encoded_in_a_path() {
        assert_eq!(path("mail.send-1_x", "/run"), "/services/mail.send-1_x/run");
        assert_eq!(path("a/../b?c d%é", ""), "/services/a%2F..%2Fb%3Fc%20d%25%C3%A9");
    }
}
