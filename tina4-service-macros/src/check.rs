//! Checks what was read: the rules of the keys (shared with the runtime, in the cellar) and those
//! that need the function.

use std::collections::BTreeSet;

use proc_macro2::Span;
use syn::Path;
use syn::ext::IdentExt as _;
use tina4_service_core::{Draft, Fault, Key, Spec, name};

use crate::args::{Args, Argument};
use crate::dependency::Dependency;
use crate::errors;
use crate::faults::Faults;
use crate::function::Function;
use crate::value::Content;

/// A service that can be registered.
pub(crate) struct Checked {
    pub(crate) function: Function,
    pub(crate) name: String,
    /// Where the name is written, if it can be one.
    pub(crate) name_span: Option<Span>,
    pub(crate) spec: Spec,
    pub(crate) after: Vec<Dependency>,
    pub(crate) on_stop: Option<Path>,
    /// Where the runtime crate is, unless it is where it usually is.
    pub(crate) root: Option<Path>,
}

/// Checks a service. What is at fault is replaced by its default, so that the registration can
/// still be written and rustc finds the faults of types in the same build.
pub(crate) fn check(
    args: Args,
    function: Option<Function>,
    faults: &mut Faults,
) -> Option<Checked> {
    let spec = spec(&args, faults);
    let (name, name_span) = name(&args, function.as_ref(), faults);
    let (mut after, mut on_stop, mut root) = (Vec::new(), None, None);
    for Argument { key, value, .. } in args.arguments {
        match (key, value.content) {
            (Key::OnStop, Content::Path(path)) => on_stop = Some(path),
            (Key::Crate, Content::Path(path)) => root = Some(path),
            (Key::After, Content::List(entries)) => {
                after = check_after(entries, &name, function.as_ref(), faults);
            }
            _ => {}
        }
    }
    Some(Checked { name, name_span, spec, after, on_stop, root, function: function? })
}

fn spec(args: &Args, faults: &mut Faults) -> Spec {
    let mut draft = Draft { unreadable: args.unreadable.clone(), ..Draft::default() };
    for Argument { key, value, .. } in &args.arguments {
        match (key, &value.content) {
            (Key::Interval, Content::Duration(found)) => draft.interval = Some(*found),
            (Key::Delay, Content::Duration(found)) => draft.delay = Some(*found),
            (Key::Cron, Content::Cron(found)) => draft.cron = Some(found.clone()),
            (Key::Timezone, Content::Timezone(found)) => draft.timezone = Some(found.clone()),
            (Key::InitialDelay, Content::Duration(found)) => draft.initial_delay = Some(*found),
            (Key::Jitter, Content::Duration(found)) => draft.jitter = Some(*found),
            (Key::Timeout, Content::Duration(found)) => draft.timeout = Some(*found),
            (Key::RestartWindow, Content::Duration(found)) => draft.restart_window = Some(*found),
            (Key::Backoff, Content::Duration(found)) => draft.backoff = Some(*found),
            (Key::MaxBackoff, Content::Duration(found)) => draft.max_backoff = Some(*found),
            (Key::StopTimeout, Content::Duration(found)) => draft.stop_timeout = Some(*found),
            (Key::Restart, Content::Restart(found)) => draft.restart = Some(*found),
            (Key::MaxRestarts, Content::Count(found)) => draft.max_restarts = Some(*found),
            (Key::Autostart, Content::Switch(found)) => draft.autostart = Some(*found),
            (Key::Critical, Content::Switch(found)) => draft.critical = Some(*found),
            // Those that the runtime does not need as a number or a word.
            _ => {}
        }
    }
    draft.check().unwrap_or_else(|found| {
        for fault in found {
            faults.push(placed(args, &fault));
        }
        Spec::DEFAULT
    })
}

/// A fault at its key or value.
fn placed(args: &Args, fault: &Fault) -> syn::Error {
    match args.value(fault.key) {
        Some(argument) if fault.of_value => errors::spanned(&argument.value.tokens, fault),
        Some(argument) => syn::Error::new(argument.key_span, fault),
        None => syn::Error::new(Span::call_site(), fault),
    }
}

/// The name that was given, or else that of the function, and where it stands if it is good.
fn name(args: &Args, function: Option<&Function>, faults: &mut Faults) -> (String, Option<Span>) {
    if let Some(Argument { value, .. }) = args.value(Key::Name)
        && let Content::Name(given) = &value.content
    {
        let span = value.tokens.clone().into_iter().next().map(|token| token.span());
        return (given.clone(), span);
    }
    let Some(function) = function else {
        return (String::new(), None);
    };
    let name = function.name();
    // Another name was meant, and that is said already.
    if args.unreadable.contains(&Key::Name) {
        return (name, None);
    }
    if let Err(error) = name::check(&name) {
        faults.push(errors::name_of_function(&function.ident, error));
        return (name, None);
    }
    (name, Some(function.ident.span()))
}

fn check_after(
    entries: Vec<Dependency>,
    name: &str,
    function: Option<&Function>,
    faults: &mut Faults,
) -> Vec<Dependency> {
    let mut seen = BTreeSet::new();
    let mut good = Vec::new();
    for entry in entries {
        let is_itself = match &entry {
            Dependency::Name(text) => text.value() == name,
            Dependency::Function(path) => function.is_some_and(|function| names(path, function)),
        };
        if let Err(error) = entry.check() {
            faults.push(error);
        } else if is_itself {
            faults.push(errors::after_itself(&entry, name));
        } else if !seen.insert(entry.text().replace("r#", "")) {
            faults.push(errors::after_twice(&entry, &entry.text()));
        } else {
            good.push(entry);
        }
    }
    good
}

/// Whether a path is certainly that of the function.
fn names(path: &Path, function: &Function) -> bool {
    let mut segments = path.segments.iter().map(|segment| segment.ident.unraw()).peekable();
    segments.next_if(|first| *first == "self");
    path.leading_colon.is_none()
        && segments.next() == Some(function.ident.unraw())
        && segments.next().is_none()
}
