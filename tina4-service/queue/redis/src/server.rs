//! What the server must be, and under which settings it promises less.

use redis::{RedisError, cmd};
use tina4_service_queue::EngineError;

use crate::connection::Connection;
use crate::error::{failed_with, is_answer, unusable};
use crate::keys::Keys;

/// The version of what is stored. Changes only add to it.
const VERSION: u32 = 1;

/// The oldest version of Redis, or of servers that say they are compatible with it.
const OLDEST: (u32, u32) = (6, 2);

/// What a server says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Server {
    version: String,
    role: String,
    is_cluster: bool,
    has_aof: bool,
    /// The policy by which keys are evicted when memory is short, and whether there is a limit of memory.
    eviction: String,
    is_limited: bool,
    /// `None` if the user may not ask.
    settings: Option<Settings>,
}

/// What only `CONFIG GET` tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Settings {
    appendfsync: String,
    no_appendfsync_on_rewrite: String,
}

/// Asks the server.
fn ask(connection: &mut Connection) -> Result<Server, RedisError> {
    let info: String = cmd("INFO").query(connection)?;
    let mut server = read_info(&info);
    let get = |connection: &mut Connection, name: &str| -> Result<String, RedisError> {
        let pair: Vec<String> = cmd("CONFIG").arg("GET").arg(name).query(connection)?;
        Ok(pair.into_iter().nth(1).unwrap_or_default())
    };
    server.settings = match get(connection, "appendfsync") {
        Ok(appendfsync) if !appendfsync.is_empty() => {
            let no_appendfsync_on_rewrite = get(connection, "no-appendfsync-on-rewrite")?;
            Some(Settings { appendfsync, no_appendfsync_on_rewrite })
        }
        Ok(_) => None,
        // Many hosts of Redis do not allow it.
        Err(error) if is_answer(&error) => None,
        Err(error) => return Err(error),
    };
    Ok(server)
}

fn read_info(info: &str) -> Server {
    let field = |name: &str| {
        let line = info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        line.unwrap_or_default().trim().to_owned()
    };
    Server {
        version: field("redis_version"),
        role: field("role"),
        is_cluster: field("cluster_enabled") == "1",
        has_aof: field("aof_enabled") == "1",
        eviction: field("maxmemory_policy"),
        is_limited: !matches!(&*field("maxmemory"), "" | "0"),
        settings: None,
    }
}

/// Refuses a server that cannot hold jobs.
fn check(server: &Server) -> Result<(), EngineError> {
    let mut numbers = server.version.split('.').map(|number| number.parse().unwrap_or(0));
    let version = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    if version < OLDEST {
        let (major, minor) = OLDEST;
        return Err(unusable(format!(
            "the server is Redis {}; use {major}.{minor} or newer",
            server.version
        )));
    }
    if server.role == "slave" {
        return Err(unusable("the server is a replica, which only reads; connect to the primary"));
    }
    if server.is_cluster {
        return Err(unusable(
            "the server is a node of a cluster, whose slots can move to another one; use a server without `cluster-enabled`",
        ));
    }
    if server.is_limited && server.eviction.starts_with("allkeys") {
        return Err(unusable(format!(
            "the server has `maxmemory-policy {}`, which deletes jobs when memory is short; set it to `noeviction`",
            server.eviction
        )));
    }
    Ok(())
}

/// Under which settings of the server less is promised.
fn remarks(server: &Server) -> Vec<String> {
    let mut remarks = Vec::new();
    if !server.has_aof {
        remarks.push(
            "the Redis server has `appendonly no`, so a crash or a restart loses the jobs since its last snapshot; set it to `yes`, with `appendfsync always`"
                .to_owned(),
        );
    } else {
        remarks.extend(sync_remark(server.settings.as_ref()));
    }
    if !matches!(&*server.eviction, "" | "noeviction") {
        remarks.push(format!(
            "the Redis server has `maxmemory-policy {}`, which can delete jobs, or the lists of who holds them, when memory is short; set it to `noeviction`",
            server.eviction
        ));
    }
    remarks
}

fn sync_remark(settings: Option<&Settings>) -> Option<String> {
    let Some(Settings { appendfsync, no_appendfsync_on_rewrite }) = settings else {
        return Some(
            "the Redis server does not tell how often it syncs its file (`CONFIG GET appendfsync` is refused), so a power cut may lose jobs; allow the command, or see that it is `always`"
                .to_owned(),
        );
    };
    if appendfsync != "always" {
        let lost =
            if appendfsync == "everysec" { "of the last seconds" } else { "of half a minute" };
        return Some(format!(
            "the Redis server has `appendfsync {appendfsync}`, so a power cut loses the jobs {lost}; set it to `always`"
        ));
    }
    (no_appendfsync_on_rewrite == "yes").then(|| {
        "the Redis server has `no-appendfsync-on-rewrite yes`, so a power cut while it rewrites its file loses jobs; set it to `no`"
            .to_owned()
    })
}

/// Checks the server and the version of what is stored. Returns remarks.
pub(crate) fn check_all(
    connection: &mut Connection,
    keys: &Keys,
) -> Result<Result<Vec<String>, EngineError>, RedisError> {
    let server = ask(connection)?;
    let version: Option<String> = cmd("GET").arg(keys.version()).query(connection)?;
    Ok(check(&server).and_then(|()| {
        let Some(version) = version else {
            return Err(unusable(
                "the keys of the queues are gone, as after `FLUSHALL` or a restart without `appendonly`; see what has deleted them, and open the engine again",
            ));
        };
        check_version(&version)?;
        Ok(remarks(&server))
    }))
}

/// Writes the version of what is stored, or checks the one that is there.
pub(crate) fn prepare(
    connection: &mut Connection,
    keys: &Keys,
) -> Result<Result<(), EngineError>, RedisError> {
    if let Err(error) = check(&ask(connection)?) {
        return Ok(Err(error));
    }
    let key = keys.version();
    let found: Option<String> = cmd("GET").arg(&key).query(connection)?;
    let Some(found) = found else {
        // Another program may be faster, with the same version.
        cmd("SET").arg(&key).arg(VERSION).arg("NX").exec(connection)?;
        return cmd("GET").arg(&key).query::<String>(connection).map(|found| check_version(&found));
    };
    Ok(check_version(&found))
}

fn check_version(found: &str) -> Result<(), EngineError> {
    match found.parse::<u32>() {
        Ok(version) if version <= VERSION => Ok(()),
        Ok(version) => Err(unusable(format!(
            "its keys have version {version}, and this program knows {VERSION}; update the program"
        ))),
        Err(_) => {
            Err(failed_with(format!("the version of its keys is `{}`", found.escape_debug())))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INFO: &str = "# Server\r\nredis_version:7.0.15\r\n# Memory\r\nmaxmemory:0\r\nmaxmemory_human:0B\r\nmaxmemory_policy:noeviction\r\n# Persistence\r\naof_enabled:1\r\n# Replication\r\nrole:master\r\n# Cluster\r\ncluster_enabled:0\r\n";

    fn settings(appendfsync: &str) -> Option<Settings> {
        let no_appendfsync_on_rewrite = "no".to_owned();
        Some(Settings { appendfsync: appendfsync.to_owned(), no_appendfsync_on_rewrite })
    }

    fn server(from: &str, to: &str) -> Server {
        assert!(INFO.contains(from));
        Server { settings: settings("always"), ..read_info(&INFO.replace(from, to)) }
    }

    fn usual() -> Server {
        server("7.0.15", "7.0.15")
    }

    #[test]
    fn rule_138_servers_that_cannot_hold_jobs_are_refused() {
        check(&usual()).unwrap();
        check(&server("7.0.15", "10.0.1")).unwrap();
        let evicting = Server { is_limited: true, ..server("noeviction", "allkeys-lru") };
        for (server, expected) in [
            (server("7.0.15", "6.0.16"), "the server is Redis 6.0.16; use 6.2 or newer"),
            (server("7.0.15", ""), "use 6.2 or newer"),
            (server("role:master", "role:slave"), "connect to the primary"),
            (
                server("cluster_enabled:0", "cluster_enabled:1"),
                "use a server without `cluster-enabled`",
            ),
            (evicting, "deletes jobs when memory is short; set it to `noeviction`"),
        ] {
            let error = check(&server).unwrap_err().to_string();
            assert!(error.ends_with(expected), "{error}");
        }
    }

    #[test]
    fn rule_130_settings_under_which_jobs_can_be_lost_are_told() {
        assert_eq!(remarks(&usual()), [] as [String; 0]);
        let rewriting =
            Settings { no_appendfsync_on_rewrite: "yes".to_owned(), ..settings("always").unwrap() };
        for (server, expected) in [
            (server("aof_enabled:1", "aof_enabled:0"), "`appendonly no`"),
            (Server { settings: settings("everysec"), ..usual() }, "`appendfsync everysec`"),
            (Server { settings: settings("no"), ..usual() }, "`appendfsync no`"),
            (Server { settings: Some(rewriting), ..usual() }, "`no-appendfsync-on-rewrite yes`"),
            (Server { settings: None, ..usual() }, "`CONFIG GET appendfsync` is refused"),
            (server("noeviction", "allkeys-lru"), "`maxmemory-policy allkeys-lru`"),
            (server("noeviction", "volatile-ttl"), "`maxmemory-policy volatile-ttl`"),
        ] {
            check(&server).unwrap();
            let remarks = remarks(&server);
            assert_eq!(remarks.len(), 1, "{remarks:?}");
            assert!(remarks[0].contains(expected), "{remarks:?}");
            assert!(remarks[0].contains("; "), "with a remedy");
        }
    }

    #[test]
    fn the_limit_of_memory_is_not_its_text() {
        assert!(!usual().is_limited);
        assert!(server("maxmemory:0", "maxmemory:1048576").is_limited);
    }

    #[test]
    fn rule_138_keys_of_a_newer_version_are_refused() {
        check_version("1").unwrap();
        let error = check_version("2").unwrap_err().to_string();
        assert!(error.ends_with("and this program knows 1; update the program"), "{error}");
        assert!(check_version("x").is_err());
    }
}
