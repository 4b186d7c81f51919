//! Real builds with the real compiler, against the SDK that `cargo xtask dist` made.

use builder::build;
use builder::limits::{CPU_SECONDS_MAX, WALL_TIME_MAX};
use protocol::Sha256Hex;
use protocol::job::{Diagnostic, Severity, Stage};
use protocol::manifest::InFlightPolicy;
use protocol::package::PackagePath;
use protocol::worker::{ARTIFACT_FILE, COMPONENT_FILE, Event, Finished, Input, Order, Sandbox};
use spell_runtime::{Runtime, artifact::PublicKey};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const SEED: [u8; 32] = [9; 32];
const GOOD: &str = include_str!("../../../spells/fireball/src/lib.rs");

#[test]
fn good_source_becomes_an_artifact_that_loads() {
    let built = run(GOOD);
    let finished = built.finished();
    assert_eq!(finished.diagnostics, []);
    assert_eq!(built.stages, [Stage::Prepare, Stage::Compile, Stage::Componentize, Stage::Smoke, Stage::Store]);
    assert_eq!(
        finished.stage_ms.iter().map(|(stage, _)| *stage).collect::<Vec<_>>(),
        [Stage::Prepare, Stage::Compile, Stage::Componentize, Stage::Inspect, Stage::Precompile, Stage::Smoke, Stage::Store]
    );
    let runtime = Runtime::new(1).expect("a small runtime");
    let spell = runtime.load("built", &built.file(ARTIFACT_FILE), &PublicKey::of_seed(&SEED)).expect("our own artifact");
    assert_eq!(spell.component_hash(), Sha256Hex::of(&built.file(COMPONENT_FILE)).as_str());
    assert_eq!(serde_json::to_value(spell.envelope()).expect("serializes"), finished.envelope);
    assert!(spell.instantiate(1_000_000).is_ok());
    assert!(finished.toolchain.starts_with("rustc "));
}

#[test]
fn an_sdk_behind_a_link_is_found() {
    let (folder, order) = order(GOOD);
    let link = folder.path().join("sdk");
    std::os::unix::fs::symlink(&order.sdk, &link).expect("a link");
    let mut last = None;
    build(&Order { sdk: link.join("../sdk"), ..order }, worker(), &mut |event| last = Some(event.clone()))
        .expect("the installation is in order");
    assert!(matches!(last, Some(Event::Finished(_))), "{last:?}");
}

#[test]
fn the_same_source_gives_the_same_component_in_another_folder() {
    let (first, second) = (run(GOOD), run(GOOD));
    assert_ne!(first.scratch.path(), second.scratch.path());
    assert_eq!(Sha256Hex::of(&first.file(COMPONENT_FILE)), Sha256Hex::of(&second.file(COMPONENT_FILE)));
    assert_eq!(Sha256Hex::of(&first.file(ARTIFACT_FILE)), Sha256Hex::of(&second.file(ARTIFACT_FILE)));
}

#[test]
fn nothing_but_the_outputs_is_left() {
    assert_eq!(run(GOOD).left(), [ARTIFACT_FILE, COMPONENT_FILE]);
    assert_eq!(run("fn").left(), Vec::<String>::new());
}

#[test]
fn a_type_error_has_its_place_and_its_help() {
    let failure = run("use spell_sdk::prelude::*;\n\npub fn broken() -> String {\n    \"ball\"\n}\n").failure();
    let error = failure.iter().find(|found| found.code == "E0308").expect("the type error");
    assert_eq!((error.file.as_str(), error.line, error.column, error.end_line, error.end_column), ("src/lib.rs", 4, 5, 4, 11));
    assert_eq!(error.severity, Severity::Error);
    assert!(error.message.starts_with("mismatched types"), "{}", error.message);
    assert!(error.help.as_deref().is_some_and(|help| help.contains(".to_string()")), "{:?}", error.help);
}

#[test]
fn source_that_is_no_spell_fails_in_words() {
    let failure = run("pub fn nothing() {}").failure();
    assert_eq!(failure[0].message, "does not export ugc:spell/hooks@0.1.0");
    assert!(failure[0].help.as_deref().is_some_and(|help| help.contains("`spell!`")), "{failure:?}");
}

#[test]
fn foreign_functions_cannot_be_declared() {
    // Imports are inspected all the same, for modules that come another way: the runtime's tests show it.
    let failure = run("#[link(wasm_import_module = \"wasi_snapshot_preview1\")]\nunsafe extern \"C\" { pub safe fn fd_write(a: i32, b: i32, c: i32, d: i32) -> i32; }\n#[unsafe(no_mangle)] pub extern \"C\" fn f() -> i32 { fd_write(0, 0, 0, 0) }").failure();
    assert_eq!((failure[0].code.as_str(), failure[0].message.as_str()), ("unsafe_code", "usage of an `unsafe extern` block"));
}

#[test]
fn no_path_of_this_machine_is_in_any_finding() {
    let cases = [
        "mod elsewhere;",
        "include!(\"gone.rs\");",
        "use spell_sdk::prelude::*; impl Spell for u8 {}",
        "compile_error!(concat!(file!(), \"!\"));",
        "compile_error!(env!(\"TMPDIR\"));",
        // rustc leaves the name of so long a type in a file, and says where.
        "type A = (((u8, u8), (u16, u16)), ((u32, u32), (u64, u64))); type B = ((A, A, A, A), (A, A, A, A)); pub fn f(b: (B, B, B, B)) { b.none() }",
    ];
    let mut names = 0;
    for source in cases {
        let built = run(source);
        let (scratch, sdk) = (built.scratch.path().to_path_buf(), sdk());
        let rustc_home = builder::toolchain::Toolchain::read(&sdk).expect("a toolchain").rustc;
        for found in built.failure() {
            let text = format!("{} {:?}", found.message, found.help);
            names += text.matches("'/spell/").count();
            for hidden in [scratch.as_path(), sdk.as_path(), rustc_home.parent().and_then(Path::parent).expect("a sysroot")] {
                assert!(!text.contains(&*hidden.to_string_lossy()), "{text}");
            }
        }
    }
    assert!(names > 0, "no finding named a path: nothing was proved");
}

#[test]
fn no_file_of_this_machine_gets_into_a_build() {
    let folder = tempfile::tempdir().expect("a folder");
    let secret = folder.path().join("secret");
    std::fs::write(&secret, "5ec2e7c0ffee").expect("a secret");
    let path = format!("{secret:?}");
    let spell = |item: &str| format!("{GOOD}\n{}", item.replace("PATH", &path));
    for item in [
        "#[used] pub static LEAK: &str = include_str!(PATH);",
        "compile_error!(include_str!(PATH));",
        "const _: () = panic!(\"{}\", core::include_str!(PATH));",
        "macro_rules! read { ($r:ident) => { $r!(PATH) } } const _: () = panic!(\"{}\", read!(include_str));",
        "const X: u64 = include!(PATH);",
        "const X: u64 = include /* not so fast */ !(PATH);",
        "macro_rules! read { ($r:ident) => { $r!(PATH) } } const X: u64 = read!(include);",
        "#[path = PATH] mod elsewhere;",
        "macro_rules! read { ($m:tt $p:ident $i:ident) => { #[$p = PATH] $m $i; } } read!(mod path elsewhere);",
        "#![debugger_visualizer(gdb_script_file = PATH)]",
    ] {
        let failure = format!("{:?}", run(&spell(item)).failure());
        assert!(!failure.contains("5ec2e7") && failure.contains("reads no other"), "{item}: {failure}");
    }
}

#[test]
fn the_environment_that_a_source_can_see_says_nothing() {
    let built = run(&format!("{GOOD}\n#[used] pub static SEEN: (&str, Option<&str>) = (env!(\"TMPDIR\"), option_env!(\"PATH\"));"));
    let component = built.file(COMPONENT_FILE);
    let folder = built.scratch.path().to_string_lossy().into_owned();
    assert!(!component.windows(folder.len()).any(|window| window == folder.as_bytes()));
}

#[test]
fn an_output_that_lies_there_already_is_not_written_through() {
    let (scratch, order) = order(GOOD);
    let elsewhere = tempfile::NamedTempFile::new().expect("a file");
    std::os::unix::fs::symlink(elsewhere.path(), scratch.path().join(COMPONENT_FILE)).expect("a link");
    assert!(build(&order, worker(), &mut |_| ()).is_err());
    assert_eq!(std::fs::read(elsewhere.path()).expect("still there"), b"");
}

#[test]
fn endless_constant_evaluation_is_stopped() {
    let failure = run("#![allow(long_running_const_eval)]\npub const ENDLESS: u64 = { let mut n = 0u64; loop { n = n.wrapping_add(1); if n == u64::MAX { break } } n };").failure();
    // On a machine that gives it less than two thirds of a core, the wall clock is first.
    let expected = match failure[0].code.as_str() {
        "cpu" => format!("compiler was stopped: it used more than {CPU_SECONDS_MAX} s of CPU time"),
        _ => format!("compiler was stopped: it took more than {} s", WALL_TIME_MAX.as_secs()),
    };
    assert_eq!(failure[0].message, expected);
}

#[test]
fn a_crashing_compiler_is_a_failed_build() {
    let failure = run(&format!("pub const X: u8 = {}1{};", "(".repeat(60_000), ")".repeat(60_000))).failure();
    assert!(matches!(failure[0].code.as_str(), "crash" | "memory" | "cpu"), "{failure:?}");
}

#[test]
fn too_much_source_is_refused_before_it_is_compiled() {
    let failure = run(&"/".repeat(protocol::limits::SOURCE_BYTES_MAX + 1)).failure();
    assert_eq!(failure[0].code, "size");
}

#[test]
fn an_inherited_environment_opens_nothing() {
    // RUSTC_BOOTSTRAP in the launcher's environment would make nightly features compile.
    let (scratch, order) = order("#![feature(never_type)]");
    let mut launcher = launcher(&order, &[("RUSTC_BOOTSTRAP", "1")]);
    let events = events(&mut launcher);
    assert!(matches!(events.last(), Some(Event::Failed { message, .. }) if message.contains("stable")), "{events:?}");
    drop(scratch);
}

#[test]
fn a_killed_launcher_takes_the_compiler_with_it() {
    let (scratch, order) =
        order("#![allow(long_running_const_eval)]\npub const ENDLESS: u64 = { let mut n = 0u64; while n != u64::MAX { n += 1; } n };");
    let mut launcher = launcher(&order, &[]);
    let stdout = launcher.stdout.take().expect("piped");
    let mut lines = BufReader::new(stdout).lines();
    assert!(lines.any(|line| line.expect("text").contains("compile")));
    // The compiler is a child now or soon; its death is seen by the pipe that it inherited from nobody, so watch the kernel's list.
    let compiler = until(|| children(launcher.id()).first().copied());
    launcher.kill().expect("still there");
    assert_eq!(launcher.wait().expect("ends").signal(), Some(9));
    until(|| (!running(compiler)).then_some(()));
    drop(scratch);
}

#[test]
fn a_launcher_whose_owner_is_gone_leaves_no_process_and_no_file() {
    let (scratch, order) =
        order("#![allow(long_running_const_eval)]\npub const ENDLESS: u64 = { let mut n = 0u64; while n != u64::MAX { n += 1; } n };");
    let mut launcher = launcher(&order, &[]);
    let mut lines = BufReader::new(launcher.stdout.take().expect("piped")).lines();
    assert!(lines.any(|line| line.expect("text").contains("compile")));
    let compiler = until(|| children(launcher.id()).first().copied());
    assert!(scratch.path().join("source/src/lib.rs").exists());
    // As the kernel closes it when the owner is killed.
    drop(launcher.stdin.take());
    launcher.wait().expect("ends");
    assert!(!scratch.path().exists());
    until(|| (!running(compiler)).then_some(()));
}

#[test]
fn a_spell_of_several_files_is_one_spell() {
    let lib = GOOD.replace("const DAMAGE: f32 = 25.0;", "mod tuning;\nuse tuning::DAMAGE;");
    assert_ne!(lib, GOOD);
    let package = |tuning: &str| Input::Source {
        files: files(&[
            ("src/lib.rs", &lib),
            ("src/tuning.rs", tuning),
            ("spell.toml", "[metadata]\nname = \"Fire\"\n[in_flight]\npolicy = \"migrate\"\n"),
            ("README.md", "It burns."),
        ]),
    };
    let built = run_input(package("pub const DAMAGE: f32 = 25.0;"));
    let finished = built.finished();
    assert_eq!(finished.metadata.as_ref().expect("spell.toml's").name, "Fire");
    assert_eq!(finished.in_flight.policy, InFlightPolicy::Migrate);

    let failure = run_input(package("pub const DAMAGE: f32 =\n    \"much\";")).failure();
    assert_eq!((failure[0].file.as_str(), failure[0].line, failure[0].column), ("src/tuning.rs", 2, 5));
    let failure = run_input(package("mod deeper;")).failure();
    assert_eq!((failure[0].file.as_str(), failure[0].code.as_str()), ("src/tuning.rs", "E0583"), "{failure:?}");
    assert!(failure[0].help.as_deref().is_some_and(|help| help.contains("\"src/tuning/deeper.rs\"")), "{failure:?}");
    let failure = run_input(package("pub const DAMAGE: f32 = 25.0;\n// \u{e4}\nconst _: &str = include_str!(\"x\");")).failure();
    assert_eq!((failure[0].file.as_str(), failure[0].line), ("src/tuning.rs", 3));
}

#[test]
fn a_mistake_in_spell_toml_is_a_finding_with_its_place() {
    let built = run_input(Input::Source { files: files(&[("src/lib.rs", GOOD), ("spell.toml", "[metadata]\ncolour = 1\n")]) });
    assert_eq!(built.stages, [Stage::Prepare]);
    let failure = built.failure();
    assert_eq!((failure[0].file.as_str(), failure[0].line, failure[0].code.as_str()), ("spell.toml", 2, "spell_toml"));
}

#[test]
fn casts_in_small_worlds_are_measured() {
    let built = run(GOOD);
    let measured = built.finished().measured.as_ref().expect("it was cast");
    assert_eq!(measured.used, ["damage", "move_entities", "spawn_entities"]);
    assert_eq!(measured.unused, Vec::<String>::new());
    assert!(measured.casts == 8 && measured.calls > 8 && measured.call_fuel_max > 1_000, "{measured:?}");
    assert!(measured.cast_mana_max > built.finished().cost.cast_mana, "{measured:?}");
    assert_eq!(Some(measured), run(GOOD).finished().measured.as_ref());
}

#[test]
fn a_capability_that_is_not_declared_fails_with_the_attribute_to_add() {
    let failure = run(&GOOD.replace("Can::DAMAGE | ", "")).failure();
    assert_eq!(failure[0].code, "capability", "{failure:?}");
    assert!(failure[0].help.as_deref().is_some_and(|help| help.contains(".can(Can::DAMAGE)")), "{failure:?}");
    assert!(failure[0].line > 1, "{failure:?}");
    let wider = run(&GOOD.replace("Can::DAMAGE | ", "Can::DAMAGE | Can::STORAGE | "));
    let told = &wider.finished().diagnostics;
    assert!(told.len() == 1 && told[0].code == "unused_capability" && told[0].message.contains("storage"), "{told:?}");
}

#[test]
fn a_panic_in_a_small_world_is_found_at_its_line() {
    let cast = "fn on_cast(&mut self, world: &mut World, cast: &Cast) -> Result<(), Refusal> {";
    let built = run(&GOOD.replace(cast, &format!("{cast}\n        assert!(cast.aim.y < 0.5, \"not up there\");")));
    assert_eq!(built.stages.last(), Some(&Stage::Smoke));
    let failure = built.failure();
    let line = GOOD.lines().position(|line| line.contains(cast)).expect("it is there") as u32 + 2;
    assert_eq!(
        (failure[0].code.as_str(), failure[0].file.as_str(), failure[0].line, failure[0].column),
        ("unreachable", "src/lib.rs", line, 9)
    );
    assert!(failure[0].message.contains("straight up") && failure[0].message.contains("not up there"), "{failure:?}");
}

#[test]
fn a_component_is_built_without_its_source() {
    let first = run(GOOD);
    let hex = hex::encode(first.file(COMPONENT_FILE));
    let component = |ours| run_input(Input::Component { hex: hex.clone(), files: BTreeMap::new(), ours, has_been_cast: ours });
    // The same native code, which a host of another engine would get anew.
    let again = component(true);
    assert_eq!(again.stages, [Stage::Prepare, Stage::Componentize, Stage::Store]);
    assert_eq!(again.file(ARTIFACT_FILE), first.file(ARTIFACT_FILE));
    // Whoever hands it in is believed nothing: it is driven through the component layer.
    let foreign = component(false);
    assert_eq!(foreign.file(COMPONENT_FILE), first.file(COMPONENT_FILE));
    assert_ne!(foreign.file(ARTIFACT_FILE), first.file(ARTIFACT_FILE));
    assert_eq!(foreign.finished().envelope, first.finished().envelope);
    assert_eq!(foreign.finished().measured.as_ref().map(|measured| measured.casts), Some(8));
}

#[test]
fn a_missing_sdk_names_the_command_that_makes_it() {
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let order = Order { sdk: scratch.path().join("none"), ..order("").1 };
    let error = build(&order, worker(), &mut |_| ()).expect_err("no SDK");
    assert!(error.to_string().contains("cargo xtask dist"), "{error}");
    assert!(builder::check(&order.sdk, worker())[0].contains("cargo xtask dist"));
    assert_eq!(builder::check(&sdk(), &worker().canonicalize().expect("it was built")), Vec::<String>::new());
}

struct Built {
    scratch: tempfile::TempDir,
    stages: Vec<Stage>,
    last: Event,
}

impl Built {
    fn finished(&self) -> &Finished {
        match &self.last {
            Event::Finished(finished) => finished,
            other => panic!("{other:?}"),
        }
    }
    fn failure(self) -> Vec<Diagnostic> {
        match self.last {
            Event::Failed { diagnostics, message } => {
                assert!(!message.is_empty() && !message.contains('\n'));
                diagnostics
            }
            other => panic!("{other:?}"),
        }
    }
    fn file(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.scratch.path().join(name)).expect("an output")
    }
    fn left(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.scratch.path()).expect("the scratch folder");
        let mut names: Vec<String> = entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }
}

fn run(source: &str) -> Built {
    run_input(Input::Source { files: files(&[("src/lib.rs", source)]) })
}

fn run_input(input: Input) -> Built {
    let (scratch, order) = order_of(input);
    let mut events = Vec::new();
    build(&order, worker(), &mut |event| events.push(event.clone())).expect("the installation is in order");
    let last = events.pop().expect("a last event");
    let stages = events
        .into_iter()
        .map(|event| match event {
            Event::Stage { stage } => stage,
            other => panic!("{other:?} before the end"),
        })
        .collect();
    Built { scratch, stages, last }
}

fn order(source: &str) -> (tempfile::TempDir, Order) {
    order_of(Input::Source { files: files(&[("src/lib.rs", source)]) })
}

fn files(files: &[(&str, &str)]) -> BTreeMap<PackagePath, String> {
    files.iter().map(|(path, text)| (PackagePath::new(*path).expect("a path"), (*text).to_owned())).collect()
}

fn order_of(input: Input) -> (tempfile::TempDir, Order) {
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let order = Order { input, scratch: scratch.path().into(), sdk: sdk(), signing_seed: hex::encode(SEED), sandbox: Sandbox::Whole };
    (scratch, order)
}

fn worker() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_ugc-builder"))
}

fn sdk() -> PathBuf {
    let sdk = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/release/sdk").canonicalize();
    sdk.expect("target/release/sdk is missing: run `cargo xtask dist`")
}

fn launcher(order: &Order, environment: &[(&str, &str)]) -> std::process::Child {
    // It makes its own.
    std::fs::remove_dir(&order.scratch).expect("an empty folder");
    let mut command = Command::new(worker());
    command.arg("build").envs(environment.iter().copied()).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("the worker starts");
    let mut text = serde_json::to_vec(order).expect("serializes");
    text.push(b'\n');
    child.stdin.as_mut().expect("piped").write_all(&text).expect("the worker reads");
    child
}

fn events(launcher: &mut std::process::Child) -> Vec<Event> {
    let stdout = launcher.stdout.take().expect("piped");
    let mut events = Vec::new();
    for line in BufReader::new(stdout).lines() {
        events.push(serde_json::from_str(&line.expect("text")).expect("an event"));
        if matches!(events.last(), Some(Event::Finished(_) | Event::Failed { .. })) {
            drop(launcher.stdin.take());
        }
    }
    launcher.wait().expect("ends");
    events
}

/// The processes whose parent it is, from the kernel's list.
fn children(parent: u32) -> Vec<u32> {
    let processes = std::fs::read_dir("/proc").expect("/proc");
    let ids = processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    ids.filter(|id| state_and_parent(*id).is_some_and(|(_, of)| of == parent)).collect()
}

fn running(id: u32) -> bool {
    state_and_parent(id).is_some_and(|(state, _)| state != "Z")
}

fn state_and_parent(id: u32) -> Option<(String, u32)> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let mut fields = stat.rsplit_once(") ")?.1.split(' ');
    Some((fields.next()?.to_owned(), fields.next()?.parse().ok()?))
}

/// Waits for what the kernel does by itself, with a limit.
fn until<T>(mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    loop {
        if let Some(value) = look() {
            return value;
        }
        assert!(std::time::Instant::now() < deadline, "nothing happened");
        std::thread::yield_now();
    }
}
