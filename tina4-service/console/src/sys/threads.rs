//! The only place that starts threads.

use std::io;
use std::thread::Builder;

#[expect(clippy::disallowed_methods, reason = "this file is the one that starts threads")]
pub(crate) fn start(name: &str, body: impl FnOnce() + Send + 'static) -> io::Result<()> {
    Builder::new().name(name.to_owned()).spawn(body).map(drop)
}
