//! The same inputs give the same world after every tick, whoever runs it.

use crate::guest::{BOLT, CALM, Guest, IDLE, LOOP, SPIN, STRONG_BOLT, free_game, load};
use game::Runtime;
use sim::inbound::{CastRequest, Input};
use sim::{Digest, EntityId, Inbound, Outbound, Vec3};

const TICKS: u64 = 240;
/// Enough for their calls to be shared among threads.
const PLAYERS: u64 = 30;
const SPELLS: [(&str, Guest); 6] = [("bolt", BOLT), ("calm", CALM), ("spin", SPIN), ("loop", LOOP), ("seeded", SEEDED), ("trap", TRAP)];
/// Launches where its seed says.
const SEEDED: Guest = Guest {
    on_cast: "(call $launch (local.get 3) (local.get 4) (local.get 5)
        (f32.convert_i64_s (i64.rem_s (local.get 12) (i64.const 50))) (f32.const 9) (f32.convert_i64_s (i64.rem_s (local.get 12) (i64.const 37)))
        (f32.const 0.5) (f32.const 9.8) (f32.const 2) (f32.const 5) (i32.const 64))",
    ..IDLE
};
const TRAP: Guest = Guest { on_tick: "unreachable", ..IDLE };

/// A busy world: everybody walks, shoots and casts by turns, players come and go, a revision is replaced, and the tick's fuel runs out.
fn play() -> (Vec<Digest>, Vec<Outbound>) {
    let runtime = Runtime::new(256).expect("a small runtime");
    let mut game = free_game(7);
    let mut inbound: Vec<Inbound> =
        SPELLS.iter().map(|(spell, guest)| game.activate(load(&runtime, spell, "rev_000001_00000000", *guest))).collect();
    inbound.extend((0..PLAYERS).map(|token| Inbound::Join {
        token,
        account: format!("account {token}"),
        username: format!("player {token}"),
    }));
    let (mut digests, mut told, mut players) = (Vec::new(), Vec::new(), Vec::new());
    for tick in 0..TICKS {
        let outbound = game.step(&inbound, &mut |_| ());
        players.extend(outbound.iter().filter_map(|event| if let Outbound::Joined { player, .. } = event { Some(*player) } else { None }));
        digests.push(game.world().digest());
        told.extend(outbound);
        inbound = players.iter().flat_map(|player| moves(tick, *player)).collect();
        match tick {
            100 => inbound.push(Inbound::Leave { player: players[3] }),
            101 => inbound.push(Inbound::Join { token: 99, account: "late".into(), username: "late".into() }),
            120 => inbound.push(game.activate(load(&runtime, "bolt", "rev_000002_00000001", STRONG_BOLT))),
            _ => {}
        }
    }
    (digests, told)
}

fn moves(tick: u64, player: EntityId) -> Vec<Inbound> {
    let turn = tick + 7 * player.0;
    let aim = Vec3::new((turn % 5) as f32 - 2.0, (turn % 3) as f32 * 0.1, -1.0);
    let movement = Vec3::new(0.0, 0.0, (turn % 3) as f32 - 1.0);
    let input = Input {
        sequence: tick as u32,
        movement,
        aim,
        sprint: turn.is_multiple_of(2),
        fire: turn.is_multiple_of(4),
        jump: turn.is_multiple_of(9),
        seen_tick: tick.saturating_sub(turn % 40),
    };
    let mut moves = vec![Inbound::Input { player, input }];
    if turn.is_multiple_of(11) {
        moves.push(Inbound::Cast(CastRequest {
            caster: player,
            spell: SPELLS[(turn / 11) as usize % SPELLS.len()].0.into(),
            revision: String::new(),
            target_position: Vec3::ZERO,
            target: EntityId::NONE,
            params: "{}".into(),
        }));
    }
    moves
}

#[test]
fn a_busy_world_is_the_same_after_every_tick_on_any_number_of_threads() {
    let on = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads").install(play);
    let (first, told) = on(1);
    let (second, told_again) = on(3);
    for (tick, (first, second)) in first.iter().zip(&second).enumerate() {
        assert_eq!(first, second, "tick {tick}");
    }
    assert_eq!(told, told_again);

    let count = |wanted: fn(&Outbound) -> bool| told.iter().filter(|event| wanted(event)).count();
    let busy = [
        count(|event| matches!(event, Outbound::CastStarted { .. })),
        count(|event| matches!(event, Outbound::CastFaulted { .. })),
        count(|event| matches!(event, Outbound::CastRejected { .. })),
        count(|event| matches!(event, Outbound::ProjectileHit { .. })),
        count(|event| matches!(event, Outbound::Log { .. })),
    ];
    assert!(busy.iter().all(|count| *count >= 10), "started, faulted, rejected, hit, logged: {busy:?}");
}
