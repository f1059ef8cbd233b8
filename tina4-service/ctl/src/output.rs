//! Prints tables, lines and JSON.

use std::io::{self, IsTerminal as _, Write};

use comfy_table::{ContentArrangement, Table, presets};
use serde_json::Value;

use crate::failure::escaped;

/// The most characters of a cell in a table.
const MAX_CELL: usize = 60;

/// Where a command prints, and how.
pub(crate) struct Output<'a> {
    pub(crate) out: &'a mut dyn Write,
    pub(crate) json: bool,
    pub(crate) style: Style,
}

/// How things are shown that are not JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// Fields with tabs between them, for other programs.
    Tabs,
    /// For people, without colours.
    Plain,
    /// For people.
    Colours,
}

/// How a row is to be seen at a glance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    Good,
    Quiet,
    Bad,
}

impl Style {
    /// The style for standard output.
    pub(crate) fn of_stdout() -> Self {
        let no_colours = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
            || std::env::var_os("TERM").is_some_and(|value| value == "dumb");
        match (io::stdout().is_terminal(), no_colours) {
            (false, _) => Self::Tabs,
            (true, true) => Self::Plain,
            (true, false) => Self::Colours,
        }
    }
}

impl Mood {
    /// That of a service in this state.
    pub(crate) fn of(state: &str, is_healthy: bool) -> Self {
        match state {
            _ if !is_healthy => Self::Bad,
            "failed" | "abandoned" | "blocked" => Self::Bad,
            "running" | "waiting" | "finished" => Self::Good,
            _ => Self::Quiet,
        }
    }

    /// A sign, so that nobody has to see the colour.
    fn sign(self) -> &'static str {
        match self {
            Self::Good => "+",
            Self::Quiet => "-",
            Self::Bad => "!",
        }
    }

    fn colour(self) -> &'static str {
        match self {
            Self::Good => "\u{1b}[32m",
            Self::Quiet => "\u{1b}[33m",
            Self::Bad => "\u{1b}[1;31m",
        }
    }
}

impl Output<'_> {
    /// Whether people read this.
    pub(crate) fn is_for_people(&self) -> bool {
        self.style != Style::Tabs
    }

    /// Prints a value as JSON.
    pub(crate) fn value(&mut self, value: &Value) -> io::Result<()> {
        writeln!(self.out, "{value}")
    }

    /// Prints JSON that is there already.
    pub(crate) fn raw(&mut self, json: &[u8]) -> io::Result<()> {
        self.out.write_all(json.trim_ascii())?;
        self.out.write_all(b"\n")
    }

    /// Prints a line of text, in which nothing moves the cursor.
    pub(crate) fn line(&mut self, text: &str) -> io::Result<()> {
        let text: String = text.chars().flat_map(escaped).collect();
        writeln!(self.out, "{text}")
    }

    /// Prints fields on a line, with tabs between them for programs.
    pub(crate) fn fields(&mut self, fields: &[&str]) -> io::Result<()> {
        let escaped = |field: &&str| field.chars().flat_map(escaped).collect::<String>();
        let fields: Vec<String> = fields.iter().map(escaped).collect();
        writeln!(self.out, "{}", fields.join(if self.is_for_people() { "  " } else { "\t" }))
    }

    /// Prints rows as a table or as lines with tabs.
    pub(crate) fn table(
        &mut self,
        header: &[&str],
        rows: impl IntoIterator<Item = (Mood, Vec<String>)>,
    ) -> io::Result<()> {
        if !self.is_for_people() {
            for (_, row) in rows {
                self.fields(&row.iter().map(|cell| &**cell).collect::<Vec<_>>())?;
            }
            return Ok(());
        }
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
        table.set_header(std::iter::once("").chain(header.iter().copied()));
        let mut moods = Vec::new();
        for (mood, row) in rows {
            table.add_row(
                std::iter::once(mood.sign().to_owned())
                    .chain(row.iter().map(|cell| shortened(cell))),
            );
            moods.push(mood);
        }
        if moods.is_empty() {
            return Ok(());
        }
        for column in table.column_iter_mut() {
            column.set_padding((0, 2));
        }
        let mut moods = moods.into_iter();
        for (number, line) in table.lines().enumerate() {
            let line = line.trim_end();
            // The first line is the header.
            let mood = if number == 0 { None } else { moods.next() };
            match (self.style, mood) {
                (Style::Colours, Some(mood)) => {
                    let (sign, rest) = line.split_at(line.len().min(1));
                    writeln!(self.out, "{}{sign}\u{1b}[0m{rest}", mood.colour())?;
                }
                (Style::Colours, None) => writeln!(self.out, "\u{1b}[2m{line}\u{1b}[0m")?,
                (Style::Plain | Style::Tabs, _) => writeln!(self.out, "{line}")?,
            }
        }
        Ok(())
    }
}

/// A text in one cell: on one line, and not too long.
fn shortened(text: &str) -> String {
    let mut chars = text.chars().flat_map(escaped);
    let mut shown: String = chars.by_ref().take(MAX_CELL).collect();
    if chars.next().is_some() {
        shown.push_str(" ..");
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(style: Style) -> String {
        let mut out = Vec::new();
        let mut output = Output { out: &mut out, json: false, style };
        let rows = [
            (Mood::Good, vec!["heartbeat".to_owned(), "waiting".to_owned()]),
            (Mood::Bad, vec!["日本".to_owned(), "a\tb\n\u{1b}[31m".to_owned() + &"x".repeat(80)]),
        ];
        output.table(&["NAME", "STATE"], rows).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn rule_115_rows_are_a_table_for_people_and_lines_with_tabs_for_programs() {
        let plain = printed(Style::Plain);
        let lines: Vec<_> = plain.lines().collect();
        assert_eq!(lines[..2], ["   NAME       STATE", "+  heartbeat  waiting"]);
        assert!(
            lines[2].starts_with("!  日本       a\\tb\\n\\u{1b}[31mxxx")
                && lines[2].ends_with("x .."),
            "{plain}"
        );
        assert_eq!(lines.len(), 3);
        let tabs = printed(Style::Tabs);
        assert_eq!(tabs.lines().next(), Some("heartbeat\twaiting"));
        assert_eq!(tabs.lines().nth(1).map(|line| line.matches('\t').count()), Some(1));
        assert!(tabs.ends_with("xxx\n"), "nothing is cut: {tabs}");
        assert!(printed(Style::Colours).contains("\u{1b}[32m+\u{1b}[0m  heartbeat"));
    }
}
