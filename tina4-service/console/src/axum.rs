//! The front end for programs with an axum server of their own.

use std::convert::Infallible;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::{Body as AxumBody, Bytes};
use axum::extract::{ConnectInfo, OriginalUri, Request as AxumRequest};
use axum::http::{HeaderValue, StatusCode, Version as HttpVersion, header};
use axum::response::Response;
use futures_core::Stream;
use tower_service::Service;

use crate::access::Grant;
use crate::answer::{Answer, Body};
use crate::console::Console;
use crate::events::event_stream::EventStream;
use crate::peer::Peer;
use crate::problem::Problem;
use crate::request::Request;
use crate::version::Version;

/// With the feature `axum`, a console is a service of `tower`, which `nest_service` mounts at any path of an axum
/// router.
///
/// Serve the router with `into_make_service_with_connect_info::<SocketAddr>()`, which tells the console where
/// requests come from; without that, it answers only those that [the token](Console::token), a closure
/// ([`Console::access`]) or the program itself permits. The program permits a request by an extension of the type
/// [`Grant`], which a middleware inserts that knows who is logged in. A closure, if there is one, decides instead; it finds the
/// grant in [`Request::granted`](crate::Request::granted).
///
/// Open streams of events end when the runner begins to stop, so they do not delay a graceful shutdown that begins then.
///
/// ```no_run
/// use std::net::SocketAddr;
///
/// use axum::{Router, routing::get};
/// use tina4_service_console::Console;
///
/// # async fn serve() -> std::io::Result<()> {
/// let router = Router::new()
///     .route("/", get(|| async { "the program" }))
///     .nest_service("/ops", Console::global());
/// let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
/// axum::serve(listener, router.into_make_service_with_connect_info::<SocketAddr>()).await
/// # }
/// ```
// A router to `nest` would not do: axum matches its path `/` with `/ops`, but not with `/ops/`.
impl Service<AxumRequest> for Console {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: AxumRequest) -> Self::Future {
        let console = self.clone();
        Box::pin(async move { Ok(answer(console, request).await) })
    }
}

async fn answer(console: Console, request: AxumRequest) -> Response {
    let (mut parts, body) = request.into_parts();
    let original = parts.extensions.get::<OriginalUri>().map(|uri| uri.0.path().to_owned());
    // axum shows the mount point as `/`, with and without its slash.
    if parts.uri.path() == "/"
        && let Some(original) = &original
        && !original.ends_with('/')
    {
        return into_response(Answer::redirect_into(
            original,
            parts.uri.query().unwrap_or_default(),
        ));
    }
    let body = match read(body).await {
        Ok(body) => body,
        Err(problem) => return into_response(Answer::refusal(&problem)),
    };
    let mut headers: Vec<_> = parts
        .headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()))
        .collect();
    // HTTP/2 has the host in the URI, and a request to a proxy, too.
    if let Some(authority) = parts.uri.authority().map(|authority| authority.as_str().as_bytes()) {
        let mut hosts = parts.headers.get_all(header::HOST).iter();
        if hosts.any(|host| !host.as_bytes().eq_ignore_ascii_case(authority)) {
            return into_response(Answer::refusal(&Problem::ambiguous_host()));
        }
        if !parts.headers.contains_key(header::HOST) {
            headers.push(("host".to_owned(), authority.to_vec()));
        }
    }
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    let request = Request {
        method: parts.method.as_str().to_owned(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        version: version(parts.version),
        headers,
        body,
        peer: peer.map_or(Peer::Unknown, |info| Peer::Tcp(info.0)),
        granted: parts.extensions.remove::<Grant>(),
    };
    // Engines of queues block, and a stop is waited for.
    match tokio::task::spawn_blocking(move || console.answer(&request)).await {
        Ok(answer) => into_response(answer),
        Err(_) => into_response(Answer::refusal(&Problem::panicked("the console"))),
    }
}

/// Reads a body, but not more than a request may have.
async fn read(body: AxumBody) -> Result<Vec<u8>, Problem> {
    let mut stream = pin!(body.into_data_stream());
    let mut read = Vec::new();
    while let Some(part) = poll_fn(|cx| stream.as_mut().poll_next(cx)).await {
        let part = part.map_err(|_| Problem::body_unreadable())?;
        if read.len() + part.len() > Request::MAX_BODY {
            return Err(Problem::body_too_large());
        }
        read.extend_from_slice(&part);
    }
    Ok(read)
}

fn version(version: HttpVersion) -> Version {
    if version < HttpVersion::HTTP_11 {
        Version::Http10
    } else if version == HttpVersion::HTTP_11 {
        Version::Http11
    } else {
        Version::Http2
    }
}

fn into_response(answer: Answer) -> Response {
    let body = match answer.body {
        Body::Bytes(bytes) => AxumBody::from(bytes),
        Body::Events(stream) => AxumBody::from_stream(Blocks(stream)),
    };
    let mut response = Response::new(body);
    let Ok(code) = StatusCode::from_u16(answer.status) else {
        return status(StatusCode::INTERNAL_SERVER_ERROR);
    };
    *response.status_mut() = code;
    for (name, value) in answer.headers {
        // A value that HTTP cannot carry is left out; no header of the console has one.
        if let Ok(value) = HeaderValue::try_from(value) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

fn status(code: StatusCode) -> Response {
    let mut response = Response::default();
    *response.status_mut() = code;
    response
}

/// A stream of events as the body of a response.
struct Blocks(EventStream);

/// A block, which all clients share.
struct Block(Arc<[u8]>);

impl AsRef<[u8]> for Block {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Stream for Blocks {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let block = self.0.poll_next(cx);
        block.map(|block| block.map(|block| Ok(Bytes::from_owner(Block(block)))))
    }
}
