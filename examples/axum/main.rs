//! An async program: an axum server and async services over one pool of database connections.
//!
//! The server is a service like the others. It requires the cache, which requires the migrations, so it
//! accepts requests only once the cache has been filled. On SIGTERM or Ctrl-C it finishes the requests in
//! progress and stops first, then the cache, then the rest. Operators log in to the console of the services at `/ops/`.
//!
//! ```sh
//! OPERATORS=alice:secret cargo run -p examples --bin axum-server -- 8080
//! curl http://127.0.0.1:8080/prices/tea
//! curl -u alice:secret -X POST http://127.0.0.1:8080/ops/services/price_cache/restart
//! ```

use std::process::ExitCode;

mod login;
mod pool;
mod services;

use login::Operators;
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
    // Without operators, nobody gets in.
    tina4_service::provide(Operators::parse(&std::env::var("OPERATORS").unwrap_or_default()));
    tina4_service::run_async().await
}
