/** A spell's own page, at /spell/<id>: what it does, by whom, what it costs, its source and its revisions. Anybody may look. */

import { Api } from '../api';
import { byId, element } from '../elements';
import { Author, type Manifest, type Revision } from '../workshop/author';
import { meters } from '../workshop/meters';

const README = 'README.md';

async function show(spellId: string): Promise<void> {
  const author = new Author(new Api());
  const [revisions, spells] = await Promise.all([author.revisions(spellId), author.spells()]);
  const shown = revisions.find(({ channels }) => channels.includes('stable')) ?? revisions.find(({ channels }) => channels.includes('beta')) ?? revisions[0];
  if (!shown) throw new Error(`${spellId} has no revision that one may see: nothing was published.`);
  const name = spells.find(({ spell_id }) => spell_id === spellId)?.display_name || spellId;
  const { files } = await author.source(spellId, shown.revision_id);
  document.title = `${name}: a spell of UGC World`;
  const readme = files.get(README);
  byId('page').replaceChildren(
    head(name, spellId, shown),
    ...(readme ? [panel('Read me', element('p', { class: 'readme' }, readme))] : []),
    panel('What it costs', meters(shown.manifest), capabilities(shown.manifest)),
    panel('Source', source(files)),
    panel('Revisions', history(revisions)),
  );
}

function head(name: string, spellId: string, { revision_id, channels, manifest }: Revision): HTMLElement {
  const link = element('button', { type: 'button' }, 'Copy the link');
  link.onclick = () => void navigator.clipboard.writeText(location.href).then(() => (link.textContent = 'Copied'));
  const by = `${spellId}, by ${manifest.author}; ${revision_id}, ${channels.filter((channel) => channel !== 'draft').join(' and ') || 'not published'}`;
  const fork = element('a', { class: 'button', href: '/' }, 'Play, and fork it in the workshop');
  return element('div', { class: 'head' }, element('div', {}, element('h1', {}, name), element('p', {}, by)), fork, link);
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

function history(revisions: Revision[]): HTMLElement {
  const row = ({ revision_id, channels, created_at, revoked, manifest }: Revision): HTMLElement => element('tr', {},
    element('td', {}, revision_id),
    element('td', {}, revoked === null ? channels.join(', ') : `revoked: ${revoked}`),
    element('td', {}, new Date(created_at).toLocaleString()),
    element('td', {}, `${manifest.cost.cast_mana} mana`),
    element('td', {}, manifest.measured ? `${manifest.measured.call_fuel_max.toLocaleString()} fuel a call` : ''),
    element('td', {}, `${(manifest.component.size / 1024).toFixed(0)} KiB`),
  );
  return element('table', {}, element('tbody', {}, ...revisions.map(row)));
}

function panel(title: string, ...content: Node[]): HTMLElement {
  return element('section', { class: 'panel' }, element('h2', {}, title), ...content);
}

const spellId = decodeURIComponent(location.pathname.split('/').at(-1) ?? '');
show(spellId).catch((error: unknown) => byId('page').replaceChildren(
  element('p', { role: 'alert' }, error instanceof Error ? error.message : String(error)),
));
