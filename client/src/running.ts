/** The player's own casts: which run, and what the last one of each spell came to (112, 126). */

import { LIVE_CASTS_MAX } from './limits';
import type { ServerMessage } from './protocol';

interface Running {
  /** Casts that are over. */
  ended: number;
  revisionId: string;
  /** By the tick in which it began: casts that are not over. */
  live: Set<number>;
  /** Of the cast that ended last; null before one has. */
  fuel: number | null;
}

export class RunningCasts {
  /** By spell. */
  private readonly spells = new Map<string, Running>();

  begin(): void {
    this.spells.clear();
  }

  heed(message: ServerMessage, me: number): void {
    if (message.type === 112 && message.caster_entity_id === me) {
      const known = this.spells.get(message.spell_id) ?? { revisionId: '', live: new Set(), ended: 0, fuel: null };
      known.revisionId = message.revision_id;
      known.live.add(message.server_tick);
      // One that ends before its first call has no report; no more than these live at once.
      const oldest = known.live.values().next();
      if (known.live.size > LIVE_CASTS_MAX && !oldest.done) known.live.delete(oldest.value);
      // The newest last.
      this.spells.delete(message.spell_id);
      this.spells.set(message.spell_id, known);
    } else if (message.type === 126) {
      const known = this.spells.get(message.spell_id);
      if (!known) return;
      known.live.delete(message.began_tick);
      known.ended += 1;
      known.fuel = message.hooks.reduce((sum, { fuel }) => sum + fuel, 0);
    }
  }

  /** By spell, how many casts are over. */
  get ended(): Record<string, number> {
    return Object.fromEntries([...this.spells].map(([spell, { ended }]) => [spell, ended]));
  }

  /** The newest so many, the newest first: spell, and what there is to say of it. */
  lines(most: number): [string, string][] {
    return [...this.spells].reverse().slice(0, most).map(([spell, { revisionId, live, fuel }]) => {
      const took = fuel === null ? '' : `, ${short.format(fuel)} fuel`;
      return [spell, `${revisionId.slice(0, 10)}, ${live.size} run${took}`];
    });
  }
}

const short = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });
