/** What a revision's casts came to in all worlds, and who runs it now. */

import { element } from '../elements';
import type { Manifest, RevisionUsage } from '../workshop/author';
import { CALL_FUEL_MAX } from '../workshop/limits';
import { bars, type Figure } from '../workshop/meters';

export class UsagePanel {
  readonly root = element('div', { class: 'usage' });

  show(usage: RevisionUsage | undefined, manifest: Manifest, recentSeconds: number): void {
    const minutes = Math.round(recentSeconds / 60);
    this.root.replaceChildren(...(usage && usage.casts > 0 ? [bars(figures(usage, manifest)), element('p', {}, ended(usage))] : [element('p', {}, 'No cast of it has ended in any world yet.')]));
    const runs = usage ? worlds(usage) : [];
    if (runs.length > 0) this.root.append(element('ul', { 'aria-label': 'who runs it' }, ...runs));
    this.root.append(element('p', { class: 'who' }, usage && runs.length > 0
      ? `${count(usage.live_casts, 'cast is', 'casts are')} live; ${count(usage.players, 'player has', 'players have')} cast it in the last ${minutes} minutes.`
      : `No world has run it in the last ${minutes} minutes.`));
  }
}

/** Stopped casts, as it is shown in a table. */
export function faultRate({ casts, faults }: RevisionUsage): string {
  return casts > 0 ? `${percent(faults / casts)} stopped` : '';
}

function figures({ casts, faults, fuel_p50, fuel_p99 }: RevisionUsage, manifest: Manifest): Figure[] {
  const most = CALL_FUEL_MAX * callsMax(manifest);
  const title = `against ${CALL_FUEL_MAX.toLocaleString('en')} a call, as often as the envelope lets the server call a cast; worlds count it to a sixteenth`;
  return [
    { name: 'fuel, p50', is: fuel_p50 ?? 0, of: most, unit: '', title: `half of the casts took no more, ${title}` },
    { name: 'fuel, p99', is: fuel_p99 ?? 0, of: most, unit: '', title: `of a hundred casts, ninety-nine took no more, ${title}` },
    { name: 'stopped', is: (100 * faults) / casts, of: 100, unit: ' %', title: 'casts that the server had to stop' },
  ];
}

/** How often a cast can be called: once, and as often as its envelope says for as long as it says. */
function callsMax({ envelope: { duration, frequency } }: Manifest): number {
  const seconds = Math.max(duration?.seconds ?? 0, duration?.max_seconds ?? 0);
  return 1 + Math.ceil(seconds * (frequency?.max_hz ?? 0));
}

function ended({ casts, faults }: RevisionUsage): string {
  return `${count(casts, 'cast has', 'casts have')} ended; ${faults === 0 ? 'none' : faults.toLocaleString('en')} of them ${faults === 1 ? 'was' : 'were'} stopped (${percent(faults / casts)}).`;
}

function worlds({ worlds: named, other_worlds }: RevisionUsage): HTMLElement[] {
  const items = named.map(({ world_id, name, live_casts }) =>
    element('li', {}, element('a', { href: `/?world=${world_id}` }, name || world_id), element('small', {}, live_casts > 0 ? `${live_casts} live` : 'of late')));
  return other_worlds > 0 ? [...items, element('li', {}, count(other_worlds, 'world that is not public', 'worlds that are not public'))] : items;
}

function percent(part: number): string {
  return `${(100 * part).toFixed(part > 0 && part < 0.1 ? 1 : 0)} %`;
}

function count(number: number, one: string, many: string): string {
  return `${number.toLocaleString('en')} ${number === 1 ? one : many}`;
}
