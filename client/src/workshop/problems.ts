/** What the compiler and the trial found, as a list: a click or Enter goes to the place. */

import { element } from '../elements';
import type { Diagnostic } from './author';
import { more, why } from './why';

export class Problems {
  readonly root = element('div', { class: 'problems' });

  constructor(private readonly jump: (diagnostic: Diagnostic) => void) {
    this.show([]);
  }

  show(diagnostics: Diagnostic[]): void {
    const items = diagnostics.map((diagnostic) => element('li', { class: diagnostic.severity }, diagnostic.line > 0 ? this.place(diagnostic) : found(diagnostic), ...more(diagnostic.code ?? '')));
    this.root.replaceChildren(items.length > 0 ? element('ul', {}, ...items) : element('p', { class: 'hint' }, 'No problems.'));
  }

  private place(diagnostic: Diagnostic): HTMLElement {
    const button = element('button', { type: 'button' }, element('code', {}, `${diagnostic.file}:${diagnostic.line}:${diagnostic.column}`), found(diagnostic));
    button.onclick = () => this.jump(diagnostic);
    return button;
  }
}

/** The trial's findings have a limit for their code, and no hook of their own to tell. */
function found({ message, help, code }: Diagnostic): HTMLElement {
  const reason = why({ limit: code ?? '', hook: 'it', allowed: 0, asked: 0, message });
  const advice = reason.help || help;
  const told = element('span', {}, message);
  if (advice) told.append(element('small', {}, advice));
  return told;
}
