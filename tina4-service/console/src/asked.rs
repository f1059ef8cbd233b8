//! What the body of an action says.

use serde::Deserialize;

use crate::action::Action;
use crate::problem::Problem;
use crate::query::Query;
use crate::request::Request;
use crate::text;

/// What the body of an action says. All of it may be missing.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    /// Why somebody asks.
    pub(crate) reason: Option<String>,
    /// Who asks, if the console does not know better.
    pub(crate) by: Option<String>,
    /// With `redrive`, which it needs: the number of a job, as a text, or `all`.
    pub(crate) job: Option<String>,
    /// Where the form was, in a form: `list` or nothing.
    #[serde(skip)]
    pub(crate) back: Option<String>,
    /// Whether a form was posted, so that a browser waits for a page.
    #[serde(skip)]
    pub(crate) is_form: bool,
}

impl Asked {
    pub(crate) fn of(request: &Request, action: Action) -> Result<Self, Problem> {
        // What somebody wrote there in the belief that it narrows the action must not be ignored.
        Query::of(request, &[])?;
        let asked = Self::of_body(request)?;
        if asked.job.is_some() && action != Action::Redrive {
            return Err(Problem::malformed(format!("`job` says nothing to `{action}`"))
                .hint("leave it out; only `redrive` is about jobs"));
        }
        Ok(asked)
    }

    fn of_body(request: &Request) -> Result<Self, Problem> {
        let content_type = request.header("content-type").unwrap_or_default();
        let media_type = content_type.split(';').next().unwrap_or_default().trim();
        if media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Self::of_form(&request.body);
        }
        if request.body.is_empty() {
            return Ok(Self::default());
        }
        if media_type.eq_ignore_ascii_case("application/json") {
            return serde_json::from_slice(&request.body).map_err(|error| {
                Problem::malformed(format!("the body is not what it has to be: {error}"))
                    .hint("send an object such as `{\"reason\": \"disk full\", \"by\": \"alice\"}`, or nothing")
            });
        }
        Err(Problem::new(415, "unsupported media type", "the body is neither JSON nor a form")
            .hint("send `content-type: application/json`, or no body"))
    }

    fn of_form(body: &[u8]) -> Result<Self, Problem> {
        let malformed = || Problem::malformed("the form is not percent-encoded UTF-8");
        let body = std::str::from_utf8(body).map_err(|_| malformed())?;
        let mut asked = Self { is_form: true, ..Self::default() };
        for (name, value) in text::pairs(body).ok_or_else(malformed)? {
            let field = match &*name {
                "reason" => &mut asked.reason,
                "by" => &mut asked.by,
                // An empty one is no job, and does not mean all of them.
                "job" => {
                    set(&mut asked.job, value)?;
                    continue;
                }
                "back" => &mut asked.back,
                _ => return Err(Problem::malformed("the form has a field that is not known")),
            };
            // A field that nobody has filled in is sent, too.
            if !value.trim().is_empty() {
                set(field, value)?;
            }
        }
        Ok(asked)
    }
}

/// Sets a field of a form, which may be there once.
fn set(field: &mut Option<String>, value: String) -> Result<(), Problem> {
    match field.replace(value) {
        None => Ok(()),
        Some(_) => Err(Problem::malformed("the form has a field twice")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(content_type: &str, body: &str) -> Result<Asked, u16> {
        let mut request = Request::new("POST", "/services/web/run");
        request.headers.push(("content-type".to_owned(), content_type.as_bytes().to_vec()));
        request.body = body.as_bytes().to_vec();
        Asked::of(&request, Action::Run).map_err(|problem| problem.status)
    }

    #[test]
    fn the_body_is_json_or_a_form_or_nothing() {
        let expected = || Asked { reason: Some("disk full".to_owned()), ..Asked::default() };
        assert_eq!(asked("application/json", r#"{"reason": "disk full"}"#), Ok(expected()));
        assert_eq!(
            asked("Application/JSON; charset=utf-8", r#"{"reason":"disk full"}"#),
            Ok(expected())
        );
        let form = asked("application/x-www-form-urlencoded", "reason=disk+full&by=&back=");
        assert_eq!(form, Ok(Asked { is_form: true, ..expected() }));
        assert_eq!(asked("", ""), Ok(Asked::default()));
        assert_eq!(asked("application/json", ""), Ok(Asked::default()));
        for (content_type, body, status) in [
            ("application/json", "[]", 400),
            ("application/json", r#"{"reson": "typo"}"#, 400),
            ("application/json", "{", 400),
            ("application/x-www-form-urlencoded", "reason=%ff", 400),
            ("application/x-www-form-urlencoded", "reson=typo", 400),
            ("application/x-www-form-urlencoded", "reason=a&reason=b", 400),
            ("application/x-www-form-urlencoded", "job=7", 400),
            ("application/x-www-form-urlencoded", "job=", 400),
            ("application/json", r#"{"job": "7"}"#, 400),
            ("application/json", r#"{"back": "list"}"#, 400),
            ("text/plain", "reason", 415),
            ("", "reason", 415),
        ] {
            assert_eq!(asked(content_type, body), Err(status), "{content_type} {body}");
        }
    }
}
