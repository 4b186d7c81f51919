//! `spell publish`: a revision for everybody, at once or on trial first.

use crate::package::Package;
use crate::server::Server;
use crate::server_build::{Outcome, build};
use crate::{plain, target};
use anyhow::{Context, Result, bail, ensure};
use protocol::{Channel, RevisionId, SpellId};
use serde_json::{Map, Value, json};
use std::path::Path;

/// What is asked for.
pub struct Options<'a> {
    /// The spell's folder or file.
    pub path: &'a Path,
    /// Its id, where that is not its name.
    pub spell: Option<&'a str>,
    /// What is to point at the revision.
    pub channel: Channel,
    /// `percent,key=value...`.
    pub rollout: Option<&'a str>,
    /// What was built before, in the place of what is in the folder.
    pub revision: Option<RevisionId>,
}

/// Publishes, and says what may come next; answers whether it could be built.
pub fn run(options: Options<'_>) -> Result<bool> {
    let Options { path, spell, channel, rollout, revision } = options;
    let spell = target::of_path(path, spell)?;
    let rollout = rollout.map(terms).transpose()?;
    let server = Server::of_login()?;
    let revision = match revision {
        Some(revision) => revision,
        None => match build(&server, &spell, &Package::read(path)?, &|| true)? {
            Outcome::Built(revision) => revision,
            Outcome::Failed | Outcome::TakenBack => return Ok(false),
        },
    };
    let mut order = json!({ "revision_id": revision, "channel": channel });
    if let Some(rollout) = &rollout {
        order["rollout"] = rollout.clone();
    }
    let answer = server.send("POST", &format!("/api/spells/{spell}/publish"), Some(&order))?;
    match (answer["rollout"].as_i64(), &rollout) {
        (Some(number), Some(terms)) => {
            println!("{spell}: {revision} is on trial for {channel}, with {} % of the casts: rollout {number}", terms["percent"])
        }
        _ => println!("{spell}: {revision} is {channel} now"),
    }
    say_what_is_next(&spell, channel, rollout.is_some());
    Ok(true)
}

fn say_what_is_next(spell: &SpellId, channel: Channel, is_trial: bool) {
    let channel = if channel == Channel::Stable { String::new() } else { format!(" --channel {channel}") };
    let (look, back) = (format!("spell revisions {spell}"), format!("spell rollback {spell}{channel}"));
    let width = look.len().max(back.len());
    println!("  {look:width$}   {}", if is_trial { "how the trial goes" } else { "what there is" });
    println!("  {back:width$}   {}", if is_trial { "ends the trial" } else { "takes it back" });
}

/// The request's rollout of `10,by=player,min_casts=50`: whether the figures make sense is the server's to say.
fn terms(text: &str) -> Result<Value> {
    let mut parts = text.split(',').map(str::trim);
    let percent = parts.next().unwrap_or_default();
    let mut terms = Map::from_iter([("percent".to_owned(), number("percent", percent.trim_end_matches('%').trim_end())?)]);
    for part in parts {
        let (key, value) = part.split_once('=').with_context(|| format!("{:?} is not key=value", plain::line(part)))?;
        let value = match key {
            "by" => {
                ensure!(["cast", "player", "world"].contains(&value), "by is cast, player or world, not {value:?}");
                json!(value)
            }
            "min_casts" | "bake_seconds" => json!(value.parse::<u32>().with_context(|| format!("{key} is a whole number, not {value:?}"))?),
            "max_upkeep_ratio" if value == "none" => Value::Null,
            "max_fault_rate" | "max_upkeep_ratio" => number(key, value)?,
            _ => bail!("{key:?} is none of by, min_casts, max_fault_rate, max_upkeep_ratio and bake_seconds"),
        };
        ensure!(terms.insert(key.to_owned(), value).is_none(), "{key} is there twice");
    }
    Ok(Value::Object(terms))
}

fn number(key: &str, text: &str) -> Result<Value> {
    let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
    let number = number.with_context(|| format!("{key} is a number, not {text:?}"))?;
    // As it would be written: 10, not 10.0.
    Ok(if number.fract() == 0.0 && number.abs() < 1e9 { json!(number as i64) } else { json!(number) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rollout_is_written_in_one_word() {
        assert_eq!(terms("10").expect("terms"), json!({ "percent": 10 }));
        assert_eq!(terms("0.5 %").expect("terms"), json!({ "percent": 0.5 }));
        assert_eq!(
            terms("10,by=player,min_casts=50,max_fault_rate=0.05,max_upkeep_ratio=3,bake_seconds=300").expect("terms"),
            json!({ "percent": 10, "by": "player", "min_casts": 50, "max_fault_rate": 0.05, "max_upkeep_ratio": 3, "bake_seconds": 300 })
        );
        assert_eq!(terms("10,max_upkeep_ratio=none").expect("terms"), json!({ "percent": 10, "max_upkeep_ratio": null }));
    }

    #[test]
    fn a_rollout_that_is_none_is_refused_with_the_word_that_is_wrong() {
        for (text, word) in [
            ("", "percent"),
            ("much", "much"),
            ("inf", "inf"),
            ("10,by", "by"),
            ("10,by=moon", "moon"),
            ("10,min_casts=-1", "-1"),
            ("10,colour=red", "colour"),
            ("10,percent=20", "percent"),
            ("10,by=cast,by=cast", "twice"),
        ] {
            let error = terms(text).expect_err(text).to_string();
            assert!(error.contains(word), "{text}: {error}");
        }
    }
}
