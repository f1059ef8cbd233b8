//: supervised = "=0.3.0"
//: tokio = { version = "=1.54.1", features = ["macros", "rt-multi-thread", "time"] }

use std::time::Duration;

use supervised::{Context, ServiceExt, SupervisorBuilder, service_fn};

async fn hello(_: Context<()>) {
    let mut timer = tokio::time::interval(Duration::from_secs(1));
    loop {
        timer.tick().await;
        println!("hello");
    }
}

#[tokio::main]
async fn main() {
    let hello = service_fn("hello", hello).until_cancelled();
    let supervisor = SupervisorBuilder::new(()).shutdown_on_ctrl_c().add(hello);
    supervisor.build().run().await.expect("it stops");
}
