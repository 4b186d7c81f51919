/** What revisions declare: what they may do and cost, by whom they are, which files they bring. Each is asked for once, for a revision never changes. */

import { ApiError, type Api } from './api';
import { MANIFESTS_MAX } from './limits';

/** A file of a revision, with its SHA-256 in hex. */
export interface RevisionFile {
  path: string;
  hash: string;
  size: number;
}

/** As far as the game cares; docs/spells.md says what the figures bind. */
export interface Declared {
  author: string;
  metadata: { name: string };
  assets: RevisionFile[];
  cost: { cast_mana: number };
  envelope: {
    scope: { radius_m: number };
    duration: { mode: 'instant' | 'timed' | 'persistent'; seconds: number };
    capabilities: string[];
    school: string;
  };
}

export class Manifests {
  /** By spell and revision, the one asked for last at the end. */
  private readonly known = new Map<string, Promise<Declared | null>>();

  constructor(private readonly api: Api) {}

  /** Null for a revision that this player may not look into. */
  of(spellId: string, revisionId: string): Promise<Declared | null> {
    const key = `${spellId}/${revisionId}`;
    const manifest = this.known.get(key) ?? this.ask(key, spellId, revisionId);
    this.known.delete(key);
    this.known.set(key, manifest);
    for (const oldest of this.known.keys()) if (this.known.size > MANIFESTS_MAX) this.known.delete(oldest);
    return manifest;
  }

  private async ask(key: string, spellId: string, revisionId: string): Promise<Declared | null> {
    try {
      return (await this.api.ask<{ manifest: Declared }>('GET', `/api/spells/${spellId}/revisions/${revisionId}/manifest`)).manifest;
    } catch (error) {
      // A line that broke may hold the next time.
      if (!(error instanceof ApiError)) this.known.delete(key);
      return null;
    }
  }
}
