//! A POST request, and nothing else.
//!
//! It is written with `std` only, so that the example needs no dependency, and speaks plain HTTP. Services on the internet
//! want TLS: there, replace the body of [`post`] by the same request of `ureq` (with its default feature `rustls`) or of
//! `reqwest::blocking`. Keep the time limits.

use std::io::{self, Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::Duration;

/// How long each step of a request may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// How many bytes of an answer are read.
const MAX_ANSWER: u64 = 64 * 1024;

/// How often a request is sent until it succeeds.
const ATTEMPTS: u32 = 3;

/// Sends a body, in up to three attempts. An answer that is no success is an error.
pub(crate) fn post(url: &str, content_type: &str, body: &str) -> io::Result<()> {
    let mut result = post_once(url, content_type, body);
    for _ in 1..ATTEMPTS {
        if result.is_ok() {
            break;
        }
        result = post_once(url, content_type, body);
    }
    result
}

fn post_once(url: &str, content_type: &str, body: &str) -> io::Result<()> {
    let (host, path) = split(url).ok_or_else(|| io::Error::other("not an `http://` address"))?;
    let address = if host.contains(':') { host.to_owned() } else { format!("{host}:80") };
    let address = address.to_socket_addrs()?.next();
    let address = address.ok_or_else(|| io::Error::other("the host has no address"))?;
    let mut stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    write!(
        stream,
        "POST {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Type: {content_type}\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = Vec::new();
    stream.take(MAX_ANSWER).read_to_end(&mut answer)?;
    let status = answer.split(|byte| *byte == b'\r').next().unwrap_or_default();
    if status.starts_with(b"HTTP/1.") && status.get(9) == Some(&b'2') {
        Ok(())
    } else {
        Err(io::Error::other(format!("refused: {}", status.escape_ascii())))
    }
}

/// The host, with its port, and the path of an address.
fn split(url: &str) -> Option<(&str, &str)> {
    let rest = url.strip_prefix("http://")?;
    let path = rest.find('/').unwrap_or(rest.len());
    let (host, path) = rest.split_at(path);
    // Whatever is in the address must not end the line of the request.
    let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
    (!host.is_empty() && is_plain(rest)).then_some((host, if path.is_empty() { "/" } else { path }))
}
