//! The guide as a reader meets it: every link leads somewhere, and everything that an author can call is in it.

use crate::harness::Server;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

/// A page of ours, as it was served.
struct Page {
    text: String,
    anchors: BTreeSet<String>,
}

impl Page {
    fn get(server: &Server, address: &str) -> Self {
        let answer = server.get(address, "");
        assert_eq!(answer.status, 200, "{address}");
        let text = String::from_utf8(answer.bytes).unwrap();
        let ids: Vec<_> = values(&text, " id=\"").map(str::to_owned).collect();
        let anchors: BTreeSet<_> = ids.iter().cloned().collect();
        assert_eq!(ids.len(), anchors.len(), "{address} has an anchor twice");
        Self { text, anchors }
    }

    #[track_caller]
    fn has(&self, anchors: &[String], at_least: usize) {
        assert!(anchors.len() >= at_least, "{anchors:?}");
        let missing: Vec<_> = anchors.iter().filter(|anchor| !self.anchors.contains(*anchor)).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }
}

/// What stands in quotes behind each of these.
fn values<'a>(text: &'a str, before: &'a str) -> impl Iterator<Item = &'a str> {
    text.split(before).skip(1).filter_map(|rest| Some(rest.split_once('"')?.0))
}

fn repository(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)).unwrap()
}

#[test]
fn every_link_and_picture_leads_somewhere() {
    let server = Server::start();
    let mut pages = BTreeMap::new();
    let mut others = BTreeSet::new();
    let mut waiting = vec!["/guide".to_owned()];
    let mut links = BTreeSet::new();
    while let Some(address) = waiting.pop() {
        if pages.contains_key(&address) {
            continue;
        }
        let page = Page::get(&server, &address);
        for link in values(&page.text, " href=\"").chain(values(&page.text, " src=\"")).filter(|link| !link.starts_with("http")) {
            let (to, anchor) = link.split_once('#').unwrap_or((link, ""));
            let to = if to.is_empty() { &address } else { to };
            links.insert((address.clone(), to.to_owned(), anchor.to_owned()));
            let is_page =
                to == "/guide" || to == "/docs" || to.starts_with("/problems/") || to.starts_with("/guide/") && !to.ends_with(".png");
            if is_page {
                waiting.push(to.to_owned());
            } else {
                others.insert(to.to_owned());
            }
        }
        pages.insert(address, page);
    }
    for (from, to, anchor) in links.iter().filter(|(.., anchor)| !anchor.is_empty()) {
        assert!(pages[to].anchors.contains(anchor), "{from} leads to {to}#{anchor}");
    }
    for to in &others {
        let answer = server.get(to, "");
        match to.as_str() {
            // Not built where these tests run alone.
            "/" => assert!(matches!(answer.status, 200 | 503)),
            picture if picture.ends_with(".png") => assert_eq!((answer.status, answer.header("content-type")), (200, "image/png"), "{to}"),
            _ => assert_eq!(answer.status, 200, "{to}"),
        }
    }
    assert!(pages.len() > 80 && others.iter().filter(|to| to.ends_with(".png")).count() > 5, "{:?} {others:?}", pages.keys());
    assert!(pages.contains_key("/guide/live-change") && pages.contains_key("/problems/unknown_world"));
}

#[test]
fn the_spell_api_has_everything_that_the_contract_has() {
    let page = Page::get(&Server::start(), "/guide/api");
    let (mut interface, mut anchors) = ("", Vec::new());
    let wit = repository("wit/since-v0.1.0/spell.wit");
    for line in wit.lines() {
        if let Some(name) = line.strip_prefix("interface ") {
            interface = name.trim_end_matches(" {");
        }
        let of_function = line.trim().split_once(": func(").map(|(name, _)| name);
        let of_type =
            ["record ", "enum ", "flags ", "variant ", "type "].iter().find_map(|kind| line.strip_prefix("    ")?.strip_prefix(*kind));
        let name = of_function.or(of_type.and_then(|rest| rest.split(' ').next()));
        anchors.extend(name.map(|name| format!("{interface}.{name}")));
    }
    page.has(&anchors, 70);
    assert!(
        page.anchors.contains("hooks.on-event") && page.anchors.contains("reads.find") && page.anchors.contains("types.ray-hit.distance")
    );
    let signature = "find: func(within: <a href=\"#types.shape\">shape</a>, kinds: <a href=\"#types.entity-kinds\">entity-kinds</a>, count: u32) \
                     -&gt; result&lt;<a href=\"#types.nearby\">nearby</a>, <a href=\"#types.refusal\">refusal</a>&gt;";
    assert!(page.text.contains(signature));
}

#[test]
fn the_spell_api_has_everything_that_authors_name() {
    let page = Page::get(&Server::start(), "/guide/api");
    // What a prelude brings, and what else the SDK shows.
    let root = repository("spell-sdk/src/lib.rs");
    let shown = root.split("pub use ").skip(1).map(|rest| rest.split_once(';').unwrap().0);
    let names = shown
        .flat_map(|list| list.rsplit("::{").next().unwrap().split([',', '}', '\n', ' ']).map(|name| name.rsplit("::").next().unwrap()));
    let macros = ["debug", "error", "info", "spell", "warn"];
    let anchors: BTreeSet<_> = names
        .filter(|name| !name.is_empty())
        .map(|name| if macros.contains(&name) { format!("{name}!") } else { name.to_owned() })
        .collect();
    page.has(&anchors.into_iter().collect::<Vec<_>>(), 60);
    for (module, of, at_least) in
        [("world", "World", 35), ("envelope", "Envelope", 15), ("near", "Near", 3), ("rng", "Rng", 7), ("vec3", "Vec3", 9)]
    {
        let source = repository(&format!("spell-sdk/src/{module}.rs"));
        let block = |rest: &str| rest.split_once("\n}\n").unwrap().0.to_owned();
        let blocks: Vec<_> = source.split(&format!("\nimpl {of}")).skip(1).filter(|rest| rest.starts_with([' ', '<'])).map(block).collect();
        let functions =
            blocks.iter().flat_map(|block| block.lines()).filter_map(|line| line.trim().strip_prefix("pub ")?.split_once("fn "));
        let functions: Vec<_> = functions.map(|(_, rest)| format!("{of}::{}", rest.split(['(', '<']).next().unwrap())).collect();
        page.has(&functions, at_least);
    }
    let others = [
        "Spell::on_cast",
        "Straight::run",
        "Straight::RESUMES",
        "Can::STORAGE",
        "Projectile::homing",
        "Shape::Cone",
        "material::ICE",
        "Npc::temper",
    ];
    let of_tests =
        ["testing::FakeWorld", "testing::FakeCast::reload", "testing::Intent::Launch", "saved::RestoreError", "limits::FIND_MAX"];
    page.has(&[&others[..], &of_tests].concat().iter().map(|one| (*one).to_owned()).collect::<Vec<_>>(), 13);
    let hidden = ["World::new", "export", "saved::LAYOUT", "Place", "__default!", "Spell::START"];
    assert!(hidden.iter().all(|one| !page.anchors.contains(*one)));
    assert!(page.text.contains("fn near(&amp;self, radius: f32) -&gt; Result&lt;<a href=\"#Nearby\">Nearby</a>&lt;'_&gt;"));
}

#[test]
fn every_limit_is_explained_under_its_name() {
    let page = Page::get(&Server::start(), "/guide/errors");
    // Those that a call may run into.
    let wit = repository("wit/since-v0.1.0/spell.wit");
    let limits = wit.split_once("enum limit {").unwrap().1.split_once('}').unwrap().0;
    let limits = limits.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("///"));
    page.has(&limits.map(|line| line.trim_end_matches(',').to_owned()).collect::<Vec<_>>(), 9);
    // Those that a cast is not begun for.
    let convert = repository("host/src/convert.rs");
    let rejections = convert.split_once("fn rejection(").unwrap().1.split_once("\n}\n").unwrap().0;
    page.has(
        &rejections
            .lines()
            .filter_map(|line| line.trim().strip_prefix('"')?.split_once("\" =>"))
            .map(|(name, _)| name.to_owned())
            .collect::<Vec<_>>(),
        8,
    );
    // Those that the workshop has words for, and leads to.
    let why = repository("client/src/workshop/why.ts");
    let reasons = why.split_once("const REASONS").unwrap().1.split_once("\n};").unwrap().0;
    let named = reasons.lines().filter_map(|line| line.strip_prefix("  ")?.split_once(": ("));
    let others = why.split_once("const ALSO_EXPLAINED = [").unwrap().1.split_once(']').unwrap().0;
    let named = named.map(|(name, _)| name).filter(|name| !name.contains(' ')).chain(others.split('\'').skip(1).step_by(2));
    page.has(&named.map(str::to_owned).collect::<Vec<_>>(), 40);
    // HTTP, the wire, and how connections end.
    page.has(&["banned", "not_built", "world_private", "400", "503", "1008", "1013"].map(str::to_owned), 7);
}

#[test]
fn pages_run_nothing_and_load_nothing_from_elsewhere() {
    let server = Server::start();
    for address in ["/guide", "/guide/spells", "/guide/api", "/guide/errors", "/docs", "/problems/banned"] {
        let answer = server.get(address, "");
        let policy = answer.header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'none'; style-src 'unsafe-inline'; img-src 'self'") && !policy.contains("script-src"),
            "{policy}"
        );
        assert_eq!((answer.header("content-type"), answer.header("x-content-type-options")), ("text/html; charset=utf-8", "nosniff"));
        let text = String::from_utf8(answer.bytes).unwrap();
        assert!(!text.contains("<script") && text.starts_with("<!doctype html>"), "{address}");
        assert!(text.contains("<nav aria-label=guide><a href=\"/guide\""), "{address} leads to the others");
    }
    let name = |address: &str| {
        String::from_utf8(server.get(address, "").bytes)
            .unwrap()
            .split_once("aria-current=page>")
            .map(|(_, rest)| rest.split('<').next().unwrap().to_owned())
    };
    assert_eq!(["/guide", "/guide/api", "/docs"].map(|address| name(address).unwrap()), ["Getting started", "Spell API", "HTTP interface"]);
}

#[test]
fn what_is_not_there_is_a_problem() {
    let server = Server::start();
    for address in
        ["/guide/nothing", "/guide/", "/guide/screenshots/none.png", "/guide/screenshots/..%2F..%2FCargo.toml", "/guide/%3Cscript%3E"]
    {
        server.get(address, "").is_problem(404, "unknown_route");
    }
    server.post("/guide", "", &serde_json::json!({})).is_problem(405, "method_not_allowed");
}
