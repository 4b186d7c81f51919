/** What operators ask of the control plane. */

import { ApiError } from '../api';

export interface Health {
  tick: number;
  tick_p50_us: number;
  tick_p99_us: number;
  tick_max_us: number;
  late_ticks: number;
  skipped_ticks: number;
  entities: number;
  casts: number;
  casts_begun: number;
  faults: number;
  fuel: number;
  snapshot_bytes: number;
}

export interface GameServer {
  world_id: string;
  address: string;
  alive: boolean;
  phase: string;
  players: number;
  health: Health;
}

export interface Session {
  client_id: string;
  username: string;
  expires_at: string;
  world_id: string | null;
}

export interface Ban {
  client_id: string;
  username: string;
  until: string;
  reason: string;
}

export interface Stop {
  spell_id: string;
  revision_id: string;
  limit: string;
  count: number;
}

export interface Quarantine {
  spell_id: string;
  revision_id: string;
  reason: string;
  since: string;
}

/** What a world's server reported of a cast or a revision. */
export interface WorldReport {
  at: string;
  report: 'line' | 'fault' | 'not_migrated' | 'quarantined' | 'refused';
  spell_id: string;
  revision_id: string;
  tick?: number;
  level?: string;
  text?: string;
  hook?: string;
  limit?: string;
  to?: string;
  message?: string;
}

/** What a world's server said last, the newest first. */
export interface WorldLog {
  reports: WorldReport[];
  lines: { at: string; text: string }[];
}

export interface Act {
  entry: number;
  action: string;
  detail: Record<string, unknown>;
  done_at: string;
}

/** Talks to the control plane with the admin token. */
export class Operator {
  constructor(private readonly token: string) {}

  async servers(): Promise<GameServer[]> {
    return (await this.ask<{ servers: GameServer[] }>('GET', '/admin/servers')).servers;
  }

  async metrics(world: string): Promise<string> {
    return (await this.reply('GET', `/admin/servers/${world}/metrics`)).text();
  }

  async sessions(): Promise<Session[]> {
    return (await this.ask<{ sessions: Session[] }>('GET', '/admin/sessions')).sessions;
  }

  async bans(): Promise<Ban[]> {
    return (await this.ask<{ bans: Ban[] }>('GET', '/admin/bans')).bans;
  }

  async stops(): Promise<Stop[]> {
    return (await this.ask<{ stops: Stop[] }>('GET', '/admin/stops')).stops;
  }

  async quarantines(world: string): Promise<Quarantine[]> {
    return (await this.ask<{ quarantined: Quarantine[] }>('GET', `/admin/worlds/${world}/quarantine`)).quarantined;
  }

  async audit(): Promise<Act[]> {
    return (await this.ask<{ entries: Act[] }>('GET', '/admin/audit')).entries;
  }

  log(world: string): Promise<WorldLog> {
    return this.ask('GET', `/admin/servers/${world}/log`);
  }

  /** Answers when it is on the disk. */
  async save(world: string): Promise<void> {
    await this.ask('POST', `/admin/servers/${world}/save`);
  }

  async rollBack(spell: string, channel: string): Promise<void> {
    await this.ask('POST', `/admin/spells/${spell}/rollback`, { channel });
  }

  async stop(world: string): Promise<void> {
    await this.ask('DELETE', `/admin/servers/${world}`);
  }

  async quarantine(world: string, spell: string, revision: string): Promise<void> {
    await this.ask('PUT', `/admin/worlds/${world}/quarantine/${spell}/${revision}`);
  }

  async lift(world: string, spell: string, revision: string): Promise<void> {
    await this.ask('DELETE', `/admin/worlds/${world}/quarantine/${spell}/${revision}`);
  }

  async revoke(spell: string, revision: string, reason: string): Promise<void> {
    await this.ask('POST', `/admin/spells/${spell}/revisions/${revision}/revoke`, { reason });
  }

  async kick(client: string): Promise<void> {
    await this.ask('DELETE', `/admin/sessions/${client}`);
  }

  async ban(client: string, reason: string, hours: number): Promise<void> {
    await this.ask('PUT', `/admin/players/${client}/ban`, { reason, hours });
  }

  async unban(client: string): Promise<void> {
    await this.ask('DELETE', `/admin/players/${client}/ban`);
  }

  async throttle(client: string, requestsPerMinute: number): Promise<void> {
    await this.ask('PUT', `/admin/players/${client}/throttle`, { requests_per_minute: requestsPerMinute });
  }

  private async ask<T>(method: string, path: string, body?: object): Promise<T> {
    return (await (await this.reply(method, path, body)).json()) as T;
  }

  private async reply(method: string, path: string, body?: object): Promise<Response> {
    const headers = { Authorization: `Bearer ${this.token}`, 'Content-Type': 'application/json' };
    const reply = await fetch(path, { method, headers, ...(body && { body: JSON.stringify(body) }) });
    if (reply.ok) return reply;
    const problem = (await reply.json().catch(() => ({}))) as { detail?: string; title?: string };
    throw new ApiError(reply.status, problem.detail ?? problem.title ?? `the server says ${reply.status}`);
  }
}
