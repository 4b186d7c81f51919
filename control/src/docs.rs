//! `/docs`: the OpenAPI document as a page to read, made once when the server starts.

use crate::sheet::{Heading, Sheet, escaped};
use serde_json::Value;
use std::fmt::Write;

/// The page of this document.
pub fn page(document: &Value) -> String {
    let mut body = String::from(
        "<h1>The HTTP interface</h1>\
         <p>The same as a document for programs: <a href=\"/openapi.json\">/openapi.json</a>. Errors are RFC 9457 problems; their <code>type</code> leads to a page each, \
         and <a href=\"/guide/errors#over-http\">all of them</a> stand on one.</p>",
    );
    let mut contents = Vec::new();
    for (path, operations) in document["paths"].as_object().into_iter().flatten() {
        for (method, operation) in operations.as_object().into_iter().flatten().filter(|(_, operation)| operation.is_object()) {
            let text = escaped(&format!("{} {path}", method.to_uppercase()));
            let anchor = format!("{method}{}", path.replace(['{', '}'], "").replace('/', "-"));
            section(&mut body, &anchor, path, method, operation);
            contents.push(Heading { level: 2, anchor, text });
        }
    }
    Sheet { title: "The HTTP interface".into(), address: "/docs".into(), contents, body }.html()
}

fn section(page: &mut String, anchor: &str, path: &str, method: &str, operation: &Value) {
    let who = match operation["security"][0].as_object().and_then(|security| security.keys().next()).map(String::as_str) {
        Some("admin") => "operators",
        Some(_) => "players with a session",
        None => "everybody",
    };
    let text = |value: &Value| escaped(value.as_str().unwrap_or_default());
    let summary = [text(&operation["summary"]), text(&operation["description"])].join(" ");
    write!(
        page,
        "<section><h2 id=\"{anchor}\"><span class=method>{}</span> <code>{}</code></h2>",
        escaped(&method.to_uppercase()),
        escaped(path)
    )
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
