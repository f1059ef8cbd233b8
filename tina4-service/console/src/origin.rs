//! Where a request comes from: this machine, a proxy, or a page of another site.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::peer::Peer;
use crate::request::Request;
use crate::version::Version;

/// Whether the request changes something, so that a page of another site must not be able to make it.
pub(crate) fn is_unsafe(method: &str) -> bool {
    !matches!(method, "GET" | "HEAD" | "OPTIONS")
}

/// Whether a browser makes the request for a page of another site. The algorithm is that of Go 1.25's
/// `CrossOriginProtection`: browsers say so themselves, and older ones say at least which origin the page has.
pub(crate) fn is_cross_site(request: &Request) -> bool {
    if request.has_header("sec-fetch-site") {
        return !matches!(request.header("sec-fetch-site"), Some("same-origin" | "none"));
    }
    if !request.has_header("origin") {
        // Not a browser, or one without this header, which predates any that are in use.
        return false;
    }
    let origin = request.header("origin").and_then(|origin| origin.split_once("://"));
    match (origin, request.header("host")) {
        (Some((_, origin)), Some(host)) => !origin.eq_ignore_ascii_case(host),
        (_, _) => true,
    }
}

/// Whether a page of another site makes the request without leaving itself: as an image, with `fetch`, and the like. That
/// somebody follows a link from another site is no such request.
pub(crate) fn is_embedded_elsewhere(request: &Request) -> bool {
    is_cross_site(request) && request.header("sec-fetch-mode") != Some("navigate")
}

/// Why a request does not count as one from this machine. `Display` says so in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Foreign {
    /// The front end does not know where it comes from.
    Unknown,
    /// It comes from another machine.
    Peer(IpAddr),
    /// A proxy has forwarded it, which has added this header.
    Proxied(String),
    /// Its version of HTTP is one that proxies use, and clients do not.
    Version,
    /// It names another machine, or none.
    Host,
}

impl fmt::Display for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("the console was not told where the request comes from"),
            Self::Peer(address) => write!(f, "the request comes from {address}"),
            Self::Proxied(header) => {
                write!(f, "a proxy has forwarded the request, as its header `{header}` says")
            }
            Self::Version => f.write_str(
                "the request has version 1.0 of HTTP, as from a proxy that says nothing else of itself",
            ),
            Self::Host => {
                f.write_str("the header `host` of the request does not name this machine")
            }
        }
    }
}

/// Why a request does not count as one from this machine; `None`: it does.
pub(crate) fn foreign(request: &Request) -> Option<Foreign> {
    match &request.peer {
        Peer::Tcp(peer) if peer.ip().to_canonical().is_loopback() => {}
        Peer::Tcp(peer) => return Some(Foreign::Peer(peer.ip())),
        Peer::Unix(_) | Peer::Unknown => return Some(Foreign::Unknown),
    }
    // Behind a proxy on the same machine, everybody would be local.
    if let Some((name, _)) = request.headers.iter().find(|(name, _)| is_forwarding(name)) {
        return Some(Foreign::Proxied(name.clone()));
    }
    // nginx without further settings: it adds no header, and names the machine that it connects to.
    match request.version {
        Version::Http10 => return Some(Foreign::Version),
        Version::Http11 | Version::Http2 => {}
    }
    // A page of another site can make its own name point to this machine.
    let names_this_machine = request.header("host").is_some_and(is_loopback_host);
    (!names_this_machine).then_some(Foreign::Host)
}

/// Whether proxies add this header.
fn is_forwarding(name: &str) -> bool {
    const PREFIXES: [&str; 5] =
        ["x-forwarded", "x-original-", "x-envoy-", "x-azure-", "x-appengine-"];
    const NAMES: [&str; 14] = [
        "forwarded",
        "x-host",
        "x-scheme",
        "x-amzn-trace-id",
        "cdn-loop",
        "cf-ray",
        "fly-client-ip",
        "via",
        "x-real-ip",
        "x-client-ip",
        "x-cluster-client-ip",
        "true-client-ip",
        "cf-connecting-ip",
        "fastly-client-ip",
    ];
    NAMES.contains(&name) || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// Whether a value of the header `host` names this machine.
fn is_loopback_host(host: &str) -> bool {
    let (name, port) = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, "")) => (address, None),
        Some((address, rest)) => (address, rest.strip_prefix(':').or(Some("?"))),
        None => host.split_once(':').map_or((host, None), |(name, port)| (name, Some(port))),
    };
    // `parse` would accept a sign.
    let is_port =
        |port: &str| port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok();
    if port.is_some_and(|port| !is_port(port)) {
        return false;
    }
    if host.starts_with('[') {
        return name
            .parse()
            .is_ok_and(|address: Ipv6Addr| IpAddr::V6(address).to_canonical().is_loopback());
    }
    let is_of_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
    if !name.bytes().all(is_of_name) {
        return false;
    }
    let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    name == "localhost"
        || name.ends_with(".localhost")
        || name.parse().is_ok_and(|address: Ipv4Addr| address.is_loopback())
}

impl Request {
    /// Whether a program on this machine makes the request: the rule that decides who may read if the program sets no
    /// [access](crate::Console::access).
    ///
    /// It comes from a loopback address, no proxy has forwarded it, its header `host` names this machine, and no page of
    /// another site makes it. A closure that only looks at the address of the peer is not safe: behind a proxy on
    /// this machine everybody has a loopback address, and a page of another site can make its own name point to
    /// this machine (DNS rebinding), so that the browser of somebody here reads the console for it.
    ///
    /// ```
    /// use tina4_service_console::{Access, Request};
    ///
    /// fn decide(request: &Request) -> Access {
    ///     if request.is_from_this_machine() { Access::Operate } else { Access::None }
    /// }
    /// assert_eq!(decide(&Request::new("GET", "/services")), Access::None);
    /// ```
    #[must_use]
    pub fn is_from_this_machine(&self) -> bool {
        foreign(self).is_none() && !is_embedded_elsewhere(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(peer: &str, headers: &[(&str, &str)]) -> Request {
        let mut request = Request::new("GET", "/");
        request.peer = Peer::Tcp(peer.parse().unwrap());
        let header = |(name, value): &(&str, &str)| ((*name).to_owned(), value.as_bytes().to_vec());
        request.headers = headers.iter().map(header).collect();
        request
    }

    #[test]
    fn rule_113_local_is_what_comes_from_this_machine_and_names_it() {
        let local = [
            ("127.0.0.1:1", "localhost"),
            ("127.0.0.1:1", "LocalHost:8080"),
            ("127.3.4.5:1", "127.0.0.1:80"),
            ("[::1]:1", "[::1]:80"),
            ("[::ffff:127.0.0.1]:1", "[::1]"),
            ("127.0.0.1:1", "shop.localhost."),
        ];
        for (peer, host) in local {
            assert_eq!(foreign(&request(peer, &[("host", host)])), None, "{peer} {host}");
        }
        let from_elsewhere = [
            ("10.0.0.1:1", "localhost"),
            ("[2001:db8::1]:1", "localhost"),
            ("[::ffff:10.0.0.1]:1", "localhost"),
            ("127.0.0.1:1", "evil.example"),
            ("127.0.0.1:1", "localhost.evil.example"),
            ("127.0.0.1:1", "127.0.0.1.evil.example"),
            ("127.0.0.1:1", "notlocalhost"),
            ("127.0.0.1:1", "localhost:80:80"),
            ("127.0.0.1:1", "localhost:evil"),
            ("127.0.0.1:1", "[::1]evil.example"),
            ("127.0.0.1:1", "[127.0.0.1]"),
            ("127.0.0.1:1", "192.168.0.1"),
            ("127.0.0.1:1", "0.0.0.0"),
            ("127.0.0.1:1", "x@evil.localhost"),
            ("127.0.0.1:1", "a/b.localhost"),
            ("127.0.0.1:1", "localhost:+80"),
            ("127.0.0.1:1", "localhost:"),
            ("127.0.0.1:1", "[::1]:+80"),
            ("127.0.0.1:1", "a_b.localhost"),
            ("127.0.0.1:1", "%61.localhost"),
            ("127.0.0.1:1", ""),
        ];
        for (peer, host) in from_elsewhere {
            assert!(foreign(&request(peer, &[("host", host)])).is_some(), "{peer} {host}");
        }
        assert!(foreign(&request("127.0.0.1:1", &[])).is_some(), "no host");
        let twice = [("host", "localhost"), ("host", "localhost")];
        assert!(foreign(&request("127.0.0.1:1", &twice)).is_some(), "two hosts");
    }

    #[test]
    fn rule_113_a_proxy_on_the_same_machine_makes_nobody_local() {
        let names = [
            "forwarded",
            "x-forwarded-for",
            "x-forwarded-host",
            "x-real-ip",
            "x-original-url",
            "via",
            "cf-connecting-ip",
            "x-amzn-trace-id",
            "cdn-loop",
            "cf-ray",
            "x-scheme",
            "x-host",
            "fly-client-ip",
            "x-azure-clientip",
            "x-appengine-country",
        ];
        for name in names {
            let forwarded = request("127.0.0.1:1", &[("host", "localhost"), (name, "10.0.0.1")]);
            assert_eq!(foreign(&forwarded), Some(Foreign::Proxied(name.to_owned())));
        }
    }

    /// What nginx sends if it is told nothing but `proxy_pass http://127.0.0.1:8080;`.
    #[test]
    fn rule_113_a_proxy_that_adds_no_header_is_told_by_its_version_of_http() {
        let mut plain = request("127.0.0.1:1", &[("host", "127.0.0.1:8080")]);
        assert_eq!(foreign(&plain), None);
        plain.version = Version::Http10;
        assert_eq!(foreign(&plain), Some(Foreign::Version));
    }

    #[test]
    fn rule_113_a_link_is_no_request_of_another_page() {
        let cases: [(&[(&str, &str)], bool); 7] = [
            (&[], false),
            (&[("sec-fetch-site", "same-origin"), ("sec-fetch-mode", "cors")], false),
            (&[("sec-fetch-site", "none"), ("sec-fetch-mode", "navigate")], false),
            (&[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")], false),
            (&[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "no-cors")], true),
            (&[("sec-fetch-site", "same-site"), ("sec-fetch-mode", "cors")], true),
            (&[("sec-fetch-site", "cross-site")], true),
        ];
        for (headers, is_embedded) in cases {
            let request = request("127.0.0.1:1", headers);
            assert_eq!(is_embedded_elsewhere(&request), is_embedded, "{headers:?}");
        }
    }

    /// The cases of the algorithm, as its description lists them.
    #[test]
    fn rule_113_a_page_of_another_site_is_told_by_what_browsers_say() {
        let host = ("host", "shop.example:8080");
        let cases: [(&[(&str, &str)], bool); 14] = [
            (&[host], false),
            (&[host, ("sec-fetch-site", "same-origin")], false),
            (&[host, ("sec-fetch-site", "none")], false),
            (&[host, ("sec-fetch-site", "same-site")], true),
            (&[host, ("sec-fetch-site", "cross-site")], true),
            (&[host, ("sec-fetch-site", "")], true),
            (&[host, ("sec-fetch-site", "none"), ("sec-fetch-site", "none")], true),
            (&[host, ("origin", "http://shop.example:8080")], false),
            (&[host, ("origin", "https://SHOP.example:8080")], false),
            (&[host, ("origin", "http://shop.example")], true),
            (&[host, ("origin", "http://evil.example")], true),
            (&[host, ("origin", "null")], true),
            (&[("origin", "http://shop.example:8080")], true),
            // The newer header decides, if both are there.
            (&[host, ("sec-fetch-site", "same-origin"), ("origin", "http://evil.example")], false),
        ];
        for (headers, is_foreign) in cases {
            assert_eq!(is_cross_site(&request("10.0.0.1:1", headers)), is_foreign, "{headers:?}");
        }
    }
}
