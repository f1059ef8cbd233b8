//! The modules of a crate, read from its sources, and the files that their paths refer to.

use std::collections::{BTreeMap, BTreeSet};

use super::tokens::tokens;

/// Segments of a path, such as `crate`, `plan`, `fault`, `Fault`.
type Path = Vec<String>;

/// The declarations and paths of one module of a crate, which may be a file or inline.
#[derive(Debug, Default)]
struct Module {
    /// The file that it is in.
    file: String,
    /// The directory of its children's files, with a `/` at the end unless it is the root.
    dir: String,
    parent: usize,
    children: BTreeMap<String, usize>,
    /// The names that `use` brings into scope, with their paths.
    imported: Vec<(String, Path)>,
    /// The paths that end in `*`, without it.
    globs: Vec<Path>,
    /// The items that it declares.
    declared: BTreeSet<String>,
    /// Paths in its code.
    named: Vec<Path>,
}

/// A crate without its tests; its root is the first module.
#[derive(Debug)]
pub(crate) struct Crate {
    modules: Vec<Module>,
}

/// Which file imports from which, and by which paths.
pub(crate) type Imports = BTreeMap<String, BTreeMap<String, BTreeSet<String>>>;

/// The root module.
const ROOT: usize = 0;

/// The longest chain of re-exports that is followed. A longer one is taken to be a cycle.
const MAX_REEXPORTS: u32 = 16;

impl Crate {
    /// Reads a crate from its sources by path, beginning with `lib.rs`.
    pub(crate) fn read(sources: &BTreeMap<String, String>) -> Self {
        let mut found = Self { modules: Vec::new() };
        found.read_file(sources, "lib.rs", "", ROOT);
        found
    }

    fn read_file(
        &mut self,
        sources: &BTreeMap<String, String>,
        file: &str,
        dir: &str,
        parent: usize,
    ) -> usize {
        let text = sources.get(file).unwrap_or_else(|| panic!("there is no `{file}`"));
        let module = self.add(file, dir, parent);
        let tokens = tokens(text);
        let mut reader = Reader { sources, tokens: &tokens, at: 0 };
        reader.read_module(self, module);
        module
    }

    fn add(&mut self, file: &str, dir: &str, parent: usize) -> usize {
        let (file, dir) = (file.to_owned(), dir.to_owned());
        self.modules.push(Module { file, dir, parent, ..Module::default() });
        self.modules.len() - 1
    }

    /// Every import from another file of the crate.
    pub(crate) fn imports(&self) -> Imports {
        let mut imports = Imports::new();
        for (number, module) in self.modules.iter().enumerate() {
            let from = imports.entry(module.file.clone()).or_default();
            let used = module.imported.iter().map(|(_, path)| path).chain(&module.globs);
            for path in used.chain(&module.named) {
                for file in self.files(number, path) {
                    if file != module.file {
                        from.entry(file).or_default().insert(path.join("::"));
                    }
                }
            }
        }
        imports
    }

    /// The files that a path in this module refers to: none if it leads to another crate, several if
    /// that depends on the operating system.
    fn files(&self, module: usize, path: &[String]) -> BTreeSet<String> {
        let modules = self.resolve(module, path, MAX_REEXPORTS);
        modules.into_iter().map(|module| self.modules[module].file.clone()).collect()
    }

    /// Resolves a path in this module to the modules that declare its target.
    fn resolve(&self, module: usize, path: &[String], steps: u32) -> BTreeSet<usize> {
        match path.first().map(String::as_str) {
            None => BTreeSet::from([module]),
            Some("crate") => self.resolve_inside(ROOT, &path[1..], steps),
            Some("self") => self.resolve_inside(module, &path[1..], steps),
            Some("super") => {
                // A further `super` is relative to the parent.
                let (parent, rest) = (self.modules[module].parent, &path[1..]);
                let is_next_super = rest.first().is_some_and(|next| next == "super");
                let step = if is_next_super { Self::resolve } else { Self::resolve_inside };
                step(self, parent, rest, steps)
            }
            Some(_) => self.resolve_name(module, path, steps).unwrap_or_default(),
        }
    }

    /// Resolves the rest of a path, starting at this module.
    fn resolve_inside(&self, module: usize, path: &[String], steps: u32) -> BTreeSet<usize> {
        if path.is_empty() {
            return BTreeSet::from([module]);
        }
        if let Some(found) = self.resolve_name(module, path, steps) {
            return found;
        }
        let own = BTreeSet::from([module]);
        if self.modules[module].declared.contains(&path[0]) {
            return own;
        }
        let globs = self.modules[module].globs.iter();
        let from_glob = globs.flat_map(|glob| {
            let targets = steps.checked_sub(1).map(|left| self.resolve(module, glob, left));
            targets.into_iter().flatten()
        });
        let declares = |target: &usize| self.modules[*target].declared.contains(&path[0]);
        let by_glob: BTreeSet<_> = from_glob.filter(declares).collect();
        if by_glob.is_empty() { own } else { by_glob }
    }

    /// Resolves a path that begins with a child or an imported name; `None` if this module has no
    /// such name.
    fn resolve_name(&self, module: usize, path: &[String], steps: u32) -> Option<BTreeSet<usize>> {
        let (first, rest) = (&path[0], &path[1..]);
        let Module { children, imported, .. } = &self.modules[module];
        if let Some(child) = children.get(first) {
            return Some(self.resolve_inside(*child, rest, steps));
        }
        let left = steps.checked_sub(1)?;
        // `use time::time` does not define the first `time`.
        let defines = |(name, target): &&(String, Path)| name == first && target[0] != *first;
        let mut targets = imported.iter().filter(defines).peekable();
        targets.peek()?;
        let modules = targets.flat_map(|(_, target)| {
            let whole: Path = target.iter().chain(rest).cloned().collect();
            self.resolve(module, &whole, left)
        });
        Some(modules.collect())
    }
}

/// Reads the tokens of one file.
struct Reader<'a> {
    sources: &'a BTreeMap<String, String>,
    tokens: &'a [&'a str],
    at: usize,
}

impl Reader<'_> {
    fn peek(&self, ahead: usize) -> &str {
        self.tokens.get(self.at + ahead).copied().unwrap_or("")
    }

    /// Reads a module up to the brace that closes it, or to the end of the file.
    fn read_module(&mut self, found: &mut Crate, module: usize) {
        let mut depth = 0_u32;
        while self.at < self.tokens.len() {
            let before = self.at.checked_sub(1).map_or("", |before| self.tokens[before]);
            match (self.peek(0), self.peek(1), self.peek(2)) {
                ("#", "[", _) => self.attribute(),
                ("pub", "(", _) => {
                    self.at += 1;
                    self.skip_group();
                }
                ("mod", name, ";") => {
                    let name = name.to_owned();
                    let dir = &found.modules[module].dir;
                    let (sibling, nested) =
                        (format!("{dir}{name}.rs"), format!("{dir}{name}/mod.rs"));
                    let file = if self.sources.contains_key(&sibling) { sibling } else { nested };
                    let dir = format!("{dir}{name}/");
                    let child = found.read_file(self.sources, &file, &dir, module);
                    found.modules[module].children.insert(name, child);
                    self.at += 3;
                }
                ("mod", name, "{") => {
                    let Module { file, dir, .. } = &found.modules[module];
                    let (file, dir) = (file.clone(), format!("{dir}{name}/"));
                    let child = found.add(&file, &dir, module);
                    found.modules[module].children.insert(name.to_owned(), child);
                    self.at += 3;
                    self.read_module(found, child);
                }
                // Not `impl Trait + use<'a>`.
                ("use", next, _) if next != "<" => {
                    self.at += 1;
                    self.use_tree(&Vec::new(), &mut found.modules[module]);
                }
                ("{", ..) => {
                    depth += 1;
                    self.at += 1;
                }
                ("}", ..) => {
                    self.at += 1;
                    match depth.checked_sub(1) {
                        Some(outer) => depth = outer,
                        None => return,
                    }
                }
                (
                    "fn" | "struct" | "enum" | "trait" | "type" | "const" | "static" | "union",
                    name,
                    _,
                ) => {
                    found.modules[module].declared.insert(name.to_owned());
                    self.at += 1;
                }
                (_, "::", _) if !matches!(before, "::" | "$" | "." | ">") => {
                    let path = self.path();
                    if path.len() > 1 {
                        found.modules[module].named.push(path);
                    }
                }
                _ => self.at += 1,
            }
        }
    }

    /// Reads a path: words with `::` between them.
    fn path(&mut self) -> Path {
        let mut path = vec![self.peek(0).to_owned()];
        self.at += 1;
        while self.peek(0) == "::"
            && self.peek(1).starts_with(|c: char| c == '_' || c.is_alphabetic())
        {
            path.push(self.peek(1).to_owned());
            self.at += 2;
        }
        path
    }

    /// Reads the tokens between `use` and `;`, or between the commas of a group in it.
    fn use_tree(&mut self, prefix: &Path, module: &mut Module) {
        let mut path = prefix.clone();
        // `use ::name` is another crate.
        let is_foreign = prefix.is_empty() && self.peek(0) == "::";
        loop {
            match self.peek(0) {
                "::" => self.at += 1,
                "{" => {
                    self.at += 1;
                    while self.peek(0) != "}" {
                        self.use_tree(&path, module);
                        if self.peek(0) == "," {
                            self.at += 1;
                        }
                    }
                    self.at += 1;
                    return;
                }
                "*" => {
                    self.at += 1;
                    module.globs.push(path);
                    return;
                }
                "," | ";" | "}" | "as" | "" => break,
                word => {
                    // `a::{self}` is `a`.
                    if word != "self" || path.is_empty() {
                        path.push(word.to_owned());
                    }
                    self.at += 1;
                }
            }
        }
        let mut name = path.last().cloned().unwrap_or_default();
        if self.peek(0) == "as" {
            name = self.peek(1).to_owned();
            self.at += 2;
        }
        if !is_foreign && !path.is_empty() {
            module.imported.push((name, path));
        }
    }

    /// Skips an attribute, and its item if that is for tests only.
    fn attribute(&mut self) {
        self.at += 1;
        let begin = self.at;
        self.skip_group();
        if !is_for_tests(&self.tokens[begin + 1..self.at - 1]) {
            return;
        }
        while self.peek(0) == "#" {
            self.at += 1;
            self.skip_group();
        }
        if self.peek(0) == "pub" {
            self.at += 1;
            if self.peek(0) == "(" {
                self.skip_group();
            }
        }
        let to_semicolon = matches!(self.peek(0), "use" | "const" | "static" | "type" | "let");
        let has_body = matches!(
            self.peek(0),
            "fn" | "impl" | "mod" | "struct" | "enum" | "trait" | "unsafe" | "async" | "extern"
        ) || (self.peek(0) == "const" && self.peek(1) == "fn");
        loop {
            match self.peek(0) {
                // The end of the struct, enum or call around a field, a variant or an argument.
                "" | "}" | ")" | "]" => return,
                ";" => {
                    self.at += 1;
                    return;
                }
                "," if !to_semicolon && !has_body => {
                    self.at += 1;
                    return;
                }
                "{" if !to_semicolon || has_body => {
                    self.skip_group();
                    return;
                }
                "{" | "(" | "[" => self.skip_group(),
                _ => self.at += 1,
            }
        }
    }

    /// Skips a group, beginning with its opening bracket.
    fn skip_group(&mut self) {
        let mut depth = 0_u32;
        while self.at < self.tokens.len() {
            match self.tokens[self.at] {
                "(" | "[" | "{" => depth += 1,
                ")" | "]" | "}" => depth -= 1,
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                return;
            }
        }
    }
}

/// Whether an attribute is `cfg(test)`, or `cfg(all(..))` with `test` in it.
fn is_for_tests(attribute: &[&str]) -> bool {
    match attribute {
        ["cfg", "(", "test", ")"] => true,
        ["cfg", "(", "all", "(", conditions @ .., ")", ")"] => {
            // Not `not(test)` or `any(test, ..)`.
            let mut depth = 0_u32;
            conditions.iter().any(|token| {
                match *token {
                    "(" => depth += 1,
                    ")" => depth -= 1,
                    _ => {}
                }
                depth == 0 && *token == "test"
            })
        }
        _ => false,
    }
}
