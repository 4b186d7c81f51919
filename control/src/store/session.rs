//! Players and their sessions in the database.

use super::{Database, found, lineup, operator_log::operator_note, parsed};
use crate::{
    clock,
    error::Error,
    ids::ClientId,
    keys::{TokenHash, random},
    limits::{ADMIN_LISTED_MAX, HANDLE_CHARS_MAX, HANDLE_SUFFIX_MAX, SESSION_MS, SESSIONS_PER_PLAYER_MAX},
    policy::Trust,
    session::Player,
};
use rusqlite::{Row, Transaction, params};
use serde_json::json;

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
            Some(key) => {
                found(change.query_row("SELECT * FROM player WHERE account_key_hash = ?1", [key], |row| Ok((player(row)?, ban(row)?))))?
            }
            None => None,
        };
        if let Some((player, ban)) = &known {
            admitted(player.clone(), ban.clone(), login.now_ms)?;
        }
        let known = known.map(|(player, _)| player);
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
        let player = found(
            self.connection
                .prepare_cached(
                    "SELECT client_id, username, banned_until, banned_for FROM session JOIN player USING (client_id) WHERE token_hash = ?1 AND expires_at > ?2",
                )?
                .query_row(params![token, now_ms], |row| Ok((player(row)?, ban(row)?))),
        )?;
        player.map(|(player, ban)| admitted(player, ban, now_ms)).transpose()
    }

    /// Ends the session that this token opens. Whether there was one.
    pub fn log_out(&mut self, token: &TokenHash) -> Result<bool, Error> {
        Ok(self.connection.execute("DELETE FROM session WHERE token_hash = ?1", [token])? > 0)
    }

    /// Ends all sessions of a player; answers how many there were.
    pub fn end_sessions(&mut self, client: &ClientId) -> Result<usize, Error> {
        Ok(self.connection.execute("DELETE FROM session WHERE client_id = ?1", [client.as_str()])?)
    }

    /// The open sessions that end last: whose, and when.
    pub fn sessions(&mut self, now_ms: i64) -> Result<Vec<(Player, i64)>, Error> {
        let mut query = self.connection.prepare_cached(
            "SELECT client_id, username, expires_at FROM session JOIN player USING (client_id) WHERE expires_at > ?1 ORDER BY expires_at DESC LIMIT ?2",
        )?;
        let rows = query.query_map(params![now_ms, ADMIN_LISTED_MAX], |row| Ok((player(row)?, row.get("expires_at")?)))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Keeps a player out until then, or lets them in again; their sessions end.
    pub fn ban(&mut self, client: &ClientId, ban: Option<&Ban>, now_ms: i64) -> Result<(), Error> {
        let change = self.connection.transaction()?;
        let (until, reason) = (ban.map(|ban| ban.until_ms), ban.map(|ban| ban.reason.as_str()));
        let changed = change.execute(
            "UPDATE player SET banned_until = ?2, banned_for = ?3 WHERE client_id = ?1",
            params![client.as_str(), until, reason],
        )?;
        if changed == 0 {
            return Err(Error::unknown("player", client.as_str()));
        }
        if ban.is_some() {
            change.execute("DELETE FROM session WHERE client_id = ?1", [client.as_str()])?;
        }
        let action = if ban.is_some() { "ban" } else { "unban" };
        operator_note(&change, action, &json!({ "client_id": client, "until_ms": until, "reason": reason }), now_ms)?;
        Ok(change.commit()?)
    }

    /// The players that are kept out at `now_ms`.
    pub fn bans(&mut self, now_ms: i64) -> Result<Vec<(Player, Ban)>, Error> {
        let mut query =
            self.connection.prepare_cached("SELECT * FROM player WHERE banned_until > ?1 ORDER BY banned_until DESC LIMIT ?2")?;
        let rows = query.query_map(params![now_ms, ADMIN_LISTED_MAX], |row| Ok((player(row)?, ban(row)?)))?;
        Ok(rows.filter_map(|row| row.map(|(player, ban)| Some((player, ban?))).transpose()).collect::<rusqlite::Result<_>>()?)
    }

    /// Lets a player have so many requests a minute, or as many as everybody.
    pub fn throttle(&mut self, client: &ClientId, per_minute: Option<f64>, now_ms: i64) -> Result<(), Error> {
        let change = self.connection.transaction()?;
        let changed =
            change.execute("UPDATE player SET requests_per_minute = ?2 WHERE client_id = ?1", params![client.as_str(), per_minute])?;
        if changed == 0 {
            return Err(Error::unknown("player", client.as_str()));
        }
        operator_note(&change, "throttle", &json!({ "client_id": client, "requests_per_minute": per_minute }), now_ms)?;
        Ok(change.commit()?)
    }

    /// Says how far an author is trusted: worlds look at their spells anew. Answers the change's number.
    pub fn set_trust(&mut self, client: &ClientId, trust: Trust, now_ms: i64) -> Result<i64, Error> {
        let change = self.connection.transaction()?;
        let changed = change.execute("UPDATE player SET trust = ?2 WHERE client_id = ?1", params![client.as_str(), trust as u8])?;
        if changed == 0 {
            return Err(Error::unknown("player", client.as_str()));
        }
        let number = lineup::number(&change)?;
        change.execute("UPDATE spell SET changed = ?2 WHERE owner = ?1", params![client.as_str(), number])?;
        operator_note(&change, "trust", &json!({ "client_id": client, "trust": trust }), now_ms)?;
        change.commit()?;
        Ok(number)
    }

    /// The players that an operator lets have fewer requests, and how many a minute.
    pub fn throttled(&mut self) -> Result<Vec<(ClientId, f64)>, Error> {
        let mut query =
            self.connection.prepare("SELECT client_id, requests_per_minute FROM player WHERE requests_per_minute IS NOT NULL")?;
        let rows = query.query_map([], |row| Ok((parsed(row, "client_id")?, row.get("requests_per_minute")?)))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// How many sessions are open at `now_ms`.
    pub fn session_count(&mut self, now_ms: i64) -> Result<u32, Error> {
        Ok(self.connection.query_row("SELECT count(*) FROM session WHERE expires_at > ?1", [now_ms], |row| row.get(0))?)
    }
}

/// Why a player is kept out, and until when.
#[derive(Debug, Clone)]
pub struct Ban {
    /// Milliseconds since 1970.
    pub until_ms: i64,
    /// Why.
    pub reason: String,
}

fn ban(row: &Row<'_>) -> rusqlite::Result<Option<Ban>> {
    let until_ms: Option<i64> = row.get("banned_until")?;
    let reason: Option<String> = row.get("banned_for")?;
    Ok(until_ms.map(|until_ms| Ban { until_ms, reason: reason.unwrap_or_default() }))
}

fn admitted(player: Player, ban: Option<Ban>, now_ms: i64) -> Result<Player, Error> {
    match ban.filter(|ban| ban.until_ms > now_ms) {
        Some(Ban { until_ms, reason }) => Err(Error::Banned { until: clock::iso8601(until_ms), reason }),
        None => Ok(player),
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
