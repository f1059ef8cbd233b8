//! An async program: an axum server and async services over one pool of database connections.
//!
//! The server is a service like the others. It requires the cache, which requires the migrations, so it
//! accepts requests only once the cache has been filled. On SIGTERM or Ctrl-C it finishes the requests in
//! progress and stops first, then the cache, then the rest.
//!
//! ```sh
//! cargo run -p examples --bin axum-server -- 8080
//! curl http://127.0.0.1:8080/prices/tea
//! ```

use std::process::ExitCode;

mod pool;
mod services;

use pool::Pool;
use services::{Port, Prices};

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let port = std::env::args().nth(1).map_or(Ok(8080), |port| port.parse());
    let Ok(port) = port else {
        eprintln!("usage: axum-server [port]");
        return ExitCode::from(64);
    };
    match Pool::open(4) {
        Ok(pool) => tina4_service::provide(pool),
        Err(error) => {
            eprintln!("the database cannot be opened: {error}");
            return ExitCode::FAILURE;
        }
    }
    tina4_service::provide(Port(port));
    tina4_service::provide(Prices::default());
    tina4_service::run_async().await
}
