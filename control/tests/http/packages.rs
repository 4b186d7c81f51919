//! What authors hand in: files, assets, components, zips; and what is no such thing.

use crate::harness::{Answer, Server};
use base64::{Engine, engine::general_purpose::STANDARD};
use protocol::Sha256Hex;
use serde_json::{Value, json};
use std::io::{Cursor, Write};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR and so on";

/// A zip in the making.
type Writer = ZipWriter<Cursor<Vec<u8>>>;

fn options() -> SimpleFileOptions {
    SimpleFileOptions::default().compression_method(CompressionMethod::Deflated)
}

fn zip_of(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        zip.start_file(*name, options()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// Another name of the same length, everywhere in the archive: for those that a decent writer does not write.
fn renamed(mut zip: Vec<u8>, from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut found = 0;
    for at in 0..zip.len() - from.len() {
        if zip[at..].starts_with(from.as_bytes()) {
            zip[at..at + to.len()].copy_from_slice(to.as_bytes());
            found += 1;
        }
    }
    assert!(found >= 2, "a name stands before its file and in the directory");
    zip
}

/// The same entries with checksums that fit, whatever those said before.
fn rezipped(zip: &[u8]) -> Vec<u8> {
    let mut archive = zip::ZipArchive::new(Cursor::new(zip)).unwrap();
    let mut files = Vec::new();
    for index in 0..archive.len() {
        let entry = archive.by_index_raw(index).unwrap();
        let (name, start, size) = (String::from_utf8(entry.name_raw().to_vec()).unwrap(), entry.data_start().unwrap(), entry.size());
        files.push((name, zip[start as usize..(start + size) as usize].to_vec()));
    }
    let files: Vec<(&str, &[u8])> = files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    zip_of(&files)
}

fn send(server: &Server, token: &str, zip: &[u8]) -> Answer {
    server.request("POST", "/api/spells/fireball/build", token, Some(("application/zip", zip)))
}

#[test]
fn a_zip_becomes_a_revision_with_all_its_files() {
    let server = Server::start();
    let token = server.login("kim");
    let zip = zip_of(&[
        ("src/lib.rs", b"mod deep;"),
        ("src/deep/mod.rs", b"// deep"),
        ("spell.toml", b"[metadata]\nname = \"Fire\"\n"),
        ("README.md", b"# Fire"),
        ("assets/ball.png", PNG),
    ]);
    let answer = send(&server, &token, &zip);
    assert_eq!(answer.status, 200, "{answer:?}");
    let job = server.ended(&token, answer.json()["job_id"].as_str().unwrap());
    let revision = job["result_revision_id"].as_str().unwrap_or_else(|| panic!("{job}")).to_owned();
    let path = format!("/api/spells/fireball/revisions/{revision}");
    let manifest = server.get(&format!("{path}/manifest"), &token).json()["manifest"].clone();
    let listed = |list: &str| -> Vec<String> {
        manifest[list]
            .as_array()
            .unwrap()
            .iter()
            .map(|file| format!("{} {}", file["path"].as_str().unwrap(), file["content_type"].as_str().unwrap()))
            .collect()
    };
    assert_eq!(
        listed("code"),
        [
            "README.md text/markdown; charset=utf-8",
            "spell.toml text/plain; charset=utf-8",
            "src/deep/mod.rs text/plain; charset=utf-8",
            "src/lib.rs text/plain; charset=utf-8",
        ]
    );
    assert_eq!(listed("assets"), ["assets/ball.png image/png"]);
    let asset = server.get(&format!("{path}/files/assets/ball.png"), &token);
    assert_eq!((asset.bytes.as_slice(), asset.header("content-type")), (PNG, "image/png"));

    // The same as JSON is the same package: found, not built.
    let builds = server.builds();
    let body = json!({
        "files": { "src/lib.rs": "mod deep;", "src/deep/mod.rs": "// deep", "spell.toml": "[metadata]\nname = \"Fire\"\n", "README.md": "# Fire" },
        "assets": { "assets/ball.png": STANDARD.encode(PNG) },
    });
    let again = server.post("/api/spells/fireball/build", &token, &body).json();
    assert_eq!(server.ended(&token, again["job_id"].as_str().unwrap())["result_revision_id"], json!(revision));
    assert_eq!(server.builds(), builds);
}

#[test]
fn a_component_is_taken_in_the_place_of_source() {
    let server = Server::start();
    let token = server.login("kim");
    let component = b"component of one";
    let body = json!({ "options": { "component": STANDARD.encode(component) } });
    let job = server.post("/api/spells/fireball/build", &token, &body).json();
    let job = server.ended(&token, job["job_id"].as_str().unwrap());
    let revision = job["result_revision_id"].as_str().unwrap_or_else(|| panic!("{job}"));
    let manifest = server.get(&format!("/api/spells/fireball/revisions/{revision}/manifest"), &token).json()["manifest"].clone();
    assert_eq!((&manifest["language"], &manifest["code"]), (&json!("component"), &json!([])));
    assert_eq!(manifest["component"]["hash"], Sha256Hex::of(component).as_str());
    let zip = zip_of(&[("component.wasm", component)]);
    let job = server.ended(&token, send(&server, &token, &zip).json()["job_id"].as_str().unwrap());
    assert_eq!(job["result_revision_id"], json!(revision));
    let both = json!({ "code": "one", "options": { "component": STANDARD.encode(component) } });
    server.post("/api/spells/fireball/build", &token, &both).is_problem(422, "bad_package");
    server.post("/api/spells/fireball/build", &token, &json!({ "options": { "component": "no base64!" } })).is_problem(422, "bad_package");
}

/// A zip, and how a build of it is refused: what it is, its bytes, status, code, and words of the detail.
type Hostile = (&'static str, Vec<u8>, u16, &'static str, &'static str);

fn hostile_zips() -> Vec<Hostile> {
    let good = |name: &str| zip_of(&[("src/lib.rs", b"one"), (name, b"two")]);
    let with = |write: &dyn Fn(&mut Writer)| {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        zip.start_file("src/lib.rs", options()).unwrap();
        zip.write_all(b"one").unwrap();
        write(&mut zip);
        zip.finish().unwrap().into_inner()
    };
    let large = vec![0_u8; 3 << 20];
    let many: Vec<(String, &[u8])> = (0..200).map(|n| (format!("src/m{n}.rs"), b"".as_slice())).collect();
    let many: Vec<(&str, &[u8])> = many.iter().map(|(name, bytes)| (name.as_str(), *bytes)).collect();
    let mut claims_little = with(&|zip| {
        zip.start_file("src/zeros.rs", options()).unwrap();
        zip.write_all(&large).unwrap();
    });
    // The size in its headers is a lie: three bytes, it says.
    let size = (3_u32 << 20).to_le_bytes();
    for at in 0..claims_little.len() - 4 {
        if claims_little[at..at + 4] == size {
            claims_little[at..at + 4].copy_from_slice(&3_u32.to_le_bytes());
        }
    }
    let truncated = good("README.md");
    vec![
        ("empty", Vec::new(), 422, "bad_zip", "no zip"),
        ("not a zip", b"PK\x03\x04 or is it".to_vec(), 422, "bad_zip", "no zip"),
        ("cut off", truncated[..truncated.len() - 30].to_vec(), 422, "bad_zip", "no zip"),
        ("leads up", renamed(good("xx/xx/passwd"), "xx/xx/passwd", "../../passwd"), 422, "bad_package", "elsewhere"),
        ("leads up in the middle", renamed(good("src/xx/x.rs"), "src/xx/x.rs", "src/../x.rs"), 422, "bad_package", "elsewhere"),
        ("absolute", renamed(good("xetc/passwd"), "xetc/passwd", "/etc/passwd"), 422, "bad_package", "slash"),
        ("backslashes", renamed(good("src_xx_x.rs"), "src_xx_x.rs", "src\\..\\x.rs"), 422, "bad_package", "ASCII"),
        ("a drive", renamed(good("CC/x.rs"), "CC/x.rs", "C:/x.rs"), 422, "bad_package", "ASCII"),
        ("zero byte", renamed(good("src/a_b.rs"), "src/a_b.rs", "src/a\0b.rs"), 422, "bad_package", "ASCII"),
        (
            "not UTF-8",
            {
                let mut zip = good("src/a_b.rs");
                for at in 0..zip.len() - 10 {
                    if zip[at..].starts_with(b"src/a_b.rs") {
                        zip[at + 5] = 0xff;
                    }
                }
                zip
            },
            422,
            "bad_zip",
            "UTF-8",
        ),
        ("twice", renamed(good("src/lob.rs"), "src/lob.rs", "src/lib.rs"), 422, "bad_zip", "twice"),
        ("twice but for case", good("src/LIB.rs"), 422, "bad_package", "twice"),
        ("file and folder", zip_of(&[("src/lib.rs", b""), ("src/a.rs", b""), ("src/a.rs/b.rs", b"")]), 422, "bad_package", "twice"),
        ("a link", with(&|zip| zip.add_symlink("src/passwd.rs", "/etc/passwd", options()).unwrap()), 422, "bad_zip", "link"),
        ("a plain file", with(&|zip| zip.start_file("src/dev.rs", options().unix_permissions(0o644)).unwrap()), 200, "", ""),
        ("a device", of_type(CHARACTER_DEVICE), 422, "bad_zip", "device"),
        ("a pipe", of_type(PIPE), 422, "bad_zip", "device"),
        ("a folder that leads up", with(&|zip| zip.add_directory("../x", options()).unwrap()), 422, "bad_zip", "elsewhere"),
        (
            "a bomb",
            with(&|zip| {
                zip.start_file("src/zeros.rs", options()).unwrap();
                zip.write_all(&large).unwrap();
            }),
            413,
            "too_large",
            "unpacked",
        ),
        (
            "a small bomb",
            with(&|zip| {
                zip.start_file("src/zeros.rs", options()).unwrap();
                zip.write_all(&large[..900_000]).unwrap();
            }),
            422,
            "bad_zip",
            "times its size",
        ),
        ("a bomb that claims to be small", claims_little, 422, "bad_zip", "no zip"),
        ("many files", zip_of(&many), 413, "too_large", "entries"),
        ("no source", zip_of(&[("README.md", b"x")]), 422, "code_missing", "src/lib.rs"),
        ("a build script", good("build.rs"), 422, "bad_package", "no place"),
        ("a manifest of cargo's", good("Cargo.toml"), 422, "bad_package", "no place"),
        ("a hidden file", good(".cargo/config"), 422, "bad_package", "hidden"),
        ("a page", good("assets/a.html"), 422, "bad_package", "no place"),
        ("a drawing", good("assets/a.svg"), 422, "bad_package", "no place"),
        ("a program", good("assets/a.wasm"), 422, "bad_package", "no place"),
        (
            "a page that calls itself an image",
            zip_of(&[("src/lib.rs", b""), ("assets/a.png", b"<script>")]),
            422,
            "bad_package",
            "bytes say otherwise",
        ),
        ("source that is no text", zip_of(&[("src/lib.rs", b"\xff\xfe")]), 422, "bad_package", "UTF-8"),
    ]
}

/// What `unix_permissions` leaves out: the type of a file.
const PLAIN_FILE: u16 = 0o100_000;
const CHARACTER_DEVICE: u16 = 0o020_000;
const PIPE: u16 = 0o010_000;

/// A package with a second entry of this type, which no decent writer writes.
fn of_type(kind: u16) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("src/lib.rs", options()).unwrap();
    zip.start_file("src/dev.rs", options().unix_permissions(0o641)).unwrap();
    let mut zip = zip.finish().unwrap().into_inner();
    let [plain, wanted] = [PLAIN_FILE, kind].map(|kind| (kind | 0o641).to_le_bytes());
    let at: Vec<usize> = (0..zip.len() - 1).filter(|at| zip[*at..*at + 2] == plain).collect();
    assert_eq!(at.len(), 1, "it stands in the directory");
    zip[at[0]..at[0] + 2].copy_from_slice(&wanted);
    zip
}

#[test]
fn hostile_zips_are_refused_by_name_and_nothing_is_built() {
    let server = Server::start();
    let token = server.login("kim");
    for (what, zip, status, code, words) in hostile_zips() {
        let answer = send(&server, &token, &zip);
        if status == 200 {
            assert_eq!(answer.status, 200, "{what}: {answer:?}");
            server.ended(&token, answer.json()["job_id"].as_str().unwrap());
            continue;
        }
        assert_eq!(answer.status, status, "{what}: {}", String::from_utf8_lossy(&answer.bytes));
        let problem = answer.is_problem(status, code);
        assert!(problem["detail"].as_str().unwrap().contains(words), "{what}: {problem}");
    }
    // Nothing but the good one has reached the compiler, and nothing was unpacked anywhere.
    assert_eq!(server.builds(), 1);
    assert_eq!(std::fs::read_dir(server.data("scratch")).unwrap().count(), 0);
}

#[test]
fn hostile_zips_are_no_archives_either() {
    let server = Server::start();
    let token = server.login("kim");
    for (what, zip, status, code, words) in hostile_zips() {
        let answer = server.request("POST", "/api/spells/fireball/import", &token, Some(("application/zip", &zip)));
        assert!(matches!(answer.status, 413 | 422), "{what}: {answer:?}");
        let problem = answer.json();
        // What is a zip, and whose files would be read one by one, has no manifest.
        let is_for_its_zip = matches!(code, "bad_zip" | "too_large");
        let (status, code, words) = if is_for_its_zip { (status, code, words) } else { (422, "bad_archive", "manifest.json") };
        assert_eq!((answer.status, problem["code"].as_str()), (status, Some(code)), "{what}: {problem}");
        assert!(problem["detail"].as_str().unwrap().contains(words), "{what}: {problem}");
    }
    assert_eq!(server.builds(), 0);
    assert_eq!(std::fs::read_dir(server.data("scratch")).unwrap().count(), 0);
}

#[test]
fn files_and_assets_over_their_limits_are_413() {
    let server = Server::start();
    let token = server.login("kim");
    let build = |body: &Value| server.post("/api/spells/fireball/build", &token, body);
    let text = |bytes: usize| STANDARD.encode(vec![b'a'; bytes]);
    build(&json!({ "code": "x", "assets": { "assets/a.txt": text(600_000) } })).is_problem(413, "too_large");
    let five: serde_json::Map<_, _> = (0..5).map(|n| (format!("assets/{n}.txt"), text(450_000).into())).collect();
    build(&json!({ "code": "x", "assets": five })).is_problem(413, "too_large");
    let many: serde_json::Map<_, _> = (0..70).map(|n| (format!("src/m{n}.rs"), "".into())).collect();
    build(&json!({ "files": many })).is_problem(413, "too_large");
    build(&json!({ "files": { "src/lib.rs": "x".repeat(200_000), "src/a.rs": "x".repeat(100_000) } })).is_problem(413, "too_large");
    build(&json!({ "options": { "component": text(1_100_000) } })).is_problem(413, "too_large");
    build(&json!({ "files": { "src/lib.rs": 1 } })).is_problem(422, "wrong_json");
    build(&json!({ "files": { "/etc/passwd": "x" } })).is_problem(422, "bad_package");
    build(&json!({ "files": { "src/main.rs": "x" } })).is_problem(422, "code_missing");
}

#[test]
fn an_icon_must_be_among_the_assets() {
    let server = Server::start();
    let token = server.login("kim");
    let build = |icon: &str| {
        let body = json!({
            "code": "one",
            "assets": { "assets/ball.png": STANDARD.encode(PNG) },
            "options": { "metadata": { "name": "Fire", "preview_icon": icon } },
        });
        let job = server.post("/api/spells/fireball/build", &token, &body).json();
        server.ended(&token, job["job_id"].as_str().unwrap())
    };
    assert_eq!(build("assets/ball.png")["status"], "completed");
    let failed = build("../../etc/passwd");
    assert_eq!((&failed["status"], &failed["diagnostics"][0]["code"]), (&json!("failed"), &json!("metadata")));
}

#[test]
fn a_revision_goes_to_another_server_in_one_file_and_has_the_same_hash_there() {
    let (here, there) = (Server::start(), Server::start());
    let token = here.login("kim");
    let body = json!({
        "code": "one",
        "assets": { "assets/ball.png": STANDARD.encode(PNG) },
        "options": { "metadata": { "name": "Fire", "tags": ["hot"] } },
    });
    let job = here.post("/api/spells/fireball/build", &token, &body).json();
    let revision = here.ended(&token, job["job_id"].as_str().unwrap())["result_revision_id"].as_str().unwrap().to_owned();
    let path = format!("/api/spells/fireball/revisions/{revision}/archive");
    here.get(&path, "").is_problem(404, "unknown_revision");
    let archive = here.get(&path, &token);
    assert_eq!((archive.status, archive.header("content-type")), (200, "application/zip"));
    assert_eq!(here.get(&path, &token).bytes, archive.bytes);

    let ann = there.login("ann");
    there.revision(&ann, "flame", "something else");
    let import = |zip: &[u8]| there.request("POST", "/api/spells/flame/import", &ann, Some(("application/zip", zip)));
    let job = there.ended(&ann, import(&archive.bytes).json()["job_id"].as_str().unwrap());
    let imported = job["result_revision_id"].as_str().unwrap_or_else(|| panic!("{job}")).to_owned();
    assert_eq!(imported, format!("rev_000002_{}", &revision[11..]));
    let manifest = there.get(&format!("/api/spells/flame/revisions/{imported}/manifest"), &ann).json()["manifest"].clone();
    assert_eq!(manifest["origin"], json!({ "spell_id": "fireball", "revision_id": revision, "author": "kim" }));
    assert_eq!((&manifest["author"], &manifest["metadata"]["name"]), (&json!("ann"), &json!("Fire")));
    // And on, to a third.
    let again = there.get(&format!("/api/spells/flame/revisions/{imported}/archive"), &ann);
    assert_eq!(again.status, 200);

    let with = |from: &[u8], to: &[u8]| {
        let at = archive.bytes.windows(from.len()).position(|window| window == from).expect("archives are not packed");
        let mut bytes = archive.bytes.clone();
        bytes[at..at + to.len()].copy_from_slice(to);
        rezipped(&bytes)
    };
    // Another picture than the manifest says, and a name that no player could have.
    import(&with(b"and so on", b"and no on")).is_problem(422, "bad_archive");
    import(&with(br#""author": "kim""#, br#""author": "k m""#)).is_problem(422, "bad_archive");
    import(&zip_of(&[("manifest.json", b"{}")])).is_problem(422, "bad_archive");
    import(&zip_of(&[("src/lib.rs", b"one")])).is_problem(422, "bad_archive");
    there.post("/api/spells/flame/import", &ann, &json!({})).is_problem(422, "bad_archive");
}

#[test]
fn an_archive_that_other_tools_have_built_keeps_its_component() {
    let server = Server::start();
    let token = server.login("kim");
    let revision = server.revision(&token, "fireball", "one");
    let archive = server.get(&format!("/api/spells/fireball/revisions/{revision}/archive"), &token).bytes;
    let mut zip = zip::ZipArchive::new(Cursor::new(archive)).unwrap();
    let mut files: Vec<(String, Vec<u8>)> = Vec::new();
    for index in 0..zip.len() {
        let mut bytes = Vec::new();
        let mut entry = zip.by_index(index).unwrap();
        std::io::copy(&mut entry, &mut bytes).unwrap();
        files.push((String::from_utf8(entry.name_raw().to_vec()).unwrap(), bytes));
    }
    // As another version of the compiler would have made it.
    let component = b"component of one, by another compiler".to_vec();
    let mut manifest: Value = serde_json::from_slice(&files[0].1).unwrap();
    manifest["component"] = json!({ "hash": Sha256Hex::of(&component).as_str(), "size": component.len() });
    files[0].1 = manifest.to_string().into_bytes();
    files.iter_mut().find(|(name, _)| name == "component.wasm").unwrap().1 = component.clone();
    let files: Vec<(&str, &[u8])> = files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    let job = server.request("POST", "/api/spells/gust/import", &token, Some(("application/zip", &zip_of(&files))));
    let job = server.ended(&token, job.json()["job_id"].as_str().unwrap());
    let revision = job["result_revision_id"].as_str().unwrap_or_else(|| panic!("{job}"));
    let manifest = server.get(&format!("/api/spells/gust/revisions/{revision}/manifest"), &token).json()["manifest"].clone();
    assert_eq!(manifest["component"]["hash"], Sha256Hex::of(&component).as_str());
    // What the source would build to is something else: nobody here vouches for it.
    assert_eq!(manifest["language"], "component");
    assert_eq!(server.get(&format!("/api/spells/gust/revisions/{revision}/files/src/lib.rs"), &token).bytes, b"one");
}
