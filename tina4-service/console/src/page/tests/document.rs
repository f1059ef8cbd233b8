//! A strict reader of the HTML that pages consist of: it fails if tags are not balanced.

/// Elements without an end tag.
const VOID: [&str; 4] = ["input", "link", "meta", "br"];

/// A page, as a list of its elements in the order of their start tags.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) elements: Vec<Element>,
    /// All text, with entities resolved.
    pub(super) text: String,
}

#[derive(Debug, Default)]
pub(super) struct Element {
    pub(super) name: String,
    pub(super) attributes: Vec<(String, String)>,
    /// The text inside it.
    pub(super) text: String,
    /// The HTML inside it.
    pub(super) html: String,
}

impl Element {
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let attribute = self.attributes.iter().find(|(key, _)| key == name);
        attribute.map(|(_, value)| &**value)
    }
}

impl Document {
    pub(super) fn parse(html: &str) -> Self {
        let body = html.strip_prefix("<!DOCTYPE html>").expect("it begins with its type");
        let mut document = Self { elements: vec![], text: String::new() };
        // The open elements: their index, and where their content begins in the HTML and in the text.
        let mut open: Vec<(usize, usize, usize)> = vec![];
        let mut rest = body;
        let position = |rest: &str| body.len() - rest.len();
        while let Some(at) = rest.find('<') {
            document.text.push_str(&decode(&rest[..at]));
            let before = position(&rest[at..]);
            rest = &rest[at + 1..];
            if let Some(after) = rest.strip_prefix('/') {
                let (name, after) = after.split_once('>').expect("an end tag ends");
                rest = after;
                let (index, html_from, text_from) = open.pop().expect("it was opened");
                let element = &mut document.elements[index];
                assert_eq!(element.name, name, "in {}", &body[html_from..before]);
                element.html = body[html_from..before].to_owned();
                element.text = document.text[text_from..].to_owned();
                continue;
            }
            let mut element = Element::default();
            rest = element.read(rest);
            let is_void = VOID.contains(&&*element.name);
            document.elements.push(element);
            if !is_void {
                open.push((document.elements.len() - 1, position(rest), document.text.len()));
            }
        }
        assert_eq!((rest, open.len()), ("", 0), "everything is closed");
        document
    }

    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &Element> {
        self.elements.iter().filter(move |element| element.name == name)
    }
}

impl Element {
    /// Reads a start tag after its `<`; returns what follows.
    fn read<'a>(&mut self, tag: &'a str) -> &'a str {
        let end = tag.find([' ', '>']).expect("a tag ends");
        assert!(tag[..end].bytes().all(|byte| byte.is_ascii_alphanumeric()), "{}", &tag[..end]);
        self.name = tag[..end].to_owned();
        let mut rest = &tag[end..];
        loop {
            if let Some(after) = rest.strip_prefix('>') {
                return after;
            }
            rest = rest.strip_prefix(' ').expect("attributes are separated by a space");
            let end = rest.find(['=', ' ', '>']).expect("a tag ends");
            let name = rest[..end].to_owned();
            rest = &rest[end..];
            let mut value = "";
            if let Some(quoted) = rest.strip_prefix("=\"") {
                (value, rest) = quoted.split_once('"').expect("a value ends");
            }
            self.attributes.push((name, decode(value)));
        }
    }
}

fn decode(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}
