//! What the shipped binaries hold: the game server has neither a compiler nor a database of accounts in it.

use anyhow::{Result, ensure};
use examples::server::shipped;

/// Parts of symbols and panic messages that a linked Cranelift leaves in a binary.
const COMPILER: &[&[u8]] = &[b"cranelift_codegen", b"regalloc2"];

#[test]
fn the_game_server_links_no_compiler() -> Result<()> {
    let (host, builder) = (std::fs::read(shipped("ugc-host")?)?, std::fs::read(shipped("ugc-builder")?)?);
    for part in COMPILER {
        ensure!(holds(&builder, part), "{} is not even in ugc-builder: this test looks for the wrong thing", String::from_utf8_lossy(part));
        ensure!(
            !holds(&host, part),
            "ugc-host links {}: it was built in one cargo call with the builder; run `cargo xtask dist`",
            String::from_utf8_lossy(part)
        );
    }
    Ok(())
}

#[test]
fn the_game_server_links_no_account_database() -> Result<()> {
    let (host, control) = (std::fs::read(shipped("ugc-host")?)?, std::fs::read(shipped("ugc-control")?)?);
    // A column of that database. SQLite itself is in both: the game server holds its world's file.
    let column = b"account_key_hash";
    ensure!(holds(&control, column), "account_key_hash is not even in ugc-control: this test looks for the wrong thing");
    ensure!(!holds(&host, column), "ugc-host links the control plane's database");
    Ok(())
}

fn holds(binary: &[u8], part: &[u8]) -> bool {
    binary.windows(part.len()).any(|window| window == part)
}
