/** Which spells this player can cast, each under a number, and when again. */

import { CAST_COOLDOWN_MS, SPELL_SLOTS } from './limits';
import { element } from './elements';
import type { SpellEntry } from './api';

interface Slot {
  spellId: string;
  revisionId: string;
  button: HTMLButtonElement;
  readyMs: number;
}

export class SpellBar {
  readonly root = element('div', { class: 'spells', role: 'toolbar', 'aria-label': 'spells' });
  private readonly slots: Slot[] = [];
  private readonly names = new Map<string, string>();

  constructor(private readonly cast: (spellId: string) => void) {
    this.hint();
  }

  /** The names that people gave them. */
  name(entries: SpellEntry[]): void {
    for (const { spell_id, display_name } of entries) this.names.set(spell_id, display_name);
    for (const slot of this.slots) this.label(slot);
  }

  /** Whether its name is known. */
  knows(spellId: string): boolean {
    return this.names.has(spellId);
  }

  begin(): void {
    this.slots.length = 0;
    this.hint();
  }

  /** New casts of the spell run this revision; without one it cannot be cast. A spell keeps its number. */
  update(spellId: string, revisionId: string | null): void {
    const known = this.slots.find((slot) => slot.spellId === spellId);
    if (known && revisionId) {
      known.revisionId = revisionId;
      this.label(known);
    } else if (known) {
      this.slots.splice(this.slots.indexOf(known), 1);
    } else if (revisionId && this.slots.length < SPELL_SLOTS) {
      const button = element('button', { type: 'button', tabindex: '-1' });
      button.onclick = () => this.cast(spellId);
      this.slots.push({ spellId, revisionId, button, readyMs: 0 });
    }
    this.slots.forEach((slot) => this.label(slot));
    this.root.replaceChildren(...this.slots.map((slot) => slot.button));
    if (this.slots.length === 0) this.hint();
  }

  spell(slot: number): string | undefined {
    return this.slots[slot]?.spellId;
  }

  /** Marks the spell that a gamepad casts next. */
  choose(slot: number): void {
    this.slots.forEach(({ button }, index) => button.toggleAttribute('data-chosen', index === slot));
  }

  get spells(): string[] {
    return this.slots.map((slot) => slot.spellId);
  }

  /** A cast began: it cannot be cast again for so long. */
  cool(spellId: string, ms = CAST_COOLDOWN_MS): void {
    const slot = this.slots.find((one) => one.spellId === spellId);
    if (slot) slot.readyMs = performance.now() + ms;
  }

  draw(): void {
    const now = performance.now();
    for (const { button, readyMs } of this.slots) {
      const left = Math.max(0, Math.min(1, (readyMs - now) / CAST_COOLDOWN_MS));
      button.style.setProperty('--cooling', `${Math.round(100 * left)}%`);
    }
  }

  private label({ spellId, revisionId, button }: Slot): void {
    const number = element('kbd', {}, String(this.slots.findIndex((slot) => slot.spellId === spellId) + 1));
    const note = element('small', {}, revisionId.slice(0, 10));
    button.title = `${spellId} ${revisionId}`;
    button.replaceChildren(number, element('span', {}, this.names.get(spellId) ?? spellId), note);
  }

  private hint(): void {
    this.root.replaceChildren(element('p', {}, 'No spells run in this world yet.'));
  }
}
