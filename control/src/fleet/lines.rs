//! What worlds' servers said last, for operators: the lines of their logs, and what they reported of casts. In memory, for the files have all of it.

use crate::{
    clock,
    ids::WorldId,
    limits::{SERVER_LINE_CHARS_KEPT, SERVER_LINES_KEPT, SERVER_LOGS_KEPT, SERVER_REPORT_BYTES_KEPT},
};
use serde_json::Value;
use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Mutex, PoisonError},
};

/// Of each world, the newest.
#[derive(Debug, Default)]
pub struct Lines(Mutex<BTreeMap<WorldId, Said>>);

/// What one world's server said, oldest first.
#[derive(Debug, Default, Clone)]
pub struct Said {
    /// When it said something last.
    last_ms: i64,
    /// Lines of its log.
    pub lines: VecDeque<(i64, String)>,
    /// What it reported of casts, as JSON.
    pub reports: VecDeque<(i64, Value)>,
}

impl Lines {
    /// A line of a server's log; of a longer one, its beginning.
    pub fn line(&self, world: &WorldId, line: &str) {
        let text = line.chars().take(SERVER_LINE_CHARS_KEPT).collect();
        self.with(world, |said, now_ms| push(&mut said.lines, (now_ms, text)));
    }

    /// Something that it reported; a longer one stands in its spell's log alone.
    pub fn report(&self, world: &WorldId, report: Value) {
        if report.to_string().len() <= SERVER_REPORT_BYTES_KEPT {
            self.with(world, |said, now_ms| push(&mut said.reports, (now_ms, report)));
        }
    }

    /// What a world's server said last, if it said anything.
    pub fn of(&self, world: &WorldId) -> Said {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(world).cloned().unwrap_or_default()
    }

    /// The world is gone.
    pub fn forget(&self, world: &WorldId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(world);
    }

    fn with(&self, world: &WorldId, add: impl FnOnce(&mut Said, i64)) {
        let mut worlds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !worlds.contains_key(world) && worlds.len() >= SERVER_LOGS_KEPT {
            let quietest = worlds.iter().min_by_key(|(_, said)| said.last_ms).map(|(world, _)| world.clone());
            quietest.map(|quietest| worlds.remove(&quietest));
        }
        let (said, now_ms) = (worlds.entry(world.clone()).or_default(), clock::now_ms());
        said.last_ms = now_ms;
        add(said, now_ms);
    }
}

fn push<T>(kept: &mut VecDeque<T>, newest: T) {
    if kept.len() >= SERVER_LINES_KEPT {
        kept.pop_front();
    }
    kept.push_back(newest);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_lines_of_each_world_are_kept_and_those_of_the_quietest_give_way() {
        let (lines, first) = (Lines::default(), WorldId::generate());
        for number in 0..SERVER_LINES_KEPT + 3 {
            lines.line(&first, &format!("{number} {}", "x".repeat(2 * SERVER_LINE_CHARS_KEPT)));
        }
        let said = lines.of(&first).lines;
        assert_eq!((said.len(), said[0].1.len()), (SERVER_LINES_KEPT, SERVER_LINE_CHARS_KEPT));
        assert!(said[0].1.starts_with("3 "), "{}", said[0].1);
        lines.report(&first, Value::from("y".repeat(SERVER_REPORT_BYTES_KEPT)));
        assert!(lines.of(&first).reports.is_empty());
        // The clock may stand still meanwhile: any of the older ones may be the quietest.
        for _ in 0..2 * SERVER_LOGS_KEPT {
            lines.line(&WorldId::generate(), "here");
        }
        assert_eq!(lines.0.lock().unwrap().len(), SERVER_LOGS_KEPT);
    }
}
