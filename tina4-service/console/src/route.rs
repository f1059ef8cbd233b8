//! What the path and the method of a request mean.

use crate::action::Action;
use crate::gate::Need;
use crate::problem::Problem;
use crate::request::Request;
use crate::text;

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// The page, or the list of services as JSON.
    Index,
    Services,
    Service(String),
    Runs(String),
    /// The log lines of a run.
    Log(String, LogOf),
    Plan(String),
    Events,
    /// A file that pages refer to.
    #[cfg(feature = "page")]
    Asset(String),
    /// Whether the engine makes progress.
    Live,
    /// Whether the program is ready.
    Ready,
    Health,
    /// For Prometheus.
    Metrics,
    #[cfg(feature = "queue")]
    Queues,
    #[cfg(feature = "queue")]
    Queue(String),
    #[cfg(feature = "queue")]
    Dead(String),
    Act(Action, Target),
}

/// Whose log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LogOf {
    /// The run with this number.
    Run(u64),
    /// The run in progress, or the last one.
    Last,
    /// The last run that has failed.
    LastFailing,
}

/// What an action is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Service(String),
    /// All services with this tag.
    Tag(String),
    #[cfg(feature = "queue")]
    Queue(String),
}

impl Route {
    /// Finds what a request asks for. The error is that of a path or a method that the console does not have.
    pub(crate) fn of(request: &Request) -> Result<Self, Problem> {
        let path = request.path.strip_prefix('/').ok_or_else(Problem::no_such_path)?;
        // Only names are decoded: a rule of a proxy for `/services/web/stop` has to match every way to write that.
        let segments: Vec<&str> = path.split('/').collect();
        if segments.len() > 1 && segments.contains(&"") {
            return Err(Problem::no_such_path());
        }
        let route = Self::at(&segments)?;
        let allowed = route.methods();
        if allowed.split(", ").any(|method| method == request.method) {
            return Ok(route);
        }
        let method: String = request.method.chars().take(20).collect();
        let detail = format!("`{}` is not answered here", method.escape_debug());
        Err(Problem::new(405, "method not allowed", detail)
            .hint(format!("use {allowed}"))
            .header("allow", allowed))
    }

    fn at(segments: &[&str]) -> Result<Self, Problem> {
        Ok(match *segments {
            [""] => Self::Index,
            ["services"] => Self::Services,
            ["services", name] => Self::Service(decode(name)?),
            ["services", name, "runs"] => Self::Runs(decode(name)?),
            ["services", name, "runs", run, "log"] => Self::Log(decode(name)?, log_of(run)?),
            ["services", name, "plan"] => Self::Plan(decode(name)?),
            ["services", name, word] => {
                Self::Act(service_action(word)?, Target::Service(decode(name)?))
            }
            ["tags", tag, word] => Self::Act(tag_action(word)?, Target::Tag(decode(tag)?)),
            ["events"] => Self::Events,
            #[cfg(feature = "page")]
            ["assets", name] => Self::Asset(name.to_owned()),
            ["livez"] => Self::Live,
            ["readyz"] => Self::Ready,
            ["health"] => Self::Health,
            ["metrics"] => Self::Metrics,
            #[cfg(feature = "queue")]
            ["queues"] => Self::Queues,
            #[cfg(feature = "queue")]
            ["queues", name] => Self::Queue(decode(name)?),
            #[cfg(feature = "queue")]
            ["queues", name, "dead"] => Self::Dead(decode(name)?),
            #[cfg(feature = "queue")]
            ["queues", name, "redrive"] => Self::Act(Action::Redrive, Target::Queue(decode(name)?)),
            _ => return Err(Problem::no_such_path()),
        })
    }

    fn methods(&self) -> &'static str {
        match self {
            Self::Index
            | Self::Services
            | Self::Service(_)
            | Self::Runs(_)
            | Self::Log(..)
            | Self::Plan(_)
            | Self::Events
            | Self::Live
            | Self::Ready
            | Self::Health
            | Self::Metrics => "GET, HEAD",
            #[cfg(feature = "queue")]
            Self::Queues | Self::Queue(_) | Self::Dead(_) => "GET, HEAD",
            #[cfg(feature = "page")]
            Self::Asset(_) => "GET, HEAD",
            Self::Act(..) => "POST",
        }
    }

    /// What a visitor needs for it.
    pub(crate) fn need(&self) -> Need {
        match self {
            Self::Index
            | Self::Services
            | Self::Service(_)
            | Self::Runs(_)
            | Self::Log(..)
            | Self::Plan(_)
            | Self::Health
            | Self::Metrics => Need::Read,
            Self::Events => Need::Stream,
            Self::Live | Self::Ready => Need::Nothing,
            #[cfg(feature = "queue")]
            Self::Queues | Self::Queue(_) | Self::Dead(_) => Need::Read,
            // They tell nothing of the program, and a page that refuses somebody looks better with them.
            #[cfg(feature = "page")]
            Self::Asset(_) => Need::Nothing,
            Self::Act(action, _) => Need::Act(*action),
        }
    }
}

/// The name in a segment of a path.
fn decode(segment: &str) -> Result<String, Problem> {
    text::decode(segment, false).ok_or_else(Problem::no_such_path)
}

fn log_of(run: &str) -> Result<LogOf, Problem> {
    match run {
        "last" => Ok(LogOf::Last),
        "last-failing" => Ok(LogOf::LastFailing),
        number => number.parse().map(LogOf::Run).map_err(|_| {
            Problem::new(404, "no such run", "a run has a number")
                .hint("use the number of a run, `last` or `last-failing`")
        }),
    }
}

fn service_action(word: &str) -> Result<Action, Problem> {
    action_among(word, &Action::ON_SERVICES)
}

fn tag_action(word: &str) -> Result<Action, Problem> {
    action_among(word, &[Action::Pause, Action::Resume])
}

fn action_among(word: &str, actions: &[Action]) -> Result<Action, Problem> {
    actions.iter().copied().find(|action| action.word() == word).ok_or_else(|| {
        let words: Vec<_> = actions.iter().map(|action| action.word()).collect();
        Problem::no_such_path().hint(format!("the actions are {}", words.join(", ")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(method: &str, path: &str) -> Result<Route, Problem> {
        Route::of(&Request::new(method, path))
    }

    #[test]
    fn rule_113_paths_and_methods() {
        let web = || "web".to_owned();
        let found = [
            ("GET", "/", Route::Index),
            ("HEAD", "/services", Route::Services),
            ("GET", "/services/web", Route::Service(web())),
            ("GET", "/services/w%65b", Route::Service(web())),
            ("GET", "/services/a%2Fb", Route::Service("a/b".to_owned())),
            ("GET", "/services/web/runs", Route::Runs(web())),
            ("GET", "/services/web/runs/7/log", Route::Log(web(), LogOf::Run(7))),
            ("GET", "/services/web/runs/last/log", Route::Log(web(), LogOf::Last)),
            ("GET", "/services/web/runs/last-failing/log", Route::Log(web(), LogOf::LastFailing)),
            ("GET", "/services/web/plan", Route::Plan(web())),
            ("GET", "/events", Route::Events),
            ("GET", "/livez", Route::Live),
            ("HEAD", "/readyz", Route::Ready),
            ("GET", "/health", Route::Health),
            ("GET", "/metrics", Route::Metrics),
            ("POST", "/services/web/run", Route::Act(Action::Run, Target::Service(web()))),
            ("POST", "/tags/web/pause", Route::Act(Action::Pause, Target::Tag(web()))),
        ];
        for (method, path, expected) in found {
            assert_eq!(route(method, path).unwrap(), expected, "{method} {path}");
        }
    }

    #[test]
    fn rule_113_what_there_is_not() {
        let paths = [
            "",
            "services",
            "//",
            "/services/",
            "/services/web/",
            "/services/web/runs/x/log",
            "/services/web/redrive",
            "/services/web/%ff",
            "/services/%",
            "/services/web/st%6Fp",
            "/services/web/run%73",
            "/services/web/runs/l%61st/log",
            "/services/web/runs/%31/log",
            "/%73ervices/web",
            "/event%73",
            "/tags/web/stop",
            "/tags/web",
            "/../services",
        ];
        for path in paths {
            for method in ["GET", "POST"] {
                assert_eq!(route(method, path).unwrap_err().status, 404, "{method} {path}");
            }
        }
        let problem = route("GET", "/services/web/pauze").unwrap_err();
        let hint = problem.hint.unwrap();
        assert_eq!(hint, "the actions are run, pause, resume, start, stop, restart, reset");
        for (method, path, allow) in [
            ("POST", "/services", "GET, HEAD"),
            ("get", "/services", "GET, HEAD"),
            ("GET", "/services/web/run", "POST"),
            ("OPTIONS", "/services/web/run", "POST"),
        ] {
            let problem = route(method, path).unwrap_err();
            assert_eq!(
                (problem.status, &*problem.headers),
                (405, &[("allow", allow.to_owned())][..])
            );
        }
    }
}
