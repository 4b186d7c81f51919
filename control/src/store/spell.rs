//! Spells, their revisions and their channels in the database.

use super::{Database, found, from_json, parsed, parsed_option};
use crate::{
    error::Error,
    ids::ClientId,
    limits::{LISTED_MAX, REVISIONS_LISTED_MAX},
};
use protocol::{Channel, Manifest, RevisionId, Sha256Hex, SpellId};
use rusqlite::{Row, params};

/// A spell and where its channels point.
pub struct SpellRow {
    /// Its id.
    pub spell_id: SpellId,
    /// Who may build and publish it.
    pub owner: ClientId,
    /// Its newest revision's name, or its id.
    pub display_name: String,
    /// What was built last.
    pub draft: Option<RevisionId>,
    /// The beta channel's revision.
    pub beta: Option<RevisionId>,
    /// The stable channel's revision.
    pub stable: Option<RevisionId>,
    /// When it was first built.
    pub created_at_ms: i64,
    /// When a channel last moved.
    pub updated_at_ms: i64,
}

impl SpellRow {
    /// The farthest channel that points at this revision.
    pub fn channel_of(&self, revision: &RevisionId) -> Option<Channel> {
        [(Channel::Stable, &self.stable), (Channel::Beta, &self.beta), (Channel::Draft, &self.draft)]
            .into_iter()
            .find_map(|(channel, active)| (active.as_ref() == Some(revision)).then_some(channel))
    }
}

/// A stored revision.
pub struct Revision {
    /// What it is.
    pub manifest: Manifest,
    /// Whether it ever left the draft channel: then its source is for everybody to read.
    pub published: bool,
}

/// A publication that was made.
pub struct Published {
    /// Rises with every publication of any spell.
    pub sequence: i64,
    /// The revision's.
    pub manifest: Manifest,
}

/// What worlds run of one spell.
pub struct Activation {
    /// The publication's.
    pub sequence: i64,
    /// The spell.
    pub spell_id: SpellId,
    /// The channel that worlds follow.
    pub channel: Channel,
    /// The active revision.
    pub revision_id: RevisionId,
    /// Its artifact.
    pub artifact_hash: Sha256Hex,
}

impl Database {
    /// One spell.
    pub fn spell(&mut self, spell: &SpellId) -> Result<Option<SpellRow>, Error> {
        found(self.connection.prepare_cached("SELECT * FROM spell WHERE spell_id = ?1")?.query_row([spell.as_str()], read_spell))
    }

    /// The spells changed last, `LISTED_MAX` at most.
    pub fn spells(&mut self) -> Result<Vec<SpellRow>, Error> {
        let mut query = self.connection.prepare_cached("SELECT * FROM spell ORDER BY updated_at DESC, spell_id LIMIT ?1")?;
        Ok(query.query_map([LISTED_MAX], read_spell)?.collect::<rusqlite::Result<_>>()?)
    }

    /// A spell's newest revisions, `REVISIONS_LISTED_MAX` at most.
    pub fn revisions(&mut self, spell: &SpellId, published_only: bool) -> Result<Vec<Revision>, Error> {
        let mut query = self.connection.prepare_cached(
            "SELECT manifest, published FROM revision WHERE spell_id = ?1 AND published >= ?2 ORDER BY number DESC LIMIT ?3",
        )?;
        let rows = query.query_map(params![spell.as_str(), published_only, REVISIONS_LISTED_MAX], read_revision)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// One revision of this spell.
    pub fn revision(&mut self, spell: &SpellId, revision: &RevisionId) -> Result<Option<Revision>, Error> {
        found(
            self.connection
                .prepare_cached("SELECT manifest, published FROM revision WHERE spell_id = ?1 AND revision_id = ?2")?
                .query_row([spell.as_str(), revision.as_str()], read_revision),
        )
    }

    /// Points a channel of the player's own spell at one of its revisions.
    pub fn publish(
        &mut self,
        spell: &SpellId,
        revision: &RevisionId,
        channel: Channel,
        client: &ClientId,
        now_ms: i64,
    ) -> Result<Published, Error> {
        let row = self.spell(spell)?.ok_or_else(|| Error::unknown("spell", spell.as_str()))?;
        if row.owner != *client {
            return Err(Error::Foreign(spell.clone()));
        }
        let stored = self.revision(spell, revision)?.ok_or_else(|| Error::unknown("revision", revision.as_str()))?;
        let change = self.connection.transaction()?;
        change.execute(
            "INSERT INTO publication (spell_id, channel, revision_id, client_id, published_at) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![spell.as_str(), channel.as_str(), revision.as_str(), client.as_str(), now_ms],
        )?;
        let sequence = change.last_insert_rowid();
        let followed = channel == Channel::Stable || (channel == Channel::Beta && row.stable.is_none());
        change.execute(
            match channel {
                Channel::Draft => {
                    "UPDATE spell SET draft = ?2, updated_at = ?3, active_sequence = iif(?4, ?5, active_sequence) WHERE spell_id = ?1"
                }
                Channel::Beta => {
                    "UPDATE spell SET beta = ?2, updated_at = ?3, active_sequence = iif(?4, ?5, active_sequence) WHERE spell_id = ?1"
                }
                Channel::Stable => {
                    "UPDATE spell SET stable = ?2, updated_at = ?3, active_sequence = iif(?4, ?5, active_sequence) WHERE spell_id = ?1"
                }
            },
            params![spell.as_str(), revision.as_str(), now_ms, followed, sequence],
        )?;
        if channel != Channel::Draft {
            change.execute(
                "UPDATE revision SET published = 1 WHERE spell_id = ?1 AND revision_id = ?2",
                [spell.as_str(), revision.as_str()],
            )?;
        }
        change.commit()?;
        Ok(Published { sequence, manifest: stored.manifest })
    }

    /// What worlds run, as far as it changed after this sequence number, in its order.
    pub fn activations_after(&mut self, sequence: i64) -> Result<Vec<Activation>, Error> {
        let mut query = self.connection.prepare_cached(
            "SELECT spell_id, active_sequence, iif(stable IS NULL, 'beta', 'stable') AS channel, revision_id, artifact_hash
                FROM spell JOIN revision USING (spell_id)
                WHERE active_sequence > ?1 AND revision_id = coalesce(stable, beta) ORDER BY active_sequence",
        )?;
        let rows = query.query_map([sequence], |row| {
            Ok(Activation {
                sequence: row.get("active_sequence")?,
                spell_id: parsed(row, "spell_id")?,
                channel: parsed(row, "channel")?,
                revision_id: parsed(row, "revision_id")?,
                artifact_hash: parsed(row, "artifact_hash")?,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The newest publication's sequence number; 0 before the first.
    pub fn newest_sequence(&mut self) -> Result<i64, Error> {
        Ok(self.connection.query_row("SELECT coalesce(max(sequence), 0) FROM publication", [], |row| row.get(0))?)
    }
}

fn read_spell(row: &Row<'_>) -> rusqlite::Result<SpellRow> {
    Ok(SpellRow {
        spell_id: parsed(row, "spell_id")?,
        owner: parsed(row, "owner")?,
        display_name: row.get("display_name")?,
        draft: parsed_option(row, "draft")?,
        beta: parsed_option(row, "beta")?,
        stable: parsed_option(row, "stable")?,
        created_at_ms: row.get("created_at")?,
        updated_at_ms: row.get("updated_at")?,
    })
}

fn read_revision(row: &Row<'_>) -> rusqlite::Result<Revision> {
    Ok(Revision { manifest: from_json(row, "manifest")?, published: row.get("published")? })
}
