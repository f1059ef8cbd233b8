//! Imports go one way: there are no import cycles, and in the runtime no file imports from a layer
//! above its own. The order of the layers is the list in `tina4-service/src/lib.rs`.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::Write as _;
use std::iter;

mod modules;
mod tokens;

use modules::{Crate, Imports};

/// The line above the list of layers in `lib.rs`.
const HEADING: &str = "// The layers, from the bottom to the top.";

/// The sources of a crate, by path from its root.
fn sources(dir: &str) -> BTreeMap<String, String> {
    let all = tests::sources(dir).into_iter();
    all.map(|(path, text)| (path[dir.len() + 1..].to_owned(), text)).collect()
}

/// The layers that are listed in `lib.rs`, the lowest first.
fn layers(lib: &str) -> Vec<&str> {
    let list = lib.lines().skip_while(|line| *line != HEADING).skip(1);
    let list = list.take_while(|line| line.starts_with("//"));
    let layers: Vec<_> = list
        .filter_map(|line| line.strip_prefix("// * ")?.split_once(':'))
        .map(|(layer, _)| layer)
        .collect();
    assert!(!layers.is_empty(), "a list below `{HEADING}`");
    layers
}

/// The layer of a file: its top-level directory, or its own name if it is at the top level.
fn layer(file: &str) -> &str {
    file.split_once('/').map_or(file.trim_end_matches(".rs"), |(dir, _)| dir)
}

/// One of the paths of an import, preferably one that does not begin with an imported name.
fn shown(paths: &BTreeSet<String>) -> &str {
    let is_bare = |path: &str| !["crate", "self", "super"].iter().any(|by| path.starts_with(by));
    paths.iter().map(String::as_str).min_by_key(|path| is_bare(path)).unwrap_or_default()
}

/// One line for each import from a higher layer, and for each file without a layer.
fn upward(imports: &Imports, layers: &[&str]) -> String {
    let mut found = String::new();
    let rank = |file| layers.iter().position(|name| *name == layer(file));
    for (from, targets) in imports {
        let Some(own) = rank(from) else {
            let _ = writeln!(found, "{from} is in no layer");
            continue;
        };
        for (to, paths) in targets {
            if rank(to).is_some_and(|other| other > own) {
                let path = shown(paths);
                let _ = writeln!(found, "{from} imports `{path}` of {to}, a higher layer");
            }
        }
    }
    found
}

/// The shortest cycles that have no file in common: one line for each import, and an empty line after
/// each cycle.
fn cycles(imports: &Imports) -> String {
    let mut all: Vec<_> = imports.keys().filter_map(|file| cycle(imports, file)).collect();
    all.sort_by_key(|files| files.len());
    let mut found = String::new();
    let mut reported = BTreeSet::new();
    for files in all {
        if files.iter().any(|file| reported.contains(file)) {
            continue;
        }
        for (from, to) in files.iter().zip(files.iter().cycle().skip(1)) {
            let path = shown(&imports[*from][*to]);
            let _ = writeln!(found, "{from} imports `{path}` of {to}, which leads back to it");
        }
        found.push('\n');
        reported.extend(files);
    }
    found
}

/// The shortest cycle of imports from this file back to itself, in order; `None` if there is none.
fn cycle<'a>(imports: &'a Imports, start: &'a str) -> Option<Vec<&'a str>> {
    let mut importers: BTreeMap<&str, &str> = BTreeMap::new();
    let mut open = VecDeque::from([start]);
    while let Some(file) = open.pop_front() {
        for to in imports[file].keys().map(String::as_str) {
            if to == start {
                let before = |file: &&'a str| importers.get(file).copied();
                let mut files: Vec<_> = iter::successors(Some(file), before).collect();
                files.reverse();
                return Some(files);
            }
            importers.entry(to).or_insert_with(|| {
                open.push_back(to);
                file
            });
        }
    }
    None
}

#[test]
fn there_are_no_import_cycles() {
    let mut found = String::new();
    for dir in [
        "tina4-service/src",
        "tina4-service/console/src",
        "tina4-service/ctl/src",
        "tina4-service/core/src",
        "tina4-service/metrics/src",
        "tina4-service/queue/src",
        "tina4-service/queue/postgres/src",
        "tina4-service/queue/redis/src",
        "tina4-service/queue/sqlite/src",
        "tina4-service-macros/src",
    ] {
        let imports = Crate::read(&sources(dir)).imports();
        assert!(imports.values().any(|targets| !targets.is_empty()), "no imports in {dir}");
        let cycles = cycles(&imports);
        if !cycles.is_empty() {
            let _ = writeln!(found, "{dir}:\n{cycles}");
        }
    }
    assert!(found.is_empty(), "{found}");
}

/// The layers in the table of `ARCHITECTURE.md`, the highest first.
fn documented(architecture: &str) -> Vec<&str> {
    let table = architecture.lines().skip_while(|line| !line.starts_with("## Layers")).skip(1);
    let table = table.take_while(|line| !line.starts_with("## "));
    table.filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect()
}

#[test]
fn the_table_of_layers_in_the_architecture_is_the_list_in_the_code() {
    let sources = sources("tina4-service/src");
    let mut expected = layers(&sources["lib.rs"]);
    let highest = expected.pop();
    assert_eq!(highest, Some("lib"), "`lib` is the highest layer, and is not in the table");
    expected.reverse();
    let architecture = std::fs::read_to_string(tests::workspace().join("ARCHITECTURE.md"));
    assert_eq!(documented(&architecture.expect("it is in the workspace")), expected);
}

#[test]
fn no_file_of_the_runtime_imports_from_a_higher_layer() {
    let sources = sources("tina4-service/src");
    let layers = layers(&sources["lib.rs"]);
    for name in &layers {
        assert!(
            sources.keys().any(|file| layer(file) == *name),
            "no file is in the layer `{name}`; remove it from the list in lib.rs"
        );
    }
    let found = upward(&Crate::read(&sources).imports(), &layers);
    assert!(found.is_empty(), "{found}");
}

/// The imports of a crate with these files, also as text: `from > to`.
fn imports(files: &[(&str, &str)]) -> (Imports, String) {
    let owned = |(path, text): &(&str, &str)| ((*path).to_owned(), (*text).to_owned());
    let imports = Crate::read(&files.iter().map(owned).collect()).imports();
    let arrows = imports.iter().flat_map(|(from, targets)| {
        targets.keys().map(move |to| {
            let name = |file: &str| file.trim_end_matches(".rs").to_owned();
            format!("{} > {}", name(from), name(to))
        })
    });
    let arrows = arrows.collect::<Vec<_>>().join(", ");
    (imports, arrows)
}

#[test]
fn every_way_to_write_an_import_leads_to_its_file() {
    let tree = [
        ("lib.rs", "mod a; pub mod b; pub use b::{Thing, inner::Deep as Renamed};"),
        ("b/mod.rs", "pub(crate) mod inner; mod two; pub struct Thing; pub use self::two::*;"),
        ("b/inner.rs", "pub struct Deep; pub fn f() {}"),
        ("b/two.rs", "use std::fmt; pub struct Two; pub(in crate::b) const fn two() {}"),
    ];
    let rest = "b/mod > b/two, lib > b/inner, lib > b/mod";
    for (source, expected) in [
        ("", ""),
        ("use std::fmt; use ::b::Thing;", ""),
        ("use crate::b::Thing;", "b/mod"),
        ("use crate::b::inner::Deep;", "b/inner"),
        ("use crate::b::inner::{self, Deep};", "b/inner"),
        ("use crate::{b::{inner::Deep, Thing}};", "b/inner b/mod"),
        ("use super::b::inner as other; fn f() { other::f() }", "b/inner"),
        ("use crate::b; fn f() { b::inner::f() }", "b/inner b/mod"),
        ("fn f(deep: &crate::b::inner::Deep) {}", "b/inner"),
        ("fn f() -> Vec<crate::b::inner::Deep> { g::<super::b::Thing>() }", "b/inner b/mod"),
        ("mod inline { use super::super::b::Thing; }", "b/mod"),
        ("use crate::b::*;", "b/mod"),
        (
            "#[cfg(unix)] use crate::b::inner as it; #[cfg(windows)] use crate::b as it; fn f() { it::f() }",
            "b/inner b/mod",
        ),
        // Re-exports, by name and by `*`.
        ("use crate::{Renamed, Thing};", "b/inner b/mod"),
        ("use crate::b::Two;", "b/two"),
        ("use crate::Nothing;", "lib"),
        ("use crate::b::two::fmt;", ""),
        // No imports.
        ("// use crate::b::Thing;\n/* crate::b::f() */", ""),
        ("const A: &str = \"crate::b::f()\"; const B: &str = r#\"\"crate::b::f()\"#;", ""),
        ("macro_rules! m { () => { $crate::b::f() } }", ""),
        ("pub(in crate::b) fn f() {}", ""),
        ("fn f(x: T) { x.b::<U>(); <T as U>::b::f(); }", ""),
        // Tests.
        ("#[cfg(test)] mod tests { use crate::b::Thing; }", ""),
        ("#[cfg(test)] use crate::b::{Thing, inner}; fn f() {}", ""),
        ("#[cfg(all(test, unix))] #[x] pub(crate) fn f() { crate::b::f() }", ""),
        ("struct S { #[cfg(test)] a: crate::b::Thing, b: u8 }", ""),
        ("#[cfg(test)] mod tests; use crate::b::Thing;", "b/mod"),
        ("#[cfg(all(test, unix))] impl X { fn f() {} } use crate::b::Thing;", "b/mod"),
        ("#[cfg(not(test))] use crate::b::Thing;", "b/mod"),
        ("#[cfg(any(test, unix))] use crate::b::Thing;", "b/mod"),
        ("#[cfg(all(unix, not(test)))] use crate::b::Thing;", "b/mod"),
    ] {
        let files: Vec<_> = tree.into_iter().chain([("a.rs", source)]).collect();
        let own = expected.split_whitespace().map(|file| format!("a > {file}, "));
        let expected = own.collect::<String>() + rest;
        assert_eq!(imports(&files).1, expected, "{source}");
    }
}

#[test]
fn a_planted_cycle_is_found() {
    let files = [
        ("lib.rs", "mod a; mod b; mod c; use c::C;"),
        ("a.rs", "mod child; use self::child::Child;"),
        ("a/child.rs", "pub struct Child; fn f() { super::super::b::g() }"),
        ("b.rs", "pub fn g() {} use crate::a::A; use crate::c::C;"),
        ("c.rs", "pub struct C; #[cfg(test)] mod tests { use crate::b::g; }"),
    ];
    let found = cycles(&imports(&files).0);
    let expected = "a.rs imports `self::child::Child` of a/child.rs, which leads back to it\n\
        a/child.rs imports `super::super::b::g` of b.rs, which leads back to it\n\
        b.rs imports `crate::a::A` of a.rs, which leads back to it\n\n";
    assert_eq!(found, expected);
}

#[test]
fn a_planted_import_from_a_higher_layer_is_found() {
    let lib = format!(
        "mod low; mod high; mod new;\n{HEADING}\n// A sentence.\n//\n// * low: x\n// * high: y\n// * lib: z\n"
    );
    let files = [
        ("lib.rs", &*lib),
        ("low/mod.rs", "mod part; mod other;"),
        ("low/part.rs", "use crate::high::High; use super::other::O;"),
        ("low/other.rs", "pub struct O;"),
        ("high.rs", "pub struct High; use crate::low::part::P;"),
        ("new.rs", ""),
    ];
    let layers = layers(&lib);
    assert_eq!(layers, ["low", "high", "lib"]);
    let expected = "low/part.rs imports `crate::high::High` of high.rs, a higher layer\n\
        new.rs is in no layer\n";
    assert_eq!(upward(&imports(&files).0, &layers), expected);
}
