//! What each error code means, and what to do about it: a page each, to which every error's `type` leads.

use super::Problem;
use crate::sheet::{self, Sheet, escaped};
use axum::{extract::Path, http::StatusCode, response::Response};

/// Every code, with what it means.
pub const CODES: [(&str, &str); 72] = [
    ("bad_archive", "The archive that was to be imported is none of a revision. Export it anew with GET .../archive."),
    ("bad_ban", "The ban's duration is out of range."),
    ("bad_body", "The body could not be read, or is not text where text is asked for."),
    ("bad_encoding", "A world is shown with its chunks as gzip or zstd."),
    ("bad_engine", "A game server named an engine that cannot be one."),
    ("bad_export", "The file is no export of a world, or is damaged. Export it anew."),
    ("bad_idempotency_key", "An Idempotency-Key is 1 to 128 printable ASCII characters."),
    ("bad_metadata", "The spell's metadata is out of range; the detail says which field."),
    ("bad_package", "The package's files are not those of a spell; the detail says which and why."),
    ("bad_page", "The page's cursor or limit is none that a list has given."),
    ("bad_policy", "The world's policy makes no sense; the detail says why."),
    ("bad_publications", "The number of publications is out of range."),
    ("bad_reason", "A reason is one line of text."),
    ("bad_request", "The request is not well formed."),
    ("bad_revert", "It is not clear whose edits are to be taken back, or how far."),
    ("bad_rollout", "The rollout's terms are out of range; the detail says which."),
    ("bad_spell_id", "A spell's id is a small letter and then 1 to 63 small letters, digits or underscores."),
    ("bad_throttle", "The number of requests a minute is out of range."),
    ("bad_username", "A username has 1 to 32 characters of A-Z, a-z, 0-9, _ and -."),
    ("bad_world", "The world's name, text or contents are out of range; the detail says what."),
    ("bad_zip", "The zip file is broken, lies about its sizes, or holds names that no package may have."),
    ("banned", "An operator keeps you out; the detail says until when and why."),
    ("build_queue_full", "Too many builds wait. Come again when Retry-After says."),
    ("channel_moved", "The channel points at another revision than if_active says: somebody else has published. Look, and decide anew."),
    ("code_missing", "The build request has neither code nor files nor a prompt."),
    ("disk_full", "The server's disk is full, or nearly so: nothing is built, or saved, until its operator makes room."),
    ("forbidden", "The token is not the admin token, or this server has none."),
    ("idempotency_conflict", "The same Idempotency-Key came with another request. Use a new key for each thing to be done."),
    ("idempotency_running", "A request with the same Idempotency-Key is being answered. Come again when Retry-After says."),
    ("imports_busy", "As many worlds are being imported as the server takes at once. Come again when Retry-After says."),
    ("internal", "The server failed. Its log says why; trying again may help."),
    ("malformed_json", "The body is not JSON; the error says where it breaks."),
    ("method_not_allowed", "The address does not know the method; the header Allow names those it knows."),
    ("no_generator", "This server has nothing that writes source for prompts."),
    ("no_server", "The world has no game server now; the detail says why. Come again when Retry-After says."),
    ("not_built", "This server was built without the game in the browser. Its operator builds that with cargo xtask dist."),
    ("not_json", "The body's content type is not application/json."),
    ("not_your_spell", "The spell belongs to somebody else, who has not made you a collaborator."),
    ("not_your_world", "The world belongs to another player."),
    ("nothing_before", "The channel has pointed at nothing good before. Publish a revision, or revoke the bad one."),
    ("nothing_to_try", "A rollout tries a revision beside another one that is active on the same channel. Publish without one."),
    ("operators_word", "What the operator has revoked, only the operator brings back."),
    ("prompt_queue_full", "Too many prompts wait. Come again when Retry-After says."),
    ("revoked", "The revision was taken out of use; the detail says why."),
    ("too_large", "The body, or something in it, is over its limit; the detail names it."),
    ("too_many", "There are as many of these as are allowed; the detail says of what."),
    ("too_many_connections", "As many are connected as the server takes. Come again when Retry-After says."),
    ("too_many_logins", "Too many logins came from your address. Come again when Retry-After says."),
    ("too_many_requests", "Too many requests came from you or your address. Come again when Retry-After says."),
    ("too_slow", "The request took too long."),
    ("unauthorized", "There is no session, or one that is over. Log in, and send Authorization: Bearer <session_token>."),
    ("unknown", "There is no such thing."),
    ("unknown_artifact", "There is no such artifact."),
    ("unknown_channel", "A channel is draft, beta or stable."),
    ("unknown_file", "The revision has no such file."),
    ("unknown_job", "You have no such build job."),
    ("unknown_player", "There is no such player."),
    ("unknown_problem", "There is no such code."),
    ("unknown_publication", "Nothing was published to the channel."),
    ("unknown_quarantine", "The world has no such revision in quarantine."),
    ("unknown_revision", "The spell has no such revision, or none that you may see."),
    ("unknown_revocation", "The revision is not revoked."),
    ("unknown_route", "There is nothing at the address."),
    ("unknown_server", "The world has no running server."),
    ("unknown_spell", "There is no such spell."),
    ("unknown_world", "There is no such world."),
    ("world_damaged", "The world's file is damaged. Its operator can restore the generation before, where there is one."),
    ("world_full", "The world has as many players as it takes. Come again when Retry-After says."),
    ("world_in_use", "People are in the world. Come again when they have left."),
    ("world_is_new", "Nobody has been in the world yet."),
    ("world_private", "The world is for its owner and its members."),
    ("wrong_json", "The body is JSON, but not what is asked for; the error says where."),
];

/// What a code means.
pub fn meaning(code: &str) -> Option<&'static str> {
    CODES.binary_search_by_key(&code, |(code, _)| code).ok().map(|at| CODES[at].1)
}

/// `GET /problems/<code>`.
pub async fn page(Path(code): Path<String>) -> Result<Response, Problem> {
    let meaning = meaning(&code).ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, "unknown_problem", "there is no such code"))?;
    let meaning = escaped(meaning);
    let body = format!("<h1><code>{code}</code></h1><p>{meaning}</p><p>Among <a href=\"/guide/errors#over-http\">all errors</a>.</p>");
    let address = format!("/problems/{code}");
    Ok(sheet::answer(Sheet { title: code, address, contents: Vec::new(), body }.html()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{collections::BTreeSet, fs, path::Path};

    #[test]
    fn codes_are_sorted_and_named_once() {
        assert!(CODES.is_sorted_by(|(one, _), (next, _)| one < next));
    }

    /// A code stands in quotes as the second argument of a problem, or alone in a match that chooses one.
    #[test]
    fn every_code_in_the_source_has_its_page() {
        let mut used = BTreeSet::new();
        gather(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut used);
        let missing: Vec<_> = used.iter().filter(|code| meaning(code).is_none()).collect();
        assert!(missing.is_empty() && used.len() > 40, "{missing:?} of {}", used.len());
    }

    fn gather(folder: &Path, used: &mut BTreeSet<String>) {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                gather(&path, used);
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            for marker in ["StatusCode::", "unprocessable(", "too_many(", "=> \"unknown_"] {
                for (at, _) in text.match_indices(marker) {
                    let rest = text[at..text.len().min(at + 120)].split(')').next().unwrap();
                    let quoted = rest.split('"').nth(1).unwrap_or_default();
                    let is_code = quoted.contains('_') && quoted.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
                    if is_code {
                        used.insert(quoted.to_owned());
                    }
                }
            }
        }
    }
}
