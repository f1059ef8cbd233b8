//! Generates the registration of a checked service: one constant after the function, which describes
//! the service as data. The function and the user's paths are named as written, everything else by an
//! absolute path.

use std::time::Duration;

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{ToTokens, quote};
use syn::Path;
use tina4_service_core::{
    Anchor, Anchored, Calendar, Cron, Days, OnTimeout, QueueSpec, Ready, Restart, RestartPolicy,
    Schedule, Spec, Timezone,
};

use crate::check::{CheckedService, job_index};
use crate::dependency::Dependency;
use crate::function::{Function, MAX_PARAMETERS};

mod place;
mod private_path;
mod unique;

use self::place::Place;
use self::private_path::PrivatePath;

/// The function, unchanged, between its lint allowances and its registration.
pub(crate) fn expand(checked: Option<&CheckedService>, item: &TokenStream) -> TokenStream {
    let allowances = checked.and_then(|checked| allowances(&checked.function));
    let registration = checked.map(registration);
    quote!(#allowances #item #registration)
}

/// Lint allowances for service parameters: they may be passed by value, and there may be eight of
/// them.
fn allowances(function: &Function) -> Option<TokenStream> {
    let by_value = |parameter: &TokenStream| !parameter.to_string().starts_with('&');
    let mut lints = Vec::new();
    if function.parameters.iter().any(by_value) {
        lints.push(quote!(clippy::needless_pass_by_value));
    }
    if function.parameters.len() == MAX_PARAMETERS {
        lints.push(quote!(clippy::too_many_arguments));
    }
    let reason = "these are the parameters of a service";
    (!lints.is_empty()).then(|| quote!(#[allow(#(#lints,)* reason = #reason)]))
}

/// The constant after the function.
///
/// An associated function without `self` looks like a free one to a macro, so its fault surfaces
/// here: rustc reports three errors, because an `impl` cannot contain `const _` and the bare name of
/// the function does not resolve. The items that rustc would refuse with a single error (a module, a
/// type) need a name in the user's scope, or do not see the items of an enclosing function.
fn registration(checked: &CheckedService) -> TokenStream {
    let CheckedService { function, name, .. } = checked;
    let private = &PrivatePath::of(checked.runtime_path.as_ref());
    let Function { ident, cfgs, .. } = function;
    let deprecated = function
        .deprecated
        .then(|| quote!(#[allow(deprecated, reason = "registering a service does not count as using it")]));
    let function_name = function.name();
    let unique = checked
        .name_span
        .and_then(|span| unique::reservation(name, span))
        .map(|reservation| quote!(#private::unique! { #reservation }));
    let needs = needs(function, private);
    let call = call(checked, private);
    let constructor =
        Ident::new(if function.is_async { "new_async" } else { "new" }, Span::call_site());
    let settings = settings(&checked.spec, private);
    let after = dependencies("after", &checked.after, private);
    let requires = dependencies("requires", &checked.requires, private);
    let tags = &checked.tags;
    let tags = (!tags.is_empty()).then(|| quote!(.tags(&[#(#tags),*])));
    let on_stop = hook("on_stop", checked.on_stop.as_ref(), function, private);
    let on_dead = hook("on_dead", checked.on_dead.as_ref(), function, private);
    let queue = queue(checked, private);
    quote! {
        #(#cfgs)*
        #deprecated
        const _: () = {
            #unique
            #private::submit! {
                #private::Registration::#constructor(
                    #name,
                    ::core::concat!(::core::module_path!(), "::", #function_name),
                    ::core::panic::Location::caller(),
                    &#ident,
                    #needs,
                    #call,
                )
                #settings
                #after
                #requires
                #on_stop
                #tags
                #queue
                #on_dead
            }
        };
    }
}

/// One call per setting that differs from its default. Every field is named, so that a new one is not
/// forgotten.
fn settings(spec: &Spec, private: &PrivatePath) -> TokenStream {
    let Spec {
        schedule,
        tolerance,
        initial_delay,
        jitter,
        timeout,
        on_timeout,
        restart_policy: RestartPolicy { restart, max_restarts, window, backoff, max_backoff },
        stop_timeout,
        autostart,
        critical,
        ready,
    } = spec;
    let default = Spec::DEFAULT;
    let policy = default.restart_policy;
    let calls = [
        setting("schedule", schedule, &default.schedule, |value| schedule_value(value, private)),
        setting("tolerance", *tolerance, default.tolerance, |value| value.map(duration)),
        setting("initial_delay", *initial_delay, default.initial_delay, duration),
        setting("jitter", *jitter, default.jitter, duration),
        setting("timeout", *timeout, default.timeout, |value| value.map(duration)),
        setting("on_timeout", *on_timeout, default.on_timeout, |value| {
            on_timeout_value(value, private)
        }),
        setting("restart", *restart, policy.restart, |value| restart_value(value, private)),
        setting("max_restarts", *max_restarts, policy.max_restarts, |value| {
            value.map(Literal::u32_unsuffixed)
        }),
        setting("restart_window", *window, policy.window, |value| value.map(duration)),
        setting("backoff", *backoff, policy.backoff, duration),
        setting("max_backoff", *max_backoff, policy.max_backoff, duration),
        setting("stop_timeout", *stop_timeout, default.stop_timeout, duration),
        setting("autostart", *autostart, default.autostart, |value| value),
        setting("critical", *critical, default.critical, |value| value),
        setting("ready", *ready, default.ready, |value| {
            value.map(|ready| ready_value(ready, private))
        }),
    ];
    quote!(#(#calls)*)
}

/// A call, unless it would set the default.
fn setting<T: PartialEq, V: ToTokens>(
    name: &str,
    value: T,
    default: T,
    write: impl FnOnce(T) -> V,
) -> Option<TokenStream> {
    (value != default).then(|| {
        let (name, value) = (Ident::new(name, Span::call_site()), write(value));
        quote!(.#name(#value))
    })
}

fn on_timeout_value(on_timeout: OnTimeout, private: &PrivatePath) -> TokenStream {
    let variant = match on_timeout {
        OnTimeout::Report => quote!(Report),
        OnTimeout::Cancel => quote!(Cancel),
    };
    quote!(#private::OnTimeout::#variant)
}

fn restart_value(restart: Restart, private: &PrivatePath) -> TokenStream {
    let variant = match restart {
        Restart::OnFailure => quote!(OnFailure),
        Restart::Always => quote!(Always),
        Restart::Never => quote!(Never),
    };
    quote!(#private::Restart::#variant)
}

fn ready_value(ready: Ready, private: &PrivatePath) -> TokenStream {
    let variant = match ready {
        Ready::Started => quote!(Started),
        Ready::Finished => quote!(Finished),
        Ready::Notified => quote!(Notified),
    };
    quote!(#private::Ready::#variant)
}

fn schedule_value(schedule: &Schedule, private: &PrivatePath) -> TokenStream {
    match schedule {
        Schedule::Interval(period) => {
            let period = duration(*period);
            quote!(#private::Schedule::Interval(#period))
        }
        Schedule::Delay(pause) => {
            let pause = duration(*pause);
            quote!(#private::Schedule::Delay(#pause))
        }
        Schedule::Calendar(times, zone) => {
            let (times, zone) = (calendar(times, private), timezone(zone, private));
            quote!(#private::Schedule::Calendar(#times, #zone))
        }
        Schedule::Queue(spec) => {
            let spec = queue_spec(spec, private);
            quote!(#private::Schedule::Queue(#spec))
        }
        Schedule::Continuous => quote!(#private::Schedule::Continuous),
    }
}

fn queue_spec(spec: &QueueSpec, private: &PrivatePath) -> TokenStream {
    let QueueSpec {
        attempts,
        backoff,
        max_backoff,
        concurrency,
        lease,
        poll,
        keep_dead,
        keep_done,
        shared,
    } = *spec;
    let optional = |value: Option<Duration>| match value.map(duration) {
        Some(value) => quote!(::core::option::Option::Some(#value)),
        None => quote!(::core::option::Option::None),
    };
    let (backoff, max_backoff, poll) = (duration(backoff), duration(max_backoff), duration(poll));
    let (lease, keep_dead, keep_done) = (optional(lease), optional(keep_dead), optional(keep_done));
    quote!(#private::QueueSpec {
        attempts: #attempts, backoff: #backoff, max_backoff: #max_backoff,
        concurrency: #concurrency, lease: #lease, poll: #poll, keep_dead: #keep_dead,
        keep_done: #keep_done, shared: #shared,
    })
}

fn calendar(calendar: &Calendar, private: &PrivatePath) -> TokenStream {
    match calendar {
        Calendar::Cron(expression) => {
            let cron = cron(expression, private);
            quote!(#private::Calendar::Cron(#cron))
        }
        Calendar::Anchored(Anchored { period, anchor: Anchor { day, second } }) => {
            let period = duration(*period);
            let day = match day {
                Some(day) => quote!(::core::option::Option::Some(#day)),
                None => quote!(::core::option::Option::None),
            };
            quote!(#private::Calendar::Anchored(#private::Anchored {
                period: #period,
                anchor: #private::Anchor { day: #day, second: #second },
            }))
        }
    }
}

/// The parsed expression as bit masks, so that nothing is parsed at run time.
fn cron(cron: &Cron, private: &PrivatePath) -> TokenStream {
    let Cron { text, seconds, minutes, hours, months, days, recurring } = cron;
    let days = if *days == Days::ALL {
        quote!(#private::Days::ALL)
    } else {
        let Days {
            days_of_month,
            days_from_end,
            nearest_weekdays,
            nearest_weekdays_from_end,
            days_of_week,
            nth_days_of_week,
            last_days_of_week,
            match_both,
        } = days;
        quote!(#private::Days {
            days_of_month: #days_of_month, days_from_end: #days_from_end,
            nearest_weekdays: #nearest_weekdays,
            nearest_weekdays_from_end: #nearest_weekdays_from_end,
            days_of_week: #days_of_week, nth_days_of_week: [#(#nth_days_of_week),*],
            last_days_of_week: #last_days_of_week, match_both: #match_both,
        })
    };
    quote!(#private::Cron {
        text: #private::Cow::Borrowed(#text),
        seconds: #seconds, minutes: #minutes, hours: #hours, months: #months,
        days: #days,
        recurring: #recurring,
    })
}

fn timezone(zone: &Timezone, private: &PrivatePath) -> TokenStream {
    match zone {
        Timezone::Local => quote!(#private::Timezone::Local),
        Timezone::Named(name) => {
            quote!(#private::Timezone::Named(#private::Cow::Borrowed(#name)))
        }
    }
}

fn duration(duration: Duration) -> TokenStream {
    let (seconds, nanos) = (duration.as_secs(), duration.subsec_nanos());
    let (seconds, nanos) = (Literal::u64_unsuffixed(seconds), Literal::u32_unsuffixed(nanos));
    quote!(::core::time::Duration::new(#seconds, #nanos))
}

/// The call that sets `after` or `requires`, unless the list is empty.
fn dependencies(
    method: &str,
    entries: &[Dependency],
    private: &PrivatePath,
) -> Option<TokenStream> {
    let entries = entries.iter().map(|entry| match entry {
        Dependency::Function(path) => {
            let text = entry.text();
            quote!(#private::Dependency::Function { id: #private::id_of(&#path), path: #text })
        }
        Dependency::Name(name) => quote!(#private::Dependency::Name(#name)),
    });
    (entries.len() > 0).then(|| {
        let list = static_ref(&quote!(&[#(#entries),*]));
        let method = Ident::new(method, Span::call_site());
        quote!(.#method(#list))
    })
}

/// A `'static` reference to values that function calls compute. Only a `const` block guarantees the
/// lifetime; elsewhere rustc grants it as an exception that may go away.
fn static_ref(reference: &TokenStream) -> TokenStream {
    quote!(const { #reference })
}

/// The needs of the parameters, one entry each.
fn needs(function: &Function, private: &PrivatePath) -> TokenStream {
    if function.parameters.is_empty() {
        return quote!(&[]);
    }
    let needs = (0..function.parameters.len()).map(|index| need(function, index, private));
    static_ref(&quote!(&[#(#needs),*]))
}

/// The need of one parameter. The closure lets rustc infer the type from the function: if the
/// expansion repeated the type, rustc would report an unknown type twice, and if it passed the function
/// itself, rustc would point to the function instead of the parameter.
fn need(function: &Function, index: usize, private: &PrivatePath) -> TokenStream {
    call_for_type("need_of", function, index, private)
}

/// The call that names the queue, after a call that finds out the type of the jobs. The type is known before
/// the queue is looked at, so that rustc reports a queue of another type at the queue.
fn queue(checked: &CheckedService, private: &PrivatePath) -> Option<TokenStream> {
    let (path, function) = (checked.queue.as_ref()?, &checked.function);
    let job = call_for_type("job_of", function, job_index(function)?, private);
    Some(quote!(.queue(#job.queue(#path))))
}

/// A call of `helper` with a closure that passes its argument to the function as this parameter.
fn call_for_type(
    helper: &str,
    function: &Function,
    index: usize,
    private: &PrivatePath,
) -> TokenStream {
    let ident = &function.ident;
    let place = Place::of(&function.parameters[index], ident);
    let parameter = local("tina4_service_parameter", place.last);
    let arguments = (0..function.parameters.len()).map(|other| {
        if other == index { quote!(#parameter) } else { quote!(#private::placeholder()) }
    });
    let call = place.call_user(ident, quote!(#(#arguments),*));
    let helper = Ident::new(helper, Span::call_site());
    place.call(private, quote!(#helper), place.closure(&parameter, call))
}

/// A closure that calls the function with its parameters. The call of a plain function is in a closure of
/// its own: if the function never returns, `outcome(f())` would be unreachable, and rustc would warn. The
/// future of an async one is boxed.
fn call(checked: &CheckedService, private: &PrivatePath) -> TokenStream {
    let function = &checked.function;
    let (outcome, boxed) = match checked.queue {
        Some(_) => (quote!(job_outcome), quote!(boxed_job)),
        None => (quote!(outcome), quote!(boxed)),
    };
    let ident = &function.ident;
    let run = local("tina4_service_run", Span::call_site());
    let parameters = function
        .parameters
        .iter()
        .map(|parameter| Place::of(parameter, ident).call(private, quote!(param), quote!(#run)));
    let parameters = quote!(#(#parameters),*);
    let place = Place::of(&function.return_type, ident);
    let call = place.call_user(ident, parameters);
    let outcome = if function.is_async {
        place.call(private, boxed, call)
    } else {
        place.call(private, outcome, place.closure(&TokenStream::new(), call))
    };
    let run = if function.parameters.is_empty() { quote!(_) } else { quote!(#run) };
    quote!(|#run| #outcome)
}

/// The call that sets `on_stop` or `on_dead`.
fn hook(
    method: &str,
    path: Option<&Path>,
    function: &Function,
    private: &PrivatePath,
) -> Option<TokenStream> {
    let path = path?;
    let place = Place::of(&path.to_token_stream(), &function.ident);
    let hook = place.call(private, quote!(OnStop::new), path.to_token_stream());
    let reference = place.locate(quote!(&));
    // An async `on_dead` of a plain function is refused: see `OnStop::of_plain`.
    let is_of_plain = method == "on_dead" && !function.is_async;
    let check = is_of_plain.then(|| place.locate(quote!(.of_plain())));
    let hook = static_ref(&quote!(#reference #hook #check));
    let method = Ident::new(method, Span::call_site());
    Some(quote!(.#method(#hook)))
}

/// The parameter of a closure. Hygiene distinguishes it from a function of the same name, but not from
/// a constant or a unit struct: a pattern with such a name matches the constant instead of binding a
/// value. Hence the long names.
fn local(name: &str, at: Span) -> Ident {
    Ident::new(name, Span::mixed_site().located_at(at))
}
