//! Tries the whole HTTP interface with generated requests: schemathesis reads `/openapi.json` of a server of its own, where there is a spell, a revision, a job and a
//! world for it to find. It fails when any answer is a server error, or another one than the
//! document says, and wherever else one of its checks fails. `pip install schemathesis` puts that tool in the path.

use anyhow::{Context, Result, ensure};
use examples::Server;
use serde_json::json;
use std::fs;
use std::process::Command;
use std::time::Duration;

const SPELL: &str = "fuzzed";
const SOURCE: &str = include_str!("../spells/mend/src/lib.rs");
const BUILD_TIMEOUT: Duration = Duration::from_secs(30);
const ADMIN_TOKEN: &str = "the fuzzer's";
/// A schema has no word for some rules (one of two fields, names that a package may have): what breaks them is told so, by 413, 415 or 422.
const CHECKS: &str = "[checks.positive_data_acceptance]\nexpected-statuses = [\"2xx\", 401, 403, 404, 409, 413, 415, 422, 429]\n";
const HOOKS: &str = include_str!("api_fuzz.py");

fn main() -> Result<()> {
    let examples = std::env::args().nth(1).unwrap_or_else(|| "50".into());
    let server = Server::start_with(&[("ADMIN_TOKEN", ADMIN_TOKEN)])?;
    let http = server.http();
    let player = http.login(Some("fuzzer"))?;
    let token = player.session_token.as_str();
    let job = http.build(&player, SPELL, SOURCE)?;
    let revision = http.build_revision(&player, SPELL, SOURCE, BUILD_TIMEOUT)?;
    http.publish(&player, SPELL, &revision, "beta")?;
    let world = http.post("/worlds", Some(token), &json!({}))?.ok_json()?["world"]["world_id"].as_str().context("a world")?.to_owned();

    let folder = tempfile::tempdir()?;
    fs::write(folder.path().join("api_fuzz.py"), HOOKS)?;
    let ids = [("spell", SPELL), ("revision", &revision), ("job", &job), ("world", &world), ("path", "src/lib.rs")];
    let ids: String = ids.iter().map(|(name, value)| format!("\"path.{name}\" = {value:?}\n")).collect();
    // Half of the run knows what is there, half makes it up.
    for parameters in [format!("[parameters]\n{ids}"), String::new()] {
        let config = format!("{parameters}\n{CHECKS}");
        for bearer in [token, ADMIN_TOKEN] {
            fs::write(folder.path().join("schemathesis.toml"), &config)?;
            let status = Command::new("schemathesis")
                .args(["run", &format!("{}/openapi.json", server.url), "--checks", "all", "--warnings", "off"])
                .args(["--phases", "examples,coverage,fuzzing,stateful", "--max-examples", &examples, "--request-timeout", "40"])
                .args(["--header", &format!("Authorization: Bearer {bearer}")])
                .env("SCHEMATHESIS_HOOKS", "api_fuzz")
                .env("PYTHONPATH", folder.path())
                .current_dir(folder.path())
                .status()
                .context("schemathesis does not start: pip install schemathesis")?;
            ensure!(status.success(), "schemathesis found something");
        }
    }
    let log = server.log();
    let own = ["request failed", "panicked"].into_iter().find(|words| log.contains(words));
    ensure!(own.is_none(), "the server's log has {own:?}:\n{log}");
    println!("no server error, and none in its log");
    Ok(())
}
