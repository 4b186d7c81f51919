/**
 * A spell's own page, at /spell/<id>: what it does, by whom, what it costs, its source and its revisions, who runs it and how that goes. With
 * `?revision=<id>` it shows that revision, for good. Anybody may look.
 */

import { Api } from '../api';
import { byId, element } from '../elements';
import { Author, type Manifest, type Revision, type RevisionUsage } from '../workshop/author';
import { meters } from '../workshop/meters';
import { ForkForm } from './fork';
import { faultRate, UsagePanel } from './usage';

const README = 'README.md';
/** Worlds tell what was cast every five seconds. */
const LOOK_EVERY_MS = 5000;

class SpellPage {
  private readonly usage = new UsagePanel();
  /** What the history tells of a revision's casts. */
  private readonly cells = new Map<string, [HTMLElement, HTMLElement]>();

  constructor(private readonly author: Author, private readonly spellId: string, private readonly shown: Revision, revisions: Revision[], name: string, files: Map<string, string>) {
    document.title = `${name}: a spell of UGC World`;
    const readme = files.get(README);
    byId('page').replaceChildren(
      ...this.head(name),
      ...(readme ? [panel('Read me', element('p', { class: 'readme' }, readme))] : []),
      panel('What it costs', meters(shown.manifest), capabilities(shown.manifest)),
      panel('How it runs', this.usage.root),
      panel('Source', source(files)),
      panel('Revisions', this.history(revisions)),
    );
  }

  /** Looks again and again at what its casts come to. */
  async run(): Promise<never> {
    for (;;) {
      if (document.visibilityState === 'visible') await this.look().catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
  }

  private async look(): Promise<void> {
    const { revisions, recent_seconds } = await this.author.usage(this.spellId);
    const of = (revisionId: string): RevisionUsage | undefined => revisions.find(({ revision_id }) => revision_id === revisionId);
    this.usage.show(of(this.shown.revision_id), this.shown.manifest, recent_seconds);
    for (const [revisionId, [casts, fuel]] of this.cells) {
      const used = of(revisionId);
      casts.textContent = used && used.casts > 0 ? `${used.casts.toLocaleString('en')} casts, ${faultRate(used)}` : '';
      fuel.textContent = used?.fuel_p50 && used.fuel_p99 ? `${used.fuel_p50.toLocaleString('en')} / ${used.fuel_p99.toLocaleString('en')} fuel` : '';
    }
  }

  private head(name: string): HTMLElement[] {
    const { revision_id, channels, revoked, manifest } = this.shown;
    const state = revoked === null ? channels.filter((channel) => channel !== 'draft').join(' and ') || 'an earlier revision' : `revoked: ${revoked}`;
    const by = element('p', {}, `${this.spellId}, by ${manifest.author}; `, element('a', { href: permalink(this.spellId, revision_id), title: 'A link to this very revision' }, revision_id), `, ${state}`);
    const form = new ForkForm(this.spellId, revision_id);
    const place = element('section', { class: 'panel', hidden: '' }, element('h2', {}, 'A spell of your own, made of this one'), form.root);
    const fork = element('button', { type: 'button', class: 'main' }, 'Fork');
    fork.onclick = () => {
      place.hidden = !place.hidden;
      if (!place.hidden) form.open();
    };
    return [
      element('div', { class: 'head' }, element('div', {}, element('h1', {}, name), by), fork, copy(location.origin + permalink(this.spellId, revision_id))),
      place,
    ];
  }

  private history(revisions: Revision[]): HTMLElement {
    const row = ({ revision_id, channels, created_at, revoked, manifest }: Revision): HTMLElement => {
      const [casts, fuel] = [element('td'), element('td', { title: 'half of the casts, and ninety-nine of a hundred, took no more' })];
      this.cells.set(revision_id, [casts, fuel]);
      return element('tr', revision_id === this.shown.revision_id ? { 'aria-current': 'true' } : {},
        element('td', {}, element('a', { href: permalink(this.spellId, revision_id) }, revision_id)),
        element('td', {}, revoked === null ? channels.join(', ') : `revoked: ${revoked}`),
        element('td', {}, new Date(created_at).toLocaleString()),
        element('td', {}, `${manifest.cost.cast_mana} mana`),
        casts, fuel,
      );
    };
    return element('table', {}, element('tbody', {}, ...revisions.map(row)));
  }
}

async function open(spellId: string, wanted: string | null): Promise<SpellPage> {
  const author = new Author(new Api());
  const [revisions, spells] = await Promise.all([author.revisions(spellId), author.spells()]);
  const shown = wanted
    ? revisions.find(({ revision_id }) => revision_id === wanted) ?? (await older(author, spellId, wanted))
    : revisions.find(({ channels }) => channels.includes('stable')) ?? revisions.find(({ channels }) => channels.includes('beta')) ?? revisions[0];
  if (!shown) throw new Error(`${spellId} has no revision that one may see: nothing was published.`);
  const { files } = await author.source(spellId, shown.revision_id);
  return new SpellPage(author, spellId, shown, revisions, spells.find(({ spell_id }) => spell_id === spellId)?.display_name || spellId, files);
}

/** A revision that is too old for the list. */
async function older(author: Author, spellId: string, revisionId: string): Promise<Revision> {
  const manifest = await author.manifest(spellId, revisionId);
  return { revision_id: revisionId, channels: [], created_at: manifest.created_at, revoked: null, manifest };
}

function permalink(spellId: string, revisionId: string): string {
  return `/spell/${spellId}?revision=${revisionId}`;
}

function copy(link: string): HTMLElement {
  const button = element('button', { type: 'button' }, 'Copy the permalink');
  const told = (words: string) => (): void => void (button.textContent = words);
  // Only a page of https, or of this machine, may.
  button.onclick = () => void (navigator.clipboard?.writeText(link) ?? Promise.reject(new Error('there is none'))).then(told('Copied'), told(link));
  return button;
}

function capabilities({ envelope }: Manifest): HTMLElement {
  const all = envelope.capabilities.map((name) => element('li', {}, name.replaceAll('_', ' ')));
  return all.length > 0 ? element('ul', { class: 'capabilities', 'aria-label': 'what it may do' }, ...all) : element('p', {}, 'It may do nothing but look.');
}

/** A tab for each file; its first one, or `src/lib.rs`, is open. */
function source(files: Map<string, string>): HTMLElement {
  const code = element('pre', { tabindex: '0' });
  const paths = [...files.keys()].filter((path) => path !== README).sort((a, b) => Number(b === 'src/lib.rs') - Number(a === 'src/lib.rs') || a.localeCompare(b));
  const tabs = paths.map((path) => {
    const tab = element('button', { type: 'button', role: 'tab' }, path);
    tab.onclick = () => {
      code.textContent = files.get(path) ?? '';
      tabs.forEach((other) => other.setAttribute('aria-selected', String(other === tab)));
    };
    return tab;
  });
  tabs[0]?.click();
  return element('div', { class: 'source' }, element('div', { role: 'tablist' }, ...(tabs.length > 1 ? tabs : [])), code);
}

function panel(title: string, ...content: Node[]): HTMLElement {
  return element('section', { class: 'panel' }, element('h2', {}, title), ...content);
}

const spellId = decodeURIComponent(location.pathname.split('/').at(-1) ?? '');
open(spellId, new URLSearchParams(location.search).get('revision')).then((page) => page.run()).catch((error: unknown) => byId('page').replaceChildren(
  element('p', { role: 'alert' }, error instanceof Error ? error.message : String(error)),
));
