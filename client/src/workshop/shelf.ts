/** What one can begin with: one's own spells, the templates of the library, and what others have published. */

import { element } from '../elements';
import type { Author, Spell, Template } from './author';
import { ownId, ROOT, type Project } from './project';

export class Shelf {
  readonly root = element('div', { class: 'shelf' });

  /** `built` is the revision that the project is the source of, if it is one of the author's own. */
  constructor(private readonly author: Author, private readonly open: (project: Project, built: string | null) => void, private readonly failed: (error: unknown) => void) {}

  async refresh(): Promise<void> {
    const [templates, spells] = await Promise.all([this.author.templates(), this.author.spells()]);
    const own = spells.filter((spell) => spell.active_draft_rev !== null);
    const others = spells.filter((spell) => spell.active_draft_rev === null && published(spell) !== null);
    this.root.replaceChildren(
      ...this.group('Your spells', own.map((spell) => this.own(spell))),
      ...this.group('Begin with a template', templates.map((template) => this.template(template))),
      ...this.group('Fork what others have published', others.map((spell) => this.fork(spell))),
    );
    this.root.querySelector('button')?.focus();
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
      this.open({ spellId, files: new Map([[ROOT, code]]), assets: new Map(Object.entries(assets)), origin: `the template ${spell_id}` }, null);
    });
  }

  private fork(spell: Spell): HTMLElement {
    const revisionId = published(spell) ?? '';
    return this.item(spell.display_name, spell.spell_id, async () => {
      const source = await this.author.source(spell.spell_id, revisionId);
      this.open({ ...source, spellId: ownId(spell.spell_id, this.author.username), origin: `${spell.spell_id} ${revisionId}` }, null);
    });
  }

  private item(name: string, note: string, choose: () => Promise<void>): HTMLElement {
    const button = element('button', { type: 'button', 'data-name': name }, element('b', {}, name), element('small', {}, note));
    button.onclick = () => void choose().catch(this.failed);
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
