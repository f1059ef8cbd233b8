//! [`open_queues`]: the store of queues, as the program or its deployment chooses it.

use std::error::Error;
use std::ffi::OsString;
use std::fmt;

use tina4_service_queue::{EngineError, Queues};

use crate::sys::env_vars::process_variables;

/// The variable with the address that takes precedence.
const VARIABLE: &str = "TINA4_QUEUE_URL";

/// The forms of addresses, for messages.
const FORMS: &str = "use `sqlite:<path of a file>`, `postgres://..` or `redis://..`";

/// Opens the store of queues at this address, unless the variable `TINA4_QUEUE_URL` has another one.
///
/// An empty variable counts as unset.
///
/// | address | engine | feature |
/// | --- | --- | --- |
/// | `sqlite:data/jobs.db`, `sqlite:///var/lib/jobs.db` | `SqliteEngine::open` with this path | `sqlite` |
/// | `postgres://..`, `postgresql://..` | `PostgresEngine::open` | `postgres` |
/// | `redis://..`, `rediss://..` | `RedisEngine::open` | `redis` |
///
/// So the same program can work on a file here and on a server there. An engine with other settings, or one of your own,
/// is given to [`Queues::new`].
///
/// ```no_run
/// # fn main() -> Result<(), tina4_service::OpenQueuesError> {
/// tina4_service::provide(tina4_service::open_queues("sqlite:jobs.db")?);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// If the address has none of these forms, the feature of its engine is not enabled, or the engine cannot open the
/// store. The text does not contain the address, which may have a password in it.
pub fn open_queues(address: &str) -> Result<Queues, OpenQueuesError> {
    let mut variables = process_variables().into_iter();
    let variable = variables.find(|(name, _)| name.as_os_str() == VARIABLE).map(|(_, value)| value);
    open(address, variable)
}

/// Opens the store. `variable`: the address that takes precedence.
fn open(address: &str, variable: Option<OsString>) -> Result<Queues, OpenQueuesError> {
    let variable = variable.filter(|value| !value.is_empty());
    let is_variable = variable.is_some();
    let error = |problem| OpenQueuesError { is_variable, problem };
    let variable = variable.map(OsString::into_string).transpose();
    let variable = variable.map_err(|_| error(Problem::NotText))?;
    let address = variable.as_deref().unwrap_or(address);
    let Some((scheme, rest)) = address.split_once(':') else {
        return Err(error(Problem::NoScheme));
    };
    let opened = match scheme {
        "sqlite" => open_sqlite(rest.strip_prefix("//").unwrap_or(rest)),
        "postgres" | "postgresql" => open_postgres(address),
        "redis" | "rediss" => open_redis(address),
        _ => Err(Problem::UnknownScheme(scheme.to_owned())),
    };
    opened.map_err(error)
}

fn open_sqlite(path: &str) -> Result<Queues, Problem> {
    if path.is_empty() {
        return Err(Problem::NoPath);
    }
    #[cfg(feature = "sqlite")]
    return tina4_service_sqlite::SqliteEngine::open(path)
        .map(Queues::new)
        .map_err(Problem::Engine);
    #[cfg(not(feature = "sqlite"))]
    Err(Problem::NoFeature("sqlite"))
}

fn open_postgres(address: &str) -> Result<Queues, Problem> {
    #[cfg(feature = "postgres")]
    return tina4_service_postgres::PostgresEngine::open(address)
        .map(Queues::new)
        .map_err(Problem::Engine);
    #[cfg(not(feature = "postgres"))]
    {
        let _ = address;
        Err(Problem::NoFeature("postgres"))
    }
}

fn open_redis(address: &str) -> Result<Queues, Problem> {
    #[cfg(feature = "redis")]
    return tina4_service_redis::RedisEngine::open(address)
        .map(Queues::new)
        .map_err(Problem::Engine);
    #[cfg(not(feature = "redis"))]
    {
        let _ = address;
        Err(Problem::NoFeature("redis"))
    }
}

/// Why [`open_queues`] has not opened a store.
#[derive(Debug)]
pub struct OpenQueuesError {
    /// Whether the address is that of the variable.
    is_variable: bool,
    problem: Problem,
}

#[derive(Debug)]
enum Problem {
    /// The variable is not valid Unicode.
    NotText,
    NoScheme,
    UnknownScheme(String),
    NoPath,
    /// The feature of the engine is not enabled.
    // Unused if all of them are.
    #[cfg_attr(
        all(feature = "sqlite", feature = "postgres", feature = "redis"),
        expect(dead_code, reason = "the features of all engines are enabled")
    )]
    NoFeature(&'static str),
    // Unused if none of them is enabled.
    #[cfg_attr(
        not(any(feature = "sqlite", feature = "postgres", feature = "redis")),
        expect(dead_code, reason = "the features of no engine are enabled")
    )]
    Engine(EngineError),
}

impl fmt::Display for OpenQueuesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address =
            if self.is_variable { "`TINA4_QUEUE_URL`" } else { "the address of the queues" };
        match &self.problem {
            Problem::NotText => write!(f, "`{VARIABLE}` is not valid Unicode; {FORMS}"),
            Problem::NoScheme if self.is_variable => {
                write!(f, "`{VARIABLE}` is no address of queues; {FORMS}")
            }
            Problem::NoScheme => write!(f, "the address of the queues has no scheme; {FORMS}"),
            Problem::UnknownScheme(scheme) => {
                let scheme = scheme.escape_debug();
                write!(f, "{address}: no engine has addresses with `{scheme}:`; {FORMS}")
            }
            Problem::NoPath => {
                write!(f, "{address}: the path of the file is missing; write `sqlite:jobs.db`")
            }
            Problem::NoFeature(feature) => write!(
                f,
                "{address}: the engine `{feature}` is not part of this program; enable the feature `{feature}` of `tina4-service`, or use another store"
            ),
            Problem::Engine(error) => write!(f, "{address}: {error}"),
        }
    }
}

impl Error for OpenQueuesError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.problem {
            // `Display` has the text of the error already.
            Problem::Engine(error) => error.source(),
            Problem::NotText
            | Problem::NoScheme
            | Problem::UnknownScheme(_)
            | Problem::NoPath
            | Problem::NoFeature(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(address: &str, variable: Option<&str>) -> String {
        open(address, variable.map(Into::into)).unwrap_err().to_string()
    }

    #[test]
    fn rule_138_an_address_that_no_engine_has_is_refused() {
        for (address, expected) in [
            (
                "jobs.db",
                "the address of the queues has no scheme; use `sqlite:<path of a file>`, `postgres://..` or `redis://..`",
            ),
            (
                "",
                "the address of the queues has no scheme; use `sqlite:<path of a file>`, `postgres://..` or `redis://..`",
            ),
            (
                "mysql://root:secret@db/jobs",
                "the address of the queues: no engine has addresses with `mysql:`; use `sqlite:<path of a file>`, `postgres://..` or `redis://..`",
            ),
            (
                "sqlite:",
                "the address of the queues: the path of the file is missing; write `sqlite:jobs.db`",
            ),
            (
                "sqlite://",
                "the address of the queues: the path of the file is missing; write `sqlite:jobs.db`",
            ),
        ] {
            assert_eq!(refused(address, None), expected);
            if address.is_empty() {
                // It counts as unset.
                continue;
            }
            let of_variable = refused("redis://unused", Some(address));
            assert!(of_variable.contains("TINA4_QUEUE_URL"), "{of_variable}");
            assert!(!of_variable.contains("secret"), "{of_variable}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn rule_138_a_variable_that_is_not_text_is_refused() {
        use std::os::unix::ffi::OsStringExt as _;
        let variable = Some(OsString::from_vec(vec![0xff, b':']));
        let error = open("sqlite:jobs.db", variable).unwrap_err().to_string();
        assert!(error.starts_with("`TINA4_QUEUE_URL` is not valid Unicode; use "), "{error}");
    }

    #[test]
    fn rule_138_an_engine_whose_feature_is_not_enabled_is_named() {
        for (feature, is_enabled) in [
            ("sqlite", cfg!(feature = "sqlite")),
            ("postgres", cfg!(feature = "postgres")),
            ("redis", cfg!(feature = "redis")),
        ] {
            if is_enabled {
                continue;
            }
            let error = refused(&format!("{feature}://somewhere"), None);
            let expected = format!(
                "the address of the queues: the engine `{feature}` is not part of this program; enable the feature `{feature}` of `tina4-service`, or use another store"
            );
            assert_eq!(error, expected);
        }
    }

    #[cfg(feature = "sqlite")]
    #[test]
    fn the_variable_takes_precedence_over_the_address_of_the_program() {
        let directory =
            std::env::temp_dir().join(format!("tina4-open-queues-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let address = |name: &str| format!("sqlite:{}", directory.join(name).display());
        drop(open(&address("a.db"), None).unwrap());
        drop(open(&address("b.db"), Some(address("c.db").into())).unwrap());
        let exists = ["a.db", "b.db", "c.db"].map(|name| directory.join(name).exists());
        std::fs::remove_dir_all(&directory).unwrap();
        assert_eq!(exists, [true, false, true]);
    }

    #[cfg(any(feature = "postgres", feature = "redis"))]
    #[test]
    fn an_engine_that_cannot_open_the_store_says_why() {
        let scheme = if cfg!(feature = "redis") { "redis" } else { "postgres" };
        let error =
            open("sqlite:unused", Some(format!("{scheme}://u:secret@127.0.0.1:1/0").into()));
        let error = error.unwrap_err().to_string();
        assert!(
            error.starts_with(&format!("`TINA4_QUEUE_URL`: the engine `{scheme}` failed: ")),
            "{error}"
        );
        assert!(!error.contains("secret"), "{error}");
    }
}
