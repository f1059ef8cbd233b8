//! The version of HTTP.

/// The version of HTTP of a request, as far as it matters to the console.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// 1.0 or older. Hardly any client sends it, but proxies do, such as older nginx by default.
    Http10,
    /// 1.1.
    Http11,
    /// 2 or newer.
    Http2,
}
