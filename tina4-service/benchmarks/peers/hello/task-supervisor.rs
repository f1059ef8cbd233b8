//: task-supervisor = "=0.5.2"
//: tokio = { version = "=1.54.1", features = ["macros", "rt-multi-thread", "signal", "time"] }

use std::time::Duration;

use task_supervisor::{CancellationToken, SupervisedTask, SupervisorBuilder, TaskResult};

#[derive(Clone)]
struct Hello;

impl SupervisedTask for Hello {
    async fn run(self, cancel: CancellationToken) -> TaskResult {
        let hello = async {
            let mut timer = tokio::time::interval(Duration::from_secs(1));
            loop {
                timer.tick().await;
                println!("hello");
            }
        };
        let _: Option<()> = cancel.run_until_cancelled(hello).await;
        Ok(())
    }
}

#[tokio::main]
async fn main() {
    let handle = SupervisorBuilder::new().with_task("hello", Hello).spawn();
    tokio::signal::ctrl_c().await.expect("a signal");
    handle.shutdown().await.expect("it stops");
}
