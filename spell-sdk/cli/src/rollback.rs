//! `spell rollback`: a channel points at an earlier revision again, or a trial ends.

use crate::server::Server;
use crate::target;
use anyhow::Result;
use protocol::{Channel, RevisionId};
use serde_json::json;

/// Rolls back; tells what the channel points at then.
pub fn run(word: &str, channel: Channel, to: Option<&RevisionId>) -> Result<bool> {
    let spell = target::of_word(word)?;
    let order = json!({ "channel": channel, "revision_id": to });
    let answer = Server::of_login()?.send("POST", &format!("/api/spells/{spell}/rollback"), Some(&order))?;
    let revision = serde_json::from_value::<Option<RevisionId>>(answer["revision_id"].clone())?;
    let revision = revision.map_or("nothing".into(), |revision| revision.to_string());
    match answer["ended_rollout"].as_i64() {
        Some(rollout) => println!("{spell}: rollout {rollout} is over, and {revision} is {channel}"),
        None => println!("{spell}: {revision} is {channel} now"),
    }
    Ok(true)
}
