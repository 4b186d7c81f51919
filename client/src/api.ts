/** The control plane over HTTP: who plays, where, and which spells there are. */

export interface Account {
  username: string;
  account_key: string;
  client_id: string;
  session_token: string;
}

export interface World {
  world_id: string;
  name: string;
  description: string;
  player_count: number;
  online: boolean;
}

/** A game server, and a ticket for it that is good for 30 s and once. */
export interface Place {
  server_address: string;
  session_token: string;
  client_id: string;
  world_id: string;
}

export interface SpellEntry {
  spell_id: string;
  display_name: string;
}

/** Why a request was refused, in words. */
export class ApiError extends Error {
  /** `code` is stable, and has a page at /problems/<code>. */
  constructor(readonly status: number, message: string, readonly code = '') {
    super(message);
  }
}

/** Where the account's key is kept, so that who comes back is who they were. */
const STORED = 'ugc-world-player';

/** Talks to the control plane as one player. */
export class Api {
  account: Account | null = null;

  /** The name of last time, or a new one. */
  knownName(): string {
    return stored()?.username ?? `guest-${Math.random().toString(36).slice(2, 6)}`;
  }

  async login(username: string): Promise<Account> {
    const known = stored();
    const account_key = known?.username === username ? known.account_key : undefined;
    this.account = null;
    const account = await this.ask<Account>('POST', '/login', { username, account_key });
    localStorage.setItem(STORED, JSON.stringify({ username: account.username, account_key: account.account_key }));
    this.account = account;
    return account;
  }

  /** A ticket for a world; for a new one of this name without an id. */
  async join(world: { world_id: string } | { name: string; generation: string }): Promise<Place> {
    return this.ask('POST', '/join', world);
  }

  async worlds(): Promise<World[]> {
    return (await this.ask<{ worlds: World[] }>('GET', '/worlds')).worlds;
  }

  async spells(): Promise<SpellEntry[]> {
    return (await this.ask<{ spells: SpellEntry[] }>('GET', '/api/spells')).spells;
  }

  async ask<T>(method: string, path: string, body?: object): Promise<T> {
    return (await this.reach(method, path, body)).json() as Promise<T>;
  }

  /** The answer as it comes. Throws what is refused. */
  async reach(method: string, path: string, body?: object, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    headers.set('Content-Type', 'application/json');
    if (this.account) headers.set('Authorization', `Bearer ${this.account.session_token}`);
    const reply = await fetch(path, { ...init, method, headers, ...(body && { body: JSON.stringify(body) }) });
    if (reply.ok) return reply;
    const { detail, title, code } = (await reply.json().catch(() => ({}))) as { detail?: string; title?: string; code?: string };
    throw new ApiError(reply.status, detail ?? title ?? `the server says ${reply.status}`, code);
  }
}

function stored(): { username: string; account_key: string } | null {
  return JSON.parse(localStorage.getItem(STORED) ?? 'null');
}
