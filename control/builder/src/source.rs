//! A source file before it is compiled: with no word that makes the compiler read another file.
//!
//! rustc reads what a source names, with the server's rights, and tells of it in its output and its errors: one `include_str!` of the server's secret would be enough.
//! Macros cannot join identifiers, and nothing of the SDK or the standard library stands for these words, so a source without them reads no file as text.
//! What it may still name, a module in another file, is parsed; `diagnostics` does not tell what rustc says about such a file.

use crate::diagnostics::{OWN_FILES, placeless};
use protocol::job::Diagnostic;
use protocol::limits::DIAGNOSTICS_MAX;
use protocol::package::PackagePath;
use std::ops::Range;

/// Words that bring a file in, wherever they stand: an alias or a macro's argument would do.
const READERS: [&str; 3] = ["include_str", "include_bytes", "debugger_visualizer"];

/// All that refuses this file before the compiler sees it.
pub fn check(path: &PackagePath, source: &str) -> Vec<Diagnostic> {
    let readers =
        words(source).filter(|(at, word)| READERS.contains(word) || (*word == "include" && is_called(&source[at + word.len()..])));
    readers.take(DIAGNOSTICS_MAX).map(|(at, word)| refusal(path, source, at, word)).collect()
}

/// Runs of ASCII letters, digits and underscores, and where they begin. Other characters end a word, also those that may be part of an identifier: rather one
/// refusal too many, for rustc goes on behind a character that it does not know.
fn words(source: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut at = 0;
    source.split(move |c| !is_part(c)).map(move |word| {
        // `split` gives neighbouring parts, with one character between each two.
        let start = at;
        at = start + word.len() + source[start + word.len()..].chars().next().map_or(0, char::len_utf8);
        (start, word)
    })
}

fn is_called(rest: &str) -> bool {
    rest.trim_start().strip_prefix('!').is_some_and(|rest| !rest.starts_with('='))
}

fn refusal(path: &PackagePath, source: &str, at: usize, word: &str) -> Diagnostic {
    let found = placeless("file", &format!("`{word}` is not offered: it reads another file"), Some(OWN_FILES));
    placed(found, path, source, at..at + word.len())
}

/// The finding at these bytes of a file.
pub fn placed(found: Diagnostic, path: &PackagePath, text: &str, span: Range<usize>) -> Diagnostic {
    let ((line, column), (end_line, end_column)) = (position(text, span.start), position(text, span.end));
    Diagnostic { file: path.to_string(), line, column, end_line, end_column, ..found }
}

/// Line and column, from 1, in characters.
fn position(text: &str, at: usize) -> (u32, u32) {
    let before = text.get(..at).unwrap_or(text);
    let number = |count: usize| u32::try_from(count).expect("a source is far below 4 GiB");
    let line = number(before.matches('\n').count() + 1);
    (line, number(before.rsplit('\n').next().unwrap_or(before).chars().count() + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(source: &str) -> Vec<Diagnostic> {
        super::check(&PackagePath::new("src/lib.rs").expect("a path"), source)
    }

    #[test]
    fn words_that_read_files_are_refused_in_every_spelling() {
        for source in [
            "const S: &str = include_str!(\"/etc/passwd\");",
            "const S: &[u8] = core::include_bytes ! (\"/etc/passwd\");",
            "use std::include_str as text;",
            "read!(include_str);",
            "r#include_bytes!(\"x\")",
            "\u{b2}include_str\u{b2}!(\"x\")",
            "#![doc = include_str!(\"x\")]",
            "include!(\"/x\");",
            "include\n!(\"/x\");",
            "#![debugger_visualizer(gdb_script_file = \"/x\")]",
        ] {
            let found = check(source);
            assert!(found.len() == 1 && found[0].code == "file", "{source}: {found:?}");
        }
    }

    #[test]
    fn ordinary_words_are_not() {
        for source in
            ["", "// What a cast may include!", "let include_strength = 1; if a.include != b {}", "fn my_include_str() {}", "mod tests { }"]
        {
            // The comment is a call for all that this can tell.
            assert_eq!(check(source).len(), usize::from(source.contains("include!")), "{source}");
        }
    }

    #[test]
    fn a_refusal_has_its_place() {
        let found = check("// \u{e4}\nlet \u{e4} = include_str!(\"x\");");
        assert_eq!((found[0].file.as_str(), found[0].line, found[0].column, found[0].end_column), ("src/lib.rs", 2, 9, 20));
    }
}
