//! The query of a request.

use std::str::FromStr;

use crate::problem::Problem;
use crate::request::Request;
use crate::text;

/// The parameters of a query.
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    /// Reads the query. A parameter that is none of the known ones is an error, because ignoring it would show more than
    /// what was asked for.
    pub(crate) fn of(request: &Request, known: &[&str]) -> Result<Self, Problem> {
        let pairs = pairs(request)?;
        Self::checked(pairs, known, &[])
    }

    /// [`Query::of`], with parameters that may be there several times.
    pub(crate) fn with_repeated(request: &Request, repeated: &[&str]) -> Result<Self, Problem> {
        Self::checked(pairs(request)?, repeated, repeated)
    }

    fn checked(
        pairs: Vec<(String, String)>,
        known: &[&str],
        repeated: &[&str],
    ) -> Result<Self, Problem> {
        if let Some((name, _)) = pairs.iter().find(|(name, _)| !known.contains(&&**name)) {
            let name: String = name.chars().take(50).flat_map(char::escape_debug).collect();
            let hint = match known {
                [] => "this path has none".to_owned(),
                _ => format!("this path has {}", known.join(", ")),
            };
            return Err(Problem::malformed(format!("there is no parameter `{name}`")).hint(hint));
        }
        for (index, (name, _)) in pairs.iter().enumerate() {
            if !repeated.contains(&&**name) && pairs[..index].iter().any(|(other, _)| other == name)
            {
                let detail = format!("the parameter `{name}` is there twice");
                return Err(Problem::malformed(detail).hint("give it once"));
            }
        }
        Ok(Self(pairs))
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let pair = self.0.iter().find(|(key, _)| key == name);
        pair.map(|(_, value)| &**value)
    }

    /// The values of a parameter that may be there several times.
    pub(crate) fn all(&self, name: &str) -> Vec<String> {
        let pairs = self.0.iter().filter(|(key, _)| key == name);
        pairs.map(|(_, value)| value.clone()).collect()
    }

    /// The value of a parameter; `None`: it is not there.
    pub(crate) fn parsed<T: FromStr>(&self, name: &str, what: &str) -> Result<Option<T>, Problem> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let error = |_| Problem::malformed(format!("the parameter `{name}` has to be {what}"));
        value.parse().map(Some).map_err(error)
    }
}

fn pairs(request: &Request) -> Result<Vec<(String, String)>, Problem> {
    text::pairs(&request.query)
        .ok_or_else(|| Problem::malformed("the query is not percent-encoded UTF-8"))
}
