/** The player's mana, and what it bears, counted on between two tellings of the server (124). */

import { element } from './elements';
import { TICK_MS } from './limits';
import type { ServerMessage, Status } from './protocol';

type Told = Extract<ServerMessage, { type: 124 }>;

/** How each kind is named, and what its strength says. */
const WORDS: Record<Status['kind'], (strength: number) => string> = {
  slow: (strength) => `slow, ${Math.round(100 * strength)} %`,
  root: () => 'rooted',
  shield: (strength) => `shield ${Math.round(strength)}`,
  burn: (strength) => `burning ${Math.round(strength)}/s`,
};

export class Vitals {
  readonly root = element('div', { class: 'vitals' });
  private readonly text = element('span');
  private readonly bar = element('i');
  private readonly gauge = element('div', { class: 'mana' }, this.text, element('div', { class: 'bar' }, this.bar));
  private readonly badges = element('div', { class: 'statuses' });
  private told: Told | null = null;
  private shown = '';

  constructor() {
    this.root.append(this.gauge, this.badges);
    this.draw(0);
  }

  begin(): void {
    this.told = null;
  }

  heed(message: Told): void {
    this.told = message;
  }

  /** What there is at this tick of the server; null before anything was told, and where casting costs nothing. */
  mana(tick: number): number | null {
    const { told } = this;
    if (!told || told.mana_max === 0) return null;
    const passed = Math.max(0, tick - told.server_tick) * (TICK_MS / 1000);
    return Math.min(told.mana_max, told.mana + passed * told.mana_per_second);
  }

  /** What it bears at this tick. */
  statuses(tick: number): Status[] {
    return this.told?.statuses.filter(({ until }) => until > tick) ?? [];
  }

  draw(tick: number): void {
    const mana = this.mana(tick);
    const max = this.told?.mana_max ?? 0;
    const badges = this.statuses(tick).map(({ kind, strength, until }) => {
      const seconds = Math.ceil(((until - tick) * TICK_MS) / 1000);
      return { kind, text: `${WORDS[kind](strength)}, ${seconds} s` };
    });
    const shown = JSON.stringify([mana === null ? null : mana.toFixed(1), badges]);
    if (shown === this.shown) return;
    this.shown = shown;
    this.gauge.hidden = mana === null;
    if (mana !== null) {
      this.text.textContent = mana < 0 ? `${Math.round(-mana)} mana owed` : `${Math.floor(mana)} / ${max} mana`;
      this.bar.style.width = `${100 * Math.max(0, mana / max)}%`;
    }
    this.badges.replaceChildren(...badges.map(({ kind, text }) => element('span', { 'data-kind': kind }, text)));
  }
}
