use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

const LIMITS: Limits = Limits { request_line: 64, head: 256, headers: 6, body: 32 };

/// What a connection with these bytes, received in these pieces, gives: the requests, and the refusal that ends it.
fn parse(pieces: &[&[u8]], limits: Limits) -> (Vec<ParsedRequest>, Option<Refusal>) {
    let mut parser = RequestParser::new(limits);
    let mut requests = Vec::new();
    for piece in pieces.iter().flat_map(|piece| piece.chunks(CHUNK)) {
        parser.feed(piece);
        loop {
            let bound = limits.head.max(limits.body) + CHUNK;
            assert!(parser.held() <= bound, "it holds {} bytes", parser.held());
            match parser.next() {
                Ok(Parsed::NeedMore) => break,
                Ok(Parsed::Continue) => {}
                Ok(Parsed::Request(request)) => requests.push(request),
                Err(refusal) => {
                    assert_eq!((parser.next(), parser.held()), (Err(refusal), 0), "for good");
                    return (requests, Some(refusal));
                }
            }
        }
    }
    (requests, None)
}

fn refusal(text: &[u8]) -> Option<Refusal> {
    parse(&[text], LIMITS).1
}

fn only(text: &[u8]) -> ParsedRequest {
    let (mut requests, refusal) = parse(&[text], LIMITS);
    assert_eq!((requests.len(), refusal), (1, None), "{}", text.escape_ascii());
    requests.remove(0)
}

#[test]
fn rule_115_a_request_is_read_as_it_was_sent() {
    let request = only(b"POST /a%2Fb?x=1?&y HTTP/1.1\r\nHost: h:1\r\nX-A:\t b c \r\nx-a:\r\nContent-Length: 3\r\n\r\nabc");
    assert_eq!((&*request.method, &*request.path, &*request.query), ("POST", "/a%2Fb", "x=1?&y"));
    let headers: Vec<_> =
        request.headers.iter().map(|(name, value)| (&**name, value.as_slice())).collect();
    let expected: [(_, &[u8]); 4] =
        [("host", b"h:1"), ("x-a", b"b c"), ("x-a", b""), ("content-length", b"3")];
    assert_eq!(headers, expected);
    assert_eq!((request.body.as_slice(), request.keep_alive), (b"abc".as_slice(), true));
}

#[test]
fn rule_115_a_connection_ends_if_the_client_says_so() {
    for (headers, keep_alive) in [
        ("", true),
        ("Connection: keep-alive\r\n", true),
        ("Connection: close\r\n", false),
        ("Connection: x, CLOSE\r\n", false),
        ("Connection: x\r\nConnection: close\r\nConnection: keep-alive\r\n", false),
    ] {
        let text = format!("GET / HTTP/1.1\r\nHost: h\r\n{headers}\r\n");
        assert_eq!(only(text.as_bytes()).keep_alive, keep_alive, "{headers}");
    }
    for headers in ["", "Host: h\r\n", "Connection: keep-alive\r\n"] {
        let text = format!("GET / HTTP/1.0\r\n{headers}\r\n");
        assert!(!only(text.as_bytes()).keep_alive, "{headers}");
    }
}

#[test]
fn rule_115_requests_on_one_connection_are_told_apart() {
    let text = b"POST /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi\r\n\
        GET /2 HTTP/1.1\r\nHost: h\r\n\r\nGET /3 HTTP/1.1\r\nHost: h\r\n\r\nGE";
    let (requests, refusal) = parse(&[text], LIMITS);
    let paths: Vec<_> = requests.iter().map(|request| &*request.path).collect();
    assert_eq!((paths, refusal), (vec!["/1", "/2", "/3"], None));
    // An empty line may precede each of them.
    let text = b"\r\nGET /1 HTTP/1.1\r\nHost: h\r\n\r\n".repeat(3);
    let (requests, refusal) = parse(&[&text], LIMITS);
    assert_eq!((requests.len(), refusal), (3, None));
}

#[test]
fn rule_115_whatever_two_readers_may_understand_differently_is_refused() {
    use Refusal as R;
    for (head, expected) in [
        // Where the body ends.
        ("Content-Length: 1\r\nTransfer-Encoding: chunked", R::LengthAndEncoding),
        ("Transfer-Encoding: identity\r\nContent-Length: 1", R::LengthAndEncoding),
        ("Transfer-Encoding: chunked", R::TransferEncoding),
        ("Content-Length: 1\r\nContent-Length: 1", R::Length),
        ("Content-Length: 1\r\nContent-Length: 2", R::Length),
        ("Content-Length: 1, 1", R::Length),
        ("Content-Length: +1", R::Length),
        ("Content-Length: -1", R::Length),
        ("Content-Length: 0x1", R::Length),
        ("Content-Length: 1 1", R::Length),
        ("Content-Length:", R::Length),
        ("Content-Length: 33", R::BodyTooLong),
        ("Content-Length: 18446744073709551617", R::BodyTooLong),
        // Where a header ends.
        ("X: a\rY: b", R::LineEnd),
        ("X: a\nY: b", R::LineEnd),
        ("X: a\r\r", R::LineEnd),
        ("X: a\r\n b", R::FoldedHeader),
        ("X: a\r\n\tb: c", R::FoldedHeader),
        (" X: a", R::FoldedHeader),
        // What its name is.
        ("Content-Length : 1", R::HeaderName),
        ("X\t: 1", R::HeaderName),
        (": 1", R::HeaderName),
        ("X", R::HeaderName),
        ("X(y): 1", R::HeaderName),
        ("Ä: 1", R::HeaderName),
        // What its value is.
        ("X: a\0b", R::HeaderValue),
        ("X: a\u{7f}", R::HeaderValue),
        ("X: \u{c}a", R::HeaderValue),
        // Whom it is for.
        ("Host: h", R::Host),
        ("Host: a b", R::Host),
        ("Host: a, b", R::Host),
        ("Host: a/b", R::Host),
        ("Host: user@h", R::Host),
        // What is to be answered first.
        ("Expect: 200-ok", R::Expectation),
        // How much it is.
        ("A:\r\nB:\r\nC:\r\nD:\r\nE:\r\nF:", R::TooManyHeaders),
        (&format!("A: {}", "x".repeat(250)), R::TooManyHeaders),
    ] {
        let text = format!("GET / HTTP/1.1\r\nHost: h\r\n{head}\r\n\r\n");
        assert_eq!(refusal(text.as_bytes()), Some(expected), "{head:?}");
    }
    assert_eq!(refusal(b"GET / HTTP/1.1\r\nX: a\r\n\r\n"), Some(R::Host));
}

#[test]
fn rule_115_a_request_line_has_one_form() {
    use Refusal as R;
    for (line, expected) in [
        ("GET / HTTP/1.1", None),
        ("GET //x HTTP/1.1", None),
        ("GET /", Some(R::RequestLine)),
        ("GET  / HTTP/1.1", Some(R::RequestLine)),
        ("GET / HTTP/1.1 ", Some(R::RequestLine)),
        (" GET / HTTP/1.1", Some(R::RequestLine)),
        ("GET\t/ HTTP/1.1", Some(R::RequestLine)),
        ("G(T / HTTP/1.1", Some(R::RequestLine)),
        ("GET / http/1.1", Some(R::RequestLine)),
        ("GET / HTTP/2.0", Some(R::Version)),
        ("GET / HTTP/1.11", Some(R::Version)),
        ("GET / HTTP/0.9", Some(R::Version)),
        ("ABCDEFGHIJKLMNOPQ / HTTP/1.1", Some(R::Method)),
        ("GET * HTTP/1.1", Some(R::Target)),
        ("GET x HTTP/1.1", Some(R::Target)),
        ("GET http://h/ HTTP/1.1", Some(R::Target)),
        ("CONNECT h:1 HTTP/1.1", Some(R::Target)),
        ("GET /#a HTTP/1.1", Some(R::Target)),
        ("GET /\u{1} HTTP/1.1", Some(R::Target)),
        ("GET /ä HTTP/1.1", Some(R::Target)),
        ("GET /\r HTTP/1.1", Some(R::LineEnd)),
        ("GET / HTTP/1.1\r", Some(R::LineEnd)),
        ("\r\nGET / HTTP/1.1", None),
        ("\r\n\r\nGET / HTTP/1.1", Some(R::RequestLine)),
        (&format!("GET /{} HTTP/1.1", "x".repeat(60)), Some(R::RequestLineTooLong)),
    ] {
        let text = format!("{line}\r\nHost: h\r\n\r\n");
        assert_eq!(refusal(text.as_bytes()), expected, "{line:?}");
    }
    // TLS, and nothing but text without an end.
    assert_eq!(refusal(b"\x16\x03\x01\x02\0\x01\0\x01\n"), Some(R::LineEnd));
    assert_eq!(refusal(&[b'x'; 65]), Some(R::RequestLineTooLong));
}

#[test]
fn rule_115_a_client_that_asks_whether_to_go_on_is_told_once() {
    let head = b"POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-Continue\r\nContent-Length: 2\r\n\r\n";
    let mut parser = RequestParser::new(LIMITS);
    parser.feed(head);
    assert_eq!(parser.next(), Ok(Parsed::Continue));
    assert_eq!(parser.next(), Ok(Parsed::NeedMore));
    assert!(parser.has_begun());
    parser.feed(b"ok");
    assert!(matches!(parser.next(), Ok(Parsed::Request(request)) if request.body == b"ok"));
    assert!(!parser.has_begun());
    // Not if the body is there already, or there is none.
    parser.feed(head);
    parser.feed(b"ok");
    assert!(matches!(parser.next(), Ok(Parsed::Request(_))));
    parser.feed(b"GET / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n\r\n");
    assert!(matches!(parser.next(), Ok(Parsed::Request(_))));
}

#[test]
fn rule_115_each_refusal_says_what_to_do_instead() {
    for refusal in
        [Refusal::LineEnd, Refusal::BodyTooLong, Refusal::TransferEncoding, Refusal::Host]
    {
        assert!(refusal.to_string().contains("; "), "{refusal}");
        assert!((400..=505).contains(&refusal.status()));
    }
}

/// Bytes that look like requests often enough to get far.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let token = prop_oneof![
        Just(b"GET / HTTP/1.1\r\nHost: h\r\n".to_vec()),
        Just(b"POST /x?y HTTP/1.1\r\nHost: h\r\n".to_vec()),
        (0_usize..40).prop_map(|length| format!("Content-Length: {length}\r\n").into_bytes()),
        Just(b"Transfer-Encoding: chunked\r\n".to_vec()),
        Just(b"Expect: 100-continue\r\n".to_vec()),
        Just(b"\r\n".to_vec()),
        Just(b"\r\n\r\n".to_vec()),
        Just(b": ".to_vec()),
        vec(any::<u8>(), 0..40),
        (0_usize..9_000).prop_map(|length| vec![b'x'; length]),
    ];
    vec(token, 0..20).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn rule_115_whatever_a_client_sends_memory_is_bounded_and_pieces_make_no_difference(
        bytes in bytes(),
        cuts in vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        cuts.sort_unstable();
        let mut pieces = Vec::new();
        let mut start = 0;
        for cut in cuts {
            pieces.push(&bytes[start..cut]);
            start = cut;
        }
        pieces.push(&bytes[start..]);
        let whole = parse(&[&bytes], LIMITS);
        prop_assert_eq!(&whole, &parse(&pieces, LIMITS));
        let single: Vec<_> = bytes.chunks(1).collect();
        prop_assert_eq!(&whole, &parse(&single, LIMITS));
        for request in &whole.0 {
            prop_assert!(request.path.starts_with('/') && request.body.len() <= LIMITS.body);
            prop_assert!(request.headers.len() <= LIMITS.headers);
            let hosts = request.headers.iter().filter(|(name, _)| name == "host").count();
            prop_assert!(hosts <= 1);
        }
    }
}
