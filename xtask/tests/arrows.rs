//! Who may depend on whom among our own crates, read from `cargo metadata` against the table of ARCHITECTURE.md.

use cargo_metadata::{DependencyKind, MetadataCommand};
use std::collections::{BTreeMap, BTreeSet};

/// Each crate and what it may depend on. A new arrow is an architecture change: it belongs here and in ARCHITECTURE.md, with its reason.
const ARROWS: &[(&str, &[&str])] = &[
    ("protocol", &[]),
    ("sim", &[]),
    ("spell-runtime", &[]),
    ("spell-sdk", &[]),
    ("spells/*", &["spell-sdk"]),
    ("game", &["sim", "spell-runtime"]),
    ("host", &["game", "protocol", "sim", "store"]),
    ("builder", &["game", "protocol", "spell-runtime"]),
    ("control", &["protocol", "store"]),
    ("spell-cli", &["builder", "game", "protocol"]),
    ("examples", &["protocol"]),
    ("bench", &["builder", "examples", "game", "protocol", "sim", "spell-runtime"]),
    ("xtask", &[]),
];

#[test]
fn crates_depend_only_on_what_the_table_allows() {
    let actual = arrows();
    let allowed: BTreeMap<&str, BTreeSet<&str>> = ARROWS.iter().map(|(from, to)| (*from, to.iter().copied().collect())).collect();
    let mut wrong = Vec::new();
    for (from, to) in &actual {
        match allowed.get(from.as_str()) {
            None => wrong.push(format!("{from} is not in the table")),
            Some(allowed) => wrong.extend(to.iter().filter(|to| !allowed.contains(to.as_str())).map(|to| format!("{from} -> {to}"))),
        }
    }
    assert!(wrong.is_empty(), "arrows that the table does not allow: {wrong:#?}");
}

#[test]
fn only_spell_runtime_names_wasmtime() {
    let metadata = MetadataCommand::new().no_deps().exec().expect("cargo metadata");
    let named: Vec<&str> = metadata
        .workspace_packages()
        .iter()
        .filter(|package| package.dependencies.iter().any(|dependency| dependency.name.starts_with("wasmtime")))
        .map(|package| package.name.as_str())
        .collect();
    assert_eq!(named, ["spell-runtime"]);
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
