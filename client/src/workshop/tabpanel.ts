/** A few panels in one place, one of them shown. */

import { element } from '../elements';

export interface Panel {
  title: string;
  root: HTMLElement;
  /** Told each time that it is shown. */
  opened?: () => void;
}

export class TabPanel<Name extends string> {
  readonly root = element('section', { class: 'tabpanel' });
  shown: Name;
  private readonly tabs = new Map<Name, HTMLButtonElement>();
  private readonly names: Name[];

  constructor(private readonly panels: Record<Name, Panel>) {
    this.names = Object.keys(panels) as Name[];
    const bar = element('div', { class: 'tabs', role: 'tablist' });
    for (const name of this.names) {
      const tab = element('button', { type: 'button', role: 'tab', 'aria-controls': `workshop-${name}` }, panels[name].title);
      tab.onclick = () => this.show(name);
      this.tabs.set(name, tab);
      bar.append(tab);
    }
    const bodies = this.names.map((name) => {
      const { root } = panels[name];
      root.id = `workshop-${name}`;
      root.setAttribute('role', 'tabpanel');
      return root;
    });
    this.root.append(bar, element('div', { class: 'body' }, ...bodies));
    this.shown = this.names[0] as Name;
    this.show(this.shown);
  }

  show(name: Name): void {
    this.shown = name;
    this.root.dataset['shown'] = name;
    for (const one of this.names) {
      this.panels[one].root.hidden = one !== name;
      this.tabs.get(one)?.setAttribute('aria-selected', String(one === name));
    }
    this.panels[name].opened?.();
  }

  /** Behind the title, for how many there are. */
  count(name: Name, count: number): void {
    const tab = this.tabs.get(name);
    if (tab) tab.textContent = count > 0 ? `${this.panels[name].title} ${count}` : this.panels[name].title;
  }
}
