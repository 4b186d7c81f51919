//! An entry of a spell's log, as one line.

use crate::plain;
use serde_json::Value;

/// The line. All that is in it may come from a spell.
pub fn render(entry: &Value) -> String {
    let word = |key: &str| entry[key].as_str().unwrap_or_default();
    let what = match word("report") {
        "line" => format!("{}: {}", word("level"), word("text")),
        "fault" => format!("stopped by {} in {}: {}", word("limit"), word("hook"), word("message")),
        "not_migrated" => format!("not migrated to {}: {}", word("to"), word("message")),
        "quarantined" => format!("in quarantine: {}", word("message")),
        "refused" => format!("refused: {}", word("message")),
        // Of a server that is newer than this.
        _ => entry.to_string(),
    };
    let tick = entry["tick"].as_u64().map(|tick| format!(" tick {tick}")).unwrap_or_default();
    plain::line(&format!("{} {}{tick} {} {what}", word("at"), word("world_id"), word("revision_id")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(mut entry: Value, expected: &str) {
        for (key, value) in [("at", "2026-11-26T10:00:00.000Z"), ("world_id", "world_1"), ("revision_id", "rev_1")] {
            entry[key] = value.into();
        }
        assert_eq!(render(&entry), format!("2026-11-26T10:00:00.000Z world_1{expected}"));
    }

    #[test]
    fn an_entry_is_one_line_whatever_is_in_it() {
        check(
            json!({ "report": "line", "tick": 7, "level": "info", "text": "a\nb\u{1b}[2J \"it's\"" }),
            " tick 7 rev_1 info: a\\nb\\u{1b}[2J \"it's\"",
        );
        check(
            json!({ "report": "fault", "tick": 7, "limit": "fuel", "hook": "on-tick", "message": "ran out" }),
            " tick 7 rev_1 stopped by fuel in on-tick: ran out",
        );
        check(json!({ "report": "not_migrated", "tick": 7, "to": "rev_2", "message": "m" }), " tick 7 rev_1 not migrated to rev_2: m");
        check(json!({ "report": "quarantined", "message": "m" }), " rev_1 in quarantine: m");
        check(json!({ "report": "refused", "message": "m" }), " rev_1 refused: m");
    }
}
