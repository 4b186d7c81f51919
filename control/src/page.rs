//! The smallest client, a page of one file, and the library spells for its text box.

use crate::App;
use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{Html, IntoResponse},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::sync::Arc;

const PAGE: &str = include_str!("../../examples/minimal.html");
const LIBRARY: [(&str, &str); 9] = [
    ("fireball", include_str!("../../spells/fireball/src/lib.rs")),
    ("gust", include_str!("../../spells/gust/src/lib.rs")),
    ("mend", include_str!("../../spells/mend/src/lib.rs")),
    ("blink", include_str!("../../spells/blink/src/lib.rs")),
    ("familiar", include_str!("../../spells/familiar/src/lib.rs")),
    ("frost", include_str!("../../spells/frost/src/lib.rs")),
    ("rampart", include_str!("../../spells/rampart/src/lib.rs")),
    ("repel", include_str!("../../spells/repel/src/lib.rs")),
    ("vortex", include_str!("../../spells/vortex/src/lib.rs")),
];
/// What the library's fireball brings for its cues; the others bring nothing.
const FIREBALL_ASSETS: [(&str, &[u8]); 4] = [
    ("assets/fireball/launch.json", include_bytes!("../../spells/fireball/assets/fireball/launch.json")),
    ("assets/fireball/launch.wav", include_bytes!("../../spells/fireball/assets/fireball/launch.wav")),
    ("assets/fireball/burst.json", include_bytes!("../../spells/fireball/assets/fireball/burst.json")),
    ("assets/fireball/burst.wav", include_bytes!("../../spells/fireball/assets/fireball/burst.wav")),
];

/// The page.
pub async fn minimal(State(app): State<Arc<App>>) -> impl IntoResponse {
    ([(header::CONTENT_SECURITY_POLICY, app.page_policy.clone())], Html(PAGE))
}

/// No icon, and no error in a browser's console.
pub async fn favicon() -> StatusCode {
    StatusCode::NO_CONTENT
}

/// `GET /api/library`: the sources of the library spells, and their assets in base64.
#[utoipa::path(
    get,
    path = "/api/library",
    responses((status = 200, description = "The library spells, with their sources and assets", body = serde_json::Value), (status = "4XX", description = "Refused, and why", body = crate::problem::ProblemBody, content_type = "application/problem+json"))
)]
pub async fn library() -> Json<Value> {
    let assets = |spell_id: &str| -> serde_json::Map<String, Value> {
        let own: &[_] = if spell_id == "fireball" { &FIREBALL_ASSETS } else { &[] };
        own.iter().map(|(path, bytes)| ((*path).to_owned(), BASE64_STANDARD.encode(bytes).into())).collect()
    };
    Json(LIBRARY.iter().map(|(spell_id, code)| json!({ "spell_id": spell_id, "code": code, "assets": assets(spell_id) })).collect())
}

/// The page's content security policy: its own scripts by their hashes and no others, connections to us and to game servers.
pub fn policy() -> String {
    let scripts: String =
        inline_scripts(PAGE).map(|script| format!(" 'sha256-{}'", BASE64_STANDARD.encode(Sha256::digest(script)))).collect();
    let scripts = if scripts.is_empty() { " 'none'".into() } else { scripts };
    format!(
        "default-src 'none'; script-src{scripts}; style-src 'unsafe-inline'; img-src 'self' data:; connect-src 'self' ws: wss:; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
}

/// The texts between `<script...>` and `</script>`.
fn inline_scripts(page: &str) -> impl Iterator<Item = &str> {
    page.split("<script").skip(1).filter_map(|rest| rest.split_once('>')?.1.split_once("</script>").map(|(script, _)| script))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_are_found_whatever_their_attributes() {
        let page = "<p><script>one()</script><script type=\"module\">two()</script>";
        assert_eq!(inline_scripts(page).collect::<Vec<_>>(), ["one()", "two()"]);
    }

    #[test]
    fn the_page_has_no_handlers_in_attributes_which_its_policy_would_block() {
        let markup: String = PAGE.split("<script").map(|part| part.split_once("</script>").map_or(part, |(_, markup)| markup)).collect();
        for attribute in [" onclick=", " onchange=", " oninput=", " onload=", " onsubmit=", " onkeydown="] {
            assert!(!markup.contains(attribute), "{attribute}");
        }
    }
}
