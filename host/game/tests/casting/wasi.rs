//! Components that other toolchains built, in a world that admits WASI and in one that does not. Their sources are beside them.

use crate::guest::{SEED, loader, runtime};
use expect_test::{Expect, expect};
use game::recording::{Recording, in_words, replay};
use game::{Game, LoadError, LoadedRevision, Runtime};
use sim::inbound::CastRequest;
use sim::{EntityId, Inbound, Outbound, Thoroughness, Vec3};
use spell_runtime::{Boundary, artifact, compile};

/// Rust's standard library for wasm32-wasip2.
const SUNDIAL: &[u8] = include_bytes!("../../../spell-runtime/tests/toolchains/sundial.wasm");
/// C, by zig, through the adapter of WASI's first version.
const METRONOME: &[u8] = include_bytes!("../../../spell-runtime/tests/toolchains/metronome.wasm");
const REVISION: &str = "rev_000001_00000000";

#[test]
fn a_component_that_needs_wasi_is_refused_unless_the_world_admits_it() {
    let runtime = runtime();
    for component in [SUNDIAL, METRONOME] {
        let artifact = sign(component);
        let refused = loader(&runtime).load("foreign", REVISION, &artifact).expect_err("not admitted");
        assert!(matches!(refused, LoadError::Wasi));
        assert_eq!(refused.to_string(), "component imports wasi:*, which this world does not admit");
        assert!(loader(&runtime).admitting_wasi(true).load("foreign", REVISION, &artifact).is_ok());
    }
}

#[test]
fn rusts_standard_library_finds_the_tick_the_seed_the_log_and_nothing_else() {
    check(
        SUNDIAL,
        expect![[r#"
        info: cast by 6 at 16.666666ms
        info: [3, 4, 5, 2, 0, 1], 678e0f33c4693e20
        info: arguments 0, variables 0
        error: /etc/passwd: No such file or directory (os error 44)
        info: a line without an end16 ms old, 8c83ea5229b2513c
        info: 316 ms old, 9506305b4ae4de8e
        rev_000001_00000000 broke wait in on-event: on-event: waited for 3600 s inside a call; a spell waits by a timer
    "#]],
    );
}

#[test]
fn cs_library_does_too() {
    check(
        METRONOME,
        expect![[r#"
        info: cast by 6 in tick 1, with {"bpm": 60}
        info: the clock says 0.016666666 s
        rev_000001_00000000 broke wait in on-tick: on-tick: waited for 3600 s inside a call; a spell waits by a timer
    "#]],
    );
}

#[test]
fn a_replay_draws_the_same_numbers_and_tells_the_same_time() {
    let runtime = runtime();
    let mut place = Place::new(&runtime, SUNDIAL);
    place.game.record();
    place.step(&[Inbound::Checkpoint(Thoroughness::Whole)]);
    let mut told = place.cast();
    told.extend(place.run(7));
    // In the middle of the cast: from here on a loaded world goes on with the same stream.
    told.extend(place.step(&[Inbound::Checkpoint(Thoroughness::Whole)]));
    let stored = place.game.take_checkpoint().expect("one was asked for").over(None);
    let (mut loaded, dropped) = Game::load(stored, [load(&runtime, SUNDIAL)]).expect("a world of ours");
    assert_eq!(dropped, []);
    let rest = place.run(20);
    assert!(lines(&rest).len() > 10);
    let of_loaded: Vec<Outbound> = (0..20).flat_map(|_| loaded.step(&[], &mut |_| ())).collect();
    assert_eq!(lines(&of_loaded), lines(&rest));
    told.extend(rest);

    let recording = place.game.recording().expect("it is recorded").encode().expect("it is small");
    let recording = Recording::decode(&recording).expect("it is whole");
    let mut told_again = Vec::new();
    let replayed = replay(&recording, &[load(&runtime, SUNDIAL)], &mut |_, event| told_again.push(event.clone())).expect("it runs");
    assert_eq!(replayed.difference, None);
    assert!(lines(&told_again).ends_with(&lines(&told)));
}

/// Casts it once in a world that admits it, and expects what its author reads.
fn check(component: &[u8], expected: Expect) {
    let mut place = Place::new(&runtime(), component);
    let mut told = place.cast();
    told.extend(place.run(30));
    assert_eq!(place.game.casts_live(), 0, "it has come to its end");
    let mut lines = lines(&told);
    // Of the lines that it writes in each tick the first and the last say enough.
    let ticking = |line: &String| line.contains("ms old");
    let (first, last) = (lines.iter().position(ticking), lines.iter().rposition(ticking));
    if let (Some(first), Some(last)) = (first, last) {
        lines.drain(first + 1..last);
    }
    expected.assert_eq(&lines.iter().map(|line| format!("{line}\n")).collect::<String>());
}

/// A player, and the spell that is cast.
struct Place {
    game: Game,
    player: EntityId,
}

impl Place {
    fn new(runtime: &Runtime, component: &[u8]) -> Self {
        let mut game = Game::new(7);
        let activate = game.activate(load(runtime, component));
        let join = Inbound::Join { token: 1, account: "client_1".into(), username: "ann".into() };
        let joined = game.step(&[activate, join], &mut |_| ());
        let player = joined.iter().find_map(|event| if let Outbound::Joined { player, .. } = event { Some(*player) } else { None });
        Self { game, player: player.expect("who joins has joined") }
    }

    fn cast(&mut self) -> Vec<Outbound> {
        self.step(&[Inbound::Cast(CastRequest {
            caster: self.player,
            spell: "foreign".into(),
            revision: String::new(),
            target_position: Vec3::ZERO,
            target: EntityId::NONE,
            params: r#"{"bpm": 60}"#.into(),
        })])
    }

    fn step(&mut self, inbound: &[Inbound]) -> Vec<Outbound> {
        self.game.step(inbound, &mut |_| ())
    }

    fn run(&mut self, ticks: u32) -> Vec<Outbound> {
        (0..ticks).flat_map(|_| self.step(&[])).collect()
    }
}

fn lines(told: &[Outbound]) -> Vec<String> {
    told.iter().filter_map(|event| in_words(event).map(|(_, line)| line)).collect()
}

fn load(runtime: &Runtime, component: &[u8]) -> LoadedRevision {
    loader(runtime).admitting_wasi(true).load("foreign", REVISION, &sign(component)).expect("a good artifact")
}

fn sign(component: &[u8]) -> Vec<u8> {
    let compiled = compile::compile(component, Boundary::Component).expect("native code");
    artifact::sign(component, &compiled.engine_id, &compiled.code, &SEED)
}
