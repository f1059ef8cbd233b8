//! A program with services and a console, for one test.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use tina4_service::{
    Context, Job, MemoryEngine, Permanent, Queue, Queues, RunLog, Runner, Service,
};
use tina4_service_console::{Access, Console};
use tokio::runtime::Runtime;
use tracing_subscriber::prelude::*;

use crate::webdriver::until;

/// A text that a page which does not escape it would run.
pub(crate) const HOSTILE: &str = "<script>window.hacked = true</script>";

const MAILS: Queue<String> = Queue::new("mails");

/// A program with services and a console, which ends when this is dropped.
pub(crate) struct Site {
    pub(crate) runner: Runner,
    address: SocketAddr,
    mount: &'static str,
    is_broken: Arc<AtomicBool>,
    // After the runner, because the server is asked by it to end its streams.
    _server: Runtime,
}

impl Site {
    /// `mount`: where the console is, such as `/ops/`.
    pub(crate) fn start(mount: &'static str, access: Access) -> Self {
        collect_logs();
        let queues = Queues::new(MemoryEngine::new());
        let runner = Runner::builder().unhealthy_after(1).build();
        runner.provide(queues.clone());
        let is_broken = Arc::new(AtomicBool::new(false));
        for service in services(Arc::clone(&is_broken)) {
            runner.register(service).expect("the name is free");
        }
        for address in ["ada@example.com", "nobody@example.com", HOSTILE] {
            MAILS.on(&queues).push(&address.to_owned()).expect("the engine is in memory");
        }
        runner.start_all().expect("the services have no faults");
        // So that the counts are known, and a request makes a run of its own.
        until("the first runs", || {
            let services = runner.services();
            let succeeded = |name| {
                let found = services.iter().find(|service| service.name == name);
                found.is_some_and(|service| service.succeeded == 1)
            };
            let jobs =
                services.iter().find_map(|service| service.queue).map(|queue| queue.counters);
            let are_dead = jobs.is_some_and(|jobs| jobs.done == 1 && jobs.dead == 2);
            (succeeded("heartbeat") && succeeded("payment_sync") && are_dead).then_some(())
        });
        let console = Console::new(&runner).title(format!("shop {HOSTILE}")).queues(&queues);
        let console = console.access(move |_| access.by("alice"));
        let (server, address) = serve(&console, mount);
        Self { runner, address, mount, is_broken, _server: server }
    }

    /// The URL of a page, such as `services/heartbeat`.
    pub(crate) fn url(&self, page: &str) -> String {
        format!("http://{}{}{page}", self.address, self.mount)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn path(&self, page: &str) -> String {
        format!("{}{page}", self.mount)
    }

    /// Lets the runs of `payment_sync` fail from now on, or no longer.
    pub(crate) fn set_broken(&self, is_broken: bool) {
        self.is_broken.store(is_broken, Ordering::Relaxed);
    }

    pub(crate) fn runs(&self, name: &str) -> u64 {
        let services = self.runner.services();
        services.iter().find(|service| service.name == name).expect("it is known").runs
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.runner.stop_all();
    }
}

fn services(is_broken: Arc<AtomicBool>) -> [Service; 6] {
    let sync = move |_: &Context| {
        tracing::info!(target: "shop", "asking the provider");
        if !is_broken.load(Ordering::Relaxed) {
            return Ok(());
        }
        tracing::warn!(target: "shop", "the provider does not answer {HOSTILE}");
        Err(format!("the provider did not answer {HOSTILE}\nconnection reset"))
    };
    let send = |job: Job<String>| match job.contains("ada") {
        true => Ok(()),
        false => Err(Permanent::new(std::io::Error::other(format!("no such user: {}", *job)))),
    };
    let serve = |ctx: &Context| {
        while !ctx.is_stopping() {
            let _ = ctx.sleep(Duration::from_secs(3600));
        }
    };
    [
        // They run when they are started and when somebody asks, so their counts are known.
        Service::new("heartbeat", |_| {}).interval("1h").tags(["vital"]),
        Service::new("payment_sync", sync).interval("1h").backoff("1h").max_backoff("1h"),
        Service::new("report", |_| {}).cron("0 8 * * *").timezone("UTC").tags(["reports"]),
        Service::new("backfill", |_| {}).interval("1h").autostart(false),
        Service::new("web", serve),
        Service::of("send_mail", send).queue(MAILS),
    ]
}

/// The subscriber is one for all tests of the process.
fn collect_logs() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| tracing_subscriber::registry().with(RunLog::new().layer()).init());
}

fn serve(console: &Console, mount: &str) -> (Runtime, SocketAddr) {
    let runtime = Runtime::new().expect("threads can be started");
    let listener = runtime
        .block_on(tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))
        .expect("a port is free");
    let address = listener.local_addr().expect("it is bound");
    let mount = mount.trim_end_matches('/');
    let router = Router::new().nest_service(mount, console.clone());
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    runtime.spawn(async move { axum::serve(listener, service).await });
    (runtime, address)
}
