//! [`Link`]: one connection to the server.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio_postgres::{AsyncMessage, Client, Connection, Error, Notification};

type Messages = dyn FnMut(&mut Context<'_>) -> Poll<Option<Result<AsyncMessage, Error>>> + Send;

/// A client, and the connection behind it, which only moves while somebody waits for it.
pub(crate) struct Link {
    client: Client,
    messages: Box<Messages>,
    /// `messages` must not be called any more.
    is_over: bool,
    notifications: VecDeque<Notification>,
}

impl Link {
    pub(crate) fn new<S, T>(client: Client, mut connection: Connection<S, T>) -> Self
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let messages = Box::new(move |cx: &mut Context<'_>| connection.poll_message(cx));
        Self { client, messages, is_over: false, notifications: VecDeque::new() }
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.is_over || self.client.is_closed()
    }

    /// Calls the server.
    pub(crate) async fn call<T>(
        &mut self,
        call: impl AsyncFnOnce(&mut Client) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let Self { client, messages, is_over, notifications } = self;
        let mut call = pin!(call(client));
        poll_fn(|cx| {
            // The error of a connection also reaches the call, but says less there.
            if let Poll::Ready(Err(error)) = advance(messages, is_over, notifications, cx) {
                return Poll::Ready(Err(error));
            }
            call.as_mut().poll(cx)
        })
        .await
    }

    /// The next notification; `None` if the connection was closed.
    pub(crate) async fn notification(&mut self) -> Result<Option<Notification>, Error> {
        poll_fn(|cx| {
            let Self { messages, is_over, notifications, .. } = self;
            let end = advance(messages, is_over, notifications, cx);
            match notifications.pop_front() {
                Some(notification) => Poll::Ready(Ok(Some(notification))),
                None => end.map_ok(|()| None),
            }
        })
        .await
    }

    /// Tells the server that the connection is not used any more, and waits until it is closed.
    pub(crate) async fn close(self) {
        let Self { client, mut messages, mut is_over, mut notifications } = self;
        drop(client);
        // It is of no use any more, with an error or without.
        let _ = poll_fn(|cx| advance(&mut messages, &mut is_over, &mut notifications, cx)).await;
    }
}

/// Sends and receives what can be sent and received. `Ready` when the connection is over.
fn advance(
    messages: &mut Messages,
    is_over: &mut bool,
    notifications: &mut VecDeque<Notification>,
    cx: &mut Context<'_>,
) -> Poll<Result<(), Error>> {
    while !*is_over {
        match messages(cx) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(Some(Ok(AsyncMessage::Notification(notification)))) => {
                notifications.push_back(notification);
            }
            // Notices, and whatever else the server may say one day.
            Poll::Ready(Some(Ok(_))) => {}
            Poll::Ready(Some(Err(error))) => {
                *is_over = true;
                return Poll::Ready(Err(error));
            }
            Poll::Ready(None) => *is_over = true,
        }
    }
    Poll::Ready(Ok(()))
}
