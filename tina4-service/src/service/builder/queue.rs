//! The keys of queue services.

use tina4_service_core::{Key, Setting};
use tina4_service_queue::Queue;

use super::{IntoDuration, Service};
use crate::service::outcome::HookOutcome;
use crate::service::params::callable::Callable;
use crate::service::params::function::Signature;
use crate::service::params::hook::OnStop;
use crate::service::params::kind::HookReturns;
use crate::service::queue_binding::QueueBinding;

impl Service {
    /// The queue whose jobs the service works on; its function takes a [`Job<T>`](crate::Job).
    ///
    /// The function is called with each job, and returns `()` or `Result<(), E>`. Provide the engine as
    /// [`Queues`](crate::Queues).
    ///
    /// ```
    /// use tina4_service::{Job, MemoryEngine, Queue, Queues, Runner, Service};
    ///
    /// const NUMBERS: Queue<u32> = Queue::new("numbers");
    ///
    /// fn print(number: Job<u32>) {
    ///     println!("{}", *number);
    /// }
    ///
    /// let runner = Runner::new();
    /// let queues = Queues::new(MemoryEngine::new());
    /// runner.provide(queues.clone());
    /// runner.register(Service::of("print", print).queue(NUMBERS).attempts(3))?;
    /// runner.start_all()?;
    /// NUMBERS.on(&queues).push(&42)?;
    /// # while NUMBERS.on(&queues).stats()?.counters.done == 0 {}
    /// runner.stop_all();
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn queue<T: 'static>(mut self, queue: Queue<T>) -> Self {
        self.given.set(Setting::Queue);
        self.cold_mut().queue = Some(QueueBinding::of(queue));
        self
    }

    /// How often a job is attempted before it is dead. Default: 10.
    pub fn attempts(mut self, count: u32) -> Self {
        self.given.set(Setting::Attempts(count));
        self
    }

    /// How many jobs run at once in this process. Default: 1.
    pub fn concurrency(mut self, count: u32) -> Self {
        self.given.set(Setting::Concurrency(count));
        self
    }

    /// How long a job is claimed; the claim is renewed while the job runs. Default: 30 s.
    pub fn lease(mut self, lease: impl IntoDuration) -> Self {
        self.set_duration(Key::Lease, lease, Setting::Lease);
        self
    }

    /// How often the queue is looked at, in case another process has pushed a job. Default: 1 s.
    pub fn poll(mut self, period: impl IntoDuration) -> Self {
        self.set_duration(Key::Poll, period, Setting::Poll);
        self
    }

    /// How long dead jobs are kept. Default: 30 days.
    pub fn keep_dead(mut self, period: impl IntoDuration) -> Self {
        self.set_duration(Key::KeepDead, period, Setting::KeepDead);
        self
    }

    /// Keeps a copy of each job that is done, for this long. Default: done jobs are deleted.
    ///
    /// [`BoundQueue::done`](crate::BoundQueue::done) lists them.
    pub fn keep_done(mut self, period: impl IntoDuration) -> Self {
        self.set_duration(Key::KeepDone, period, Setting::KeepDone);
        self
    }

    /// `true`: other services of this runner may work on the same queue. Default: `false`.
    pub fn shared(mut self, shared: bool) -> Self {
        self.given.set(Setting::Shared(shared));
        self
    }

    /// A function that is told of each dead job: a plain one, or an async one if that of the service is async, too.
    ///
    /// It takes a [`DeadJob`](crate::DeadJob) and any other parameters of a service but `Local`, and returns
    /// `()` or `Result<(), E>`. It is called once the job has been stored as dead; if the process is
    /// killed in between, it is not called.
    pub fn on_dead<M: 'static, K: 'static, F>(mut self, function: F) -> Self
    where
        F: Signature<M>,
        <F as Signature<M>>::Output: HookReturns<K>,
        F: Callable<M, K>,
        <F as Callable<M, K>>::Value: HookOutcome,
    {
        self.given.set(Setting::OnDead);
        self.cold_mut().on_dead = Some(Box::new(OnStop::new(function)));
        self
    }
}
