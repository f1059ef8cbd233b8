//! Generates the crates that are measured.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// The number of functions in each crate.
const FUNCTIONS: usize = 500;

/// The number of functions in each module.
const PER_MODULE: usize = 25;

/// The bodies of the functions.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bodies {
    /// No statements.
    Empty,
    /// Ten to fifteen lines, with `tracing` and `Result`.
    Usual,
}

/// How the functions are declared.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Functions {
    /// Without an attribute.
    Plain,
    /// With one `inventory::submit!` of the name and a pointer: the minimum for any crate that
    /// discovers services automatically.
    Registered,
    /// With `#[service(..)]`.
    Services,
}

pub(crate) fn name(bodies: Bodies, functions: Functions) -> String {
    let bodies = match bodies {
        Bodies::Empty => "empty",
        Bodies::Usual => "usual",
    };
    let functions = match functions {
        Functions::Plain => "plain",
        Functions::Registered => "registered",
        Functions::Services => "services",
    };
    format!("{bodies}-{functions}")
}

/// Writes a workspace with all crates, which have the same dependencies.
pub(crate) fn workspace(root: &Path, home: &Path, crates: &[(Bodies, Functions)]) {
    let write = |path: &Path, text: &str| {
        fs::create_dir_all(path.parent().expect("a directory"))
            .expect("the directory can be created");
        fs::write(path, text).expect("the file can be written");
    };
    write(
        &home.join("Cargo.toml"),
        "[workspace]\nmembers = [\"*-*\", \"registry\"]\nresolver = \"3\"\n",
    );
    // The versions of this workspace, which are already downloaded.
    if let Ok(lock) = fs::read_to_string(root.join("Cargo.lock")) {
        write(&home.join("Cargo.lock"), &lock);
    }
    let runtime = root.join("tina4-service");
    let manifest = |name: &str, more: &str| {
        format!(
            "[package]\nname = \"{name}\"\nedition = \"2024\"\n\n[dependencies]\ninventory = \"0.3\"\n\
             tina4-service = {{ path = '{}' }}\ntracing = \"0.1\"\n{more}",
            runtime.display()
        )
    };
    let registry = "pub struct Registered {\n    pub name: &'static str,\n    pub call: fn(),\n}\n\ninventory::collect!(Registered);\n";
    write(&home.join("registry/Cargo.toml"), &manifest("registry", ""));
    write(&home.join("registry/src/lib.rs"), registry);
    for &(bodies, functions) in crates {
        let name = name(bodies, functions);
        let registry = "registry = { path = \"../registry\" }\n";
        write(&home.join(&name).join("Cargo.toml"), &manifest(&name, registry));
        write(&home.join(&name).join("src/lib.rs"), &source(bodies, functions));
    }
}

fn source(bodies: Bodies, functions: Functions) -> String {
    let mut text = String::from(HEAD);
    for module in 0..FUNCTIONS / PER_MODULE {
        let _ = writeln!(text, "pub mod services_{module} {{\n    use crate::*;\n");
        for index in 0..PER_MODULE {
            let number = module * PER_MODULE + index;
            text.push_str(&function(number, bodies, functions));
        }
        text.push_str("}\n\n");
    }
    text
}

const HEAD: &str = "\
pub use tina4_service::{Context, Flow, Local, Res, Tick, service};

pub struct Orders {
    pub open: Vec<u64>,
}

#[derive(Debug)]
pub enum Error {
    Missing(u64),
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self::Missing(id) = self;
        write!(f, \"order {id} is missing\")
    }
}

impl std::error::Error for Error {}

";

/// Keys, parameters and results of the signatures, which alternate.
const SIGNATURES: [(&str, &str, &str); 5] = [
    ("interval = \"30s\", max_restarts = 5", "", ""),
    ("", "ctx: &Context", "Result<(), Error>"),
    ("interval = \"5m\", jitter = \"10s\"", "orders: Res<Orders>", "Result<(), Error>"),
    (
        "delay = \"5s\", timeout = \"1m\"",
        "ctx: &Context, orders: Res<Orders>",
        "Result<Flow, Error>",
    ),
    (
        "delay = \"2s\", backoff = \"5s\"",
        "orders: Res<Orders>, tick: Tick, sent: Local<u64>",
        "Flow",
    ),
];

fn function(number: usize, bodies: Bodies, functions: Functions) -> String {
    let (keys, parameters, result) = SIGNATURES[number % SIGNATURES.len()];
    let mut text = String::new();
    if functions == Functions::Services {
        let _ = writeln!(text, "    #[service({keys})]");
    }
    let arrow = if result.is_empty() { String::new() } else { format!(" -> {result}") };
    let unused = match bodies {
        Bodies::Empty => "#[allow(unused_variables, reason = \"the body is empty\")]\n    ",
        Bodies::Usual => "",
    };
    let _ = writeln!(text, "    {unused}pub fn service_{number}({parameters}){arrow} {{");
    let value = match result {
        "" => "",
        "Flow" => "Flow::Wait",
        "Result<(), Error>" => "Ok(())",
        _ => "Ok(Flow::Wait)",
    };
    if bodies == Bodies::Usual {
        text.push_str(BODIES[number % SIGNATURES.len()]);
    }
    let _ = writeln!(text, "        {value}\n    }}\n");
    if functions == Functions::Registered {
        let _ = writeln!(
            text,
            "    inventory::submit!(registry::Registered {{ name: \"service_{number}\", call: || {{ let _ = service_{number}; }} }});\n"
        );
    }
    text
}

/// The usual bodies of the signatures, in the same order.
const BODIES: [&str; 5] = [
    r#"        let mut oldest = None;
        for name in ["mail", "orders", "prices"] {
            let path = std::path::Path::new("queue").join(name);
            match std::fs::read_dir(&path) {
                Ok(entries) => {
                    let waiting = entries.flatten().count();
                    tracing::info!(name, waiting, "alive");
                    oldest = oldest.max(Some(waiting));
                }
                Err(error) => tracing::warn!(%error, "no queue {name}"),
            }
        }
        tracing::debug!(?oldest, "looked at everything");
"#,
    r#"        let mut handled = 0_u64;
        while ctx.sleep(std::time::Duration::from_millis(250)) {
            handled += 1;
            if handled % 1000 == 0 {
                tracing::info!(handled, service = ctx.name(), "still here");
            }
            if handled > 1_000_000 {
                let error = Error::Missing(handled);
                tracing::error!(%error, "too many");
                return Err(error);
            }
        }
        tracing::info!(handled, "stopped");
"#,
    r#"        let mut sums = std::collections::BTreeMap::new();
        for id in &orders.open {
            *sums.entry(id % 7).or_insert(0_u64) += id;
        }
        let (day, sum) = sums
            .into_iter()
            .max_by_key(|(_, sum)| *sum)
            .ok_or(Error::Missing(0))?;
        if sum > 1_000 {
            tracing::warn!(day, sum, "a busy day");
        } else {
            tracing::info!(day, sum, "the busiest day");
        }
"#,
    r#"        let next = orders.open.iter().copied().find(|id| id % 3 == 0);
        let Some(id) = next else {
            tracing::debug!("nothing to do");
            return Ok(Flow::Wait);
        };
        if ctx.is_stopping() {
            return Ok(Flow::Done);
        }
        let text = id.to_string();
        let back = text.parse::<u64>().map_err(|_| Error::Missing(id))?;
        tracing::info!(id, back, "handled {text}");
        if back > 100 {
            return Ok(Flow::Again);
        }
"#,
    r#"        let mut sent = sent;
        let due = orders.open.len() as u64;
        if tick.attempt > 1 {
            tracing::warn!(attempt = tick.attempt, "once more");
        }
        for id in orders.open.iter().skip(usize::try_from(*sent).unwrap_or(0)) {
            *sent += 1;
            tracing::trace!(id, sent = *sent, "sent");
        }
        if *sent < due {
            return Flow::After(std::time::Duration::from_secs(1));
        }
        tracing::info!(sent = *sent, lateness = ?tick.lateness, "all sent");
"#,
];
