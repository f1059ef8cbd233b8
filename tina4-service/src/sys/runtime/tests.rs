//! Which thread drives a runtime, and how it blocks.

use super::*;
use crate::sys::panics;

/// Whether this thread drives the runtime: in every place in which a program may ask.
#[test]
fn rule_91_only_the_thread_that_executes_the_tasks_of_a_current_thread_runtime_drives_it() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("it starts");
    let handle = runtime.handle().clone();
    let drives = {
        let handle = handle.clone();
        move || is_driven_by_this_thread(&handle)
    };
    assert!(!drives(), "outside");
    {
        let _entered = handle.enter();
        assert!(!drives(), "entered");
    }
    runtime.block_on(async {
        assert!(drives(), "the root");
        let (in_task, in_blocking, in_local) = (drives.clone(), drives.clone(), drives.clone());
        assert!(tokio::spawn(async move { in_task() }).await.expect("it ends"), "a task");
        let blocking = tokio::task::spawn_blocking(in_blocking).await.expect("it ends");
        assert!(!blocking, "spawn_blocking");
        let local = tokio::task::LocalSet::new();
        assert!(local.run_until(async move { in_local() }).await, "a local set");
        let unconstrained = tokio::task::unconstrained(async { drives() });
        assert!(unconstrained.await, "without a budget");
    });
    assert!(!drives(), "after it");
    let threads = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build();
    threads.expect("it starts").block_on(async {
        assert!(!drives(), "another runtime");
        let own = tokio::runtime::Handle::current();
        let task = tokio::spawn(async move { is_driven_by_this_thread(&own) });
        assert!(!task.await.expect("it ends"), "a worker of several");
    });
}

#[test]
fn rule_91_a_panic_of_a_wait_reaches_its_caller_with_its_place() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build();
    runtime.expect("it starts").block_on(async {
        let panic = panics::catch(|| block(|| panic!("in the wait"))).expect_err("it panics");
        let text = panic.to_string();
        assert!(text.starts_with("panicked: in the wait at ") && text.contains(file!()), "{text}");
    });
}
