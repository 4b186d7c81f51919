/** The workshop's door, all of it that the first visit loads: a button, the key E, and what the workshop hears once it is there. */

import './door.css';
import type { Api } from '../api';
import { byId, element } from '../elements';
import type { Other } from '../interpolation';
import type { ServerMessage } from '../protocol';
import type { Vec3 } from '../vec';
import type { Workshop } from './workshop';

/** What the workshop asks of the game. */
export interface Game {
  readonly api: Api;
  /** The player's entity; 0 outside of a world. */
  me(): number;
  others(): Other[];
  /** Casts at somebody or something, and looks there; without a target where the player looks. */
  cast(spellId: string, target: { at: Vec3; entity: number } | null): void;
}

export class Door {
  /** The revision that new casts of this player run, by spell. */
  readonly active = new Map<string, string>();
  /** The newest cast by anybody that was told of, by spell. */
  readonly seen = new Map<string, { tick: number; revisionId: string }>();
  private workshop: Workshop | null = null;
  /** An own spell that a link leads to: it is opened once, with the first connection. */
  private wanted = new URLSearchParams(location.search).get('workshop');
  private readonly button = element('button', { type: 'button', class: 'workshop-door', title: 'Edit spells (E)' }, element('kbd', {}, 'E'), ' Workshop');

  constructor(private readonly game: Game) {
    this.button.onclick = () => void this.toggle();
    byId('hud').append(this.button);
    addEventListener('keydown', (event) => {
      if (event.target instanceof HTMLInputElement || this.game.me() === 0) return;
      if (event.code === 'KeyE' && !event.ctrlKey && !event.metaKey && !event.repeat) {
        // Or the editor, which is focused by then, gets a letter.
        event.preventDefault();
        void this.toggle();
      } else {
        this.workshop?.key(event);
      }
    });
  }

  /** A new connection: the server tells anew what runs. */
  begin(): void {
    this.active.clear();
    if (this.wanted !== null) void this.toggle();
  }

  heed(message: ServerMessage): void {
    if (message.type === 122 && message.revision_id) this.active.set(message.spell_id, message.revision_id);
    else if (message.type === 122) this.active.delete(message.spell_id);
    if (message.type === 112) this.seen.set(message.spell_id, { tick: message.server_tick, revisionId: message.revision_id });
    this.workshop?.heed(message);
  }

  /** What is on the screen now. */
  shown(message: ServerMessage): void {
    this.workshop?.shown(message);
  }

  private async toggle(): Promise<void> {
    if (!this.workshop) {
      const { Workshop } = await import('./workshop');
      this.workshop ??= new Workshop(this.game, this.active, this.wanted);
      this.wanted = null;
    }
    this.workshop.toggle();
  }
}
