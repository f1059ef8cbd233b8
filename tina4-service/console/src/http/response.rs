//! Turns answers into bytes.

use super::refusal::Refusal;

/// The head of an answer, with its empty line.
///
/// `length`: that of the body; `None`: the end of the connection ends it. `close`: the connection ends after this answer.
pub(super) fn head(
    status: u16,
    headers: &[(&'static str, String)],
    length: Option<usize>,
    close: bool,
) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {status} {}\r\n", reason(status)).into_bytes();
    for (name, value) in headers {
        head.extend_from_slice(name.as_bytes());
        head.extend_from_slice(b": ");
        // A control character would end the header, and what follows would be another one.
        head.extend(value.bytes().map(|byte| if byte.is_ascii_control() { b' ' } else { byte }));
        head.extend_from_slice(b"\r\n");
    }
    // RFC 9110 forbids it for these.
    if let Some(length) = length.filter(|_| !matches!(status, 100..200 | 204 | 304)) {
        head.extend_from_slice(format!("content-length: {length}\r\n").as_bytes());
    }
    if close {
        head.extend_from_slice(b"connection: close\r\n");
    }
    head.extend_from_slice(b"\r\n");
    head
}

/// The answer to a request that is refused; the connection ends after it.
pub(super) fn refuse(refusal: Refusal) -> Vec<u8> {
    let body = format!("{refusal}\n");
    let headers = [
        ("content-type", "text/plain; charset=utf-8".to_owned()),
        ("cache-control", "no-store".to_owned()),
        ("x-content-type-options", "nosniff".to_owned()),
    ];
    let mut bytes = head(refusal.status(), &headers, Some(body.len()), true);
    bytes.extend_from_slice(body.as_bytes());
    bytes
}

/// What follows the status code. Clients ignore it; people read it.
fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        202 => "Accepted",
        204 => "No Content",
        303 => "See Other",
        304 => "Not Modified",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        409 => "Conflict",
        413 => "Content Too Large",
        414 => "URI Too Long",
        415 => "Unsupported Media Type",
        417 => "Expectation Failed",
        422 => "Unprocessable Content",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        503 => "Service Unavailable",
        505 => "HTTP Version Not Supported",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: Vec<u8>) -> String {
        String::from_utf8(bytes).expect("it is text")
    }

    #[test]
    fn rule_115_an_answer_has_one_end() {
        let headers = [("location", "./x\r\nset-cookie: a=b".to_owned())];
        assert_eq!(
            text(head(303, &headers, Some(0), false)),
            "HTTP/1.1 303 See Other\r\nlocation: ./x  set-cookie: a=b\r\ncontent-length: 0\r\n\r\n"
        );
        assert_eq!(
            text(head(200, &[], None, true)),
            "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n"
        );
        assert_eq!(text(head(204, &[], Some(0), false)), "HTTP/1.1 204 No Content\r\n\r\n");
        let refused = text(refuse(Refusal::Length));
        let (head, body) = refused.split_once("\r\n\r\n").expect("it has a body");
        assert!(head.contains(&format!("\r\ncontent-length: {}\r\nconnection: close", body.len())));
        assert!(head.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{head}");
    }
}
