//! Checks the service: the rules of the core crate, which the runtime shares, and those that need
//! the function or the tokens.

use std::collections::BTreeSet;

use proc_macro2::Span;
use syn::ext::IdentExt as _;
use syn::{LitStr, Path};
use tina4_service_core::{Draft, Fault, Key, Setting, Spec, name};

use crate::args::{Args, Location, Locations};
use crate::dependency::Dependency;
use crate::diagnostics::Diagnostics;
use crate::errors;
use crate::function::Function;
use crate::value::Value;

mod queue;

pub(crate) use self::queue::job_index;

/// A service that can be registered.
pub(crate) struct CheckedService {
    pub(crate) function: Function,
    pub(crate) name: String,
    /// The span of the name, if the name is valid.
    pub(crate) name_span: Option<Span>,
    pub(crate) spec: Spec,
    pub(crate) after: Vec<Dependency>,
    pub(crate) requires: Vec<Dependency>,
    pub(crate) on_stop: Option<Path>,
    pub(crate) tags: Vec<LitStr>,
    pub(crate) queue: Option<Path>,
    pub(crate) on_dead: Option<Path>,
    /// The path of the runtime crate, if it is not `::tina4_service`.
    pub(crate) runtime_path: Option<Path>,
}

/// Checks a service. If [`Draft::check`] finds a fault, the defaults replace all settings, so that
/// the registration is generated anyway and rustc reports type errors in the same build. Returns
/// `None` if there is no function to register.
pub(crate) fn check(
    args: Args,
    function: Option<Function>,
    diagnostics: &mut Diagnostics,
) -> Option<CheckedService> {
    let Args { values, locations, unreadable } = args;
    let mut draft = Draft { unreadable, ..Draft::default() };
    let (mut given_name, mut on_stop, mut runtime_path) = (None, None, None);
    let (mut after, mut requires, mut tags) = (Vec::new(), Vec::new(), Vec::new());
    let (mut queue, mut on_dead) = (None, None);
    for value in values {
        match value {
            Value::Setting(setting) => draft.set(setting),
            Value::Name(text) => given_name = Some(text),
            Value::After(services) => after = services,
            Value::Requires(services) => requires = services,
            Value::OnStop(path) => on_stop = Some(path),
            Value::Tags(given) => tags = given,
            Value::Queue(path) => {
                draft.set(Setting::Queue);
                queue = Some(path);
            }
            Value::OnDead(path) => {
                draft.set(Setting::OnDead);
                on_dead = Some(path);
            }
            Value::Crate(path) => runtime_path = Some(path),
        }
    }
    let spec = check_spec(&draft, &locations, diagnostics);
    let fits_queue = function
        .as_ref()
        .is_none_or(|function| queue::check(function, &draft, &locations, diagnostics));
    let (name, name_span) = match given_name {
        Some(name) => (name, locations.get(Key::Name).and_then(Location::first_span)),
        None => name_of_function(function.as_ref(), &draft.unreadable, diagnostics),
    };
    let mut check_dependencies =
        |key, entries| valid_dependencies(key, entries, &name, function.as_ref(), diagnostics);
    let mut after = check_dependencies(Key::After, after);
    let requires = check_dependencies(Key::Requires, requires);
    let required: BTreeSet<_> = requires.iter().map(Dependency::plain_text).collect();
    after.retain(|entry| {
        let is_required = required.contains(&entry.plain_text());
        if is_required {
            diagnostics.push(errors::required_and_after(entry, &entry.text()));
        }
        !is_required
    });
    let function = function.filter(|_| fits_queue)?;
    Some(CheckedService {
        name,
        name_span,
        spec,
        after,
        requires,
        on_stop,
        tags: valid_tags(tags, diagnostics),
        queue,
        on_dead,
        runtime_path,
        function,
    })
}

fn check_spec(draft: &Draft, locations: &Locations, diagnostics: &mut Diagnostics) -> Spec {
    draft.check().unwrap_or_else(|found| {
        for fault in found {
            diagnostics.push(located(&fault, locations));
        }
        Spec::DEFAULT
    })
}

/// The fault as an error at its key or its value.
fn located(fault: &Fault, locations: &Locations) -> syn::Error {
    match locations.get(fault.key) {
        Some(location) if fault.is_in_value => errors::spanned(&location.value, fault),
        Some(location) => syn::Error::new(location.key_span, fault),
        None => syn::Error::new(Span::call_site(), fault),
    }
}

/// The name of a service without the key `name`, and its span if the name is valid.
fn name_of_function(
    function: Option<&Function>,
    unreadable: &[Key],
    diagnostics: &mut Diagnostics,
) -> (String, Option<Span>) {
    let Some(function) = function else {
        return (String::new(), None);
    };
    let name = function.name();
    // The value of `name` is invalid, and that has already been reported.
    if unreadable.contains(&Key::Name) {
        return (name, None);
    }
    if let Err(error) = name::check(&name) {
        diagnostics.push(errors::name_of_function(&function.ident, error));
        return (name, None);
    }
    (name, Some(function.ident.span()))
}

/// The valid entries of `after` or `requires`.
fn valid_dependencies(
    key: Key,
    entries: Vec<Dependency>,
    name: &str,
    function: Option<&Function>,
    diagnostics: &mut Diagnostics,
) -> Vec<Dependency> {
    let mut seen = BTreeSet::new();
    let mut valid = Vec::new();
    for entry in entries {
        let is_itself = match &entry {
            Dependency::Name(text) => text.value() == name,
            Dependency::Function(path) => {
                function.is_some_and(|function| is_path_of(path, function))
            }
        };
        if let Err(error) = entry.check() {
            diagnostics.push(error);
        } else if is_itself {
            diagnostics.push(errors::depends_on_itself(key, &entry, name));
        } else if !seen.insert(entry.plain_text()) {
            diagnostics.push(errors::duplicate_entry(key, &entry, &entry.text()));
        } else {
            valid.push(entry);
        }
    }
    valid
}

/// The tags without faults.
fn valid_tags(tags: Vec<LitStr>, diagnostics: &mut Diagnostics) -> Vec<LitStr> {
    let mut seen = BTreeSet::new();
    let is_valid = |tag: &LitStr| {
        let text = tag.value();
        let error = match name::check_tag(&text) {
            Err(error) => errors::spanned(tag, error),
            Ok(()) if seen.insert(text.clone()) => return true,
            Ok(()) => errors::duplicate_entry(Key::Tags, tag, &format!("\"{text}\"")),
        };
        diagnostics.push(error);
        false
    };
    tags.into_iter().filter(is_valid).collect()
}

/// Whether the path certainly leads to the function: its name, alone or after `self::`.
fn is_path_of(path: &Path, function: &Function) -> bool {
    let mut segments = path.segments.iter().map(|segment| segment.ident.unraw()).peekable();
    segments.next_if(|first| *first == "self");
    path.leading_colon.is_none()
        && segments.next() == Some(function.ident.unraw())
        && segments.next().is_none()
}
