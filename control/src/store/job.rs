//! Build jobs in the database, and the step from a finished build to a revision.

use super::{Database, Native, found, from_json, ownership::may_change, parsed, parsed_option};
use crate::{
    clock,
    error::Error,
    ids::{ClientId, JobId},
    limits::{JOBS_KEPT_PER_PLAYER, REVISIONS_PER_SPELL_MAX, SPELLS_PER_PLAYER_MAX},
};
use protocol::{
    Manifest, RevisionId, Sha256Hex, SpellId,
    job::{Diagnostic, Job, Stage, Status},
};
use rusqlite::{Row, Transaction, params};

/// A build that is asked for.
pub struct NewJob {
    /// Its id.
    pub job_id: JobId,
    /// The spell; it belongs to `client_id` from now on where it is new.
    pub spell_id: SpellId,
    /// Who asks.
    pub client_id: ClientId,
    /// Where the code came from, kept as provenance.
    pub prompt: Option<String>,
    /// Now.
    pub now_ms: i64,
}

/// What a build yielded: all of a revision but its number.
pub struct Built<'a> {
    /// The job.
    pub job_id: &'a JobId,
    /// The spell.
    pub spell_id: &'a SpellId,
    /// Who asked, and must still be allowed to.
    pub client_id: &'a ClientId,
    /// Equal for equal content.
    pub content_hash: &'a Sha256Hex,
    /// What its native code is of.
    pub native: &'a Native,
    /// The signed artifact's blob.
    pub artifact_hash: &'a Sha256Hex,
    /// Warnings.
    pub diagnostics: &'a [Diagnostic],
    /// Milliseconds of each stage.
    pub stage_ms: &'a [(Stage, f64)],
    /// Now.
    pub now_ms: i64,
}

impl Database {
    /// Adds a job; the first to build a spell becomes its owner, another is refused.
    pub fn add_job(&mut self, job: &NewJob) -> Result<(), Error> {
        let change = self.connection.transaction()?;
        claim_spell(&change, job)?;
        change.execute(
            "INSERT INTO job (job_id, spell_id, client_id, prompt, status, stage, created_at, updated_at)
                VALUES (?1, ?2, ?3, ?4, 'pending', '\"queued\"', ?5, ?5)",
            params![job.job_id.as_str(), job.spell_id.as_str(), job.client_id.as_str(), job.prompt, job.now_ms],
        )?;
        change.execute(
            "DELETE FROM job WHERE client_id = ?1 AND status != 'pending' AND job_id NOT IN
                (SELECT job_id FROM job WHERE client_id = ?1 ORDER BY created_at DESC LIMIT ?2)",
            params![job.client_id.as_str(), JOBS_KEPT_PER_PLAYER],
        )?;
        Ok(change.commit()?)
    }

    /// A player's own job. One that has not ended reads as pending.
    pub fn job(&mut self, job: &JobId, client: &ClientId) -> Result<Option<Job>, Error> {
        found(
            self.connection
                .prepare_cached("SELECT * FROM job WHERE job_id = ?1 AND client_id = ?2")?
                .query_row(params![job.as_str(), client.as_str()], read),
        )
    }

    /// Ends a job without a revision.
    pub fn fail_job(&mut self, job: &JobId, stage: Stage, message: &str, diagnostics: &[Diagnostic], now_ms: i64) -> Result<(), Error> {
        self.connection.execute(
            "UPDATE job SET status = 'failed', stage = ?2, error_message = ?3, diagnostics = ?4, updated_at = ?5 WHERE job_id = ?1",
            params![job.as_str(), serde_json::to_string(&stage)?, message, serde_json::to_string(diagnostics)?, now_ms],
        )?;
        Ok(())
    }

    /// Ends the jobs that an earlier process left; returns how many.
    pub fn fail_leftover_jobs(&mut self, now_ms: i64) -> Result<usize, Error> {
        Ok(self.connection.execute(
            "UPDATE job SET status = 'failed', error_message = 'the server was restarted during this build', updated_at = ?1
                WHERE status = 'pending'",
            [now_ms],
        )?)
    }

    /// Ends a job with a revision, which becomes the spell's draft: the stored one of the same content, or a new one as `manifest` describes it, given its name,
    /// its parent and its number.
    pub fn add_revision(
        &mut self,
        built: &Built<'_>,
        manifest: impl FnOnce(RevisionId, Option<RevisionId>, u32) -> Manifest,
    ) -> Result<RevisionId, Error> {
        let change = self.connection.transaction()?;
        if !may_change(&change, built.spell_id, built.client_id)? {
            return Err(Error::Foreign(built.spell_id.clone()));
        }
        let revision_id = match same_content(&change, built)? {
            Some(revision_id) => revision_id,
            None => insert_revision(&change, built, manifest)?,
        };
        let native = built.native;
        change.execute(
            "INSERT OR REPLACE INTO artifact (component_hash, ours, engine_id, public_key, artifact_hash) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![native.component.as_str(), native.ours, native.engine_id, native.public_key, built.artifact_hash.as_str()],
        )?;
        change.execute(
            "UPDATE spell SET draft = ?2, updated_at = ?3 WHERE spell_id = ?1",
            params![built.spell_id.as_str(), revision_id.as_str(), built.now_ms],
        )?;
        change.execute(
            "UPDATE job SET status = 'completed', stage = '\"done\"', result_revision_id = ?2, diagnostics = ?3, stage_ms = ?4, updated_at = ?5
                WHERE job_id = ?1",
            params![
                built.job_id.as_str(),
                revision_id.as_str(),
                serde_json::to_string(built.diagnostics)?,
                serde_json::to_string(built.stage_ms)?,
                built.now_ms
            ],
        )?;
        change.commit()?;
        Ok(revision_id)
    }
}

fn claim_spell(change: &Transaction<'_>, job: &NewJob) -> Result<(), Error> {
    let is_there: bool =
        change.query_row("SELECT EXISTS (SELECT 1 FROM spell WHERE spell_id = ?1)", [job.spell_id.as_str()], |row| row.get(0))?;
    if is_there {
        return if may_change(change, &job.spell_id, &job.client_id)? { Ok(()) } else { Err(Error::Foreign(job.spell_id.clone())) };
    }
    let owned: u32 = change.query_row("SELECT count(*) FROM spell WHERE owner = ?1", [job.client_id.as_str()], |row| row.get(0))?;
    if owned >= SPELLS_PER_PLAYER_MAX {
        return Err(Error::TooMany { what: "spells of one player", max: SPELLS_PER_PLAYER_MAX });
    }
    change.execute(
        "INSERT INTO spell (spell_id, owner, display_name, created_at, updated_at) VALUES (?1, ?2, ?1, ?3, ?3)",
        params![job.spell_id.as_str(), job.client_id.as_str(), job.now_ms],
    )?;
    Ok(())
}

/// The stored revision of the same content.
fn same_content(change: &Transaction<'_>, built: &Built<'_>) -> Result<Option<RevisionId>, Error> {
    let found = found(change.query_row(
        "SELECT revision_id, revoked FROM revision WHERE spell_id = ?1 AND content_hash = ?2",
        [built.spell_id.as_str(), built.content_hash.as_str()],
        |row| Ok((parsed(row, "revision_id")?, row.get::<_, Option<String>>("revoked")?)),
    ))?;
    match found {
        Some((revision_id, Some(reason))) => Err(Error::Revoked { revision_id, reason }),
        Some((revision_id, None)) => Ok(Some(revision_id)),
        None => Ok(None),
    }
}

fn insert_revision(
    change: &Transaction<'_>,
    built: &Built<'_>,
    manifest: impl FnOnce(RevisionId, Option<RevisionId>, u32) -> Manifest,
) -> Result<RevisionId, Error> {
    let newest: Option<(u32, RevisionId)> = found(change.query_row(
        "SELECT number, revision_id FROM revision WHERE spell_id = ?1 ORDER BY number DESC LIMIT 1",
        [built.spell_id.as_str()],
        |row| Ok((row.get("number")?, parsed(row, "revision_id")?)),
    ))?;
    let (number, parent) = newest.map_or((1, None), |(number, parent)| (number + 1, Some(parent)));
    if number > REVISIONS_PER_SPELL_MAX {
        return Err(Error::TooMany { what: "revisions of one spell", max: REVISIONS_PER_SPELL_MAX });
    }
    let revision_id = RevisionId::of(number, built.content_hash);
    let manifest = manifest(revision_id.clone(), parent, number);
    change.execute(
        "INSERT INTO revision (spell_id, number, revision_id, content_hash, ours, manifest) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            built.spell_id.as_str(),
            number,
            revision_id.as_str(),
            built.content_hash.as_str(),
            built.native.ours,
            serde_json::to_string(&manifest)?
        ],
    )?;
    Ok(revision_id)
}

fn read(row: &Row<'_>) -> rusqlite::Result<Job> {
    let status = match row.get::<_, String>("status")?.as_str() {
        "completed" => Status::Completed,
        "failed" => Status::Failed,
        _ => Status::Pending,
    };
    let stage: Stage = from_json(row, "stage")?;
    Ok(Job {
        job_id: row.get("job_id")?,
        spell_id: parsed(row, "spell_id")?,
        status,
        stage,
        progress_pct: stage.progress_pct(),
        error_message: row.get("error_message")?,
        result_revision_id: parsed_option(row, "result_revision_id")?,
        diagnostics: from_json(row, "diagnostics")?,
        stage_ms: from_json(row, "stage_ms")?,
        created_at: clock::iso8601(row.get("created_at")?),
        updated_at: clock::iso8601(row.get("updated_at")?),
    })
}
