/** What an author asks of the control plane: spells, their revisions and sources, builds, drafts, channels. */

import type { Api } from '../api';
import { events } from './events';
import { base64, kindOf, type Project } from './project';

export type Channel = 'beta' | 'stable';

export interface Spell {
  spell_id: string;
  display_name: string;
  /** What was built last; told to those alone who may change the spell. */
  active_draft_rev: string | null;
  active_beta_rev: string | null;
  active_stable_rev: string | null;
}

export interface Template {
  spell_id: string;
  code: string;
  /** By path, in base64. */
  assets: Record<string, string>;
}

interface File {
  path: string;
  size: number;
}

export interface Manifest {
  spell_id: string;
  revision_id: string;
  author: string;
  created_at: string;
  code: File[];
  assets: File[];
  component: { size: number };
  cost: { cast_mana: number };
  envelope: {
    capabilities: string[];
    duration?: { seconds?: number; max_seconds?: number };
    frequency?: { max_hz?: number };
  };
  /** What its casts took in the worlds of the trial; null for those that were built elsewhere. */
  measured: { call_fuel_max: number; cast_mana_max: number; upkeep_mana_per_s: number } | null;
}

export interface Revision {
  revision_id: string;
  channels: (Channel | 'draft')[];
  created_at: string;
  revoked: string | null;
  manifest: Manifest;
}

export interface Diagnostic {
  severity: 'error' | 'warning';
  file: string;
  /** From 1; 0 where it is about no line. Columns are characters. */
  line: number;
  column: number;
  end_line: number;
  end_column: number;
  code: string | null;
  message: string;
  help: string | null;
}

export interface Job {
  job_id: string;
  status: 'pending' | 'running' | 'completed' | 'failed';
  stage: string;
  progress_pct: number;
  error_message: string | null;
  result_revision_id: string | null;
  diagnostics: Diagnostic[];
  /** What each stage took. */
  stage_ms: [string, number][];
}

/** What the casts of a revision came to in all worlds, and who runs it now. */
export interface RevisionUsage {
  revision_id: string;
  /** Casts that have ended, and those of them that were stopped. */
  casts: number;
  faults: number;
  /** Fuel of a cast; null before the first has ended. */
  fuel_p50: number | null;
  fuel_p99: number | null;
  live_casts: number;
  /** Who has cast it of late. */
  players: number;
  worlds: { world_id: string; name: string; live_casts: number }[];
  /** Worlds that run it and are not public. */
  other_worlds: number;
}

/** A trial of a revision on a share of the casts. */
export interface Rollout {
  rollout: number;
  revision_id: string;
  channel: Channel;
  state: 'running' | 'promoted' | 'rolled_back' | 'stopped';
}

/** What a game server reported about a spell. */
export interface LogEntry {
  entry: number;
  report: 'line' | 'fault' | 'not_migrated' | 'quarantined' | 'refused';
  revision_id: string;
  tick?: number;
  cast?: number;
  caster?: number;
  level?: string;
  text?: string;
  hook?: string;
  limit?: string;
  message?: string;
}

export class Author {
  constructor(readonly api: Api) {}

  get username(): string {
    return this.api.account?.username ?? '';
  }

  templates(): Promise<Template[]> {
    return this.api.ask('GET', '/api/library');
  }

  async spells(): Promise<Spell[]> {
    return (await this.api.ask<{ spells: Spell[] }>('GET', '/api/spells')).spells;
  }

  async revisions(spellId: string): Promise<Revision[]> {
    return (await this.api.ask<{ revisions: Revision[] }>('GET', `/api/spells/${spellId}/revisions`)).revisions;
  }

  async manifest(spellId: string, revisionId: string): Promise<Manifest> {
    return (await this.api.ask<{ manifest: Manifest }>('GET', `/api/spells/${spellId}/revisions/${revisionId}/manifest`)).manifest;
  }

  /** Everything that a revision was built of. */
  async source(spellId: string, revisionId: string): Promise<Pick<Project, 'files' | 'assets'>> {
    const { code, assets } = await this.manifest(spellId, revisionId);
    const bytes = ({ path }: File): Promise<Response> => this.api.reach('GET', `/api/spells/${spellId}/revisions/${revisionId}/files/${path}`);
    const text = async (file: File): Promise<[string, string]> => [file.path, await (await bytes(file)).text()];
    const coded = async (file: File): Promise<[string, string]> => [file.path, base64(await (await bytes(file)).arrayBuffer())];
    const all = [...code, ...assets];
    const [texts, others] = [all.filter(({ path }) => kindOf(path) === 'text'), all.filter(({ path }) => kindOf(path) !== 'text')];
    return { files: new Map(await Promise.all(texts.map(text))), assets: new Map(await Promise.all(others.map(coded))) };
  }

  /** Builds a spell; each stage is told when it begins. Answers the job as it ended. */
  async build({ spellId, files, assets }: Project, begins: (job: Job) => void): Promise<Job> {
    return this.order(`/api/spells/${spellId}/build`, { files: Object.fromEntries(files), assets: Object.fromEntries(assets) }, begins);
  }

  /** Builds what the server's generator writes for these words. */
  async prompt(spellId: string, prompt: string, begins: (job: Job) => void): Promise<Job> {
    return this.order(`/api/spells/${spellId}/build`, { prompt }, begins);
  }

  /** Builds somebody's published revision as a spell of one's own, which is known as where that comes from. */
  async fork(spellId: string, from: { spell_id: string; revision_id: string }): Promise<Job> {
    return this.order(`/api/spells/${spellId}/fork`, from, () => undefined);
  }

  /** Whether the server has a generator. */
  async takesPrompts(): Promise<boolean> {
    return (await this.api.ask<{ prompts: boolean }>('GET', '/api/build')).prompts;
  }

  private async order(path: string, body: object, begins: (job: Job) => void): Promise<Job> {
    const { job_id } = await this.api.ask<{ job_id: string }>('POST', path, body);
    for await (const { event, data } of events(this.api, `/api/jobs/${job_id}/events`)) {
      if (event === 'end') return data as Job;
      begins(data as Job);
    }
    // The stream broke off.
    return this.ended(job_id);
  }

  /** What casts of the spell came to, the newest revision first. */
  usage(spellId: string): Promise<{ recent_seconds: number; revisions: RevisionUsage[] }> {
    return this.api.ask('GET', `/api/spells/${spellId}/usage`);
  }

  private async ended(jobId: string): Promise<Job> {
    for (;;) {
      const job = await this.api.ask<Job>('GET', `/api/jobs/${jobId}?wait_ms=5000`);
      if (job.status === 'completed' || job.status === 'failed') return job;
    }
  }

  /** Makes a revision live for the author alone. */
  async setDraft(spellId: string, revisionId: string): Promise<void> {
    await this.api.ask('PUT', `/api/spells/${spellId}/dev`, { revision_id: revisionId });
  }

  async endDraft(spellId: string): Promise<void> {
    await this.api.ask('DELETE', `/api/spells/${spellId}/dev`);
  }

  /** The revisions that are live for the author alone, by spell. */
  async drafts(): Promise<Record<string, string>> {
    return (await this.api.ask<{ drafts: Record<string, string> }>('GET', '/api/dev')).drafts;
  }

  /** For everybody at once, or for `percent` of the casts first. */
  async publish(spellId: string, revisionId: string, channel: Channel, percent: number): Promise<void> {
    const rollout = percent < 100 ? { rollout: { percent } } : {};
    await this.api.ask('POST', `/api/spells/${spellId}/publish`, { revision_id: revisionId, channel, ...rollout });
  }

  /** Points the channel at what it pointed at before, or at this revision; a rollout that runs is ended instead. Answers where it points now. */
  async rollBack(spellId: string, channel: Channel, revisionId?: string): Promise<string | null> {
    const body = { channel, ...(revisionId && { revision_id: revisionId }) };
    return (await this.api.ask<{ revision_id: string | null }>('POST', `/api/spells/${spellId}/rollback`, body)).revision_id;
  }

  async rollouts(spellId: string): Promise<Rollout[]> {
    return (await this.api.ask<{ rollouts: Rollout[] }>('GET', `/api/spells/${spellId}/rollouts`)).rollouts;
  }

  async collaborators(spellId: string): Promise<string[]> {
    return (await this.api.ask<{ usernames: string[] }>('GET', `/api/spells/${spellId}/collaborators`)).usernames;
  }

  async setCollaborators(spellId: string, usernames: string[]): Promise<string[]> {
    return (await this.api.ask<{ usernames: string[] }>('PUT', `/api/spells/${spellId}/collaborators`, { usernames })).usernames;
  }
}
