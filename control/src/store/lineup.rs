//! What worlds run: lineups, world by world, and what narrows them.

use super::{Database, found, from_json, parsed, rollout, spell::read_spell};
use crate::{
    error::Error,
    ids::{ClientId, WorldId},
    limits::LIVE_DRAFTS_PER_PLAYER_MAX,
    policy::Trust,
    store::{Act, Rollout, SpellRow, World, ownership},
};
use protocol::{Channel, InFlightPolicy, Manifest, RevisionId, Sha256Hex, SpellId, limits::BARRED_MAX};
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use std::collections::{BTreeMap, BTreeSet};

/// What a world asks for.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The world.
    pub world_id: WorldId,
    /// The number of the last change that it knows; 0 for all.
    pub after: i64,
    /// Who plays there: their drafts are live.
    pub present: BTreeSet<ClientId>,
    /// Who has come or gone since it asked last.
    pub moved: BTreeSet<ClientId>,
    /// Whether all worlds admit WASI, whatever their policies say.
    pub wasi: bool,
}

/// What changed.
#[derive(Debug)]
pub struct Changed {
    /// The number of the newest change.
    pub newest: i64,
    /// Whether this is all that the world runs.
    pub complete: bool,
    /// Whether friends can hurt each other there, where that may be news and the world's policy says it.
    pub friendly_fire: Option<bool>,
    /// Spell by spell.
    pub lineups: Vec<Lineup>,
}

/// What a world runs of one spell.
#[derive(Debug)]
pub struct Lineup {
    /// The spell.
    pub spell_id: SpellId,
    /// The channel that the world follows.
    pub channel: Channel,
    /// What everybody runs.
    pub active: Option<Chosen>,
    /// What some casts run instead.
    pub trial: Option<(Rollout, Chosen)>,
    /// By player.
    pub drafts: BTreeMap<ClientId, Chosen>,
    /// In quarantine there.
    pub quarantined: BTreeSet<RevisionId>,
    /// Revoked revisions; none: all casts of the spell end.
    pub barred: Option<BTreeSet<RevisionId>>,
}

/// A revision that a world runs.
#[derive(Debug, Clone)]
pub struct Chosen {
    /// Which.
    pub revision_id: RevisionId,
    /// Its component.
    pub component: Sha256Hex,
    /// Whether this server's builder made it.
    pub ours: bool,
    /// What its manifest says of casts that run when it takes over.
    pub in_flight: InFlightPolicy,
    needs_wasi: bool,
}

/// A revision in quarantine.
#[derive(Debug)]
pub struct Quarantine {
    /// Of which spell.
    pub spell_id: SpellId,
    /// Which.
    pub revision_id: RevisionId,
    /// Why.
    pub reason: String,
    /// Since when.
    pub since_ms: i64,
}

/// A number for one more change.
pub(super) fn number(change: &Transaction<'_>) -> Result<i64, Error> {
    Ok(change.query_row("UPDATE change SET number = number + 1 RETURNING number", [], |row| row.get(0))?)
}

/// Worlds have to look at this spell anew.
pub(super) fn touch(change: &Transaction<'_>, spell: &SpellId) -> Result<i64, Error> {
    let number = number(change)?;
    change.execute("UPDATE spell SET changed = ?2 WHERE spell_id = ?1", params![spell.as_str(), number])?;
    Ok(number)
}

impl Database {
    /// The number of the newest change; 0 before the first.
    pub fn newest_change(&mut self) -> Result<i64, Error> {
        Ok(self.connection.query_row("SELECT number FROM change", [], |row| row.get(0))?)
    }

    /// What a world has to hear.
    pub fn lineups(&mut self, asked: &Asked) -> Result<Changed, Error> {
        let newest = self.newest_change()?;
        let world = self.world(&asked.world_id)?.ok_or_else(|| Error::unknown("world", asked.world_id.as_str()))?;
        // A number that we have not given yet comes from another database: such a world needs everything, and so does one whose policy has changed.
        let complete = asked.after <= 0 || asked.after > newest || world.changed > asked.after;
        let mut spells: BTreeMap<SpellId, SpellRow> = BTreeMap::new();
        {
            let mut query = self.connection.prepare_cached("SELECT * FROM spell WHERE changed > ?1")?;
            let after = if complete { -1 } else { asked.after };
            for row in query.query_map([after], read_spell)? {
                let row = row?;
                spells.insert(row.spell_id.clone(), row);
            }
            let mut of_author =
                self.connection.prepare_cached("SELECT spell.* FROM spell JOIN live_draft USING (spell_id) WHERE client_id = ?1")?;
            for client in &asked.moved {
                for row in of_author.query_map([client.as_str()], read_spell)? {
                    let row = row?;
                    spells.insert(row.spell_id.clone(), row);
                }
            }
        }
        let mut lineups = Vec::with_capacity(spells.len());
        for row in spells.into_values() {
            let lineup = self.lineup(&row, asked, &world)?;
            // What a world never knew it need not be told to forget.
            if !complete || lineup.active.is_some() || !lineup.drafts.is_empty() || lineup.trial.is_some() {
                lineups.push(lineup);
            }
        }
        let friendly_fire = world.policy.friendly_fire.filter(|_| complete);
        Ok(Changed { newest, complete, friendly_fire, lineups })
    }

    fn lineup(&self, row: &SpellRow, asked: &Asked, of: &World) -> Result<Lineup, Error> {
        let (Asked { world_id: world, present, .. }, policy) = (asked, &of.policy);
        let (database, wasi) = (&self.connection, asked.wasi || policy.wasi);
        let spell = &row.spell_id;
        let quarantined = quarantined(database, world, spell)?;
        let channel = policy.channel_of(row);
        let mut lineup = Lineup {
            spell_id: spell.clone(),
            channel,
            active: None,
            trial: None,
            drafts: BTreeMap::new(),
            barred: Some(revoked(database, spell)?),
            quarantined: quarantined.clone(),
        };
        if !policy.admits(spell) || row.owner != of.created_by && !is_trusted(database, &row.owner, policy.trust)? {
            return Ok(Lineup { barred: None, ..lineup });
        }
        let runs = |chosen: &Chosen| !quarantined.contains(&chosen.revision_id) && (wasi || !chosen.needs_wasi);
        let pinned = policy.pins.get(spell);
        lineup.active = match (pinned, row.active(channel)) {
            (Some(pin), _) => chosen(database, spell, pin)?.filter(runs),
            (None, None) => None,
            (None, Some(active)) => match chosen(database, spell, active)?.filter(runs) {
                Some(active) => Some(active),
                None => published_before(database, spell, channel, active)?.into_iter().find(runs),
            },
        };
        if pinned.is_none()
            && let Some(rollout) = rollout::running(database, spell, channel)?.filter(|rollout| rollout.is_for(world))
            && let Some(chosen) = chosen(database, spell, &rollout.revision_id)?.filter(runs)
        {
            lineup.trial = Some((rollout, chosen));
        }
        let mut drafts = database.prepare_cached("SELECT client_id, revision_id FROM live_draft WHERE spell_id = ?1")?;
        let rows = drafts
            .query_map([spell.as_str()], |row| Ok((parsed::<ClientId>(row, "client_id")?, parsed::<RevisionId>(row, "revision_id")?)))?;
        for row in rows {
            let (client, revision) = row?;
            if present.contains(&client)
                && ownership::may_change(database, spell, &client)?
                && let Some(draft) = chosen(database, spell, &revision)?.filter(|draft| wasi || !draft.needs_wasi)
            {
                lineup.drafts.insert(client, draft);
            }
        }
        Ok(lineup)
    }

    /// Everything that channels point at: the component, and whether it is ours.
    pub fn published_components(&mut self) -> Result<BTreeSet<(Sha256Hex, bool)>, Error> {
        let mut query = self.connection.prepare(
            "SELECT json_extract(manifest, '$.component.hash') AS component, ours FROM spell JOIN revision USING (spell_id)
                WHERE revision_id IN (stable, beta) AND revoked IS NULL",
        )?;
        Ok(query.query_map([], |row| Ok((parsed(row, "component")?, row.get("ours")?)))?.collect::<rusqlite::Result<_>>()?)
    }

    /// Makes a draft live for this player alone, or none of the spell's; answers the change's number.
    pub fn set_live_draft(&mut self, act: &Act<'_>, client: &ClientId, draft: Option<&RevisionId>) -> Result<i64, Error> {
        let change = self.connection.transaction()?;
        if !ownership::may_change(&change, act.spell_id, client)? {
            return Err(Error::Foreign(act.spell_id.clone()));
        }
        change.execute("DELETE FROM live_draft WHERE spell_id = ?1 AND client_id = ?2", [act.spell_id.as_str(), client.as_str()])?;
        if let Some(draft) = draft {
            usable(&change, act.spell_id, draft)?;
            let live: u32 =
                change.query_row("SELECT count(*) FROM live_draft WHERE client_id = ?1", [client.as_str()], |row| row.get(0))?;
            if live >= LIVE_DRAFTS_PER_PLAYER_MAX {
                return Err(Error::TooMany { what: "live drafts of one player", max: LIVE_DRAFTS_PER_PLAYER_MAX });
            }
            change.execute(
                "INSERT INTO live_draft (spell_id, client_id, revision_id, since) VALUES (?1, ?2, ?3, ?4)",
                params![act.spell_id.as_str(), client.as_str(), draft.as_str(), act.now_ms],
            )?;
        }
        ownership::note(&change, act)?;
        let number = touch(&change, act.spell_id)?;
        change.commit()?;
        Ok(number)
    }

    /// The player's live drafts.
    pub fn live_drafts(&mut self, client: &ClientId) -> Result<Vec<(SpellId, RevisionId)>, Error> {
        let mut query =
            self.connection.prepare_cached("SELECT spell_id, revision_id FROM live_draft WHERE client_id = ?1 ORDER BY spell_id")?;
        let rows = query.query_map([client.as_str()], |row| Ok((parsed(row, "spell_id")?, parsed(row, "revision_id")?)))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// A world has put a revision into quarantine; answers the change's number. Nothing for one that nobody built.
    pub fn add_quarantine(
        &mut self,
        world: &WorldId,
        spell: &SpellId,
        revision: &RevisionId,
        reason: &str,
        now_ms: i64,
    ) -> Result<Option<i64>, Error> {
        let change = self.connection.transaction()?;
        let added = change.execute(
            "INSERT OR IGNORE INTO quarantine (world_id, spell_id, revision_id, reason, since)
                SELECT ?1, spell_id, revision_id, ?4, ?5 FROM revision WHERE spell_id = ?2 AND revision_id = ?3",
            params![world.as_str(), spell.as_str(), revision.as_str(), reason, now_ms],
        )?;
        if added == 0 {
            return Ok(None);
        }
        let number = touch(&change, spell)?;
        change.commit()?;
        Ok(Some(number))
    }

    /// Lets a world run a revision again; answers the change's number.
    pub fn lift_quarantine(&mut self, world: &WorldId, spell: &SpellId, revision: &RevisionId) -> Result<i64, Error> {
        let change = self.connection.transaction()?;
        let lifted = change.execute(
            "DELETE FROM quarantine WHERE world_id = ?1 AND spell_id = ?2 AND revision_id = ?3",
            [world.as_str(), spell.as_str(), revision.as_str()],
        )?;
        if lifted == 0 {
            return Err(Error::unknown("quarantine", revision.as_str()));
        }
        let number = touch(&change, spell)?;
        change.commit()?;
        Ok(number)
    }

    /// What is in quarantine on a world.
    pub fn quarantines(&mut self, world: &WorldId) -> Result<Vec<Quarantine>, Error> {
        let mut query = self.connection.prepare_cached("SELECT * FROM quarantine WHERE world_id = ?1 ORDER BY since DESC")?;
        let rows = query.query_map([world.as_str()], |row| {
            Ok(Quarantine {
                spell_id: parsed(row, "spell_id")?,
                revision_id: parsed(row, "revision_id")?,
                reason: row.get("reason")?,
                since_ms: row.get("since")?,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}

/// The revision's manifest, if it is there and may run.
pub(super) fn usable(database: &Connection, spell: &SpellId, revision: &RevisionId) -> Result<Manifest, Error> {
    let stored = database
        .prepare_cached("SELECT manifest, revoked FROM revision WHERE spell_id = ?1 AND revision_id = ?2")?
        .query_row([spell.as_str(), revision.as_str()], |row| Ok((from_json(row, "manifest")?, row.get("revoked")?)))
        .optional()?;
    match stored {
        None => Err(Error::unknown("revision", revision.as_str())),
        Some((_, Some(reason))) => Err(Error::Revoked { revision_id: revision.clone(), reason }),
        Some((manifest, None)) => Ok(manifest),
    }
}

const CHOSEN: &str = "revision_id, ours, json_extract(manifest, '$.component.hash') AS component,
    coalesce(json_extract(manifest, '$.in_flight.policy'), 'finish') AS in_flight, coalesce(json_extract(manifest, '$.needs_wasi'), 0) AS needs_wasi";

fn read_chosen(row: &rusqlite::Row<'_>) -> rusqlite::Result<Chosen> {
    let in_flight: String = row.get("in_flight")?;
    Ok(Chosen {
        revision_id: parsed(row, "revision_id")?,
        component: parsed(row, "component")?,
        ours: row.get("ours")?,
        in_flight: match in_flight.as_str() {
            "migrate" => InFlightPolicy::Migrate,
            "cancel" => InFlightPolicy::Cancel,
            _ => InFlightPolicy::Finish,
        },
        needs_wasi: row.get("needs_wasi")?,
    })
}

/// The revision, if it is there and not revoked.
fn chosen(database: &Connection, spell: &SpellId, revision: &RevisionId) -> Result<Option<Chosen>, Error> {
    let query = format!("SELECT {CHOSEN} FROM revision WHERE spell_id = ?1 AND revision_id = ?2 AND revoked IS NULL");
    found(database.prepare_cached(&query)?.query_row([spell.as_str(), revision.as_str()], read_chosen))
}

/// What a channel pointed at before this revision was built, newest first: the good ones.
fn published_before(database: &Connection, spell: &SpellId, channel: Channel, revision: &RevisionId) -> Result<Vec<Chosen>, Error> {
    let query = format!(
        "SELECT {CHOSEN} FROM revision WHERE spell_id = ?1 AND revoked IS NULL
            AND number < (SELECT number FROM revision WHERE spell_id = ?1 AND revision_id = ?3)
            AND revision_id IN (SELECT revision_id FROM publication WHERE spell_id = ?1 AND channel = ?2) ORDER BY number DESC LIMIT 32"
    );
    let mut query = database.prepare_cached(&query)?;
    let rows = query.query_map([spell.as_str(), channel.as_str(), revision.as_str()], read_chosen)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn is_trusted(database: &Connection, author: &ClientId, tier: Trust) -> Result<bool, Error> {
    let mut query = database.prepare_cached("SELECT trust >= ?2 FROM player WHERE client_id = ?1")?;
    Ok(query.query_row(params![author.as_str(), tier as u8], |row| row.get(0))?)
}

fn quarantined(database: &Connection, world: &WorldId, spell: &SpellId) -> Result<BTreeSet<RevisionId>, Error> {
    let mut query = database.prepare_cached("SELECT revision_id FROM quarantine WHERE world_id = ?1 AND spell_id = ?2")?;
    Ok(query.query_map([world.as_str(), spell.as_str()], |row| parsed(row, "revision_id"))?.collect::<rusqlite::Result<_>>()?)
}

fn revoked(database: &Connection, spell: &SpellId) -> Result<BTreeSet<RevisionId>, Error> {
    let mut query = database
        .prepare_cached("SELECT revision_id FROM revision WHERE spell_id = ?1 AND revoked IS NOT NULL ORDER BY revoked_by = 'operator' DESC, number DESC LIMIT ?2")?;
    let rows = query.query_map(params![spell.as_str(), BARRED_MAX as i64], |row| parsed(row, "revision_id"))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
