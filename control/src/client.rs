//! The game in the browser: client/ as `cargo xtask dist` has built it, embedded. Without that its pages are a problem that says so.

use crate::problem::Problem;
use axum::{
    extract::Path,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use rust_embed::{EmbeddedFile, RustEmbed};

/// In a debug build they are read from the disk, at each request.
#[derive(RustEmbed)]
#[folder = "../client/dist"]
struct Files;

/// What the client may do: its own files, WebAssembly among them, and connections to us and to game servers.
const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; \
                      worker-src 'self'; connect-src 'self' ws: wss:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// An asset's name has its hash: under that name it will never be anything else.
const FOREVER: &str = "public, max-age=31536000, immutable";
/// The page names the assets of today.
const ASK_EACH_TIME: &str = "no-cache";
const NOT_BUILT: &str = "the game in the browser is not built; `cargo xtask dist` builds it, and needs Node; /minimal.html is always here";

/// `/`.
pub async fn page(headers: HeaderMap) -> Response {
    built("index.html", &headers)
}

/// `/admin`: the operator's page. It asks for the token itself.
pub async fn admin_page(headers: HeaderMap) -> Response {
    built("admin.html", &headers)
}

/// `/spell/<id>`: a spell's own page. It asks for the spell itself.
pub async fn spell_page(headers: HeaderMap) -> Response {
    built("spell.html", &headers)
}

fn built(page: &str, headers: &HeaderMap) -> Response {
    let not_built = || Problem::new(StatusCode::SERVICE_UNAVAILABLE, "not_built", NOT_BUILT).into_response();
    file(page, ASK_EACH_TIME, headers).unwrap_or_else(not_built)
}

/// `/assets/<name>`.
pub async fn asset(Path(name): Path<String>, headers: HeaderMap) -> Response {
    file(&format!("assets/{name}"), FOREVER, &headers).unwrap_or_else(|| StatusCode::NOT_FOUND.into_response())
}

/// The file as it is, or compressed, if there is such a form and whoever asks reads it.
fn file(path: &str, cache: &'static str, headers: &HeaderMap) -> Option<Response> {
    let plain = Files::get(path)?;
    let brotli = Some(()).filter(|()| reads_brotli(headers)).and_then(|()| Files::get(&format!("{path}.br")));
    let about = [
        (header::CONTENT_TYPE, kind(path)),
        (header::CACHE_CONTROL, cache),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::VARY, "accept-encoding"),
    ];
    Some(match brotli {
        Some(EmbeddedFile { data, .. }) => (about, [(header::CONTENT_ENCODING, "br")], data).into_response(),
        None => (about, plain.data).into_response(),
    })
}

/// A weight of 0 would refuse it; no browser says so.
fn reads_brotli(headers: &HeaderMap) -> bool {
    let accepted = headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accepted.split(',').any(|coding| coding.split(';').next().map(str::trim) == Some("br"))
}

fn kind(path: &str) -> &'static str {
    match path.rsplit_once('.') {
        Some((_, "html")) => "text/html; charset=utf-8",
        Some((_, "js")) => "text/javascript; charset=utf-8",
        Some((_, "css")) => "text/css; charset=utf-8",
        Some((_, "wasm")) => "application/wasm",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn brotli_is_for_who_reads_it() {
        let reads = |accepted: &'static str| {
            let headers = HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(accepted))]);
            reads_brotli(&headers)
        };
        assert_eq!(["gzip, deflate, br, zstd", "br;q=1.0", "gzip", "", "brotli"].map(reads), [true, true, false, false, false]);
        assert!(!reads_brotli(&HeaderMap::new()));
    }

    #[test]
    fn what_is_not_there_is_nothing() {
        for path in ["assets/none.js", "../Cargo.toml", "assets/../../../Cargo.toml", "/etc/passwd", ""] {
            assert!(file(path, FOREVER, &HeaderMap::new()).is_none(), "{path}");
        }
    }
}
