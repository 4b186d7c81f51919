/** A spell's revisions: what is where, back with one click; and who else may change the spell. */

import { element } from '../elements';
import type { Author, Channel, Revision } from './author';

export class History {
  readonly root = element('div', { class: 'history' });

  constructor(
    private readonly author: Author,
    private readonly open: (spellId: string, revisionId: string) => void,
    private readonly said: (words: string) => void,
    private readonly failed: (error: unknown) => void,
  ) {}

  /** Of this spell, if it was ever built. */
  async show(spellId: string | null): Promise<void> {
    if (!spellId) return this.root.replaceChildren(element('p', { class: 'hint' }, 'Its history begins with the first build.'));
    const [revisions, rollouts, usernames] = await Promise.all([this.author.revisions(spellId), this.author.rollouts(spellId), this.author.collaborators(spellId)]);
    const trials = rollouts.filter(({ state }) => state === 'running').map(({ revision_id, channel }) => {
      return element('p', { class: 'trial' }, `${revision_id} is on trial for ${channel}. `, this.back(spellId, channel, 'End the trial'));
    });
    const rows = revisions.map((revision) => this.row(spellId, revision));
    this.root.replaceChildren(...trials, element('table', {}, ...rows), this.collaborators(spellId, usernames));
  }

  private row(spellId: string, { revision_id, channels, created_at, revoked, manifest }: Revision): HTMLElement {
    const open = element('button', { type: 'button' }, 'Open');
    open.onclick = () => this.open(spellId, revision_id);
    const chips = channels.map((channel) => element('span', { class: 'chip', 'data-channel': channel }, channel));
    if (revoked) chips.push(element('span', { class: 'chip', title: revoked }, 'revoked'));
    const published = channels.filter((channel): channel is Channel => channel !== 'draft');
    const actions = element('td', { class: 'actions' }, open, ...published.map((channel) => this.back(spellId, channel, 'Roll back')));
    return element('tr', {}, element('th', { scope: 'row' }, revision_id), element('td', {}, ...chips), element('td', {}, when(created_at)), element('td', {}, `${manifest.cost.cast_mana.toFixed(1)} mana`), actions);
  }

  private back(spellId: string, channel: Channel, words: string): HTMLElement {
    const button = element('button', { type: 'button', 'aria-label': `${words} ${channel}` }, words);
    button.onclick = () => {
      const tell = (revisionId: string | null): void => this.said(`${channel} is ${revisionId ?? 'nothing'} again`);
      this.author.rollBack(spellId, channel).then(tell).then(() => this.show(spellId)).catch(this.failed);
    };
    return button;
  }

  private collaborators(spellId: string, usernames: string[]): HTMLElement {
    const names = element('input', { value: usernames.join(' '), placeholder: 'nobody else', 'aria-label': 'who else may change the spell' });
    const form = element('form', { class: 'row' }, element('span', {}, 'Who else may change it'), names, element('button', { type: 'submit' }, 'Set'));
    form.onsubmit = (event) => {
      event.preventDefault();
      const wanted = names.value.split(/[\s,]+/).filter((name) => name !== '');
      this.author.setCollaborators(spellId, wanted).then((set) => this.said(set.length > 0 ? `${set.join(', ')} may change it too` : 'you alone may change it'), this.failed);
    };
    return form;
  }
}

/** The time for what is of today, the day for what is not. */
function when(iso: string): string {
  const at = new Date(iso);
  const isToday = at.toDateString() === new Date().toDateString();
  return isToday ? at.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }) : at.toLocaleDateString([], { dateStyle: 'medium' });
}
