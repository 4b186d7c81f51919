//! The example library's sources, and edits of them.

use anyhow::{Context, Result};

/// Every spell of the library.
pub const LIBRARY: [(&str, &str); 11] = [
    ("aftershock", include_str!("../../spells/aftershock/src/lib.rs")),
    ("blink", include_str!("../../spells/blink/src/lib.rs")),
    ("familiar", include_str!("../../spells/familiar/src/lib.rs")),
    ("fireball", include_str!("../../spells/fireball/src/lib.rs")),
    ("frost", include_str!("../../spells/frost/src/lib.rs")),
    ("gust", include_str!("../../spells/gust/src/lib.rs")),
    ("mend", include_str!("../../spells/mend/src/lib.rs")),
    ("rampart", include_str!("../../spells/rampart/src/lib.rs")),
    ("repel", include_str!("../../spells/repel/src/lib.rs")),
    ("totem", include_str!("../../spells/totem/src/lib.rs")),
    ("vortex", include_str!("../../spells/vortex/src/lib.rs")),
];

/// The source of one of them.
pub fn source(spell: &str) -> Result<&'static str> {
    LIBRARY
        .iter()
        .find(|(name, _)| *name == spell)
        .map(|(_, source)| *source)
        .with_context(|| format!("there is no {spell} in the library"))
}

/// The source with its first numeric constant a little smaller, by another amount for each index.
pub fn edited(source: &str, index: usize) -> Result<String> {
    let line = source.lines().find(|line| line.starts_with("const ") && line.contains(": f32 = "));
    let line = line.context("there is no constant to edit")?;
    let (head, tail) = line.split_once(" = ").context("a value")?;
    let value: f32 = tail.trim_end_matches(';').parse().with_context(|| line.to_owned())?;
    Ok(source.replacen(line, &format!("{head} = {:.4};", value * (1.0 - 0.0001 * (index + 1) as f32)), 1))
}
