/** Who is logged in, who is kept out, and what can be done about them. */

import { element } from '../elements';
import type { Operator } from './operator';
import { ask } from './question';
import { action, Table, together } from './table';

const BAN_HOURS = 24;
const THROTTLED_REQUESTS_PER_MINUTE = 60;

export class Players {
  readonly root = element('div');
  private readonly sessions = new Table('Logged in', ['name', 'player', 'plays in', ''], 'Nobody is.');
  /** Of who is logged in. */
  private names = new Map<string, string>();
  private readonly bans = new Table('Kept out', ['name', 'player', 'until', 'why', ''], 'Nobody is.');

  constructor(private readonly operator: Operator, private readonly act: (work: Promise<void>) => void) {
    this.root.append(this.sessions.root, this.bans.root);
  }

  async look(): Promise<void> {
    const [sessions, bans] = await Promise.all([this.operator.sessions(), this.operator.bans()]);
    sessions.sort((a, b) => Number(b.world_id !== null) - Number(a.world_id !== null) || a.username.localeCompare(b.username));
    this.names = new Map(sessions.map(({ client_id, username }) => [client_id, username]));
    this.sessions.show(sessions.map(({ username, client_id, world_id }) => [username, client_id, world_id ?? '–', this.measures(client_id)]));
    this.bans.show(bans.map(({ username, client_id, until, reason }) => [
      username, client_id, new Date(until).toLocaleString(), reason, action('Let in again', () => this.act(this.operator.unban(client_id))),
    ]));
  }

  name(client: string): string {
    return this.names.get(client) ?? client;
  }

  /** What can be done about somebody. */
  measures(client: string): HTMLElement {
    const name = this.name(client);
    return together(
      action('Kick', () => this.act(this.operator.kick(client))),
      action('Throttle', () => void this.throttle(name, client)),
      action('Ban', () => void this.ban(name, client)),
    );
  }

  private async ban(name: string, client: string): Promise<void> {
    const answer = await ask(`Keep ${name} out?`, 'Their sessions end, and they cannot log in until it is over.', 'Ban', [
      { name: 'reason', label: 'Why, for them to read', value: '', type: 'text' },
      { name: 'hours', label: 'Hours', value: String(BAN_HOURS), type: 'number' },
    ]);
    if (answer) this.act(this.operator.ban(client, answer['reason'] ?? '', Number(answer['hours'])));
  }

  private async throttle(name: string, client: string): Promise<void> {
    const rate = { name: 'rate', label: 'Requests a minute', value: String(THROTTLED_REQUESTS_PER_MINUTE), type: 'number' } as const;
    const answer = await ask(`Slow ${name} down?`, 'More requests than this are refused.', 'Throttle', [rate]);
    if (answer) this.act(this.operator.throttle(client, Number(answer['rate'])));
  }
}
