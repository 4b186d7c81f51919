//! What the compiler found, printed with the line it is about.

use crate::plain;
use builder::prepare::Files;
use protocol::job::{Diagnostic, Severity};
use std::fmt::Write;

/// Prints findings with their places in these files.
pub fn print(diagnostics: &[Diagnostic], files: &Files) {
    for diagnostic in diagnostics {
        let source = files.iter().find(|(path, _)| path.as_str() == diagnostic.file).map_or("", |(_, text)| text);
        println!("{}", render(diagnostic, source));
    }
}

/// One finding as text.
pub fn render(diagnostic: &Diagnostic, source: &str) -> String {
    let severity = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let code = if diagnostic.code.is_empty() { String::new() } else { format!("[{}]", plain::line(&diagnostic.code)) };
    let mut text = format!("{severity}{code}: {}\n", plain::lines(&diagnostic.message));
    if diagnostic.line > 0 {
        place(&mut text, diagnostic, source);
    }
    if let Some(help) = &diagnostic.help {
        let _ = writeln!(text, "  = help: {}", plain::lines(help));
    }
    text
}

/// Place, line and caret. A place that the source does not have is named without its line.
fn place(text: &mut String, diagnostic: &Diagnostic, source: &str) {
    let Diagnostic { file, line, column, .. } = diagnostic;
    let _ = writeln!(text, "  --> {}:{line}:{column}", plain::line(file));
    let Some(source_line) = source.lines().nth(*line as usize - 1) else { return };
    // The caret stands under the same character only when a tab is as wide as a space.
    let shown = plain::line(&source_line.replace('\t', " "));
    let number = line.to_string();
    let margin = " ".repeat(number.len());
    let before = " ".repeat((*column as usize).saturating_sub(1));
    let carets = "^".repeat(caret_count(diagnostic, shown.chars().count()));
    let _ = writeln!(text, "{margin} |\n{number} | {shown}\n{margin} | {before}{carets}");
}

fn caret_count(diagnostic: &Diagnostic, line_characters: usize) -> usize {
    let start = diagnostic.column as usize;
    let end = if diagnostic.end_line == diagnostic.line { diagnostic.end_column as usize } else { line_characters + 1 };
    end.saturating_sub(start).clamp(1, line_characters.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(diagnostic: Diagnostic, source: &str, expected: &str) {
        assert_eq!(render(&diagnostic, source), expected);
    }

    fn mismatch() -> Diagnostic {
        Diagnostic {
            severity: Severity::Error,
            file: "src/lib.rs".into(),
            line: 2,
            column: 14,
            end_line: 2,
            end_column: 17,
            code: "E0308".into(),
            message: "mismatched types".into(),
            help: Some("remove the quotes".into()),
        }
    }

    #[test]
    fn a_finding_shows_its_line_with_carets_under_it() {
        check(
            mismatch(),
            "fn f() {\n\tlet x: u8 = \"1\";\n}\n",
            "error[E0308]: mismatched types\n  --> src/lib.rs:2:14\n  |\n2 |  let x: u8 = \"1\";\n  |              ^^^\n  = help: remove the quotes\n",
        );
    }

    #[test]
    fn a_place_outside_the_source_does_no_harm() {
        let far = Diagnostic { line: 900, column: u32::MAX, end_column: 0, help: None, ..mismatch() };
        check(far, "fn f() {}\n", "error[E0308]: mismatched types\n  --> src/lib.rs:900:4294967295\n");
        let wide = Diagnostic { line: 1, column: 1, end_line: 7, help: None, code: String::new(), ..mismatch() };
        check(wide, "ab\n", "error: mismatched types\n  --> src/lib.rs:1:1\n  |\n1 | ab\n  | ^^\n");
    }

    #[test]
    fn a_finding_without_a_place_is_just_said() {
        let import = Diagnostic { line: 0, code: "import".into(), message: "imports wasi:sockets/tcp".into(), help: None, ..mismatch() };
        check(import, "", "error[import]: imports wasi:sockets/tcp\n");
    }
}
