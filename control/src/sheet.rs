//! A page to be read: its head, the way to the others, its table of contents. The guide, `/docs` and `/problems` are made of it.

use axum::{
    http::header,
    response::{Html, IntoResponse, Response},
};

/// What such a page may do: show itself and our pictures. There is no script.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// They change with the server alone.
pub const CACHED: &str = "public, max-age=3600";
const STYLE: &str = include_str!("sheet.css");
/// Pages that every page leads to.
const FIRST: [(&str, &str); 5] = [
    ("/guide", "Getting started"),
    ("/guide/spells", "Writing spells"),
    ("/guide/api", "Spell API"),
    ("/guide/errors", "Errors"),
    ("/docs", "HTTP interface"),
];
/// Pages that one looks for when one needs them.
const FURTHER: [(&str, &str); 7] = [
    ("/guide/live-change", "Changing spells while people play"),
    ("/guide/world", "The world"),
    ("/guide/protocol", "The wire"),
    ("/guide/client", "The game in the browser"),
    ("/guide/build", "Builds"),
    ("/guide/operate", "Running a server"),
    ("/guide/readme", "About the project"),
];

/// A page. `title` is plain text; `body` and the headings are HTML.
pub struct Sheet {
    /// For the window.
    pub title: String,
    /// Its own address, so that its way there stands out.
    pub address: String,
    /// Where in it what is; empty for a short page.
    pub contents: Vec<Heading>,
    /// All of it, its first heading too.
    pub body: String,
}

/// A place in a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heading {
    /// 1 to 6: the lower, the more it stands out.
    pub level: u8,
    /// Its name in addresses.
    pub anchor: String,
    /// HTML without links.
    pub text: String,
}

impl Sheet {
    /// As HTML.
    pub fn html(&self) -> String {
        let Self { title, address, contents, body } = self;
        let links = |pages: &[(&str, &str)]| -> String { pages.iter().map(|(to, words)| link(to, words, to == address)).collect() };
        let (first, further, contents) = (links(&FIRST), links(&FURTHER), table(contents));
        let title = escaped(title);
        format!(
            "<!doctype html><html lang=en><head><meta charset=utf-8><meta name=viewport content=\"width=device-width\">\
             <title>{title} - UGC World</title><style>{STYLE}</style></head>\
             <body><header><a href=\"/\">UGC <em>World</em></a><nav aria-label=guide>{first}</nav></header>\
             <div class=columns>{contents}<main>{body}</main></div>\
             <footer><nav aria-label=more>{further}</nav></footer></body></html>"
        )
    }
}

/// The page as an answer.
pub fn answer(html: impl Into<String>) -> Response {
    ([(header::CONTENT_SECURITY_POLICY, POLICY), (header::CACHE_CONTROL, CACHED)], Html(html.into())).into_response()
}

/// Text as HTML.
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn link(to: &str, words: &str, is_here: bool) -> String {
    let here = if is_here { " aria-current=page" } else { "" };
    format!("<a href=\"{to}\"{here}>{words}</a>")
}

fn table(contents: &[Heading]) -> String {
    if contents.is_empty() {
        return String::new();
    }
    let item = |Heading { level, anchor, text }: &Heading| format!("<li class=level{level}><a href=\"#{anchor}\">{text}</a></li>");
    let items: String = contents.iter().map(item).collect();
    format!("<nav class=contents aria-label=contents><details open><summary>On this page</summary><ul>{items}</ul></details></nav>")
}
