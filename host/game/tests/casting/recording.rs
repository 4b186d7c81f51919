//! What was recorded comes out the same when it is run again, and what was changed is named.

use crate::guest::{BOLT, COUNTER, Guest, IDLE, LOOP, SEED, SPIN, free_game, load};
use game::limits::RECORDED_TICKS;
use game::recording::{Recording, RecordingError, Replayed, replay};
use game::{Game, LoadedRevision, Loader, PublicKey, Runtime};
use sim::inbound::{CastRequest, Input};
use sim::{EntityId, Inbound, Outbound, Thoroughness, Vec3};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

const PLAYERS: u64 = 24;
const TRAP: Guest = Guest { on_tick: "unreachable", ..IDLE };
/// What a game server does.
const SAVE_INTERVAL_TICKS: u64 = 45;

/// A recorded world, and all that its ticks told since the recording began.
struct Session {
    game: Game,
    players: Vec<EntityId>,
    spells: Vec<&'static str>,
    told: Vec<(u64, Outbound)>,
}

impl Session {
    fn new(runtime: &Runtime, spells: &[(&'static str, Guest)]) -> Self {
        let mut game = free_game(7);
        game.record();
        let mut inbound: Vec<Inbound> =
            spells.iter().map(|(spell, guest)| game.activate(load(runtime, spell, "rev_000001_00000000", *guest))).collect();
        inbound.extend((0..PLAYERS).map(|token| Inbound::Join {
            token,
            account: format!("account {token}"),
            username: format!("player {token}"),
        }));
        let joined = game.step(&inbound, &mut |_| ());
        let players =
            joined.iter().filter_map(|event| if let Outbound::Joined { player, .. } = event { Some(*player) } else { None }).collect();
        Self { game, players, spells: spells.iter().map(|(spell, _)| *spell).collect(), told: Vec::new() }
    }

    fn run(&mut self, ticks: u64) {
        for _ in 0..ticks {
            let tick = self.game.world().tick();
            let mut inbound: Vec<Inbound> = self.players.iter().flat_map(|player| self.moves(*player, tick + 7 * player.0)).collect();
            if tick.is_multiple_of(SAVE_INTERVAL_TICKS) {
                inbound.push(Inbound::Checkpoint(Thoroughness::InPassing));
            }
            self.step(&inbound);
        }
    }

    fn step(&mut self, inbound: &[Inbound]) {
        let tick = self.game.world().tick();
        let outbound = self.game.step(inbound, &mut |_| ());
        self.told.extend(outbound.into_iter().map(|event| (tick, event)));
        self.game.take_checkpoint();
    }

    fn moves(&self, player: EntityId, turn: u64) -> Vec<Inbound> {
        let (aim, movement) = (Vec3::new((turn % 5) as f32 - 2.0, 0.1, -1.0), Vec3::new(0.0, 0.0, (turn % 3) as f32 - 1.0));
        let (fire, jump, seen_tick) = (turn.is_multiple_of(4), turn.is_multiple_of(9), self.game.world().tick().saturating_sub(turn % 40));
        let input = Input { sequence: turn as u32, movement, aim, sprint: false, fire, jump, seen_tick };
        let cast = turn.is_multiple_of(11).then(|| {
            Inbound::Cast(CastRequest {
                caster: player,
                spell: self.spells[(turn / 11) as usize % self.spells.len()].into(),
                revision: String::new(),
                target_position: Vec3::ZERO,
                target: EntityId::NONE,
                params: "{}".into(),
            })
        });
        std::iter::once(Inbound::Input { player, input }).chain(cast).collect()
    }

    /// As it comes out of a file.
    fn recording(&self) -> Recording {
        let bytes = self.game.recording().expect("it is recorded").encode().expect("it is small");
        Recording::decode(&bytes).expect("it is whole")
    }
}

/// Compiled anew of the components that the recording holds.
fn revisions(recording: &Recording, runtime: &Runtime) -> Vec<LoadedRevision> {
    let loader = Loader::new(runtime.clone(), PublicKey::of_seed(&SEED));
    let load = |recorded: &game::recording::Recorded| {
        let compiled = spell_runtime::compile::compile(&recorded.component, recorded.boundary).expect("it was compiled before");
        let artifact = spell_runtime::artifact::sign(&recorded.component, &compiled.engine_id, &compiled.code, &SEED);
        loader.load(&recorded.spell, &recorded.revision, &artifact).expect("it was loaded before")
    };
    recording.revisions().iter().map(load).collect()
}

/// What came of it on so many threads, and what it told.
fn run(recording: &Recording, revisions: &[LoadedRevision], threads: usize) -> (Replayed, Vec<(u64, Outbound)>) {
    let mut told = Vec::new();
    let replayed = game::threads(threads)
        .expect("threads")
        .install(|| replay(recording, revisions, &mut |tick, event| told.push((tick, event.clone()))))
        .expect("it runs");
    (replayed, told)
}

#[test]
fn the_last_minute_of_a_hostile_session_is_the_same_on_one_thread_and_on_three() {
    let runtime = Runtime::new(512).expect("a small runtime");
    let spells = [("bolt", BOLT), ("counter", COUNTER), ("spin", SPIN), ("loop", LOOP), ("trap", TRAP)];
    let mut session = Session::new(&runtime, &spells);
    session.run(1_500);
    // A new revision while it is recorded.
    let activate = session.game.activate(load(&runtime, "counter", "rev_000002_00000001", IDLE));
    session.step(&[activate]);
    session.run(3_500);
    let recording = session.recording();
    assert!((3_600..6_000).contains(&recording.ticks()), "{} ticks", recording.ticks());
    assert_eq!(recording.first_tick() + recording.ticks() as u64, session.game.world().tick());
    let faults =
        session.told.iter().filter(|(tick, event)| *tick >= recording.first_tick() && matches!(event, Outbound::CastFaulted { .. }));
    assert!(faults.count() > 100, "the session is hostile");

    let revisions = revisions(&recording, &runtime);
    let (one, told) = run(&recording, &revisions, 1);
    assert_eq!(one, Replayed { ticks: recording.ticks() as u64, difference: None });
    let (three, told_again) = run(&recording, &revisions, 3);
    assert_eq!(three, one);
    assert!(told == told_again, "the same is told");
    session.told.retain(|(tick, _)| *tick >= recording.first_tick());
    assert!(told == session.told, "what was told is told again");
}

#[test]
fn a_recorder_that_is_asked_for_more_than_a_minute_keeps_more() {
    let mut game = Game::new(7);
    game.record_ticks(2 * RECORDED_TICKS);
    let ticks = 2 * RECORDED_TICKS as u64;
    for tick in 0..ticks {
        let due = tick.is_multiple_of(SAVE_INTERVAL_TICKS).then_some(Inbound::Checkpoint(Thoroughness::InPassing));
        game.step(due.as_slice(), &mut |_| ());
        game.take_checkpoint();
    }
    let recording = game.recording().expect("it is recorded");
    // The first tick is the checkpoint that it begins with.
    assert_eq!((recording.first_tick(), recording.ticks() as u64), (1, ticks - 1));
}

#[test]
fn a_minute_of_going_to_and_fro_between_two_revisions_holds_each_once() {
    let runtime = Runtime::new(64).unwrap();
    let mut session = Session::new(&runtime, &[("counter", COUNTER)]);
    session.players.clear();
    let names = ["rev_000001_00000000", "rev_000002_00000000"];
    let mut most = 0;
    for turn in 0..3 * RECORDED_TICKS as u64 / 100 {
        // Loaded anew each time, as from an artifact that came again.
        let inbound = session.game.activate(load(&runtime, "counter", names[turn as usize % 2], COUNTER));
        session.step(&[inbound]);
        session.run(99);
        most = most.max(session.game.recorded_bytes());
    }
    let recording = session.recording();
    let components: usize = recording.revisions().iter().map(|recorded| recorded.component.len()).sum();
    assert_eq!(recording.revisions().len(), 2);
    assert!(most - components < 2 * RECORDED_TICKS * 64, "{most} bytes, of which {components} are the two components");
}

#[test]
fn what_time_has_ended_ends_in_the_replay_too() {
    let runtime = Runtime::new(512).expect("a small runtime");
    let mut session = Session::new(&runtime, &[("loop", LOOP), ("counter", COUNTER)]);
    session.run(50);
    let (tick, done) = (runtime.epoch_ticker(), Arc::new(AtomicBool::new(false)));
    let seen = done.clone();
    // Epochs without a pause: the deadline of a call passes as soon as it can.
    let clock = std::thread::spawn(move || {
        while !seen.load(Ordering::Relaxed) {
            tick();
        }
    });
    session.run(300);
    done.store(true, Ordering::Relaxed);
    clock.join().expect("the clock has no way to fail");
    session.run(50);
    let late = |told: &[(u64, Outbound)], from: u64| {
        let late = |event: &Outbound| matches!(event, Outbound::CastFaulted { fault, .. } if fault.limit == "time");
        told.iter().filter(|(tick, event)| *tick >= from && late(event)).count()
    };
    let recording = session.recording();
    let ended = late(&session.told, recording.first_tick());
    assert!(ended > 0, "no call was ended by time");
    let (replayed, told) = run(&recording, &revisions(&recording, &runtime), 2);
    assert_eq!(replayed, Replayed { ticks: recording.ticks() as u64, difference: None });
    assert_eq!(late(&told, 0), ended);
}

#[test]
fn another_revision_comes_out_otherwise_and_the_part_is_named() {
    let runtime = Runtime::new(512).expect("a small runtime");
    let mut session = Session::new(&runtime, &[("bolt", BOLT)]);
    session.run(200);
    let recording = session.recording();
    let changed: Vec<LoadedRevision> =
        recording.revisions().iter().map(|recorded| load(&runtime, &recorded.spell, &recorded.revision, IDLE)).collect();
    let (replayed, _) = run(&recording, &changed, 1);
    let difference = replayed.difference.expect("a bolt that is not launched makes a difference");
    assert!(difference.tick > recording.first_tick() && replayed.ticks < recording.ticks() as u64, "{difference:?}");
    let missing = replay(&recording, &[], &mut |_, _| ());
    assert!(matches!(missing, Err(RecordingError::Revision(spell, _)) if spell == "bolt"));
}

#[test]
fn a_damaged_file_is_refused() {
    let runtime = Runtime::new(64).expect("a small runtime");
    let mut session = Session::new(&runtime, &[("bolt", BOLT)]);
    session.run(60);
    let bytes = session.game.recording().expect("it is recorded").encode().expect("it is small");
    assert!(matches!(Recording::decode(b"ugc-recording 0\n..."), Err(RecordingError::Magic)));
    assert!(matches!(Recording::decode(&bytes[..bytes.len() / 2]), Err(RecordingError::Damaged(_))));
    for flip in 0..200 {
        let (mut damaged, at) = (bytes.clone(), 16 + flip * 7_919 % (bytes.len() - 16));
        damaged[at] ^= 1 << (flip % 8);
        let read = Recording::decode(&damaged);
        // A bit of zstd's own header may be in no use.
        assert!(read.is_err() || read.is_ok_and(|read| read.ticks() == 60), "byte {at}");
    }
}

#[test]
fn nothing_is_kept_of_a_world_that_nobody_records() {
    let mut game = free_game(7);
    game.step(&[Inbound::Checkpoint(Thoroughness::Whole)], &mut |_| ());
    assert!(game.recording().is_none());
}
