/** Tables whose rows come anew with every look at the server. */

import { element } from '../elements';

export type Cell = string | number | Node;

/** A section with a title and a table; without rows it says so. */
export class Table {
  readonly root: HTMLElement;
  private readonly body = element('tbody');
  private readonly none: HTMLElement;

  constructor(title: string, private readonly heads: string[], none: string) {
    const head = element('thead', {}, element('tr', {}, ...heads.map((name) => element('th', { scope: 'col' }, name))));
    this.none = element('p', { class: 'none' }, none);
    this.root = element('section', { class: 'panel' }, element('h2', {}, title), element('table', {}, head, this.body), this.none);
  }

  /** Leaves the rows alone while one of their buttons has the focus and would lose it. */
  show(rows: Cell[][]): void {
    if (this.body.contains(document.activeElement)) return;
    this.body.replaceChildren(...rows.map((cells) => element('tr', {}, ...cells.map((cell, column) => this.cell(cell, column)))));
    this.none.hidden = rows.length > 0;
  }

  private cell(cell: Cell, column: number): HTMLElement {
    const made = element('td', { 'data-head': this.heads[column] ?? '' }, typeof cell === 'number' ? cell.toLocaleString() : cell);
    if (typeof cell === 'number') made.className = 'number';
    return made;
  }
}

/** A small button in a row. */
export function action(name: string, act: () => void): HTMLButtonElement {
  const button = element('button', { type: 'button', class: 'small' }, name);
  button.onclick = () => {
    button.blur();
    act();
  };
  return button;
}

/** Several nodes as one cell. */
export function together(...nodes: (Node | string)[]): HTMLElement {
  return element('span', { class: 'together' }, ...nodes);
}

/** A share of the whole as a bar with its number. */
export function share(part: number, text: string): HTMLElement {
  const bar = element('span', { class: 'share' }, text);
  bar.style.setProperty('--share', `${(100 * Math.min(1, part)).toFixed(1)}%`);
  return bar;
}
