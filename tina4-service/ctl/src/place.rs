//! Where the process is that a command speaks to.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::cli::Cli;
use crate::exit::Exit;
use crate::failure::Failure;

/// The name of a socket in the default directories.
const FILE: &str = "services.sock";

/// Where a console answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// On a unix socket.
    Socket(PathBuf),
    /// On a port.
    Port {
        /// The host and the port, such as `localhost:8080`.
        address: String,
        /// The path where the console is mounted, without a slash at its end.
        mount: String,
    },
}

impl Place {
    /// The place that the command line names, or the environment.
    pub(crate) fn of(
        cli: &Cli,
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Self, Failure> {
        if let Some(path) = &cli.socket {
            return Ok(Self::Socket(path.clone()));
        }
        if let Some(url) = &cli.url {
            return Self::of_url(url);
        }
        let variable = |name| variable(name).filter(|value| !value.is_empty());
        if let Some(path) = variable("TINA4_SERVICES_SOCKET") {
            return Ok(Self::Socket(path.into()));
        }
        if let Some(directories) = variable("RUNTIME_DIRECTORY") {
            // There may be several, with colons between them.
            let directories = directories.to_string_lossy().into_owned();
            let first = directories.split(':').next().unwrap_or_default();
            return Ok(Self::Socket(Path::new(first).join(FILE)));
        }
        match variable("XDG_RUNTIME_DIR") {
            Some(directory) => Self::in_runtime_directory(Path::new(&directory)),
            None => Err(nowhere()),
        }
    }

    /// The socket of the program that this is, or else the only one that there is.
    fn in_runtime_directory(directory: &Path) -> Result<Self, Failure> {
        let program = std::env::current_exe().ok();
        if let Some(program) = program.as_deref().and_then(Path::file_stem) {
            let own = directory.join(program).join(FILE);
            if own.exists() {
                return Ok(Self::Socket(own));
            }
        }
        let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
        let mut sockets: Vec<PathBuf> =
            entries.map(|entry| entry.path().join(FILE)).filter(|path| path.exists()).collect();
        sockets.sort();
        match &sockets[..] {
            [] => Err(nowhere()),
            [only] => Ok(Self::Socket(only.clone())),
            several => {
                let list: Vec<_> = several.iter().map(|path| path.display().to_string()).collect();
                Err(Failure::new(
                    Exit::Usage,
                    format!("several programs have a socket: {}", list.join(", ")),
                )
                .hint("choose one with `--socket PATH`"))
            }
        }
    }

    fn of_url(url: &str) -> Result<Self, Failure> {
        let wrong = |problem: &str| {
            Failure::new(Exit::Usage, format!("`{url}` {problem}"))
                .hint("write `--url http://localhost:8080/ops`")
        };
        let rest = match url.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => rest,
            Some((scheme, _)) if scheme.eq_ignore_ascii_case("https") => {
                return Err(wrong("needs TLS, which this program does not speak"));
            }
            _ => return Err(wrong("is no URL of a console")),
        };
        let (authority, path) = rest.find('/').map_or((rest, ""), |slash| rest.split_at(slash));
        let is_path = path.bytes().all(|byte| byte.is_ascii_graphic() && !b"?#".contains(&byte));
        let is_host =
            !authority.is_empty() && authority.bytes().all(|byte| byte.is_ascii_graphic());
        if authority.contains('@') {
            return Err(wrong(
                "has a user name or a password; put the token into a file for `--token-file`",
            ));
        }
        if !is_path || !is_host {
            return Err(wrong("is no URL of a console"));
        }
        let has_port =
            authority.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        let address = if has_port { authority.to_owned() } else { format!("{authority}:80") };
        Ok(Self::Port { address, mount: path.trim_end_matches('/').to_owned() })
    }
}

fn nowhere() -> Failure {
    Failure::new(Exit::Unreachable, "it is not known where the program is")
        .hint("use `--socket PATH` or `--url URL`, or set the variable TINA4_SERVICES_SOCKET")
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Socket(path) => write!(f, "{}", path.display()),
            Self::Port { address, mount } => write!(f, "http://{address}{mount}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(url: &str) -> Result<(String, String), Failure> {
        Place::of_url(url).map(|place| match place {
            Place::Port { address, mount } => (address, mount),
            Place::Socket(path) => panic!("{path:?}"),
        })
    }

    #[test]
    fn rule_115_a_url_names_a_port_and_a_mount_point() {
        for (url, address, mount) in [
            ("http://localhost:8080", "localhost:8080", ""),
            ("http://localhost:8080/", "localhost:8080", ""),
            ("HTTP://127.0.0.1/ops/", "127.0.0.1:80", "/ops"),
            ("http://[::1]:9000/a/b", "[::1]:9000", "/a/b"),
            ("http://[::1]/a", "[::1]:80", "/a"),
        ] {
            assert_eq!(port(url), Ok((address.to_owned(), mount.to_owned())), "{url}");
        }
        for (url, problem) in [
            ("https://localhost", "TLS"),
            ("localhost:8080", "no URL"),
            ("http:///x", "no URL"),
            ("http://h/a?b", "no URL"),
            ("http://h/a b", "no URL"),
            ("http://h\r\nx: y/", "no URL"),
            ("http://:token@h/", "password"),
        ] {
            let failure = port(url).expect_err(url);
            assert!(failure.exit == Exit::Usage && failure.problem.contains(problem), "{failure}");
        }
    }
}
