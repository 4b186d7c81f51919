//! `/guide/errors`: every refusal, fault and error by its code, put together from the pages that have them.

use super::{PROTOCOL, SPELLS, markdown};
use crate::problem::codes::CODES;
use std::fmt::Write;

/// Parts of `docs/spells.md` and `docs/protocol.md`, by their headings.
const OF_SPELLS: [&str; 2] = ["## Refused, or stopped", "## What a build finds"];
const OF_PROTOCOL: [&str; 2] = ["## Error codes", "## Closing"];

/// The page, as Markdown of the folder `docs`.
pub fn text() -> String {
    let mut text = String::from(
        "# Errors, by code\n\nWherever something is refused there is a code, which never changes its meaning, and words, which may. \
         A spell's refusals and faults come first, then those of a build, of the HTTP interface, and of a connection to a world.\n\n",
    );
    // What a part calls by its anchor alone stands in the page that it is a part of.
    let part = |of: &str, page: &str, heading: &str| {
        let part = markdown::part(of, heading).expect("a test reads the page");
        part.replace("](#", &format!("]({page}#"))
    };
    for heading in OF_SPELLS {
        text += &part(SPELLS, "spells.md", heading);
    }
    text += "\n## Over HTTP\n\nErrors are RFC 9457 problems (`application/problem+json`); `code` is one of these, and `type` leads to its page.\n\n| code | what it means |\n|---|---|\n";
    for (code, meaning) in CODES {
        writeln!(text, "| [`{code}`](/problems/{code}) | {} |", meaning.replace('|', "\\|").replace('<', "\\<")).expect("a string");
    }
    text += "\n# In a world\n\n";
    for heading in OF_PROTOCOL {
        text += &part(PROTOCOL, "protocol.md", heading);
        text += "\n";
    }
    text
}
