//! The operations page: pure functions from what is known to HTML.
//!
//! Nothing here reads a clock, a request or a runner; the instant, what the visitor may do, and all facts are
//! arguments. The pages work without a script, with links, forms and a redirect after each action. They contain no
//! inline script and no inline style, and only relative URLs, so they can be mounted anywhere under a strict content
//! security policy. `page.js` keeps an open page up to date: it fetches the page again when something has changed, and
//! replaces the elements with `data-live` whose HTML differs.

mod action_words;
pub(crate) mod assets;
mod controls;
mod filter;
mod frame;
mod history;
mod list;
#[cfg(feature = "run-log")]
mod logs;
mod pictures;
#[cfg(feature = "queue")]
mod queues;
mod schedule_words;
mod service;
mod standing;
#[cfg(test)]
mod tests;
mod words;

pub(crate) use frame::{Frame, problem};
pub(crate) use list::list;
#[cfg(feature = "queue")]
pub(crate) use queues::{QueueView, queues};
pub(crate) use service::{Service, service};
