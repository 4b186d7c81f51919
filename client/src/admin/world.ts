/** One world: how its ticks go, what they are spent on, and which spells take most of it. */

import { element } from '../elements';
import { Chart } from './chart';
import { WorldLog } from './log';
import type { GameServer, Operator, Quarantine } from './operator';
import type { Players } from './players';
import { Growth, parse, type Sample } from './prometheus';
import { ask } from './question';
import { action, share, Table, together } from './table';

/** A look a second, so many minutes of them. */
const LOOKS_MAX = 180;
/** What a tick may take at 60 Hz. */
const TICK_MS = 1000 / 60;
const SPELLS_SHOWN_MAX = 20;
const PLAYERS_SHOWN_MAX = 20;
/** What a server counts together. */
const OTHERS = '(others)';

export class WorldPanel {
  readonly root = element('div', { class: 'world' });
  private readonly figures = element('dl', { class: 'figures' });
  private readonly ticks = new Chart('A tick takes', 'ms', LOOKS_MAX, TICK_MS);
  private readonly stages = new Table('Where a tick goes', ['stage', 'share', 'µs a tick'], 'Nothing is known yet.');
  private readonly spells = new Table('The costliest spells', ['spell', 'revision', 'fuel a second', 'casts a second', 'faults a second', ''], 'No spell has run since this page was opened.');
  private readonly casters = new Table('The costliest players', ['name', 'player', 'fuel a second', 'casts a second', 'faults a second', ''], 'Nobody has cast since this page was opened.');
  private readonly log: WorldLog;
  private readonly quarantined = new Table('In quarantine here', ['spell', 'revision', 'since', 'why', ''], 'Nothing is.');
  private readonly history: { p50: number; p99: number; max: number }[] = [];
  private readonly growth = new Growth();

  constructor(private readonly operator: Operator, readonly id: string, private readonly players: Players, private readonly act: (work: Promise<void>, done?: string) => void) {
    this.log = new WorldLog(operator, id);
    const save = action('Save now', () => this.act(this.operator.save(this.id), `${this.id} is saved`));
    const stop = action('Save and stop this server', () => void this.stop());
    this.root.append(
      element('section', { class: 'panel' }, element('h2', {}, id), this.figures, this.ticks.root, together(save, stop)),
      this.stages.root, this.spells.root, this.casters.root, this.quarantined.root, this.log.root,
    );
  }

  /** Takes in how the server does. */
  note({ health, players, phase, address }: GameServer): void {
    const ms = (us: number): number => us / 1000;
    this.history.push({ p50: ms(health.tick_p50_us), p99: ms(health.tick_p99_us), max: ms(health.tick_max_us) });
    if (this.history.length > LOOKS_MAX) this.history.shift();
    this.ticks.draw([
      { name: 'longest', color: 'var-bad', values: this.history.map(({ max }) => max) },
      { name: '99 of 100 within', color: 'var-fire', values: this.history.map(({ p99 }) => p99) },
      { name: 'median', color: 'var-good', values: this.history.map(({ p50 }) => p50) },
    ].map((series) => ({ ...series, color: cssColor(series.color) })));
    const figures: [string, string | number][] = [
      ['state', phase], ['address', address], ['players', players], ['entities', health.entities], ['live casts', health.casts],
      ['casts begun in a second', health.casts_begun], ['stopped in a second', health.faults], ['fuel in a second', health.fuel],
      ['snapshots', `${(health.snapshot_bytes / 1024).toFixed(1)} KiB/s`], ['ticks', health.tick], ['late', health.late_ticks], ['given up', health.skipped_ticks],
    ];
    this.figures.replaceChildren(...figures.flatMap(([name, value]) => [
      element('dt', {}, name), element('dd', {}, typeof value === 'number' ? value.toLocaleString() : value),
    ]));
  }

  /** Asks the server itself what its ticks were spent on. */
  async look(): Promise<void> {
    const [text, quarantines] = await Promise.all([this.operator.metrics(this.id), this.operator.quarantines(this.id), this.log.look()]);
    const grown = this.growth.note(parse(text), performance.now());
    if (grown.length > 0) {
      this.showStages(grown);
      this.showSpells(grown);
      this.showCasters(grown);
    }
    this.showQuarantines(quarantines);
  }

  private showStages(grown: Sample[]): void {
    const of = (name: string): Map<string, number> =>
      new Map(grown.filter((sample) => sample.name === name).map(({ labels, value }) => [labels['stage'] ?? '', value]));
    const [seconds, counts] = [of('ugc_stage_tick_seconds_sum'), of('ugc_stage_tick_seconds_count')];
    const all = [...seconds.values()].reduce((sum, value) => sum + value, 0);
    const rows = [...seconds].sort(([, a], [, b]) => b - a).map(([stage, value]) => {
      const part = all > 0 ? value / all : 0;
      return [stage.replaceAll('_', ' '), share(part, `${(100 * part).toFixed(1)} %`), Number(((1e6 * value) / (counts.get(stage) || 1)).toFixed(1))];
    });
    this.stages.show(rows);
  }

  private showSpells(grown: Sample[]): void {
    this.spells.show(costliest(grown, 'spell').slice(0, SPELLS_SHOWN_MAX).map(({ labels: { spell = '', revision = '' }, cells }) => [
      spell === OTHERS ? spell : element('a', { href: `/spell/${spell}?revision=${revision}` }, spell), revision, ...cells,
      spell === OTHERS ? '' : together(
        action('Quarantine', () => void this.quarantine(spell, revision)),
        action('Roll back', () => void this.rollBack(spell)),
        action('Revoke', () => void this.revoke(spell, revision)),
      ),
    ]));
  }

  private showCasters(grown: Sample[]): void {
    this.casters.show(costliest(grown, 'player').slice(0, PLAYERS_SHOWN_MAX).map(({ labels: { player = '' }, cells }) => [
      this.players.name(player), player, ...cells, player === OTHERS ? '' : this.players.measures(player),
    ]));
  }

  private showQuarantines(quarantines: Quarantine[]): void {
    this.quarantined.show(quarantines.map(({ spell_id, revision_id, since, reason }) => [
      spell_id, revision_id, new Date(since).toLocaleString(), reason,
      action('Lift', () => this.act(this.operator.lift(this.id, spell_id, revision_id))),
    ]));
  }

  private async stop(): Promise<void> {
    const answer = await ask('Stop this server?', 'It saves its world and ends. Its players are told; the next who joins starts a new one.', 'Save and stop');
    if (answer) this.act(this.operator.stop(this.id));
  }

  private async quarantine(spell: string, revision: string): Promise<void> {
    const explanation = `${spell} ${revision} is not run on this world any more; the revision before it is, if there is one. This can be lifted.`;
    if (await ask('Put it into quarantine?', explanation, 'Quarantine')) this.act(this.operator.quarantine(this.id, spell, revision));
  }

  private async rollBack(spell: string): Promise<void> {
    const channel = { name: 'channel', label: 'Channel: stable or beta', value: 'stable', type: 'text' } as const;
    const explanation = `The channel of ${spell} points at the good revision before it on all worlds; a rollout that runs there is ended instead.`;
    const answer = await ask('Roll it back?', explanation, 'Roll back', [channel]);
    if (answer) this.act(this.operator.rollBack(spell, answer['channel'] ?? ''));
  }

  private async revoke(spell: string, revision: string): Promise<void> {
    const reason = { name: 'reason', label: 'Why, for its author', value: '', type: 'text' } as const;
    const answer = await ask('Revoke it everywhere?', `No world runs ${spell} ${revision} any more, and running casts end at once.`, 'Revoke', [reason]);
    if (answer) this.act(this.operator.revoke(spell, revision, answer['reason'] ?? ''));
  }
}

interface Costly {
  labels: Record<string, string>;
  /** Fuel, with its share of all that is known, casts and faults, in a second. */
  cells: [HTMLElement, number, number];
}

/** What was spent, by spells and revisions or by players, the most first. */
function costliest(grown: Sample[], whose: 'spell' | 'player'): Costly[] {
  const sums = new Map<string, { labels: Record<string, string>; fuel: number; casts: number; faults: number }>();
  for (const { name, labels, value } of grown) {
    const what = (['fuel', 'casts', 'faults'] as const).find((what) => name === `ugc_${whose}_${what}_total`);
    if (!what) continue;
    const key = Object.values(labels).join(' ');
    const sum = sums.get(key) ?? { labels, fuel: 0, casts: 0, faults: 0 };
    sum[what] += value;
    sums.set(key, sum);
  }
  const all = [...sums.values()].reduce((sum, { fuel }) => sum + fuel, 0);
  return [...sums.values()].sort((a, b) => b.fuel - a.fuel).map(({ labels, fuel, casts, faults }) => ({
    labels, cells: [share(all > 0 ? fuel / all : 0, Math.round(fuel).toLocaleString()), Number(casts.toFixed(1)), Number(faults.toFixed(1))],
  }));
}

/** `var-good` as the page's style has it now, light or dark. */
function cssColor(name: string): string {
  const probe = element('i');
  probe.style.color = `var(--${name.slice(4)})`;
  document.body.append(probe);
  const color = getComputedStyle(probe).color;
  probe.remove();
  return color;
}
