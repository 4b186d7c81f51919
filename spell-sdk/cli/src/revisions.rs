//! `spell revisions`: what has been built of a spell, where it is live, and how its trial goes.

use crate::plain;
use crate::server::{Server, refused};
use crate::target;
use anyhow::Result;
use protocol::SpellId;
use serde_json::Value;

/// The columns.
const HEAD: [&str; 4] = ["revision", "channels", "parent", "built"];

/// Prints the table, newest first, and the rollout that runs or was the last.
pub fn run(word: &str) -> Result<bool> {
    let spell = target::of_word(word)?;
    let server = Server::of_login()?;
    let revisions = server.get(&format!("/api/spells/{spell}/revisions"))?;
    let (spells, drafts) = (server.get("/api/spells")?, server.get("/api/dev")?);
    let summary = spells["spells"].as_array().into_iter().flatten().find(|summary| summary["spell_id"] == spell.as_str());
    let rows: Vec<Row> = revisions["revisions"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|revision| Row::of(revision, summary.unwrap_or(&Value::Null), &drafts["drafts"][spell.as_str()]))
        .collect();
    print!("{}", table(&rows));
    if let Some(rollout) = last_rollout(&server, &spell)? {
        print!("{}", in_words(&rollout));
    }
    Ok(true)
}

/// A line of the table.
struct Row {
    cells: [String; 4],
    revoked: Option<String>,
}

impl Row {
    fn of(revision: &Value, summary: &Value, draft: &Value) -> Self {
        let id = &revision["revision_id"];
        let mut live: Vec<&str> = [("stable", "active_stable_rev"), ("beta", "active_beta_rev"), ("draft", "active_draft_rev")]
            .into_iter()
            .filter_map(|(channel, key)| (summary[key] == *id).then_some(channel))
            .collect();
        // A server lists so many spells and no more; the farthest channel it always says.
        if live.is_empty() {
            live.extend(revision["channel"].as_str());
        }
        if draft == id {
            live.push("yours");
        }
        let cells = [id, &revision["parent_revision_id"], &revision["created_at"]].map(|cell| plain::line(cell.as_str().unwrap_or("-")));
        let [id, parent, built] = cells;
        let live = if live.is_empty() { "-".to_owned() } else { plain::line(&live.join(", ")) };
        Self { cells: [id, live, parent, seconds(&built)], revoked: revision["revoked"].as_str().map(plain::line) }
    }
}

/// `2026-11-26 10:25:34` of an ISO 8601 time with milliseconds.
fn seconds(time: &str) -> String {
    time.split('.').next().unwrap_or_default().replace('T', " ")
}

fn table(rows: &[Row]) -> String {
    let head = HEAD.map(str::to_owned);
    let width =
        |column: usize| rows.iter().map(|row| &row.cells).chain([&head]).map(|cells| cells[column].chars().count()).max().unwrap_or(0);
    let widths = [0, 1, 2, 3].map(width);
    let line = |cells: &[String; 4]| {
        let cells: Vec<String> = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        cells.join("  ").trim_end().to_owned()
    };
    let mut table = line(&head) + "\n";
    for Row { cells, revoked } in rows {
        table += &line(cells);
        if let Some(reason) = revoked {
            table += &format!("  revoked: {reason}");
        }
        table.push('\n');
    }
    table
}

/// What is others' is not for us to see.
fn last_rollout(server: &Server, spell: &SpellId) -> Result<Option<Value>> {
    match server.get(&format!("/api/spells/{spell}/rollouts")) {
        Ok(rollouts) => Ok(rollouts["rollouts"].get(0).cloned()),
        Err(error) if refused(&error).is_some_and(|refused| refused.status == 403) => Ok(None),
        Err(error) => Err(error),
    }
}

fn in_words(rollout: &Value) -> String {
    let word = |value: &Value| plain::line(value.as_str().unwrap_or("-"));
    let (terms, evidence) = (&rollout["terms"], &rollout["evidence"]);
    let (number, channel, revision) = (&rollout["rollout"], word(&rollout["channel"]), word(&rollout["revision_id"]));
    let how_it_stands = match rollout["state"].as_str().unwrap_or_default() {
        "running" => format!("is running since {}", seconds(&word(&rollout["started_at"]))),
        state => format!("was {}: {}", plain::line(&state.replace('_', " ")), word(&evidence["reason"])),
    };
    let mut text = format!("\nrollout {number} of {revision} for {channel} {how_it_stands}\n");
    text += &format!(
        "  terms     {} %, by {}; {} casts and {} s at least; ",
        terms["percent"].as_f64().unwrap_or(0.0),
        word(&terms["by"]),
        terms["min_casts"],
        terms["bake_seconds"]
    );
    text += &format!("at most {} of its casts stopped", terms["max_fault_rate"]);
    match terms["max_upkeep_ratio"].as_f64() {
        Some(ratio) => text += &format!(", and {ratio} times the mana\n"),
        None => text += "\n",
    }
    for (name, of) in [("on trial", "trial"), ("active", "active")] {
        text += &tally(name, &evidence[of]);
    }
    text + &format!("  worlds    {}\n", evidence["worlds"])
}

fn tally(name: &str, tally: &Value) -> String {
    let casts = tally["casts"].as_u64().unwrap_or(0);
    let each = if casts == 0 { 0.0 } else { tally["mana"].as_f64().unwrap_or(0.0) / casts as f64 };
    format!("  {name:<9} {casts} casts, {} stopped, {each:.1} mana each beside what they cost\n", tally["faults"].as_u64().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_table_and_a_rollout_are_read_at_a_glance() {
        let summary = json!({ "active_stable_rev": "rev_1", "active_beta_rev": "rev_1", "active_draft_rev": "rev_3" });
        let revision = |id: &str, parent: Option<&str>, revoked: Option<&str>| json!({ "revision_id": id, "parent_revision_id": parent, "created_at": "2026-11-26T10:25:34.123Z", "revoked": revoked, "channel": null });
        let rows =
            [revision("rev_3", Some("rev_2"), None), revision("rev_2", Some("rev_1"), Some("bad\u{1b}[2J")), revision("rev_1", None, None)];
        let rows = rows.map(|revision| Row::of(&revision, &summary, &json!("rev_3")));
        assert_eq!(
            table(&rows),
            "revision  channels      parent  built\n\
             rev_3     draft, yours  rev_2   2026-11-26 10:25:34\n\
             rev_2     -             rev_1   2026-11-26 10:25:34  revoked: bad\\u{1b}[2J\n\
             rev_1     stable, beta  -       2026-11-26 10:25:34\n"
        );
        let rollout = json!({
            "rollout": 4, "channel": "stable", "revision_id": "rev_3", "state": "rolled_back", "started_at": "2026-11-26T10:25:34.123Z",
            "terms": { "percent": 10.0, "by": "cast", "min_casts": 50, "max_fault_rate": 0.05, "max_upkeep_ratio": 3.0, "bake_seconds": 300 },
            "evidence": { "trial": { "casts": 3, "faults": 3, "mana": 6.0 }, "active": { "casts": 0, "faults": 0, "mana": 0.0 }, "worlds": 1, "reason": "3 of 3" },
        });
        assert_eq!(
            in_words(&rollout),
            "\nrollout 4 of rev_3 for stable was rolled back: 3 of 3\n  \
             terms     10 %, by cast; 50 casts and 300 s at least; at most 0.05 of its casts stopped, and 3 times the mana\n  \
             on trial  3 casts, 3 stopped, 2.0 mana each beside what they cost\n  \
             active    0 casts, 0 stopped, 0.0 mana each beside what they cost\n  \
             worlds    1\n"
        );
    }
}
