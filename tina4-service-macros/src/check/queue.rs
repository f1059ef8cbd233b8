//! Checks that the parameters of a function fit its `queue`, as far as their spelling shows it: the last
//! segments of their types are `Job`, `DeadJob` and `Local`. What an alias hides is found by `check()` of the
//! runtime.

use proc_macro2::{Span, TokenStream, TokenTree};
use tina4_service_core::{Draft, Key};

use crate::args::Locations;
use crate::diagnostics::Diagnostics;
use crate::errors;
use crate::function::Function;

/// Reports parameters that do not fit. Returns whether the function can be registered.
pub(super) fn check(
    function: &Function,
    draft: &Draft,
    locations: &Locations,
    diagnostics: &mut Diagnostics,
) -> bool {
    let of_type = |name: &'static str| {
        let parameters = function.parameters.iter();
        parameters.filter(move |parameter| last_segment(parameter).is_some_and(|last| last == name))
    };
    let mut fits = true;
    for parameter in of_type("DeadJob") {
        fits = false;
        diagnostics.push(errors::dead_job_parameter(parameter));
    }
    if draft.unreadable.contains(&Key::Queue) {
        return false;
    }
    let mut jobs = of_type("Job");
    let first = jobs.next();
    if !draft.queue {
        for parameter in first.into_iter().chain(jobs) {
            fits = false;
            diagnostics.push(errors::job_without_queue(parameter));
        }
        return fits;
    }
    if first.is_none() {
        fits = false;
        let span = locations.get(Key::Queue).map_or_else(Span::call_site, |found| found.key_span);
        diagnostics.push(errors::queue_without_job(span));
    }
    for parameter in jobs {
        fits = false;
        diagnostics.push(errors::second_job(parameter));
    }
    if let Some(concurrency) = draft.concurrency.filter(|concurrency| *concurrency > 1) {
        for parameter in of_type("Local") {
            fits = false;
            diagnostics.push(errors::local_with_concurrency(parameter, concurrency));
        }
    }
    fits
}

/// The index of the parameter that is the `Job`.
pub(crate) fn job_index(function: &Function) -> Option<usize> {
    let is_job = |parameter| last_segment(parameter).is_some_and(|last| last == "Job");
    function.parameters.iter().position(is_job)
}

/// The last segment of a path, without its generic arguments: `Job` in `tina4_service::Job<Email>`.
/// `None`: it is not a path.
fn last_segment(parameter: &TokenStream) -> Option<String> {
    let mut last = None;
    for token in parameter.clone() {
        match token {
            TokenTree::Ident(word) => last = Some(word.to_string()),
            TokenTree::Punct(punct) if punct.as_char() == '<' => return last,
            TokenTree::Punct(punct) if punct.as_char() == ':' => {}
            TokenTree::Punct(_) | TokenTree::Group(_) | TokenTree::Literal(_) => return None,
        }
    }
    last
}
