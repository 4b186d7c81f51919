/** The workshop: a spell is edited on the left, and a second later its effect is seen on the right. */

import './workshop.css';
import { ApiError } from '../api';
import { byId, element } from '../elements';
import type { ServerMessage } from '../protocol';
import { Author, type Channel, type Diagnostic } from './author';
import { Bench, type Run } from './bench';
import { BuildBar } from './buildbar';
import { Cards } from './cards';
import { Casts } from './casts';
import type { Game } from './door';
import { Editor } from './editor';
import { Files } from './files';
import { History } from './history';
import { KEEP_AFTER_MS } from './limits';
import { Log } from './log';
import { meters } from './meters';
import { Problems } from './problems';
import { isSame, isSpellId, keep, kept, type Project } from './project';
import { PublishPanel, type Candidate } from './publish';
import { Shelf } from './shelf';
import { TabPanel } from './tabpanel';

/** Keys that are letters here. */
const TYPING = 'input, select, textarea, .cm-editor';
/** Stages of a build that took less are not worth a word. */
const NOTICED_MS = 5;

export class Workshop {
  private readonly author: Author;
  private readonly casts = new Casts();
  private readonly bench: Bench;
  private readonly log: Log;

  private readonly root = element('aside', { id: 'workshop', 'aria-label': 'workshop', hidden: '' });
  private readonly id = element('input', { 'aria-label': 'the spell’s id', title: 'The spell’s id: whoever builds it first owns it', spellcheck: 'false', autocomplete: 'off' });
  private readonly editor = new Editor(() => this.changed(), () => byId('view').focus());
  private readonly files = new Files(this.editor, () => this.changed());
  private readonly shelf: Shelf;
  private readonly bar: BuildBar;
  private readonly problems = new Problems((diagnostic) => this.editor.jump(diagnostic));
  private readonly draftNote = element('p', { class: 'draft', hidden: '' });
  private readonly meters = element('div');
  private readonly publishing: PublishPanel;
  private readonly history: History;
  private readonly panel: TabPanel<'problems' | 'casts' | 'publish' | 'history'>;

  private project: Project = { spellId: '', files: new Map(), assets: new Map(), origin: '' };
  /** The revision that the editor's text is the source of; null once it is changed. */
  private built: string | null = null;
  /** Before its first build, the server knows nothing of a spell. */
  private isKnown = false;
  private diagnostics: Diagnostic[] = [];
  private lastRun: Run | null = null;
  private isBuilding = false;
  /** When a build was asked for while another one ran. */
  private nextMs: number | null = null;
  private keeping: ReturnType<typeof setTimeout> | undefined;

  /** Begins with this spell of the player's own, or with what was in hand, or with the shelf. */
  constructor(private readonly game: Game, active: ReadonlyMap<string, string>, wanted: string | null) {
    this.author = new Author(game.api);
    this.bench = new Bench(this.author, game, active, this.casts);
    this.log = new Log(game.api, (entry) => this.casts.logged(entry, game.me()));
    this.shelf = new Shelf(this.author, (project, built, diagnostics) => this.attempt(() => this.open(project, built, diagnostics)));
    this.publishing = new PublishPanel(this.author, (channel, percent) => this.published(channel, percent), this.failed);
    this.history = new History(this.author, (spellId, revisionId) => this.attempt(() => this.openRevision(spellId, revisionId)), (words) => this.bar.end(words, 'good'), this.failed);
    this.panel = new TabPanel({
      problems: { title: 'Problems', root: this.problems.root },
      casts: { title: 'Casts', root: element('div', {}, this.draftNote, this.meters, new Cards(this.casts).root) },
      publish: { title: 'Publish', root: this.publishing.root, opened: () => this.attempt(() => this.publishing.show(this.candidate())) },
      history: { title: 'History', root: this.history.root, opened: () => this.attempt(() => this.history.show(this.isKnown ? this.project.spellId : null)) },
    });
    const build = button('Build', 'Build, and cast for you alone (Ctrl+Enter)', () => void this.build(performance.now()));
    build.className = 'main';
    this.bar = new BuildBar(build);
    this.furnish();
    this.expose();
    const before = kept();
    if (wanted !== null) this.attempt(() => this.openOwn(wanted));
    else if (before) this.attempt(() => this.open(before, null));
    else this.toShelf();
  }

  toggle(): void {
    const opens = Boolean(this.root.hidden);
    this.root.hidden = !opens;
    document.body.classList.toggle('workshop-open', opens);
    if (!opens) return byId('view').focus();
    document.exitPointerLock();
    if (this.shelf.root.hidden) this.editor.focus();
    else this.shelf.root.querySelector('button')?.focus();
  }

  /** A key that was pressed in the world. */
  key(event: KeyboardEvent): void {
    if (this.root.hidden) return;
    if (event.code === 'Escape') this.toggle();
    else this.command(event);
  }

  heed(message: ServerMessage): void {
    const nameOf = (entity: number): string => this.game.others().find(({ id }) => id === entity)?.name || (entity === this.game.me() ? 'you' : 'somebody');
    this.casts.heed(message, this.game.me(), this.project.spellId, nameOf);
    if (message.type === 122) this.bench.heedActive();
    if (message.type === 121 && message.spell_id === this.project.spellId) this.panel.show('casts');
  }

  shown(message: ServerMessage): void {
    this.casts.shown(message, this.game.me());
  }

  private furnish(): void {
    this.id.onchange = () => this.rename();
    const docs = element('a', { class: 'docs', href: '/guide/api', target: '_blank', rel: 'noopener', title: 'What a spell can call, in a page of its own' }, 'Docs');
    const header = element('header', {}, this.id, docs, button('Open…', 'Begin with another spell', () => this.toShelf()), button('×', 'Close (Esc)', () => this.toggle()));
    const bench = element('div', { class: 'bench' }, this.files.root, this.editor.root, this.bar.root, this.panel.root);
    this.root.append(header, this.shelf.root, bench);
    // What is typed here is not for the game; and Ctrl+Enter is for us before it is for the editor.
    this.root.addEventListener('keydown', (event) => this.command(event), { capture: true });
    this.root.addEventListener('keydown', (event) => {
      event.stopPropagation();
      const isTyping = event.target instanceof Element && event.target.closest(TYPING) !== null;
      if (!isTyping && (event.code === 'Escape' || event.code === 'KeyE') && !event.ctrlKey && !event.metaKey) this.toggle();
    });
    document.body.append(this.root);
  }

  /** Ctrl+Enter builds; so does Ctrl+S, before the browser saves the page. */
  private command(event: KeyboardEvent): void {
    if (!(event.ctrlKey || event.metaKey) || (event.code !== 'Enter' && event.code !== 'KeyS')) return;
    event.preventDefault();
    event.stopPropagation();
    if (!event.repeat && this.shelf.root.hidden) void this.build(performance.now());
  }

  private toShelf(): void {
    this.shelf.root.hidden = false;
    this.root.dataset['on'] = 'shelf';
    this.attempt(() => this.shelf.refresh());
  }

  /** Puts a spell on the bench. `built` is the revision that it is the source of, if it is one of the author's own. */
  private async open(project: Project, built: string | null, diagnostics: Diagnostic[] = []): Promise<void> {
    const spell = (await this.author.spells()).find(({ spell_id }) => spell_id === project.spellId);
    if (project.spellId !== this.project.spellId) this.casts.clear();
    this.project = project;
    this.id.value = project.spellId;
    this.files.open(project);
    this.found(diagnostics);
    this.built = built;
    this.isKnown = Boolean(spell?.active_draft_rev);
    this.shelf.root.hidden = true;
    this.root.dataset['on'] = 'bench';
    this.bar.say(project.origin, 'good', 0);
    this.panel.show(diagnostics.length > 0 ? 'problems' : 'casts');
    this.editor.focus();
    if (this.isKnown) this.log.follow(project.spellId);
    await this.showDraft(this.isKnown ? ((await this.author.drafts())[project.spellId] ?? null) : null);
  }

  private async openOwn(spellId: string): Promise<void> {
    const draft = (await this.author.spells()).find(({ spell_id }) => spell_id === spellId)?.active_draft_rev;
    if (draft) return this.openRevision(spellId, draft);
    this.toShelf();
    this.bar.end(`${spellId} is no spell of yours`, 'bad');
  }

  private async openRevision(spellId: string, revisionId: string): Promise<void> {
    const source = await this.author.source(spellId, revisionId);
    await this.open({ ...source, spellId, origin: `${spellId} ${revisionId}` }, revisionId);
  }

  private rename(): void {
    if (!isSpellId(this.id.value)) {
      this.bar.end('an id is a small letter, and then small letters, digits and _', 'bad');
      this.id.value = this.project.spellId;
      return;
    }
    this.project.spellId = this.id.value;
    this.isKnown = false;
    this.changed();
  }

  private changed(): void {
    this.built = null;
    clearTimeout(this.keeping);
    this.keeping = setTimeout(() => keep(this.current()), KEEP_AFTER_MS);
  }

  private current(): Project {
    return { ...this.project, ...this.files.current() };
  }

  private async build(pressedMs: number): Promise<void> {
    if (this.isBuilding) {
      this.nextMs = pressedMs;
      return;
    }
    this.isBuilding = true;
    const project = this.current();
    this.bar.begin(pressedMs);
    try {
      const run = await this.bench.run(project, pressedMs, (words, percent) => this.bar.say(words, 'busy', percent));
      await this.ran(run, project);
    } catch (error) {
      this.failed(error);
    }
    this.isBuilding = false;
    if (this.nextMs !== null) void this.build(this.nextMs);
    this.nextMs = null;
  }

  private async ran(run: Run, project: Project): Promise<void> {
    this.lastRun = run;
    this.found(run.job.diagnostics);
    if (!run.revisionId) {
      this.panel.show('problems');
      return this.bar.end(run.job.error_message ?? 'the build failed', 'bad');
    }
    const words = run.liveAfterMs === null
      ? `${run.revisionId} is your draft; the world has not taken it yet`
      : `${run.revisionId} is live for you alone, ${Math.round(run.liveAfterMs)} ms after the key · ${stages(run)}`;
    this.bar.end(words, 'good');
    this.isKnown = true;
    this.log.follow(project.spellId);
    // Unless one went on writing meanwhile.
    if (isSame(project, this.files.current())) this.built = run.revisionId;
    this.panel.show('casts');
    await this.showDraft(run.revisionId);
  }

  private found(diagnostics: Diagnostic[]): void {
    this.diagnostics = diagnostics;
    this.editor.mark(diagnostics);
    this.problems.show(diagnostics);
    this.panel.count('problems', diagnostics.length);
  }

  /** What is live for the author alone, with what it costs. */
  private async showDraft(revisionId: string | null): Promise<void> {
    const { spellId } = this.project;
    const again = button('Cast again', 'At the dummy, or where you look', () => this.bench.cast(spellId));
    const away = button('Take the draft away', 'Cast what everybody casts', () => this.attempt(async () => {
      await this.author.endDraft(spellId);
      await this.showDraft(null);
    }));
    this.draftNote.replaceChildren(element('span', {}, 'Live for you alone.'), again, away);
    this.draftNote.hidden = revisionId === null;
    this.meters.replaceChildren(...(revisionId ? [meters(await this.author.manifest(spellId, revisionId))] : []));
  }

  private candidate(): Candidate | null {
    return this.built ? { spellId: this.project.spellId, revisionId: this.built, files: this.editor.files() } : null;
  }

  private published(channel: Channel, percent: number): void {
    this.bar.end(percent < 100 ? `${this.built} is on trial for ${channel}, with ${percent} % of the casts` : `${this.built} is ${channel} now, for everybody`, 'good');
    this.attempt(() => this.showDraft(null));
    this.panel.show('history');
  }

  /** Does what may be refused; a refusal is told. */
  private attempt(what: () => Promise<void>): void {
    what().catch(this.failed);
  }

  private readonly failed = (error: unknown): void => {
    const words = error instanceof Error ? error.message : String(error);
    this.bar.end(words, 'bad');
    if (error instanceof ApiError && error.code) this.bar.explain(`/problems/${error.code}`);
  };

  /** For tests and the curious. */
  private expose(): void {
    const workshop = this;
    Object.assign(window, {
      __workshop: {
        get isOpen() { return !workshop.root.hidden; },
        get isBuilding() { return workshop.isBuilding; },
        get spellId() { return workshop.project.spellId; },
        get built() { return workshop.built; },
        get editor() { return workshop.editor.view; },
        get files() { return Object.fromEntries(workshop.editor.files()); },
        get assets() { return [...workshop.files.current().assets.keys()]; },
        get diagnostics() { return workshop.diagnostics; },
        get lastRun() { return workshop.lastRun; },
        get casts() { return workshop.casts.records; },
      },
    });
  }
}

function button(words: string, title: string, pressed: () => void): HTMLButtonElement {
  const made = element('button', { type: 'button', title }, words);
  made.onclick = pressed;
  return made;
}

/** The stages that one would notice. */
function stages({ job }: Run): string {
  return job.stage_ms.filter(([, ms]) => ms >= NOTICED_MS).map(([name, ms]) => `${name} ${Math.round(ms)}`).join(' · ');
}
