//! rustc's JSON lines become findings at places in the author's own files.

use crate::limits::MESSAGE_CHARS_MAX;
use protocol::job::{Diagnostic, Severity};
use protocol::limits::DIAGNOSTICS_MAX;
use serde::Deserialize;

/// What the SDK and the standard library call their files.
const LIBRARIES: [&str; 2] = ["spell-sdk/", "/rustc/"];
/// Said to whoever names another file.
pub const OWN_FILES: &str = "a spell is made of the source files in its own src/, and reads no other: write it there";

/// What the compiler's words are read against.
#[derive(Debug, Clone, Copy)]
pub struct Names<'a> {
    /// The author's source files.
    pub files: &'a [&'a str],
    /// Paths of this machine, and what stands in their place wherever they appear.
    pub hidden: &'a [(&'a str, &'a str)],
}

#[derive(Deserialize)]
struct Message {
    message: String,
    level: String,
    code: Option<Code>,
    #[serde(default)]
    spans: Vec<Span>,
    #[serde(default)]
    children: Vec<Child>,
}

#[derive(Deserialize)]
struct Code {
    code: String,
}

#[derive(Deserialize)]
struct Child {
    message: String,
    level: String,
    #[serde(default)]
    spans: Vec<Span>,
}

#[derive(Deserialize)]
struct Span {
    file_name: String,
    line_start: u32,
    line_end: u32,
    column_start: u32,
    column_end: u32,
    is_primary: bool,
    label: Option<String>,
    suggested_replacement: Option<String>,
    expansion: Option<Box<Expansion>>,
}

#[derive(Deserialize)]
struct Expansion {
    span: Span,
}

/// Turns the compiler's standard error into findings: at most `DIAGNOSTICS_MAX`, errors before warnings. Lines that are no JSON (a crash's words, a cut last line) are left out.
pub fn parse(stderr: &[u8], names: Names<'_>) -> Vec<Diagnostic> {
    let text = String::from_utf8_lossy(stderr);
    let mut found: Vec<Diagnostic> = text
        .lines()
        .filter_map(|line| serde_json::from_str::<Message>(line).ok())
        .filter_map(|message| diagnostic(&message, names))
        .collect();
    found.sort_by_key(|diagnostic| diagnostic.severity == Severity::Warning);
    found.dedup();
    found.truncate(DIAGNOSTICS_MAX);
    found
}

/// A finding about no place in the source.
pub fn placeless(code: &str, message: &str, help: Option<&str>) -> Diagnostic {
    Diagnostic {
        severity: Severity::Error,
        file: String::new(),
        line: 0,
        column: 0,
        end_line: 0,
        end_column: 0,
        code: code.to_owned(),
        message: message.chars().take(MESSAGE_CHARS_MAX).collect(),
        help: help.map(|help| help.chars().take(MESSAGE_CHARS_MAX).collect()),
    }
}

fn diagnostic(message: &Message, names: Names<'_>) -> Option<Diagnostic> {
    let severity = match message.level.as_str() {
        level if level.starts_with("error") => Severity::Error,
        "warning" => Severity::Warning,
        // Notes on their own (`For more information...`) say nothing about the source.
        _ => return None,
    };
    // `aborting due to 3 previous errors` and `2 warnings emitted` count what is listed anyway.
    if message.spans.is_empty() && (message.message.starts_with("aborting due to") || message.message.ends_with("emitted")) {
        return None;
    }
    if message.spans.iter().any(|span| span.is_primary && is_foreign(span, names)) {
        return Some(Diagnostic {
            severity,
            ..placeless("file", "another file was read, and what is wrong there is not told", Some(OWN_FILES))
        });
    }
    let code = message.code.as_ref().map_or(String::new(), |code| code.code.clone());
    let text = match message.spans.iter().find(|span| span.is_primary).and_then(|span| span.label.as_deref()) {
        Some(label) if label != message.message => format!("{}: {label}", message.message),
        _ => message.message.clone(),
    };
    // What a source names is not there in the sandbox, whether it exists or not.
    let help = if message.message.starts_with("couldn't read") { Some(OWN_FILES.to_owned()) } else { help(message, names) };
    let mut found = Diagnostic { severity, help, ..placeless(&code, &clean(&text, names), None) };
    if let Some((file, span)) = place(&message.spans, names) {
        found.file = file.to_owned();
        (found.line, found.column) = (span.line_start, span.column_start);
        (found.end_line, found.end_column) = (span.line_end, span.column_end);
    }
    Some(found)
}

/// The primary span in a file of the author's; else any that is there. What a macro of the SDK's did is the fault of the line that calls it.
fn place<'a>(spans: &'a [Span], names: Names<'a>) -> Option<(&'a str, &'a Span)> {
    let primary = spans.iter().filter(|span| span.is_primary);
    primary.chain(spans).find_map(|span| in_source(span, names))
}

/// Whether this is a place in a file that is neither the author's nor of the SDK or the standard library: a module of a `#[path]`, an `include!`. An error quotes it.
fn is_foreign(span: &Span, names: Names<'_>) -> bool {
    let name = span.file_name.as_str();
    // A compiler's own text, such as a macro's or the command line's, is named like `<this>`.
    let is_text = name.starts_with('<');
    let is_library = |folder: &str| !folder.is_empty() && name.starts_with(folder) && !name.contains("..");
    let is_known =
        is_text || LIBRARIES.into_iter().any(is_library) || names.hidden.iter().any(|(path, name)| is_library(path) || is_library(name));
    !is_known && in_source(span, names).is_none()
}

fn in_source<'a>(span: &'a Span, names: Names<'a>) -> Option<(&'a str, &'a Span)> {
    let mut span = span;
    loop {
        if let Some(file) = names.files.iter().find(|file| **file == span.file_name) {
            return Some((file, span));
        }
        span = &span.expansion.as_ref()?.span;
    }
}

/// What rustc advises, with the text that it would put there.
fn help(message: &Message, names: Names<'_>) -> Option<String> {
    let advice = message.children.iter().filter(|child| child.level == "help" || child.level == "note");
    let lines: Vec<String> = advice
        .map(|child| match child.spans.iter().find_map(|span| span.suggested_replacement.as_deref()) {
            Some(text) if !text.trim().is_empty() => format!("{}: `{}`", child.message, text.trim()),
            _ => child.message.clone(),
        })
        .filter(|line| !line.starts_with("`#[warn("))
        .map(|line| clean(&line, names))
        .collect();
    if lines.is_empty() { None } else { Some(lines.join("\n").chars().take(MESSAGE_CHARS_MAX).collect()) }
}

/// Without a path of this machine.
fn clean(text: &str, names: Names<'_>) -> String {
    let paths = names.hidden.iter().filter(|(path, _)| !path.is_empty());
    paths.fold(text.to_owned(), |text, (path, name)| text.replace(path, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILES: &[&str] = &["src/lib.rs", "src/flame.rs"];

    fn parse(stderr: &[u8], hidden: &[(&str, &str)]) -> Vec<Diagnostic> {
        super::parse(stderr, Names { files: FILES, hidden })
    }

    #[test]
    fn an_error_in_a_macro_is_at_the_authors_call() {
        let line = r#"{"message":"mismatched types","level":"error","code":{"code":"E0308"},"spans":[{"file_name":"/srv/sdk/src/lib.rs","line_start":80,"line_end":80,"column_start":1,"column_end":2,"is_primary":true,"label":"expected `f32`","suggested_replacement":null,"expansion":{"span":{"file_name":"src/lib.rs","line_start":3,"line_end":5,"column_start":1,"column_end":2,"is_primary":false,"label":null,"suggested_replacement":null,"expansion":null}}}],"children":[{"message":"see /srv/sdk/src/lib.rs","level":"help","spans":[]}]}"#;
        let found = parse(line.as_bytes(), &[("/srv/sdk", "spell_sdk")]);
        assert_eq!(
            found,
            [Diagnostic {
                severity: Severity::Error,
                file: "src/lib.rs".into(),
                line: 3,
                column: 1,
                end_line: 5,
                end_column: 2,
                code: "E0308".into(),
                message: "mismatched types: expected `f32`".into(),
                help: Some("see spell_sdk/src/lib.rs".into()),
            }]
        );
    }

    #[test]
    fn what_another_file_says_is_not_told() {
        let line = |file: &str| {
            format!(
                r#"{{"message":"expected item, found `5ec2e7`","level":"error","code":null,"spans":[{{"file_name":"{file}","line_start":1,"line_end":1,"column_start":1,"column_end":2,"is_primary":true,"label":"5ec2e7","suggested_replacement":null,"expansion":null}}],"children":[]}}"#
            )
        };
        let hidden = [("/srv/rust", "/rust")];
        for file in ["/srv/data/secret", "../../secret", "/srv/rust/../data/secret", "spell-sdk/../../secret", "secret"] {
            let found = parse(line(file).as_bytes(), &hidden);
            assert!(found[0].code == "file" && !format!("{found:?}").contains("5ec2e7"), "{file}: {found:?}");
        }
        for file in [
            "src/lib.rs",
            "src/flame.rs",
            "/srv/rust/lib/rustlib/src/rust/library/std/src/macros.rs",
            "/rustc/5980/library/core/src/panic.rs",
            "spell-sdk/src/saved.rs",
        ] {
            assert!(parse(line(file).as_bytes(), &hidden)[0].message.contains("5ec2e7"), "{file}");
        }
    }

    #[test]
    fn what_is_no_json_or_cut_is_left_out() {
        assert_eq!(parse(b"thread 'rustc' panicked\n{\"message\":\"x\",\"lev", &[]), []);
        assert_eq!(parse(&[0xff, 0xfe, b'\n'], &[]), []);
    }

    #[test]
    fn errors_come_before_warnings_and_the_list_is_bounded() {
        let line = |level: &str, index: usize| format!(r#"{{"message":"m{index}","level":"{level}","code":null}}"#);
        let text: String = (0..100).map(|index| line(if index == 99 { "error" } else { "warning" }, index) + "\n").collect();
        let found = parse(text.as_bytes(), &[]);
        assert_eq!((found.len(), found[0].message.as_str(), found[0].severity), (DIAGNOSTICS_MAX, "m99", Severity::Error));
    }
}
