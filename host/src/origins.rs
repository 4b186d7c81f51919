//! Whose pages may connect. A browser says which page asks; whoever says nothing is no browser, and is let in.

use std::net::IpAddr;
use tokio_tungstenite::tungstenite::http::HeaderMap;
use tokio_tungstenite::tungstenite::http::header::{HOST, ORIGIN};
use tokio_tungstenite::tungstenite::http::uri::{Authority, Uri};

/// The origins that are allowed beside those that always are: pages of this machine, and of the name by which this server is asked for, as the control plane's
/// own page is. A page at a name that its owner has pointed here is among them, and gains nothing: what opens a world is a ticket, which no browser sends by itself.
#[derive(Debug, Clone, Default)]
pub struct Origins(Vec<String>);

impl Origins {
    /// Such as `https://game.example`; `null` are pages without an origin, such as a file.
    pub fn new(allowed: impl IntoIterator<Item = String>) -> Self {
        Self(allowed.into_iter().filter(|origin| !origin.is_empty()).collect())
    }

    /// Whether a request with these headers may go on.
    ///
    /// # Errors
    /// The origin that is not allowed.
    pub fn check(&self, headers: &HeaderMap) -> Result<(), String> {
        let mut told = headers.get_all(ORIGIN).iter();
        let Some(origin) = told.next() else { return Ok(()) };
        let text = origin.to_str().unwrap_or_default();
        if told.next().is_none() && (self.0.iter().any(|allowed| allowed == text) || is_ours(text, headers)) {
            return Ok(());
        }
        Err(String::from_utf8_lossy(origin.as_bytes()).into_owned())
    }
}

fn is_ours(origin: &str, headers: &HeaderMap) -> bool {
    let Ok(origin) = origin.parse::<Uri>() else { return false };
    let Some(page) = origin.host().filter(|_| matches!(origin.scheme_str(), Some("http" | "https"))) else { return false };
    let asked_for = headers.get(HOST).and_then(|host| host.to_str().ok()?.parse::<Authority>().ok());
    is_this_machine(page) || asked_for.is_some_and(|own| own.host().eq_ignore_ascii_case(page))
}

fn is_this_machine(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio_tungstenite::tungstenite::http::HeaderValue;

    fn is_allowed(host: &str, origins: &[&str]) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, host.parse().expect("a header"));
        for origin in origins {
            headers.append(ORIGIN, HeaderValue::from_bytes(origin.as_bytes()).expect("a header"));
        }
        Origins::new(["https://game.example".into(), String::new()]).check(&headers).is_ok()
    }

    #[test]
    fn pages_of_this_machine_of_our_own_name_and_of_the_list_are_allowed() {
        let origins = [
            "http://localhost:5000",
            "http://127.0.0.1:5000",
            "http://[::1]:5000",
            "https://localhost",
            "http://play.example:5000",
            "https://PLAY.example",
            "https://game.example",
        ];
        for origin in origins {
            assert!(is_allowed("play.example:7777", &[origin]), "{origin}");
        }
        assert!(is_allowed("[2001:db8::1]:7777", &["http://[2001:db8::1]:5000"]));
        assert!(is_allowed("play.example:7777", &[]), "no browser");
    }

    #[test]
    fn all_others_are_not() {
        let origins = [
            "null",
            "",
            "https://evil.example",
            "http://game.example",
            "https://game.example:8443",
            "https://game.example.evil.example",
            "http://localhost.evil.example",
            "http://evil.example/play.example",
            "file://play.example",
            "http://user@evil.example",
            "play.example",
            "http://",
            "http://127.0.0.1.evil.example",
            "\u{e4}",
        ];
        for origin in origins {
            assert!(!is_allowed("play.example:7777", &[origin]), "{origin}");
        }
        assert!(!is_allowed("play.example:7777", &["https://game.example", "https://evil.example"]), "two");
    }
}
