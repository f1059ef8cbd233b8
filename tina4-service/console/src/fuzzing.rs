//! What the fuzzer calls.

use crate::http::parser::{CHUNK, Limits, Parsed, ParsedRequest, RequestParser};
use crate::http::refusal::Refusal;

const LIMITS: Limits = Limits { request_line: 256, head: 1024, headers: 8, body: 256 };

/// Parses the bytes of a connection, at once and in pieces of this size.
///
/// # Panics
///
/// If the pieces make a difference, or the parser holds more than it may.
pub fn requests(bytes: &[u8], piece: usize) {
    assert_eq!(parse(bytes, CHUNK), parse(bytes, piece.clamp(1, CHUNK)));
}

fn parse(bytes: &[u8], piece: usize) -> (Vec<ParsedRequest>, Option<Refusal>) {
    let mut parser = RequestParser::new(LIMITS);
    let mut requests = Vec::new();
    for piece in bytes.chunks(piece) {
        parser.feed(piece);
        loop {
            assert!(parser.held() <= LIMITS.head.max(LIMITS.body) + CHUNK, "it holds too much");
            match parser.next() {
                Ok(Parsed::NeedMore) => break,
                Ok(Parsed::Continue) => {}
                Ok(Parsed::Request(request)) => {
                    assert!(request.path.starts_with('/') && request.body.len() <= LIMITS.body);
                    assert!(request.headers.len() <= LIMITS.headers);
                    requests.push(request);
                }
                Err(refusal) => {
                    assert_eq!(parser.next(), Err(refusal));
                    return (requests, Some(refusal));
                }
            }
        }
    }
    (requests, None)
}
