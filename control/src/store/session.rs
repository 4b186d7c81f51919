//! Players and their sessions in the database.

use super::{Database, found, parsed};
use crate::{
    error::Error,
    ids::ClientId,
    keys::{TokenHash, random},
    limits::{HANDLE_CHARS_MAX, HANDLE_SUFFIX_MAX, SESSION_MS, SESSIONS_PER_PLAYER_MAX},
    session::Player,
};
use rusqlite::{Row, Transaction, params};

/// What a login brings.
pub struct Login {
    /// The handle wished for, well formed.
    pub username: Option<String>,
    /// The hash of the account key shown.
    pub account_key: Option<TokenHash>,
    /// The hash of the account key that a new player gets.
    pub new_account_key: TokenHash,
    /// The hash of the new session's token.
    pub token: TokenHash,
    /// Now.
    pub now_ms: i64,
}

impl Database {
    /// Opens a session for the account key's player, or for a new one. Tells who it is, and whether they are new.
    pub fn login(&mut self, login: &Login) -> Result<(Player, bool), Error> {
        let change = self.connection.transaction()?;
        let known = match &login.account_key {
            Some(key) => found(change.query_row("SELECT client_id, username FROM player WHERE account_key_hash = ?1", [key], player))?,
            None => None,
        };
        let is_new = known.is_none();
        let player = match known {
            Some(player) => player,
            None => add_player(&change, login)?,
        };
        change.execute("DELETE FROM session WHERE expires_at <= ?1", [login.now_ms])?;
        change.execute(
            "DELETE FROM session WHERE client_id = ?1 AND token_hash NOT IN
                (SELECT token_hash FROM session WHERE client_id = ?1 ORDER BY expires_at DESC LIMIT ?2)",
            params![player.client_id.as_str(), SESSIONS_PER_PLAYER_MAX - 1],
        )?;
        change.execute(
            "INSERT INTO session (token_hash, client_id, expires_at) VALUES (?1, ?2, ?3)",
            params![login.token, player.client_id.as_str(), login.now_ms + SESSION_MS],
        )?;
        change.commit()?;
        Ok((player, is_new))
    }

    /// Whose session this token opens at `now_ms`.
    pub fn player_of_session(&mut self, token: &TokenHash, now_ms: i64) -> Result<Option<Player>, Error> {
        found(
            self.connection
                .prepare_cached(
                    "SELECT client_id, username FROM session JOIN player USING (client_id) WHERE token_hash = ?1 AND expires_at > ?2",
                )?
                .query_row(params![token, now_ms], player),
        )
    }

    /// How many sessions are open at `now_ms`.
    pub fn session_count(&mut self, now_ms: i64) -> Result<u32, Error> {
        Ok(self.connection.query_row("SELECT count(*) FROM session WHERE expires_at > ?1", [now_ms], |row| row.get(0))?)
    }
}

fn player(row: &Row<'_>) -> rusqlite::Result<Player> {
    Ok(Player { client_id: parsed(row, "client_id")?, username: row.get("username")? })
}

fn add_player(change: &Transaction<'_>, login: &Login) -> Result<Player, Error> {
    let username = match &login.username {
        Some(wished) => free_handle(change, wished)?,
        None => free_handle(change, &format!("player-{}", hex::encode(random::<3>())))?,
    };
    let player = Player { client_id: ClientId::generate(), username };
    change.execute(
        "INSERT INTO player (client_id, username, account_key_hash, created_at) VALUES (?1, ?2, ?3, ?4)",
        params![player.client_id.as_str(), player.username, login.new_account_key, login.now_ms],
    )?;
    Ok(player)
}

/// The handle, or its first free variant: `kim`, `kim-2`, `kim-3`...
fn free_handle(change: &Transaction<'_>, wished: &str) -> Result<String, Error> {
    if is_free(change, wished)? {
        return Ok(wished.into());
    }
    for number in 2..=HANDLE_SUFFIX_MAX {
        let handle = suffixed(wished, &number.to_string());
        if is_free(change, &handle)? {
            return Ok(handle);
        }
    }
    Ok(suffixed(wished, &hex::encode(random::<6>())))
}

fn suffixed(wished: &str, suffix: &str) -> String {
    // Handles are ASCII, so a character is a byte.
    let kept = wished.len().min(HANDLE_CHARS_MAX - 1 - suffix.len());
    format!("{}-{suffix}", &wished[..kept])
}

fn is_free(change: &Transaction<'_>, handle: &str) -> Result<bool, Error> {
    Ok(change.query_row("SELECT NOT EXISTS (SELECT 1 FROM player WHERE username = ?1)", [handle], |row| row.get(0))?)
}
