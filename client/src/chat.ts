/** What players say to each other: Enter opens the line, Enter says it, Escape leaves it. */

import { element } from './elements';
import { CHAT_BYTES_MAX, CHAT_LINES_MAX, FEED_LINE_MS } from './limits';

const SHOWN = 'fresh';

export class Chat {
  readonly root = element('div', { class: 'chat' });
  /** What was said, oldest first. */
  readonly lines: string[] = [];
  private readonly log = element('div', { class: 'log', role: 'log', 'aria-label': 'what was said' });
  private readonly line = element('input', { type: 'text', 'aria-label': 'say something to all', placeholder: 'Say something to all', autocomplete: 'off' });

  /** `leave` gives the keys back to the game. */
  constructor(private readonly say: (text: string) => void, private readonly leave: () => void) {
    this.line.hidden = true;
    this.root.append(this.log, this.line);
    this.line.oninput = () => {
      const kept = cut(this.line.value);
      // Whatever is set ends what an input method has begun.
      if (kept !== this.line.value) this.line.value = kept;
    };
    this.line.onblur = () => this.close();
    this.line.onkeydown = (event) => {
      event.stopPropagation();
      // That Enter is the input method's: it takes a word, and says nothing.
      if (event.isComposing) return;
      if (event.key === 'Enter') this.send();
      if (event.key === 'Enter' || event.key === 'Escape') this.leave();
    };
    addEventListener('keydown', (event) => {
      if (event.code === 'Enter' && !this.root.closest('[hidden]') && isGames(event.target)) this.open(event);
    });
  }

  heard(name: string, text: string): void {
    this.lines.push(`${name}: ${text}`);
    const line = element('p', { class: SHOWN }, element('b', {}, name), ` ${text}`);
    this.log.append(line);
    while (this.log.children.length > CHAT_LINES_MAX) {
      this.log.firstChild?.remove();
      this.lines.shift();
    }
    setTimeout(() => line.classList.remove(SHOWN), FEED_LINE_MS);
    this.log.scrollTop = this.log.scrollHeight;
  }

  private open(event: Event): void {
    event.preventDefault();
    this.line.hidden = false;
    this.root.dataset['open'] = 'true';
    this.log.scrollTop = this.log.scrollHeight;
    this.line.focus();
  }

  private close(): void {
    this.line.hidden = true;
    this.line.value = '';
    delete this.root.dataset['open'];
  }

  private send(): void {
    const text = this.line.value.trim();
    if (text) this.say(text);
    this.line.value = '';
  }
}

/** Whether a key that was pressed there is the game's: not a button's, nor a text's. */
function isGames(target: EventTarget | null): boolean {
  return target === document.body || target instanceof HTMLCanvasElement;
}

/** As much as the server takes, whole characters; what it would refuse is a space. */
function cut(text: string): string {
  const plain = text.replace(/[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, ' ');
  const characters = [...plain];
  const bytes = (): number => new TextEncoder().encode(characters.join('')).length;
  while (bytes() > CHAT_BYTES_MAX) characters.pop();
  return characters.join('');
}
