//! What the page can call. Bytes go in by [`input`], and come out where [`output`] says, until the next call; a call that has some answers how many.
//!
//! What is said once in a while crosses as the JSON of `ugc.v1.json`, in both directions, so that the page need not know a second encoding; what is said
//! sixty times a second crosses as numbers.

use crate::game::{Game, Ray, Received};
use crate::limits::DELAY_TICKS;
use crate::mesh::{Volume, mesh};
use crate::prediction::Agreement;
use protocol::client::InputFrame;
use protocol::{Sha256Hex, v1, v2};
use sim::Vec3;
use std::cell::RefCell;

thread_local! {
    static GAME: RefCell<Game> = RefCell::default();
    static INPUT: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    static OUTPUT: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    static OUTGOING: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// Answered instead of a length: what came in is nothing that is known here.
const REFUSED: i32 = -1;
const SPRINT: u32 = 1;
const FIRE: u32 = 2;
const JUMP: u32 = 4;

/// Room for so many bytes that come in with the next call.
// SAFETY (of this name and those below): nothing else here is called so; the module is linked with nothing that could be.
#[unsafe(no_mangle)]
pub extern "C" fn input(bytes: usize) -> *mut u8 {
    INPUT.with_borrow_mut(|input| {
        input.resize(bytes, 0);
        input.as_mut_ptr()
    })
}

/// Where the bytes of the last answer lie.
#[unsafe(no_mangle)]
pub extern "C" fn output() -> *const u8 {
    OUTPUT.with_borrow(|output| output.as_ptr())
}

/// A new connection: nothing of the one before is true any more.
#[unsafe(no_mangle)]
pub extern "C" fn begin() {
    GAME.take();
    OUTGOING.take();
}

/// Takes in a frame of the server's. Answers the message in it as JSON, nothing for snapshots and chunks.
#[unsafe(no_mangle)]
pub extern "C" fn receive(now_ms: f64) -> i32 {
    match GAME.with_borrow_mut(|game| INPUT.with_borrow(|frame| game.receive(frame, now_ms))) {
        Received::Message(text) => answer(text.into_bytes()),
        Received::Taken => 0,
        Received::Unknown => REFUSED,
    }
}

/// A message of ours, as JSON, as a frame.
#[unsafe(no_mangle)]
pub extern "C" fn encode() -> i32 {
    let message = INPUT.with_borrow(|text| v1::decode_client(str::from_utf8(text).ok()?).ok());
    message.map_or(REFUSED, |message| answer(v2::encode_client(&message)))
}

/// One tick of the player. Answers the frame to send, if any.
#[unsafe(no_mangle)]
pub extern "C" fn step(right: f32, back: f32, aim_x: f32, aim_y: f32, aim_z: f32, buttons: u32, now_ms: f64) -> i32 {
    let controls = InputFrame {
        client_tick: 0,
        server_tick_ack: 0,
        sequence_id: 0,
        movement: [right, 0.0, back],
        aim_direction: [aim_x, aim_y, aim_z],
        sprint: buttons & SPRINT != 0,
        fire: buttons & FIRE != 0,
        interact: false,
        jump: buttons & JUMP != 0,
    };
    answer(GAME.with_borrow_mut(|game| game.step(&controls, now_ms)).unwrap_or_default())
}

/// Ticks that the page slept through.
#[unsafe(no_mangle)]
pub extern "C" fn skip(ticks: u32) {
    GAME.with_borrow_mut(|game| game.skip(ticks));
}

/// The next frame that the core has to send by itself, if any.
#[unsafe(no_mangle)]
pub extern "C" fn outgoing() -> i32 {
    OUTGOING.with_borrow_mut(|outgoing| {
        if outgoing.is_empty() {
            *outgoing = GAME.with_borrow_mut(Game::outgoing);
            // The first one is taken first.
            outgoing.reverse();
        }
        answer(outgoing.pop().unwrap_or_default())
    })
}

/// What is to be drawn, as 64-bit floats: the player's place (3), velocity (3), whether it stands, the tick at which others are drawn; then, of each other
/// entity, id, kind, place (3), rotation (x, y, z, w) and health.
#[unsafe(no_mangle)]
pub extern "C" fn scene(now_ms: f64, share: f32) -> i32 {
    GAME.with_borrow_mut(|game| {
        let (place, motion) = (game.own_place(share), *game.own_motion());
        let mut numbers: Vec<f64> = place.to_array().into_iter().chain(motion.velocity.to_array()).map(f64::from).collect();
        numbers.extend([f64::from(u8::from(motion.grounded)), game.drawn_tick(now_ms)]);
        for drawn in game.others(now_ms, share) {
            let pose = drawn.pose;
            numbers.extend([drawn.id as f64, drawn.kind.into()]);
            numbers.extend(pose.position.to_array().into_iter().chain(pose.rotation.to_array()).map(f64::from));
            numbers.push(pose.health.into());
        }
        answer_numbers(&numbers)
    })
}

/// How far the ground is along a ray, metres; below 0 if there is none.
#[unsafe(no_mangle)]
pub extern "C" fn look(x: f32, y: f32, z: f32, to_x: f32, to_y: f32, to_z: f32) -> f32 {
    let ray = Ray { start: Vec3::new(x, y, z), direction: Vec3::new(to_x, to_y, to_z).normalize_or_zero() };
    GAME.with_borrow(|game| game.look(ray)).map_or(-1.0, |contact| contact.distance)
}

/// A chunk that is to be drawn again: its coordinates (three 32-bit integers), and its volume, or nothing if it is gone.
#[unsafe(no_mangle)]
pub extern "C" fn next_stale() -> i32 {
    let Some((id, volume)) = GAME.with_borrow_mut(Game::next_stale) else { return 0 };
    let mut bytes: Vec<u8> = id.0.iter().flat_map(|coordinate| coordinate.to_le_bytes()).collect();
    bytes.extend(volume.iter().flat_map(|volume| volume.as_bytes()));
    answer(bytes)
}

/// The quads of a volume: how many bytes are of what hides (32 bits), those, and the bytes of what one sees through.
#[unsafe(no_mangle)]
pub extern "C" fn mesh_volume() -> i32 {
    let Some(volume) = INPUT.with_borrow(|bytes| Volume::from_bytes(bytes)) else { return REFUSED };
    let mesh = mesh(&volume);
    let opaque_bytes = (mesh.opaque.len() as u32).to_le_bytes();
    answer([&opaque_bytes[..], &mesh.opaque, &mesh.clear].concat())
}

/// The SHA-256 of what came in, as 64 hex digits. Browsers have one of their own, but only for pages that are secure.
#[unsafe(no_mangle)]
pub extern "C" fn sha256() -> i32 {
    answer(INPUT.with_borrow(|bytes| Sha256Hex::of(bytes).as_str().as_bytes().to_vec()))
}

/// The overlay's figures, as 64-bit floats, in the order in which they are written here.
#[unsafe(no_mangle)]
pub extern "C" fn stats(now_ms: f64) -> i32 {
    let (stats, drawn_tick) = GAME.with_borrow(|game| (game.stats(), game.drawn_tick(now_ms)));
    let (corrections, digest) =
        (stats.corrections, |which: fn(&Agreement) -> u32| stats.agreement.as_ref().map_or(-1.0, |agreement| which(agreement).into()));
    answer_numbers(&[
        stats.tick as f64,
        stats.sequence.into(),
        stats.pending as f64,
        corrections.count.into(),
        corrections.late.into(),
        corrections.last_m.into(),
        corrections.largest_m.into(),
        stats.chunks as f64,
        stats.chunks_wrong.into(),
        stats.entities as f64,
        stats.snapshots_lost.into(),
        stats.health.into(),
        f64::from(u8::from(stats.on_known_ground)),
        // Before any snapshot, the delay is what it will be.
        if stats.tick == 0 { DELAY_TICKS } else { stats.tick as f64 - drawn_tick },
        // Below 0 before the first comparison.
        digest(|agreement| agreement.server),
        digest(|agreement| agreement.here),
    ])
}

fn answer(bytes: Vec<u8>) -> i32 {
    let length = bytes.len() as i32;
    OUTPUT.set(bytes);
    length
}

fn answer_numbers(numbers: &[f64]) -> i32 {
    answer(numbers.iter().flat_map(|number| number.to_le_bytes()).collect())
}
