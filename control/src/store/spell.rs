//! Spells, their revisions and their channels in the database.

use super::{
    Act, Database, Ending, found, from_json,
    lineup::{touch, usable},
    ownership::{may_change, note},
    parsed, parsed_option, rollout,
};
use crate::{
    cursor::Page,
    error::Error,
    ids::ClientId,
    limits::{DRAFTS_KEPT_PER_SPELL, LISTED_MAX, REVISIONS_LISTED_MAX},
    operator::OPERATOR,
    rollout::Terms,
};
use protocol::{Channel, Manifest, RevisionId, Sha256Hex, SpellId};
use rusqlite::{Connection, Row, Transaction, params};
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

    /// The channels that point at this revision, the farthest first.
    pub fn channels_of(&self, revision: &RevisionId) -> Vec<Channel> {
        [Channel::Stable, Channel::Beta, Channel::Draft].into_iter().filter(|channel| self.active(*channel) == Some(revision)).collect()
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
#[derive(Debug)]
pub struct Published {
    /// The revision's.
    pub manifest: Manifest,
    /// Its rollout, where it has to prove itself first.
    pub rollout: Option<i64>,
}

/// What a rollback came to.
#[derive(Debug)]
pub struct RolledBack {
    /// The change's number.
    pub number: i64,
    /// What the channel points at.
    pub active: Option<RevisionId>,
    /// The rollout that ran there, and does not any more.
    pub ended_rollout: Option<i64>,
}

/// A publication that is asked for.
#[derive(Debug)]
pub struct Publication {
    /// The spell.
    pub spell_id: SpellId,
    /// What becomes active.
    pub revision_id: RevisionId,
    /// Where.
    pub channel: Channel,
    /// What has to be active there until then, where that was said: `Some(None)` is nothing.
    pub if_active: Option<Option<RevisionId>>,
    /// On a share of the casts first.
    pub rollout: Option<Terms>,
}

impl Database {
    /// One spell.
    pub fn spell(&mut self, spell: &SpellId) -> Result<Option<SpellRow>, Error> {
        found(self.connection.prepare_cached("SELECT * FROM spell WHERE spell_id = ?1")?.query_row([spell.as_str()], read_spell))
    }

    /// The spells changed last, `LISTED_MAX` at most: those that were published, and those that this player may change. Of the others the draft is not told.
    pub fn spells(&mut self, viewer: Option<&ClientId>, page: &Page) -> Result<Vec<SpellRow>, Error> {
        let mut query = self.connection.prepare_cached(
            "SELECT *, owner = ?1 OR EXISTS (SELECT 1 FROM collaborator WHERE collaborator.spell_id = spell.spell_id AND client_id = ?1) AS is_own
                FROM spell WHERE (beta IS NOT NULL OR stable IS NOT NULL OR is_own)
                    AND (?2 IS NULL OR updated_at < ?2 OR (updated_at = ?2 AND spell_id > ?3)) ORDER BY updated_at DESC, spell_id LIMIT ?4",
        )?;
        let after = page.after.as_ref();
        let of = params![
            viewer.map_or("", ClientId::as_str),
            after.map(|after| after.at),
            after.map(|after| after.name.as_str()),
            page.limit.min(LISTED_MAX)
        ];
        let rows = query.query_map(of, |row| {
            let spell = read_spell(row)?;
            Ok(if row.get("is_own")? { spell } else { SpellRow { draft: None, ..spell } })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// A spell's newest revisions, `REVISIONS_LISTED_MAX` at most.
    pub fn revisions(&mut self, spell: &SpellId, published_only: bool, page: &Page) -> Result<Vec<Revision>, Error> {
        let mut query = self.connection.prepare_cached(
            "SELECT manifest, published, revoked FROM revision WHERE spell_id = ?1 AND published >= ?2 AND number < ?4 ORDER BY number DESC LIMIT ?3",
        )?;
        let rows = query.query_map(
            params![
                spell.as_str(),
                published_only,
                page.limit.min(REVISIONS_LISTED_MAX),
                page.after.as_ref().map_or(i64::MAX, |after| after.at)
            ],
            read_revision,
        )?;
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

    /// Points channels of spells that the player may change at their revisions, or begins rollouts there: all of it, or none. Answers the change's number, and one
    /// answer a publication.
    pub fn publish(&mut self, publications: &[Publication], client: &ClientId, now_ms: i64) -> Result<(i64, Vec<Published>), Error> {
        let change = self.connection.transaction()?;
        let mut published = Vec::with_capacity(publications.len());
        for publication in publications {
            published.push(publish_one(&change, publication, client, now_ms)?);
        }
        let number = change.query_row("SELECT number FROM change", [], |row| row.get(0))?;
        change.commit()?;
        Ok((number, published))
    }

    /// Points a channel back, or ends the rollout that runs there. Without a client, it is the operator who says so.
    pub fn roll_back(
        &mut self,
        spell: &SpellId,
        channel: Channel,
        to: Option<&RevisionId>,
        client: Option<&ClientId>,
        now_ms: i64,
    ) -> Result<RolledBack, Error> {
        let change = self.connection.transaction()?;
        let row = spell_row(&change, spell)?;
        if let Some(client) = client
            && !may_change(&change, spell, client)?
        {
            return Err(Error::Foreign(spell.clone()));
        }
        let active = row.active(channel);
        let ended = rollout::end(&change, spell, channel, Ending::RolledBack, "rolled back by hand", now_ms)?;
        let back = match (to, active, &ended) {
            (Some(to), ..) => {
                usable(&change, spell, to)?;
                Some(to.clone())
            }
            // What was on trial is not any more, and that is all.
            (None, active, Some(_)) => active.cloned(),
            (None, Some(active), None) => {
                Some(good_before(&change, spell, channel, active)?.ok_or(Error::NothingBefore { channel, active: active.clone() })?)
            }
            (None, None, None) => return Err(Error::unknown("publication", channel.as_str())),
        };
        let ended_rollout = ended.map(|ended| ended.rollout);
        let detail = json!({ "channel": channel, "revision_id": back, "before": active, "rollout": ended_rollout });
        let actor = client.map_or(OPERATOR, ClientId::as_str);
        note(&change, &Act { spell_id: spell, actor, action: "rollback", detail, now_ms })?;
        let number = match back.as_ref() != active {
            true => point(&change, &row, channel, back.as_ref(), client.unwrap_or(&row.owner), now_ms)?,
            false => touch(&change, spell)?,
        };
        change.commit()?;
        Ok(RolledBack { number, active: back, ended_rollout })
    }

    /// Takes a revision out of use until that is lifted: its casts end, channels that point at it go back to what they pointed at before, if that is good, and no
    /// rollout and no draft of it goes on.
    pub fn revoke(&mut self, act: &Act<'_>, revision: &RevisionId, reason: &str) -> Result<i64, Error> {
        let change = self.connection.transaction()?;
        let row = spell_row(&change, act.spell_id)?;
        let revoked = change.execute(
            "UPDATE revision SET revoked_by = iif(revoked IS NULL OR ?4 = 'operator', ?4, revoked_by), revoked = coalesce(revoked, ?3)
                WHERE spell_id = ?1 AND revision_id = ?2",
            [act.spell_id.as_str(), revision.as_str(), reason, act.actor],
        )?;
        if revoked == 0 {
            return Err(Error::unknown("revision", revision.as_str()));
        }
        note(&change, act)?;
        for channel in [Channel::Stable, Channel::Beta, Channel::Draft] {
            if rollout::running(&change, act.spell_id, channel)?.is_some_and(|running| running.revision_id == *revision) {
                rollout::end(&change, act.spell_id, channel, Ending::RolledBack, "its revision was revoked", act.now_ms)?;
            }
            if row.active(channel) == Some(revision) {
                // Older than it: a newer one that was rolled back was so for a reason.
                let before = match channel {
                    Channel::Draft => last_draft(&change, act.spell_id)?,
                    Channel::Beta | Channel::Stable => good_before(&change, act.spell_id, channel, revision)?,
                };
                point(&change, &row, channel, before.as_ref(), &row.owner, act.now_ms)?;
            }
        }
        change.execute("DELETE FROM live_draft WHERE spell_id = ?1 AND revision_id = ?2", [act.spell_id.as_str(), revision.as_str()])?;
        let number = touch(&change, act.spell_id)?;
        change.commit()?;
        Ok(number)
    }

    /// Lets a revision be used again. What the operator has revoked, only the operator can; no channel moves by it.
    pub fn lift_revocation(&mut self, act: &Act<'_>, revision: &RevisionId) -> Result<i64, Error> {
        let change = self.connection.transaction()?;
        let by: Option<Option<String>> = found(change.query_row(
            "SELECT revoked_by FROM revision WHERE spell_id = ?1 AND revision_id = ?2 AND revoked IS NOT NULL",
            [act.spell_id.as_str(), revision.as_str()],
            |row| row.get(0),
        ))?;
        let by = by.ok_or_else(|| Error::unknown("revocation", revision.as_str()))?;
        if by.as_deref() == Some(OPERATOR) && act.actor != OPERATOR {
            return Err(Error::OperatorsWord(revision.clone()));
        }
        change.execute(
            "UPDATE revision SET revoked = NULL, revoked_by = NULL WHERE spell_id = ?1 AND revision_id = ?2",
            [act.spell_id.as_str(), revision.as_str()],
        )?;
        note(&change, act)?;
        let number = touch(&change, act.spell_id)?;
        change.commit()?;
        Ok(number)
    }

    /// Forgets drafts that never left the draft channel, but for the newest `DRAFTS_KEPT_PER_SPELL` of each spell and what one points at.
    pub fn forget_drafts(&mut self) -> Result<usize, Error> {
        Ok(self.connection.execute(
            "DELETE FROM revision WHERE published = 0 AND revoked IS NULL
                AND number <= (SELECT max(number) FROM revision AS newest WHERE newest.spell_id = revision.spell_id) - ?1
                AND revision_id NOT IN (SELECT coalesce(draft, '') FROM spell WHERE spell.spell_id = revision.spell_id)
                AND revision_id NOT IN (SELECT revision_id FROM live_draft WHERE live_draft.spell_id = revision.spell_id)",
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
}

fn publish_one(change: &Transaction<'_>, publication: &Publication, client: &ClientId, now_ms: i64) -> Result<Published, Error> {
    let Publication { spell_id, revision_id, channel, if_active, rollout } = publication;
    let row = spell_row(change, spell_id)?;
    if !may_change(change, spell_id, client)? {
        return Err(Error::Foreign(spell_id.clone()));
    }
    let manifest = usable(change, spell_id, revision_id)?;
    let active = row.active(*channel);
    if let Some(expected) = if_active
        && expected.as_ref() != active
    {
        return Err(Error::ChannelMoved { channel: *channel, active: active.cloned() });
    }
    if rollout.is_some() && (active.is_none() || active == Some(revision_id)) {
        return Err(Error::NothingToTry { channel: *channel, active: active.cloned() });
    }
    let mut detail = json!({ "channel": channel, "revision_id": revision_id, "before": active });
    if let Some(terms) = rollout {
        detail["rollout"] = serde_json::to_value(terms)?;
    }
    note(change, &Act { spell_id, actor: client.as_str(), action: "publish", detail, now_ms })?;
    rollout::end(change, spell_id, *channel, Ending::Stopped, "something else was published", now_ms)?;
    // What is published is no draft of its author's any more.
    if *channel != Channel::Draft {
        change.execute("DELETE FROM live_draft WHERE spell_id = ?1 AND client_id = ?2", [spell_id.as_str(), client.as_str()])?;
    }
    let begun = match rollout {
        None => {
            point(change, &row, *channel, Some(revision_id), client, now_ms)?;
            None
        }
        Some(terms) => {
            change.execute(
                "INSERT INTO rollout (spell_id, channel, revision_id, client_id, terms, state, started_at) VALUES (?1, ?2, ?3, ?4, ?5, 'running', ?6)",
                params![spell_id.as_str(), channel.as_str(), revision_id.as_str(), client.as_str(), serde_json::to_string(terms)?, now_ms],
            )?;
            let begun = change.last_insert_rowid();
            change.execute(
                "UPDATE revision SET published = 1 WHERE spell_id = ?1 AND revision_id = ?2",
                [spell_id.as_str(), revision_id.as_str()],
            )?;
            touch(change, spell_id)?;
            Some(begun)
        }
    };
    // What is not published yet is nobody's business, its name included.
    if *channel != Channel::Draft {
        let name = &manifest.metadata.name;
        let display_name = if name.is_empty() { spell_id.as_str() } else { name };
        change.execute("UPDATE spell SET display_name = ?2 WHERE spell_id = ?1", [spell_id.as_str(), display_name])?;
    }
    Ok(Published { manifest, rollout: begun })
}

fn spell_row(database: &Connection, spell: &SpellId) -> Result<SpellRow, Error> {
    let row = found(database.prepare_cached("SELECT * FROM spell WHERE spell_id = ?1")?.query_row([spell.as_str()], read_spell))?;
    row.ok_or_else(|| Error::unknown("spell", spell.as_str()))
}

/// Points a channel; answers the change's number.
pub(super) fn point(
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
    let column = match channel {
        Channel::Draft => "UPDATE spell SET draft = ?2, updated_at = ?3 WHERE spell_id = ?1",
        Channel::Beta => "UPDATE spell SET beta = ?2, updated_at = ?3 WHERE spell_id = ?1",
        Channel::Stable => "UPDATE spell SET stable = ?2, updated_at = ?3 WHERE spell_id = ?1",
    };
    change.execute(column, params![spell, revision, now_ms])?;
    if channel == Channel::Draft {
        // No world follows drafts.
        return Ok(change.query_row("SELECT number FROM change", [], |row| row.get(0))?);
    }
    change.execute("UPDATE revision SET published = 1 WHERE spell_id = ?1 AND revision_id = ?2", params![spell, revision])?;
    touch(change, &row.spell_id)
}

/// The newest good revision that this channel pointed at and that is older than this one.
fn good_before(change: &Transaction<'_>, spell: &SpellId, channel: Channel, revision: &RevisionId) -> Result<Option<RevisionId>, Error> {
    found(change.query_row(
        "SELECT revision_id FROM revision WHERE spell_id = ?1 AND revoked IS NULL
            AND number < (SELECT number FROM revision WHERE spell_id = ?1 AND revision_id = ?3)
            AND revision_id IN (SELECT revision_id FROM publication WHERE spell_id = ?1 AND channel = ?2) ORDER BY number DESC LIMIT 1",
        [spell.as_str(), channel.as_str(), revision.as_str()],
        |row| parsed(row, "revision_id"),
    ))
}

/// What was built last and is not revoked.
fn last_draft(change: &Transaction<'_>, spell: &SpellId) -> Result<Option<RevisionId>, Error> {
    let last = "SELECT revision_id FROM revision WHERE spell_id = ?1 AND revoked IS NULL ORDER BY number DESC LIMIT 1";
    found(change.query_row(last, [spell.as_str()], |row| parsed(row, "revision_id")))
}

pub(super) fn read_spell(row: &Row<'_>) -> rusqlite::Result<SpellRow> {
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
