//! A world file: what is saved is there again, whole, or nothing is.

use sim::edit::{Area, Change};
use sim::{Checkpoint, Edit, Generation, IVec3, Inbound, NoSpells, Settings, Stored, Temper, Thoroughness, Vec3, World, step};
use std::fs::{self, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use store::exchange::{self, Encoding};
use store::{Artifact, StoreError, WorldFile, restore_previous};

const WORLD: &str = "world_0a1b2c3d";

fn world() -> World {
    let mut world = World::with(Settings { generation: Generation::Hills, ..Settings::new(7) });
    world.spawn_npc_of(Temper::Guard, "guard", Vec3::new(3.0, 6.0, 3.0), Vec3::X);
    let inbound = [Inbound::Join { token: 1, account: "client_kim".into(), username: "kim".into() }];
    step(&mut world, &inbound, &mut NoSpells, &mut |_| ());
    world
}

/// Ten ticks, an edit, and a checkpoint.
fn advance(world: &mut World, x: i32) -> Checkpoint {
    for _ in 0..10 {
        step(world, &[], &mut NoSpells, &mut |_| ());
    }
    let player = world.players().next().expect("kim");
    let area = Area::Box { low: IVec3::new(x, 2, 12), high: IVec3::new(x, 3, 12) };
    let edit = Inbound::Terraform { player, edit: Edit { area, change: Change::Subtract }, client_sequence: 1 };
    step(world, &[edit, Inbound::Checkpoint(Thoroughness::Whole)], &mut NoSpells, &mut |_| ());
    world.take_checkpoint().expect("one was asked for")
}

fn file() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("world.sqlite");
    (folder, path)
}

fn loaded(path: &Path) -> Stored {
    WorldFile::read(path).expect("a whole file").expect("a saved world").stored
}

/// What the file should hold after these.
fn sum_of(checkpoints: Vec<Checkpoint>) -> Stored {
    checkpoints.into_iter().fold(None, |before, checkpoint| Some(checkpoint.over(before))).expect("at least one")
}

#[test]
fn what_is_saved_piece_by_piece_is_there_again_whole() {
    let (_folder, path) = file();
    let (mut held, nothing) = WorldFile::open(&path, WORLD).expect("a new file");
    assert!(nothing.is_none());
    let mut world = world();
    let mut checkpoints = Vec::new();
    for x in 0..5 {
        let checkpoint = advance(&mut world, x);
        held.save(&checkpoint, &[], 1_000 + i64::from(x)).expect("saved");
        checkpoints.push(checkpoint);
        let stored = loaded(&path);
        assert_eq!(stored, sum_of(checkpoints.clone()));
        assert_eq!(World::load(stored, &mut NoSpells).expect("a world").0.digest(), world.digest());
    }
    drop(held);
    let (_, contents) = WorldFile::open(&path, WORLD).expect("it opens again");
    assert_eq!(contents.expect("a saved world").saved_at_ms, 1_004);
}

#[test]
fn what_was_undone_cannot_be_undone_again_after_a_load() {
    let (_folder, path) = file();
    let (mut held, _) = WorldFile::open(&path, WORLD).expect("a new file");
    let mut world = world();
    held.save(&advance(&mut world, 0), &[], 0).expect("saved");
    held.save(&advance(&mut world, 1), &[], 0).expect("saved");
    assert_eq!(loaded(&path).journal.len(), 2);
    let whose = sim::undo::Whose::Account("client_kim".into());
    step(&mut world, &[Inbound::Revert { whose, since_tick: 15 }], &mut NoSpells, &mut |_| ());
    held.save(&advance(&mut world, 2), &[], 0).expect("saved");
    let stored = loaded(&path);
    assert_eq!(stored.journal.keys().collect::<Vec<_>>(), [&0, &2]);
    assert_eq!(World::load(stored, &mut NoSpells).expect("a world").0.digest(), world.digest());
}

#[test]
fn who_opens_a_file_takes_it_from_who_held_it() {
    let (_folder, path) = file();
    let mut world = world();
    let (mut stale, _) = WorldFile::open(&path, WORLD).expect("a new file");
    stale.save(&advance(&mut world, 0), &[], 0).expect("saved");
    let (mut newer, _) = WorldFile::open(&path, WORLD).expect("it opens");
    let checkpoint = advance(&mut world, 1);
    newer.save(&checkpoint, &[], 0).expect("saved");
    let kept = loaded(&path);
    match stale.save(&advance(&mut world, 2), &[], 0) {
        Err(StoreError::Fenced { theirs: 2, ours: 1, .. }) => {}
        other => panic!("{other:?}"),
    }
    assert_eq!(loaded(&path), kept);
    newer.save(&advance(&mut world, 3), &[], 0).expect("it still holds the file");
}

/// A stopped server that comes back, two starts at once: whoever opens reads and takes its epoch in one step, or two would hold the file, and a save in between
/// would leave a checksum of what was before.
#[test]
fn files_that_are_opened_and_saved_at_once_stay_whole_and_have_one_holder() {
    let (_folder, path) = file();
    let mut world = world();
    let checkpoint = advance(&mut world, 0);
    WorldFile::open(&path, WORLD).expect("a new file").0.save(&checkpoint, &[], 0).expect("saved");
    // A disk that is slow makes a writer wait for others until it gives up: it tries again, as a server would be started again.
    let open = || loop {
        match WorldFile::open(&path, WORLD) {
            Ok((held, _)) => return held,
            Err(StoreError::Io { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    };
    let saved = |held: &mut WorldFile, at: i64| match held.save(&checkpoint, &[], at) {
        Ok(()) | Err(StoreError::Io { .. }) => true,
        Err(StoreError::Fenced { .. }) => false,
        Err(error) => panic!("{error}"),
    };
    let opener = || {
        let open_and_look = |_| {
            let held = open();
            WorldFile::read(&path).expect("a whole file").expect("a saved world");
            held.save_epoch()
        };
        (0..200).map(open_and_look).collect::<Vec<i64>>()
    };
    let saver = |ended: &AtomicBool| {
        let mut epochs = Vec::new();
        while !ended.load(Ordering::Relaxed) {
            let mut held = open();
            epochs.push(held.save_epoch());
            let _until_it_is_taken_over = (1..).take_while(|at| !ended.load(Ordering::Relaxed) && saved(&mut held, *at)).count();
        }
        epochs
    };
    let ended = AtomicBool::new(false);
    let mut epochs: Vec<i64> = std::thread::scope(|threads| {
        let saving = threads.spawn(|| saver(&ended));
        let opening = [threads.spawn(opener), threads.spawn(opener)];
        let epochs = opening.into_iter().flat_map(|thread| thread.join().expect("every file was whole")).collect::<Vec<_>>();
        ended.store(true, Ordering::Relaxed);
        epochs.into_iter().chain(saving.join().expect("every file was whole")).collect()
    });
    let opened = epochs.len();
    epochs.sort_unstable();
    epochs.dedup();
    assert_eq!(epochs.len(), opened, "no two hold the same epoch");
    assert_eq!(loaded(&path), checkpoint.over(None));
}

/// Two servers that make a world's file at the same moment.
#[test]
fn a_new_file_that_is_opened_twice_at_once_is_made_once() {
    for _ in 0..20 {
        let (_folder, path) = file();
        let open = || match WorldFile::open(&path, WORLD) {
            Ok((held, _)) => Some(held.save_epoch()),
            Err(StoreError::Io { .. }) => None,
            Err(error) => panic!("{error}"),
        };
        let (first, second) = std::thread::scope(|threads| {
            let (first, second) = (threads.spawn(open), threads.spawn(open));
            (first.join().expect("it is not damaged"), second.join().expect("it is not damaged"))
        });
        assert!(first.is_none() || first != second, "{first:?} {second:?}");
        WorldFile::read(&path).expect("a whole file");
    }
}

#[test]
fn another_worlds_file_is_refused() {
    let (_folder, path) = file();
    WorldFile::open(&path, WORLD).expect("a new file");
    let error = WorldFile::open(&path, "world_ffffffff").expect_err("another's");
    assert!(matches!(&error, StoreError::OtherWorld { found, .. } if found == WORLD), "{error}");
}

#[test]
fn a_newer_format_is_refused_and_named() {
    let (_folder, path) = file();
    drop(WorldFile::open(&path, WORLD).expect("a new file"));
    let connection = rusqlite::Connection::open(&path).expect("it opens");
    connection.pragma_update(None, "user_version", 99).expect("written");
    drop(connection);
    let error = WorldFile::open(&path, WORLD).expect_err("a newer one");
    assert!(matches!(error, StoreError::Newer { found: 99, .. }), "{error}");
}

#[test]
fn artifacts_are_kept_while_the_world_names_them() {
    let (_folder, path) = file();
    let (mut held, _) = WorldFile::open(&path, WORLD).expect("a new file");
    let mut world = world();
    let spec = sim::inbound::SpellSpec::free(0, 0);
    let activate = |revision: &str| Inbound::activate("bolt", revision, spec);
    let artifact = |revision: &str| Artifact { spell: "bolt".into(), revision: revision.into(), bytes: revision.as_bytes().into() };
    step(&mut world, &[activate("r1")], &mut NoSpells, &mut |_| ());
    held.save(&advance(&mut world, 0), &[artifact("r1"), artifact("r9")], 0).expect("saved");
    let named = |path: &Path| WorldFile::read(path).expect("whole").expect("saved").artifacts;
    assert_eq!(named(&path), [artifact("r1")], "nobody names r9");
    held.save(&advance(&mut world, 1), &[], 0).expect("saved");
    assert_eq!(named(&path), [artifact("r1")]);
    step(&mut world, &[activate("r2")], &mut NoSpells, &mut |_| ());
    held.save(&advance(&mut world, 2), &[artifact("r2")], 0).expect("saved");
    assert_eq!(named(&path), [artifact("r2")]);
}

#[test]
fn a_damaged_file_is_refused_by_name_and_the_previous_generation_is_offered_and_goes_in_its_place() {
    let (_folder, path) = file();
    let (mut held, _) = WorldFile::open(&path, WORLD).expect("a new file");
    let mut world = world();
    held.save(&advance(&mut world, 0), &[], 5).expect("saved");
    held.keep_previous().expect("kept");
    let previous = loaded(&path);
    held.save(&advance(&mut world, 1), &[], 6).expect("saved");
    drop(held);
    // In the middle of the state: a part's or the world's checksum tells.
    let length = fs::metadata(&path).expect("it is there").len();
    flip(&path, length / 2, 3);
    let error = WorldFile::open(&path, WORLD).expect_err("damaged");
    let told = error.to_string();
    assert!(matches!(&error, StoreError::Damaged { previous: Some(previous), .. } if previous.saved_at_ms == 5), "{told}");
    assert!(told.contains(path.to_str().expect("UTF-8")) && told.contains("ugc-control world restore"), "{told}");
    restore_previous(&path).expect("restored");
    assert_eq!(loaded(&path), previous);
    let (mut held, _) = WorldFile::open(&path, WORLD).expect("it opens");
    held.save(&advance(&mut world, 2), &[], 7).expect("it can be saved into");
}

#[test]
fn a_restoration_that_fails_leaves_the_damaged_file_where_it_was() {
    let (folder, path) = file();
    let (mut held, _) = WorldFile::open(&path, WORLD).expect("a new file");
    held.save(&advance(&mut world(), 0), &[], 5).expect("saved");
    held.keep_previous().expect("kept");
    drop(held);
    let length = fs::metadata(&path).expect("it is there").len();
    flip(&path, length / 2, 3);
    let damaged = fs::read(&path).expect("it is there");
    // What a full disk does, at a moment of our choice.
    let in_the_way = folder.path().join("world.sqlite.restoring");
    fs::create_dir(&in_the_way).expect("a folder");
    restore_previous(&path).expect_err("the copy cannot be written");
    assert_eq!(fs::read(&path).expect("whoever comes next finds a damaged file, and begins no new world"), damaged);
    fs::remove_dir(&in_the_way).expect("removed");
    restore_previous(&path).expect("restored");
    assert_eq!(WorldFile::read(&path).expect("whole").expect("saved").saved_at_ms, 5);
    assert_eq!(fs::read(folder.path().join("world.sqlite.damaged")).expect("it is kept"), damaged);
}

#[test]
fn without_a_previous_generation_it_says_so() {
    let (_folder, path) = file();
    fs::write(&path, b"not a database at all, but long enough to be looked at as one").expect("written");
    let error = WorldFile::open(&path, WORLD).expect_err("damaged");
    assert!(error.to_string().contains("there is no whole previous generation"), "{error}");
    assert!(restore_previous(&path).is_err());
    assert!(path.exists(), "nothing was moved");
}

/// Whatever single bit of a file flips: it is refused, or what it holds is what was saved (the bit was in no use) or what was saved before.
/// `cargo xtask bench saves` flips ten thousand.
#[test]
fn a_flipped_bit_is_noticed_or_means_nothing() {
    let (_folder, path) = file();
    let (mut held, _) = WorldFile::open(&path, WORLD).expect("a new file");
    let mut world = world();
    held.save(&advance(&mut world, 0), &[], 5).expect("saved");
    held.save(&advance(&mut world, 1), &[], 6).expect("saved");
    drop(held);
    let whole = loaded(&path);
    let bytes = fs::read(&path).expect("it is there");
    let (mut refused, mut unnoticed) = (0, 0);
    for index in 0..600_u64 {
        let bit = index.wrapping_mul(0x9E37_79B9_7F4A_7C15) % (bytes.len() as u64 * 8);
        fs::write(&path, &bytes).expect("written");
        flip(&path, bit / 8, (bit % 8) as u8);
        match WorldFile::read(&path) {
            Ok(Some(contents)) => {
                unnoticed += 1;
                assert_eq!(contents.stored, whole, "bit {bit}");
            }
            Ok(None) => panic!("bit {bit}: the world is gone, and nobody was told"),
            Err(_) => refused += 1,
        }
    }
    assert!(refused > unnoticed, "{refused} refused, {unnoticed} in no use");
}

#[test]
fn an_export_is_taken_back_and_a_changed_one_is_not() {
    let (_folder, path) = file();
    let (mut held, _) = WorldFile::open(&path, WORLD).expect("a new file");
    let mut world = world();
    held.save(&advance(&mut world, 0), &[], 5).expect("saved");
    let contents = WorldFile::read(&path).expect("whole").expect("saved");
    let packed = store::pack(&contents);
    assert_eq!(store::unpack(&packed).expect("ours"), contents);
    exchange::verify(&contents.stored).expect("a world");
    for at in (0..packed.len()).step_by(packed.len() / 97) {
        let mut changed = packed.clone();
        changed[at] ^= 0x10;
        assert!(matches!(store::unpack(&changed), Err(StoreError::Pack(_))), "byte {at}");
        assert!(store::unpack(&packed[..at]).is_err(), "cut at {at}");
    }

    let (folder, _) = file();
    let other = folder.path().join("other.sqlite");
    let contents = store::Contents { world_id: "world_ffffffff".into(), ..contents };
    WorldFile::replace(&other, &contents).expect("written");
    WorldFile::replace(&other, &contents).expect("written again");
    assert_eq!(WorldFile::read(&other).expect("whole"), Some(contents));
    let beside: Vec<_> = fs::read_dir(folder.path()).expect("a folder").map(|entry| entry.expect("an entry").file_name()).collect();
    assert_eq!(beside, ["other.sqlite"]);
}

#[test]
fn json_shows_a_world_and_brings_it_back() {
    let mut world = world();
    let stored = advance(&mut world, 0).over(None);
    let contents = store::Contents { world_id: WORLD.into(), saved_at_ms: 5, stored, artifacts: Vec::new() };
    for encoding in [Encoding::Gzip, Encoding::Zstd] {
        let shown = exchange::show(&contents, encoding);
        assert_eq!((shown.chunks.len(), shown.entities.len()), (contents.stored.chunks.len(), contents.stored.saved.entities().len()));
        let chunks = shown.chunks.clone();
        let entities = shown.entities.iter().map(|entity| exchange::BroughtEntity {
            entity_type: entity.entity_type,
            name: entity.name.clone(),
            position: entity.position,
            temper: None,
        });
        let brought = exchange::Brought { chunks, entities: entities.collect() };
        let back = exchange::bring(brought, "world_ffffffff", Generation::Hills, 9).expect("a world");
        assert_eq!(back.stored.chunks, contents.stored.chunks);
        let kinds = |stored: &Stored| stored.saved.entities().iter().filter(|entity| entity.kind != sim::EntityKind::Player).count();
        assert_eq!(kinds(&back.stored), kinds(&contents.stored));
    }
}

#[test]
fn what_is_no_world_is_refused_with_its_place() {
    let bring = |json: &str| {
        let brought = serde_json::from_str(json).expect("JSON of the right form");
        exchange::bring(brought, WORLD, Generation::Floor, 0).expect_err("no world").to_string()
    };
    let chunk = |id: &str, data: &str| format!(r#"{{"chunks":[{{"chunk_id":{id},"encoding":"zstd","data":"{data}"}}]}}"#);
    assert_eq!(bring(&chunk("[9999,0,0]", "")), "not a world: chunks[0]: chunk [9999, 0, 0] is outside of the world");
    assert_eq!(bring(&chunk("[-2147483648,0,0]", "")), "not a world: chunks[0]: chunk [-2147483648, 0, 0] is outside of the world");
    assert_eq!(bring(&chunk("[0,0,0]", "?")), "not a world: chunks[0]: data is not base64");
    assert_eq!(bring(&chunk("[0,0,0]", "AAAA")), "not a world: chunks[0]: data does not unpack as Zstd");
    let entity = |entity: &str| format!(r#"{{"entities":[{entity}]}}"#);
    assert_eq!(
        bring(&entity(r#"{"entity_type":2,"position":[1e30,0,0]}"#)),
        "not a world: entities[0]: position [1e30, 0.0, 0.0] is outside of the world"
    );
    assert_eq!(
        bring(&entity(r#"{"entity_type":9,"position":[0,2,0]}"#)),
        "not a world: entities[0]: there is no entity type 9: 1 player, 2 npc, 3 projectile, 4 prop"
    );
    assert_eq!(
        bring(&entity(r#"{"entity_type":2,"temper":"dragon","position":[0,2,0]}"#)),
        "not a world: entities[0]: there is no temper \"dragon\": dummy, guard or critter"
    );
}

/// Files that earlier versions of this program wrote: they are read for ever, and what was not yet in them is what it was then. `WRITE_GOLDEN=1` writes that
/// of the running version.
#[test]
fn files_of_all_versions_are_still_read() {
    const NEWEST: u32 = 5;
    let golden = |version: u32| Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/state_{version}.sqlite"));
    if std::env::var_os("WRITE_GOLDEN").is_some() {
        let mut world = world();
        let contents = |stored| store::Contents { world_id: WORLD.into(), saved_at_ms: 5, stored, artifacts: Vec::new() };
        WorldFile::replace(&golden(NEWEST), &contents(advance(&mut world, 0).over(None))).expect("written");
    }
    for version in 1..=NEWEST {
        let (_folder, path) = file();
        fs::copy(golden(version), &path).expect("the golden file is there");
        let (mut held, contents) = WorldFile::open(&path, WORLD).expect("a whole file");
        let (mut loaded, dropped) = World::load(contents.expect("a saved world").stored, &mut NoSpells).expect("a world");
        assert_eq!((loaded.tick(), loaded.scene().len(), loaded.scene().terrain().len(), dropped.len()), (12, 7, 42, 0));
        assert!(!loaded.scene().terrain().solid(IVec3::new(0, 3, 12)), "kim dug there");
        // It goes on, and what is saved now is of the newest version.
        held.save(&advance(&mut loaded, 1), &[], 9).expect("saved");
        let (again, _) = World::load(self::loaded(&path), &mut NoSpells).expect("a world");
        assert_eq!(again.digest(), loaded.digest(), "version {version}");
    }
}

fn flip(path: &Path, at: u64, bit: u8) {
    let mut file = OpenOptions::new().read(true).write(true).open(path).expect("it is there");
    let mut byte = [0];
    file.seek(SeekFrom::Start(at)).expect("within");
    file.read_exact(&mut byte).expect("within");
    byte[0] ^= 1 << bit;
    file.seek(SeekFrom::Start(at)).expect("within");
    file.write_all(&byte).expect("written");
}

#[test]
fn a_deleted_world_leaves_nothing_but_its_neighbours() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |world: &str| folder.path().join(format!("{world}.sqlite"));
    for world in ["world_a", "world_b"] {
        WorldFile::open(&path(world), world).expect("a new file");
        let recordings = store::recordings_folder(&path(world));
        fs::create_dir_all(&recordings).expect("a folder");
        fs::write(recordings.join("000000000001.recording"), b"what happened").expect("a recording");
        for beside in ["previous", "damaged", "damaged-wal", "copying", "restoring", "fresh"] {
            fs::write(folder.path().join(format!("{world}.sqlite.{beside}")), b"what was there").expect("written");
        }
    }
    WorldFile::delete(&path("world_a")).expect("it is deleted");
    let left: Vec<String> = fs::read_dir(folder.path())
        .expect("the folder")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .filter(|name| name.starts_with("world_a"))
        .collect();
    assert_eq!(left, Vec::<String>::new());
    assert!(path("world_b").exists() && store::recordings_folder(&path("world_b")).join("000000000001.recording").exists());
}
