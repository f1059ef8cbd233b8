//! What probes and monitors are told. Everybody may ask whether the program is live and ready; why not is told to those who may read.

use crate::access::Grant;
use crate::answer::Answer;
use crate::problem::Problem;
use crate::query::Query;
use crate::request::Request;
use crate::settings::Settings;

pub(crate) fn live(settings: &Settings) -> Answer {
    let is_live = settings.runner().is_ok_and(|runner| runner.is_live());
    if is_live { Answer::plain(200, "ok\n") } else { Answer::plain(503, "not live\n") }
}

pub(crate) fn ready(
    settings: &Settings,
    request: &Request,
    grant: &Grant,
) -> Result<Answer, Problem> {
    let is_verbose = Query::of(request, &["verbose"])?.get("verbose").is_some();
    let readiness = settings.runner()?.readiness();
    let status = if readiness.is_ready { 200 } else { 503 };
    Ok(match (readiness.is_ready, grant.access.reads()) {
        (true, true) if is_verbose => Answer::plain(status, readiness.to_string()),
        (true, _) => Answer::plain(status, "ok\n"),
        (false, true) => Answer::plain(status, readiness.to_string()),
        (false, false) => Answer::plain(status, "not ready\n"),
    })
}

pub(crate) fn health(settings: &Settings) -> Result<Answer, Problem> {
    let health = settings.runner()?.health();
    Ok(Answer::json(if health.status.is_up() { 200 } else { 503 }, &health))
}

pub(crate) fn metrics(settings: &Settings) -> Result<Answer, Problem> {
    Ok(Answer::metrics(settings.runner()?.prometheus()))
}
