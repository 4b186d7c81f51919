/** What a player has set, kept for the next time. */

import { element } from './elements';
import { VIEW_M, type View } from './limits';

/** Where it is kept. */
const STORED = 'ugc-world-settings';
const VIEWS = Object.keys(VIEW_M) as View[];

export class Settings {
  /** 0 to 1. */
  volume = 0.6;
  isMuted = false;
  view: View = 'far';
  private readonly listeners: (() => void)[] = [];

  constructor() {
    const { volume, isMuted, view } = stored();
    if (typeof volume === 'number' && volume >= 0 && volume <= 1) this.volume = volume;
    if (typeof isMuted === 'boolean') this.isMuted = isMuted;
    this.view = VIEWS.find((one) => one === view) ?? this.view;
  }

  /** Told now, and after each change. */
  heed(listener: () => void): void {
    this.listeners.push(listener);
    listener();
  }

  set(change: Partial<Pick<Settings, 'volume' | 'isMuted' | 'view'>>): void {
    Object.assign(this, change);
    const { volume, isMuted, view } = this;
    localStorage.setItem(STORED, JSON.stringify({ volume, isMuted, view }));
    for (const listener of this.listeners) listener();
  }

  /** The controls for it; as many as there are places for them. */
  panel(): HTMLElement {
    const volume = element('input', { type: 'range', min: '0', max: '100', 'aria-label': 'volume' });
    const mute = element('input', { type: 'checkbox' });
    const view = element('select', { 'aria-label': 'how far one sees' }, ...VIEWS.map((name) => element('option', { value: name }, `${name}, ${VIEW_M[name]} m`)));
    volume.oninput = () => this.set({ volume: Number(volume.value) / 100 });
    mute.onchange = () => this.set({ isMuted: mute.checked });
    view.onchange = () => this.set({ view: VIEWS.find((name) => name === view.value) ?? 'far' });
    this.heed(() => {
      volume.value = String(Math.round(100 * this.volume));
      mute.checked = this.isMuted;
      view.value = this.view;
    });
    return element('fieldset', { class: 'settings' },
      element('span', {}, 'sound'), volume, element('label', {}, mute, 'mute', element('kbd', {}, 'M')),
      element('span', {}, 'view'), view,
    );
  }
}

function stored(): Record<string, unknown> {
  try {
    return (JSON.parse(localStorage.getItem(STORED) ?? '{}') ?? {}) as Record<string, unknown>;
  } catch {
    return {};
  }
}
