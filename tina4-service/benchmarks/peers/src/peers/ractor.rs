//! `ractor`: an actor per service that receives a message every period.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ractor::concurrency::JoinHandle;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::runtime::Runtime;

use super::runtime;
use crate::peer::{
    Load, Peer, Phase, Running, StartResult, Unavailable, service_name, unavailable,
};

pub(crate) struct Ractor;

struct Periodic {
    load: Load,
    service: usize,
}

enum Message {
    Begin,
    Run,
}

impl Periodic {
    /// Runs once and starts the timer for the next runs.
    fn begin(&self, myself: &ActorRef<Message>) {
        self.load.work.report_grid(self.service, Instant::now());
        myself.send_interval(self.load.period, || Message::Run);
        self.load.work.run(self.service);
    }
}

impl Actor for Periodic {
    type Msg = Message;
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<Message>, (): ()) -> Result<(), ActorProcessingErr> {
        Ok(())
    }

    async fn post_start(
        &self,
        myself: ActorRef<Message>,
        (): &mut (),
    ) -> Result<(), ActorProcessingErr> {
        match self.load.phase {
            Phase::Together => self.begin(&myself),
            Phase::Spread => {
                myself.send_after(self.load.delay(self.service), || Message::Begin);
            }
        }
        Ok(())
    }

    async fn handle(
        &self,
        myself: ActorRef<Message>,
        message: Message,
        (): &mut (),
    ) -> Result<(), ActorProcessingErr> {
        match message {
            Message::Begin => self.begin(&myself),
            Message::Run => self.load.work.run(self.service),
        }
        Ok(())
    }
}

/// An actor that sends itself the next message from each run.
struct BackToBack(Arc<dyn Fn() -> bool + Send + Sync>);

impl Actor for BackToBack {
    type Msg = ();
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, myself: ActorRef<()>, (): ()) -> Result<(), ActorProcessingErr> {
        Ok(myself.send_message(())?)
    }

    async fn handle(
        &self,
        myself: ActorRef<()>,
        (): (),
        (): &mut (),
    ) -> Result<(), ActorProcessingErr> {
        if (self.0)() {
            myself.send_message(())?;
        }
        Ok(())
    }
}

struct Actors<M> {
    runtime: Runtime,
    actors: Vec<(ActorRef<M>, JoinHandle<()>)>,
}

impl<M> Running for Actors<M> {
    fn stop(&mut self) -> Result<(), Unavailable> {
        for (actor, _) in &self.actors {
            actor.stop(None);
        }
        self.runtime.block_on(async {
            for (_, ended) in self.actors.drain(..) {
                ended.await.expect("actors do not panic");
            }
        });
        Ok(())
    }
}

impl Peer for Ractor {
    fn name(&self) -> &'static str {
        "ractor"
    }

    fn about(&self) -> &'static str {
        "an actor per service: `send_interval`; `handle` does the work"
    }

    fn periodic(&self, load: Load) -> StartResult {
        let runtime = runtime::new();
        let actors = runtime.block_on(async {
            let mut actors = Vec::with_capacity(load.count);
            for service in 0..load.count {
                let actor = Periodic { load: load.clone(), service };
                let spawned = Actor::spawn(Some(service_name(service)), actor, ()).await;
                actors.push(spawned.map_err(|error| Unavailable(error.to_string()))?);
            }
            Ok(actors)
        })?;
        Ok(Box::new(Actors { runtime, actors }))
    }

    fn back_to_back(&self, work: Arc<dyn Fn() -> bool + Send + Sync>) -> StartResult {
        let runtime = runtime::new();
        let spawned = runtime.block_on(Actor::spawn(None, BackToBack(work), ()));
        let actors = vec![spawned.map_err(|error| Unavailable(error.to_string()))?];
        Ok(Box::new(Actors { runtime, actors }))
    }

    fn crashing(&self, _backoff: Duration, _work: Arc<dyn Fn() + Send + Sync>) -> StartResult {
        unavailable("the program must restart actors itself")
    }
}
