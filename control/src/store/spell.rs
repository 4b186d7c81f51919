//! Spells, their revisions and their channels in the database.

use super::{
    Act, Database, found, from_json,
    ownership::{may_change, note},
    parsed, parsed_option,
};
use crate::{
    error::Error,
    ids::ClientId,
    limits::{DRAFTS_KEPT_PER_SPELL, LISTED_MAX, REVISIONS_LISTED_MAX},
};
use protocol::{Channel, Manifest, RevisionId, Sha256Hex, SpellId};
use rusqlite::{Row, Transaction, params};
use serde_json::json;
use std::collections::BTreeSet;

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
    /// The revision that a channel points at.
    pub fn active(&self, channel: Channel) -> Option<&RevisionId> {
        match channel {
            Channel::Draft => self.draft.as_ref(),
            Channel::Beta => self.beta.as_ref(),
            Channel::Stable => self.stable.as_ref(),
        }
    }

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
    /// Why it must not run any more, where it must not.
    pub revoked: Option<String>,
}

/// A publication that was made.
pub struct Published {
    /// Rises with every publication of any spell.
    pub sequence: i64,
    /// The revision's.
    pub manifest: Manifest,
}

/// A publication that is asked for.
pub struct Publication<'a> {
    /// The spell.
    pub spell_id: &'a SpellId,
    /// What becomes active.
    pub revision_id: &'a RevisionId,
    /// Where.
    pub channel: Channel,
    /// By whom.
    pub client_id: &'a ClientId,
    /// What has to be active there until then, where that was said: `Some(None)` is nothing.
    pub if_active: Option<Option<RevisionId>>,
    /// Now.
    pub now_ms: i64,
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
    /// Its component.
    pub component: Sha256Hex,
    /// Whether this server's builder made it.
    pub ours: bool,
}

impl Database {
    /// One spell.
    pub fn spell(&mut self, spell: &SpellId) -> Result<Option<SpellRow>, Error> {
        found(self.connection.prepare_cached("SELECT * FROM spell WHERE spell_id = ?1")?.query_row([spell.as_str()], read_spell))
    }

    /// The spells changed last, `LISTED_MAX` at most: those that were published, and those that this player may change. Of the others the draft is not told.
    pub fn spells(&mut self, viewer: Option<&ClientId>) -> Result<Vec<SpellRow>, Error> {
        let mut query = self.connection.prepare_cached(
            "SELECT *, owner = ?1 OR EXISTS (SELECT 1 FROM collaborator WHERE collaborator.spell_id = spell.spell_id AND client_id = ?1) AS is_own
                FROM spell WHERE beta IS NOT NULL OR stable IS NOT NULL OR is_own ORDER BY updated_at DESC, spell_id LIMIT ?2",
        )?;
        let rows = query.query_map(params![viewer.map_or("", ClientId::as_str), LISTED_MAX], |row| {
            let spell = read_spell(row)?;
            Ok(if row.get("is_own")? { spell } else { SpellRow { draft: None, ..spell } })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// A spell's newest revisions, `REVISIONS_LISTED_MAX` at most.
    pub fn revisions(&mut self, spell: &SpellId, published_only: bool) -> Result<Vec<Revision>, Error> {
        let mut query = self.connection.prepare_cached(
            "SELECT manifest, published, revoked FROM revision WHERE spell_id = ?1 AND published >= ?2 ORDER BY number DESC LIMIT ?3",
        )?;
        let rows = query.query_map(params![spell.as_str(), published_only, REVISIONS_LISTED_MAX], read_revision)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// One revision of this spell.
    pub fn revision(&mut self, spell: &SpellId, revision: &RevisionId) -> Result<Option<Revision>, Error> {
        found(
            self.connection
                .prepare_cached("SELECT manifest, published, revoked FROM revision WHERE spell_id = ?1 AND revision_id = ?2")?
                .query_row([spell.as_str(), revision.as_str()], read_revision),
        )
    }

    /// Points a channel of a spell that the player may change at one of its revisions.
    pub fn publish(&mut self, publication: &Publication<'_>) -> Result<Published, Error> {
        let Publication { spell_id, revision_id, channel, client_id, if_active, now_ms } = publication;
        let row = self.spell(spell_id)?.ok_or_else(|| Error::unknown("spell", spell_id.as_str()))?;
        let stored = self.revision(spell_id, revision_id)?;
        let change = self.connection.transaction()?;
        if !may_change(&change, spell_id, client_id)? {
            return Err(Error::Foreign((*spell_id).clone()));
        }
        let stored = stored.ok_or_else(|| Error::unknown("revision", revision_id.as_str()))?;
        if let Some(reason) = stored.revoked {
            return Err(Error::Revoked { revision_id: (*revision_id).clone(), reason });
        }
        let active = row.active(*channel);
        if let Some(expected) = if_active
            && expected.as_ref() != active
        {
            return Err(Error::ChannelMoved { channel: *channel, active: active.cloned() });
        }
        let detail = json!({ "channel": channel, "revision_id": revision_id, "before": active });
        note(&change, &Act { spell_id, actor: client_id.as_str(), action: "publish", detail, now_ms: *now_ms })?;
        let sequence = point(&change, &row, *channel, Some(revision_id), client_id, *now_ms)?;
        // What is not published yet is nobody's business, its name included.
        if *channel != Channel::Draft {
            let name = &stored.manifest.metadata.name;
            let display_name = if name.is_empty() { spell_id.as_str() } else { name };
            change.execute("UPDATE spell SET display_name = ?2 WHERE spell_id = ?1", [spell_id.as_str(), display_name])?;
        }
        change.commit()?;
        Ok(Published { sequence, manifest: stored.manifest })
    }

    /// Takes a revision out of use for good: channels that point at it go back to what they pointed at before, if that is good.
    pub fn revoke(&mut self, act: &Act<'_>, revision: &RevisionId, reason: &str) -> Result<i64, Error> {
        let row = self.spell(act.spell_id)?.ok_or_else(|| Error::unknown("spell", act.spell_id.as_str()))?;
        let change = self.connection.transaction()?;
        let revoked = change.execute(
            "UPDATE revision SET revoked = coalesce(revoked, ?3) WHERE spell_id = ?1 AND revision_id = ?2",
            [act.spell_id.as_str(), revision.as_str(), reason],
        )?;
        if revoked == 0 {
            return Err(Error::unknown("revision", revision.as_str()));
        }
        note(&change, act)?;
        let mut sequence = 0;
        for channel in [Channel::Stable, Channel::Beta, Channel::Draft] {
            if row.active(channel) == Some(revision) {
                let before = last_good(&change, act.spell_id, channel)?;
                sequence = point(&change, &row, channel, before.as_ref(), &row.owner, act.now_ms)?;
            }
        }
        change.commit()?;
        Ok(sequence)
    }

    /// What worlds run, as far as it changed after this sequence number, in its order.
    pub fn activations_after(&mut self, sequence: i64) -> Result<Vec<Activation>, Error> {
        let mut query = self.connection.prepare_cached(
            "SELECT spell_id, active_sequence, iif(stable IS NULL, 'beta', 'stable') AS channel, revision_id, ours,
                    json_extract(manifest, '$.component.hash') AS component
                FROM spell JOIN revision USING (spell_id)
                WHERE active_sequence > ?1 AND revision_id = coalesce(stable, beta) ORDER BY active_sequence",
        )?;
        let rows = query.query_map([sequence], |row| {
            Ok(Activation {
                sequence: row.get("active_sequence")?,
                spell_id: parsed(row, "spell_id")?,
                channel: parsed(row, "channel")?,
                revision_id: parsed(row, "revision_id")?,
                component: parsed(row, "component")?,
                ours: row.get("ours")?,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Forgets drafts that never left the draft channel, but for the newest `DRAFTS_KEPT_PER_SPELL` of each spell and what one points at.
    pub fn forget_drafts(&mut self) -> Result<usize, Error> {
        Ok(self.connection.execute(
            "DELETE FROM revision WHERE published = 0 AND revoked IS NULL
                AND number <= (SELECT max(number) FROM revision AS newest WHERE newest.spell_id = revision.spell_id) - ?1
                AND revision_id NOT IN (SELECT coalesce(draft, '') FROM spell WHERE spell.spell_id = revision.spell_id)",
            [DRAFTS_KEPT_PER_SPELL],
        )?)
    }

    /// Every blob that a revision or an artifact of one names.
    pub fn blobs_named(&mut self) -> Result<BTreeSet<Sha256Hex>, Error> {
        self.connection.execute(
            "DELETE FROM artifact WHERE component_hash NOT IN (SELECT json_extract(manifest, '$.component.hash') FROM revision)",
            [],
        )?;
        let mut named = BTreeSet::new();
        let mut manifests = self.connection.prepare("SELECT manifest, published, revoked FROM revision")?;
        for revision in manifests.query_map([], read_revision)? {
            let manifest = revision?.manifest;
            named.insert(manifest.component.hash);
            named.extend(manifest.code.into_iter().chain(manifest.assets).map(|file| file.hash));
        }
        let mut artifacts = self.connection.prepare("SELECT artifact_hash FROM artifact")?;
        for hash in artifacts.query_map([], |row| parsed(row, "artifact_hash"))? {
            named.insert(hash?);
        }
        Ok(named)
    }

    /// The newest publication's sequence number; 0 before the first.
    pub fn newest_sequence(&mut self) -> Result<i64, Error> {
        Ok(self.connection.query_row("SELECT coalesce(max(sequence), 0) FROM publication", [], |row| row.get(0))?)
    }
}

/// Points a channel; answers the publication's sequence number.
fn point(
    change: &Transaction<'_>,
    row: &SpellRow,
    channel: Channel,
    revision: Option<&RevisionId>,
    client: &ClientId,
    now_ms: i64,
) -> Result<i64, Error> {
    let (spell, revision) = (row.spell_id.as_str(), revision.map(RevisionId::as_str));
    change.execute(
        "INSERT INTO publication (spell_id, channel, revision_id, client_id, published_at) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![spell, channel.as_str(), revision.unwrap_or_default(), client.as_str(), now_ms],
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
        params![spell, revision, now_ms, followed, sequence],
    )?;
    if channel != Channel::Draft {
        change.execute("UPDATE revision SET published = 1 WHERE spell_id = ?1 AND revision_id = ?2", params![spell, revision])?;
    }
    Ok(sequence)
}

/// What was published to this channel last and is not revoked; for drafts what was built last.
fn last_good(change: &Transaction<'_>, spell: &SpellId, channel: Channel) -> Result<Option<RevisionId>, Error> {
    let last = match channel {
        Channel::Draft => {
            "SELECT revision_id FROM revision WHERE spell_id = ?1 AND revoked IS NULL AND ?2 != '' ORDER BY number DESC LIMIT 1"
        }
        Channel::Beta | Channel::Stable => {
            "SELECT revision_id FROM publication JOIN revision USING (spell_id, revision_id)
                WHERE spell_id = ?1 AND channel = ?2 AND revoked IS NULL ORDER BY sequence DESC LIMIT 1"
        }
    };
    found(change.query_row(last, [spell.as_str(), channel.as_str()], |row| parsed(row, "revision_id")))
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
    Ok(Revision { manifest: from_json(row, "manifest")?, published: row.get("published")?, revoked: row.get("revoked")? })
}
