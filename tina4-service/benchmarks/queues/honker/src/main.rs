//! honker-core: its SQL functions, as its clients call them.

use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use measure::{JOBS, Plan, Task};
use rusqlite::{Connection, params};
use serde_json::Value;

const QUEUE: &str = "numbers";
const LEASE_S: i64 = 300;
const ATTEMPTS: i64 = 3;

/// A worker that has found nothing looks again after this time, as often as the thread of its clients does that
/// watches the file.
const POLL: Duration = Duration::from_millis(1);

fn main() {
    let plan = Plan::read();
    let connection = open(&plan);
    honker_core::bootstrap_honker_schema(&connection).expect("the tables can be created");
    // One connection that writes, as its clients have.
    let writer = Mutex::new(connection);
    let push = |number: u64| {
        let writer = writer.lock().expect("nobody panics");
        enqueue(&writer, number);
    };
    match plan.task {
        Task::Push { producers } => measure::push(producers, push),
        Task::Drain { concurrency } => {
            let mut connection = writer.into_inner().expect("nobody panics");
            let transaction = connection.transaction().expect("it begins");
            for number in 0..JOBS {
                enqueue(&transaction, number);
            }
            transaction.commit().expect("it is committed");
            thread::spawn(move || work(&connection, concurrency, |_| measure::count()));
            measure::drain()
        }
        Task::Latency => {
            let worker = open(&plan);
            thread::spawn(move || work(&worker, 1, measure::note_start));
            measure::latency(push)
        }
    }
}

fn open(plan: &Plan) -> Connection {
    let connection = honker_core::open_conn(&plan.address, true).expect("the file opens");
    honker_core::attach_honker_functions(&connection).expect("its functions can be added");
    // It ships with `normal`, which is equal to ours for claims and finishes.
    if plan.is_equal && !matches!(plan.task, Task::Drain { .. }) {
        connection.pragma_update(None, "synchronous", "full").expect("it can be set");
    }
    connection
}

fn enqueue(connection: &Connection, number: u64) {
    let mut enqueue = connection
        .prepare_cached("select honker_enqueue(?1, ?2, null, null, 0, ?3, null)")
        .expect("the function is there");
    let payload = number.to_string();
    enqueue
        .query_row(params![QUEUE, payload, ATTEMPTS], |row| row.get::<_, i64>(0))
        .expect("it works");
}

/// Claims as many jobs as may run at once, runs them, and finishes them together: two commits for each batch.
fn work(connection: &Connection, concurrency: u32, run: impl Fn(u64)) {
    let mut claim = connection
        .prepare("select honker_claim_batch(?1, 'worker', ?2, ?3)")
        .expect("the function is there");
    let mut finish =
        connection.prepare("select honker_ack_batch(?1, 'worker')").expect("the function is there");
    loop {
        let claimed: String = claim
            .query_row(params![QUEUE, concurrency, LEASE_S], |row| row.get(0))
            .expect("it works");
        let jobs: Vec<Value> = serde_json::from_str(&claimed).expect("it is an array");
        if jobs.is_empty() {
            thread::sleep(POLL);
            continue;
        }
        for job in &jobs {
            let payload = job["payload"].as_str().expect("it is a text");
            run(payload.parse().expect("it is a number"));
        }
        let ids: Vec<&Value> = jobs.iter().map(|job| &job["id"]).collect();
        let ids = serde_json::to_string(&ids).expect("numbers can be written");
        finish.query_row([ids], |row| row.get::<_, i64>(0)).expect("it works");
    }
}
