/** What one can begin with: one's own spells, the templates of the library, and what others have published. */

import { element } from '../elements';
import type { Author, Diagnostic, Job, Spell, Template } from './author';
import { PROMPT_CHARS_MAX } from './limits';
import { idOf, ownId, ROOT, sorted, type Project } from './project';

export class Shelf {
  readonly root = element('div', { class: 'shelf' });
  private readonly note = element('p', { class: 'note', role: 'status' });
  /** One for good: what is typed there outlives that the shelf is filled anew. */
  private readonly words = element('textarea', { rows: '3', maxlength: String(PROMPT_CHARS_MAX), placeholder: 'A ring of ice that slows whoever stands in it…', 'aria-label': 'what the spell shall do' });

  /** `built` is the revision that the project is the source of, if it is one of the author's own. */
  constructor(private readonly author: Author, private readonly open: (project: Project, built: string | null, diagnostics?: Diagnostic[]) => void) {}

  async refresh(): Promise<void> {
    const [templates, spells, takesPrompts] = await Promise.all([this.author.templates(), this.author.spells(), this.author.takesPrompts()]);
    const own = spells.filter((spell) => spell.active_draft_rev !== null);
    const others = spells.filter((spell) => spell.active_draft_rev === null && published(spell) !== null);
    const isTyping = document.activeElement === this.words;
    this.note.textContent = '';
    this.root.replaceChildren(
      this.note,
      ...(takesPrompts ? [this.prompt()] : []),
      ...this.group('Your spells', own.map((spell) => this.own(spell))),
      ...this.group('Begin with a template', templates.map((template) => this.template(template))),
      ...this.group('Fork what others have published', others.map((spell) => this.fork(spell))),
    );
    (isTyping ? this.words : this.root.querySelector<HTMLElement>('.items button'))?.focus();
  }

  private group(title: string, items: HTMLElement[]): HTMLElement[] {
    return items.length === 0 ? [] : [element('h3', {}, title), element('div', { class: 'items' }, ...items)];
  }

  private own(spell: Spell): HTMLElement {
    const revisionId = spell.active_draft_rev ?? '';
    const state = spell.active_stable_rev ? 'stable' : spell.active_beta_rev ? 'beta' : 'never published';
    return this.item(spell.spell_id, state, async () => {
      const source = await this.author.source(spell.spell_id, revisionId);
      this.open({ ...source, spellId: spell.spell_id, origin: `${spell.spell_id} ${revisionId}` }, revisionId);
    });
  }

  private template({ spell_id, code, assets }: Template): HTMLElement {
    return this.item(spell_id, summary(code), async () => {
      const spellId = ownId(spell_id, this.author.username);
      this.open({ spellId, ...sorted({ [ROOT]: code }, assets), origin: `the template ${spell_id}` }, null);
    });
  }

  private fork(spell: Spell): HTMLElement {
    const revisionId = published(spell) ?? '';
    return this.item(spell.display_name, spell.spell_id, async () => {
      const spellId = ownId(spell.spell_id, this.author.username);
      const job = await this.author.fork(spellId, { spell_id: spell.spell_id, revision_id: revisionId });
      await this.take(job, spellId, `a fork of ${spell.spell_id} ${revisionId}`);
    });
  }

  /** Words instead of code. */
  private prompt(): HTMLElement {
    const write = element('button', { class: 'main', type: 'submit' }, 'Write it');
    const form = element('form', { class: 'prompt' }, element('h3', {}, 'Say what it shall do'), this.words, write);
    form.onsubmit = (event) => {
      event.preventDefault();
      const prompt = this.words.value.trim();
      if (prompt) void this.attempt(() => this.written(prompt), write);
    };
    return form;
  }

  private async written(prompt: string): Promise<void> {
    const spellId = ownId(idOf(prompt), this.author.username);
    const job = await this.author.prompt(spellId, prompt, (begun) => this.say(`${spellId}: ${begun.stage}…`, 'busy'));
    await this.take(job, spellId, `written for “${prompt}”`);
    this.words.value = '';
  }

  /** Puts on the bench what a job has made. */
  private async take(job: Job, spellId: string, origin: string): Promise<void> {
    const revisionId = job.result_revision_id;
    if (!revisionId) throw new Error([job.error_message ?? 'the build failed', ...job.diagnostics.map(({ message }) => message)].join(': '));
    this.open({ ...(await this.author.source(spellId, revisionId)), spellId, origin }, revisionId, job.diagnostics);
  }

  private say(words: string, tone: 'busy' | 'bad'): void {
    this.note.textContent = words;
    this.note.dataset['tone'] = tone;
  }

  /** Does what may be refused, once at a time; a refusal is told here, where one looks. */
  private async attempt(what: () => Promise<void>, button: HTMLButtonElement): Promise<void> {
    button.disabled = true;
    this.say('', 'busy');
    await what().catch((error: unknown) => this.say(error instanceof Error ? error.message : String(error), 'bad'));
    button.disabled = false;
  }

  private item(name: string, note: string, choose: () => Promise<void>): HTMLElement {
    const button = element('button', { type: 'button', 'data-name': name }, element('b', {}, name), element('small', {}, note));
    button.onclick = () => void this.attempt(choose, button);
    return button;
  }
}

function published(spell: Spell): string | null {
  return spell.active_stable_rev ?? spell.active_beta_rev;
}

/** The first sentence at the top of a source, or its beginning. */
function summary(code: string): string {
  return /^\/\/! (.*?[.:])(\s|$)/m.exec(code)?.[1]?.replace(/:$/, '…') ?? '';
}
