//! A web hook: each notice is posted as JSON. `text` is what Slack, Mattermost and others show.

use serde_json::{Value, json};
use tina4_service::{Notice, NoticeKind, Runner};

use crate::http;

/// Posts the notices of a runner to this address.
pub(crate) fn install(runner: &Runner, url: String) {
    // The hook has its own thread, so a slow network delays no service.
    runner.on_change(move |notice| {
        if let Err(error) = http::post(&url, "application/json", &body(notice).to_string()) {
            // The address is a secret.
            tracing::warn!(%error, "the web hook could not be called: {notice}");
        }
    });
}

fn body(notice: &Notice) -> Value {
    let kind = match notice.kind {
        NoticeKind::Broke { .. } => "broke",
        NoticeKind::Failed { .. } => "failed",
        NoticeKind::Recovered { .. } => "recovered",
        NoticeKind::Overdue { .. } => "overdue",
        NoticeKind::NoLongerOverdue { .. } => "no_longer_overdue",
        // A later version may know more; the text says it.
        _ => "other",
    };
    let at = notice.at.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    json!({
        "text": notice.to_string(),
        "service": notice.service,
        "kind": kind,
        "at": at.as_secs(),
        "left_out": notice.left_out,
        "missed": notice.missed,
    })
}
