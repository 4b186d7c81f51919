//! `/docs`: the OpenAPI document as a page to read, made once when the server starts.

use serde_json::Value;
use std::fmt::Write;

/// The page of this document.
pub fn page(document: &Value) -> String {
    let mut page = String::from(
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content=\"width=device-width\"><title>UGC World: the HTTP interface</title>\
         <style>body{font:16px/1.5 system-ui;max-width:60rem;margin:2rem auto;padding:0 1rem;color-scheme:light dark}code{font-size:.95em}\
         section{border-top:1px solid #8884;padding:.6rem 0}h2{font-size:1rem;margin:0}.method{display:inline-block;min-width:4.5rem;font-weight:700}\
         p{margin:.2rem 0}.who{opacity:.7}</style><h1>UGC World: the HTTP interface</h1>\
         <p>The same as a document for programs: <a href=\"/openapi.json\">/openapi.json</a>. Errors are RFC 9457 problems; their <code>type</code> leads to a page each.</p>",
    );
    for (path, operations) in document["paths"].as_object().into_iter().flatten() {
        for (method, operation) in operations.as_object().into_iter().flatten().filter(|(_, operation)| operation.is_object()) {
            section(&mut page, path, method, operation);
        }
    }
    page + "</html>"
}

fn section(page: &mut String, path: &str, method: &str, operation: &Value) {
    let who = match operation["security"][0].as_object().and_then(|security| security.keys().next()).map(String::as_str) {
        Some("admin") => "operators",
        Some(_) => "players with a session",
        None => "everybody",
    };
    let text = |value: &Value| escaped(value.as_str().unwrap_or_default());
    let summary = [text(&operation["summary"]), text(&operation["description"])].join(" ");
    write!(page, "<section><h2><span class=method>{}</span> <code>{}</code></h2>", escaped(&method.to_uppercase()), escaped(path))
        .expect("a string");
    write!(page, "<p>{}</p><p class=who>For {who}.</p>", summary.trim()).expect("a string");
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        write!(page, "<p><code>{}</code> ({}): {}</p>", text(&parameter["name"]), text(&parameter["in"]), text(&parameter["description"]))
            .expect("a string");
    }
    for (status, response) in operation["responses"].as_object().into_iter().flatten().filter(|(status, _)| status.starts_with('2')) {
        write!(page, "<p><code>{}</code>: {}</p>", escaped(status), text(&response["description"])).expect("a string");
    }
    *page += "</section>";
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
