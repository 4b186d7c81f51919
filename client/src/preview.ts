/** A spell that is about to be cast: while its key is held one sees how far it reaches, and what it may do. Letting go casts it. */

import './preview.css';
import { byId, element } from './elements';
import { HOLD_MS } from './limits';
import type { Declared, Manifests } from './manifests';
import type { Reach } from './stage';
import { length, minus, type Vec3 } from './vec';

/** A key that is down. */
interface Held {
  slot: number;
  spellId: string;
  sinceMs: number;
  /** Null until it has come, and for good where it may not be seen. */
  declared: Declared | null;
}

/** What is shown, for tests. */
export interface Shown extends Reach {
  spellId: string;
  mana: number;
}

export class Preview {
  shown: Shown | null = null;
  private readonly root = element('aside', { class: 'preview panel', 'aria-label': 'the spell that is about to be cast', hidden: '' });
  private readonly about = element('div');
  private readonly range = element('p', { class: 'range' });
  private held: Held | null = null;

  /** `revision` is what a cast of the spell would run. */
  constructor(private readonly manifests: Manifests, private readonly revision: (spellId: string) => string | undefined) {
    this.root.append(this.about, this.range);
    byId('hud').append(this.root);
  }

  /** A spell's key goes down. One that was down before is forgotten. */
  press(slot: number, spellId: string): void {
    const held: Held = { slot, spellId, sinceMs: performance.now(), declared: null };
    this.held = held;
    const revisionId = this.revision(spellId);
    if (revisionId) void this.manifests.of(spellId, revisionId).then((declared) => this.tell(held, declared));
  }

  /** It goes up: this spell is to be cast, unless that was taken back. */
  release(slot: number): string | null {
    if (this.held?.slot !== slot) return null;
    const { spellId } = this.held;
    this.cancel();
    return spellId;
  }

  cancel(): void {
    this.held = null;
    this.shown = null;
    this.root.hidden = true;
  }

  /** The key has been down for longer than a tap. */
  get isOpen(): boolean {
    return this.held !== null && performance.now() - this.held.sinceMs > HOLD_MS;
  }

  /** What is to be drawn of it when the player stands here and aims there. */
  reach(from: Vec3, target: Vec3): Reach | null {
    if (!this.held?.declared || !this.isOpen) return null;
    const { spellId, declared } = this.held;
    const radius = declared.envelope.scope.radius_m;
    const away = length(minus(target, from));
    const within = away <= radius;
    this.shown = { spellId, radius, within, mana: declared.cost.cast_mana };
    this.root.hidden = false;
    const words = within ? `${Math.round(away)} m away: within reach` : `${Math.round(away)} m away: beyond reach, where it can do nothing itself`;
    if (this.range.textContent !== words) this.range.textContent = words;
    this.range.dataset['within'] = String(within);
    return { radius, within };
  }

  private tell(held: Held, declared: Declared | null): void {
    if (!declared || this.held !== held) return;
    held.declared = declared;
    const { envelope, cost, metadata, author } = declared;
    const facts: [string, string][] = [['mana', cost.cast_mana.toFixed(1)], ['reach', `${envelope.scope.radius_m} m`], ['lasts', lasts(envelope.duration)]];
    if (envelope.school !== 'none') facts.push(['school', envelope.school]);
    const capabilities = envelope.capabilities.map((name) => element('li', {}, name.replaceAll('_', ' ')));
    this.about.replaceChildren(
      element('h2', {}, metadata.name || held.spellId, element('small', {}, ` by ${author}`)),
      element('dl', {}, ...facts.map(([name, value]) => element('div', {}, element('dt', {}, name), element('dd', {}, value)))),
      element('ul', { 'aria-label': 'what it may do' }, ...capabilities),
    );
  }
}

function lasts({ mode, seconds }: Declared['envelope']['duration']): string {
  if (mode === 'instant') return 'a moment';
  return mode === 'timed' ? `${seconds} s` : `${seconds} s, whoever leaves`;
}
