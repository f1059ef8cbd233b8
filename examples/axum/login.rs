//! The program's own login: names and passwords, which browsers and `curl -u` send along.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use tina4_service_console::Access;

/// Who may log in: the value of the header `authorization` that a name and its password make, and the name.
#[derive(Clone, Default)]
pub(crate) struct Operators(Arc<[(String, String)]>);

impl Operators {
    /// Reads pairs such as `alice:secret,bob:other`, as a real program would read its table of users.
    pub(crate) fn parse(pairs: &str) -> Self {
        let operators = pairs.split(',').filter_map(|pair| {
            let (name, password) = pair.split_once(':')?;
            // An empty password is a mistake, and not an invitation.
            (!password.is_empty())
                .then(|| (format!("Basic {}", base64(pair.as_bytes())), name.to_owned()))
        });
        Self(operators.collect())
    }

    fn find(&self, authorization: &HeaderValue) -> Option<&str> {
        let found = self.0.iter().find(|(value, _)| value.as_bytes() == authorization.as_bytes());
        found.map(|(_, name)| &**name)
    }
}

/// Lets only operators through, and tells the console who it is. Who may do what is decided here: the console sees the
/// extension, and asks nobody else.
pub(crate) async fn login(
    State(operators): State<Operators>,
    mut request: Request,
    next: Next,
) -> Response {
    let authorization = request.headers().get(header::AUTHORIZATION);
    let Some(name) = authorization.and_then(|value| operators.find(value)) else {
        let challenge = (header::WWW_AUTHENTICATE, "Basic realm=\"operators\"");
        return (StatusCode::UNAUTHORIZED, [challenge], "log in\n").into_response();
    };
    let grant = Access::Operate.by(name.to_owned());
    request.extensions_mut().insert(grant);
    next.run(request).await
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let byte = |nth: usize| u32::from(chunk.get(nth).copied().unwrap_or_default());
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for nth in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * nth) & 63) as usize];
            text.push(if nth <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_are_found_by_name_and_password() {
        let operators = Operators::parse("alice:secret,bob:x,empty:,nonsense");
        let find = |value: &'static str| operators.find(&HeaderValue::from_static(value));
        assert_eq!(find("Basic YWxpY2U6c2VjcmV0"), Some("alice"));
        assert_eq!(find("Basic Ym9iOng="), Some("bob"));
        // `empty:`, and alice with another password.
        assert_eq!((find("Basic ZW1wdHk6"), find("Basic YWxpY2U6c2VjcmU=")), (None, None));
        assert!(Operators::parse("").0.is_empty());
    }
}
