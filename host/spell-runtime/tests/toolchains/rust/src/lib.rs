//! Reads the clock, draws random numbers, writes lines, looks for files, waits and leaves: all by the standard library, as any program would.

wit_bindgen::generate!({ path: "../../../../../wit/since-v0.1.0", world: "spell" });

use exports::ugc::spell::hooks::{CancelReason, Cast, Event, Guest};
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use ugc::spell::intents;

struct Sundial;

static BORN: OnceLock<Instant> = OnceLock::new();

/// One byte, the interface's version, and so on: a sphere of 60 m, timed 6 s, every tick, all capabilities, 64 entities, 8 players, 8 chunks.
#[unsafe(link_section = "ugc:envelope")]
#[used]
static ENVELOPE: [u8; 44] = *b"\x01\x00\x01\x01\xff\x07\x00\x00\x00\x00\x70\x42\x00\x00\xc0\x40\x00\x00\x70\x42\
    \x00\x00\x00\x00\x40\x00\x00\x00\x08\x00\x08\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xc0\x40";

impl Guest for Sundial {
    fn init() {}

    fn on_cast(cast: Cast) {
        BORN.get_or_init(Instant::now);
        let today = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        println!("cast by {} at {today:?}", cast.caster);
        // Seeded by the cast, so that a replay hashes and iterates as the first run did.
        let squares: HashMap<u32, u32> = (0..6).map(|number| (number, number * number)).collect();
        println!("{:?}, {:016x}", squares.keys().collect::<Vec<_>>(), RandomState::new().hash_one(cast.seed));
        println!("arguments {}, variables {}", std::env::args().count(), std::env::vars().count());
        eprintln!("/etc/passwd: {}", std::fs::read("/etc/passwd").map_or_else(|error| error.to_string(), |_| "read".into()));
        let _ = intents::set_timer(7, 20);
        print!("a line without an end");
    }

    fn on_tick(_: f32) {
        println!("{} ms old, {:016x}", BORN.get_or_init(Instant::now).elapsed().as_millis(), RandomState::new().hash_one(0));
    }

    /// A timer of the world's is how a spell waits; this is how it does not.
    fn on_event(_: Event) {
        std::thread::sleep(Duration::from_secs(3600));
    }

    fn on_cancel(_: CancelReason) {
        std::process::exit(3)
    }

    fn save() -> Vec<u8> {
        Vec::new()
    }

    fn restore(_: u32, _: Vec<u8>) -> Result<(), String> {
        Ok(())
    }
}

export!(Sundial);
