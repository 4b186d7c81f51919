/** A spell of one's own, made of somebody's revision: asks for names, has it built, and leads to the workshop. */

import { Api } from '../api';
import { element } from '../elements';
import { Author } from '../workshop/author';
import { isSpellId, ownId } from '../workshop/project';

export class ForkForm {
  readonly root = element('form', { class: 'fork' });
  private readonly api = new Api();
  private readonly name = element('input', { maxlength: '32', autocomplete: 'nickname', spellcheck: 'false', required: '' });
  private readonly id = element('input', { spellcheck: 'false', autocomplete: 'off', required: '' });
  private readonly go = element('button', { class: 'main' }, 'Fork it');
  private readonly words = element('p', { role: 'status' });
  /** Until somebody writes an id, it follows the name. */
  private isOwnId = false;

  constructor(private readonly spellId: string, private readonly revisionId: string) {
    this.name.value = this.api.knownName();
    this.follow();
    this.name.oninput = () => this.follow();
    this.id.oninput = () => (this.isOwnId = true);
    this.root.append(
      element('label', {}, 'Your name', this.name),
      element('label', {}, 'The id of your spell', this.id),
      this.go, this.words,
    );
    this.root.onsubmit = (event) => {
      event.preventDefault();
      void this.fork();
    };
  }

  open(): void {
    this.id.focus();
    this.id.select();
  }

  private follow(): void {
    if (!this.isOwnId) this.id.value = ownId(this.spellId, this.name.value);
  }

  private async fork(): Promise<void> {
    const spellId = this.id.value.trim();
    if (!isSpellId(spellId)) return this.say('An id is a small letter, and then small letters, digits and _.', false);
    this.go.disabled = true;
    try {
      await this.api.login(this.name.value.trim());
      this.say('It is being built…', true);
      const job = await new Author(this.api).fork(spellId, { spell_id: this.spellId, revision_id: this.revisionId });
      if (job.result_revision_id) this.done(spellId, job.result_revision_id);
      else this.say(job.error_message ?? 'It could not be built.', false);
    } catch (error) {
      this.say(error instanceof Error ? error.message : String(error), false);
    }
    this.go.disabled = false;
  }

  private done(spellId: string, revisionId: string): void {
    this.say(`${spellId} ${revisionId} is yours, and nobody else’s until you publish it.`, true);
    this.words.append(' ', element('a', { class: 'button', href: `/?workshop=${spellId}` }, 'Open it in the workshop'));
  }

  private say(words: string, isGood: boolean): void {
    this.words.textContent = words;
    this.words.dataset['good'] = String(isGood);
  }
}
