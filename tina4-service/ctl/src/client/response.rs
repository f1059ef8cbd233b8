//! Reads answers: their head, and server-sent events.

use std::io::{self, BufRead, Read as _};

/// The most bytes of a head.
const MAX_HEAD: u64 = 64 * 1024;

/// The most bytes of an event: 500 services.
const MAX_EVENT: u64 = 64 * 1024 * 1024;

/// The head of an answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) status: u16,
    /// In lower case; empty if there is none.
    pub(super) content_type: String,
    /// The length of the body; `None`: the end of the connection ends it.
    pub(super) length: Option<u64>,
}

impl Head {
    /// Reads a head; `None`: it is none.
    pub(super) fn read(stream: &mut impl BufRead) -> io::Result<Option<Self>> {
        let mut stream = stream.take(MAX_HEAD);
        let mut head = None;
        loop {
            let mut line = Vec::new();
            if stream.read_until(b'\n', &mut line)? == 0 && head.is_none() {
                return Err(io::Error::other("it closed the connection without an answer"));
            }
            let Some(line) = line.strip_suffix(b"\n") else { return Ok(None) };
            let line =
                String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(line)).into_owned();
            let Some(head) = &mut head else {
                match Self::of_status_line(&line) {
                    // Nobody has asked for it, but it may come.
                    Some(Self { status: 100..200, .. }) => skip_head(&mut stream)?,
                    Some(first) => head = Some(first),
                    None => return Ok(None),
                }
                continue;
            };
            if line.is_empty() {
                return Ok(Some(std::mem::replace(
                    head,
                    Self { status: 0, content_type: String::new(), length: None },
                )));
            }
            let Some((name, value)) = line.split_once(':') else { return Ok(None) };
            match &*name.to_ascii_lowercase() {
                "content-type" => head.content_type = value.trim().to_ascii_lowercase(),
                "content-length" => match value.trim().parse() {
                    Ok(length) => head.length = Some(length),
                    Err(_) => return Ok(None),
                },
                // A client that says `connection: close` need not understand it, but axum may send it in front of a proxy.
                "transfer-encoding" => return Ok(None),
                _ => {}
            }
        }
    }

    fn of_status_line(line: &str) -> Option<Self> {
        let rest = line.strip_prefix("HTTP/1.")?;
        let status = rest.get(2..5)?.parse().ok()?;
        Some(Self { status, content_type: String::new(), length: None })
    }
}

fn skip_head(stream: &mut impl BufRead) -> io::Result<()> {
    loop {
        let mut line = Vec::new();
        if stream.read_until(b'\n', &mut line)? == 0 || line.trim_ascii().is_empty() {
            return Ok(());
        }
    }
}

/// Reads the data of the next event; `None`: the stream has ended.
pub(super) fn next_event(stream: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut data = Vec::new();
    let mut stream = stream.take(MAX_EVENT);
    loop {
        let mut line = Vec::new();
        if stream.read_until(b'\n', &mut line)? == 0 {
            return if stream.limit() == 0 {
                Err(io::Error::other("an event is too long"))
            } else {
                Ok(None)
            };
        }
        let line = line.trim_ascii_end();
        if let Some(rest) = line.strip_prefix(b"data:") {
            data.extend_from_slice(rest.strip_prefix(b" ").unwrap_or(rest));
        } else if line.is_empty() && !data.is_empty() {
            return Ok(Some(data));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Head> {
        Head::read(&mut text.as_bytes()).expect("it is in memory")
    }

    #[test]
    fn rule_115_the_head_of_an_answer() {
        let head = |status, content_type: &str, length| {
            Some(Head { status, content_type: content_type.to_owned(), length })
        };
        let text = "HTTP/1.1 200 OK\r\nContent-Type: Application/JSON\r\nX: y\r\ncontent-length: 2\r\n\r\n{}";
        assert_eq!(read(text), head(200, "application/json", Some(2)));
        assert_eq!(read("HTTP/1.0 404\r\n\r\n"), head(404, "", None));
        assert_eq!(
            read("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 x\r\n\r\n"),
            head(204, "", None)
        );
        for other in [
            "SSH-2.0-x\r\n",
            "HTTP/2 200\r\n\r\n",
            "HTTP/1.1 200 OK\r\nx",
            "HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n",
        ] {
            assert_eq!(read(other), None, "{other}");
        }
        assert!(Head::read(&mut "".as_bytes()).is_err());
    }

    #[test]
    fn rule_115_events_end_with_an_empty_line() {
        let mut text = "retry: 3000\nid: 1\nevent: services\ndata: {\"a\":\ndata: 1}\n\n:\n\ndata: 2\n\ndata: 3\n".as_bytes();
        assert_eq!(next_event(&mut text).unwrap().as_deref(), Some(&b"{\"a\":1}"[..]));
        assert_eq!(next_event(&mut text).unwrap().as_deref(), Some(&b"2"[..]));
        assert_eq!(next_event(&mut text).unwrap(), None);
    }
}
