//! Who may depend on whom among our own crates, read from `cargo metadata` against the table of ARCHITECTURE.md.

use cargo_metadata::{DependencyKind, MetadataCommand};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Each crate and what it depends on, exactly. A new arrow is an architecture change: it belongs here and in ARCHITECTURE.md, with its reason.
const ARROWS: &[(&str, &[&str])] = &[
    ("protocol", &[]),
    ("sim", &[]),
    ("busy-world", &["sim"]),
    ("spell-runtime", &[]),
    ("spell-sdk", &[]),
    ("spells/*", &["spell-sdk"]),
    ("game", &["sim", "spell-runtime"]),
    ("store", &["sim"]),
    ("host", &["game", "protocol", "sim", "store"]),
    ("builder", &["game", "protocol", "spell-runtime"]),
    ("control", &["protocol", "store"]),
    ("spell-cli", &["builder", "game", "protocol"]),
    ("examples", &[]),
    ("bench", &["examples", "game", "host", "protocol", "sim", "spell-runtime", "store"]),
    ("client-core", &["protocol", "sim"]),
    ("xtask", &[]),
];

#[test]
fn crates_depend_on_what_the_table_says_and_nothing_else() {
    let table: BTreeMap<String, BTreeSet<String>> =
        ARROWS.iter().map(|(from, to)| ((*from).to_owned(), to.iter().map(|name| (*name).to_owned()).collect())).collect();
    assert_eq!(arrows(), table);
}

#[test]
fn the_simulation_names_nothing_that_differs_between_two_runs() {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("../host/sim/src");
    let named: Vec<String> = rust_files(&sources).iter().flat_map(|file| impurities(file)).collect();
    assert!(named.is_empty(), "{named:#?}");
}

#[test]
fn only_spell_runtime_names_wasmtime_and_the_benchmarks_as_a_peer() {
    let metadata = MetadataCommand::new().no_deps().exec().expect("cargo metadata");
    let named: Vec<&str> = metadata
        .workspace_packages()
        .iter()
        .filter(|package| package.dependencies.iter().any(|dependency| dependency.name.starts_with("wasmtime")))
        .map(|package| package.name.as_str())
        .collect();
    assert_eq!(named.into_iter().collect::<BTreeSet<_>>(), BTreeSet::from(["bench", "spell-runtime"]));
}

/// Unordered collections, clocks, threads, files and sockets; `unsafe` the compiler forbids there by itself.
const IMPURE: &[&str] = &["HashMap", "HashSet", "Instant", "SystemTime", "std::thread", "std::fs", "std::net", "std::env"];

fn impurities(file: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(file).expect("a source of ours");
    IMPURE.iter().filter(|word| text.contains(**word)).map(|word| format!("{} names {word}", file.display())).collect()
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let entries = folder.read_dir().expect("a folder of ours").map(|entry| entry.expect("an entry of it").path());
    entries.flat_map(|path| if path.is_dir() { rust_files(&path) } else { vec![path] }).collect()
}

/// A crate's name in the table: spells are many and all alike.
fn name(package: &cargo_metadata::Package) -> String {
    let is_spell = package.manifest_path.components().rev().nth(2).is_some_and(|folder| folder.as_str() == "spells");
    if is_spell { "spells/*".to_owned() } else { package.name.to_string() }
}

/// Each crate of ours with those of ours that it depends on, tests aside: what ships is what has a direction.
fn arrows() -> BTreeMap<String, BTreeSet<String>> {
    let metadata = MetadataCommand::new().no_deps().exec().expect("cargo metadata");
    let ours: BTreeSet<String> = metadata.workspace_packages().iter().map(|package| package.name.to_string()).collect();
    let depends_on = |package: &cargo_metadata::Package| -> Vec<String> {
        let normal = package.dependencies.iter().filter(|dependency| dependency.kind != DependencyKind::Development);
        normal.map(|dependency| dependency.name.clone()).filter(|name| ours.contains(name)).collect()
    };
    let mut arrows: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in metadata.workspace_packages() {
        arrows.entry(name(package)).or_default().extend(depends_on(package));
    }
    arrows
}
