/** A card for each cast: when it did what, its log, and why it was stopped. */

import { element } from '../elements';
import type { CastRecord, Casts } from './casts';
import { CARDS_EVERY_MS, ENTRIES_SHOWN_MAX, TICKS_PER_SECOND } from './limits';
import { more, why } from './why';

/** A short cast is drawn on a line of this length, or its end would be its start. */
const LINE_SECONDS_MIN = 1;

export class Cards {
  readonly root = element('div', { class: 'cards', 'aria-live': 'polite' });
  private drawn = -1;

  constructor(private readonly casts: Casts) {
    setInterval(() => this.draw(), CARDS_EVERY_MS);
    this.draw();
  }

  private draw(): void {
    if (this.drawn === this.casts.version) return;
    this.drawn = this.casts.version;
    const cards = this.casts.records.map(card);
    const hint = element('p', { class: 'hint' }, 'Nothing was cast yet. ', element('kbd', {}, 'Ctrl'), ' ', element('kbd', {}, 'Enter'), ' builds the spell and casts it at the practice dummy, or where you look.');
    this.root.replaceChildren(...(cards.length > 0 ? cards : [hint]));
  }
}

function card(cast: CastRecord): HTMLElement {
  const { revisionId, stopped, entries, leftOut } = cast;
  const title = revisionId === '' ? 'not cast' : stopped ? 'stopped' : 'cast';
  const heading = element('h3', {}, title, ' ', element('small', {}, revisionId), element('small', { class: 'times' }, times(cast)));
  const made = element('article', { class: stopped ? 'card stopped' : 'card' }, heading);
  if (stopped) made.append(reason(cast));
  if (entries.length > 0) made.append(timeline(cast), list(cast));
  const more = leftOut + Math.max(0, entries.length - ENTRIES_SHOWN_MAX);
  if (more > 0) made.append(element('small', {}, `and ${more} more`));
  return made;
}

/** From Ctrl+Enter. */
function times({ beganAfterMs, seenAfterMs }: CastRecord): string {
  if (beganAfterMs === null) return '';
  const began = `cast after ${Math.round(beganAfterMs)} ms`;
  return seenAfterMs === null ? began : `${began}, on screen after ${Math.round(seenAfterMs)} ms`;
}

function reason({ stopped }: CastRecord): HTMLElement {
  if (!stopped) return element('p');
  const { says, help } = why(stopped);
  const told = element('div', { class: 'why' }, element('p', {}, element('strong', {}, says), ` ${help} `, ...more(stopped.limit)));
  if (stopped.message !== says) told.append(element('small', {}, `${stopped.limit}: ${stopped.message}`));
  return told;
}

function timeline({ tick, entries }: CastRecord): HTMLElement {
  const last = entries.at(-1)?.tick ?? tick;
  const ticks = Math.max(last - tick, LINE_SECONDS_MIN * TICKS_PER_SECOND);
  const dots = entries.map((entry) => {
    const dot = element('i', { 'data-kind': entry.kind, title: `${seconds(entry.tick - tick)} ${entry.text}` });
    dot.style.left = `${(100 * Math.max(0, entry.tick - tick)) / ticks}%`;
    return dot;
  });
  return element('div', { class: 'timeline', 'aria-hidden': 'true' }, ...dots);
}

function list({ tick, entries }: CastRecord): HTMLElement {
  const items = entries.slice(0, ENTRIES_SHOWN_MAX).map((entry) => element('li', { 'data-kind': entry.kind }, element('time', {}, seconds(entry.tick - tick)), entry.text));
  return element('ul', { class: 'entries' }, ...items);
}

function seconds(ticks: number): string {
  return `${(Math.max(0, ticks) / TICKS_PER_SECOND).toFixed(2)} s`;
}
