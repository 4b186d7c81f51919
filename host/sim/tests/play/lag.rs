//! Shots meet players and NPCs where the shooter saw them: as fair from afar as from near by, and within a cap.

use crate::check;
use expect_test::expect;
use sim::inbound::Input;
use sim::limits::{CHARACTER_RADIUS_M, INTERPOLATION_TICKS, LAG_TICKS_MAX, SHOT_RADIUS_M, SHOT_SPEED, SNAPSHOT_AGE_TICKS_MAX, TICK_HZ};
use sim::team::{Policy, Team};
use sim::{EntityId, Inbound, NoSpells, Outbound, Vec3, World, step};

/// A snapshot is sent in every third tick.
const SNAPSHOT_TICKS: u64 = 3;
const SHOTS: usize = 20;

/// What a client says of what it saw, given the tick of its newest snapshot.
type Says = fn(u64) -> u64;

const HONEST: Says = |snapshot| snapshot - INTERPOLATION_TICKS;
const SILENT: Says = |_| 0;

/// What came of the shots at somebody who runs across, 15 m away.
#[derive(Debug, PartialEq)]
struct Range {
    /// Of each shot that hit, how far from the body's axis it went by, metres.
    off_axis: Vec<f32>,
    lags: Vec<usize>,
}

/// Shots of somebody whose packets take `way` ticks, each way. They see the runner as clients do, between the snapshots that they have, and aim there, ahead
/// by nothing but the shot's flight.
fn range(way: u64, says: Says) -> Range {
    let mut world = World::empty(1);
    let shooter = world.spawn_player("kim", Vec3::Y * 1.9, Vec3::NEG_Z);
    let runner = world.spawn_player("ada", Vec3::new(-30.0, 1.9, -15.0), Vec3::X);
    // Nobody is hurt, so that there is one runner for all shots.
    world.set_policy(Policy { friendly_fire: false, ..Policy::default() });
    [shooter, runner].into_iter().for_each(|player| world.set_team(player, Team(1)));
    let at = |world: &World, player: EntityId| world.scene().entity(player).expect("nobody leaves").position;
    // Where the runner was when the world's tick was the index.
    let mut stood = vec![at(&world, runner)];
    let mut range = Range { off_axis: Vec::new(), lags: Vec::new() };
    let mut flying: Vec<(EntityId, Vec3)> = Vec::new();
    for tick in 0..480 {
        let mut input =
            Input { sequence: 1, movement: Vec3::ZERO, aim: Vec3::NEG_Z, sprint: false, fire: false, jump: false, seen_tick: 0 };
        let mut inbound = vec![Inbound::Input { player: runner, input: Input { movement: Vec3::NEG_Z, aim: Vec3::X, ..input } }];
        // Shots at all phases of the snapshots: 16 is no multiple of 3.
        if tick >= 90 && tick % 16 == 0 && range.lags.len() < SHOTS {
            let client_tick = tick - way;
            let newest = (client_tick - way) / SNAPSHOT_TICKS * SNAPSHOT_TICKS;
            let eye = at(&world, shooter) + Vec3::Y * sim::limits::EYE_HEIGHT_M;
            (input.fire, input.seen_tick) = (true, says(newest));
            input.aim = lead(eye, &stood, client_tick - way - INTERPOLATION_TICKS);
        }
        inbound.push(Inbound::Input { player: shooter, input });
        for event in step(&mut world, &inbound, &mut NoSpells, &mut |_| ()) {
            match event {
                Outbound::Spawned { id, owner, .. } if owner == shooter => {
                    range.lags.push(world.lag_ticks(id));
                    flying.push((id, input.aim));
                }
                Outbound::ProjectileHit { projectile, hit, normal, .. } if hit == runner => {
                    let aim = flying.iter().find(|(id, _)| *id == projectile).expect("it was shot").1;
                    let (aim, normal) = (aim.with_y(0.0).normalize(), normal.with_y(0.0).normalize());
                    range.off_axis.push(aim.cross(normal).length() * (CHARACTER_RADIUS_M + SHOT_RADIUS_M));
                }
                _ => {}
            }
        }
        stood.push(at(&world, runner));
    }
    assert_eq!(range.lags.len(), SHOTS);
    range
}

/// The way to where somebody will be who is drawn at this tick, by the time that a shot is there.
fn lead(eye: Vec3, stood: &[Vec3], tick: u64) -> Vec3 {
    // As clients draw: between the two snapshots around the tick.
    let before = tick / SNAPSHOT_TICKS * SNAPSHOT_TICKS;
    let (from, to) = (stood[before as usize], stood[(before + SNAPSHOT_TICKS) as usize]);
    let drawn = from.lerp(to, (tick - before) as f32 / SNAPSHOT_TICKS as f32);
    let velocity = (to - from) * TICK_HZ as f32 / SNAPSHOT_TICKS as f32;
    let there = (0..8).fold(drawn, |there, _| drawn + velocity * ((there - eye).length() / SHOT_SPEED));
    (there - eye).normalize()
}

#[test]
fn shots_from_afar_hit_as_those_from_near_by() {
    let near = range(0, HONEST);
    assert_eq!(near.off_axis.len(), SHOTS, "{near:?}");
    // Round trips of 100 and 200 ms.
    for way in [3, 6] {
        let far = range(way, HONEST);
        assert_eq!(far.off_axis.len(), SHOTS, "{far:?}");
        let pairs = far.off_axis.iter().zip(&near.off_axis);
        assert!(pairs.clone().all(|(far, near)| (far - near).abs() <= CHARACTER_RADIUS_M), "{far:?} and {near:?}");
    }
    // What clients draw is old even without a way: nobody hits who is judged by the present.
    for way in [0, 3, 6] {
        assert_eq!(range(way, SILENT), Range { off_axis: Vec::new(), lags: vec![0; SHOTS] }, "{way}");
    }
}

#[test]
fn who_is_further_away_than_the_cap_misses_whom_they_see() {
    assert_eq!(SNAPSHOT_AGE_TICKS_MAX, u64::from(TICK_HZ) / 4, "250 ms");
    // A round trip of 500 ms.
    assert_eq!(range(15, HONEST), Range { off_axis: Vec::new(), lags: vec![LAG_TICKS_MAX; SHOTS] });
}

/// Ada leaves her place at tick 40. A shot at that place is there 12 ticks after it was fired.
fn at_her_old_place(fired: u64, saw: u64) -> String {
    format!(
        "player kim 0 1.9 0
         player ada 0 1.9 -10
         run 40
         input ada 1 move 0 0 -1 aim 1 0 0
         run {}
         input kim 1 fire saw {saw}
         run 1
         show @3
         input kim 2
         run 30",
        fired - 40
    )
}

#[test]
fn a_lie_about_what_was_seen_gains_no_more_than_the_cap() {
    // As if it had seen the world's first tick.
    check(
        &at_her_old_place(55, 1),
        expect![[r#"
            55: spawned Projectile #3 of kim at (0.00 2.60 0.00)
            56: @3 at (0.00 2.60 -0.83) moves (0.00 0.00 -50.00) lag 24
            66: #3 hit ada at (0.02 2.56 -9.65) normal (-0.24 0.40 0.89) damage 10
            66: despawned #3: hit
        "#]],
    );
    check(
        &at_her_old_place(66, 1),
        expect![[r#"
            66: spawned Projectile #3 of kim at (0.00 2.60 0.00)
            67: @3 at (0.00 2.60 -0.83) moves (0.00 0.00 -50.00) lag 24
        "#]],
    );
    // As if it had seen what is to come, which is now.
    check(
        &at_her_old_place(45, u64::MAX),
        expect![[r#"
            45: spawned Projectile #3 of kim at (0.00 2.60 0.00)
            46: @3 at (0.00 2.60 -0.83) moves (0.00 0.00 -50.00)
        "#]],
    );
}

#[test]
fn a_young_world_goes_back_to_its_beginning() {
    check(
        "player kim 0 1.9 0
         run 3
         input kim 1 fire saw 1
         run 1
         show @2",
        expect![[r#"
            3: spawned Projectile #2 of kim at (0.00 2.60 0.00)
            4: @2 at (0.00 2.60 -0.83) moves (0.00 0.00 -50.00) lag 2
        "#]],
    );
}

/// Ada runs behind a wall, out of kim's sight from x = 4 on; then kim shoots.
fn at_who_hides(ticks_later: u64, aim: &str) -> String {
    format!(
        "wall 3 1 -7 16 5 -7
         player kim 0.5 1.9 0.5
         player ada 0.5 1.9 -10
         input ada 1 move 0 0 -1 aim 1 0 0
         run 32
         show ada
         run {ticks_later}
         show ada
         input kim 1 fire aim {aim} saw 1
         run 1
         input kim 2
         run 30"
    )
}

#[test]
fn cover_helps_against_all_who_aim_once_the_cap_is_over() {
    // Just behind it: who saw her in the open still hits her.
    check(
        &at_who_hides(4, "2.5 -0.7 -10.5"),
        expect![[r#"
            32: ada at (4.10 1.90 -10.00) moves (7.98 0.00 0.00) health 100 grounded input 1
            36: ada at (4.63 1.90 -10.00) moves (7.99 0.00 0.00) health 100 grounded input 1
            36: spawned Projectile #3 of kim at (0.50 2.60 0.50)
            48: #3 hit ada at (2.95 1.93 -9.67) normal (-0.55 0.00 0.84) damage 10
            48: despawned #3: hit
        "#]],
    );
    // Behind it for longer than the cap: she is neither where she was seen last...
    check(
        &at_who_hides(36, "2.5 -0.7 -10.5"),
        expect![[r#"
            32: ada at (4.10 1.90 -10.00) moves (7.98 0.00 0.00) health 100 grounded input 1
            68: ada at (8.90 1.90 -10.00) moves (8.00 0.00 0.00) health 100 grounded input 1
            68: spawned Projectile #3 of kim at (0.50 2.60 0.50)
            95: #3 hit terrain at (5.86 1.00 -22.00) normal (0.00 1.00 0.00) damage 0
            95: despawned #3: hit
        "#]],
    );
    // ...nor is where she was by the cap in sight.
    check(
        &at_who_hides(36, "6.9 -0.7 -10.5"),
        expect![[r#"
            32: ada at (4.10 1.90 -10.00) moves (7.98 0.00 0.00) health 100 grounded input 1
            68: ada at (8.90 1.90 -10.00) moves (8.00 0.00 0.00) health 100 grounded input 1
            68: spawned Projectile #3 of kim at (0.50 2.60 0.50)
            77: #3 hit terrain at (4.71 2.17 -6.00) normal (0.00 0.00 1.00) damage 0
            77: despawned #3: hit
        "#]],
    );
}

#[test]
fn who_has_died_or_left_or_was_not_there_is_not_hit() {
    // Kim's shot kills ada, who is back at once under the same id; bob's, at the same place, is not for her next life.
    check(
        "player kim 0 1.9 0
         player bob 1 1.9 3
         player ada 0 1.9 -10
         health ada 10
         run 40
         input kim 1 fire saw 20
         input bob 1 fire aim -1 0 -13 saw 20
         run 1
         input kim 2
         input bob 2
         run 30",
        expect![[r#"
            40: spawned Projectile #4 of kim at (0.00 2.60 0.00)
            40: spawned Projectile #5 of bob at (1.00 2.60 3.00)
            51: #4 hit ada at (0.00 2.56 -9.63) normal (0.00 0.40 0.92) damage 10
            51: despawned #4: hit
            51: ada died
        "#]],
    );
    check(
        "player kim 0 1.9 0
         player ada 0 1.9 -10
         run 40
         input kim 1 fire saw 20
         run 1
         input kim 2
         leave ada
         run 30",
        expect![[r#"
            40: spawned Projectile #3 of kim at (0.00 2.60 0.00)
            41: despawned ada: left
        "#]],
    );
    // Ada comes in at (0 10 0), above kim and bob: when their shots are there, she has been there for fewer ticks than kim's goes back.
    check(
        "player kim 0 1.9 0
         player bob 2 1.9 0
         run 40
         join ada
         input kim 1 fire aim 0 1 0 saw 17
         input bob 1 fire aim -2 7.4 0
         run 1
         input kim 2
         input bob 2
         run 30",
        expect![[r#"
            40: joined as #3
            40: spawned Player ada at (0.00 10.00 0.00)
            40: spawned Projectile #4 of kim at (0.00 2.60 0.00)
            40: spawned Projectile #5 of bob at (2.00 2.60 0.00)
            47: #5 hit ada at (0.25 8.94 0.00) normal (0.62 -0.79 0.00) damage 10
            47: despawned #5: hit
        "#]],
    );
}

#[test]
fn what_a_spell_launches_as_it_is_cast_is_a_shot_of_its_caster() {
    // What it launches later is none, nor is what looks for its target itself.
    check(
        "player kim 0 1.9 0
         player ada 0 1.9 -10
         spell bolt r1 lasts 60
           cast: launch 50 damage 10
         spell late r1 lasts 60
           cast: timer 1 1
           timer: launch 50 damage 10
         spell seek r1 lasts 60
           cast: launch 50 damage 10 homing 1
         run 40
         input ada 1 move 0 0 -1 aim 1 0 0
         run 15
         input kim 1 saw 35
         cast kim bolt
         cast kim late
         cast kim seek
         run 2
         show @3
         show @35
         show @36
         run 20",
        expect![[r#"
            0: activated bolt r1
            0: activated late r1
            0: activated seek r1
            55: call 1 cast
            55: call 2 cast
            55: call 3 cast
            55: cast 1 of bolt r1 by kim started
            55: cast 2 of late r1 by kim started
            55: cast 3 of seek r1 by kim started
            55: spawned Projectile #3 of kim at (0.00 2.60 0.00)
            55: spawned Projectile #35 of kim at (0.00 2.60 0.00)
            56: call 2 timer 1
            56: spawned Projectile #36 of kim at (0.00 2.60 0.00)
            57: @3 at (0.00 2.60 -1.67) moves (0.00 0.00 -50.00) lag 20
            57: @35 at (0.04 2.58 -1.67) moves (1.52 -0.68 -49.97)
            57: @36 at (0.00 2.60 -0.83) moves (0.00 0.00 -50.00)
            66: #3 hit ada at (0.15 2.53 -9.77) normal (-0.75 0.33 0.57) damage 10
            66: despawned #3: hit
            67: call 1 hit #3 on #2
        "#]],
    );
}

#[test]
fn a_shot_goes_on_after_a_load_as_if_nothing_had_been() {
    check(
        "player kim 0 1.9 0
         player ada 0 1.9 -10
         run 40
         input ada 1 move 0 0 -1 aim 1 0 0
         run 15
         input kim 1 fire saw 31
         run 1
         input kim 2
         checkpoint
         run 20
         load
         run 20",
        expect![[r#"
            55: spawned Projectile #3 of kim at (0.00 2.60 0.00)
            66: #3 hit ada at (0.02 2.56 -9.65) normal (-0.24 0.40 0.89) damage 10
            66: despawned #3: hit
            57: loaded, nothing dropped
            66: #3 hit ada at (0.02 2.56 -9.65) normal (-0.24 0.40 0.89) damage 10
            66: despawned #3: hit
        "#]],
    );
}

#[test]
fn blinking_away_does_not_help_at_once() {
    check(
        "player kim 0 1.9 0
         player ada 0 1.9 -10
         spell blink r1
           cast: teleport caster 20 1.9 -10
         run 40
         input kim 1 fire saw 20
         run 1
         input kim 2
         cast ada blink
         run 30",
        expect![[r#"
            0: activated blink r1
            40: spawned Projectile #3 of kim at (0.00 2.60 0.00)
            41: call 1 cast
            41: instance of 1 given back
            41: cast 1 of blink r1 by ada started
            41: cast 1 ended: Finished
            51: #3 hit ada at (0.00 2.56 -9.63) normal (0.00 0.40 0.92) damage 10
            51: despawned #3: hit
        "#]],
    );
}
