//! Changing the ground, and what that does to who and what stands on it.

use crate::check;
use expect_test::expect;
use proptest::prelude::*;
use sim::edit::{Area, Change};
use sim::outbound::ChangedChunk;
use sim::undo::Whose;
use sim::voxel::{Chunk, ChunkId, Terrain};
use sim::{Digest, Edit, EntityId, Generation, IVec3, Inbound, NoSpells, Outbound, Settings, Vec3, World, step};

fn tick(world: &mut World, inbound: &[Inbound]) -> Vec<Outbound> {
    let outbound = step(world, inbound, &mut NoSpells, &mut |_| ());
    world.check_invariants();
    outbound
}

fn sphere(player: EntityId, center: [f32; 3], radius: f32, change: Change) -> Inbound {
    let edit = Edit { area: Area::Sphere { center: Vec3::from_array(center), radius }, change };
    Inbound::Terraform { player, edit, client_sequence: 1 }
}

#[test]
fn a_ball_is_added_painted_and_taken_away_with_versions() {
    check(
        "player kim 16 1.9 16
         terraform kim 1 add 16.5 1.5 8.5 1.2 1
         run 1
         column 16 8
         terraform kim 2 paint 16.5 1.5 8.5 0.5 5
         terraform kim 3 paint 16.5 1.5 8.5 0.5 5
         run 1
         column 16 8
         terraform kim 4 subtract 16.5 1.5 8.5 2
         run 1
         column 16 8",
        expect![[r#"
            0: terraform 1 by kim applied: (0 0 0) v2
            1: column 16 8 is [0, 0, 1, 1, 1]
            1: terraform 2 by kim applied: (0 0 0) v3
            1: terraform 3 by kim applied: no chunk
            2: column 16 8 is [0, 0, 1, 5, 1]
            2: terraform 4 by kim applied: (0 0 0) v4
            3: column 16 8 is [0]
        "#]],
    );
}

#[test]
fn an_edit_across_negative_chunks_changes_each_and_makes_the_missing() {
    check(
        "player kim -31 1.9 -31
         terraform kim 1 add -32 0 -32 1.5 2
         run 1
         terraform kim 2 subtract -32 0 -32 1.5
         run 1",
        expect![[r#"
            0: terraform 1 by kim applied: (-2 -1 -2) v1, (-2 -1 -1) v1, (-2 0 -2) v2, (-2 0 -1) v2, (-1 -1 -2) v1, (-1 -1 -1) v1, (-1 0 -2) v2, (-1 0 -1) v2
            1: terraform 2 by kim applied: (-2 -1 -2) v2, (-2 -1 -1) v2, (-2 0 -2) v3, (-2 0 -1) v3, (-1 -1 -2) v2, (-1 -1 -1) v2, (-1 0 -2) v3, (-1 0 -1) v3
        "#]],
    );
}

#[test]
fn edits_are_refused_by_range_rate_place_and_material() {
    check(
        "player kim 30 1.9 30
         player ann 10 1.9 10
         terraform kim 1 add 70 1 30 2 1
         terraform kim 2 add 30 1 50 0.4 1
         terraform kim 3 add 30 1 50 17 1
         terraform kim 4 add 30 1 50 2 77
         terraform kim 5 add 30 1 50 2 9
         terraform kim 6 add 9000 1 50 2 1
         terraform ann 7 subtract 6 1 6 5
         terraform ann 8 subtract 6 -12 6 5
         terraform @99 9 subtract 6 1 6 5
         run 1",
        expect![[r#"
            0: terraform 1 by kim refused: range_m, allowed 32.00, asked 40.01
            0: terraform 2 by kim refused: radius_m, allowed 0.50, asked 0.40
            0: terraform 3 by kim refused: radius_m, allowed 16.00, asked 17.00
            0: terraform 4 by kim refused: material, allowed 8.00, asked 77.00
            0: terraform 5 by kim refused: material, allowed 8.00, asked 9.00
            0: terraform 6 by kim refused: world_bounds, allowed 8160.00, asked 9000.00
            0: terraform 7 by ann refused: protected, allowed 4.00, asked 3.49
            0: terraform 8 by ann refused: protected, allowed 4.00, asked 3.49
        "#]],
    );
}

#[test]
fn twenty_edits_at_once_and_ten_a_second() {
    let mut world = World::empty(1);
    let kim = world.spawn_player("kim", Vec3::new(30.5, 1.9, 30.5), Vec3::X);
    let many = |count: usize| vec![sphere(kim, [30.0, 0.5, 36.0], 0.6, Change::Paint(2)); count];
    let applied = |world: &mut World, count| {
        tick(world, &many(count)).iter().filter(|event| matches!(event, Outbound::TerraformApplied { .. })).count()
    };
    assert_eq!(applied(&mut world, 50), 20);
    assert_eq!((0..120).map(|_| applied(&mut world, 1)).sum::<usize>(), 20);
    for _ in 0..600 {
        tick(&mut world, &[]);
    }
    assert_eq!(applied(&mut world, 50), 20, "no more is saved up");
}

#[test]
fn nobody_is_walled_in() {
    check(
        "player kim 30.5 1.9 30.5
         terraform kim 1 add 30.5 1.9 30.5 3 1
         run 2
         show kim
         column 30 30
         column 31 30",
        expect![[r#"
            0: terraform 1 by kim applied: (0 -1 0) v1, (0 0 0) v2, (0 0 1) v2, (1 0 0) v2, (1 0 1) v2
            2: kim at (30.50 1.90 30.50) moves (0.00 0.00 0.00) health 100 grounded
            2: column 30 30 is [0, 1, 1, 0, 0, 1, 1]
            2: column 31 30 is [0, 1, 1, 1, 1, 1, 1]
        "#]],
    );
}

#[test]
fn who_stands_on_what_is_taken_away_falls() {
    check(
        "player kim 30.5 1.9 30.5
         prop crate 32.5 1.5 30.5
         run 300
         show crate
         terraform kim 1 subtract 31.5 0.5 30.5 3
         run 40
         show kim
         show crate",
        expect![[r#"
            300: crate at (32.50 1.50 30.50) moves (0.00 0.00 0.00)
            300: terraform 1 by kim applied: (0 0 0) v2, (0 0 1) v2, (1 0 0) v2, (1 0 1) v2
            340: kim at (30.50 -3.75 30.50) moves (0.00 -16.53 0.00) health 100
            340: crate at (32.50 -4.05 30.50) moves (0.00 -16.53 0.00)
        "#]],
    );
}

#[test]
fn an_operator_takes_a_players_edits_back() {
    check(
        "player kim 30.5 1.9 30.5
         player ann 30.5 1.9 34.5
         terraform kim 1 paint 30.5 0.5 40.5 0.6 2
         run 1
         terraform kim 2 subtract 30.5 0.5 40.5 0.6
         terraform kim 3 paint 33.5 0.5 40.5 0.6 2
         terraform ann 1 paint 33.5 0.5 40.5 0.6 5
         run 1
         revert kim 1
         run 1
         column 30 40
         column 33 40
         revert kim 0
         run 1
         column 30 40",
        expect![[r#"
            0: terraform 1 by kim applied: (0 0 1) v2
            1: terraform 2 by kim applied: (0 0 1) v3
            1: terraform 3 by kim applied: (1 0 1) v2
            1: terraform 1 by ann applied: (1 0 1) v3
            2: terraforms reverted: (0 0 1) v4
            3: column 30 40 is [0, 0, 2]
            3: column 33 40 is [0, 0, 5]
            3: terraforms reverted: (0 0 1) v5
            4: column 30 40 is [0, 0, 1]
        "#]],
    );
}

#[test]
fn hills_are_made_where_players_walk_and_bedrock_stays() {
    check(
        "world hills
         player kim 30.5 30 30.5
         run 200
         terraform kim 1 subtract 30.5 -20 30.5 16
         run 1
         column 30 30",
        expect![[r#"
            200: terraform 1 by kim applied: (0 -1 0) v2, (0 -1 1) v2, (1 -1 0) v2, (1 -1 1) v2
            201: column 30 30 is [1, 1, 1, 2, 2, 2, 3]
        "#]],
    );
    let mut world = World::with(Settings { generation: Generation::Hills, ..Settings::new(7) });
    assert_eq!(world.scene().terrain().len(), 18, "the spawn place and what bears it");
    let kim = world.spawn_player("kim", Vec3::new(400.5, 40.0, -300.5), Vec3::X);
    for _ in 0..200 {
        tick(&mut world, &[]);
    }
    assert_eq!(world.scene().terrain().len(), 18 + 2 * 81);
    assert!(world.scene().entity(kim).expect("kim").grounded, "stands on hills");
    tick(&mut world, &[sphere(kim, [400.5, -24.0, -300.5], 16.0, Change::Subtract)]);
    let material = |y| world.scene().terrain().material(IVec3::new(400, y, -301));
    assert_eq!([material(-31), material(-32)], [0, 9], "dug down to bedrock and no further");
    let id = ChunkId([12, 0, -10]);
    let generated = sim::generate::chunk(Generation::Hills, 7, id).expect("hills");
    assert_eq!(**world.scene().terrain().chunk(id).expect("it was made"), generated);
}

/// Crates that fall on changed ground, in a world whose colliders were changed voxel by voxel and in one where they were made anew.
#[test]
fn changed_colliders_are_as_good_as_new_ones() {
    let settled = |mut world: World, edits: &dyn Fn(EntityId) -> Vec<Inbound>| {
        let kim = world.spawn_player("kim", Vec3::new(40.5, 1.9, 30.5), Vec3::X);
        let place = |n: u8| Vec3::new(28.3 + f32::from(n) * 1.7, 9.0 + f32::from(n), 30.2 + f32::from(n) * 0.3);
        let crates: Vec<EntityId> = (0..6).map(|n| world.spawn_prop("crate", place(n))).collect();
        let edits = edits(kim);
        tick(&mut world, &edits);
        for _ in 0..400 {
            tick(&mut world, &[]);
        }
        let places: Vec<Vec3> = crates.iter().map(|id| world.scene().entity(*id).expect("a crate").position).collect();
        (places, world)
    };
    let (changed, world) = settled(World::empty(1), &|kim| {
        vec![
            sphere(kim, [32.0, 1.0, 30.0], 4.0, Change::Add(1)),
            sphere(kim, [34.0, 4.0, 31.0], 2.5, Change::Subtract),
            Inbound::Revert { whose: Whose::Player(kim), since_tick: 0 },
            sphere(kim, [32.0, 1.0, 30.0], 4.0, Change::Add(1)),
            sphere(kim, [34.0, 4.0, 31.0], 2.5, Change::Subtract),
            sphere(kim, [29.0, 0.5, 30.0], 1.5, Change::Subtract),
        ]
    });
    let mut terrain = Terrain::default();
    for (id, chunk) in world.scene().terrain().chunks() {
        terrain.insert(id, chunk.clone());
    }
    let (fresh, _) = settled(World::on(1, terrain), &|_| Vec::new());
    for (a, b) in changed.iter().zip(&fresh) {
        assert!(a.distance(*b) < 1e-3, "{a} {b}");
    }
}

fn voxels_of(world: &World) -> Vec<(ChunkId, Box<[u8; 32_768]>)> {
    world.scene().terrain().chunks().map(|(id, chunk): (ChunkId, &Chunk)| (id, chunk.to_voxels())).collect()
}

fn arbitrary_edit() -> impl Strategy<Value = Edit> {
    let number = prop_oneof![9 => -40.0f32..40.0, 1 => prop::sample::select(vec![f32::NAN, f32::INFINITY, 1e30, -1e9])];
    let corner = prop_oneof![9 => -40i32..40, 1 => prop::sample::select(vec![i32::MIN, i32::MAX, -8_161])];
    let area = prop_oneof![
        3 => (prop::array::uniform3(number), prop_oneof![9 => 0.4f32..6.0, 1 => Just(f32::NAN), 1 => Just(-1e30)])
            .prop_map(|(center, radius)| Area::Sphere { center: Vec3::from_array(center), radius }),
        1 => (prop::array::uniform3(corner.clone()), prop_oneof![Just(None), prop::array::uniform3(corner).prop_map(Some)]).prop_map(|(low, high)| {
            let low = IVec3::from_array(low);
            Area::Box { low, high: high.map_or(low.saturating_add(IVec3::splat(3)), IVec3::from_array) }
        }),
    ];
    let change = prop_oneof![
        4 => (0u8..12).prop_map(Change::Add),
        2 => Just(Change::Subtract),
        1 => (0u8..12).prop_map(Change::Paint),
        1 => (0u8..10, 0u8..12).prop_map(|(from, to)| Change::Replace { from, to }),
    ];
    (area, change).prop_map(|(area, change)| Edit { area, change })
}

fn play(edits: &[(Edit, bool)]) -> Vec<Digest> {
    let mut world = World::new(7);
    let kim = world.spawn_player("kim", Vec3::new(12.5, 1.9, 12.5), Vec3::X);
    let mut versions = std::collections::BTreeMap::new();
    let mut digests = Vec::new();
    for (edit, revert) in edits {
        let mut inbound = vec![Inbound::Terraform { player: kim, edit: *edit, client_sequence: 1 }];
        if *revert {
            inbound.push(Inbound::Revert { whose: Whose::Player(kim), since_tick: world.tick().saturating_sub(3) });
        }
        let before = voxels_of(&world);
        let outbound = tick(&mut world, &inbound);
        let affected: Vec<ChangedChunk> = outbound
            .iter()
            .flat_map(|event| match event {
                Outbound::TerraformApplied { affected, .. } | Outbound::TerraformReverted { affected, .. } => affected.clone(),
                _ => Vec::new(),
            })
            .collect();
        for ChangedChunk { id, version, .. } in &affected {
            let older = versions.insert(*id, *version);
            assert!(older.is_none_or(|older| *version == older + 1), "{id:?} goes from {older:?} to {version}");
        }
        for (id, voxels) in voxels_of(&world) {
            let same = before.iter().any(|(other, old)| *other == id && *old == voxels);
            assert!(same || affected.iter().any(|changed| changed.id == id), "{id:?} changed and nobody was told");
        }
        digests.push(world.digest());
    }
    digests
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn random_edits_keep_the_invariants_and_repeat_exactly(edits in prop::collection::vec((arbitrary_edit(), prop::bool::weighted(0.2)), 1..25)) {
        prop_assert_eq!(play(&edits), play(&edits));
    }
}
