//! The one place that decides what a request may do, before anything is done.

use crate::access::{Access, Grant};
use crate::action::Action;
use crate::credentials::Credentials;
use crate::origin::{self, Foreign};
use crate::peer::Peer;
use crate::problem::Problem;
use crate::request::Request;
use crate::settings::Settings;
use crate::sys::{clock, panics};

/// What a request needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// Nothing: the probes of liveness and readiness.
    Nothing,
    /// To see the services.
    Read,
    /// To see them for as long as a connection lasts. No page of another site may hold one.
    Stream,
    /// To take an action.
    Act(Action),
}

/// Decides whether the visitor may do what the request needs, and returns what else they may do.
pub(crate) fn admit(settings: &Settings, request: &Request, need: Need) -> Result<Grant, Problem> {
    let decided = decide(settings, request, need);
    if let Err(problem) = &decided {
        settings.refusals.note(request, problem, clock::now());
    }
    decided
}

fn decide(settings: &Settings, request: &Request, need: Need) -> Result<Grant, Problem> {
    let is_for_own_pages = origin::is_unsafe(&request.method) || need == Need::Stream;
    if is_for_own_pages && origin::is_cross_site(request) {
        return Err(cross_site());
    }
    let (grant, source) = match grant(settings, request) {
        Ok(granted) => granted,
        Err(problem) if need == Need::Nothing => {
            // A probe learns the status, and nothing else.
            drop(problem);
            return Ok(Access::None.into());
        }
        Err(problem) => return Err(problem),
    };
    match need {
        Need::Nothing => Ok(grant),
        Need::Read | Need::Stream if grant.access.reads() => Ok(grant),
        Need::Act(action) if grant.access.allows(action) => Ok(grant),
        Need::Read | Need::Stream | Need::Act(_) => {
            Err(refusal(settings, &source, need, grant.by.is_some()))
        }
    }
}

/// What has decided.
enum Source {
    Token,
    Socket,
    Program,
    /// The rule that applies without any of these: this machine may read.
    Default(Option<Foreign>),
}

/// What is granted to the visitor, and by what.
fn grant(settings: &Settings, request: &Request) -> Result<(Grant, Source), Problem> {
    let credentials = request.header("authorization").and_then(Credentials::parse);
    let is_decided_elsewhere = settings.access.is_some() || request.granted.is_some();
    if let (Some(token), Some(credentials)) = (&settings.token, credentials) {
        if token.is(&credentials.secret) {
            // A browser sends the password of Basic authentication with whatever a page of another site embeds.
            if credentials.is_basic && origin::is_embedded_elsewhere(request) {
                return Err(cross_site());
            }
            // Nobody has checked the name.
            let by = credentials.user.map(|user| format!("{user} (claimed)").into());
            return Ok((Grant { access: Access::Operate, by }, Source::Token));
        }
        // The credentials may be for the program itself, if it decides, too.
        if !is_decided_elsewhere {
            return Err(challenge("the token of the request is wrong"));
        }
    }
    if let Peer::Unix(peer) = &request.peer {
        return Ok((peer.access.by(peer.name()), Source::Socket));
    }
    if let Some(decide) = &settings.access {
        let grant = panics::catch(|| decide(request))
            .ok_or_else(|| Problem::panicked("the function that decides the access"))?;
        return Ok((grant, Source::Program));
    }
    if let Some(grant) = &request.granted {
        return Ok((grant.clone(), Source::Program));
    }
    let foreign = origin::foreign(request);
    // Any page could have its browser, which is on this machine, ask for whatever costs time here.
    if foreign.is_none() && origin::is_embedded_elsewhere(request) {
        return Err(cross_site());
    }
    let access = if foreign.is_none() { Access::Read } else { Access::None };
    Ok((access.into(), Source::Default(foreign)))
}

/// Why the visitor may not do what the request needs, and what to do about it. `is_known`: the console was told who it is.
fn refusal(settings: &Settings, source: &Source, need: Need, is_known: bool) -> Problem {
    let what = match need {
        Need::Act(action) => format!("this visitor may not {action} services"),
        Need::Read | Need::Stream | Need::Nothing => {
            "this visitor may not see the services".to_owned()
        }
    };
    let remedy = "set the variable TINA4_CONSOLE_TOKEN and send its value as `Authorization: Bearer`, or let the \
                  program decide with `Console::access`";
    let refused =
        |detail: String, hint: String| Problem::new(403, "not permitted", detail).hint(hint);
    match source {
        // The browser asks for the token, or a client sends it with the next request.
        Source::Default(_) if settings.token.is_some() => challenge(&what),
        Source::Default(None) => refused(
            format!("{what}: from this machine, everybody may read, and do nothing else"),
            remedy.to_owned(),
        ),
        Source::Default(Some(why @ Foreign::Unknown)) => refused(
            format!("{what}: {why}"),
            format!(
                "with axum, serve the router with `into_make_service_with_connect_info::<SocketAddr>()`; or {remedy}"
            ),
        ),
        Source::Default(Some(
            why @ (Foreign::Peer(_) | Foreign::Proxied(_) | Foreign::Version | Foreign::Host),
        )) => refused(format!("{what}: {why}"), remedy.to_owned()),
        // A visitor whom the program does not know may know the token.
        Source::Program if settings.token.is_some() && !is_known => challenge(&what),
        Source::Token | Source::Socket | Source::Program => {
            refused(what, "ask somebody who has the permission, or whoever grants it".to_owned())
        }
    }
}

fn challenge(detail: &str) -> Problem {
    Problem::new(401, "token required", detail)
        .hint(
            "send the token as `Authorization: Bearer`, or as the password of Basic authentication",
        )
        .header("www-authenticate", "Basic realm=\"console\", charset=\"UTF-8\"")
}

fn cross_site() -> Problem {
    Problem::new(403, "cross-site request", "a page of another site has made this request").hint(
        "use the console's own page; behind a proxy, let it pass the header `host` on unchanged",
    )
}
