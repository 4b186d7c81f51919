//! What an interface consists of, as HTML: items, their members, and what each is about.

use super::markdown;
use crate::sheet::{Heading, escaped};
use std::collections::BTreeMap;

/// A part of the page about the spell API.
#[derive(Default)]
pub struct Listing {
    pub html: String,
    pub contents: Vec<Heading>,
    /// Where each type is that signatures name.
    pub types: BTreeMap<String, String>,
}

/// Where a link in a comment leads.
pub type Resolve<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Links nowhere: for comments that have none.
pub fn nowhere(_: &str) -> Option<String> {
    None
}

impl Listing {
    /// A heading of this level, and what it is about.
    pub fn heading(&mut self, level: u8, anchor: &str, words: &str, about: &str, resolve: Resolve<'_>) {
        self.name(level, anchor, words);
        let words = escaped(words);
        self.html += &format!("<h{level} id=\"{anchor}\">{words}</h{level}>{}", markdown::comment(about, anchor, resolve));
    }

    /// A type, a trait, a macro or a function that stands for itself, with what `inside` adds.
    pub fn item(&mut self, anchor: &str, signature: &str, about: &str, resolve: Resolve<'_>, inside: impl FnOnce(&mut Self)) {
        self.name(4, anchor, anchor);
        let (signature, about) = (self.signature_of(signature, anchor), markdown::comment(about, anchor, resolve));
        self.html += &format!("<div class=item><h4 id=\"{anchor}\"><code>{signature}</code>{}</h4>{about}", here(anchor));
        inside(self);
        self.html += "</div>";
    }

    /// A function, field or case of an item.
    pub fn member(&mut self, anchor: &str, signature: &str, about: &str, resolve: Resolve<'_>) {
        let (signature, about) = (self.signature(signature), markdown::comment(about, anchor, resolve));
        self.html += &format!("<div class=member><h5 id=\"{anchor}\"><code>{signature}</code>{}</h5>{about}</div>", here(anchor));
    }

    /// Words about the members that follow.
    pub fn note(&mut self, about: &str, resolve: Resolve<'_>) {
        self.html += &markdown::comment(about, "", resolve);
    }

    /// What an item implements besides: what has words of its own, and then the others in one line.
    pub fn also(&mut self, traits: &[(String, String)], resolve: Resolve<'_>) {
        for (signature, about) in traits.iter().filter(|(_, about)| !about.is_empty()) {
            let (signature, about) = (self.signature(signature), markdown::comment(about, "", resolve));
            self.html += &format!("<div class=member><h5><code>{signature}</code></h5>{about}</div>");
        }
        let silent = traits.iter().filter(|(_, about)| about.is_empty());
        let silent: Vec<_> = silent.map(|(signature, _)| format!("<code>{}</code>", self.signature(signature))).collect();
        if !silent.is_empty() {
            self.html += &format!("<p class=dim>Also: {}.</p>", silent.join(", "));
        }
    }

    fn name(&mut self, level: u8, anchor: &str, words: &str) {
        self.contents.push(Heading { level, anchor: anchor.into(), text: escaped(words) });
    }

    fn signature(&self, text: &str) -> String {
        self.signature_of(text, "")
    }

    /// A signature whose types, but its own, lead to what they are. What stands before `:` or `(` is a name of something else.
    fn signature_of(&self, text: &str, own: &str) -> String {
        let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
        let (mut html, mut rest) = (String::new(), text);
        while let Some(first) = rest.chars().next() {
            let length = rest.find(|c| is_word(c) != is_word(first)).unwrap_or(rest.len());
            let (word, after) = rest.split_at(length);
            let is_name = after.starts_with(':') || after.starts_with('(');
            match self.types.get(word).filter(|anchor| !is_name && *anchor != own) {
                Some(anchor) => html += &format!("<a href=\"#{anchor}\">{}</a>", escaped(word)),
                None => html += &escaped(word),
            }
            rest = after;
        }
        html
    }
}

fn here(anchor: &str) -> String {
    format!("<a class=here href=\"#{anchor}\" aria-label=\"link to {anchor}\">#</a>")
}
