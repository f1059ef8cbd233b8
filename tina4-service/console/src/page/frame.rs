//! What all pages have in common: the document, its title, its header, and the answer to an action.

use std::time::SystemTime;

use maud::{DOCTYPE, Markup, html};

use super::action_words::done;
use super::assets;
use super::words::{encode, message};
use crate::action::Action;

/// What each page needs to know.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame<'a> {
    /// What the program is called, and where it runs, as in `shop (production)`.
    pub(crate) title: &'a str,
    /// The path from this page to the place where the console is mounted: `./`, `../`.
    pub(crate) root: &'a str,
    /// When this was.
    pub(crate) now: SystemTime,
    /// Who looks at it, if that is known.
    pub(crate) visitor: Option<&'a str>,
    /// What the visitor may do.
    pub(crate) allowed: &'a [Action],
    /// The action that the visitor has just made, and what it was made with: a service or a queue.
    pub(crate) done: Option<(Action, &'a str)>,
    /// Why the runner does not start anything, such as a stop signal; `None`: it does.
    pub(crate) closed: Option<&'a str>,
    /// Whether there is a page of queues.
    pub(crate) has_queues: bool,
}

/// The pages that every page links to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tab {
    Services,
    Queues,
    /// A page below one of them, or an error.
    None,
}

impl Frame<'_> {
    pub(super) fn allows(&self, action: Action) -> bool {
        self.allowed.contains(&action)
    }

    /// A whole document. `subject` is what its title begins with, and `follows` are the services whose changes it shows;
    /// empty: all of them; `None`: it shows nothing that changes.
    pub(super) fn document(
        &self,
        subject: &str,
        tab: Tab,
        follows: Option<&[&str]>,
        main: &Markup,
    ) -> String {
        let Self { title, root, .. } = *self;
        let link = |target: &str, tab_of: Tab, text: &str| {
            let current = (tab == tab_of).then_some("page");
            html! { a href={ (root) (target) } aria-current=[current] { (text) } }
        };
        let events = follows.map(|services| {
            let mut events = format!("{root}events");
            for (nth, service) in services.iter().enumerate() {
                events.push_str(if nth == 0 { "?name=" } else { "&name=" });
                events.push_str(&encode(service));
            }
            events
        });
        let document = html! {
            (DOCTYPE)
            html lang="en" data-events=[events] {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="robots" content="noindex";
                    title { (subject) " – " (title) }
                    link rel="icon" type="image/svg+xml" href={ (root) (assets::icon_path()) };
                    link rel="stylesheet" href={ (root) (assets::css_path()) };
                    script src={ (root) (assets::js_path()) } defer {}
                }
                body {
                    a.skip href="#main" { "Skip to content" }
                    header {
                        p.title { (title) }
                        nav aria-label="Pages" {
                            (link("", Tab::Services, "Services"))
                            @if self.has_queues { (link("queues", Tab::Queues, "Queues")) }
                        }
                        p.visitor {
                            // The script says here whether the page is live.
                            span #live {}
                            @if self.allowed.is_empty() && follows.is_some() { span { "read only" } }
                            @if let Some(visitor) = self.visitor { span { (visitor) } }
                        }
                    }
                    div #closed data-live {
                        @if let Some(reason) = self.closed {
                            p.banner { strong { "The runner is not ready: " } (reason) }
                        }
                    }
                    main #main tabindex="-1" {
                        // It is there from the start, so that screen readers notice what is put into it.
                        div #status role="status" {
                            @if let Some((action, name)) = self.done { p { (done(action, name)) } }
                        }
                        (main)
                    }
                }
            }
        };
        document.into_string()
    }
}

/// The page that says why a request failed.
///
/// `title` says what is wrong, `detail` says more about this case, and `hint` what to do.
#[must_use]
pub(crate) fn problem(frame: &Frame<'_>, title: &str, detail: &str, hint: Option<&str>) -> String {
    let frame = Frame { done: None, ..*frame };
    let main = html! {
        h1 { (message(title)) }
        // The script shows this element alone, below the controls that were used.
        div #problem {
            p { (message(detail)) }
            @if let Some(hint) = hint { p { (message(hint)) } }
        }
        p { a href=(frame.root) { "All services" } }
    };
    frame.document(title, Tab::None, None, &main)
}
