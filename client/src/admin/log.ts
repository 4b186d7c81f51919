/** What one world's server said last: what became of casts, and the lines of its log. */

import { element } from '../elements';
import type { Operator, WorldReport } from './operator';
import { Table } from './table';

/** Of those that the server has, the newest. */
const REPORTS_SHOWN_MAX = 60;
/** Between two looks: it is some ten kilobytes each time. */
const LOOK_EVERY_MS = 3000;

export class WorldLog {
  readonly root = element('div', { class: 'log' });
  private readonly reports = new Table('What it reported', ['when', 'what', 'spell', 'revision', 'tick', 'words'], 'No cast was stopped, and no spell has said anything.');
  private readonly lines = element('pre', { role: 'log', tabindex: '0', 'aria-label': 'the server’s log' });
  private lookedMs = -LOOK_EVERY_MS;

  constructor(private readonly operator: Operator, private readonly world: string) {
    this.root.append(this.reports.root, element('section', { class: 'panel' }, element('h2', {}, 'Its log, the newest line first'), this.lines));
  }

  async look(): Promise<void> {
    if (performance.now() - this.lookedMs < LOOK_EVERY_MS) return;
    this.lookedMs = performance.now();
    const { reports, lines } = await this.operator.log(this.world);
    this.reports.show(reports.slice(0, REPORTS_SHOWN_MAX).map((report) => [
      new Date(report.at).toLocaleTimeString(), report.report.replaceAll('_', ' '), report.spell_id, report.revision_id, report.tick ?? '', words(report),
    ]));
    this.lines.textContent = lines.map(({ text }) => text).join('\n') || 'It has said nothing since the control plane was started.';
  }
}

function words({ report, level, text, hook, limit, to, message }: WorldReport): string {
  switch (report) {
    case 'line':
      return `${level}: ${text}`;
    case 'fault':
      return `${hook}, by ${limit}: ${message}`;
    case 'not_migrated':
      return `not to ${to}, by ${limit}: ${message}`;
    default:
      return message ?? '';
  }
}
