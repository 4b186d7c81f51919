//! `spell logs`: what game servers report about a spell, its own lines among it.

use crate::server::{Server, refused};
use crate::{entry, events, target};
use anyhow::Result;
use protocol::SpellId;
use serde_json::Value;
use std::io::{self, Write};

/// Prints the newest entries, oldest first; goes on with each that comes, if that is wanted.
pub fn run(word: &str, follow: bool) -> Result<bool> {
    let spell = target::of_word(word)?;
    let server = Server::of_login()?;
    let log = server.get(&format!("/api/spells/{spell}/log"))?;
    let entries = log["entries"].as_array().map_or(&[][..], Vec::as_slice);
    // Whoever reads has had enough when they close the pipe.
    let mut tell = |told: &Value| writeln!(io::stdout(), "{}", entry::render(told)).is_ok();
    let is_read = entries.iter().rev().all(&mut tell);
    if follow && is_read {
        events::follow(&server, &events_path(&spell), number(entries.first()), &mut tell)?;
    }
    Ok(true)
}

/// The number of the newest entry; 0 where there is none, or no such spell yet.
pub fn newest_entry(server: &Server, spell: &SpellId) -> Result<i64> {
    match server.get(&format!("/api/spells/{spell}/log")) {
        Ok(log) => Ok(number(log["entries"].get(0))),
        Err(error) if refused(&error).is_some_and(|refused| refused.status == 404) => Ok(0),
        Err(error) => Err(error),
    }
}

/// Where further entries come from.
pub fn events_path(spell: &SpellId) -> String {
    format!("/api/spells/{spell}/log/events")
}

fn number(entry: Option<&Value>) -> i64 {
    entry.and_then(|entry| entry["entry"].as_i64()).unwrap_or(0)
}
