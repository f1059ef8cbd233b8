//! What the engine refuses, and what it tells of the settings of the server.

use redis::cmd;
use tina4_service_queue::{
    Engine, EngineError, Executor, Feature, FinishError, Held, NewJob, Push, PushError, Pushed,
    Queue, Queues, Timestamp,
};
use tina4_service_redis::{RedisBuilder, RedisEngine};

use crate::servers::Space;
use crate::variable::variable;

const NUMBERS: Queue<u32> = Queue::new("numbers");

/// Stands for a transaction of a database, which must not be touched.
struct Transaction;
struct Database;

impl Executor<Database> for Transaction {
    const ENGINE: &'static str = "sqlite";

    fn push(&mut self, _: &NewJob<'_>, _: Timestamp) -> Result<Pushed, EngineError> {
        panic!("nothing may be pushed")
    }

    fn complete(&mut self, _: Held, _: &str, _: bool, _: Timestamp) -> Result<bool, EngineError> {
        panic!("nothing may be finished")
    }
}

#[test]
fn rule_138_transactions_are_refused() {
    let Some(space) = Space::new() else { return };
    let engine = space.open();
    assert!(!engine.capabilities().has(Feature::Transactions));
    let numbers = NUMBERS.on(&Queues::new(engine));
    let pushed = numbers.push_in(&mut Transaction, &1, &Push::new());
    let Err(PushError::Engine(error)) = pushed else { panic!("{pushed:?}") };
    assert_eq!(
        error.to_string(),
        "the engine `redis` does not support transactions of the caller; push after the commit, or another engine"
    );
    numbers.push(&1).unwrap();
    let job = numbers.pop().unwrap().expect("it was pushed");
    let finished = job.complete_in(&mut Transaction);
    let Err(FinishError::Engine(error)) = finished else { panic!("{finished:?}") };
    assert!(matches!(error, EngineError::Unsupported { .. }), "{error:?}");
}

#[test]
fn rule_138_a_server_that_is_not_there_is_an_error() {
    let error = RedisEngine::open("redis://127.0.0.1:1/").unwrap_err();
    assert!(matches!(error, EngineError::Unchanged { .. }), "{error:?}");
}

#[test]
fn rule_138_the_check_finds_keys_that_are_newer_or_gone() {
    let Some(space) = Space::new() else { return };
    let engine = space.open();
    assert_eq!(engine.check().unwrap(), [] as [String; 0]);
    let mut connection = space.connect();
    cmd("SET").arg(space.key("version")).arg(2).exec(&mut connection).unwrap();
    let error = engine.check().unwrap_err().to_string();
    assert!(error.ends_with("and this program knows 1; update the program"), "{error}");
    cmd("DEL").arg(space.key("version")).exec(&mut connection).unwrap();
    let error = engine.check().unwrap_err().to_string();
    assert!(error.ends_with("see what has deleted them, and open the engine again"), "{error}");
}

#[test]
fn rule_138_keys_of_a_newer_version_are_refused() {
    let Some(space) = Space::new() else { return };
    drop(space.open());
    cmd("SET").arg(space.key("version")).arg(2).exec(&mut space.connect()).unwrap();
    let builder = RedisBuilder::new(&space.address).unwrap().prefix(&space.prefix);
    assert_eq!(
        builder.open().unwrap_err().to_string(),
        "the store of the engine `redis` cannot be used: its keys have version 2, and this program knows 1; \
         update the program"
    );
}

/// A user who may do everything that the documentation names, and no more.
#[test]
fn rule_130_a_server_that_does_not_tell_its_settings_is_told() {
    let Some(space) = Space::new() else { return };
    let mut connection = space.connect();
    let user = space.prefix.replace('-', "_");
    let mut set_user = cmd("ACL");
    set_user.arg("SETUSER").arg(&user).arg("on").arg(">p").arg(format!("~{}", space.key("*")));
    set_user.arg("resetchannels").arg(format!("&{}", space.key("wake")));
    set_user.arg("-@all").arg("+@scripting").arg("+@read").arg("+@write").arg("+@connection");
    set_user.arg("+@pubsub").arg("+info").arg("+time").exec(&mut connection).unwrap();
    let address = space.address.replace("redis://", &format!("redis://{user}:p@"));
    let engine = RedisBuilder::new(&address).unwrap().prefix(&space.prefix).open().unwrap();
    let remarks = engine.check().unwrap();
    assert_eq!(remarks.len(), 1);
    assert!(remarks[0].contains("`CONFIG GET appendfsync` is refused"), "{remarks:?}");
    let numbers = NUMBERS.on(&Queues::new(engine));
    numbers.push(&1).unwrap();
    numbers.pop().unwrap().expect("it was pushed").complete().unwrap();
    drop(numbers);
    cmd("ACL").arg("DELUSER").arg(&user).exec(&mut connection).unwrap();
}

#[test]
fn rule_130_a_server_that_syncs_each_write_has_no_remarks() {
    let Some(space) = Space::new() else { return };
    assert_eq!(space.open().check().unwrap(), [] as [String; 0]);
}

#[test]
fn rule_138_a_password_that_is_wrong_is_an_error_without_it() {
    let Some(address) = variable("TINA4_TEST_REDIS") else { return };
    let address = address.replace("redis://", "redis://nobody:secret@");
    let error = RedisEngine::open(&address).unwrap_err();
    assert!(matches!(error, EngineError::Unchanged { .. }), "{error:?}");
    assert!(!error.to_string().contains("secret"), "{error}");
}
