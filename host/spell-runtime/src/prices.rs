//! Every call of the interface: what it needs and what it costs, in fuel. Version 0.1.0 of the interface keeps these prices for ever.
//!
//! One fuel is about one wasm instruction, some tenths of a nanosecond to a nanosecond. wasmtime does not meter what the host does, so each import charges here
//! before it works. Reads cost by what they return, intents by what they change. `docs/spells.md` shows this table; a test keeps it there.

#![allow(missing_docs, reason = "the constants are named after the calls, which the WIT documents")]

use crate::envelope::Capability;

/// One call of the interface.
pub struct Price {
    /// Its name in the WIT.
    pub name: &'static str,
    /// What the envelope must declare for it.
    pub needs: Option<Capability>,
    /// What it costs at least, charged before anything else is done.
    pub fuel: u64,
    /// What it costs for each of what the text says.
    pub each: u64,
    /// Of what.
    pub of: &'static str,
}

/// Crossing the boundary at all: a third of it below the component layer, twice as much through it.
const CALL: u64 = 100;
/// A query or a ray: a broad phase, and a sort or a walk.
const LOOK: u64 = 1_000;
/// A single intent: its checks look the target up.
const INTENT: u64 = 150;
/// A spawned thing: a body, its sweeps, and its share of every snapshot.
const SPAWN: u64 = 2_000;

pub const TICK: Price = Price::read("tick", 0);
/// A lookup and a record of 13 numbers.
pub const GET_ENTITY: Price = Price::read("get-entity", 100);
pub const FIND: Price = Price::read("find", LOOK).needing(Capability::ReadWorld).each(50, "entity that it answers with");
pub const RAYCAST: Price = Price::read("raycast", LOOK).needing(Capability::ReadWorld).each(20, "metre");
pub const LINE_OF_SIGHT: Price = Price::read("line-of-sight", 300).needing(Capability::ReadWorld).each(20, "metre");
pub const MATERIAL: Price = Price::read("material", 10).needing(Capability::ReadWorld);
pub const MATERIALS: Price = Price::read("materials", 0).needing(Capability::ReadWorld).each(25, "voxel");
pub const FUEL_LEFT: Price = Price::read("fuel-left", 0);

pub const MANA: Price = Price::read("mana", 0);
/// A search by spell, caster and key, and a copy.
pub const LOAD: Price = Price::read("load", 400).needing(Capability::Storage).each(1, "byte of the key and of the value");

pub const DAMAGE: Price = Price::intent("damage", 0).needing(Capability::Damage);
pub const HEAL: Price = Price::intent("heal", 0).needing(Capability::Heal);
pub const PUSH: Price = Price::intent("push", 0).needing(Capability::MoveEntities).each(100, "target");
/// The place is searched for what is in the way.
pub const TELEPORT: Price = Price::intent("teleport", 500).needing(Capability::MoveEntities);
pub const AFFLICT: Price = Price::intent("afflict", 0).needing(Capability::ModifyStats);
pub const LAUNCH: Price = Price::intent("launch", SPAWN).needing(Capability::SpawnEntities);
pub const LAUNCH_FLYING: Price = Price::intent("launch-flying", SPAWN).needing(Capability::SpawnEntities);
/// A body is fitted into the world and made a part of the physics.
pub const SPAWN_BODY: Price = Price::intent("spawn-body", 5_000).needing(Capability::SpawnEntities);
pub const SCATTER: Price = Price::intent("scatter", 0).needing(Capability::SpawnEntities).each(SPAWN, "piece");
/// The solver's work in every tick of its life.
pub const JOIN: Price = Price::intent("join", 5_000).needing(Capability::SpawnEntities);
/// A search of the grid in every tick of its life.
pub const SET_FIELD: Price = Price::intent("set-field", 4_000).needing(Capability::MoveEntities);
/// An NPC looks around, walks and searches its way for as long as it lives.
pub const SUMMON: Price = Price::intent("summon", 20_000).needing(Capability::SummonNpc);
pub const COMMAND: Price = Price::intent("command", 200).needing(Capability::SummonNpc);
/// A chunk is unpacked, packed, hashed and sent, and its collider changed.
pub const TERRAFORM: Price =
    Price::intent("terraform", 60_000).needing(Capability::ModifyTerrain).each(50, "voxel that it looks at: the box around a ball");
pub const DESPAWN: Price = Price::intent("despawn", 0);
/// It goes to every client nearby.
pub const CUE: Price = Price::intent("cue", 500).each(1, "byte of its name");
pub const SET_TIMER: Price = Price::intent("set-timer", 200);
/// It is copied for each cast that hears it.
pub const SEND: Price = Price::intent("send", 1_000).needing(Capability::NetworkEmit).each(4, "byte");
/// It goes to every client nearby.
pub const SAY: Price = Price::intent("say", 1_000).needing(Capability::NetworkEmit).each(2, "byte");
/// It is copied, counted and digested, and stands in every save.
pub const STORE: Price = Price::intent("store", 8_000).needing(Capability::Storage).each(4, "byte of the key and of the value");
pub const DISPEL: Price = Price::intent("dispel", 300).needing(Capability::ModifyStats);
/// All of a text is checked to be UTF-8, what is kept of it costs twice as much more.
pub const LOG: Price = Price::read("log", 400).each(1, "byte, and 2 more for each of the 1,024 that are kept");
pub const LOG_KEPT_BYTE: u64 = 2;
pub const FINISH: Price = Price::read("finish", 0);

/// All of them, in the order of the WIT.
pub const ALL: [&Price; 33] = [
    &TICK,
    &GET_ENTITY,
    &FIND,
    &RAYCAST,
    &LINE_OF_SIGHT,
    &MATERIAL,
    &MATERIALS,
    &FUEL_LEFT,
    &MANA,
    &LOAD,
    &DAMAGE,
    &HEAL,
    &PUSH,
    &TELEPORT,
    &AFFLICT,
    &LAUNCH,
    &LAUNCH_FLYING,
    &SPAWN_BODY,
    &SCATTER,
    &JOIN,
    &SET_FIELD,
    &SUMMON,
    &COMMAND,
    &TERRAFORM,
    &DESPAWN,
    &CUE,
    &SET_TIMER,
    &SEND,
    &SAY,
    &STORE,
    &DISPEL,
    &LOG,
    &FINISH,
];

impl Price {
    const fn read(name: &'static str, fuel: u64) -> Self {
        Self { name, needs: None, fuel: CALL + fuel, each: 0, of: "" }
    }

    const fn intent(name: &'static str, fuel: u64) -> Self {
        Self { name, needs: None, fuel: CALL + INTENT + fuel, each: 0, of: "" }
    }

    const fn needing(self, capability: Capability) -> Self {
        Self { needs: Some(capability), ..self }
    }

    const fn each(self, each: u64, of: &'static str) -> Self {
        Self { each, of, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envelope::Capabilities;
    use std::path::{Path, PathBuf};

    fn in_workspace(path: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
    }

    #[test]
    fn each_call_of_the_interface_has_its_price() {
        let wit = std::fs::read_to_string(in_workspace("wit/since-v0.1.0/spell.wit")).expect("the WIT");
        let imports = wit.split("interface reads").nth(1).and_then(|rest| rest.split("interface hooks").next()).expect("reads and intents");
        let calls: Vec<&str> = imports.lines().filter_map(|line| Some(line.trim().split_once(": func(")?.0)).collect();
        assert_eq!(calls, ALL.map(|price| price.name));
    }

    #[test]
    fn authors_read_the_prices_that_are_charged() {
        let row = |price: &&Price| {
            let needs = price.needs.map_or(String::new(), |needs| format!("`{}`", Capabilities::of(&[needs]).names().collect::<String>()));
            let each = if price.each == 0 { String::new() } else { format!("{} for each {}", price.each, price.of) };
            format!("| `{}` | {needs} | {} | {each} |\n", price.name, price.fuel)
        };
        let rows: String = ALL.iter().map(row).collect();
        let table = format!("<!-- calls -->\n\n| call | needs | fuel | and |\n|---|---|---|---|\n{rows}\n<!-- end of calls -->");
        let path = in_workspace("docs/spells.md");
        let text = std::fs::read_to_string(&path).expect("the page");
        if text.contains(&table) {
            return;
        }
        assert!(std::env::var_os("UPDATE_EXPECT").is_some(), "docs/spells.md shows other prices: run this test with UPDATE_EXPECT=1");
        let (head, rest) = text.split_once("<!-- calls -->").expect("where the table begins");
        let (_, tail) = rest.split_once("<!-- end of calls -->").expect("where it ends");
        std::fs::write(&path, format!("{head}{table}{tail}")).expect("the page can be written");
    }
}
