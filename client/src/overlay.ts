/** The figures under TAB: how the line, the prediction and the caches do; and sliders that make the line worse. */

import type { Chunks } from './chunks';
import type { Connection } from './connection';
import { byId, element } from './elements';
import { TICK_MS, TRAFFIC_SECONDS } from './limits';
import type { Line } from './line';
import type { Stats } from './protocol';
import type { RunningCasts } from './running';

/** Figures are rewritten so often, not in each picture: nobody reads faster. */
const SHOWN_EVERY_MS = 250;
/** Corrections are counted over the last minute. */
const MINUTE_MS = 60_000;
/** Own spells of which the figures tell. */
const SPELLS_SHOWN = 4;
const GRAPH = { width: 240, height: 48 };

type Slider = { name: string; of: 'latencyMs' | 'jitterMs' | 'lossPercent'; most: number; unit: string };
const SLIDERS: Slider[] = [
  { name: 'added latency', of: 'latencyMs', most: 500, unit: 'ms' },
  { name: 'added jitter', of: 'jitterMs', most: 100, unit: 'ms' },
  { name: 'loss', of: 'lossPercent', most: 30, unit: '%' },
];

export class Overlay {
  private readonly root = byId('overlay');
  private readonly figures = element('dl');
  private readonly graph = element('canvas', { width: String(GRAPH.width), height: String(GRAPH.height), 'aria-label': 'bytes a second' });
  private readonly corrections = new LastMinute();
  private shownMs = 0;

  constructor(private readonly connection: Connection, private readonly chunks: Chunks, private readonly casts: RunningCasts) {
    const sliders = SLIDERS.map((slider) => this.slider(slider, connection.line));
    this.root.append(element('h2', {}, 'Figures'), this.figures, this.graph, element('h2', {}, 'A worse line'), ...sliders);
  }

  toggle(): void {
    this.root.hidden = !this.root.hidden;
  }

  /** Corrections in the last minute. */
  correctionsPerMinute(stats: Stats): number {
    return this.corrections.note(stats.corrections);
  }

  draw(stats: Stats): void {
    const now = performance.now();
    const perMinute = this.correctionsPerMinute(stats);
    if (this.root.hidden || now - this.shownMs < SHOWN_EVERY_MS) return;
    this.shownMs = now;
    const { clock, traffic, state, reconnects } = this.connection;
    const cm = (metres: number): string => `${(100 * metres).toFixed(1)} cm`;
    const { made, tookMs } = this.chunks;
    this.write([
      ['connection', reconnects > 0 ? `${state}, mended ${reconnects} times` : state],
      ['world', this.connection.worldId],
      ['server tick', clock.serverTick()],
      ['round trip', clock.rttMs === null ? '–' : `${clock.rttMs.toFixed(1)} ms`],
      ['jitter', `${clock.jitterMs.toFixed(1)} ms`],
      ['input sequence', stats.sequence],
      ['pending inputs', stats.pending],
      ['corrections a minute', String(perMinute)],
      ['of all, by a late line', `${stats.correctionsLate} of ${stats.corrections}`],
      ['their size', `${cm(stats.correctionLastM)}, at most ${cm(stats.correctionLargestM)}`],
      ['others drawn', `${(stats.delayTicks * TICK_MS).toFixed(0)} ms back`],
      ['entities in view', stats.entities],
      ['chunks', `${stats.chunks}, ${stats.chunksWrong} went wrong`],
      ['a mesh takes', made === 0 ? '–' : `${(tookMs / made).toFixed(2)} ms, ${made} made`],
      ['snapshots lost', stats.snapshotsLost],
      ['own state', digests(stats)],
      ['bytes a second', `${kib(traffic.received.at(-2))} in, ${kib(traffic.sent.at(-2))} out`],
      ...this.casts.lines(SPELLS_SHOWN),
    ]);
    this.paint(traffic.received, traffic.sent);
  }

  private write(figures: [string, string | number][]): void {
    this.figures.replaceChildren(...figures.flatMap(([name, value]) => [element('dt', {}, name), element('dd', {}, String(value))]));
  }

  /** Bytes in upward, bytes out downward, on one scale. */
  private paint(received: number[], sent: number[]): void {
    const context = this.graph.getContext('2d');
    if (!context) return;
    const most = Math.max(1024, ...received, ...sent);
    const [middle, step] = [GRAPH.height / 2, GRAPH.width / TRAFFIC_SECONDS];
    context.clearRect(0, 0, GRAPH.width, GRAPH.height);
    const draw = (series: number[], color: string, way: -1 | 1): void => {
      context.fillStyle = color;
      series.forEach((bytes, second) => {
        const height = (bytes / most) * (middle - 1);
        context.fillRect(second * step, way < 0 ? middle - height : middle, step - 1, height);
      });
    };
    draw(received, '#62b0ff', -1);
    draw(sent, '#ff9a4d', 1);
  }

  private slider({ name, of, most, unit }: Slider, line: Line): HTMLElement {
    const range = element('input', { type: 'range', min: '0', max: String(most), value: '0', 'aria-label': name });
    const shown = element('output', {}, `0 ${unit}`);
    range.oninput = () => {
      line[of] = Number(range.value);
      shown.textContent = `${range.value} ${unit}`;
    };
    return element('label', {}, name, range, shown);
  }
}

/** How much a count has grown in the last minute. */
class LastMinute {
  private readonly grown: number[] = [];
  private count = 0;

  note(count: number): number {
    const now = performance.now();
    // A new connection counts anew.
    if (count < this.count) this.count = 0;
    for (; this.count < count; this.count++) this.grown.push(now);
    while ((this.grown[0] ?? now) < now - MINUTE_MS) this.grown.shift();
    return this.grown.length;
  }
}

/** The server's digest of the player, and ours of what was predicted. */
function digests({ digestServer, digestHere }: Stats): string {
  if (digestServer < 0) return '–';
  const hex = (digest: number): string => digest.toString(16).padStart(8, '0');
  // After a correction, which begins from a rounded state, the last bits may differ for good.
  return digestServer === digestHere ? `${hex(digestServer)}, the same here` : `${hex(digestServer)}, ${hex(digestHere)} here`;
}

function kib(bytes: number | undefined): string {
  return bytes === undefined ? '–' : `${(bytes / 1024).toFixed(1)} KiB`;
}
