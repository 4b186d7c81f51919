/** The first page: a name, one button, and the worlds there are. */

import type { Api, World } from './api';
import { byId, element } from './elements';

export type Choice = { world_id: string } | { name: string; generation: string };

/** Worlds shown, the fullest first. */
const WORLDS_SHOWN_MAX = 12;

export class Menu {
  private readonly root = byId('menu');
  private readonly name = element('input', { id: 'name', maxlength: '32', autocomplete: 'nickname', spellcheck: 'false' });
  private readonly play = element('button', { class: 'main', type: 'submit' }, 'Play');
  private readonly list = element('ul', { class: 'worlds' });
  private readonly problem = element('p', { class: 'problem', role: 'alert' });
  private readonly newName = element('input', { id: 'new-world', placeholder: 'a new world', maxlength: '64' });
  private readonly newGround = element('select', { 'aria-label': 'ground' });
  private worlds: World[] = [];
  private readonly linked = new URLSearchParams(location.search).get('world');

  constructor(private readonly api: Api, private readonly enter: (name: string, choice: Choice) => Promise<void>) {
    this.name.value = api.knownName();
    this.newGround.append(new Option('hills', 'hills'), new Option('a flat floor', 'floor'));
    const form = element('form', {}, element('label', { for: 'name' }, 'Your name'), element('div', { class: 'row' }, this.name, this.play));
    form.onsubmit = (event) => {
      event.preventDefault();
      void this.go(this.usual());
    };
    const create = element('button', { type: 'button' }, 'Create');
    create.onclick = () => void this.go({ name: this.newName.value.trim(), generation: this.newGround.value });
    const fresh = element('div', { class: 'row' }, this.newName, this.newGround, create);
    const links = element('p', { class: 'links' }, element('a', { href: '/guide', target: '_blank', rel: 'noopener' }, 'the guide'), ' · ', element('a', { href: '/minimal.html' }, 'the small page'), ' · ', element('a', { href: '/docs' }, 'the interface'));
    this.root.append(element('h1', {}, 'UGC ', element('em', {}, 'World')), element('p', {}, 'A world whose players write its spells.'), form, this.problem, this.list, fresh, links);
    this.name.select();
    void this.refresh();
  }

  /** Back from a world that cannot be played. */
  open(problem: string): void {
    this.root.hidden = false;
    this.problem.textContent = problem;
    this.play.disabled = false;
    void this.refresh();
  }

  /** The world of the link, or where most are, or a new one. */
  private usual(): Choice {
    if (this.linked) return { world_id: this.linked };
    const fullest = this.worlds.find((world) => world.online) ?? this.worlds[0];
    return fullest ? { world_id: fullest.world_id } : { name: '', generation: 'hills' };
  }

  private async go(choice: Choice): Promise<void> {
    this.problem.textContent = '';
    this.play.disabled = true;
    try {
      await this.enter(this.name.value.trim() || this.api.knownName(), choice);
      this.root.hidden = true;
    } catch (error) {
      this.open(error instanceof Error ? error.message : String(error));
    }
    this.play.disabled = false;
  }

  private async refresh(): Promise<void> {
    this.worlds = await this.api.worlds().catch(() => []);
    this.worlds.sort((a, b) => b.player_count - a.player_count);
    this.list.replaceChildren(...this.worlds.slice(0, WORLDS_SHOWN_MAX).map((world) => this.item(world)));
    if (this.linked) this.play.textContent = `Play in ${this.worlds.find((world) => world.world_id === this.linked)?.name || 'this world'}`;
  }

  private item(world: World): HTMLElement {
    const count = world.player_count === 1 ? '1 player' : `${world.player_count} players`;
    const button = element('button', { type: 'button' }, element('span', {}, world.name || world.world_id), element('small', {}, world.online ? count : 'asleep'));
    button.onclick = () => void this.go({ world_id: world.world_id });
    return element('li', {}, button);
  }
}
