//! Rules 6, 82 and 166 on a machine without a time zone database, as in many container images: the
//! root directory contains only a program and the C library.
#![cfg(target_os = "linux")]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const PROGRAM: &str = env!("CARGO_BIN_EXE_zones");

/// The line of a program whose hourly service has run in this zone.
fn has_run(zone: &str) -> String {
    format!("{zone}: finished   1. s  @hourly ({zone}); due 1970-01-01 ")
}

/// The due time of that run in UTC, on a clock that starts at the Unix epoch.
const UTC: &str = "; due 1970-01-01 01:00:00 +00:00, ";

/// The fault if a zone would have to be looked up.
const MISSING: &str = "cannot be looked up, because this machine has no time zone database; install `tzdata`, or compile one in with `jiff = { version = \"1\", features = [\"tzdb-bundle-always\"] }` in Cargo.toml";

/// A directory that is the root directory of a program (`chroot`).
struct Root(PathBuf);

impl Root {
    /// A root with the program and the libraries that it loads.
    fn new(name: &str) -> Self {
        let root =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        fs::create_dir_all(root.join("etc")).unwrap();
        fs::copy(PROGRAM, root.join("zones")).unwrap();
        let libraries =
            Command::new("ldd").arg(PROGRAM).output().expect("`ldd` comes with the C library");
        for library in String::from_utf8_lossy(&libraries.stdout).split_whitespace() {
            if let Some(path) = library.strip_prefix('/') {
                let copy = root.join(path);
                fs::create_dir_all(copy.parent().unwrap()).unwrap();
                fs::copy(library, copy).unwrap();
            }
        }
        Self(root)
    }

    fn localtime(&self) -> PathBuf {
        self.0.join("etc/localtime")
    }

    /// Makes `/etc/localtime` a link to `target`.
    fn link(&self, target: &str) {
        let _ = fs::remove_file(self.localtime());
        symlink(target, self.localtime()).unwrap();
    }

    /// Runs the program for these zones.
    fn run(&self, tz: Option<&str>, zones: &[&str]) -> Output {
        let mut command = Command::new("chroot");
        command.arg(&self.0).arg("/zones").args(zones).env_clear();
        command
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .envs(tz.map(|tz| ("TZ", tz)));
        command.output().expect("`chroot` is a standard command")
    }

    /// The output of the program for `local`.
    #[track_caller]
    fn local(&self, tz: Option<&str>) -> String {
        let output = self.run(tz, &["local"]);
        assert!(output.status.success(), "TZ={tz:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }
}

impl Drop for Root {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Whether this test may change the root directory. If not, it is skipped, except in CI.
fn may_change_root(root: &Root) -> bool {
    let output = root.run(None, &[]);
    // `chroot` itself failed.
    let skipped = output.status.code() == Some(125);
    if skipped {
        let in_ci = std::env::var_os("CI").is_some();
        assert!(!in_ci, "CI must have the right to `chroot`: {output:?}");
        println!("skipped: {}", String::from_utf8_lossy(&output.stderr));
    } else {
        assert!(output.status.success(), "{output:?}");
    }
    !skipped
}

#[test]
fn rule_6_and_166_utc_needs_no_time_zone_database() {
    let root = Root::new("utc");
    if !may_change_root(&root) {
        return;
    }
    let names = ["UTC", "utc", "Etc/UTC", "etc/Utc", "UCT", "Zulu", "Universal", "Etc/Universal"];
    let more =
        ["GMT", "gmt", "Etc/GMT", "GMT0", "GMT+0", "Etc/GMT-0", "Greenwich", "Etc/Greenwich"];
    let output = root.run(None, &[&names[..], &more[..], &["Europe/Berlin", "Etc/GMT+1"]].concat());
    let text = String::from_utf8(output.stdout).unwrap();
    let test = "a test begins at 2026-03-28 12:00:00 +00:00[UTC]\n";
    assert!(text.starts_with(&test.repeat(2)), "{text}");
    for name in names.into_iter().chain(more) {
        let line = text.lines().find(|line| line.starts_with(&format!("{name}: "))).unwrap_or("");
        assert!(line.starts_with(&has_run(name)) && line.contains(UTC), "{name} in:\n{text}");
    }
    for name in ["Europe/Berlin", "Etc/GMT+1"] {
        assert!(text.contains(&format!("`timezone`: `{name}` {MISSING}")), "{name} in:\n{text}");
    }
}

#[test]
fn rule_6_and_166_local_needs_no_time_zone_database_if_it_is_utc() {
    let root = Root::new("local");
    if !may_change_root(&root) {
        return;
    }
    let utc = [
        None,
        Some(""),
        Some(":"),
        Some("UTC"),
        Some("utc"),
        Some(":UTC"),
        Some("Etc/UTC"),
        Some("GMT"),
        Some("Zulu"),
        Some("UTC0"),
        Some(":UTC0"),
        Some("GMT0"),
        Some("GMT-0"),
        Some("/usr/share/zoneinfo/Etc/UTC"),
        Some(":/usr/share/zoneinfo/UTC"),
        Some(":/etc/localtime"),
        Some("/etc/localtime"),
    ];
    for localtime in [None, Some("/usr/share/zoneinfo/Etc/UTC"), Some("../usr/share/zoneinfo/UTC")]
    {
        localtime.into_iter().for_each(|target| root.link(target));
        for tz in utc {
            let text = root.local(tz);
            assert!(
                text.contains(&has_run("local")) && text.contains(UTC),
                "{tz:?}, {localtime:?}: {text}"
            );
        }
        // A POSIX rule contains its own DST changes.
        for (tz, due) in [
            ("CET-1CEST,M3.5.0,M10.5.0/3", "due 1970-01-01 02:00:00 +01:00, "),
            ("<+0530>-5:30", "due 1970-01-01 06:00:00 +05:30, "),
        ] {
            let text = root.local(Some(tz));
            assert!(text.contains(due), "{tz}, {localtime:?}: {text}");
        }
        for tz in
            ["Europe/Berlin", ":Europe/Berlin", "CET-1CEST", "/usr/share/zoneinfo/Europe/Berlin"]
        {
            let text = root.local(Some(tz));
            let problem = format!(
                "`timezone`: the time zone `{tz}` in the environment variable `TZ` {MISSING}"
            );
            assert!(text.contains(&problem), "{tz}, {localtime:?}: {text}");
        }
    }
}

#[test]
fn rule_82_an_unreadable_local_time_zone_is_a_fault() {
    let root = Root::new("localtime");
    if !may_change_root(&root) {
        return;
    }
    root.link("/usr/share/zoneinfo/Europe/Berlin");
    for tz in [None, Some(":/etc/localtime")] {
        let text = root.local(tz);
        let problem =
            format!("`Europe/Berlin`, the target of the link `/etc/localtime`, {MISSING}");
        assert!(text.contains(&problem), "{text}");
    }
    assert!(root.local(Some("UTC")).contains(UTC), "the environment takes precedence");
    // A container gets a directory if the file that it mounts does not exist.
    fs::remove_file(root.localtime()).unwrap();
    fs::create_dir(root.localtime()).unwrap();
    let text = root.local(None);
    let problem = "this machine's own time zone, `/etc/localtime`, cannot be read; correct it, or set `timezone`";
    assert!(text.contains(problem), "{text}");
    // A regular file needs no database.
    fs::remove_dir(root.localtime()).unwrap();
    fs::copy("/usr/share/zoneinfo/Europe/Berlin", root.localtime()).unwrap();
    let text = root.local(None);
    assert!(text.contains("due 1970-01-01 02:00:00 +01:00, "), "{text}");
}
