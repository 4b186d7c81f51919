//! The price of consequences, in mana: what a cast costs by its envelope alone, and what it takes from its caster while it lives. Version 0.1.0 of the interface
//! keeps these prices for ever.
//!
//! A player of a world with the usual settings has 100 and gets 10 a second back. `docs/spells.md` shows this table; a test keeps it there.

use crate::envelope::{Capability, DurationMode, Envelope, FrequencyMode, ReversibilityClass, School};
use crate::limits::CALL_FUEL_MAX;
use crate::types::{Intent, Status};
use serde::Serialize;

/// What a cast costs, as its envelope alone says.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Cost {
    /// When it begins.
    pub cast_mana: f32,
    /// The most that it can come to in all by the fuel of its hooks, the effects apart: if every call that the envelope's frequency allows spends all its fuel.
    pub worst_case: f32,
}

/// A cast at all.
const CAST: f32 = 2.0;
/// For each metre of the envelope's radius.
const METRE: f32 = 0.125;
/// For the square root of each second of its duration.
const ROOT_SECOND: f32 = 1.0;
/// For each call a second that its frequency allows.
const HERTZ: f32 = 0.05;
/// For each entity that it may touch or make, if it can do anything to any.
const ENTITY: f32 = 0.05;
/// For each player that it may touch, likewise.
const PLAYER: f32 = 0.25;
/// For each voxel that it may change.
const VOXEL: f32 = 1.0 / 256.0;
/// For each chunk that it may change in a tick.
const CHUNK: f32 = 0.1;
/// Capabilities; the others cost nothing.
const CAPABILITIES: [(Capability, f32); 10] = [
    (Capability::Damage, 3.0),
    (Capability::Heal, 3.0),
    (Capability::MoveEntities, 2.0),
    (Capability::SpawnEntities, 3.0),
    (Capability::SummonNpc, 8.0),
    (Capability::ModifyTerrain, 5.0),
    (Capability::ModifyStats, 3.0),
    (Capability::NetworkEmit, 0.5),
    (Capability::Storage, 0.5),
    (Capability::CrossChunk, 2.0),
];
/// Factors for what cannot be undone.
const PARTIALLY: f32 = 1.1;
const IRREVERSIBLE: f32 = 1.25;
/// Factor for a spell that others can counter.
const COUNTERABLE: f32 = 0.9;

/// For each unit of fuel, the host's work included: a call that spends its million costs what half a second gives back.
pub const FUEL_UNIT: f32 = 5e-6;

/// What a cast of such an envelope costs.
pub fn cost(envelope: &Envelope) -> Cost {
    let Envelope { scope, duration, frequency, capabilities, reversibility, school, .. } = envelope;
    let has = |capability| capabilities.has(capability);
    let acts = CAPABILITIES[..5].iter().chain(&CAPABILITIES[6..7]).any(|(capability, _)| has(*capability));
    let edits = has(Capability::ModifyTerrain);
    let seconds = match duration.mode {
        DurationMode::Instant => 0.0,
        DurationMode::Timed => duration.seconds,
        DurationMode::Persistent => duration.max_seconds,
    };
    let parts = [
        CAST,
        scope.radius_m * METRE,
        seconds.sqrt() * ROOT_SECOND,
        frequency.max_hz * HERTZ,
        if acts { scope.max_entities as f32 * ENTITY + f32::from(scope.max_players) * PLAYER } else { 0.0 },
        if edits { scope.max_voxels as f32 * VOXEL + f32::from(scope.max_chunks) * CHUNK } else { 0.0 },
        CAPABILITIES.iter().filter(|(capability, _)| has(*capability)).map(|(_, mana)| mana).sum(),
    ];
    let lasting = match reversibility.class {
        ReversibilityClass::Fully | ReversibilityClass::Time => 1.0,
        ReversibilityClass::Partially => PARTIALLY,
        ReversibilityClass::Irreversible => IRREVERSIBLE,
    };
    let counterable = if *school == School::None { 1.0 } else { COUNTERABLE };
    let cast_mana = parts.iter().sum::<f32>() * lasting * counterable;
    let calls = 1.0 + if frequency.mode == FrequencyMode::OneShot { 0.0 } else { (seconds * frequency.max_hz).ceil() };
    Cost { cast_mana, worst_case: cast_mana + calls * CALL_FUEL_MAX as f32 * FUEL_UNIT }
}

/// What an intent takes that was granted, beside the fuel of the call.
pub(crate) fn impact(intent: &Intent) -> f32 {
    match intent {
        Intent::Damage { amount, .. } => amount * DAMAGE.mana,
        Intent::Heal { amount, .. } => amount * HEAL.mana,
        Intent::Push { impulse, .. } => impulse.iter().map(|axis| axis * axis).sum::<f32>().sqrt() * PUSH.mana,
        Intent::Teleport { .. } => TELEPORT.mana,
        Intent::Afflict { status, seconds, .. } => {
            let health = match status {
                Status::Slow(_) | Status::Root => 0.0,
                Status::Shield(amount) => *amount * HEAL.mana,
                Status::Burn(per_second) => per_second * seconds * DAMAGE.mana,
            };
            seconds * STATUS.mana + health
        }
        Intent::Launch { projectile, .. } => LAUNCH.mana + projectile.damage * DAMAGE.mana,
        Intent::Spawn { .. } => BODY.mana,
        Intent::Scatter { debris, .. } => f32::from(debris.count) * DEBRIS.mana,
        Intent::Join { .. } => JOINT.mana,
        Intent::Field { field, .. } => field.seconds * FIELD.mana,
        Intent::Summon { .. } => SUMMON.mana,
        Intent::Terraform { voxels, .. } => *voxels as f32 * TERRAFORM.mana,
        Intent::Say { .. } => SAY.mana,
        Intent::Send { .. } | Intent::Store { .. } => SEND.mana,
        Intent::Dispel { .. } => DISPEL.mana,
        Intent::Cue { .. } => CUE.mana,
        Intent::Command { .. } | Intent::Despawn { .. } | Intent::SetTimer { .. } | Intent::Log { .. } => 0.0,
    }
}

/// One line of what effects take.
pub struct Effect {
    /// For what.
    pub what: &'static str,
    /// How much.
    pub mana: f32,
}

/// All of them.
pub const EFFECTS: [&Effect; 16] =
    [&DAMAGE, &HEAL, &PUSH, &TELEPORT, &STATUS, &LAUNCH, &BODY, &DEBRIS, &JOINT, &FIELD, &SUMMON, &TERRAFORM, &SAY, &SEND, &DISPEL, &CUE];

const DAMAGE: Effect = Effect { what: "each point of damage: dealt, carried by a projectile, or burnt", mana: 0.05 };
const HEAL: Effect = Effect { what: "each point healed or shielded", mana: 0.05 };
const PUSH: Effect = Effect { what: "each newton second of an impulse", mana: 0.0002 };
const TELEPORT: Effect = Effect { what: "a teleport", mana: 2.0 };
const STATUS: Effect = Effect { what: "each second of a status", mana: 0.2 };
const LAUNCH: Effect = Effect { what: "a projectile", mana: 0.5 };
const BODY: Effect = Effect { what: "a body", mana: 0.5 };
const DEBRIS: Effect = Effect { what: "a piece of debris", mana: 0.05 };
const JOINT: Effect = Effect { what: "a joint", mana: 0.5 };
const FIELD: Effect = Effect { what: "each second of a force field", mana: 0.5 };
const SUMMON: Effect = Effect { what: "an NPC", mana: 5.0 };
const TERRAFORM: Effect = Effect { what: "each voxel that an edit may change", mana: 0.005 };
const SAY: Effect = Effect { what: "a text", mana: 0.2 };
const SEND: Effect = Effect { what: "a message to other casts, a value kept", mana: 0.1 };
const DISPEL: Effect = Effect { what: "a dispel", mana: 2.0 };
const CUE: Effect = Effect { what: "a cue", mana: 0.02 };

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envelope::{Capabilities, Duration, Frequency, Schools};
    use std::path::Path;

    fn envelope(radius_m: f32, seconds: f32, hz: f32, capabilities: &[Capability]) -> Envelope {
        let mut envelope = Envelope { capabilities: Capabilities::of(capabilities), ..Envelope::default() };
        envelope.scope.radius_m = radius_m;
        let mode = if seconds > 0.0 { DurationMode::Timed } else { DurationMode::Instant };
        envelope.duration = Duration { mode, seconds, max_seconds: seconds };
        let mode = if hz > 0.0 { FrequencyMode::Tick } else { FrequencyMode::OneShot };
        envelope.frequency = Frequency { mode, max_hz: hz };
        envelope
    }

    /// The worked examples of `docs/spells.md`.
    #[test]
    fn worked_examples() {
        use Capability::{Damage, ModifyTerrain, MoveEntities, ReadWorld, SpawnEntities};
        // The least: 2 + 12 m * 0.125.
        let look = envelope(12.0, 0.0, 0.0, &[ReadWorld]);
        assert_eq!(cost(&look), Cost { cast_mana: 3.5, worst_case: 8.5 });
        // 2 + 64 * 0.125 + 2 (the root of 4 s) + 16 * 0.05 + 8 * 0.25 + 3 + 3.
        let mut ball = envelope(64.0, 4.0, 0.0, &[ReadWorld, Damage, SpawnEntities]);
        assert!((cost(&ball).cast_mana - 20.8).abs() < 1e-4);
        // One that can be countered costs a tenth less.
        (ball.school, ball.counters) = (School::Fire, Schools(0));
        assert!((cost(&ball).cast_mana - 18.72).abs() < 1e-4);
        // 2 + 16 * 0.125 + 5 + 10 * 0.05 + 0.8 + 2 + 2, and 251 calls of at most 5 mana each.
        let pull = envelope(16.0, 25.0, 10.0, &[ReadWorld, MoveEntities]);
        let Cost { cast_mana, worst_case } = cost(&pull);
        assert!((cast_mana - 14.3).abs() < 1e-4 && (worst_case - 1_269.3).abs() < 1e-2, "{cast_mana} {worst_case}");
        // (2 + 16 * 0.125 + 2,048 / 256 + 8 * 0.1 + 5) * 1.25.
        let mut wall = envelope(16.0, 0.0, 0.0, &[ReadWorld, ModifyTerrain]);
        (wall.scope.max_voxels, wall.reversibility.class) = (2_048, ReversibilityClass::Irreversible);
        assert!((cost(&wall).cast_mana - 22.25).abs() < 1e-4);
    }

    #[test]
    fn authors_read_the_prices_that_are_charged() {
        let names = |capability: &Capability| Capabilities::of(&[*capability]).names().collect::<String>();
        let capabilities: String =
            CAPABILITIES.iter().map(|(capability, mana)| format!("| `{}` | {mana} |\n", names(capability))).collect();
        let cast = format!(
            "| what the envelope declares | mana |\n|---|---|\n| a cast at all | {CAST} |\n| each metre of its radius | {METRE} |\n\
             | the square root of its seconds | {ROOT_SECOND} |\n| each call a second that its frequency allows | {HERTZ} |\n\
             | each of `max_entities`, each of `max_players`, if it can do anything to them | {ENTITY}, {PLAYER} |\n\
             | each of `max_voxels`, each of `max_chunks`, if it changes terrain | 1/256, {CHUNK} |\n{capabilities}\
             | partially, not at all reversible | times {PARTIALLY}, {IRREVERSIBLE} |\n| of a school, so that others can counter it | times {COUNTERABLE} |\n"
        );
        let effects: String = EFFECTS.iter().map(|Effect { what, mana }| format!("| {what} | {mana} |\n")).collect();
        let upkeep = format!("| while it lives | mana |\n|---|---|\n| a million units of fuel | {} |\n{effects}", FUEL_UNIT * 1e6);
        let table = format!("<!-- mana -->\n\n{cast}\n{upkeep}\n<!-- end of mana -->");
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/spells.md");
        let text = std::fs::read_to_string(&path).expect("the page");
        if text.contains(&table) {
            return;
        }
        assert!(std::env::var_os("UPDATE_EXPECT").is_some(), "docs/spells.md shows other prices: run this test with UPDATE_EXPECT=1");
        let (head, rest) = text.split_once("<!-- mana -->").expect("where the table begins");
        let (_, tail) = rest.split_once("<!-- end of mana -->").expect("where it ends");
        std::fs::write(&path, format!("{head}{table}{tail}")).expect("the page can be written");
    }
}
