//! Answers that are kept for requests with an `Idempotency-Key`.

use super::{Database, found};
use crate::{error::Error, ids::ClientId};
use protocol::Sha256Hex;
use rusqlite::params;

/// What is known of a key.
#[derive(Debug, PartialEq, Eq)]
pub enum Answered {
    /// Nothing until now: whoever asks is to answer.
    Now,
    /// It was answered so.
    Before {
        /// HTTP status.
        status: u16,
        /// The body.
        body: Vec<u8>,
    },
    /// Somebody is at it.
    Elsewhere,
    /// It came with another request.
    Other,
}

impl Database {
    /// Takes a key for a request, unless it is taken.
    pub fn begin_answer(&mut self, client: &ClientId, key: &str, request: &Sha256Hex, now_ms: i64) -> Result<Answered, Error> {
        let taken = self.connection.execute(
            "INSERT OR IGNORE INTO answered (client_id, key, request_hash, answered_at) VALUES (?1, ?2, ?3, ?4)",
            params![client.as_str(), key, request.as_str(), now_ms],
        )?;
        if taken == 1 {
            return Ok(Answered::Now);
        }
        let known = found(self.connection.query_row(
            "SELECT request_hash, status, body FROM answered WHERE client_id = ?1 AND key = ?2",
            [client.as_str(), key],
            |row| Ok((row.get::<_, String>(0)?, row.get::<_, Option<u16>>(1)?, row.get::<_, Option<Vec<u8>>>(2)?)),
        ))?;
        Ok(match known {
            Some((hash, ..)) if hash != request.as_str() => Answered::Other,
            Some((_, Some(status), Some(body))) => Answered::Before { status, body },
            _ => Answered::Elsewhere,
        })
    }

    /// Keeps the answer, or gives the key back.
    pub fn end_answer(&mut self, client: &ClientId, key: &str, answer: Option<(u16, &[u8])>) -> Result<(), Error> {
        match answer {
            Some((status, body)) => self.connection.execute(
                "UPDATE answered SET status = ?3, body = ?4 WHERE client_id = ?1 AND key = ?2",
                params![client.as_str(), key, status, body],
            )?,
            None => self.connection.execute("DELETE FROM answered WHERE client_id = ?1 AND key = ?2", [client.as_str(), key])?,
        };
        Ok(())
    }

    /// Gives back the keys of requests that nobody answers any more: at the start.
    pub fn forget_unanswered(&mut self) -> Result<(), Error> {
        self.connection.execute("DELETE FROM answered WHERE status IS NULL", [])?;
        Ok(())
    }
}
