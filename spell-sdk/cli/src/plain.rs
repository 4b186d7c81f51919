//! What others have written, made safe for a terminal: log lines are hostile.

/// The text on one line: what controls a terminal, or cannot be seen, is written as an escape.
pub fn line(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            // They would be escaped within quotes, and here are none.
            '"' | '\'' | '\\' => plain.push(character),
            _ => plain.extend(character.escape_debug()),
        }
    }
    plain
}

/// The same for a text of several lines, which stay lines.
pub fn lines(text: &str) -> String {
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_is_told_nothing_by_a_spell() {
        assert_eq!(line("it's \"fine\" at C:\\ – größer"), "it's \"fine\" at C:\\ – größer");
        assert_eq!(line("\u{1b}]0;pwned\u{7}\r\n\t\0"), "\\u{1b}]0;pwned\\u{7}\\r\\n\\t\\0");
        assert_eq!(
            line("\u{9b}31m \u{202e}reversed\u{2066} \u{200b}hidden \u{7f}"),
            "\\u{9b}31m \\u{202e}reversed\\u{2066} \\u{200b}hidden \\u{7f}"
        );
        assert_eq!(lines("one\ntwo\u{1b}[2J"), "one\ntwo\\u{1b}[2J");
    }
}
