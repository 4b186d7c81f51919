/** The log of the spell in hand, as it comes. */

import type { Api } from '../api';
import type { LogEntry } from './author';
import { events } from './events';
import { FOLLOW_AGAIN_MS } from './limits';

export class Log {
  private spellId = '';
  private line = new AbortController();

  constructor(private readonly api: Api, private readonly heed: (entry: LogEntry) => void) {}

  /** From now on this spell's, which there must be. */
  follow(spellId: string): void {
    if (spellId === this.spellId) return;
    this.line.abort();
    this.line = new AbortController();
    this.spellId = spellId;
    void this.goOn(spellId, this.line.signal);
  }

  /** A stream that breaks off is taken up behind its last entry. */
  private async goOn(spellId: string, signal: AbortSignal): Promise<void> {
    let after: string | undefined;
    while (!signal.aborted) {
      try {
        for await (const { id, data } of events(this.api, `/api/spells/${spellId}/log/events`, { signal, ...(after && { after }) })) {
          after = id;
          this.heed(data as LogEntry);
        }
      } catch {
        // The server is gone, or we have given it up: the pause is for the first.
      }
      await new Promise((over) => setTimeout(over, FOLLOW_AGAIN_MS));
    }
  }
}
