/** Publishing: what becomes different for everybody, in code, capabilities and cost; then the channel, and for whom. */

import { EditorState } from '@codemirror/state';
import { EditorView } from '@codemirror/view';
import { rust } from '@codemirror/lang-rust';
import { unifiedMergeView } from '@codemirror/merge';
import { element } from '../elements';
import type { Author, Channel, Manifest, Spell } from './author';
import { figures } from './meters';
import { theme } from './theme';

/** What is about to be published. */
export interface Candidate {
  spellId: string;
  revisionId: string;
  files: Map<string, string>;
}

/** Published before: the files, and what it cost. */
interface Before {
  manifest: Manifest | null;
  files: Map<string, string>;
}

const NOTHING: Before = { manifest: null, files: new Map() };
/** Lines that stay around a change, and how many unchanged ones are worth hiding. */
const COLLAPSE = { margin: 2, minSize: 4 };
const numbers = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });

export class PublishPanel {
  readonly root = element('div', { class: 'publish' });
  private views: EditorView[] = [];

  constructor(private readonly author: Author, private readonly published: (channel: Channel, percent: number) => void, private readonly failed: (error: unknown) => void) {}

  /** What would be published; null when what is in the editor is not built. */
  async show(candidate: Candidate | null, channel: Channel = 'stable'): Promise<void> {
    this.clear();
    if (!candidate) {
      const hint = element('p', { class: 'hint' }, 'What is in the editor is not built: ', element('kbd', {}, 'Ctrl'), ' ', element('kbd', {}, 'Enter'), ' builds it, for you alone. Then it can be published.');
      return this.root.replaceChildren(hint);
    }
    const spell = (await this.author.spells()).find(({ spell_id }) => spell_id === candidate.spellId);
    const active = spell ? activeOn(spell, channel) : null;
    const [manifest, before] = await Promise.all([this.author.manifest(candidate.spellId, candidate.revisionId), this.before(candidate.spellId, active)]);
    this.root.replaceChildren(
      this.form(candidate, channel, active),
      ...capabilities(before.manifest, manifest),
      costs(before.manifest, manifest),
      ...this.difference(before.files, candidate.files),
    );
  }

  private async before(spellId: string, revisionId: string | null): Promise<Before> {
    if (!revisionId) return NOTHING;
    const [manifest, { files }] = await Promise.all([this.author.manifest(spellId, revisionId), this.author.source(spellId, revisionId)]);
    return { manifest, files };
  }

  private form(candidate: Candidate, channel: Channel, active: string | null): HTMLElement {
    const choice = element('select', { 'aria-label': 'channel' });
    choice.append(new Option('stable, for everybody', 'stable'), new Option('beta, for who tries', 'beta'));
    choice.value = channel;
    choice.onchange = () => void this.show(candidate, choice.value as Channel).catch(this.failed);
    const share = element('input', { type: 'number', min: '1', max: '100', value: '100', 'aria-label': 'percent of the casts' });
    // A rollout tries a revision beside another.
    share.disabled = active === null;
    const go = element('button', { type: 'submit', class: 'main' }, 'Publish');
    go.disabled = active === candidate.revisionId;
    const form = element('form', { class: 'row' }, choice, share, element('span', {}, '% of casts'), go);
    form.onsubmit = (event) => {
      event.preventDefault();
      go.disabled = true;
      const percent = Number(share.value);
      this.author.publish(candidate.spellId, candidate.revisionId, channel, percent).then(() => this.published(channel, percent), this.failed).finally(() => { go.disabled = false; });
    };
    const words = active === candidate.revisionId ? `${active} is what is published there.`
      : active ? `${candidate.revisionId} would take the place of ${active}.` : `${candidate.revisionId} would be the first that is published there.`;
    return element('div', {}, element('p', {}, words), form);
  }

  private difference(before: Map<string, string>, after: Map<string, string>): HTMLElement[] {
    const paths = [...new Set([...before.keys(), ...after.keys()])].filter((path) => before.get(path) !== after.get(path));
    if (paths.length === 0) return [element('p', { class: 'hint' }, 'The source is the same.')];
    return paths.flatMap((path) => {
      const place = element('div', { class: 'difference' });
      const merge = unifiedMergeView({ original: before.get(path) ?? '', mergeControls: false, gutter: true, collapseUnchanged: COLLAPSE });
      const state = EditorState.create({
        doc: after.get(path) ?? '',
        extensions: [merge, rust(), theme, EditorState.readOnly.of(true), EditorView.editable.of(false), EditorView.lineWrapping],
      });
      this.views.push(new EditorView({ parent: place, state }));
      return [element('h3', {}, path), place];
    });
  }

  private clear(): void {
    for (const view of this.views) view.destroy();
    this.views = [];
  }
}

function activeOn(spell: Spell, channel: Channel): string | null {
  return channel === 'stable' ? spell.active_stable_rev : spell.active_beta_rev;
}

/** What it may do: what is new stands out, and so does what it may no more. */
function capabilities(before: Manifest | null, after: Manifest): HTMLElement[] {
  const had = before?.envelope.capabilities ?? [];
  const has = after.envelope.capabilities;
  const words = [
    ...has.map((name) => element('li', { 'data-change': had.includes(name) || !before ? 'same' : 'new' }, name.replaceAll('_', ' '))),
    ...had.filter((name) => !has.includes(name)).map((name) => element('li', { 'data-change': 'gone' }, name.replaceAll('_', ' '))),
  ];
  return [element('h3', {}, 'It may'), element('ul', { class: 'capabilities' }, ...words)];
}

function costs(before: Manifest | null, after: Manifest): HTMLElement {
  const old = before ? figures(before) : [];
  const rows = figures(after).map(({ name, is, unit }) => {
    const was = old.find((figure) => figure.name === name)?.is;
    const [now, then] = [numbers.format(is), was === undefined ? null : numbers.format(was)];
    const change = then === null || then === now ? '' : is > (was ?? 0) ? 'more' : 'less';
    return element('tr', { 'data-change': change }, element('th', { scope: 'row' }, name), element('td', {}, then === null ? '' : `${then}${unit}`), element('td', {}, `${now}${unit}`));
  });
  const head = element('tr', {}, element('th', { scope: 'col' }, 'It costs'), element('th', { scope: 'col' }, before ? 'before' : ''), element('th', { scope: 'col' }, 'now'));
  return element('table', {}, head, ...rows);
}
