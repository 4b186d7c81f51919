/** A card for each cast: when it did what, its log, and why it was stopped. */

import { element } from '../elements';
import type { CastRecord, Casts, Report } from './casts';
import { CALL_FUEL_MAX, CARDS_EVERY_MS, CAST_MEMORY_BYTES_MAX, ENTRIES_SHOWN_MAX, MANA_MAX, TICKS_PER_SECOND } from './limits';
import { bars, type Figure } from './meters';
import { more, why } from './why';

/** A short cast is drawn on a line of this length, or its end would be its start. */
const LINE_SECONDS_MIN = 1;

/** Why a cast is over, in words. */
const ENDS: Record<string, string> = {
  finished: 'over by itself', duration: 'its time was up', caster_gone: 'its caster was gone', revision: 'another revision took over', fault: 'stopped',
  mana: 'there was no mana left', dispelled: 'dispelled',
};

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
  if (cast.report) made.append(...came(cast.report));
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

/** What it took, against what it may. */
function came({ reason, began_tick, server_tick, mana, memory_bytes, hooks }: Report): HTMLElement[] {
  const calls: Figure[] = hooks.map(({ hook, calls, fuel, fuel_max }) => ({
    name: `${hook} × ${calls}`, is: fuel_max, of: CALL_FUEL_MAX, unit: ' fuel', title: `the dearest call; ${fuel.toLocaleString('en')} fuel in all`,
  }));
  const others: Figure[] = [
    { name: 'mana', is: mana, of: MANA_MAX, unit: '', title: 'that its calls took, beside the price of the cast' },
    { name: 'memory', is: memory_bytes / 1024, of: CAST_MEMORY_BYTES_MAX / 1024, unit: ' KiB', title: 'the most that it held' },
  ];
  return [element('p', { class: 'ended' }, `${ENDS[reason] ?? reason} after ${seconds(server_tick - began_tick)}`), bars([...calls, ...others])];
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
