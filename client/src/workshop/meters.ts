/** What a revision costs against what it may: from its manifest, where the trial's casts were measured. */

import { element } from '../elements';
import type { Manifest } from './author';
import { CALL_FUEL_MAX, COMPONENT_BYTES_MAX, MANA_BACK_PER_SECOND, MANA_MAX } from './limits';

export interface Figure {
  name: string;
  is: number;
  of: number;
  unit: string;
  /** Where it comes from. */
  title: string;
}

const numbers = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });
/** A million has too many zeros for a small place. */
const short = (value: number): string => (value >= 1e6 ? `${numbers.format(value / 1e6)} M` : numbers.format(value));

export function figures({ cost, measured, component }: Manifest): Figure[] {
  const known: Figure[] = [{ name: 'mana a cast', is: cost.cast_mana, of: MANA_MAX, unit: '', title: 'follows from the envelope alone' }];
  if (measured) {
    known.push({ name: 'mana a second', is: measured.upkeep_mana_per_s, of: MANA_BACK_PER_SECOND, unit: '', title: 'the dearest of the trial’s casts, against what comes back' });
    known.push({ name: 'fuel a call', is: measured.call_fuel_max, of: CALL_FUEL_MAX, unit: '', title: 'the dearest call of the trial' });
  }
  known.push({ name: 'size', is: component.size / 1024, of: COMPONENT_BYTES_MAX / 1024, unit: ' KiB', title: 'of the component' });
  return known;
}

export function meters(manifest: Manifest): HTMLElement {
  return bars(figures(manifest));
}

/** Each with a bar, and in numbers. */
export function bars(figures: Figure[]): HTMLElement {
  return element('div', { class: 'meters' }, ...figures.map(({ name, is, of, unit, title }) => {
    const bar = element('meter', { min: '0', max: String(of), high: String(0.8 * of), optimum: '0', value: String(is) });
    return element('label', { title }, element('span', {}, name), bar, element('span', {}, `${short(is)} of ${short(of)}${unit}`));
  }));
}
