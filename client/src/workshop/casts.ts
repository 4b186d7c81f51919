/** What each cast of the spell in hand did, by the server's own messages and by the spell's log. */

import type { ServerMessage } from '../protocol';
import type { LogEntry } from './author';
import { CARDS_MAX, ENTRIES_MAX } from './limits';
import type { Stop } from './why';

export interface Entry {
  tick: number;
  kind: 'effect' | 'text' | 'hit' | 'log' | 'problem';
  text: string;
}

/** What the server says of a cast that is over. */
export type Report = Extract<ServerMessage, { type: 126 }>;

export interface CastRecord {
  spellId: string;
  revisionId: string;
  /** When the server began it. */
  tick: number;
  /** Oldest first. */
  entries: Entry[];
  /** How many more there were. */
  leftOut: number;
  stopped: Stop | null;
  /** What it came to; null until it is over. */
  report: Report | null;
  /** Of the key that built and cast it; null for those that were cast otherwise. */
  pressedMs: number | null;
  /** From that key until the server began the cast, and until its first effect was on the screen. */
  beganAfterMs: number | null;
  seenAfterMs: number | null;
}

/** The newest casts. */
export class Casts {
  /** Newest first. */
  readonly records: CastRecord[] = [];
  /** Rises with each change. */
  version = 0;
  /** By the number that the server's log has for it. */
  private readonly byNumber = new Map<number, CastRecord>();
  /** By projectile. */
  private readonly shots = new Map<number, CastRecord>();
  private expectedMs: number | null = null;

  /** The next cast is of a build that was asked for at this time. */
  expect(pressedMs: number): void {
    this.expectedMs = pressedMs;
  }

  /** Another spell is in hand. */
  clear(): void {
    this.forget(0);
  }

  /** Only casts of the player's own have a record, and only of this spell. */
  heed(message: ServerMessage, me: number, spellId: string, nameOf: (entity: number) => string): void {
    switch (message.type) {
      case 112:
        if (message.caster_entity_id === me && message.spell_id === spellId) this.begin(message.spell_id, message.revision_id, message.server_tick);
        return;
      case 120:
        if (message.caster_entity_id === me) this.note(this.newest(message.spell_id), message.server_tick, 'effect', cue(message.name, message.scale));
        return;
      case 123:
        if (message.caster_entity_id === me) this.note(this.newest(message.spell_id), message.server_tick, 'text', `says “${message.text}”`);
        return;
      case 102: {
        // The wire does not say whose cast a shot is of: in the tick of a cast, it is the cast's.
        const cast = this.records.find(({ tick }) => tick === message.server_tick);
        if (message.properties.owner === me && cast) this.shots.set(message.entity_id, cast);
        return;
      }
      case 104: {
        const cast = this.shots.get(message.projectile_id);
        const whom = message.hit_entity_id === 0 ? 'the ground' : nameOf(message.hit_entity_id);
        this.note(cast, message.server_tick, 'hit', `hits ${whom}${message.damage > 0 ? `, ${Math.round(message.damage)} damage` : ''}`);
        return;
      }
      case 121: {
        if (message.spell_id !== spellId) return;
        const cast = message.hook ? this.newest(spellId) : this.begin(spellId, '', message.server_tick);
        const { limit, allowed, asked, hook, message: words } = message;
        if (cast) cast.stopped = { limit, allowed, asked, hook, message: words };
        this.version += 1;
        return;
      }
      case 126: {
        const cast = this.records.find((one) => one.spellId === message.spell_id && one.tick === message.began_tick);
        if (cast) cast.report = message;
        this.version += 1;
      }
    }
  }

  /** Something is on the screen. */
  shown(message: ServerMessage, me: number): void {
    const cast = message.type === 120 && message.caster_entity_id === me ? this.newest(message.spell_id)
      : message.type === 104 ? this.shots.get(message.projectile_id) : undefined;
    if (!cast || cast.pressedMs === null || cast.seenAfterMs !== null) return;
    cast.seenAfterMs = performance.now() - cast.pressedMs;
    this.version += 1;
  }

  /** The log names a cast by a number, which its first line ties to the newest cast that had begun by then. */
  logged(entry: LogEntry, me: number): void {
    if (entry.caster !== me || entry.tick === undefined || entry.cast === undefined) return;
    const tick = entry.tick;
    const cast = this.byNumber.get(entry.cast) ?? this.records.find((one) => one.revisionId === entry.revision_id && one.tick <= tick);
    if (!cast) return;
    this.byNumber.set(entry.cast, cast);
    if (entry.report === 'line') this.note(cast, tick, entry.level === 'info' || entry.level === 'debug' ? 'log' : 'problem', entry.text ?? '');
    if (entry.report === 'not_migrated') this.note(cast, tick, 'problem', `goes on as it was: ${entry.message}`);
  }

  private begin(spellId: string, revisionId: string, tick: number): CastRecord {
    const pressedMs = this.expectedMs;
    this.expectedMs = null;
    const beganAfterMs = pressedMs === null ? null : performance.now() - pressedMs;
    const record: CastRecord = { spellId, revisionId, tick, entries: [], leftOut: 0, stopped: null, report: null, pressedMs, beganAfterMs, seenAfterMs: null };
    this.records.unshift(record);
    this.forget(CARDS_MAX);
    return record;
  }

  /** All but the newest so many, and what leads to them. */
  private forget(kept: number): void {
    const forgotten = new Set(this.records.splice(kept));
    for (const map of [this.byNumber, this.shots]) {
      for (const [number, record] of map) if (forgotten.has(record)) map.delete(number);
    }
    this.version += 1;
  }

  private newest(spellId: string): CastRecord | undefined {
    return this.records.find((record) => record.spellId === spellId && record.revisionId !== '');
  }

  private note(cast: CastRecord | undefined, tick: number, kind: Entry['kind'], text: string): void {
    if (!cast) return;
    if (cast.entries.length < ENTRIES_MAX) {
      cast.entries.push({ tick, kind, text });
      // The log comes later than the wire.
      cast.entries.sort((a, b) => a.tick - b.tick);
    } else {
      cast.leftOut += 1;
    }
    this.version += 1;
  }
}

function cue(name: string, scale: number): string {
  return scale === 1 ? name : `${name} × ${scale.toFixed(1)}`;
}
