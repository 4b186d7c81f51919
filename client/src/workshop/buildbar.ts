/** The build as it goes: a bar, the stage, the time since the key was pressed. */

import { element } from '../elements';
import { ELAPSED_EVERY_MS } from './limits';

export type Tone = 'busy' | 'good' | 'bad';

export class BuildBar {
  readonly root = element('div', { class: 'buildbar' });
  private readonly bar = element('progress', { max: '100', value: '0', 'aria-label': 'build' });
  private readonly words = element('span', { class: 'words', role: 'status' });
  private readonly elapsed = element('span', { class: 'elapsed' });
  private timer: ReturnType<typeof setInterval> | undefined;

  constructor(buttons: HTMLElement) {
    this.root.append(this.bar, element('div', { class: 'row' }, this.words, this.elapsed, buttons));
  }

  /** A build begins, from a key that was pressed then. */
  begin(pressedMs: number): void {
    clearInterval(this.timer);
    const write = (): void => {
      this.elapsed.textContent = `${((performance.now() - pressedMs) / 1000).toFixed(1)} s`;
    };
    this.timer = setInterval(write, ELAPSED_EVERY_MS);
    this.say('queued', 'busy', 1);
  }

  /** It is over. */
  end(words: string, tone: 'good' | 'bad'): void {
    clearInterval(this.timer);
    this.elapsed.textContent = '';
    this.say(words, tone, 100);
  }

  say(words: string, tone: Tone, percent: number): void {
    this.words.textContent = words;
    this.root.dataset['tone'] = tone;
    this.bar.value = percent;
  }

  /** What was said last has a page of its own. */
  explain(address: string): void {
    this.words.append(' ', element('a', { href: address, target: '_blank', rel: 'noopener' }, 'what is that?'));
  }
}
