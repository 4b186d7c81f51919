/** A line chart of the last minutes on a canvas. */

import { element } from '../elements';

export interface Series {
  name: string;
  /** A CSS color. */
  color: string;
  values: number[];
}

const SIZE = { width: 640, height: 170 };
const MARGIN = { left: 44, top: 10, bottom: 6, right: 8 };

export class Chart {
  readonly root = element('figure', { class: 'chart' });
  private readonly canvas = element('canvas', { width: String(SIZE.width), height: String(SIZE.height), role: 'img' });
  private readonly legend = element('figcaption');

  /** `count` values fill it; `limit` is drawn across, and is the least that the scale reaches. */
  constructor(title: string, private readonly unit: string, private readonly count: number, private readonly limit: number) {
    this.canvas.setAttribute('aria-label', title);
    this.root.append(element('h3', {}, title), this.canvas, this.legend);
  }

  draw(series: Series[]): void {
    const context = this.canvas.getContext('2d');
    if (!context) return;
    const ink = getComputedStyle(this.root).color;
    const most = Math.max(this.limit * 1.2, ...series.flatMap(({ values }) => values));
    const [width, height] = [SIZE.width - MARGIN.left - MARGIN.right, SIZE.height - MARGIN.top - MARGIN.bottom];
    const y = (value: number): number => MARGIN.top + height * (1 - value / most);
    context.clearRect(0, 0, SIZE.width, SIZE.height);
    context.font = '11px system-ui, "DejaVu Sans", sans-serif';
    context.textAlign = 'right';
    for (const [value, dash] of [[0, []], [this.limit, [5, 4]], [most, [1, 5]]] as const) {
      context.strokeStyle = context.fillStyle = ink;
      context.globalAlpha = 0.45;
      context.setLineDash(dash);
      context.beginPath();
      context.moveTo(MARGIN.left, y(value));
      context.lineTo(SIZE.width - MARGIN.right, y(value));
      context.stroke();
      context.globalAlpha = 0.8;
      context.fillText(value.toFixed(value < 10 ? 1 : 0), MARGIN.left - 6, y(value) + 4);
    }
    context.setLineDash([]);
    context.globalAlpha = 1;
    context.lineWidth = 1.6;
    for (const { color, values } of series) {
      context.strokeStyle = color;
      context.beginPath();
      values.forEach((value, index) => {
        const x = MARGIN.left + (width * (index + this.count - values.length)) / (this.count - 1);
        if (index === 0) context.moveTo(x, y(value));
        else context.lineTo(x, y(value));
      });
      context.stroke();
    }
    this.legend.replaceChildren(...series.map(({ name, color, values }) => {
      const key = element('span', {}, `${name} ${values.at(-1)?.toFixed(2) ?? '–'} ${this.unit}`);
      key.style.setProperty('--key', color);
      return key;
    }));
  }
}
