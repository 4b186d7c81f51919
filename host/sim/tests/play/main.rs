//! What a player or author would notice of the simulation: text in, text out.

mod bodies;
mod bonds;
mod casts;
mod combat;
mod lag;
mod life;
mod mana;
mod movement;
mod properties;
mod saving;
mod scenario;
mod scripted;
mod servants;
mod switching;
mod terrain;

use expect_test::Expect;

/// Plays a scenario (its lines are described in `scenario.rs`) and compares what it printed.
fn check(scenario: &str, expected: Expect) {
    expected.assert_eq(&scenario::play(scenario));
}
