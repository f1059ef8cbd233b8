//! [`Script`]: a Lua script, which the server runs as one step.

use redis::{Cmd, ErrorKind, RedisError, ServerErrorKind, Value, cmd};

use crate::connection::Connection;

const COMMON: &str = include_str!("lua/common.lua");

/// The text of a script, and the hash by which the server knows it.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    text: String,
    hash: String,
}

/// All scripts.
#[derive(Clone, Debug)]
pub(crate) struct Scripts {
    pub(crate) push: Script,
    pub(crate) turn: Script,
    pub(crate) next_due: Script,
    pub(crate) renew: Script,
    pub(crate) backlog: Script,
    pub(crate) cancel: Script,
    pub(crate) dead: Script,
    pub(crate) take_dead: Script,
    pub(crate) done: Script,
    pub(crate) purge_done: Script,
}

impl Scripts {
    pub(crate) fn new() -> Self {
        Self::with_common(COMMON)
    }

    /// Scripts with another clock: a Lua expression with the value of `TIME`.
    #[cfg(test)]
    pub(crate) fn with_clock(expression: &str) -> Self {
        let common = COMMON.replace("call('TIME')", expression);
        assert_ne!(common, COMMON, "the clock is there");
        Self::with_common(&common)
    }

    fn with_common(common: &str) -> Self {
        let script = |own| Script::new(format!("{common}\n{own}"));
        Self {
            push: script(include_str!("lua/push.lua")),
            turn: script(include_str!("lua/turn.lua")),
            next_due: script(include_str!("lua/next_due.lua")),
            renew: script(include_str!("lua/renew.lua")),
            backlog: script(include_str!("lua/backlog.lua")),
            cancel: script(include_str!("lua/cancel.lua")),
            dead: script(include_str!("lua/dead.lua")),
            take_dead: script(include_str!("lua/take_dead.lua")),
            done: script(include_str!("lua/done.lua")),
            purge_done: script(include_str!("lua/purge_done.lua")),
        }
    }
}

impl Script {
    fn new(text: String) -> Self {
        let hash = redis::Script::new(&text).get_hash().to_owned();
        Self { text, hash }
    }

    /// Runs the script if the server knows it.
    pub(crate) fn run_known(
        &self,
        connection: &mut Connection,
        keys: &[String],
        arguments: &[&str],
    ) -> Result<Value, RedisError> {
        command("EVALSHA", &self.hash, keys, arguments).query(connection)
    }

    /// Runs the script, which the server knows afterwards.
    pub(crate) fn run(
        &self,
        connection: &mut Connection,
        keys: &[String],
        arguments: &[&str],
    ) -> Result<Value, RedisError> {
        command("EVAL", &self.text, keys, arguments).query(connection)
    }
}

/// Whether the server does not know a script.
pub(crate) fn is_unknown(error: &RedisError) -> bool {
    error.kind() == ErrorKind::Server(ServerErrorKind::NoScript)
}

fn command(name: &str, script: &str, keys: &[String], arguments: &[&str]) -> Cmd {
    let mut command = cmd(name);
    command.arg(script).arg(keys.len()).arg(keys).arg(arguments);
    command
}
