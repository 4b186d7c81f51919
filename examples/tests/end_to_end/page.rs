//! A page of docs/ that shows what commands and requests say, made of what they said to a test, and compared with it.

use anyhow::{Context, Result, ensure};
use examples::Http;
use serde_json::{Value, json};
use std::fs;

const DOCS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs");

/// What the page is to show, block by block.
pub struct Page {
    name: &'static str,
    blocks: Vec<(&'static str, String)>,
    url: String,
    world: String,
}

impl Page {
    /// One below docs/; address and world are shown as others.
    pub fn of(name: &'static str, url: &str, world: &str) -> Self {
        Self { name, blocks: Vec::new(), url: url.to_owned(), world: world.to_owned() }
    }

    /// The world that is shown.
    pub fn world(&self) -> &str {
        &self.world
    }

    /// A command and what it said.
    pub fn show(&mut self, block: &'static str, command: &str, said: &str) {
        let text = normal(&format!("$ {command}\n{said}"), &self.url, &self.world);
        match self.blocks.iter_mut().find(|(name, _)| *name == block) {
            Some((_, shown)) => *shown += &text,
            None => self.blocks.push((block, text)),
        }
    }

    /// A request, shown as curl would make it; with a token of this name, unless that is empty.
    pub fn ask(
        &mut self,
        block: &'static str,
        http: &Http,
        (name, token): (&str, &str),
        method: &str,
        path: &str,
        body: &Value,
    ) -> Result<()> {
        let mut command = format!("curl -X {method}");
        if !name.is_empty() {
            command += &format!(" -H \"Authorization: Bearer ${name}\"");
        }
        let mut bytes = Vec::new();
        if !body.is_null() {
            command += &format!(" -H 'Content-Type: application/json' \\\n    -d '{body}'");
            bytes = body.to_string().into_bytes();
        }
        let mut answer = http
            .request(method, path, Some(token).filter(|_| !name.is_empty()), if body.is_null() { "" } else { "application/json" }, bytes)?
            .ok_json()?;
        shorten(&mut answer);
        self.show(block, &format!("{command} \\\n    {}{path}", self.url), &format!("{answer}\n"));
        Ok(())
    }

    /// Compares with what the page shows, or puts it there.
    pub fn check(&self) -> Result<()> {
        let path = format!("{DOCS}/{}", self.name);
        let page = fs::read_to_string(&path)?;
        let mut updated = page.clone();
        for (name, text) in &self.blocks {
            let (begin, end) = (format!("<!-- {name} -->"), format!("<!-- end of {name} -->"));
            let (head, rest) = updated.split_once(&begin).with_context(|| format!("{path} has no {begin}"))?;
            let (_, tail) = rest.split_once(&end).with_context(|| format!("{path} has no {end}"))?;
            updated = format!("{head}{begin}\n\n```console\n{text}```\n\n{end}{tail}");
        }
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            return Ok(fs::write(&path, updated)?);
        }
        let differs = updated.lines().zip(page.lines()).find(|(now, shown)| now != shown);
        ensure!(page == updated, "{path} shows something else ({differs:?}): run this test with UPDATE_EXPECT=1");
        Ok(())
    }
}

/// What is long, or different each time, is left out.
fn shorten(answer: &mut Value) {
    for key in ["manifest", "health"] {
        if let Some(long) = answer.get_mut(key) {
            *long = json!("...");
        }
    }
    for (key, port) in [("address", 7777), ("metrics", 17777)] {
        if let Some(address) = answer.get_mut(key).filter(|address| address.is_string()) {
            let text = address.as_str().unwrap_or_default().to_owned();
            let head = text.rsplit_once(':').map_or("", |(head, _)| head);
            let tail = text.rsplit_once(':').map_or("", |(_, tail)| tail.trim_start_matches(|c: char| c.is_ascii_digit()));
            *address = format!("{head}:{port}{tail}").into();
        }
    }
    answer.as_array_mut().into_iter().flatten().for_each(shorten);
    answer.as_object_mut().into_iter().flat_map(|object| object.values_mut()).for_each(shorten);
}

/// The text with what is different each time put to what it is on the page.
fn normal(text: &str, url: &str, world: &str) -> String {
    let mut text = text.replace(url, "http://127.0.0.1:5000").replace(world, "world_f1afbe8a");
    for (shape, with) in [("####-##-##T##:##:##.###Z", "2026-11-26T10:25:34.123Z"), ("####-##-## ##:##:##", "2026-11-26 10:25:34")] {
        text = reshape(&text, shape, with);
    }
    text = reshape(&text, "\"until_ms\":#############", "\"until_ms\":1795792652232");
    for (shape, with) in [("client_@@@@@@@@@@@@", "client_f88b37bf7081"), (&"@".repeat(64), &"5e1f".repeat(16))] {
        text = reshape(&text, shape, with);
    }
    for (number, hash) in ["b848364e", "af283ae9", "5d21c07f", "e6019b3a", "07c4d912"].into_iter().enumerate() {
        let number = number + 1;
        text = reshape(&text, &format!("rev_{number:06}_@@@@@@@@"), &format!("rev_{number:06}_{hash}"));
    }
    for (before, after, with) in
        [(", ", " ms after", "384"), (" tick ", " rev_", "612"), ("  ", " casts, ", "12"), (", ", " mana each", "0.1")]
    {
        text = renumber(&text, before, after, with);
    }
    text
}

/// Replaces what has this shape: # is a digit, @ a digit of a hash.
fn reshape(text: &str, shape: &str, with: &str) -> String {
    let fits = |place: &str| {
        place.is_char_boundary(shape.len().min(place.len()))
            && place.len() >= shape.len()
            && shape.bytes().zip(place.bytes()).all(|(shape, byte)| match shape {
                b'#' => byte.is_ascii_digit(),
                b'@' => byte.is_ascii_hexdigit(),
                _ => shape == byte,
            })
    };
    let (mut shaped, mut rest) = (String::new(), text);
    while let Some(character) = rest.chars().next() {
        if fits(rest) {
            shaped += with;
            rest = &rest[shape.len()..];
        } else {
            shaped.push(character);
            rest = &rest[character.len_utf8()..];
        }
    }
    shaped
}

/// Replaces numbers between these words.
fn renumber(text: &str, before: &str, after: &str, with: &str) -> String {
    let mut parts = text.split(after);
    let mut renumbered = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let head = renumbered.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
        if head.ends_with(before) && head.len() < renumbered.len() {
            renumbered = format!("{head}{with}");
        }
        renumbered = renumbered + after + part;
    }
    renumbered
}
