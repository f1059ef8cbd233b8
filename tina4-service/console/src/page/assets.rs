//! The files that pages refer to. A hash of the content is in each name, so browsers may keep them for ever.

use std::sync::LazyLock;

const CSS: &str = include_str!("page.css");
const JS: &str = include_str!("page.js");
const ICON: &str = include_str!("icon.svg");

/// A file that pages refer to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Asset {
    /// Its content type.
    pub(crate) content_type: &'static str,
    /// Its content.
    pub(crate) body: &'static str,
}

static PATHS: LazyLock<[String; 3]> = LazyLock::new(|| {
    [
        format!("assets/page-{:016x}.css", hash(CSS)),
        format!("assets/page-{:016x}.js", hash(JS)),
        format!("assets/icon-{:016x}.svg", hash(ICON)),
    ]
});

/// The path of the style sheet, relative to where the console is mounted.
pub(super) fn css_path() -> &'static str {
    &PATHS[0]
}

pub(super) fn js_path() -> &'static str {
    &PATHS[1]
}

pub(super) fn icon_path() -> &'static str {
    &PATHS[2]
}

/// The file with this path, such as `assets/page-0123456789abcdef.css`; `None`: there is none, or its
/// content was another one when the page was made.
#[must_use]
pub(crate) fn asset(path: &str) -> Option<Asset> {
    let (content_type, body) = match path {
        path if path == css_path() => ("text/css; charset=utf-8", CSS),
        path if path == js_path() => ("text/javascript; charset=utf-8", JS),
        path if path == icon_path() => ("image/svg+xml", ICON),
        _ => return None,
    };
    Some(Asset { content_type, body })
}

/// FNV-1a, which is enough to tell versions apart.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assets_are_found_by_the_names_that_pages_use() {
        for (path, content_type) in [
            (css_path(), "text/css; charset=utf-8"),
            (js_path(), "text/javascript; charset=utf-8"),
            (icon_path(), "image/svg+xml"),
        ] {
            assert_eq!(asset(path).map(|asset| asset.content_type), Some(content_type));
        }
        for path in ["", "assets/page-0000000000000000.css", "assets/../page.css", "page.css"] {
            assert_eq!(asset(path), None, "{path}");
        }
        // The reference values of FNV-1a.
        assert_eq!((hash(""), hash("a")), (0xcbf2_9ce4_8422_2325, 0xaf63_dc4c_8601_ec8c));
    }
}
