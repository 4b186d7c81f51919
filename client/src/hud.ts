/** What lies over the picture: health, spells, who is here, what happened. */

import { byId, element } from './elements';
import { FEED_LINE_MS, FEED_LINES_MAX, HEALTH_MAX } from './limits';
import { SpellBar } from './spellbar';
import { Vitals } from './vitals';

export type Tone = 'plain' | 'good' | 'bad';

/** How long the cross shows that it hit. */
const HIT_MS = 180;

export class Hud {
  readonly spells: SpellBar;
  readonly vitals = new Vitals();
  private readonly root = byId('hud');
  private readonly state = element('span', { class: 'state' });
  private readonly here = element('ul', { class: 'here', 'aria-label': 'who is here' });
  private readonly feed = element('div', { class: 'feed', 'aria-live': 'polite' });
  private readonly health = element('i');
  private readonly healthText = element('span');
  private readonly cross = element('div', { class: 'cross' });
  private readonly hurt = element('div', { class: 'hurt' });

  constructor(cast: (spellId: string) => void) {
    this.spells = new SpellBar(cast);
    const keys = element('p', { class: 'keys' });
    for (const [key, use] of [['WASD', 'walk'], ['space', 'jump'], ['shift', 'run'], ['click', 'fire'], ['right click', 'dig'], ['R', 'build'], ['1–9', 'cast'], ['enter', 'say'], ['tab', 'figures']]) {
      keys.append(element('kbd', {}, key ?? ''), ` ${use} `);
    }
    const life = element('div', { class: 'life panel' }, this.healthText, element('div', { class: 'bar' }, this.health), this.vitals.root);
    const corner = element('div', { class: 'corner panel' }, this.state, this.here);
    this.root.append(this.hurt, this.cross, corner, this.feed, keys, life, this.spells.root);
  }

  open(): void {
    this.root.hidden = false;
  }

  begin(): void {
    this.spells.begin();
    this.vitals.begin();
  }

  /** How it goes with the connection, in a word or two. */
  connection(text: string, good: boolean): void {
    if (this.state.textContent === text) return;
    this.state.textContent = text;
    this.state.dataset['good'] = String(good);
  }

  who(players: Map<number, string>, me: number): void {
    const items = [...players].map(([id, name]) => element('li', id === me ? { class: 'me' } : {}, name));
    this.here.replaceChildren(...items);
  }

  say(text: string, tone: Tone = 'plain'): void {
    const line = element('p', { class: tone }, text);
    this.feed.append(line);
    while (this.feed.children.length > FEED_LINES_MAX) this.feed.firstChild?.remove();
    setTimeout(() => line.remove(), FEED_LINE_MS);
  }

  /** The player's own health. */
  life(health: number): void {
    const share = Math.max(0, Math.min(1, health / HEALTH_MAX));
    this.healthText.textContent = `${Math.round(health)} / ${HEALTH_MAX}`;
    this.health.style.width = `${100 * share}%`;
    this.health.dataset['low'] = String(share < 0.35);
  }

  /** The player has hit somebody. */
  hit(): void {
    flash(this.cross, HIT_MS);
  }

  /** The player was hit. */
  wasHit(): void {
    flash(this.hurt, HIT_MS);
  }
}

function flash(mark: HTMLElement, ms: number): void {
  mark.dataset['on'] = 'true';
  setTimeout(() => delete mark.dataset['on'], ms);
}
