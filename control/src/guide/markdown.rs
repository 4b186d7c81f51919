//! Markdown as HTML: with anchors, with links that lead to pages of ours, and without any HTML of its own.

use crate::sheet::{Heading, escaped};
use pulldown_cmark::{BrokenLink, CodeBlockKind, CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd, html::push_html};
use std::collections::BTreeSet;

/// A text as HTML, and where in it what is.
pub struct Rendered {
    /// Its first heading, as plain text.
    pub title: String,
    /// All headings but the first.
    pub contents: Vec<Heading>,
    pub html: String,
}

/// Where a link leads: an address, or nowhere, for what is not on this server.
type Resolve<'a> = &'a dyn Fn(&str) -> Option<String>;

/// A whole page. Every heading has an anchor, and so has the code at the beginning of a table's row.
pub fn page(text: &str, resolve: Resolve<'_>) -> Rendered {
    let events = Parser::new_ext(text, Options::ENABLE_TABLES);
    let mut taken = BTreeSet::new();
    let (events, mut contents) = anchored(events, "", None, &mut taken);
    let html = html(in_rows(events, &mut taken), resolve);
    let title = if contents.is_empty() { String::new() } else { contents.remove(0).text };
    Rendered { title, contents, html }
}

/// What stands at an item of a source: its links may be other items' names alone, and its headings are small and below `anchor`.
pub fn comment(text: &str, anchor: &str, resolve: Resolve<'_>) -> String {
    let text = without_hidden_lines(text);
    // A name in brackets; other brackets are brackets.
    let named = |link: BrokenLink<'_>| {
        let is_name = link.reference.starts_with('`') || resolve(&link.reference).is_some();
        is_name.then(|| (CowStr::from(link.reference.into_string()), CowStr::from("")))
    };
    let events = Parser::new_with_broken_link_callback(&text, Options::ENABLE_TABLES, Some(named));
    let (events, _) = anchored(events, &format!("{anchor}#"), Some(HeadingLevel::H6), &mut BTreeSet::new());
    html(events, resolve)
}

/// The part of a text below one of its headings, with it, up to the next one of its rank.
pub fn part<'a>(text: &'a str, heading: &str) -> Option<&'a str> {
    let start = text.match_indices(heading).map(|(at, _)| at).find(|at| {
        let end = at + heading.len();
        (*at == 0 || text[..*at].ends_with('\n')) && (end == text.len() || text[end..].starts_with('\n'))
    })?;
    let rank = heading.bytes().take_while(|byte| *byte == b'#').count();
    let length = text[start + heading.len()..].match_indices("\n#").map(|(at, _)| start + heading.len() + at + 1).find(|at| {
        let hashes = text[*at..].bytes().take_while(|byte| *byte == b'#').count();
        hashes <= rank && text[at + hashes..].starts_with(' ')
    });
    Some(&text[start..length.unwrap_or(text.len())])
}

/// A heading's name in addresses, as most readers of Markdown make it.
pub fn slug(text: &str) -> String {
    let lower = text.to_lowercase();
    lower.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_')).map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// Drops what the text has of HTML, and names its headings.
fn anchored<'a>(
    events: impl Iterator<Item = Event<'a>>,
    prefix: &str,
    small: Option<HeadingLevel>,
    taken: &mut BTreeSet<String>,
) -> (Vec<Event<'a>>, Vec<Heading>) {
    let mut events: Vec<_> = events.filter(|event| !matches!(event, Event::Html(_) | Event::InlineHtml(_))).collect();
    let mut found: Vec<Heading> = Vec::new();
    for start in 0..events.len() {
        let Event::Start(Tag::Heading { level, classes, attrs, .. }) = events[start].clone() else { continue };
        let length = events[start..].iter().position(|event| matches!(event, Event::End(TagEnd::Heading(_)))).expect("a heading ends");
        let (plain, text) = words(&events[start..start + length]);
        let anchor = free(&format!("{prefix}{}", slug(&plain)), taken);
        let level = small.unwrap_or(level);
        events[start] = Event::Start(Tag::Heading { level, id: Some(anchor.clone().into()), classes, attrs });
        events[start + length] = Event::End(TagEnd::Heading(level));
        let text = if found.is_empty() { plain } else { text };
        found.push(Heading { level: level as u8, anchor, text });
    }
    (events, found)
}

/// The words of a heading, plain and as HTML.
fn words(events: &[Event<'_>]) -> (String, String) {
    let (mut plain, mut html) = (String::new(), String::new());
    for event in events {
        if let Event::Text(text) | Event::Code(text) = event {
            plain += text;
            let text = escaped(text);
            html += &if matches!(event, Event::Code(_)) { format!("<code>{text}</code>") } else { text };
        }
    }
    (plain, html)
}

/// This name, or with a number behind it where that is taken.
fn free(name: &str, taken: &mut BTreeSet<String>) -> String {
    let numbered = (1..).map(|number| format!("{name}-{number}"));
    let name = std::iter::once(name.to_owned()).chain(numbered).find(|name| !taken.contains(name)).expect("numbers go on");
    taken.insert(name.clone());
    name
}

/// Gives what a row begins with an anchor, so that a limit or a code can be linked to. The first one of a name has it.
fn in_rows<'a>(events: Vec<Event<'a>>, taken: &mut BTreeSet<String>) -> Vec<Event<'a>> {
    let (mut is_body, mut cell) = (false, 0);
    let anchored = events.into_iter().map(|event| {
        match &event {
            Event::End(TagEnd::TableHead) => is_body = true,
            Event::End(TagEnd::Table) => is_body = false,
            Event::Start(Tag::TableRow) => cell = 0,
            Event::Start(Tag::TableCell) => cell += 1,
            _ => {}
        }
        let (name, tag) = match &event {
            Event::Code(text) if is_body && cell == 1 => (text.clone(), "code"),
            Event::Text(text) if is_body && cell == 1 && text.bytes().all(|byte| byte.is_ascii_digit()) => (text.clone(), "span"),
            _ => return event,
        };
        let anchor = slug(&name);
        if anchor.is_empty() || !taken.insert(anchor.clone()) {
            return event;
        }
        Event::InlineHtml(format!("<{tag} id=\"{anchor}\">{}</{tag}>", escaped(&name)).into())
    });
    anchored.collect()
}

/// HTML in it is ours: what the text itself had is gone by then.
fn html(events: Vec<Event<'_>>, resolve: Resolve<'_>) -> String {
    let mut open = Vec::new();
    let led = events.into_iter().flat_map(|event| match event {
        Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
            let target = resolve(&dest_url);
            open.push(target.is_some());
            vec![match target {
                Some(to) => Event::Start(Tag::Link { link_type, dest_url: to.into(), title, id }),
                None => Event::InlineHtml(format!("<span class=elsewhere title=\"{}\">", escaped(&dest_url)).into()),
            }]
        }
        Event::End(TagEnd::Link) => {
            vec![if open.pop() == Some(true) { Event::End(TagEnd::Link) } else { Event::InlineHtml("</span>".into()) }]
        }
        Event::Start(Tag::Image { link_type, dest_url, title, id }) => {
            let to = resolve(&dest_url).unwrap_or_default();
            vec![Event::Start(Tag::Image { link_type, dest_url: to.into(), title, id })]
        }
        Event::Start(Tag::Table(columns)) => vec![Event::Html("<div class=table>".into()), Event::Start(Tag::Table(columns))],
        Event::End(TagEnd::Table) => vec![Event::End(TagEnd::Table), Event::Html("</div>".into())],
        Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(kind))) if &*kind == "compile_fail" => {
            vec![Event::Html("<p class=dim>Does not compile:</p>".into()), Event::Start(Tag::CodeBlock(CodeBlockKind::Indented))]
        }
        event => vec![event],
    });
    let mut html = String::new();
    push_html(&mut html, led);
    html
}

/// In a source's example, lines that begin with `# ` are there for the compiler alone.
fn without_hidden_lines(text: &str) -> String {
    let mut is_code = false;
    let shown = text.lines().filter(|line| {
        let line = line.trim_start();
        is_code ^= line.starts_with("```");
        !is_code || !(line == "#" || line.starts_with("# "))
    });
    shown.collect::<Vec<_>>().join("\n")
}
