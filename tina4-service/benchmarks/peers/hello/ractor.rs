//: ractor = "=0.16.5"
//: tokio = { version = "=1.54.1", features = ["macros", "rt-multi-thread", "signal"] }

use std::time::Duration;

use ractor::{Actor, ActorProcessingErr, ActorRef};

struct Hello;

impl Actor for Hello {
    type Msg = ();
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, myself: ActorRef<()>, (): ()) -> Result<(), ActorProcessingErr> {
        myself.send_interval(Duration::from_secs(1), || ());
        Ok(())
    }

    async fn handle(&self, _: ActorRef<()>, (): (), (): &mut ()) -> Result<(), ActorProcessingErr> {
        println!("hello");
        Ok(())
    }
}

#[tokio::main]
async fn main() {
    let (actor, ended) = Actor::spawn(None, Hello, ()).await.expect("an actor");
    tokio::signal::ctrl_c().await.expect("a signal");
    actor.stop(None);
    ended.await.expect("it stops");
}
