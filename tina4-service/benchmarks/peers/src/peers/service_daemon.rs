//! `service-daemon`: services declared with an attribute, each with its own loop.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use service_daemon::{
    Registry, RestartPolicy, ServiceDaemon as Daemon, is_shutdown, service, sleep,
};
use tokio::runtime::Runtime;
use tokio::task::yield_now;

use super::runtime;
use crate::peer::{Load, Peer, Running, StartResult, Unavailable, unavailable};

pub(crate) struct ServiceDaemon;

static LOAD: OnceLock<Load> = OnceLock::new();
static AGAIN: OnceLock<Arc<dyn Fn() -> bool + Send + Sync>> = OnceLock::new();
static CRASH: OnceLock<Arc<dyn Fn() + Send + Sync>> = OnceLock::new();

/// The body of each declared service.
async fn periodic(service: usize) -> anyhow::Result<()> {
    let load = LOAD.get().expect("the load is set before the start");
    let mut next = Instant::now() + load.delay(service);
    load.work.report_grid(service, next);
    while !is_shutdown() {
        let wait = next.saturating_duration_since(Instant::now());
        if !wait.is_zero() && !sleep(wait).await {
            break;
        }
        load.work.run(service);
        next += load.period;
        if next <= Instant::now() {
            yield_now().await;
        }
    }
    Ok(())
}

#[service(tags = ["again"])]
async fn again() -> anyhow::Result<()> {
    let work = AGAIN.get().expect("the work is set before the start");
    while !is_shutdown() && work() {
        yield_now().await;
    }
    // A service that returns would be restarted.
    service_daemon::wait_shutdown().await;
    Ok(())
}

#[service(tags = ["crash"])]
async fn crash() -> anyhow::Result<()> {
    service_daemon::done();
    CRASH.get().expect("the work is set before the start")();
    anyhow::bail!("crashed")
}

struct Started {
    runtime: Runtime,
    daemon: Daemon,
}

impl Running for Started {
    fn stop(&mut self) -> Result<(), Unavailable> {
        self.daemon.shutdown();
        self.runtime.block_on(self.daemon.wait()).map_err(|error| Unavailable(error.to_string()))
    }
}

fn start(tag: &'static str, policy: RestartPolicy) -> StartResult {
    let runtime = runtime::new();
    let registry = Registry::builder().with_tag(tag).build();
    let mut daemon = Daemon::builder().with_registry(registry).with_restart_policy(policy).build();
    runtime.block_on(async {
        daemon.run().await;
    });
    Ok(Box::new(Started { runtime, daemon }))
}

impl Peer for ServiceDaemon {
    fn name(&self) -> &'static str {
        "service-daemon"
    }

    fn about(&self) -> &'static str {
        "`#[service]` per service: `while !is_shutdown() { sleep(next - now).await; work() }`"
    }

    fn periodic(&self, load: Load) -> StartResult {
        let tag = match load.count {
            1 => "first-1",
            10 => "first-10",
            100 => "first-100",
            _ => return unavailable("only services declared in the source, here 100"),
        };
        let _ = LOAD.set(load);
        start(tag, RestartPolicy::default())
    }

    fn back_to_back(&self, work: Arc<dyn Fn() -> bool + Send + Sync>) -> StartResult {
        let _ = AGAIN.set(work);
        start("again", RestartPolicy::default())
    }

    fn crashing(&self, backoff: Duration, work: Arc<dyn Fn() + Send + Sync>) -> StartResult {
        let _ = CRASH.set(work);
        let policy = RestartPolicy::builder()
            .initial_delay(backoff)
            .max_delay(backoff)
            .jitter_factor(0.0)
            .build();
        start("crash", policy)
    }
}

macro_rules! declare {
    ($tags:tt $($name:ident $number:literal)*) => {
        $(
            #[service(tags = $tags)]
            async fn $name() -> anyhow::Result<()> {
                periodic($number).await
            }
        )*
    };
}

declare!(["first-1", "first-10", "first-100"] s0 0);
declare!(["first-10", "first-100"] s1 1 s2 2 s3 3 s4 4 s5 5 s6 6 s7 7 s8 8 s9 9);
declare!(["first-100"]
    s10 10 s11 11 s12 12 s13 13 s14 14 s15 15 s16 16 s17 17 s18 18 s19 19
    s20 20 s21 21 s22 22 s23 23 s24 24 s25 25 s26 26 s27 27 s28 28 s29 29
    s30 30 s31 31 s32 32 s33 33 s34 34 s35 35 s36 36 s37 37 s38 38 s39 39
    s40 40 s41 41 s42 42 s43 43 s44 44 s45 45 s46 46 s47 47 s48 48 s49 49
    s50 50 s51 51 s52 52 s53 53 s54 54 s55 55 s56 56 s57 57 s58 58 s59 59
    s60 60 s61 61 s62 62 s63 63 s64 64 s65 65 s66 66 s67 67 s68 68 s69 69
    s70 70 s71 71 s72 72 s73 73 s74 74 s75 75 s76 76 s77 77 s78 78 s79 79
    s80 80 s81 81 s82 82 s83 83 s84 84 s85 85 s86 86 s87 87 s88 88 s89 89
    s90 90 s91 91 s92 92 s93 93 s94 94 s95 95 s96 96 s97 97 s98 98 s99 99
);
