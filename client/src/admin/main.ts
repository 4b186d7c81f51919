/** The operator's page: asks for the admin token, then looks at everything once a second. */

import { ApiError } from '../api';
import { byId, element } from '../elements';
import { Operator, type GameServer } from './operator';
import { Players } from './players';
import { action, Table } from './table';
import { WorldPanel } from './world';

const LOOK_EVERY_MS = 1000;
/** Kept until the tab is closed. */
const STORED = 'ugc-world-admin-token';
const ACTS_SHOWN_MAX = 40;

class Page {
  private readonly tabs = element('nav', { 'aria-label': 'worlds' });
  private readonly place = element('div');
  private readonly stops = new Table('What was stopped, on all worlds', ['spell', 'revision', 'limit', 'times'], 'No cast was.');
  private readonly acts = new Table('What operators did', ['when', 'what', 'about'], 'Nothing yet.');
  private readonly players: Players;
  private readonly panels = new Map<string, WorldPanel>();
  private shown: string | null = null;

  constructor(private readonly operator: Operator) {
    this.players = new Players(operator, (work) => this.act(work));
    const root = byId('page');
    root.replaceChildren(this.tabs, this.place, this.players.root, this.stops.root, this.acts.root);
    root.hidden = false;
  }

  /** Looks again and again until the token is refused. */
  async run(): Promise<never> {
    for (;;) {
      const began = performance.now();
      await this.look();
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS - Math.min(LOOK_EVERY_MS, performance.now() - began)));
    }
  }

  private async look(): Promise<void> {
    try {
      const servers = await this.operator.servers();
      this.showServers(servers);
      const [stops, acts] = await Promise.all([
        this.operator.stops(), this.operator.audit(), this.players.look(), this.panels.get(this.shown ?? '')?.look(),
      ]);
      this.stops.show(stops.map(({ spell_id, revision_id, limit, count }) => [spell_id, revision_id, limit, count]));
      this.acts.show(acts.slice(0, ACTS_SHOWN_MAX).map(({ done_at, action: what, detail }) => [
        new Date(done_at).toLocaleString(), what.replaceAll('_', ' '), Object.values(detail).join(' '),
      ]));
      say(`${servers.length} ${servers.length === 1 ? 'world runs' : 'worlds run'}`, true);
    } catch (error) {
      if (error instanceof ApiError && (error.status === 401 || error.status === 403)) throw error;
      say(error instanceof Error ? error.message : String(error), false);
    }
  }

  private showServers(servers: GameServer[]): void {
    for (const server of servers) {
      const known = this.panels.get(server.world_id);
      const panel = known ?? new WorldPanel(this.operator, server.world_id, this.players, (work, done) => this.act(work, done));
      this.panels.set(server.world_id, panel);
      panel.note(server);
    }
    for (const id of [...this.panels.keys()].filter((id) => !servers.some(({ world_id }) => world_id === id))) this.panels.delete(id);
    if (!this.panels.has(this.shown ?? '')) this.show(servers[0]?.world_id ?? null);
    this.tabs.replaceChildren(...servers.map(({ world_id, players, health }) => {
      const tab = action(`${world_id}: ${players} ${players === 1 ? 'player' : 'players'}, ${(health.tick_p99_us / 1000).toFixed(1)} ms`, () => this.show(world_id));
      tab.setAttribute('aria-pressed', String(world_id === this.shown));
      return tab;
    }));
  }

  private show(world: string | null): void {
    this.shown = world;
    const panel = this.panels.get(world ?? '');
    this.place.replaceChildren(panel?.root ?? element('p', { class: 'none' }, 'No world runs. One starts when somebody joins.'));
  }

  /** Something was asked for: what comes of it is looked at at once, and said where it cannot be seen. */
  private act(work: Promise<void>, done = ''): void {
    work.then(() => this.look()).then(() => done && say(done, true)).catch((error: unknown) => say(error instanceof Error ? error.message : String(error), false));
  }
}

function say(words: string, good: boolean): void {
  const state = byId('state');
  state.textContent = words;
  state.dataset['good'] = String(good);
}

async function enter(token: string): Promise<void> {
  sessionStorage.setItem(STORED, token);
  const form = byId('token');
  form.replaceChildren(action('Forget the token', () => {
    sessionStorage.removeItem(STORED);
    location.reload();
  }));
  try {
    await new Page(new Operator(token)).run();
  } catch (error) {
    sessionStorage.removeItem(STORED);
    askForToken(error instanceof Error ? error.message : String(error));
  }
}

function askForToken(problem: string): void {
  byId('page').hidden = true;
  say(problem, false);
  const input = element('input', { type: 'password', 'aria-label': 'admin token', placeholder: 'admin token', autocomplete: 'off', required: '' });
  const form = byId('token') as HTMLFormElement;
  form.replaceChildren(input, element('button', { class: 'main' }, 'Open'));
  form.onsubmit = (event) => {
    event.preventDefault();
    void enter(input.value);
  };
  input.focus();
}

const token = sessionStorage.getItem(STORED);
if (token) void enter(token);
else askForToken('The control plane has printed the token when it was started for the first time, or has it from ADMIN_TOKEN.');
