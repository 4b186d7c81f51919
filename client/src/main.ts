/** The game in the browser: its parts, and how they are wired. */

import coreUrl from '../build/client_core.wasm?url';
import { Api } from './api';
import { Assets } from './assets';
import { Chat } from './chat';
import { Chunks } from './chunks';
import { Connection } from './connection';
import { Cues } from './cues';
import { byId } from './elements';
import { Gamepads } from './gamepad';
import { Hud } from './hud';
import { Hands, Stepper, type Action } from './input';
import { Others, type Other } from './interpolation';
import { DIG_INTERVAL_MS, DIG_RADIUS_M, DIG_RANGE_M, EYE_HEIGHT_M, VIEW_M } from './limits';
import { Manifests } from './manifests';
import { Menu } from './menu';
import { Overlay } from './overlay';
import { Preview } from './preview';
import { Settings } from './settings';
import { Sound, type Happening } from './sound';
import { Core, Kind, type Picture, type ServerMessage } from './protocol';
import { RunningCasts } from './running';
import { Stage } from './stage';
import { Touch } from './touch';
import { add, dot, length, minus, times, type Vec3 } from './vec';
import { Door } from './workshop/door';

/** What is aimed at: a place, and whoever stands there. */
interface Target {
  at: Vec3;
  entity: number;
}

/** How far one aims when there is nothing to aim at, metres. */
const AIM_FAR_M = 60;
/** A look that passes a character's middle by less than this is at them, metres. */
const AIM_NEAR_M = 0.9;
/** What one builds with: wood. */
const BUILD_MATERIAL = 5;
const SPARKS = { fire: 0xff9a4d, dust: 0xb9a78a };

async function main(): Promise<void> {
  const module = await WebAssembly.compileStreaming(fetch(coreUrl));
  new Game(module, await Core.load(module));
}

/** Everything that is there once. */
class Game {
  private readonly api = new Api();
  private readonly manifests = new Manifests(this.api);
  private readonly settings = new Settings();
  private readonly sound = new Sound(this.settings);
  private readonly others = new Others();
  private readonly casts = new RunningCasts();
  private readonly stage = new Stage(byId('view') as HTMLCanvasElement);
  private readonly hud = new Hud((spellId) => this.cast(spellId));
  private readonly chat = new Chat((text) => this.connection.send({ type: 8, text }), () => byId('view').focus());
  private readonly hands = new Hands(byId('view'), (action) => this.act(action));
  private readonly connection: Connection;
  private readonly stepper: Stepper;
  private readonly chunks: Chunks;
  private readonly overlay: Overlay;
  private readonly workshop: Door;
  private readonly preview: Preview;
  private readonly cues: Cues;
  private readonly gamepads: Gamepads;
  private picture: Picture = { own: { position: [0, 0, 0], velocity: [0, 0, 0], grounded: false }, tick: 0, others: [] };
  private seen: Other[] = [];
  private edits = 0;
  private dugMs = 0;
  private health = 0;

  constructor(module: WebAssembly.Module, private readonly core: Core) {
    const heed = (message: ServerMessage): void => this.heed(message);
    this.connection = new Connection(core, this.api, { heed, begin: () => this.begin(), say: (text) => this.hud.say(text, 'bad') });
    this.stepper = new Stepper(core, this.hands, (frame) => this.connection.sendFrame(frame));
    this.chunks = new Chunks(module, core, this.stage);
    this.overlay = new Overlay(this.connection, this.chunks, this.casts);
    new Menu(this.api, async (name, choice) => {
      this.hands.takePointer();
      await this.connection.join(name, choice);
      history.replaceState(null, '', `?world=${this.connection.worldId}`);
      this.hud.open();
    });
    this.workshop = new Door({
      api: this.api,
      me: () => (this.connection.state === 'playing' ? this.connection.me : 0),
      others: () => this.seen,
      cast: (spellId, target) => this.cast(spellId, target),
    });
    byId('hud').append(this.chat.root);
    this.preview = new Preview(this.manifests, (spellId) => this.workshop.active.get(spellId));
    const assets = new Assets(this.api, this.manifests, {
      sha256: (bytes) => this.core.sha256(bytes),
      decodeSound: (bytes) => this.sound.decode(bytes),
      sprite: (key, image) => this.stage.sprite(key, image),
      complain: (text) => this.hud.say(text, 'bad'),
    });
    this.cues = new Cues(assets, this.sound, this.stage);
    const act = (action: Action): void => this.act(action);
    new Touch(byId('view'), this.hands, act);
    this.gamepads = new Gamepads(this.hands, act, { slots: () => this.hud.spells.spells.length, choose: (slot) => this.hud.spells.choose(slot) });
    for (const place of ['menu', 'overlay']) byId(place).append(this.settings.panel());
    this.expose();
    requestAnimationFrame(() => this.draw());
  }

  /** For tests and the curious. */
  private expose(): void {
    const game = this;
    Object.assign(window, {
      __game: {
        get state() { return game.connection.state; },
        get world() { return game.connection.worldId; },
        get me() { return game.connection.me; },
        get reconnects() { return game.connection.reconnects; },
        get own() { return game.picture.own; },
        get position() { return game.picture.own.position; },
        get others() { return game.seen; },
        get players() { return [...game.others.players.values()]; },
        get yaw() { return game.hands.yaw; },
        get target() { return game.aimed()?.at ?? null; },
        get preview() { return game.preview.shown; },
        get sound() { return { state: game.sound.state, played: game.sound.played }; },
        get cues() { return game.cues.own; },
        get spells() { return game.hud.spells.spells; },
        get active() { return Object.fromEntries(game.workshop.active); },
        get casts() { return Object.fromEntries(game.workshop.seen); },
        get chat() { return game.chat.lines; },
        get mana() { return game.hud.vitals.mana(game.connection.clock.serverTick()); },
        get statuses() { return game.hud.vitals.statuses(game.connection.clock.serverTick()).map(({ kind }) => kind); },
        get ended() { return game.casts.ended; },
        get stats() { return game.core.stats(performance.now()); },
        get meshes() { return { shown: game.stage.meshes, made: game.chunks.made, unseen: game.chunks.unseen, tookMs: game.chunks.tookMs }; },
        get rttMs() { return game.connection.clock.rttMs; },
        look: (yaw: number, pitch: number) => Object.assign(game.hands, { yaw, pitch }),
        ground: (from: Vec3, toward: Vec3) => game.core.look(from, toward),
        sharp: (on: boolean) => Object.assign(game.stage, { sharp: on }),
      },
    });
  }

  /** A new connection. */
  private begin(): void {
    this.others.begin();
    this.casts.begin();
    this.stage.begin();
    this.chunks.begin();
    this.hud.begin();
    this.preview.cancel();
    this.health = 0;
    this.workshop.begin();
  }

  /** Names are a courtesy: without them the ids are shown. */
  private async nameSpells(): Promise<void> {
    this.hud.spells.name(await this.api.spells().catch(() => []));
  }

  private heed(message: ServerMessage): void {
    this.others.heed(message);
    this.casts.heed(message, this.connection.me);
    this.workshop.heed(message);
    switch (message.type) {
      case 109:
        return this.hud.say(message.message, 'bad');
      case 110:
      case 111: {
        const { me } = this.connection;
        if (message.entity_id !== me && this.seen.length > 0) this.hud.say(`${message.username} ${message.type === 110 ? 'is here' : 'has left'}`);
        return this.hud.who(this.others.players, me);
      }
      case 103:
        if (message.reason === 'died') this.heard('death', message.entity_id);
        return;
      case 106:
        if (message.radius > 0) this.sound.play('dig', message.center);
        return;
      case 112:
        this.heard('cast', message.caster_entity_id);
        if (message.caster_entity_id === this.connection.me) this.hud.spells.cool(message.spell_id);
        return;
      case 121:
        return this.hud.say(`${message.spell_id}: ${message.message || message.limit}`, 'bad');
      case 122:
        if (message.revision_id) this.cues.active(message.spell_id, message.revision_id);
        this.hud.spells.update(message.spell_id, message.revision_id);
        if (!this.hud.spells.knows(message.spell_id)) void this.nameSpells();
        return;
      case 123:
        return this.hud.say(`${message.spell_id}: ${message.text}`, message.aloud ? 'plain' : 'good');
      case 124:
        return this.hud.vitals.heed(message);
      case 125:
        return this.chat.heard(this.others.players.get(message.entity_id) ?? 'somebody', message.text);
    }
  }

  /** What happened at the moment that is drawn now. */
  private show(message: ServerMessage): void {
    this.workshop.shown(message);
    if (message.type === 120) {
      // Messages come with all that docs/protocol.md has for them.
      void this.cues.show(message);
    } else if (message.type === 104) {
      const { hit_point: at, hit_entity_id: hit, damage, projectile_id } = message;
      const onGround = hit === 0;
      this.stage.burst({ at, count: 24, color: onGround ? SPARKS.dust : SPARKS.fire, speed: 4, seconds: 0.5, size: 0.12, gravity: 9 });
      this.sound.play('hit', at);
      if (onGround) return;
      const mine = this.others.owner(projectile_id) === this.connection.me;
      if (mine) this.hud.hit();
      if (hit === this.connection.me) this.hud.wasHit();
      else if (damage > 0) this.stage.hit({ at, amount: damage, mine });
    }
  }

  private act(action: Action): void {
    if (action === 'overlay') return this.overlay.toggle();
    if (action === 'mute') return this.settings.set({ isMuted: !this.settings.isMuted });
    if (action === 'dig') return this.dig();
    if (action === 'build') return this.build();
    if (action === 'cancel') return this.preview.cancel();
    if ('press' in action) {
      const spellId = this.hud.spells.spell(action.press);
      if (spellId) this.preview.press(action.press, spellId);
      return;
    }
    const spellId = this.preview.release(action.release);
    if (spellId) this.cast(spellId);
  }

  /** At whom or what one looks; a target that is given is looked at first. */
  private cast(spellId: string, target: Target | null = null): void {
    if (target) this.face(target.at);
    const { at, entity } = target ?? this.castTarget();
    // The aim of this very moment goes first.
    this.stepper.advance();
    this.connection.send({ type: 7, spell_id: spellId, revision_id: '', target_position: at, target_entity_id: entity, extra_params: {} });
  }

  private castTarget(): Target {
    return this.aimed() ?? { at: this.ahead(AIM_FAR_M), entity: 0 };
  }

  private dig(): void {
    this.dugMs = performance.now();
    const at = this.within(DIG_RANGE_M);
    if (at) this.edit(2, at, 0);
  }

  private build(): void {
    const at = this.within(DIG_RANGE_M);
    if (at) this.edit(1, at, BUILD_MATERIAL);
  }

  /** What is aimed at, if it is not too far. */
  private within(metres: number): Vec3 | null {
    const target = this.aimed();
    return target && length(minus(target.at, this.picture.own.position)) <= metres ? target.at : null;
  }

  private edit(op_type: 1 | 2 | 3, center: Vec3, material_id: number): void {
    this.edits += 1;
    this.connection.send({ type: 3, op_type, center, radius: DIG_RADIUS_M, material_id, client_sequence_id: this.edits });
  }

  private draw(): void {
    requestAnimationFrame(() => this.draw());
    const now = performance.now();
    this.gamepads.poll();
    this.stepper.advance();
    this.picture = this.core.picture(now, this.stepper.share());
    this.seen = this.others.at(this.picture.others);
    this.others.due(this.picture.tick).forEach((message) => this.show(message));
    if (this.hands.digging && now - this.dugMs > DIG_INTERVAL_MS) this.dig();

    const stats = this.core.stats(now);
    const { yaw, pitch } = this.hands;
    const { position } = this.picture.own;
    const aim = this.preview.isOpen ? this.castTarget().at : (this.aimed()?.at ?? null);
    const reach = aim && this.preview.reach(position, aim);
    const viewM = VIEW_M[this.settings.view];
    this.chunks.look(position, viewM);
    this.stage.draw({ position, yaw, pitch, others: this.seen, aim, reach, viewM });
    this.hud.spells.draw();
    this.hud.life(stats.health);
    this.hud.vitals.draw(this.connection.clock.serverTick());
    this.feel(stats.health);
    this.sound.listen(this.eye(), this.hands.aim());
    this.hud.connection(this.status(stats.onKnownGround === 1), this.connection.state === 'playing');
    this.overlay.draw(stats);
  }

  /** What one hears of one's own health. */
  private feel(health: number): void {
    if (health < this.health) this.sound.play(health > 0 ? 'hurt' : 'death');
    this.health = health;
  }

  /** Somebody does something; one's own doing is heard from all around. */
  private heard(what: Happening, entity: number): void {
    if (entity === this.connection.me) return this.sound.play(what);
    const somebody = this.seen.find(({ id }) => id === entity);
    if (somebody) this.sound.play(what, somebody.position);
  }

  private status(onGround: boolean): string {
    const { state, clock } = this.connection;
    if (state !== 'playing') return state;
    if (!onGround) return 'waiting for the ground';
    return clock.rttMs === null ? 'here' : `here, ${Math.round(clock.rttMs)} ms away`;
  }

  /** Whatever the eye rests on: somebody before the ground. */
  private aimed(): Target | null {
    if (this.connection.state !== 'playing') return null;
    const [eye, toward] = [this.eye(), this.hands.aim()];
    const ground = this.core.look(eye, toward);
    let nearest: { distance: number; other: Other } | null = null;
    for (const other of this.seen.filter(({ kind }) => kind === Kind.Player || kind === Kind.Npc)) {
      const distance = dot(minus(other.position, eye), toward);
      const beside = length(minus(other.position, add(eye, times(toward, distance))));
      const hidden = ground !== null && ground < distance;
      if (distance > 0 && beside < AIM_NEAR_M && !hidden && (!nearest || distance < nearest.distance)) nearest = { distance, other };
    }
    if (nearest) return { at: nearest.other.position, entity: nearest.other.id };
    return ground === null ? null : { at: this.ahead(ground), entity: 0 };
  }

  private eye(): Vec3 {
    return add(this.picture.own.position, [0, EYE_HEIGHT_M, 0]);
  }

  private face(place: Vec3): void {
    const [x, y, z] = minus(place, this.eye());
    Object.assign(this.hands, { yaw: Math.atan2(-x, -z), pitch: Math.atan2(y, Math.hypot(x, z)) });
  }

  private ahead(metres: number): Vec3 {
    return add(this.eye(), times(this.hands.aim(), metres));
  }
}

void main();
