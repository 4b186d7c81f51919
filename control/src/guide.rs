//! `/guide`: how to play and how to write spells, made of `docs/`, the WIT and the SDK's own words. All of it is inside, and made when it is first asked for.

mod contract;
mod errors;
mod listing;
mod markdown;
mod sdk;

use crate::sheet::{self, Sheet};
use axum::{
    extract::Path,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use listing::Listing;
use rust_embed::RustEmbed;
use std::{collections::BTreeMap, sync::LazyLock};

const SPELLS: &str = include_str!("../../docs/spells.md");
const PROTOCOL: &str = include_str!("../../docs/protocol.md");
/// Texts that are pages as they are: behind `/guide/`, in the repository, and what they say.
const TEXTS: [(&str, &str, &str); 10] = [
    ("", "docs/getting-started.md", include_str!("../../docs/getting-started.md")),
    ("spells", "docs/spells.md", SPELLS),
    ("live-change", "docs/live-change.md", include_str!("../../docs/live-change.md")),
    ("world", "docs/world.md", include_str!("../../docs/world.md")),
    ("protocol", "docs/protocol.md", PROTOCOL),
    ("client", "docs/client.md", include_str!("../../docs/client.md")),
    ("build", "docs/build.md", include_str!("../../docs/build.md")),
    ("operate", "docs/operate.md", include_str!("../../docs/operate.md")),
    ("envelope", "wit/since-v0.1.0/envelope.md", include_str!("../../wit/since-v0.1.0/envelope.md")),
    ("readme", "README.md", include_str!("../../README.md")),
];
/// What else of the repository a page here is made of.
const MADE: [(&str, &str); 2] = [("wit/since-v0.1.0/spell.wit", "/guide/api#contract"), ("spell-sdk/src/lib.rs", "/guide/api")];
const SCREENSHOTS: &str = "docs/screenshots/";

/// The pictures of the pages. In a debug build they are read from the disk, at each request.
#[derive(RustEmbed)]
#[folder = "../docs/screenshots"]
struct Screenshots;

/// Pages by what stands behind `/guide/`.
static PAGES: LazyLock<BTreeMap<&str, String>> = LazyLock::new(|| {
    let mut pages: BTreeMap<_, _> = TEXTS.iter().map(|(name, path, text)| (*name, written(name, path, text).html())).collect();
    pages.insert("errors", written("errors", "docs/errors.md", &errors::text()).html());
    pages.insert("api", api().html());
    pages
});

/// `GET /guide`.
pub async fn first() -> Response {
    page(Path(String::new())).await
}

/// `GET /guide/<name>`.
pub async fn page(Path(name): Path<String>) -> Response {
    match PAGES.get(name.as_str()) {
        Some(html) => sheet::answer(html.as_str()),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// `GET /guide/screenshots/<name>`.
pub async fn screenshot(Path(name): Path<String>) -> Response {
    match Screenshots::get(&name) {
        Some(file) => ([(header::CONTENT_TYPE, "image/png"), (header::CACHE_CONTROL, sheet::CACHED)], file.data).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// A text of the repository as a page.
fn written(name: &str, path: &str, text: &str) -> Sheet {
    let markdown::Rendered { title, contents, html } = markdown::page(text, &|link| address(link, path));
    Sheet { title, address: format!("/guide/{name}").trim_end_matches('/').into(), contents, body: html }
}

fn api() -> Sheet {
    let (mut of_sdk, mut of_contract) = (Listing::default(), Listing::default());
    sdk::list(&mut of_sdk);
    contract::list(&mut of_contract);
    let body = "<h1>The spell API</h1><p>What a spell is written with: <a href=\"#sdk\">the SDK</a>, for spells in Rust, and below it \
                <a href=\"#contract\">the contract</a>, which every component keeps, whatever it is written in. What calls cost and what limits there are: \
                <a href=\"/guide/spells\">writing spells</a>.</p>";
    Sheet {
        title: "The spell API".into(),
        address: "/guide/api".into(),
        contents: [of_sdk.contents, of_contract.contents].concat(),
        body: [body, &of_sdk.html, &of_contract.html].concat(),
    }
}

/// Where a link of the text at `path` leads on this server. None for what is only in the repository.
fn address(link: &str, path: &str) -> Option<String> {
    if link.starts_with("http") || link.starts_with(['#', '/']) {
        return Some(link.into());
    }
    let (file, anchor) = link.split_once('#').map_or((link, String::new()), |(file, anchor)| (file, format!("#{anchor}")));
    let file = beside(path, file);
    let written =
        TEXTS.iter().find(|(_, path, _)| *path == file).map(|(name, ..)| format!("/guide/{name}").trim_end_matches('/').to_owned());
    let made = || MADE.iter().find(|(path, _)| *path == file).map(|(_, page)| (*page).to_owned());
    let picture = || file.strip_prefix(SCREENSHOTS).map(|name| format!("/guide/screenshots/{name}"));
    Some(written.or_else(made).or_else(picture)? + &anchor)
}

/// The path that a text at `path` calls `file`.
fn beside(path: &str, file: &str) -> String {
    let mut parts: Vec<&str> = path.split('/').collect();
    parts.pop();
    for part in file.split('/') {
        match part {
            ".." => _ = parts.pop(),
            "." | "" => {}
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{cell::RefCell, path::Path};

    #[test]
    fn links_of_the_repository_lead_to_pages() {
        let from_docs = |link| address(link, "docs/spells.md");
        assert_eq!(from_docs("world.md").unwrap(), "/guide/world");
        assert_eq!(from_docs("getting-started.md#play").unwrap(), "/guide#play");
        assert_eq!(from_docs("../README.md#run-a-server").unwrap(), "/guide/readme#run-a-server");
        assert_eq!(from_docs("../wit/since-v0.1.0/spell.wit").unwrap(), "/guide/api#contract");
        assert_eq!(from_docs("screenshots/menu.png").unwrap(), "/guide/screenshots/menu.png");
        assert_eq!(address("docs/world.md", "README.md").unwrap(), "/guide/world");
        assert_eq!(from_docs("../Cargo.toml"), None);
    }

    /// What is not served must at least be in the repository, or the link is a slip of the pen.
    #[test]
    fn what_leads_nowhere_is_in_the_repository() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        for (_, path, text) in TEXTS {
            let lost = RefCell::new(Vec::new());
            markdown::page(text, &|link| {
                let to = address(link, path);
                let is_there = to.is_some() || root.join(beside(path, link.split('#').next().unwrap_or_default())).exists();
                if !is_there {
                    lost.borrow_mut().push(link.to_owned());
                }
                to
            });
            assert!(lost.borrow().is_empty(), "{path}: {:?}", lost.borrow());
        }
    }

    #[test]
    fn a_text_has_no_html_of_its_own() {
        let page = markdown::page("# A <b>title</b>\n\n<script>one()</script>\n\nx <i>y</i> `<z>`", &|_| None);
        assert_eq!(page.html, "<h1 id=\"a-title\">A title</h1>\n<p>x y <code>&lt;z&gt;</code></p>\n");
    }
}
