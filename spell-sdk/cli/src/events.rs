//! Server-sent events: read one by one, and followed over cuts.

use crate::limits::{EVENT_BYTES_MAX, RECONNECT_INTERVAL};
use crate::server::{Server, may_pass};
use anyhow::Result;
use serde_json::Value;
use std::io::{self, BufRead, BufReader, Read};

/// One event.
#[derive(Debug, Default, PartialEq)]
pub struct Event {
    /// Its number, where it has one.
    pub id: Option<i64>,
    /// What it says.
    pub data: String,
}

/// The events of a stream.
pub struct Events<R> {
    stream: BufReader<R>,
}

/// Tells the data of each event behind `after`, as JSON, until `tell` has enough or the server does not want to. A stream that is cut goes on where it was.
pub fn follow(server: &Server, path: &str, mut after: i64, tell: &mut dyn FnMut(&Value) -> bool) -> Result<()> {
    let mut is_cut = false;
    loop {
        match server.events(path, after) {
            Ok(stream) => {
                is_cut = false;
                for event in Events::of(stream).map_while(io::Result::ok) {
                    after = event.id.unwrap_or(after);
                    if serde_json::from_str(&event.data).is_ok_and(|data| !tell(&data)) {
                        return Ok(());
                    }
                }
            }
            Err(error) if !may_pass(&error) => return Err(error),
            Err(error) if !is_cut => {
                is_cut = true;
                eprintln!("the log is cut off: {error:#}; it goes on when the server is back");
            }
            Err(_) => {}
        }
        std::thread::sleep(RECONNECT_INTERVAL);
    }
}

impl<R: Read> Events<R> {
    /// The events that these bytes are.
    pub fn of(stream: R) -> Self {
        Self { stream: BufReader::new(stream) }
    }

    /// The next line without its end; none where the stream has ended.
    fn line(&mut self) -> io::Result<Option<String>> {
        let mut line = Vec::new();
        (&mut self.stream).take(EVENT_BYTES_MAX as u64).read_until(b'\n', &mut line)?;
        if line.pop_if(|byte| *byte == b'\n').is_none() {
            return if line.len() < EVENT_BYTES_MAX { Ok(None) } else { Err(too_long()) };
        }
        line.pop_if(|byte| *byte == b'\r');
        Ok(Some(String::from_utf8_lossy(&line).into_owned()))
    }

    /// The next event. One that the stream's end cuts off is none.
    fn read(&mut self) -> io::Result<Option<Event>> {
        let mut event = Event::default();
        while let Some(line) = self.line()? {
            // A comment, such as the server's sign of life, has no name.
            let (name, value) = line.split_once(':').unwrap_or((&line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match name {
                "" if line.is_empty() && !event.data.is_empty() => {
                    event.data.pop();
                    return Ok(Some(event));
                }
                "" if line.is_empty() => event = Event::default(),
                "id" => event.id = value.parse().ok(),
                "data" if event.data.len() + value.len() > EVENT_BYTES_MAX => return Err(too_long()),
                "data" => event.data.extend([value, "\n"]),
                _ => {}
            }
        }
        Ok(None)
    }
}

impl<R: Read> Iterator for Events<R> {
    type Item = io::Result<Event>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read().transpose()
    }
}

fn too_long() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("an event has more than {EVENT_BYTES_MAX} bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(stream: &str, expected: &[(Option<i64>, &str)]) {
        let events: Vec<Event> = Events::of(stream.as_bytes()).map(|event| event.expect("an event")).collect();
        let expected: Vec<Event> = expected.iter().map(|(id, data)| Event { id: *id, data: (*data).to_owned() }).collect();
        assert_eq!(events, expected, "{stream:?}");
    }

    #[test]
    fn events_are_read_as_they_are_sent() {
        check("event: entry\nid: 7\ndata: {\"a\": 1}\n\n", &[(Some(7), "{\"a\": 1}")]);
        check("id:7\r\ndata:one\r\n\r\ndata: two\n\n", &[(Some(7), "one"), (None, "two")]);
        check("data: one\ndata: two\ndata\n\n", &[(None, "one\ntwo\n")]);
        check(":\n\n: alive\n\nretry: 5\n\ndata:  x\n\n", &[(None, " x")]);
        check("id: seven\ndata: x\n\n", &[(None, "x")]);
    }

    #[test]
    fn what_is_cut_off_is_no_event() {
        check("data: one\n\ndata: two\n", &[(None, "one")]);
        check("data: one\n\ndata: tw", &[(None, "one")]);
        check("", &[]);
    }

    #[test]
    fn a_line_and_an_event_have_an_end() {
        let line = format!("data: {}\n\n", "x".repeat(EVENT_BYTES_MAX));
        let lines = format!("data: {}\n", "x".repeat(1000)).repeat(100) + "\n";
        for stream in [line, lines] {
            assert!(Events::of(stream.as_bytes()).next().expect("an error").is_err());
        }
    }
}
