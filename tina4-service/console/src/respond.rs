//! From a request to its answer: find the route, ask the gate, answer.

use std::sync::Arc;

use crate::access::Grant;
use crate::acting;
use crate::answer::{Answer, Body};
use crate::events::hub::Hub;
use crate::gate;
use crate::gate::Need;
#[cfg(feature = "page")]
use crate::pages;
use crate::probing;
use crate::problem::Problem;
#[cfg(feature = "queue")]
use crate::queues;
use crate::reading;
use crate::request::Request;
use crate::route::Route;
use crate::settings::Settings;

pub(crate) fn answer(settings: &Arc<Settings>, hub: &Hub, request: &Request) -> Answer {
    let answer = respond(settings, hub, request);
    let mut answer = answer.unwrap_or_else(|problem| problem_answer(settings, request, &problem));
    if request.method == "HEAD" {
        answer.body = Body::Bytes(Vec::new());
    }
    answer.guarded()
}

fn problem_answer(settings: &Settings, request: &Request, problem: &Problem) -> Answer {
    #[cfg(feature = "page")]
    if pages::are_wanted(request) {
        return pages::problem(settings, request, problem);
    }
    let _ = (settings, request);
    Answer::problem(problem)
}

fn respond(settings: &Arc<Settings>, hub: &Hub, request: &Request) -> Result<Answer, Problem> {
    if request.body.len() > Request::MAX_BODY {
        return Err(Problem::body_too_large());
    }
    let route = Route::of(request);
    // Visitors without read access cannot tell which paths exist.
    let need = route.as_ref().map_or(Need::Read, Route::need);
    let grant = gate::admit(settings, request, need)?;
    carry_out(settings, hub, request, route?, &grant)
}

fn carry_out(
    settings: &Arc<Settings>,
    hub: &Hub,
    request: &Request,
    route: Route,
    grant: &Grant,
) -> Result<Answer, Problem> {
    #[cfg(feature = "page")]
    if pages::are_wanted(request)
        && let Some(page) = pages::respond(settings, request, &route, grant)
    {
        return page;
    }
    match route {
        Route::Index | Route::Services => reading::services(settings, request),
        Route::Service(name) => reading::service(settings, request, &name),
        Route::Runs(name) => reading::runs(settings, request, &name),
        Route::Log(name, of) => reading::log(settings, request, &name, of),
        Route::Plan(name) => reading::plan(settings, request, &name),
        #[cfg(feature = "page")]
        Route::Asset(name) => pages::asset(&name),
        Route::Live => Ok(probing::live(settings)),
        Route::Ready => probing::ready(settings, request, grant),
        Route::Health => probing::health(settings, request),
        Route::Metrics => probing::metrics(settings),
        Route::Events => hub.connect(settings, request),
        #[cfg(feature = "queue")]
        Route::Queues => queues::list(settings, request),
        #[cfg(feature = "queue")]
        Route::Queue(name) => queues::one(settings, request, &name),
        #[cfg(feature = "queue")]
        Route::Dead(name) => queues::dead(settings, request, &name),
        Route::Act(action, target) => acting::act(settings, grant, request, action, &target),
    }
}
