//! [`Program`]: the program of a peer.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::durability::Durability;
use crate::metric::Metric;
use crate::store::Place;

/// The program of a peer, which measures one metric and prints its figures.
pub(crate) struct Program {
    path: PathBuf,
    arguments: Vec<OsString>,
    /// A variable that it needs, and which only the latency depends on.
    variable: Option<&'static str>,
}

impl Program {
    pub(crate) fn new(path: impl Into<PathBuf>, arguments: &[&Path]) -> Self {
        let arguments = arguments.iter().map(|argument| argument.into()).collect();
        Self { path: path.into(), arguments, variable: None }
    }

    /// The program with a variable of which only the latency depends.
    pub(crate) fn only_latency(self, variable: &'static str) -> Self {
        Self { variable: Some(variable), ..self }
    }

    /// Measures one metric.
    ///
    /// # Errors
    ///
    /// If the program fails, or does not measure this.
    pub(crate) fn measure(
        &self,
        metric: Metric,
        durability: Durability,
        place: &Place,
    ) -> Result<Vec<f64>, String> {
        if self.variable.is_some() && metric != Metric::Latency {
            return Err("as with one engine".to_owned());
        }
        let mut command = Command::new(&self.path);
        command.args(&self.arguments).args(metric.arguments());
        command.env("QUEUE_ADDRESS", place.address());
        command.env("QUEUE_DURABILITY", durability.name());
        if let Some(variable) = self.variable {
            command.env(variable, "1");
        }
        let output = succeed(command)?;
        let figures: Vec<f64> = output
            .lines()
            .find_map(|line| line.strip_prefix("result "))
            .map(|line| line.split_whitespace().filter_map(|it| it.parse().ok()).collect())
            .unwrap_or_default();
        if figures.len() == metric.figures().len() {
            Ok(figures)
        } else {
            Err(format!("it has printed no figures, but: {output}"))
        }
    }
}

/// Runs a command and returns what it has printed.
///
/// # Errors
///
/// If it cannot be started or fails; the end of what it has printed as errors.
pub(crate) fn succeed(mut command: Command) -> Result<String, String> {
    let name = Path::new(command.get_program()).display().to_string();
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("`{name}` cannot be started: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let lines: Vec<&str> = text.lines().collect();
    let end = lines[lines.len().saturating_sub(5)..].join(" / ");
    Err(format!("`{name}`: {}: {end}", output.status))
}
